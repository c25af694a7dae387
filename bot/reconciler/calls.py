"""The one call of a step: committed before it leaves, and whatever comes of it has a row."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bot.errors import Conflict
from bot.models import Call, Created, Outcome, Update, WishStep
from bot.plan import Operation
from bot.providers import facets
from bot.reconciler import endings
from bot.reconciler.ask import REFUSED_WAIT, Done, Later, Refused, Unknown
from bot.reconciler.replaced import make_true, send_down

if TYPE_CHECKING:
    from bot.providers.base import Access
    from bot.reconciler.ask import Asker
    from bot.reconciler.lines import Line
    from bot.reconciler.ports import Numbers
    from bot.store.store import Store

#: A call that the present state does not allow is tried so often: the state may just be changing.
CONFLICTS = 4

#: The operations that bring something up; the others' calls are the wish's stop call.
UP = frozenset({Operation.START, Operation.CREATE})
_MAKES = frozenset({Operation.CREATE})


class Calls:
    """Make calls to providers for wishes; *calling* is committed before each one leaves (ADR 15)."""

    def __init__(self, store: Store, asker: Asker, numbers: Numbers) -> None:
        self._store = store
        self._asker = asker
        self._numbers = numbers

    async def make(self, step: WishStep, line: Line, operation: Operation) -> Update | None:
        """Commit ``calling``, send the call, return what is still to be written; None when nothing is."""
        wish, account = step.wish, step.account
        assert account is not None, "a wish without an account ends before it calls"
        access = self._asker.admit(line, account, starts=operation in UP)
        if isinstance(access, Refused):
            return self._held(step, operation, access)
        if isinstance(access, Later):
            return self._again(step, operation, access, Call.NONE)
        acts = line.provider.acts(access, str(operation))
        if line.provider.needs_record(access) and operation not in _MAKES and not _is_known(step):
            return endings.ended(wish, Outcome.FAILED, "not_found", step.claim)
        calling = Update(
            wish.id,
            self._numbers.lease,
            called=True,
            # Before it leaves: a use of somebody else's right is in the audit whatever comes of it.
            audit=[endings.audit(wish, f"call.{operation}", "sent", acts=acts)] if acts == "admin" else [],
            claim=step.claim,
            **_call(operation, Call.CALLING),
        )
        if not await self._store.save_step(calling):
            return None  # Replaced, unlinked or forgotten since it was claimed: nothing may leave.
        answer = await self._asker.ask(
            line,
            account,
            str(operation),
            lambda access: self._send(step, line, operation, access),
            attempts=wish.attempts,
            starts=operation in UP,
        )
        match answer:
            case Done(created):
                await self._accepted(step, line, operation, access, created)
                return None
            case Later():
                return self._again(step, operation, answer, Call.NONE)
            case Unknown():
                return self._unanswered(step, line, operation, answer)
            case Refused(needs_credential=True):
                return self._held(step, operation, answer)
            case Refused():
                return self._refused(step, operation, answer)

    async def _accepted(
        self, step: WishStep, line: Line, operation: Operation, access: Access, created: Created | None
    ) -> None:
        wish = step.wish
        acts = line.provider.acts(access, str(operation))
        remote_id = step.workspace.remote_id
        if created is not None:
            # Before anything else can fail: what exists is found again by this.
            remote_id = created.remote_id
            gate_key = line.provider.gate_key(remote_id)
            if await self._store.name_created(wish.id, created, gate_key, step.claim) is None:
                return
        # What was made and stands still is started by the steps that follow.
        known = Call.ACCEPTED if created is None or created.is_started else Call.NONE
        accepted = Update(
            wish.id,
            self._first_look(line),
            waits_for="read",
            read_needed=True,
            attempts=0,
            hold="",
            card_dirty=True,
            audit=[endings.audit(wish, f"call.{operation}", "accepted", acts=acts)],
            claim=step.claim,
            **_call(operation, known),
        )
        if not await self._store.save_step(accepted) and operation in UP:
            # It ended while the call was under way.
            await make_true(self._store, self._asker, step, line, remote_id)

    async def _send(self, step: WishStep, line: Line, operation: Operation, access: Access) -> Created | None:
        """Send the call; return what was made where it makes something."""
        workspace = step.workspace
        if operation is Operation.CREATE:
            return await line.provider.need(facets.Making).create(access, workspace.spec or {}, workspace.id)
        if operation is Operation.START:
            await line.provider.start(access, workspace.remote_id)
        else:
            await send_down(line, access, workspace.remote_id, operation)
        return None

    def _held(self, step: WishStep, operation: Operation, answer: Refused) -> Update:
        """Wait for another credential; the call itself did not happen."""
        return Update(
            step.wish.id,
            REFUSED_WAIT,
            hold=answer.sentence,
            card_dirty=True,
            claim=step.claim,
            **_call(operation, Call.NONE),
        )

    def _refused(self, step: WishStep, operation: Operation, answer: Refused) -> Update:
        wish = step.wish
        makes = operation is Operation.CREATE
        if isinstance(answer.error, Conflict) and wish.attempts < CONFLICTS and (wish.attempts or not makes):
            # It is just stopping, or starting: look, then try again. The name of what is to be made may be
            # taken by what an earlier try made after all: look for it.
            attempts = wish.attempts + 1
            wait = Later(self._asker.backoff(attempts), None, attempts)
            return self._again(step, operation, wait, Call.UNKNOWN if makes else Call.NONE)
        ended = endings.ended(wish, Outcome.FAILED, answer.cause, step.claim, hides=makes)
        if not makes or (isinstance(answer.error, Conflict) and wish.attempts):
            return ended
        # It made nothing, so that it explains nothing that others find; a name that an earlier try may have
        # taken tells nothing of that one.
        return replace(ended, start_call=Call.NONE)

    def _unanswered(self, step: WishStep, line: Line, operation: Operation, answer: Unknown) -> Update:
        """See soon what came of it: a pause that was asked for is one between calls, not between looks."""
        update = self._again(step, operation, answer, Call.UNKNOWN)
        return replace(update, next_in=min(answer.wait, self._first_look(line)), waits_for="read")

    def _first_look(self, line: Line) -> float:
        return line.pace.min_poll_interval + 2 * self._numbers.margin

    def _again(self, step: WishStep, operation: Operation, answer: Later | Unknown, known: Call) -> Update:
        """Return the update after which the wish is read and tried again."""
        return Update(
            step.wish.id,
            answer.wait,
            read_needed=True,
            attempts=answer.attempts,
            hold=answer.sentence,
            card_dirty=answer.sentence is not None,
            claim=step.claim,
            **_call(operation, known),
        )


def _is_known(step: WishStep) -> bool:
    """Say whether a list or a read with the person's own credential has shown the workspace."""
    return step.workspace.verified_at is not None


def _call(operation: Operation, known: Call) -> dict[str, Any]:
    return {"start_call" if operation in UP else "stop_call": known}
