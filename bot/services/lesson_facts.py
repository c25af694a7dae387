"""The facts of classes and courses, for messages about them and about workspaces."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.courses import ClassCard
from bot.domain.message_context import ClassFacts, Facts, WorkspaceFacts
from bot.domain.notices import Card, NoticeKind
from bot.domain.people import Principal
from bot.domain.stops import NO_EFFECTS, StopEffects
from bot.domain.workspaces import State, Workspace
from bot.providers import base
from bot.services.message_context import (
    Gatherer,
    Message,
    kind_extensions,
    subject_describers,
)
from bot.store import accounts, cards, operations, workspaces
from bot.store import courses as courses_store


async def load_class(
    gatherer: Gatherer,
    card: ClassCard,
    reader: Principal,
    body: Mapping[str, Any] | None = None,
    *,
    zone: ZoneInfo | None = None,
) -> ClassFacts:
    """Load the facts for a class card: counts, the connection's title, the effects of the stop at its end.

    ``zone`` is the reader's time zone, None if several people read the card.
    """
    stopper = [Principal.from_key(card.stopped_by)] if card.stopped_by else []
    return ClassFacts(
        **gatherer.describe_common(await gatherer.store.now(), zone, card.connection, None, body),
        card=card,
        counts=await gatherer.store.read(courses_store.read_shown_counts, card.id),
        effects=predict_class_effects(gatherer.connections.get(card.connection), card),
        people=await gatherer.names.find_names(reader, card.principal, *stopper),
    )


async def load_courses(
    gatherer: Gatherer, reader: Principal, own: Sequence[tuple[ClassCard, bool]]
) -> list[ClassFacts]:
    """Load the facts for courses, with current counts for teachers."""
    every, found = await gatherer.store.read(courses_store.list_memberships, reader), []
    joined = {one.card_id: one.workspace_id or "" for one in every}
    pending = await gatherer.store.read(courses_store.list_pending_courses, reader)
    zone = await gatherer.store.known_zone(reader)
    for card, is_teacher in own:
        facts = replace(await load_class(gatherer, card, reader, zone=zone), is_teacher=is_teacher)
        if card.id in joined:
            mine = await gatherer.store.read(workspaces.find_workspace, joined[card.id])
            theirs = None if mine is None else await gatherer.describe_workspace(mine)
            facts = replace(facts, workspace=theirs)
        elif card.id in pending:
            facts = await _add_pending(gatherer, reader, facts)
        counts = (
            await gatherer.store.read(courses_store.count_members, card.id) if is_teacher else facts.counts
        )
        found.append(replace(facts, counts=counts))
    return found


async def _add_pending(gatherer: Gatherer, reader: Principal, facts: ClassFacts) -> ClassFacts:
    """Add the state of a person's enrollment that waits for a link or a workspace, and of their account."""
    account = await gatherer.store.read(accounts.find_account, reader, facts.connection)
    common = gatherer.describe_common(facts.now, facts.zone, facts.connection, account)
    pending = await gatherer.store.read(courses_store.find_member, facts.card.id, reader)
    return replace(facts, **common, pending=pending)


@subject_describers("class")
async def _load_card(gatherer: Gatherer, card_id: str) -> Facts | None:
    card = await gatherer.store.read(courses_store.find_card, card_id)
    # Its readers are in the Slack workspace of the person who posted it.
    return None if card is None else await load_class(gatherer, card, card.principal)


@kind_extensions(*(kind for kind in NoticeKind if kind.subject == "class"))
async def _add_class(gatherer: Gatherer, message: Message, facts: Facts) -> Facts:
    store, kind = gatherer.store, message.kind
    card = await store.read(courses_store.find_card, message.subject)
    if card is None:
        return facts
    zone = None if kind is NoticeKind.CLASS_CARD else facts.zone
    of = await load_class(gatherer, card, message.principal, message.body, zone=zone)
    if kind in (NoticeKind.LESSON_REPORT, NoticeKind.CLASS_OVER):
        of = replace(of, counts=await store.read(courses_store.count_members, card.id))
    if kind is NoticeKind.LESSON_REPORT:
        of = replace(of, problems=await store.read(courses_store.list_problems, card.id))
    if kind is NoticeKind.LESSON_NOT_READY:
        mine = await store.read(courses_store.find_member, card.id, message.principal)
        of = replace(of, **facts.common(), problems=[mine] if mine else [])
    if kind is NoticeKind.COURSE_LEFT:
        member = await store.read(courses_store.find_participant, card.id, message.principal)
        of = replace(of, is_superseded=member is not None)
    if kind is NoticeKind.CLASS_POSTED and isinstance(message, Card):
        posted = await store.read(cards.find_card, card.id)
        of = replace(of, is_superseded=posted is not None and posted.message_ts is not None)
    return replace(facts, stopping_class=of) if isinstance(facts, WorkspaceFacts) else of


@kind_extensions(NoticeKind.STOP_WARNING)
async def _add_class_of_timer(gatherer: Gatherer, message: Message, facts: Facts) -> Facts:
    """Add the class that stops a workspace, and whether the workspace is being stopped already."""
    workspace = facts.workspace if isinstance(facts, WorkspaceFacts) else None
    if workspace is None:
        return facts
    newest = await gatherer.store.read(operations.find_latest_operation, workspace.id)
    is_stopped = newest is not None and newest.is_open and newest.verb.brings_down
    of = await gatherer.store.read(courses_store.find_card, workspace.stop_card or "")
    return await _add_stopping_class(gatherer, message, replace(facts, is_superseded=is_stopped), of)


@kind_extensions(
    NoticeKind.CARD, NoticeKind.STOPPED, NoticeKind.SUSPENDED, NoticeKind.FAILED, NoticeKind.REFUSED
)
async def _add_class_of_stop(gatherer: Gatherer, message: Message, facts: Facts) -> Facts:
    operation = facts.operation if isinstance(facts, WorkspaceFacts) else None
    if operation is None or not operation.verb.brings_down:
        return facts
    return await _add_stopping_class(
        gatherer, message, facts, await gatherer.store.read(courses_store.find_class_of_stop, operation.id)
    )


async def _add_stopping_class(
    gatherer: Gatherer, message: Message, facts: Facts, card: ClassCard | None
) -> Facts:
    """Add the class that stops a workspace, if one does."""
    if card is None or not isinstance(facts, WorkspaceFacts):
        return facts
    of = await load_class(gatherer, card, message.principal, message.body, zone=facts.zone)
    return replace(facts, stopping_class=of)


def predict_class_effects(provider: base.Provider | None, card: ClassCard) -> StopEffects:
    """Return the effects of a stop on a card's workspaces, before any workspace is known."""
    if provider is None:
        return NO_EFFECTS
    typical = Workspace(
        id="",
        principal=card.principal,
        connection=card.connection,
        remote_id="",
        gate_key="",
        name=card.title,
        state=State.RUNNING,
        spec=card.spec,
    )
    return provider.stop_effects(typical)
