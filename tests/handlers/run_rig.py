"""A bot whose people run jobs, with a Workbench and a hub that has no jobs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from bot.domain.forms import Spec
from bot.domain.installations import Installation
from bot.domain.people import Principal
from bot.domain.runs import DiscoveredRun, ObservedRun, Run, RunState
from bot.domain.snapshots import Snapshot
from bot.domain.steps import Update
from bot.domain.work_items import Call
from bot.store import accounts, runs, snapshots
from tests.handlers.rig import TEAM, Hub, Rig, activate, rig
from tests.rigs.clock import FakeClock
from tests.rigs.forms import JOB_OFFER, Workbench
from tests.rigs.providers import fake_settings
from tests.rigs.store import ALICE, launched

SPEC = Spec("train.R", {"command": "Rscript train.R", "cluster": "Local"})


@asynccontextmanager
async def run_rig(
    *more: str,
    linked: bool = True,
    offer: Any = JOB_OFFER,
    kind: type[Workbench] = Workbench,
    installation: Installation = TEAM,
) -> AsyncIterator[Rig]:
    """Put a bot together. ``more`` names further connections that run jobs."""
    clock = FakeClock()
    titles = {"posit": "Posit Workbench", **{name: name.title() for name in more}}
    benches = {name: kind(clock, fake_settings(name, title=title)) for name, title in titles.items()}
    hub = Hub(clock, fake_settings("hub", title="Hub", base_url="https://hub.example.test"))
    async with rig(connections={**benches, "hub": hub}, installation=installation) as bot:
        for name in titles if linked else ():
            account = await activate(bot.store, ALICE, name)
            if offer is not None:
                snapshot = Snapshot(name, account.id, "templates", offer, await bot.store.now())
                await bot.store.write(snapshots.save_snapshot, snapshot)
        yield bot


async def launch(bot: Rig, name: str = "train.R", who: Principal = ALICE, **keys: Any) -> Run:
    """Insert a run as if it had been launched earlier."""
    given = {"connection": "posit", "spec": replace(SPEC, name=name), "reference": "REF-1"} | keys
    run = await launched(bot.store, who, given.pop("connection"), name, **given)
    bot.count += 1
    bot.clock.advance(1)
    return run


async def going(bot: Rig, name: str = "train.R", state: RunState = RunState.RUNNING, **keys: Any) -> Run:
    """Insert a run that exists at its provider."""
    run = await launch(bot, name, **keys)
    return await step(bot, run, remote_id=f"r-{run.id}", start_call=Call.ACCEPTED, observed=_seen(bot, state))


async def over(bot: Rig, name: str = "train.R", state: RunState = RunState.SUCCEEDED, code: int = 0) -> Run:
    """Insert a run that has ended."""
    run = await going(bot, name)
    bot.clock.advance(65)
    return await step(bot, run, observed=_seen(bot, state, code), outcome="ended")


async def step(bot: Rig, run: Run, **keys: Any) -> Run:
    """Write what a step learned."""
    assert await bot.store.write(runs.save_run_step, Update(run.id, next_in=5.0, **keys))
    return await bot.store.read(runs.find_run, run.id)


async def found(bot: Rig, *names: str) -> list[Run]:
    """Merge a list with runs that were launched elsewhere, and return them."""
    account = await bot.store.read(accounts.find_account, ALICE, "posit")
    listed = [DiscoveredRun(f"elsewhere-{name}", name, _seen(bot, RunState.RUNNING)) for name in names]
    await bot.store.perform(runs.merge_runs, account.id, listed)
    return [run for run in await bot.store.read(runs.list_runs, ALICE) if run.name in names]


def _seen(bot: Rig, state: RunState, code: int | None = None) -> ObservedRun:
    now = bot.clock.now()
    ended = now if state.is_over else None
    return ObservedRun(state, code, started_at=None if ended else now, ended_at=ended)
