"""Changes of posted courses: members' buttons, and the words of their teachers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Final, TypeVar

from bot.domain import time_parsing
from bot.domain.notices import Answer
from bot.domain.people import Principal
from bot.domain.workspaces import Workspace
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
from bot.features.hours import store as hours_store
from bot.features.hours.model import group_days
from bot.messages.blocks import kit, lists, replies
from bot.messages.blocks.button_values import ButtonValue
from bot.messages.blocks.kit import Element, Markup, fill
from bot.messages.texts import talk
from bot.messages.texts.times import format_count, format_date, format_dates, format_weekday, join_names
from bot.messages.verb import Action, declare_actions
from bot.store import workspaces as workspace_rows
from bot.support.errors import Refused
from handlers import routes, suggestions
from handlers.command_line import Quoted, fold_word, join_words
from handlers.intents import Intent
from handlers.request import Answered, Manner, Request

#: What a button says of a day, or of the time after which a lesson is meant.
_DAY_PATTERN: Final = re.compile(r"\d{4}-\d\d-\d\d|\d{0,11}")
#: What is said of a course in a sentence: no Biology on Friday, move Friday's Biology to Monday.
_SENTENCE_PATTERN: Final = re.compile(
    r"(?:(?:please|can you|could you) )?(?P<verb>no|skip|cancel|pause|move|end|join|leave)"
    r"(?: (?P<day>\w+)['\u2019]s)? (?P<about>.+?)(?: please)?[.!?]?",
    re.IGNORECASE,
)
#: Who is to teach it, or isn't any more.
_TEACHERS_PATTERN: Final = re.compile(
    r"(?:(?:please|can you|could you) )?(?P<verb>add|remove) (?P<who>(?=\S*@).+?)"
    r"(?P<as> as (?:an? )?(?:co-?)?teachers?)? (?:to|from) (?P<about>.+?)(?: please)?[.!?]?",
    re.IGNORECASE,
)
#: Before and after a title; and the next lesson, in place of its day.
_ARTICLE_PATTERN: Final = re.compile(r"(?:the|my|our) ", re.IGNORECASE)
_NOUN_PATTERN: Final = re.compile(r"(?:course|class|lesson|session)\b\s*", re.IGNORECASE)
_PART_OF_TITLE_PATTERN: Final = re.compile(r"(\S+) (?:course|class)", re.IGNORECASE)
_NEXT_PATTERN: Final = re.compile(r"(?:the )?(?:next(?: one| time| lesson| class| session)?)?", re.IGNORECASE)
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


_VERB_SYNONYMS: Final = {"no": "skip", "cancel": "skip"}
_POLITE_WORDS: Final = frozenset({"please", "can", "could"})
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


async def read_change(request: Request) -> Intent | None:
    """Read ``no Statistics on Thursday``, ``end Statistics``, ``add @chen to Statistics``; else None.

    The words of such an intent are the change as it is typed after a title, and its courses are all that may
    be meant.
    """
    given = request.arguments
    if not given or isinstance(given[0], Quoted):
        return None
    is_question = given[-1].endswith("?") and fold_word(given[0]) not in _POLITE_WORDS
    intent = await _read_order(request, " ".join(given))
    return intent and replace(intent, is_question=is_question)


async def _read_order(request: Request, text: str) -> Intent | None:
    if (taught := _TEACHERS_PATTERN.fullmatch(text)) is not None:
        return await _read_teachers(request, taught)
    typed = _SENTENCE_PATTERN.fullmatch(text)
    if typed is None:
        return None
    about, verb = (
        _ARTICLE_PATTERN.sub("", typed["about"], count=1),
        _VERB_SYNONYMS.get(typed["verb"].casefold(), ""),
    )
    verb, day = verb or typed["verb"].casefold(), typed["day"] or ""
    found = await find_own_courses(request, about)
    if not found and verb == "join":
        others = await _list_others(request, about)
        return _as_intent("join", [card for card, _, rest in others if not rest])
    if not found and (part := await _read_part(request, verb, about)) is not None:
        return part
    if not found:
        said = f"{day} {_NOUN_PATTERN.sub('', about, count=1)}".strip()
        is_of_course = typed["verb"].casefold() in {"skip", "move"} or said != about
        if not is_of_course or verb not in {"skip", "move"}:
            return None
        return await _read_day(
            request, verb, said, is_lesson=said.casefold() != f"{day} {about}".strip().casefold()
        )
    found = [one for one in found if len(one[0].title) == max(len(card.title) for card, _, _ in found)]
    able = [one for one in found if one[1] or verb in _OWN_VERBS]
    every = [
        (card, order_)
        for card, _, rest in able
        if (
            order_ := _format_order(
                request, card, verb, f"{day} {_NOUN_PATTERN.sub('', rest, count=1)}".strip()
            )
        )
    ]
    # A title alone may be a workspace's name, too.
    is_alone = not any(" " in order_ for _, order_ in every)
    if (able and not every) or (is_alone and await is_workspace(request, found[0][0].title)):
        return None
    return _as_intent(every[0][1] if every else verb, [card for card, *_ in every or found])


def _as_intent(
    order_: str,
    courses: Sequence[ClassCard],
    manner: Manner = Manner.PARAPHRASED,
    workspaces: Sequence[Workspace] = (),
    *,
    is_near: bool = False,
) -> Intent | None:
    change = CourseChange(order_, tuple(courses), manner, tuple(workspaces), is_near)
    return (
        Intent(
            "verb",
            "card",
            partial(apply_change, said=change),
            tuple(order_.split()),
            manner,
            change.courses,
            tuple((one,) for one in workspaces),
            is_near=is_near,
        )
        if courses
        else None
    )


@dataclass(frozen=True, slots=True)
class CourseChange:
    """A change that a sentence asks for: the courses that may be meant, or the workspaces by whose hours."""

    order: str
    courses: tuple[ClassCard, ...]
    manner: Manner
    workspaces: tuple[Workspace, ...]
    is_near: bool


async def apply_change(request: Request, said: CourseChange) -> Answer:
    """Make the change that was read, or ask for its course; offer a change that isn't sure.

    A teacher changes it for all, and a member skips, leaves and joins for themselves.
    """
    order_, now = " ".join(said.order.split()), request.services.clock.now()
    verb, mine = orders.get_verb(order_), await request.caller.read(cases.list_own_courses)
    taught = {card.id for card, is_teacher in mine if is_teacher}
    able = [card for card in said.courses if card.id in taught or verb in _OWN_VERBS]
    if not able:
        return await _answer_teachers_only(request, said.courses[0])
    if len(able) == 1 and able[0].is_over(now):
        return _answer_over(request, able[0])
    if said.is_near:
        return suggestions.offer_commands(
            request, [f"card {join_words((able[0].title,))} {order_}"], talk.AS_COMMAND
        )
    if len(able) == 1 and said.manner is not Manner.TENTATIVE:
        return await apply_order(request, able[0].id, order_)
    if len(able) == 1 and verb == "with":
        return await _ask_to_add(request, able[0], order_)
    more = [f"hours {join_words((one.title,))} {order_}" for one in said.workspaces]
    every = [(card, order_) for card in able]
    return ask_which_course(request, words.WHICH_COURSE, every, lists.list_command_buttons(more))


async def _read_part(request: Request, verb: str, about: str) -> Intent | None:
    """Read a change of the one course that ``statistics course`` is a part of; None for any other words."""
    named = _PART_OF_TITLE_PATTERN.fullmatch(about)
    if named is None or verb in {"pause", "move"}:
        return None
    every = await request.caller.read(cases.list_own_courses)
    found = [card for card, _ in every if named[1].casefold() in card.title.casefold().split()]
    return _as_intent(verb, found, is_near=True) if len(found) == 1 else None


def _format_order(request: Request, card: ClassCard, verb: str, said: str) -> str:
    """Format an order about a course as it is typed after its title; "" if it isn't understood."""
    if not said or (verb == "skip" and _NEXT_PATTERN.fullmatch(said)):
        return verb
    today = card.day(request.services.clock.now())
    is_dated = verb in {"skip", "pause", "move"} and orders.is_dated(said, today)
    return f"{verb} {said}" if is_dated or (verb != "move" and time_parsing.read_spans(said, today)) else ""


