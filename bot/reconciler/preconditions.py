"""What every operation and run needs before its provider is called.

Its account is there, its connection is set up, its person is known and may do it. What is missing delays,
and is said on the card.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from bot.domain.policy import decide
from bot.domain.settling import ANSWER_SECONDS
from bot.messages.texts import holds, problems
from bot.support.errors import SlackFailed, SlackLimited

if TYPE_CHECKING:
    from bot.domain.models import Account, Operation, Person, Run
    from bot.domain.policy import Decision, Target
    from bot.reconciler.context import EngineContext
    from bot.reconciler.runtimes import Runtime

log = structlog.get_logger(__name__)

#: What waits for somebody else (Slack, an operator, its person) is stepped again after so long.
PATIENCE: Final = 60.0
#: While another's request finds out whether a connection answers again, a call waits so long.
PROBE_WAIT: Final = 2.0


@dataclass(frozen=True, slots=True)
class Hold:
    """Say that it goes on later, and what holds it up, where that is worth a sentence."""

    seconds: float
    said: str | None = None


@dataclass(frozen=True, slots=True)
class Lost:
    """Say that it can't go on any more; ``cause`` names a text in ``bot.messages.texts``."""

    cause: str


class Preconditions:
    """Look at what an operation or a run needs; nothing here is written."""

    def __init__(self, engine: EngineContext) -> None:
        self._runtimes = engine.runtimes
        self._people = engine.people
        self._installation = engine.installation

    def line_of(self, subject: Operation | Run, account: Account | None, now: float) -> Runtime | Hold | Lost:
        """Return the connection where there are both an account and a connection."""
        if account is None or account.state == "revoking":
            return Lost("unlinked")
        runtime = self._runtimes.get(subject.connection)
        if runtime is not None:
            return runtime
        missing = Hold(PATIENCE, holds.not_configured(subject.connection))
        since = subject.held_since if subject.hold == missing.said else None
        if since is not None and now >= since + ANSWER_SECONDS:
            # Not the mistake of an hour: nobody brings it back.
            return Lost("connection_gone")
        return missing

    @staticmethod
    def refusal_of(account: Account, runtime: Runtime) -> Hold | None:
        """Say that an account waits for a new link, which steps what waits for it at once."""
        if account.state != "refused":
            return None
        return Hold(PATIENCE, problems.sentence("credential_refused", runtime.title))

    async def may(
        self, subject: Operation | Run, person: Person | None, verb: str, target: Target
    ) -> Decision | Hold:
        """Ask the policy, after looking an unknown person up: failing at that delays, no more and no less."""
        if person is None:
            try:
                person = await self._people.look_up(subject.principal)
            except SlackFailed as error:
                log.info("person not looked up", subject=subject.id, problem=str(error))
                wait = error.retry_after if isinstance(error, SlackLimited) else PATIENCE / 2
                return Hold(wait, holds.PERSON_UNKNOWN)
        return decide(subject.principal, verb, target, self._installation, person)

    @staticmethod
    def closed(runtime: Runtime) -> Hold | None:
        """Say that a connection is left alone for a while, or that another's request finds out about it."""
        if runtime.health.pause > 0:
            return Hold(runtime.health.pause, runtime.health.hold)
        return Hold(PROBE_WAIT, runtime.health.sentence()) if runtime.is_probed else None
