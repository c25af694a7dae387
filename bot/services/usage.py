"""Usage: when workspaces and jobs ran, for a person, a class or everyone, and the weekly message about it."""

from datetime import datetime
from typing import Final, NamedTuple

from bot.domain.courses import ClassCard
from bot.domain.message_context import WorkspaceFacts
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.people import Principal
from bot.domain.time_parsing.days import find_week
from bot.domain.usage import (
    MIN_PEOPLE,
    MONDAY_HOUR,
    GroupUsage,
    Known,
    Life,
    LifeKind,
    Span,
    SpanKind,
    UsageFacts,
    UsageRow,
    find_next_monday,
    group_class,
    sum_parts,
)
from bot.services.caller import Caller, concerns_caller
from bot.services.courses import require_teacher
from bot.services.message_context import Gatherer
from bot.services.scheduled_work import CLAIM_LEASE_SECONDS, ScheduledWork
from bot.store import courses as courses_store
from bot.store import people, usage, workspaces
from bot.store.notices import add_notices
from bot.store.tables import MONDAYS
from bot.store.transaction import Transaction
from bot.support.errors import Refused

MAX_CLAIMED: Final = 50


async def list_rows(gatherer: Gatherer, principal: Principal, facts: UsageFacts) -> list[UsageRow]:
    """Return the rows of a chart: what ran in its window, and what is planned for the rest of it."""
    window, until = facts.window, facts.window.until
    spans: dict[tuple[LifeKind, str], list[Span]] = {}
    for life in await gatherer.store.read(usage.read_lives_of_person, principal, window.since, window.until):
        spans.setdefault(life.line, []).extend(_list_spans(life))
    rows, names = dict[str, list[Span]](), dict[str, str]()
    for line in facts.usage.lines:
        key = line.workspace_id or line.key
        names[key], rows[key] = line.name, spans.get((line.kind, line.key), [])
    if facts.now < until:
        own = await gatherer.store.perform(workspaces.read_workspaces, principal)
        for one in await gatherer.describe_workspaces(principal, own):
            if one.workspace is not None and (planned := _list_planned(one, facts.now, until)):
                names.setdefault(one.workspace.id, one.workspace.title)
                rows.setdefault(one.workspace.id, []).extend(planned)
    return [UsageRow(names[key], tuple(spans)) for key, spans in rows.items()]


def _list_spans(life: Life) -> list[Span]:
    spans = [Span(life.runs_from, life.runs_until)]
    if life.ended is not None and life.ended.known is Known.UNKNOWN:
        spans.append(Span(life.ended.earliest, life.ended.latest, SpanKind.UNKNOWN))
    return spans


def _list_planned(facts: WorkspaceFacts, now: float, until: float) -> list[Span]:
    """Return when a workspace is planned to run: first until its next stop, then in its hours and lessons."""
    spans = list[Span]()
    if facts.is_up and facts.next_stop is not None:
        spans.append(Span(now, facts.next_stop, SpanKind.PLANNED))
    rules = [one for one in facts.rules if not one.paused]
    for timetable in (*rules, *facts.lessons):
        coming = timetable.between(now, until)
        spans += [Span(one.at, one.until, SpanKind.PLANNED) for one in coming if one.side == "start"]
    return spans


@concerns_caller
def send_picture(tx: Transaction, caller: Caller, svg: str, alt_text: str) -> None:
    """Send a chart to a person, once per request."""
    caller.check(tx, "usage")
    kind, body = NoticeKind.USAGE_PICTURE, {"svg": svg, "alt_text": alt_text}
    add_notices(tx, [NewNotice(caller.principal.key, kind, caller.interaction, caller.principal, body)])


# -- on Mondays ----------------------------------------------------------------------------------------------


@concerns_caller
def set_weekly(tx: Transaction, caller: Caller, *, is_on: bool) -> None:
    """Set whether a person receives the message about last week's usage every Monday."""
    caller.check(tx, "usage")
    principal = caller.principal
    if usage.is_weekly(tx, principal) is not is_on and caller.is_first_delivery(tx):
        MONDAYS.delete(tx, principal=principal)
        if is_on:
            due_at = find_next_monday(tx.now(), people.find_zone(tx, principal))
            MONDAYS.add(tx, principal=principal, due_at=due_at)
        caller.record(tx, "settings.save", principal.key, weekly="on" if is_on else "off")


