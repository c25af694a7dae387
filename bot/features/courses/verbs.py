"""Changes of posted courses: members' buttons, and the words of their teachers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import Final, TypeVar

from bot.domain.notices import Answer
from bot.domain.people import Principal
from bot.features.courses import changes as cases
from bot.features.courses import messages as drawn
from bot.features.courses import orders, use_cases
from bot.features.courses import page_messages as rooms
from bot.features.courses import store as class_rows
from bot.features.courses import texts as words
from bot.features.courses import timetable as courses_timetable
from bot.features.courses.message_context import load_courses
from bot.features.courses.model import ClassCard, CourseRule
from bot.features.hours import messages as hours_drawn
from bot.features.hours.model import group_days
from bot.messages.blocks import kit, replies
from bot.messages.blocks.button_values import ButtonValue
from bot.messages.blocks.kit import Element, Markup, fill
from bot.messages.texts.times import format_count, format_date, format_dates, format_weekday, join_names
from bot.messages.verb import Action, declare_actions
from bot.store import workspaces as workspace_rows
from bot.support.errors import Refused
from handlers import routes
from handlers.request import Answered, Request

#: What a button says of a day, or of the time after which a lesson is meant.
_DAY_PATTERN: Final = re.compile(r"\d{4}-\d\d-\d\d|\d{0,11}")
_LESSONS_RESTORED: Final = (
    "The lessons of *{name}* are as they were before. Anyone I've told otherwise will hear from me."
)
declare_actions(
    Action(
        "class.post",
        did="post the card *{name}*",
        instead="Press *Show problems* on the card, then *Stop all*, to end the class.",
    ),
    Action("class.join", did="start your workspace for *{name}*"),
    Action("class.keep", did="keep your workspace of *{name}*"),
    Action("class.leave", did="leave the course *{name}*"),
    Action("class.skip", did="skip a lesson of *{name}*", restored="I won't skip that lesson of *{name}*."),
    Action("class.unskip", did="skip no lesson of *{name}*", restored="I'll skip *{name}* as before."),
    *(
        Action(f"class.{change}", did="change the lessons of *{name}*", restored=_LESSONS_RESTORED)
        for change in ("cancel_lesson", "restore_lesson", "move", "shift", "hours")
    ),
    Action(
        "class.teachers",
        did="change who teaches *{name}*",
        restored="The co-teachers of *{name}* are the same as before.",
    ),
    Action("class.end", did="end the course *{name}*", restored=_LESSONS_RESTORED),
    Action(
        "class.stop_all",
        did="end the class *{name}*",
        instead="Everyone can still keep theirs with the button in their message.",
    ),
)


#: What everybody does for themselves.
_OWN_VERBS: Final = frozenset({"skip", "join", "leave"})
#: What a button carries that changes a course: its card, the day on which somebody typed, and the words.
_BUTTON_VALUE_PATTERN: Final = re.compile(r"(\S+) (\d{4}-\d\d-\d\d) (.+)")
#: For how long a course that has ended is still known by its title.
_ENDED_COURSE_SECONDS: Final = 30 * 86_400.0
Result = TypeVar("Result")


async def find_own_courses(request: Request, text: str) -> list[tuple[ClassCard, bool, str]]:
    """Return one's own courses by the title that begins a text, whether one teaches each, and the rest.

    If the cards of some stand in this channel, these are meant.
    """
    found = _match_titles(await request.caller.read(cases.list_own_courses), text)
    return [one for one in found if one[0].channel_id == request.surface.channel_id] or found


def _match_titles(courses: Iterable[tuple[ClassCard, bool]], text: str) -> list[tuple[ClassCard, bool, str]]:
    """Return the courses by the title that begins a text, with blanks, hyphens or underscores in it."""
    found = []
    for card, is_teacher in courses:
        title = r"[\s_-]+".join(map(re.escape, re.split(r"[\s_-]+", card.title)))
        if begun := re.match(rf"{title}(?=\s|$)", text, re.IGNORECASE):
            found.append((card, is_teacher, text[begun.end() :].strip()))
    return found


async def change_by_words(request: Request, text: str) -> Answer | None:
    """Change the course by the title that begins a text, or ask for one; None if the words name none.

    That of others only if none is one's own: administrators may.
    """
    found = [one for one in await find_own_courses(request, text) if orders.ORDER_PATTERN.fullmatch(one[2])]
    found = found or [
        one for one in await _list_others(request, text) if orders.ORDER_PATTERN.fullmatch(one[2])
    ]
    # Who only joined can skip and leave.
    found = [one for one in found if one[1] or orders.get_verb(one[2]) in _OWN_VERBS] or found[:1]
    if len(found) > 1:
        return ask_which_course(request, words.WHICH_COURSE, [(card, rest) for card, _, rest in found])
    if not found:
        return None
    card, _, order_ = found[0]
    is_over = card.is_over(request.services.clock.now())
    return _answer_over(request, card) if is_over else await apply_order(request, card.id, order_)


async def _list_others(request: Request, text: str) -> list[tuple[ClassCard, bool, str]]:
    """Return the courses of others by the title that begins a text; if there is none, those that are over."""
    place, store = request.caller.context.installation, request.services.store
    ended = await store.read(
        class_rows.list_ended_courses, request.services.clock.now() - _ENDED_COURSE_SECONDS
    )
    for every in (await store.read(class_rows.list_courses), ended):
        others = [
            (one, place.administers(request.principal, one.principal))
            for one in every
            if place.are_together(request.principal, one.principal)
        ]
        if found := _match_titles(others, text):
            return found
    return []


def _answer_over(request: Request, card: ClassCard) -> Answer:
    """Answer with the time since a course is over."""
    since = min(one for one in (card.closed_at, card.stops_at, card.done_at) if one is not None)
    since_then = kit.moment(since, request.services.clock.now())
    return replies.hint(fill(words.ENDED_COURSE, course=card.title, since=since_then))


def ask_which_course(
    request: Request, sentence: str, found: Sequence[tuple[ClassCard, str]], more: Iterable[Element] = ()
) -> Answer:
    """Offer to change each of these courses as somebody typed."""
    blocks = [kit.section(sentence)]
    for number, (card, text) in enumerate(found):
        said = fill(words.ONE_COURSE, name=drawn.format_course_name(card), channel=Markup(card.channel_id))
        typed = f"{card.id} {card.day(request.services.clock.now())} {text}"
        blocks += kit.row(
            said,
            [kit.button(drawn.format_course_name(card), ButtonValue("course_change", typed, number=number))],
        )
    return kit.answer([*blocks, *kit.actions(more)])


@routes.action("course_change")
async def change_by_button(request: Request) -> Answer:
    """Change the course of a button by the words typed when it was rendered."""
    found = _BUTTON_VALUE_PATTERN.fullmatch(request.target or "")
    if found is None:
        return replies.hint(words.UNKNOWN_CARD)
    is_sure = request.press is not None and request.press.mark == "sure"
    typed_on = date.fromisoformat(found[2])
    return replace(await apply_order(request, found[1], found[3], typed_on, is_sure=is_sure), replaces=True)


async def apply_order(
    request: Request, card_id: str, text: str, typed_on: date | None = None, *, is_sure: bool = False
) -> Answer:
    """Change a course by the words after its title; for oneself alone, if one has only joined it.

    What takes much from its members is asked about first, unless that ``is_sure``. Raises Refused, Answered.
    """
    card, mine = (
        await request.caller.read(use_cases.find_visible_card, card_id),
        await request.caller.read(cases.list_own_courses),
    )
    has_joined = any(one.id == card.id and not is_teacher for one, is_teacher in mine)
    now, verb = request.services.clock.now(), orders.get_verb(text)
    if (answer := await _apply_own_order(request, card, text.casefold(), has_joined=has_joined)) is not None:
        return answer
    change = orders.parse_order(card, text, now, typed_on)
    if change is None:
        (facts,) = await load_courses(
            request.services.gatherer, request.principal, [(card, request.principal.key in card.teachers)]
        )
        said = replies.hint(request.fill(words.UNREAD_CHANGE, course=card.title))
        return kit.with_blocks(said, [*said.blocks, *rooms.render_course(facts)])
    if verb == "skip" and has_joined:
        return await _skip_days(request, card.id, ",".join(sorted(change[2]["off"] - card.off)))
    if change[0] == "teachers":
        await _check_change(request, card, text, change[2]["co_teachers"])
    if not is_sure:
        typed = f"{card.id} {typed_on or card.day(now)} {text}"
        question = await require_teacher(request, card.id, _confirm_change(request, card, change, typed))
        if question is not None:
            return question
    return await require_teacher(request, card.id, change_course(request, card, change))


async def _apply_own_order(
    request: Request, card: ClassCard, text: str, *, has_joined: bool
) -> Answer | None:
    """Join, leave, skip the next lesson or skip none any more, by an order in small letters.

    None for any other order. Raises Refused, Answered.
    """
    verb = orders.get_verb(text)
    if verb == "leave" and has_joined:
        return await _leave_course(request, card.id)
    if verb == "leave":
        raise Refused("course.not_joined", words.NOT_JOINED.format(course=card.title))
    if verb == "join" or (verb == "skip" and has_joined):
        (facts,) = await load_courses(request.services.gatherer, request.principal, [(card, False)])
        is_past_joining = has_joined or card.is_over(request.services.clock.now())
        if facts.pending is not None or (verb == "join" and is_past_joining):
            return rooms.answer_courses([facts])
        if verb == "join":
            return rooms.answer_join_offer(facts)
    if has_joined and text in {"resume", "on"}:
        return await _cancel_skips(request, card.id)
    return await _skip_next(request, card, has_joined=has_joined) if text == "skip" else None


async def find_co_teachers(request: Request, text: str) -> frozenset[str]:
    """Return the keys of the mentioned people, who may all teach; raises Refused, Answered."""
    keys = frozenset(replace(request.principal, user_id=one).key for one in orders.parse_mentions(text))
    await check_teachers(request, keys)
    return keys - {request.principal.key}


async def _check_change(request: Request, card: ClassCard, text: str, co_teachers: frozenset[str]) -> None:
    """Refuse a change of a course's teachers that takes no effect or isn't allowed; raises Answered."""
    keys = {replace(card.principal, user_id=one).key for one in orders.parse_mentions(text.partition(" ")[2])}
    if orders.get_verb(text) == "without" and not keys <= card.co_teachers:
        who = await format_people(request, keys)
        raise Answered(replies.hint(fill(words.NOT_TEACHER, who=who, course=card.title)))
    await check_teachers(request, co_teachers - card.co_teachers)


async def check_teachers(request: Request, keys: Iterable[str]) -> None:
    """Refuse a person unknown in Slack, or not allowed to use Usher; raises Answered."""
    every = [Principal.from_key(key) for key in sorted(keys)]
    decisions = await asyncio.gather(
        *(replace(request.caller, principal=one).decide("card") for one in every)
    )
    for one, decision in zip(every, decisions, strict=True):
        if not decision.allowed:
            rule = decision.rule.removeprefix("policy.")
            why = words.NO_TEACHER.get(rule) or words.WHY_CAUSE.get(rule, words.NOT_HERE)
            who = (await request.services.names.find_names(request.principal, one))[one.key]
            raise Answered(replies.hint(fill(words.BAD_TEACHER, who=kit.mention(who), why=why)))


async def format_people(request: Request, keys: Iterable[str]) -> Markup:
    """Format people by their keys."""
    people = await request.services.names.find_names(
        request.principal, *map(Principal.from_key, sorted(keys))
    )
    return Markup(join_names(kit.mention(one) for one in people.values()))


async def _confirm_change(
    request: Request, card: ClassCard, change: orders.Change, typed: str
) -> Answer | None:
    """Ask about a change that takes whole weekdays, or a large part of a course, from its members."""
    what, _, to = change
    days, lost = courses_timetable.find_lost_days(card, replace(card, **to), request.services.clock.now())
    first, last = (date.fromisoformat(one) for one in ([*lost[:1], *lost[-1:]] or [card.last_day] * 2))
    is_large = what == "end" or (last - first).days > courses_timetable.LARGE_DAYS
    of_whom = days or (card.days if is_large else frozenset())
    count = await request.caller.read(cases.count_affected, card.id, of_whom) if of_whom else 0
    if not count:
        return None
    asked = words.TAKES["days" if days else "end" if what == "end" else "lessons"]
    names = {
        "course": card.title,
        "days": drawn.format_weekdays(days),
        "people": format_count(count, "person", "people"),
    }
    sentence, yes, no = (fill(one, lessons=format_count(len(lost), "lesson"), **names) for one in asked)
    button = kit.button(yes, ButtonValue("course_change", typed, mark="sure"), style=kit.DANGER)
    return replies.answer(sentence, [button, kit.button(no, "leave")])


async def require_teacher(request: Request, card_id: str, done: Awaitable[Result]) -> Result:
    """Return the result of a card's teacher or an administrator; others raise Answered with its owner."""
    try:
        return await done
    except Refused as refusal:
        if refusal.rule != "policy.not_teacher":
            raise
        card = await request.caller.read(use_cases.find_visible_card, card_id)
        who = await format_people(request, [card.principal.key])
        said = fill(words.NOT_YOURS, who=who, end=drawn.get_words(card).end[2])
        raise Answered(replies.hint(said)) from None


