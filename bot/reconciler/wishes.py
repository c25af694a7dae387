"""One step of a wish: who is it, what is to be done, do it, write down what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from bot.blocks.facts import Facts
from bot.blocks.progress import UNANSWERED_SECONDS, is_unanswered, progress_of
from bot.errors import StoreError
from bot.making import another
from bot.models import Call, NoticeKind, Outcome, State, Update, WishStep, WishVerb
from bot.plan import NO_RESTART, Operation, Plan, plan, plan_unmade
from bot.policy import Target
from bot.pool import Pool, pool_room, run_all
from bot.reconciler import endings
from bot.reconciler.calls import UP, Calls
from bot.reconciler.creations import Creations
from bot.reconciler.lines import PERSONS_SHARE
from bot.reconciler.preconditions import PATIENCE, Hold, Lost, told_late
from bot.words import holds, problems

if TYPE_CHECKING:
    from bot.clock import Ids
    from bot.models import Wish
    from bot.reconciler.lines import Line
    from bot.reconciler.ports import Numbers
    from bot.reconciler.preconditions import Preconditions
    from bot.store.store import Store

log = structlog.get_logger(__name__)

#: A bar is drawn again when it has grown by a step of so many points.
BAR_STEP = 5


class Wishes:
    """Step due wishes. What others do meanwhile (replace, unlink) wins: an ended wish takes no update."""

    def __init__(
        self,
        store: Store,
        preconditions: Preconditions,
        calls: Calls,
        creations: Creations,
        ids: Ids,
        numbers: Numbers,
    ) -> None:
        self._store = store
        self._preconditions = preconditions
        self._calls = calls
        self._creations = creations
        self._ids = ids
        self._numbers = numbers
        #: Wishes that this process is at, in case a step outlives its lease.
        self._under_way: set[str] = set()
        #: When the last of the looks that were put off comes, by the store's time.
        self._last_look = 0.0

    async def step(self, pool: Pool | None) -> int:
        """Claim what is due and step all of it beside one another; return how many there were."""
        most = pool_room(pool, self._numbers.batch)
        if most <= 0:
            return 0
        steps = await self._store.claim_wishes(most, self._numbers.lease)
        fresh = [step for step in steps if step.wish.id not in self._under_way]
        await run_all([self._guarded(step) for step in fresh], pool)
        return len(steps)

    async def _guarded(self, step: WishStep) -> None:
        """Keep one wish's trouble from the others: it is logged, and the wish is tried again later."""
        self._under_way.add(step.wish.id)
        try:
            await self._one(step)
        except StoreError as error:
            log.warning("step not written", wish=step.wish.id, problem=type(error).__name__)
        except Exception:  # docs/rules.md, "Where errors end"
            reference = self._ids.reference()
            log.exception("step failed", wish=step.wish.id, reference=reference)
            try:
                await self._later(step, PATIENCE, hold=problems.sentence("internal"))
            except StoreError:
                log.warning("step not written", wish=step.wish.id, reference=reference)
        finally:
            self._under_way.discard(step.wish.id)

    async def _one(self, step: WishStep) -> None:
        wish, account = step.wish, step.account
        if not wish.is_open:
            return
        line = self._preconditions.line_of(wish, account, await self._store.now())
        if isinstance(line, Lost):
            await self._lost(step, line)
            return
        if step.workspace.hidden and not step.workspace.is_provisional:
            # Taken off the list just when it was wished for: nothing is read for it any more.
            await self._store.save_step(endings.ended(wish, Outcome.CANCELLED, "forgotten", step.claim))
            return
        if isinstance(line, Hold):
            await self._held(step, line)
            return
        assert account is not None, "without one there is no connection"
        if (refusal := self._preconditions.refusal_of(account, line)) is not None:
            await self._held(step, refusal)
            return
        if not await self._may_go_on(step):
            return
        decided = await self._planned(step, line)
        match decided.operation:
            case Operation.READ:
                await self._read(step, line, decided.cause)
            case Operation.WAIT if decided.at is not None:
                await self._later(step, max(decided.at - await self._store.now(), 0.1))
            case Operation.WAIT:
                await self._wait(step, line, decided.cause)
            case Operation.END:
                await self._end(step, decided)
            case Operation.RENEW:
                await self._renew(step, line)
            case call:
                await self._call(step, line, call)

    async def _planned(self, step: WishStep, line: Line) -> Plan:
        wish, workspace = step.wish, step.workspace
        if workspace.is_provisional:
            return plan_unmade(wish, await self._creations.of(step), await self._store.now())
        effects = line.provider.stops(workspace)
        return plan(
            wish,
            workspace.state,
            workspace.observed_at,
            workspace.actions,
            effects,
            up_at=workspace.up_at,
        )

    async def _renew(self, step: WishStep, line: Line) -> None:
        """Have another made of what is over, where it was made here; the wish goes on with that."""
        wish = step.wish
        if step.workspace.spec is None:
            await self._end(step, NO_RESTART)
            return
        fresh = another(self._ids, line.provider, step.workspace)
        made = endings.audit(wish, "workspace.renew", "accepted")
        await self._store.renew(wish.id, step.claim, fresh, [made])

    async def _lost(self, step: WishStep, lost: Lost) -> None:
        """End what can't go on: cancelled, or of unknown outcome where something was sent."""
        wish = step.wish
        is_known = lost.cause == "unlinked" or not wish.has_called
        outcome = Outcome.CANCELLED if is_known else Outcome.UNKNOWN
        await self._store.save_step(endings.ended(wish, outcome, lost.cause, step.claim))

    async def _end(self, step: WishStep, decided: Plan) -> None:
        assert isinstance(decided.outcome, Outcome), "a plan that ends says how"
        wish, workspace, cause = step.wish, step.workspace, decided.cause
        if cause == "provider_failed" and workspace.detail:
            cause = f"{cause}: {workspace.detail[: problems.MESSAGE_LIMIT]}"
        is_removed = wish.verb is WishVerb.REMOVE and decided.outcome is Outcome.FULFILLED
        hides = is_removed or _is_never_made(step) or decided.outcome is Outcome.UNKNOWN
        await self._store.save_step(endings.ended(wish, decided.outcome, cause, step.claim, hides=hides))

    async def _may_go_on(self, step: WishStep) -> bool:
        """Ask the policy about who wishes it."""
        wish = step.wish
        target = Target("workspace", step.workspace.id, step.workspace.principal)
        decision = await self._preconditions.may(wish, step.person, wish.verb, target)
        if isinstance(decision, Hold):
            await self._held(step, decision)
            return False
        if not decision.allowed:
            ended = endings.ended(
                wish, Outcome.REFUSED, decision.rule, step.claim, hides=_is_never_made(step)
            )
            await self._store.save_step(ended)
        return decision.allowed

    async def _read(self, step: WishStep, line: Line, cause: str | None) -> None:
        """Ask for a read, and look again when one was recorded; after a while in any case."""
        wait = max(line.pace.min_poll_interval + 2 * self._numbers.margin, line.health.pause, 2.0)
        hold = line.health.hold or _said(step, line, cause) or None
        # In one transaction, so that whatever the read finds wakes this wish.
        await self._later(step, wait, waits_for="read", wants_read=True, hold=hold)

    async def _call(self, step: WishStep, line: Line, operation: Operation) -> None:
        wish = step.wish
        if (closed := self._preconditions.closed(line)) is not None:
            await self._held(step, closed)
        elif operation in UP and (turn := line.turns.wait(wish)) > 0:
            await self._later(step, turn)
        elif not line.slots.take_for(wish.principal.key, PERSONS_SHARE):
            if operation in UP:
                line.turns.missed(wish, 1.0)
            await self._later(step, 1.0)
        else:
            try:
                if operation is Operation.FIND:
                    update = await self._creations.find(step, line)
                else:
                    update = await self._calls.make(step, line, operation)
            finally:
                line.slots.give_from(wish.principal.key)
            if update is not None:
                # However often it is called, and for how long it is to wait: it is told at the deadline.
                await self._store.save_step(self._told(wish, update, await self._store.now()))

    async def _wait(self, step: WishStep, line: Line, cause: str | None) -> None:
        wish, state = step.wish, step.workspace.state
        hold = line.health.hold or _said(step, line, cause)
        fields: dict[str, Any] = {}
        # What was called without an answer is on its way, so it was taken.
        if state is State.STARTING and wish.start_call in (Call.CALLING, Call.UNKNOWN):
            fields.update(start_call=Call.ACCEPTED, attempts=0)
        if state is State.STOPPING and wish.stop_call in (Call.CALLING, Call.UNKNOWN):
            fields.update(stop_call=Call.ACCEPTED, attempts=0)
        next_in = await self._next_look()
        if wish.verb.brings_down:
            hold, next_in = await self._force_offered(step, line, hold, next_in)
        else:
            progress = await self._progress(step, line)
            if progress > wish.progress_floor:
                grown = progress // BAR_STEP > wish.progress_floor // BAR_STEP
                fields.update(progress_floor=progress, card_dirty=grown)
        await self._later(step, next_in, waits_for="change", hold=hold, **fields)

    async def _progress(self, step: WishStep, line: Line) -> int:
        """Return where the bar stands, from no more than it takes: there may be thousands."""
        wish, workspace = step.wish, step.workspace
        tells = workspace.state is State.STARTING and workspace.progress is not None
        usual = None if tells else await self._store.usual_seconds(workspace.id)
        now = await self._store.now()
        facts = Facts(now, line.name, line.title, wish=wish, workspace=workspace, usual_seconds=usual)
        return progress_of(facts)

    async def _force_offered(
        self, step: WishStep, line: Line, hold: str, next_in: float
    ) -> tuple[str, float]:
        """Say of a stop that shows nothing for a minute that it can be forced, where it can."""
        wish, actions = step.wish, step.workspace.actions
        if "force" not in line.provider.stop_modes or not (actions is None or "force" in actions):
            return hold, next_in
        now = await self._store.now()
        if is_unanswered(wish, now):
            return hold or holds.UNANSWERED, next_in
        return hold, min(next_in, max(wish.created_at + UNANSWERED_SECONDS - now, 1.0))

    async def _next_look(self) -> float:
        """Return the seconds until a waiting wish is looked at for its bar: a few a second, in turn."""
        now = await self._store.now()
        at = max(now + self._numbers.tick, self._last_look + 1.0 / self._numbers.looks_per_second)
        self._last_look = min(at, now + self._numbers.slow_tick)
        return self._last_look - now

    async def _held(self, step: WishStep, held: Hold) -> None:
        await self._later(step, held.seconds, hold=held.said)

    async def _later(self, step: WishStep, next_in: float, *, hold: str | None = None, **fields: Any) -> None:
        """Write that the wish goes on later; at its deadline its person is told, once for each deadline."""
        wish = step.wish
        now = await self._store.now()
        if hold is not None and hold != (wish.hold or ""):
            fields["card_dirty"] = True
        elif hold is not None:
            hold = None
        update = Update(wish.id, next_in, hold=hold, claim=step.claim, **fields)
        await self._store.save_step(self._told(wish, update, now))

    @staticmethod
    def _told(wish: Wish, update: Update, now: float) -> Update:
        waiting = endings.notice(wish, NoticeKind.WAITING, str(wish.deadline_number))
        return told_late(wish, update, now, waiting)


def _said(step: WishStep, line: Line, cause: str | None) -> str:
    """Say what the plan waits for, where that is worth a sentence."""
    match cause:
        case "still_down":
            return holds.still_down(line.title, step.wish.called_at or 0.0)
        case "stopping_first":
            return holds.STOPPING_FIRST
        case "start_sent":
            return holds.START_SENT
        case _:
            return ""


def _is_never_made(step: WishStep) -> bool:
    """Say whether a wish ends about a workspace that certainly was not made, so that no list shows it."""
    wish = step.wish
    is_about_it = wish.verb is WishVerb.CREATE or wish.verb.brings_down
    return step.workspace.is_provisional and is_about_it and wish.start_call is Call.NONE
