"""What every operation and run needs before its provider is called.

The account is linked, the connection is set up, the person is known and allowed to do it. Anything missing
delays it and is shown on the card.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import structlog

from bot.domain.people import Account, Person
from bot.domain.policy import Decision, Target
from bot.domain.runs import Run
from bot.domain.settling import ANSWER_SECONDS
from bot.domain.workspaces import Operation
from bot.messages.texts import holds, problems
from bot.reconciler.context import EngineContext, EnginePart
from bot.reconciler.runtimes import Runtime
from bot.services.authority import decided
from bot.support.errors import SlackFailed, SlackLimited

log = structlog.get_logger(__name__)

#: How long to wait before the next step when it depends on somebody else (Slack, an operator, the person).
PATIENCE: Final = 60.0
#: How long a call waits while another request probes whether the connection answers again.
PROBE_WAIT: Final = 2.0


@dataclass(frozen=True, slots=True)
class Hold:
    """It continues later; says what is holding it up, if that is worth a sentence."""

    seconds: float
    said: str | None = None


@dataclass(frozen=True, slots=True)
class Lost:
    """It can't continue; ``cause`` names a text in ``bot.messages.texts``."""

    cause: str


class Preconditions(EnginePart):
    """Check what an operation or a run needs; nothing here is written."""

    def __init__(self, engine: EngineContext) -> None:
        super().__init__(engine)
        self._context = engine
        self._people = engine.people

    def runtime_of(
        self, subject: Operation | Run, account: Account | None, now: float
    ) -> Runtime | Hold | Lost:
        """Return the runtime if both account and connection exist, else why it waits or can't continue."""
        if account is None or account.state == "revoking":
            return Lost("unlinked")
        runtime = self._runtimes.get(subject.connection)
        if runtime is not None:
            is_served = runtime.provider.settings.serves(subject.principal)
            return runtime if is_served else Lost("not_here")
        missing = Hold(PATIENCE, holds.not_configured(subject.connection))
        since = subject.held_since if subject.hold == missing.said else None
        if since is not None and now >= since + ANSWER_SECONDS:
            # Missing for too long to be a brief mistake in the settings.
            return Lost("connection_gone")
        return missing

    @staticmethod
    def refusal_of(account: Account, runtime: Runtime) -> Hold | None:
        """Return a hold if the account must be linked again; a new link wakes what waits for it."""
        if account.state != "refused":
            return None
        return Hold(PATIENCE, problems.sentence(account.refusal, runtime.title))

    async def may(
        self, subject: Operation | Run, person: Person | None, verb: str, target: Target
    ) -> Decision | Hold:
        """Ask the policy, after looking up an unknown person; if the look-up fails, that only delays it."""
        if person is None:
            try:
                person = await self._people.look_up(subject.principal)
            except SlackFailed as error:
                log.info("person not looked up", subject=subject.id, problem=str(error))
                wait = error.retry_after if isinstance(error, SlackLimited) else PATIENCE / 2
                return Hold(wait, holds.PERSON_UNKNOWN)
        return await decided(self._context, subject.principal, verb, target, person)

    @staticmethod
    def closed(runtime: Runtime) -> Hold | None:
        """Return a hold if the connection is paused, or if another request is probing it."""
        if runtime.health.pause > 0:
            return Hold(runtime.health.pause, runtime.health.hold)
        return Hold(PROBE_WAIT, runtime.health.sentence()) if runtime.is_probed else None