class WeeklyRow(NamedTuple):
    """A person who is due to receive the message about last week's usage."""

    principal: Principal

    @property
    def id(self) -> str:
        """Return the person's key."""
        return self.principal.key


def send_week(tx: Transaction, caller: Caller, row: WeeklyRow) -> None:
    """Send a person the message about last week's usage, if anything ran and it is still Monday for them."""
    caller.check(tx, "usage")
    principal, now = row.principal, tx.now()
    zone = people.find_zone(tx, principal)
    local = datetime.fromtimestamp(now, zone)
    next_at = find_next_monday(now, zone)
    is_wanted = MONDAYS.count_changed(tx, {"principal": principal}, due_at=next_at)
    if not is_wanted or local.weekday() or local.hour < MONDAY_HOUR:
        return
    week = find_week(now, zone, ago=1)
    if usage.read_usage(tx, principal, week.since, week.until).lines:
        body = {"amid": (week.since + week.until) / 2}
        add_notices(tx, [NewNotice(principal.key, NoticeKind.WEEK, week.first.isoformat(), principal, body)])


def _skip(tx: Transaction, _caller: Caller, row: WeeklyRow, _refusal: Refused) -> None:
    """Skip this week's message if the person currently isn't allowed to use Usher."""
    zone = people.find_zone(tx, row.principal)
    MONDAYS.change(tx, {"principal": row.principal}, due_at=find_next_monday(tx.now(), zone))


WEEKLY_WORK: Final = ScheduledWork(
    name="weekly",
    claim=lambda tx, _: [*map(WeeklyRow, usage.claim_weekly(tx, MAX_CLAIMED, CLAIM_LEASE_SECONDS))],
    carry_out=send_week,
    refuse=_skip,
)


# -- of several people ---------------------------------------------------------------------------------------


def list_cards(tx: Transaction, caller: Caller) -> list[ClassCard]:
    """Return the class cards that a person teaches or administers, newest first."""
    caller.check(tx, "usage")
    reach = caller.context.installation.reach(caller.principal)
    found = courses_store.list_taught_cards(tx, caller.principal, reach)
    key, place = caller.principal.key, caller.context.installation
    return [one for one in found if key in one.teachers or place.administers(caller.principal, one.principal)]


def read_class(tx: Transaction, caller: Caller, card_id: str, since: float, until: float) -> GroupUsage:
    """Return how long a class's workspaces ran within a window, for its teachers and administrators.

    Only the time from when a person pressed the card's button until the end of the class counts. People who
    have left, or who are keeping the workspace, are left out. Individual hours are included only if the card
    says so before people press its button.
    """
    card = require_teacher(tx, caller, "class_usage", card_id)
    until = min(at for at in (card.stops_at, card.done_at, until) if at is not None)
    return group_class(usage.sum_class(tx, card.id, since, until), is_seen=card.shows_hours)


def read_team(tx: Transaction, caller: Caller, since: float, until: float) -> GroupUsage:
    """Return everybody's hours within a window, by connection, for administrators.

    Individuals are included only if the operator allows it. Otherwise, connections used by only a few people
    are left out.
    """
    caller.check(tx, "usage_team")
    reach, is_seen = caller.context.installation.reach(caller.principal) or "", caller.context.names_usage
    every = usage.sum_connections(tx, reach, since, until)
    shown = [one for one in every if is_seen or one[1] >= MIN_PEOPLE]
    if every and not shown:
        return GroupUsage(is_withheld=True)
    return GroupUsage(
        usage.count_people(tx, reach, since, until, [name for name, _, _ in shown]),
        sum_parts(one for _, _, one in shown),
        tuple(shown),
        tuple(usage.sum_people(tx, reach, since, until)) if is_seen else (),
        leaves_out=len(shown) < len(every),
    )
