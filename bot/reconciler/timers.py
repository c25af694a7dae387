"""What comes by itself: a person's timer, with its warning and its stop, hours, and a provider's own expiry.

Timers are driven by due rows, each claimed for a while: what a crash cuts short becomes due again. The stop
and the end of the timer are written as one, so it is done once, and never after its person took it back.

Nobody's work is stopped on a warning that they don't have, or that was for something else. Where it wasn't
delivered, the stop moves until it is; after an absence, or if the workspace hasn't been read since the
warning, it is read first and its person is warned again.
"""

from functools import partial
from typing import Any, Final

import structlog

from bot.domain.hours import Rule
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.timers import LEAST_TIMER_WARNING_SECONDS, TIMER_WARNING_SECONDS
from bot.domain.workspaces import Workspace
from bot.reconciler.ask import EnginePart
from bot.services import hours
from bot.services.asked import Asked, usable
from bot.services.workspaces import stop_as_planned
from bot.support.errors import NotIdentified, NotLinked, Refused
from bot.support.pool import contained

log = structlog.get_logger(__name__)

#: How many timers, rules or workspaces are claimed at once, and for how long.
SOME: Final = 50
LEASE: Final = 60.0
#: A workspace read longer ago than this is read again first: it may have been stopped, or used, since.
FRESH_SECONDS: Final = 60.0
#: For how long such a read is waited for at least, and how often to look whether it has come.
PATIENCE: Final = 30.0
LOOKS_EVERY: Final = 5.0
#: When to ask again while Slack can't say who somebody is.
ASKS_AGAIN: Final = 30.0
#: How often it is looked at whether what was left running is still needed.
NEEDED_EVERY: Final = 1800.0
#: What some rules are called as the cause of a stop that wasn't possible.
_CAUSES: Final = {
    "ends": "not_agreed",
    "not_allowed": "not_allowed_now",
    "connection.gone": "connection_gone",
}


class Timers(EnginePart):
    """Process the timers that are due."""

    async def step(self) -> int:
        """Process what is due; return how many there were."""
        claimed = await self._store.claim_timers(SOME, LEASE, self._numbers.unwarned_seconds)
        for workspace in claimed:
            async with contained("timer", self._ids, workspace=workspace.id):
                await self._one(workspace)
        return len(claimed)

    async def _one(self, workspace: Workspace) -> None:
        stop_at, now = workspace.stop_at, await self._store.now()
        assert stop_at is not None, "a timer that is due has a time"
        due_at = stop_at if workspace.stop_warned else stop_at - TIMER_WARNING_SECONDS
        read_at = now if workspace.is_provisional else workspace.observed_at or 0.0
        is_unread = now - read_at > FRESH_SECONDS
        warned_at = stop_at - TIMER_WARNING_SECONDS if workspace.stop_warned else now
        if now < due_at:
            await self._store.look_at_timer(workspace.id, stop_at, due_at)
        elif is_unread and now < due_at + PATIENCE:
            await self._read(workspace, stop_at, now)
        elif is_unread and now >= stop_at and read_at < warned_at - FRESH_SECONDS:
            await self._wait(workspace, stop_at, now)
        elif await self._store.settle_timer(workspace.id):
            log.info("timer of a workspace that is down", workspace=workspace.id)
        elif workspace.stop_warned:
            await self._stop(workspace, stop_at)
        else:
            # Nobody is stopped without their warning, however late that is.
            moved_to = max(stop_at, now + LEAST_TIMER_WARNING_SECONDS)
            warning = _notice(workspace, NoticeKind.TIMER_ENDING, moved_to)
            await self._store.timer_warned(workspace.id, stop_at, moved_to, warning)

    async def _read(
        self, workspace: Workspace, stop_at: float, now: float, *, unwarned: bool = False
    ) -> None:
        await self._store.read_soon(workspace.id)
        await self._store.look_at_timer(workspace.id, stop_at, now + LOOKS_EVERY, unwarned=unwarned)

    async def _wait(self, workspace: Workspace, stop_at: float, now: float) -> None:
        """Wait for a read, and then warn again; if it can't be read any more, its person is told."""
        connection = workspace.connection
        try:
            usable(self._context.need(connection), await self._store.account(workspace.principal, connection))
        except Refused as refusal:
            await self._fail(workspace, stop_at, refusal)
        else:
            await self._read(workspace, stop_at, now, unwarned=True)

    async def _stop(self, workspace: Workspace, stop_at: float) -> None:
        """Ask for the stop in its person's name: the policy, the account and the provider decide again."""
        key = f"timer:{workspace.id}:{stop_at:.0f}"
        asked = Asked(self._context, workspace.principal, key, self._ids.reference())
        try:
            await asked.to(stop_as_planned, workspace.id, stop_at)
        except NotIdentified:
            now = await self._store.now()
            await self._store.look_at_timer(workspace.id, stop_at, now + ASKS_AGAIN)
        except Refused as refusal:
            await self._fail(workspace, stop_at, refusal)

    async def _fail(self, workspace: Workspace, stop_at: float, refusal: Refused) -> None:
        cause = refusal.rule.removeprefix("workspace.")
        if isinstance(refusal, NotLinked):
            cause = "credential_refused" if refusal.is_refused else "unlinked"
        notice = _notice(workspace, NoticeKind.TIMER_FAILED, stop_at, cause=_CAUSES.get(cause, cause))
        await self._store.end_timer(workspace.id, stop_at, [notice])


