"""Answers about what ran, for how long and at what cost, and the message sent every Monday."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from bot.domain.message_context import WorkspaceFacts
from bot.domain.notices import Answer, NoticeKind
from bot.domain.people import People
from bot.domain.time_parsing.days import RETENTION_DAYS, Window, WindowProblem
from bot.domain.usage import MIN_PEOPLE, GroupUsage, Idle, Sum, UsageFacts, UsageLine
from bot.messages.blocks import kit
from bot.messages.blocks.assistant import format_time, write_text
from bot.messages.blocks.buttons import list_hours_button, stop_button
from bot.messages.blocks.kit import Block, Element, Markup, fill, line
from bot.messages.blocks.renderers import renders
from bot.messages.texts import times
from bot.messages.texts import usage as words

#: Maximum number of workspaces and jobs that are listed, one on each line. A last line sums up the rest.
MAX_LINES: Final = 12
#: Maximum number of usage limits shown per connection.
MAX_ALLOWANCES: Final = 5
MAX_PEOPLE: Final = 30
#: Maximum number of workspaces with buttons in the Monday message.
MAX_RUNNING: Final = 5
_CENT: Final = Decimal("0.01")
_WHOLE_HOURS: Final = 100
_MINUTES: Final = 60


# -- figures -------------------------------------------------------------------------------------------------


def format_hours(hours: float) -> Markup:
    """Format hours: ``25 min``, ``2 h 5 min``, ``128 h``."""
    minutes = round(hours * _MINUTES)
    if not minutes:
        return Markup("under a minute" if hours > 0 else "0 min")
    if hours >= _WHOLE_HOURS:
        return Markup(f"{round(hours):,} h")
    whole, rest = divmod(minutes, _MINUTES)
    return Markup(" ".join([*([f"{whole} h"] if whole else []), *([f"{rest} min"] if rest else [])]))


def format_money(total: Sum) -> Markup:
    """Format the cost in a total, listing each currency and any hours without a price."""
    amounts = [_format_amount(amount, currency) for currency, amount in sorted(total.money.items())]
    if not amounts:
        return Markup("no price")
    money = Markup(times.join_names(amounts))
    if total.unpriced * _MINUTES < 1:
        return money
    return Markup(fill(words.PART_PRICED, money=money, hours=format_hours(total.unpriced)))


def _format_amount(amount: Decimal, currency: str) -> str:
    rounded = amount.quantize(_CENT, ROUND_HALF_UP)
    if amount and not rounded:
        return fill("under 0.01 {currency}", currency=currency)
    return f"{rounded:,} {line(currency)}"


def format_window(window: Window, today: date) -> Markup:
    """Format a period with its name and days: ``*This week* · Mon 23 Nov – Sun 29 Nov``."""
    days = times.format_weekday(window.first.isoformat(), today)
    if window.last != window.first:
        days = words.DAYS.format(first=days, last=times.format_weekday(window.last.isoformat(), today))
    name = f"{window.name[:1].upper()}{window.name[1:]}"
    return Markup(f"*{name}* · {days}" if name else f"*{days}*")


# -- one's own -----------------------------------------------------------------------------------------------


def answer_usage(facts: UsageFacts, command: Markup, *, has_picture_elsewhere: bool) -> Answer:
    """Answer with one person's usage. If nothing ran, suggest what to type.

    ``has_picture_elsewhere`` means that a chart will arrive in a direct message, not directly below this
    answer.
    """
    if not facts.usage.lines:
        said = kit.join(
            [_format_window(facts), words.NOTHING, fill(words.NOTHING_NEXT, command=command)], "\n"
        )
        left = [kit.section(kit.join(lines, "\n"))] if (lines := _format_left(facts)) else []
        small = _render_what_is_kept(facts.window, facts.now)
        return kit.answer([kit.section(said), *left, *small, *kit.actions(_list_other_buttons(facts))])
    picture = [kit.context(words.PICTURE_COMES)] if has_picture_elsewhere else []
    return kit.answer([*_render(facts), *picture, *kit.actions(_list_other_buttons(facts))])


def _render_what_is_kept(window: Window, now: float) -> list[Block]:
    today = datetime.fromtimestamp(now, UTC).date()
    first = today - timedelta(days=RETENTION_DAYS)
    if window.first >= first:
        return []
    day = Markup(times.format_weekday(first.isoformat(), today))
    return [kit.context(fill(words.PARTLY_OLD, days=str(RETENTION_DAYS), day=day))]


def explain_window(problem: WindowProblem, given: str, command: Markup) -> str:
    """Explain what is wrong with a typed period."""
    why = {
        "unreadable": (
            "I can't read `{given}` as a time. Type `{command}usage last week`, `{command}usage September`, "
            "`{command}usage since Monday` or `{command}usage 2026-11-03`."
        ),
        "clock": words.WINDOW_CLOCK,
        "future": "`{given}` hasn't begun yet. Nothing can have run in it.",
        "backwards": "`{given}` ends before it begins. Type the first day before the last.",
        "old": "I only keep what ran for {days} days, so I have nothing of `{given}` any more.",
    }
    return fill(why[problem], given=given, command=command, days=str(RETENTION_DAYS))


def _format_window(facts: UsageFacts) -> Markup:
    return format_window(facts.window, datetime.fromtimestamp(facts.now, facts.zone or UTC).date())


def _render(facts: UsageFacts) -> list[Block]:
    usage = facts.usage
    head: list[str] = [_format_window(facts)]
    if len(usage.lines) > 1:
        head.append(
            fill(words.TOTAL, hours=format_hours(usage.total.hours.best), money=format_money(usage.total))
        )
    # If nothing has a price, mention that only once, below the total.
    has_price = bool(usage.total.money) or len(usage.lines) == 1
    lines = [_format_line(facts, one, has_price=has_price) for one in usage.lines[:MAX_LINES]]
    if rest := usage.lines[MAX_LINES:]:
        hours = sum(one.sum.hours.best for one in rest)
        lines.append(fill(words.AND_MORE, count=str(len(rest)), hours=format_hours(hours)))
    blocks = [kit.section(kit.join(head, "\n")), kit.section(kit.join(lines, "\n"))]
    if usage.idle is not None:
        still = next((one for one in facts.running if _is_idle(facts, one)), None)
        blocks += kit.row(_format_idle(facts, usage.idle), [] if still is None else list_end_buttons(still))
    if left := _format_left(facts):
        blocks.append(kit.section(kit.join(left, "\n")))
    old = _render_what_is_kept(facts.window, facts.now)
    return [*blocks, *_render_small_print(usage.lines), *old]


def _format_left(facts: UsageFacts) -> list[str]:
    said = []
    for connection, found in sorted(facts.left.items()):
        for one in found[:MAX_ALLOWANCES]:
            named = {"left": _format_number(one.left), "unit": one.unit, "name": one.name}
            named |= {"title": facts.titles.get(connection, connection)}
            template = words.LEFT_NAMED if one.name else "Left on {title}: {left}{of} {unit}."
            of = "" if one.limit is None else f" of {_format_number(one.limit)}"
            said.append(fill(template, of=Markup(of), **named))
    return said


def _format_number(number: float) -> Markup:
    return Markup(f"{number:,.1f}".removesuffix(".0"))


def _format_line(facts: UsageFacts, one: UsageLine, *, has_price: bool) -> str:
    hours = format_hours(one.sum.hours.best)
    if one.is_least:
        hours = Markup(f"at least {hours}")
    elif one.spread * _MINUTES >= 1:
        hours = Markup(f"{hours}, give or take {format_hours(one.spread)}")
    is_several = one.kind == "run" and one.sum.lives > 1
    said = fill(
        "*{name}* on {title}, {runs}: {hours}" if is_several else "*{name}* on {title}: {hours}",
        name=one.name,
        title=facts.titles.get(one.connection, one.connection),
        runs=times.format_count(one.sum.lives, "run"),
        hours=Markup(f"{hours} · {format_money(one.sum)}") if has_price else hours,
    )
    if one.unknown_from is not None:
        at = kit.moment(one.unknown_from, facts.now, facts.zone)
        return fill("{line} · unknown after {at}", line=Markup(said), at=at)
    return fill(words.RUNNING, line=Markup(said)) if one.is_open else said


def _format_idle(facts: UsageFacts, idle: Idle) -> str:
    past, present = words.UNUSED if idle.is_use_known else words.UNOPENED
    hours = format_hours(idle.seconds / 3600.0)
    if idle.is_open:
        return fill(present, name=idle.name, hours=hours)
    until = kit.moment(idle.until, facts.now, facts.zone)
    return fill(past, name=idle.name, hours=hours, until=until)


def _render_small_print(lines: Sequence[UsageLine]) -> list[Block]:
    why = {
        words.WHY_SPREAD: any(one.spread * _MINUTES >= 1 and not one.is_least for one in lines),
        "*At least*: it was already running when I first saw it.": any(one.is_least for one in lines),
        words.WHY_UNKNOWN: any(one.unknown_from is not None for one in lines),
    }
    said = [text for text, is_needed in why.items() if is_needed]
    return [kit.context(" ".join(said))] if said else []


def _list_other_buttons(facts: UsageFacts) -> list[Element]:
    past = [kit.button("Last week", "usage", "last week")] if facts.window.name == "this week" else []
    return [*past, weekly_button(is_on=facts.is_weekly)]


def weekly_button(*, is_on: bool) -> Element:
    """Return the button that turns the message sent on Mondays off or, if it is off, on."""
    return kit.button(*((words.NO_MONDAYS, "weekly_off") if is_on else ("Send it every Monday", "weekly_on")))


def week_button() -> Element:
    """Return the *Show my week* button."""
    return kit.button("Show my week", "usage", "this week")


def list_end_buttons(facts: WorkspaceFacts) -> list[Element]:
    """Return the *Stop* and *Hours…* buttons for a workspace that is still running."""
    if facts.workspace is None:
        return []
    stop = [stop_button(facts.workspace, facts.effects)] if facts.may("stop") else []
    buttons = [kit.without_colour(one) for one in (*stop, *list_hours_button(facts))]
    return kit.add_labels(buttons, facts.objects)


def _is_idle(facts: UsageFacts, one: WorkspaceFacts) -> bool:
    idle = facts.usage.idle
    return idle is not None and one.workspace is not None and idle.workspace_id == one.workspace.id


# -- of several people ---------------------------------------------------------------------------------------


def answer_group(
    name: str,
    window: Window,
    group: GroupUsage,
    titles: Mapping[str, str],
    people: People,
    now: float,
    why_no_names: str,
) -> Answer:
    """Answer with a class's or team's hours: the total, and the breakdowns that the reader may see."""
    days = format_window(window._replace(name=""), datetime.fromtimestamp(now, UTC).date())
    head = f"*{line(name)}* · {days.strip('*')}"
    if group.is_withheld:
        return kit.message(kit.join([head, fill(words.TOO_FEW, least=str(MIN_PEOPLE))], "\n"))
    if not group.people:
        return kit.message(kit.join([head, "Nothing ran."], "\n"))
    parts = [
        fill(
            words.ON_CONNECTION, title=titles.get(key, key), people=_format_people(count), **_format_sum(one)
        )
        for key, count, one in group.by_connection
    ]
    parts += ["Connections that fewer people used are left out."] if group.leaves_out else []
    persons = [
        fill("{who}: {hours} · {money}", who=kit.mention(people.get(key)), **_format_sum(one))
        for key, one in group.by_person[:MAX_PEOPLE]
    ]
    left = [one for _, one in group.by_person[MAX_PEOPLE:]]
    hours = format_hours(sum(one.hours.best for one in left))
    persons += [fill(words.AND_MORE, count=str(len(left)), hours=hours)] if left else []
    total = fill(words.OF_GROUP, people=_format_people(group.people), **_format_sum(group.total))
    blocks = [kit.section(kit.join([head, total], "\n"))]
    blocks += [kit.section(kit.join(some, "\n")) for some in (parts, persons) if some]
    small = [*([] if persons else [kit.context(why_no_names)]), *_render_what_is_kept(window, now)]
    return kit.answer([*blocks, *small])


def _format_people(count: int) -> Markup:
    return Markup(times.format_count(count, "person", "people"))


def _format_sum(one: Sum) -> dict[str, Markup]:
    return {"hours": format_hours(one.hours.best), "money": format_money(one)}


# -- on Mondays ----------------------------------------------------------------------------------------------


@renders(NoticeKind.WEEK, is_true=lambda facts: bool(facts.usage.lines))
def _render_week(facts: UsageFacts) -> Answer:
    blocks = _render(facts)
    for one in [one for one in facts.running if not _is_idle(facts, one)][:MAX_RUNNING]:
        if one.workspace is not None:
            still = fill(words.STILL_RUNNING, name=one.workspace.title, title=one.connection_title)
            blocks += kit.row(still, list_end_buttons(one))
    return kit.answer([*blocks, *kit.actions([weekly_button(is_on=True)])])


# -- for Slack's assistant ----------------------------------------------------------------------------------


def describe_usage(title: Callable[[str], str], facts: UsageFacts) -> dict[str, Any]:
    """Return all figures for a period: for each workspace and job, in total, and the longest idle time."""
    usage, idle = facts.usage, facts.usage.idle
    unused = (
        {}
        if idle is None
        else {
            "longest_unused": _describe_what(title, idle, "workspace")
            | {
                "hours": round(idle.seconds / 3600.0, 2),
                "since": format_time(idle.since),
                "until": format_time(idle.until),
                "means": "unused" if idle.is_use_known else "not opened from Usher",
            }
        }
    )
    return {
        "first_day": facts.window.first.isoformat(),
        "last_day": facts.window.last.isoformat(),
        **_describe_sum(usage.total),
        "of": [
            _describe_what(title, one, "job" if one.kind == "run" else "workspace")
            | _describe_sum(one.sum)
            | {"is_running": one.is_open, "is_at_least": one.is_least}
            | ({} if one.unknown_from is None else {"unknown_after": format_time(one.unknown_from)})
            for one in usage.lines
        ],
        **unused,
        "left": [
            {"on": write_text(title(connection)), "name": write_text(one.name), "unit": write_text(one.unit)}
            | {"left": one.left, "limit": one.limit}
            for connection, found in facts.left.items()
            for one in found
        ],
    }


def _describe_what(title: Callable[[str], str], one: UsageLine | Idle, kind: str) -> dict[str, Any]:
    return {"name": write_text(one.name), "on": write_text(title(one.connection)), "kind": kind}


def _describe_sum(one: Sum) -> dict[str, Any]:
    hours = one.hours
    return {
        "hours": round(hours.best, 2),
        "lowest_hours": round(hours.lowest, 2),
        "highest_hours": round(hours.highest, 2),
        "times": one.lives,
        "money": {write_text(currency): f"{amount:.2f}" for currency, amount in sorted(one.money.items())},
        "hours_without_price": round(one.unpriced, 2),
    }