async def change_course(request: Request, card: ClassCard, change: orders.Change) -> Answer:
    """Change a course for its teacher, and answer with the result."""
    what, said, to = change
    now = await request.caller.run(cases.change, card.id, what, said, to, card)
    if what == "teachers":
        return await _answer_teachers(request, now)
    news = drawn.format_change(now, what, said, request.services.clock.now())
    return replies.answer(fill(words.CHANGED_FOR_ALL, news=Markup(news)))


async def _answer_teachers(request: Request, card: ClassCard) -> Answer:
    who = await format_people(request, card.teachers)
    return replies.answer(fill(words.TEACHERS, who=who, course=card.title))


@routes.action("course_take_over")
async def take_over(request: Request) -> Answer:
    """Make an administrator the teacher of a course without one."""
    return await _answer_teachers(request, await request.caller.run(cases.take_over, request.target or ""))


@routes.action("lesson_skip")
async def skip(request: Request) -> Answer:
    """Skip one's next lesson, or that of a button."""
    card_id, _, day = (request.target or "").partition(" ")
    return await _skip_days(request, card_id, day if _DAY_PATTERN.fullmatch(day) else "")


async def _skip_next(request: Request, card: ClassCard, *, has_joined: bool) -> Answer:
    """Skip one's next lesson; ask its teacher whether it is to be skipped for all."""
    coming = courses_timetable.find_lesson_after(card, request.services.clock.now())
    if has_joined or coming is None:
        return await _skip_days(request, card.id, "")
    day = coming.local[:10]
    press = ButtonValue("course_change", f"{card.id} {card.day(request.services.clock.now())} skip {day}")
    button = kit.button(words.CANCEL_FOR_ALL.format(day=format_date(day)), press, style=kit.DANGER)
    said = fill(words.SKIP_FOR_ALL, course=card.title, day=format_weekday(day))
    await require_teacher(
        request, card.id, request.caller.read(use_cases.require_teacher, "class_change", card.id)
    )
    return replies.answer(said, [button])