async def is_workspace(request: Request, title: str) -> bool:
    """Return whether the person has a workspace of that name."""
    return bool(
        await request.services.store.read(
            workspace_rows.find_workspaces_by_name, request.principal, title, title
        )
    )


async def _answer_teachers_only(request: Request, card: ClassCard) -> Answer:
    """Answer that a change is for a course's teachers, with the actions of its members."""
    shown = rooms.answer_courses(
        await load_courses(request.services.gatherer, request.principal, [(card, False)])
    )
    return kit.with_blocks(shown, [kit.section(fill(words.ONLY_TEACHERS, course=card.title)), *shown.blocks])


async def _read_day(request: Request, verb: str, said: str, *, is_lesson: bool) -> Intent | None:
    """Read a change of the lesson of a day, which is sure of one's only course if nothing else is then.

    A teacher changes it for everybody, so that the word *lesson* has to be there (``is_lesson``).
    """
    now, found = request.services.clock.now(), list[tuple[ClassCard, bool]]()
    is_next = _NEXT_PATTERN.fullmatch(said) is not None
    for card, is_teacher in await request.caller.read(cases.list_own_courses):
        day, until, last = orders.parse_days(said, card.day(now))
        is_dated = until is not None or (verb == "move" and time_parsing.parse_minute(last) is not None)
        has_lesson = day is not None and is_dated and courses_timetable.list_lesson_days(card, now, day, day)
        if ((verb == "skip" and is_next) or has_lesson) and (is_teacher or verb == "skip"):
            found.append((card, is_teacher))
    rules = [
        one
        for one in await request.services.store.read(hours_store.list_rules_of_person, request.principal)
        if one.is_own
    ]
    kept = {one.workspace_id for one in rules}
    rows = (
        await request.services.store.perform(workspace_rows.read_workspaces, request.principal)
        if kept
        else []
    )
    is_sure = len(found) == 1 and (is_lesson or not (kept or found[0][1]))
    is_of_hours = verb == "skip" and not (is_sure or is_next)
    with_hours = [one for one in rows if is_of_hours and one.id in kept]
    return _as_intent(
        verb if is_next else f"{verb} {said}",
        [card for card, _ in found],
        Manner.PARAPHRASED if is_sure else Manner.TENTATIVE,
        with_hours,
    )


