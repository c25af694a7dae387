"""Due lessons: starting the workspaces of a course's members and scheduling their stops.

Each start is an ordinary operation on a member's behalf. Shortly before a lesson,
``course_readiness.prepare`` marks the lesson as due in the rows of the course's members, a few rows per
transaction. The timetable itself is stored only in the course's row.
"""

from typing import Final

from bot.domain import timetable
from bot.domain.courses import ClassCard, Participant
from bot.domain.feasibility import PASSING_OBSTACLES
from bot.domain.hours import Occurrence
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.operations import Operation
from bot.services import hours as hours_use_cases
from bot.services import scheduled_work
from bot.services.caller import Caller
from bot.services.creation import check_offered
from bot.store import courses as store
from bot.store import gates, operations, timers
from bot.store.notices import add_notices, is_written
from bot.store.transaction import Row, Transaction
from bot.support.errors import NotLinked, Refused

_BATCH_SIZE: Final = 50
#: Delay, in seconds, before retrying the start of a member's workspace if the member has no linked account or
#: the provider refuses the account.
LINK_SECONDS: Final = 300.0


def carry_out(tx: Transaction, caller: Caller, claimed: Participant) -> None:
    """Begin the current lesson for a member, or raise Refused. If they missed the last lesson, tell them."""
    card = store.find_card(tx, claimed.card_id)
    member = store.find_participant(tx, claimed.card_id, claimed.principal)
    lesson = None if card is None else timetable.find_lesson_on(card, tx.now())
    if card is None or member is None or member.workspace_id is None:
        store.close_lesson(tx, claimed, None)
        return
    _tell_missed_lesson(tx, card, member)
    if lesson is None or member.lesson >= lesson.local:
        store.close_lesson(tx, member, None)
        return
    workspace = hours_use_cases.find_usable(tx, caller, "start", member.workspace_id)
    check_offered(caller.context.need(card.connection), card.spec, member.principal)
    latest, start = operations.find_latest_operation(tx, workspace.id), None
    result = hours_use_cases.decide(workspace, latest, lesson, tx.now())
    if result == "unread":
        gates.want(tx, workspace.id, by_itself=True)
        store.check_again(tx, member, scheduled_work.POLL_SECONDS)
        return
    if result == "started":
        start = hours_use_cases.start(tx, caller, f"lesson:{member.id}", lesson, workspace, latest)
    elif latest is not None and latest.is_open:
        operations.extend_start(tx, latest, lesson.latest_start)
    if start is not None:
        mode = hours_use_cases.get_mode(caller, workspace)
        timers.plan_stop(tx, workspace.id, timetable.plan_lesson_end(card, lesson.until, mode, start.id))
    store.begin_lesson(tx, member, lesson, start)
    if result != "by hand":
        notify_of_lesson(tx, card, member, lesson, start, is_missed=result == "missed")


def _tell_missed_lesson(tx: Transaction, card: ClassCard, member: Participant) -> None:
    last = timetable.find_last_lesson(card, tx.now())
    if last is not None and member.lesson < last.local and (member.consented_at or 0.0) < last.until:
        store.close_lesson(tx, member, last)
        notify_of_lesson(tx, card, member, last, None, is_missed=True)


def notify_of_lesson(
    tx: Transaction,
    card: ClassCard,
    member: Participant,
    lesson: Occurrence,
    start: Operation | None,
    *,
    is_missed: bool = False,
    cause: str = "",
) -> None:
    """When a lesson begins, tell a member that their workspace is ready, or that they missed the lesson.

    ``start`` is the operation that starts the workspace, or None if the workspace is already up. If the start
    was refused, ``cause`` says why, and the member is told immediately.
    """
    due_in = 0.0 if is_missed else max(lesson.at - tx.now(), 0.0)
    if due_in > 0.0 or is_missed:
        body: Row = {"workspace": member.workspace_id, "connection": card.connection, "is_missed": is_missed}
        body |= {"card": card.id, "course": card.title, "local": lesson.local, "ends": lesson.until}
        body |= {"cause": cause}
        subject = member.workspace_id or "" if start is None else start.id
        occasion = f"{card.id}:{lesson.local}"
        add_notices(tx, [NewNotice(subject, NoticeKind.LESSON, occasion, member.principal, body, due_in)])


def _refuse(tx: Transaction, _caller: Caller, claimed: Participant, refusal: Refused) -> None:
    """If a member's start was refused, try again as long as the obstacle may still disappear in time.

    Otherwise, skip the lesson and tell the member why, unless they were told the evening before.
    """
    card = store.find_card(tx, claimed.card_id)
    lesson = None if card is None else timetable.find_lesson_on(card, tx.now())
    if card is None or lesson is None:
        store.close_lesson(tx, claimed, None)
        return
    is_unlinked = isinstance(refusal, NotLinked)
    pause = LINK_SECONDS if is_unlinked else scheduled_work.RETRY_SECONDS
    is_passing = is_unlinked or refusal.cause in PASSING_OBSTACLES
    if is_passing and tx.now() + pause < lesson.latest_start:
        store.check_again(tx, claimed, pause)
        return
    store.close_lesson(tx, claimed, lesson)
    if not is_written(tx, card.id, NoticeKind.LESSON_NOT_READY, f"{lesson.local}:{claimed.principal.key}"):
        notify_of_lesson(tx, card, claimed, lesson, None, is_missed=True, cause=refusal.cause)


LESSON_WORK: Final = scheduled_work.ScheduledWork(
    name="lessons",
    claim=lambda tx, _: store.claim_lessons(tx, _BATCH_SIZE, scheduled_work.CLAIM_LEASE_SECONDS),
    carry_out=carry_out,
    refuse=_refuse,
)
