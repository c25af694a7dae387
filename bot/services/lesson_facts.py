"""Facts about classes and courses, for messages about them and about workspaces."""

from collections.abc import Sequence
from dataclasses import replace

from bot.domain.courses import ClassCard
from bot.domain.message_context import ClassFacts, Facts, WorkspaceFacts
from bot.domain.notices import Card, NoticeKind
from bot.domain.people import Principal
from bot.services.message_context import (
    Gatherer,
    Message,
    kind_extensions,
)
from bot.store import accounts, cards, operations, workspaces
from bot.store import courses as courses_store


async def load_courses(
    gatherer: Gatherer, reader: Principal, own: Sequence[tuple[ClassCard, bool]]
) -> list[ClassFacts]:
    """Load the facts about courses, with up-to-date counts for teachers."""
    every, found = await gatherer.store.read(courses_store.list_memberships, reader), []
    joined = {one.card_id: one.workspace_id or "" for one in every}
    pending = await gatherer.store.read(courses_store.list_pending_courses, reader)
    zone = await gatherer.store.known_zone(reader)
    for card, is_teacher in own:
        facts = replace(await gatherer.describe_class(card, reader, zone=zone), is_teacher=is_teacher)
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
    """Add the reader's account and enrollment, which still lacks a link or workspace, to a course's facts."""
    account = await gatherer.store.read(accounts.find_account, reader, facts.connection)
    common = gatherer.describe_common(facts.now, facts.zone, facts.connection, account)
    pending = await gatherer.store.read(courses_store.find_member, facts.card.id, reader)
    return replace(facts, **common, pending=pending)


@kind_extensions(*(kind for kind in NoticeKind if kind.subject == "class"))
async def _add_class(gatherer: Gatherer, message: Message, facts: Facts) -> Facts:
    store, kind = gatherer.store, message.kind
    card = await store.read(courses_store.find_card, message.subject)
    if card is None:
        return facts
    zone = None if kind is NoticeKind.CLASS_CARD else facts.zone
    of = await gatherer.describe_class(card, message.principal, message.body, zone=zone)
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
    """Add the class that stops the workspace to a message's facts, and whether a stop is already open."""
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
    """Add the class that stops the workspace, if there is one, to a message's facts."""
    if card is None or not isinstance(facts, WorkspaceFacts):
        return facts
    of = await gatherer.describe_class(card, message.principal, message.body, zone=facts.zone)
    return replace(facts, stopping_class=of)