async def _read_teachers(request: Request, typed: re.Match[str]) -> Intent | None:
    """Read a change of a course's teachers; a new one is asked about unless *as a co-teacher* is said."""
    about, is_new = _ARTICLE_PATTERN.sub("", typed["about"], count=1), typed["verb"].casefold() == "add"
    found = [
        one for one in await find_own_courses(request, about) if not _NOUN_PATTERN.sub("", one[2], count=1)
    ]
    able = [card for card, is_teacher, _ in found if is_teacher]
    is_sure = bool(typed["as"]) or not is_new
    order_ = f"{'with' if is_new else 'without'} {typed['who']}"
    courses = able or [card for card, *_ in found]
    return _as_intent(order_, courses, Manner.PARAPHRASED if is_sure else Manner.TENTATIVE)


async def _ask_to_add(request: Request, card: ClassCard, order_: str) -> Answer:
    """Ask whether somebody is to be a teacher of a course."""
    keys = {
        replace(card.principal, user_id=one).key for one in orders.parse_mentions(order_.partition(" ")[2])
    }
    await check_teachers(request, keys)
    press = ButtonValue("course_change", f"{card.id} {card.day(request.services.clock.now())} {order_}")
    said = fill(words.ADD_TEACHER, who=await format_people(request, keys), course=card.title)
    return replies.answer(said, [kit.button(words.ADD_IT, press)])


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