@routes.action("lesson_unskip")
async def cancel_skips(request: Request) -> Answer:
    """Take back the days that one skips."""
    return await _cancel_skips(request, request.target or "")


async def _cancel_skips(request: Request, card_id: str) -> Answer:
    rule, days = await request.caller.run(cases.cancel_skips, card_id)
    if not days:
        return replies.hint(fill(words.NOTHING_SKIPPED, course=rule.course))
    spans = format_dates(group_days(replace(rule, off=rule.off.union(days)), days))
    return replies.answer(fill(words.NOT_SKIPPING, course=rule.course, days=spans))


async def _skip_days(request: Request, card_id: str, day: str) -> Answer:
    rule, days = await request.caller.run(cases.skip, card_id, day)
    card = await request.caller.read(use_cases.find_visible_card, card_id)
    on = courses_timetable.find_lesson_on(card, request.services.clock.now())
    workspace = await request.services.store.read(workspace_rows.find_workspace, rule.workspace_id)
    is_up = workspace is not None and (not workspace.is_down or workspace.stop_at is not None)
    begun = frozenset(days) & {on.local[:10] if on is not None and is_up else ""}
    every = {words.SKIPPING_ON: begun, words.SKIPPING: frozenset(days) - begun}
    sentences = [
        fill(template, course=rule.course, days=format_dates(group_days(rule, left_out)))
        for template, left_out in every.items()
        if left_out
    ]
    ending, buttons = await _format_run_end(request, rule, is_on=True) if begun else ([], [])
    return replies.answer(" ".join([*sentences, *ending]), buttons)


