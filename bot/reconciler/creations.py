"""What came of a creation whose outcome is unknown: looked for at the provider before anything else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.models import Call, NoticeKind, Outcome, Traces, Update, WishVerb
from bot.providers import facets
from bot.providers.base import CLOCK_SKEW
from bot.reconciler import endings
from bot.reconciler.ask import REFUSED_WAIT, Done, Later, Refused, Unknown
from bot.reconciler.preconditions import is_linked
from bot.settling import Verdict, has_settled, judge, look_in

if TYPE_CHECKING:
    from bot.models import Created, Wish, WishStep
    from bot.providers.base import Access
    from bot.reconciler.ask import Asker
    from bot.reconciler.lines import Line
    from bot.reconciler.ports import Numbers
    from bot.store.store import Store

#: Another creation that was called so long before this one was wished for may have made what is found now.
OTHERS_SECONDS = 600.0
#: So many candidates' times are known; beyond that they are read once more.
REMEMBERED = 10_000


class Creations:
    """Find what was made, for the wish to make it or for one that calls it off (ADR 15)."""

    def __init__(self, store: Store, asker: Asker, numbers: Numbers) -> None:
        self._store = store
        self._asker = asker
        self._numbers = numbers
        #: When candidates were made that a list tells too little of: it does not change, one read is enough.
        self._made_at: dict[str, float | None] = {}

    async def of(self, step: WishStep) -> Wish | None:
        """Return the wish that makes a step's workspace: its own, or one that it has replaced."""
        if step.wish.verb is WishVerb.CREATE:
            return step.wish
        return await self._store.creation_of(step.workspace.id)

    async def find(self, step: WishStep, line: Line) -> Update | None:
        """Ask the provider; return what is to be written. It has no effect, so nothing is committed first."""
        wish, account = step.wish, step.account
        assert account is not None, "a wish without an account ends before it calls"
        if not await is_linked(self._store, account):
            return None
        creation = await self.of(step)
        assert creation is not None, "only what was called is looked for"
        answer = await self._asker.ask(
            line,
            account,
            "find",
            lambda access: self._look(step, line, creation, access),
            attempts=wish.attempts,
        )
        match answer:
            case Done(traces):
                if traces is None:
                    now = await self._store.now()
                    return Update(wish.id, look_in(line.pace, None, now), claim=step.claim)
                return await self._judged(step, line, creation, traces)
            case Unknown(is_unreadable=True):
                # It tells nothing of what it looked for, however often it is made; as one that is refused.
                return await self._judged(step, line, creation, Traces())
            case Later(wait, hold, attempts) | Unknown(wait, hold, attempts):
                return Update(
                    wish.id,
                    wait,
                    attempts=attempts,
                    hold=hold,
                    card_dirty=hold is not None,
                    claim=step.claim,
                )
            case Refused(needs_credential=True):
                return Update(wish.id, REFUSED_WAIT, hold=answer.sentence, card_dirty=True, claim=step.claim)
            case Refused():
                return await self._judged(step, line, creation, Traces())

    async def _look(self, step: WishStep, line: Line, creation: Wish, access: Access) -> Traces | None:
        """Return what the provider shows, without what somebody's record explains.

        None where a candidate is to be read that was read a moment ago.
        """
        spec, since = step.workspace.spec or {}, creation.called_at or creation.created_at
        traces = await line.provider.need(facets.Making).find(access, spec, step.workspace.id, since)
        if not traces.others:
            return traces
        by_gate = {line.provider.gate_key(one.remote_id): one for one in traces.others}
        # After the list: whoever made what stands there had written down before that they would.
        others_since = creation.created_at - OTHERS_SECONDS
        left = await self._store.unexplained(creation.id, line.name, list(by_gate), others_since)
        others = []
        for gate in left:
            found = by_gate[gate]
            if not found.is_told and not await self._is_read(line, access, gate, found):
                return None
            made_at = since if found.is_told else self._made_at[gate]
            if made_at is not None and made_at >= since - CLOCK_SKEW:
                others.append(found)
        return replace(traces, others=tuple(others))

    async def _judged(self, step: WishStep, line: Line, creation: Wish, traces: Traces) -> Update | None:
        """Return what a look comes to: found, another look, another creation, a question, or the end."""
        wish, now = step.wish, await self._store.now()
        verdict = judge(
            traces.ours,
            traces.others,
            is_proof=traces.is_proof,
            has_settled=has_settled(creation.start_call, creation.called_at, creation.unknown_since, now),
            is_wanted=wish.verb is WishVerb.CREATE,
        )
        match verdict:
            case Verdict.REPEAT:
                return self._absent(step)
            case Verdict.NOTHING:
                return endings.ended(wish, Outcome.FULFILLED, "not_made", step.claim, hides=True)
            case Verdict.UNTOLD:
                return endings.ended(wish, Outcome.UNKNOWN, "untold", step.claim, hides=True)
            case Verdict.LOOK:
                return Update(wish.id, look_in(line.pace, None, now), claim=step.claim)
            case Verdict.ASK:
                return self._asked(step, line, now)
            case created:
                return await self._found(step, line, creation, created)

    def _asked(self, step: WishStep, line: Line, now: float) -> Update:
        """Ask whether to make another one, once, and go on looking."""
        wish = step.wish
        is_new = wish.asked_at is None
        asked = endings.notice(wish, NoticeKind.ASKED, f"{wish.called_at or 0.0:.3f}")
        return Update(
            wish.id,
            look_in(line.pace, wish.asked_at, now),
            hold="",
            asked=True,
            notices=[asked] if is_new else [],
            audit=[endings.audit(wish, "call.find", "unclear")] if is_new else [],
            claim=step.claim,
        )

    async def _is_read(self, line: Line, access: Access, gate: str, found: Created) -> bool:
        """Read once when a candidate was made; False while its gate is closed, as for any other read."""
        if gate in self._made_at:
            return True
        closed_for = line.pace.min_poll_interval + self._numbers.margin
        # While the answer isn't there, nobody knows when the request arrives: no later than its time is up.
        at_most = closed_for + self._numbers.call_seconds
        key = (gate, line.name, found.remote_id)
        if not await self._store.hold_candidate(*key, at_most):
            return False
        made_at = await line.provider.need(facets.Making).made_at(access, found.remote_id)
        await self._store.hold_candidate(*key, closed_for, is_answered=True)
        if len(self._made_at) >= REMEMBERED:
            self._made_at.clear()
        self._made_at[gate] = made_at
        return True

    def _absent(self, step: WishStep) -> Update:
        """Go on where nothing was made: the next plan makes it."""
        wish = step.wish
        attempts = wish.attempts + 1
        return Update(
            wish.id,
            self._asker.backoff(attempts),
            start_call=Call.NONE,
            attempts=attempts,
            hold="",
            asked=False,
            card_dirty=True,
            audit=[endings.audit(wish, "call.find", "absent")],
            claim=step.claim,
        )

    async def _found(self, step: WishStep, line: Line, creation: Wish, created: Created) -> Update | None:
        """Write its id down before anything else can fail; from here on it is a workspace as any other."""
        wish = step.wish
        claim = step.claim if creation.id == wish.id else ""
        gate_key = line.provider.gate_key(created.remote_id)
        if await self._store.name_created(creation.id, created, gate_key, claim) is None:
            return None
        return Update(
            wish.id,
            0.0,
            read_needed=True,
            attempts=0,
            hold="",
            card_dirty=True,
            audit=[endings.audit(wish, "call.find", "found")],
            claim=step.claim,
        )
