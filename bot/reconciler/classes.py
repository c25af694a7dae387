"""Classes: counts for the card, the warning to owners, the stops they consented to, and the summary.

Driven by due rows: work interrupted by a crash becomes due again, and doing it twice does no harm.
"""

import math

from bot.domain import operations, stops, workspaces
from bot.domain.audit import AuditEntry
from bot.domain.classes import (
    CLASS_WARNING_SECONDS,
    LEAST_CLASS_WARNING_SECONDS,
    ClassCard,
    ClassCounts,
    Participant,
)
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.people import Principal
from bot.domain.policy import Target, decide
from bot.reconciler.ask import EngineContext, EnginePart
from bot.services.gather import class_effects
from bot.services.timers import unwarned
from bot.support.pool import Pool, contained

#: The least seconds between two redraws of a card; an idle card is redrawn less and less often.
REST = 3.0
LONGEST = 60.0
#: The least seconds between two queries for due rows: every wake-up of the loop comes by here.
LOOKS_EVERY = 0.5
#: How many cards are handled at once, and how many people per transaction.
CARDS = 20
SOME = 50
#: The deadline of a stop at the end of a class; the same as for one that a person asks for.
STOP_SECONDS = 1800.0
#: How long the summary waits for the stops to finish.
SUMMARY_SECONDS = 900.0


class Classes(EnginePart):
    """Process class cards that are due."""

    def __init__(self, engine: EngineContext) -> None:
        super().__init__(engine)
        self._looks_at = 0.0

    async def step(self, _pool: Pool | None = None) -> int:
        """Process the due cards; return how many there were."""
        now = self._clock.monotonic()
        if now < self._looks_at:
            return 0
        self._looks_at = now + LOOKS_EVERY
        cards = await self._store.claim_class_cards(CARDS, REST)
        for card in cards:
            async with contained("class", self._ids, card=card.id):
                await self._one(card)
        return len(cards)

    async def _one(self, card: ClassCard) -> None:
        now = await self._store.now()
        ends = card.stops_at is not None and now >= card.stops_at
        if card.stops_at is not None and now >= card.stops_at - CLASS_WARNING_SECONDS:
            # Everybody who consented is warned, once, and may keep their workspace.
            while found := await self._store.presses_to_warn(card.id, SOME):
                warnings = [(press.principal, await self._warning(card, press, now)) for press in found]
                await self._store.class_warned(card.id, warnings)
        if ends:
            # What ends for good waits for its warning as long as that takes.
            waits = math.inf if self._agreed(card) else self._context.unwarned_seconds
            least = LEAST_CLASS_WARNING_SECONDS
            while found := await self._store.presses_to_stop(card.id, SOME, least, waits):
                for press in found:
                    await self._stop(card, press)
        counts = await self._store.class_counts(card.id)
        await self._store.class_counted(card.id, counts, rest=REST, longest=LONGEST)
        late = card.stops_at is not None and now >= card.stops_at + SUMMARY_SECONDS
        # A finished card is never checked again, so wait until everybody has had their five minutes,
        # however late it is.
        if ends and not counts.left and (late or not counts.stopping):
            await self._finish(card, counts)

    def _agreed(self, card: ClassCard) -> stops.Consent:
        """Return what pressing the card agreed to: that its end may end workspaces for good, or not."""
        runtime = self._runtimes.get(card.connection)
        ends = stops.ends_by_consent(
            class_effects(runtime.provider if runtime is not None else None, card), is_any=card.spec is None
        )
        return stops.Consent(ends)

    async def _warning(self, card: ClassCard, press: Participant, now: float) -> NewNotice | None:
        workspace = await self._theirs(press)
        if workspace is None or workspace.state is workspaces.State.GONE:
            return None
        body = {"connection": workspace.connection, "workspace": workspace.id, "stops_at": card.stops_at}
        # They are warned again of another consent, and after an absence.
        occasion = f"ends:{press.principal.key}:{now:.3f}"
        return NewNotice(card.id, NoticeKind.CLASS_ENDING, occasion, press.principal, body)

    async def _stop(self, card: ClassCard, press: Participant) -> None:
        """Write a stop of a workspace whose owner consented, as the owner's own operation."""
        actor = Principal.from_key(card.stopped_by) if card.stopped_by else card.principal
        workspace = await self._theirs(press)
        if workspace is None or not await self._may_stop(card, press, actor):
            await self._store.stop_for_class(press)
            return
        entry = AuditEntry(
            actor=actor.key,
            action="class.stop",
            target=f"{workspace.connection}/{workspace.remote_id}",
            result="accepted",
            detail={
                "card": card.id,
                "workspace": workspace.id,
                "owner": press.principal.key,
                "rule": "policy.consent",
                "because": "stop_all" if card.stopped_by else "until",
            },
        )
        runtime = self._runtimes.get(workspace.connection)
        effects = runtime.provider.stops(workspace) if runtime is not None else stops.NO_EFFECTS
        mode = stops.gentlest_mode(effects)
        is_final = stops.is_final(effects, mode)
        await self._store.stop_for_class(
            press,
            operations.OperationVerb(mode),
            STOP_SECONDS,
            card.reference,
            agreed=self._agreed(card),
            audit=[entry],
            is_final=is_final,
            unwarned=unwarned(self._installation, workspace, card.id, is_kept=not is_final),
        )

    async def _may_stop(self, card: ClassCard, press: Participant, actor: Principal) -> bool:
        """Ask the policy for the one exception: a recorded consent that names who may stop it.

        A stop that the card announced for a fixed time happens whatever has become of its trainer by then.
        """
        person = await self._store.person(actor) if card.stopped_by else None
        target = Target("consent", press.workspace_id or "", press.principal, consented_to=card.principal)
        decision = decide(actor, "class_stop", target, self._installation, person)
        if not decision.allowed:
            entry = AuditEntry(actor.key, "class.stop", card.id, "refused", {"rule": decision.rule})
            await self._store.append_audit([entry])
        return decision.allowed

    async def _theirs(self, press: Participant) -> workspaces.Workspace | None:
        workspace = await self._store.workspace(press.workspace_id) if press.workspace_id else None
        is_theirs = workspace is not None and workspace.principal == press.principal
        return workspace if is_theirs else None

    async def _finish(self, card: ClassCard, counts: ClassCounts) -> None:
        body = {"connection": card.connection}
        to = {card.principal.key: card.principal}
        if card.stopped_by:
            to[card.stopped_by] = Principal.from_key(card.stopped_by)
        notices = [
            NewNotice(card.id, NoticeKind.CLASS_OVER, f"summary:{key}", principal, body)
            for key, principal in to.items()
        ]
        entry = AuditEntry(
            actor=card.stopped_by or card.principal.key,
            action="class.over",
            target=f"{card.connection}/{card.title}",
            result="ok",
            detail={"card": card.id, "stopped": counts.stopped, "kept": counts.kept},
        )
        await self._store.finish_class(card.id, notices, [entry])