def _notice(workspace: Workspace, kind: NoticeKind, stop_at: float, **more: Any) -> NewNotice:
    body = {"workspace": workspace.id, "connection": workspace.connection, "stop_at": stop_at, **more}
    return NewNotice(workspace.id, kind, f"{stop_at:.0f}", workspace.principal, body)


class Hours(EnginePart):
    """Carry out the rules that are due, each in one transaction."""

    async def step(self) -> int:
        """Carry out what is due; return how many rules there were."""
        count = 0
        while claimed := await self._store.claim_hours(SOME, LEASE):
            count += len(claimed)
            for rule in claimed:
                async with contained("hours", self._ids, rule=rule.id):
                    await self._one(rule)
        return count

    async def _one(self, rule: Rule) -> None:
        asked = Asked(self._context, rule.principal, drawing=self._ids.reference())
        try:
            await asked.to(hours.carry_out, rule.id)
        except NotIdentified:
            await self._store.look_at_hours(rule.id, await self._store.now() + ASKS_AGAIN)
        except Refused as refusal:
            await asked.to(hours.refuse, rule.id, refusal)


class Expiries(EnginePart):
    """Find workspaces that end soon; each end is announced once, and an end that has moved is a new one."""

    async def step(self) -> int:
        """Request reads and write warnings; return how many there were of both."""
        now = await self._store.now()
        found = [
            workspace
            for workspace in await self._store.ending(self._numbers.warn_seconds)
            if workspace.connection in self._runtimes and workspace.verified_at is not None
        ]
        warned = [one for one in found if now - (one.observed_at or 0.0) <= FRESH_SECONDS]
        for workspace in found:
            if workspace not in warned:
                await self._store.read_soon(workspace.id)
        if warned:
            await self._store.add_notices([_expiry(workspace) for workspace in warned])
        return len(found)


def _expiry(workspace: Workspace) -> NewNotice:
    assert workspace.ends_at is not None, "what ends has a time for that"
    return NewNotice(
        subject=workspace.id,
        kind=NoticeKind.ENDING,
        occasion=f"{workspace.ends_at:.0f}",
        principal=workspace.principal,
        body={"workspace": workspace.id, "connection": workspace.connection},
    )


class Needed(EnginePart):
    """Look at what runs on without an end."""

    async def step(self) -> int:
        """Look at some that are due; return how many there were."""
        claimed = await self._store.claim_running(SOME, NEEDED_EVERY)
        for workspace_id in claimed:
            async with contained("needed", self._ids, workspace=workspace_id):
                look = partial(hours.ask, context=self._context, workspace_id=workspace_id)
                await self._store.carry_out(look)
        return len(claimed)
