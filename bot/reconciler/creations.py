"""What came of a creation whose outcome is unknown: looked for at the provider before anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bot.models import Call, Outcome, WishVerb
from bot.providers.base import CLOCK_SKEW
from bot.reconciler import endings
from bot.reconciler.ask import REFUSED_WAIT, Done, Later, Refused, Unknown
from bot.store.base import WishUpdate

if TYPE_CHECKING:
    from bot.models import Created, Wish
    from bot.providers.base import Access
    from bot.reconciler.ask import Asker
    from bot.reconciler.lines import Line
    from bot.store.base import Store, WishStep

#: Another creation that was called so long before this one was wished for may have made what is found now.
OTHERS_SECONDS = 600.0
#: So many candidates' times are known; beyond that they are read once more.
REMEMBERED = 10_000

log = structlog.get_logger(__name__)


class Creations:
    """Find what was made, for the wish to make it or for one that calls it off (design §3, rule 9)."""

    def __init__(self, store: Store, asker: Asker) -> None:
        self._store = store
        self._asker = asker
        #: When candidates were made that a list tells too little of: it does not change, one read is enough.
        self._made_at: dict[str, float | None] = {}

    async def of(self, step: WishStep) -> Wish | None:
        """Return the wish that makes a step's workspace: its own, or one that it has replaced."""
        if step.wish.verb is WishVerb.CREATE:
            return step.wish
        return await self._store.creation_of(step.workspace.id)

    async def find(self, step: WishStep, line: Line) -> WishUpdate | None:
        """Ask the provider; return what is to be written. It has no effect, so nothing is committed first."""
        wish, account = step.wish, step.account
        assert account is not None, "a wish without an account ends before it calls"
        answer = await self._asker.ask(
            line, account, "find", lambda access: self._look(step, line, access), attempts=wish.attempts
        )
        match answer:
            case Done(created):
                return self._absent(step) if created is None else await self._found(step, line, created)
            case Later(wait, hold, attempts) | Unknown(wait, hold, attempts):
                return WishUpdate(
                    wish.id,
                    wait,
                    attempts=attempts,
                    hold=hold,
                    card_dirty=hold is not None,
                    claim=step.claim,
                )
            case Refused(needs_credential=True):
                return WishUpdate(
                    wish.id, REFUSED_WAIT, hold=answer.sentence, card_dirty=True, claim=step.claim
                )
            case Refused(cause=cause):
                return endings.ended(wish, Outcome.FAILED, cause, step.claim)

    async def _look(self, step: WishStep, line: Line, access: Access) -> Created | None:
        if "candidates" in line.provider.capabilities():
            return await self._only_one(step, line, access)
        return await line.provider.find(access, step.workspace.spec or {}, step.workspace.id)

    async def _only_one(self, step: WishStep, line: Line, access: Access) -> Created | None:
        """Return what nothing but this creation can have made, where the provider carries no mark of ours.

        What could be somebody else's is left alone: a second one is the lesser evil, and it ends by itself.
        """
        creation = await self.of(step)
        assert creation is not None, "only what was called is looked for"
        found = await line.provider.candidates(access, step.workspace.spec or {}, creation.created_at)
        by_gate = {line.provider.gate_key(one.remote_id): one for one in found}
        # After the list: whoever made what stands there had written down before that they would.
        since = creation.created_at - OTHERS_SECONDS
        left = await self._store.unexplained(creation.id, line.name, list(by_gate), since)
        left = [gate for gate in left if await self._may_be(line, access, gate, by_gate[gate], creation)]
        if len(left) > 1 or (by_gate and not left):
            log.info("creations not told apart", wish=step.wish.id, found=len(by_gate), left=len(left))
        return by_gate[left[0]] if len(left) == 1 else None

    async def _may_be(self, line: Line, access: Access, gate: str, found: Created, creation: Wish) -> bool:
        """Say whether a candidate is young enough; one that nobody's record explains may be read for that.

        Nobody else reads it, and it is read once, so that no rate rule is touched.
        """
        if found.is_told:
            return True
        if gate not in self._made_at:
            if len(self._made_at) >= REMEMBERED:
                self._made_at.clear()
            self._made_at[gate] = await line.provider.made_at(access, found.remote_id)
        made_at = self._made_at[gate]
        return made_at is not None and made_at >= creation.created_at - CLOCK_SKEW

    def _absent(self, step: WishStep) -> WishUpdate:
        """Go on where nothing was made: try again, or end what only wanted it called off."""
        wish = step.wish
        if wish.verb is not WishVerb.CREATE:
            return endings.ended(wish, Outcome.FULFILLED, "not_made", step.claim, hides=True)
        attempts = wish.attempts + 1
        return WishUpdate(
            wish.id,
            self._asker.backoff(attempts),
            start_call=Call.NONE,
            attempts=attempts,
            hold="",
            card_dirty=True,
            audit=[endings.audit(wish, "call.find", "absent")],
            claim=step.claim,
        )

    async def _found(self, step: WishStep, line: Line, created: Created) -> WishUpdate | None:
        """Write its id down before anything else can fail; from here on it is a workspace as any other."""
        wish = step.wish
        creation = await self.of(step)
        assert creation is not None, "only what was called is looked for"
        claim = step.claim if creation.id == wish.id else ""
        gate_key = line.provider.gate_key(created.remote_id)
        if await self._store.name_created(creation.id, created, gate_key, claim) is None:
            return None
        return WishUpdate(
            wish.id,
            0.0,
            read_needed=True,
            attempts=0,
            hold="",
            card_dirty=True,
            audit=[endings.audit(wish, "call.find", "found")],
            claim=step.claim,
        )
