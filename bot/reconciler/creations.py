"""What came of a creation whose outcome is unknown: looked for at the provider before anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bot.models import Call, Outcome, WishVerb
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

log = structlog.get_logger(__name__)


class Creations:
    """Find what was made, for the wish to make it or for one that calls it off (design §3, rule 9)."""

    def __init__(self, store: Store, asker: Asker) -> None:
        self._store = store
        self._asker = asker

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
        if len(left) > 1 or (by_gate and not left):
            log.info("creations not told apart", wish=step.wish.id, found=len(by_gate), left=len(left))
        return by_gate[left[0]] if len(left) == 1 else None

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
