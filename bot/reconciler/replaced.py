"""Operations replaced while their call was in flight: the newer one wins, in whatever order calls land."""

from __future__ import annotations

from contextlib import suppress

import structlog

from bot.domain.plan import Step
from bot.domain.runs import ClaimedOperation, Update
from bot.domain.workspaces import Outcome
from bot.providers import base
from bot.providers.base import Access
from bot.reconciler.ask import Asker
from bot.reconciler.runtimes import Runtime
from bot.store.store import Store
from bot.support.errors import NotFound

log = structlog.get_logger(__name__)


async def make_true(
    store: Store, asker: Asker, claimed: ClaimedOperation, runtime: Runtime, remote_id: str
) -> None:
    """Enforce a stop or removal that replaced a start or creation while its call was in flight."""
    current = await store.operation(claimed.operation.id)
    if current is None or current.outcome is not Outcome.REPLACED:
        return
    latest = await store.latest_operation(current.workspace_id)
    if latest is None or not latest.verb.brings_down:
        return
    if latest.is_open:
        await store.save_step(Update(latest.id, 0.0, read_needed=True))
    elif latest.outcome is Outcome.FULFILLED:
        # It was found down or missing before the call landed, and the person was told so: enforce that.
        log.info("bringing down what was replaced", operation=claimed.operation.id, verb=str(latest.verb))
        step = Step(latest.verb.value)
        await asker.ask(
            runtime, claimed.account, str(step), lambda access: send_down(runtime, access, remote_id, step)
        )


async def send_down(runtime: Runtime, access: Access, remote_id: str, step: Step) -> None:
    """Send a call that brings a workspace down, for any such step."""
    match step:
        case Step.REMOVE:
            # If it no longer exists, that is what was asked for.
            with suppress(NotFound):
                await runtime.provider.need(base.Removal).remove(access, remote_id)
        case Step.SUSPEND:
            await runtime.provider.stop(access, remote_id, "suspend")
        case Step.FORCE:
            await runtime.provider.stop(access, remote_id, "force")
        case _:
            await runtime.provider.stop(access, remote_id)