async def _format_run_end(
    request: Request, rule: CourseRule | None, *, is_on: bool
) -> tuple[list[str], list[Element]]:
    """Format the end of a member's workspace that a lesson, or joining it, has started."""
    services = request.services
    workspace = (
        None if rule is None else await services.store.read(workspace_rows.find_workspace, rule.workspace_id)
    )
    if workspace is None or not (
        is_on or {one.because for one in workspace.planned_stops.rows} & {"lesson", "look"}
    ):
        return [], []
    facts = await services.gatherer.describe_workspace(workspace)
    return hours_drawn.describe_run_end(facts, name=workspace.title)


@routes.action("course_leave")
async def leave(request: Request) -> Answer:
    """Leave a course."""
    return await _leave_course(request, request.target or "")


async def _leave_course(request: Request, card_id: str) -> Answer:
    card, rule = await request.caller.run(cases.leave, card_id)
    is_on = courses_timetable.find_lesson_on(card, request.services.clock.now()) is not None
    ending, buttons = await _format_run_end(request, rule, is_on=is_on)
    said = [fill(words.LEFT_COURSE, course=card.title), *(ending or [words.LEFT_NEXT])]
    return replies.answer(" ".join(said), buttons)


async def list_courses(request: Request) -> list[ClassCard]:
    """Return the courses that a person's words can name."""
    return [card for card, _ in await request.caller.read(cases.list_own_courses)]
