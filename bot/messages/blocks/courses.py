"""Class cards, and the messages about classes and courses. None of these ever contains a workspace's URL."""

import re
from collections.abc import Sequence
from dataclasses import asdict
from zoneinfo import ZoneInfo

from bot.domain import causes
from bot.domain import timetable as courses_timetable
from bot.domain.courses import ClassCard, ClassCounts, ClassProblem
from bot.domain.holds import HoldCode, split_hold
from bot.domain.hours import group_days
from bot.domain.markup import Template
from bot.domain.message_context import ClassFacts, WorkspaceFacts
from bot.domain.notices import Answer, NoticeKind
from bot.domain.stops import StopEffects, choose_gentlest_mode, ends_by_consent
from bot.domain.time_parsing import clock
from bot.domain.work_items import Call
from bot.domain.workspaces import State
from bot.messages.blocks import kit, replies
from bot.messages.blocks.buttons import open_buttons
from bot.messages.blocks.cards import fill_notice, link_again_button
from bot.messages.blocks.kit import Block, Element, Markup, fill, safe, truncate
from bot.messages.blocks.plans import format_days_off, format_timetable, format_weekdays, name_stopper
from bot.messages.blocks.renderers import render_gone, renders
from bot.messages.texts import answers, cards, holds, problems, times
from bot.messages.texts import courses as texts

MAX_PROBLEMS = 30
_LINK_AGAIN = texts.WHY_CAUSE["credential_refused"]
_ADDRESS_PATTERN = re.compile(r"\b[a-z][a-z0-9+.-]{0,30}://[^\s\"'”»)>]+", re.IGNORECASE)


@renders(NoticeKind.CLASS_CARD)
def render_class_card(facts: ClassFacts) -> Answer:
    """Render the class card that is posted in the channel."""
    card, own, is_over = facts.card, get_words(facts.card), facts.card.is_over(facts.now)
    about, state = _describe_course(facts) if card.is_course else _describe_class(facts)
    lines = [fill(texts.CARD_TITLE, name=card.title)] if is_over else about
    blocks: list[Block] = [kit.section(kit.join(lines, "\n"))]
    if not is_over:
        blocks += kit.actions([kit.button(own.press, "class_press", card.id, style=kit.PRIMARY)])
    blocks.append(kit.context(*_format_state(facts, state)))
    if card.is_course and card.done_at is None:
        # Everyone in the channel sees this button, but the answer shows each person only their own
        # membership.
        blocks += kit.actions([kit.button("Show details", "course_room", card.id)])
    return kit.answer(blocks)


def get_words(card: ClassCard) -> texts.Words:
    """Return the wording for courses or for classes, whichever fits the card."""
    return texts.OF_COURSE if card.is_course else texts.OF_CLASS


def _describe_class(facts: ClassFacts) -> tuple[list[str], list[str]]:
    card, counts, is_done = facts.card, facts.counts, facts.card.done_at is not None
    template = texts.DOES_START if card.spec is None else "Your own workspace from *{name}* on {title}."
    if card.title == card.template:
        template = "Your own workspace on {title}."
    does = fill(template, name=card.template or card.pattern, title=facts.connection_title)
    end, when = get_end_words(facts.effects, is_any=card.spec is None), card.stops_at
    template = "when" if when is None else "{at}, or earlier if"
    ends = Markup(fill(template, at=kit.moment_at(when or 0.0, facts.now, facts.zone)))
    sees = Markup(" They can see how long it runs until then." if card.shows_hours else "")
    consent = fill(
        texts.CONSENT, who=kit.mention(facts.people.get(card.principal.key)), ends=ends, sees=sees, **end
    )
    about = [" · ".join([fill(texts.CARD_TITLE, name=card.title), does]), consent]
    said = [texts.COUNTS_OVER if is_done else texts.READY_COUNT] if counts.joined else [texts.NOBODY_YET]
    said += ["{waiting} waiting"] if counts.waiting and not card.is_over(facts.now) else []
    said += ["{down} stopped"] if counts.down and not card.is_over(facts.now) else []
    said += ["{failed} failed"] if counts.failed else []
    said += ["{kept} kept"] if counts.kept and not is_done else []
    if is_done or not card.is_over(facts.now):
        return about, [*said, *(["The class is over. {stopped} stopped, {kept} kept."] if is_done else [])]
    return about, [*said, texts.CLOSING if facts.now < (card.stops_at or 0.0) else texts.CLOSING_UNTIL]


def _describe_course(facts: ClassFacts) -> tuple[list[str], list[str]]:
    card, counts = facts.card, facts.counts
    said = [texts.JOINED_COUNT if counts.joined else "Nobody has joined yet."]
    said += (
        [texts.PENDING_COUNT[counts.pending > 1]] if counts.pending and not card.is_over(facts.now) else []
    )
    said += ["*{how_many}*"] if counts.expected else []
    said += [texts.COURSE_OVER] if card.is_over(facts.now) else []
    return [*format_course(facts), format_joining(facts)], said


def render_class(facts: ClassFacts) -> list[Block]:
    """Render an open class for someone who may end it: how many members are ready, and the buttons."""
    card, title = facts.card, Markup(fill(texts.CARD_TITLE, name=facts.card.title))
    said = [fill(texts.ONE_COURSE, name=title, channel=Markup(card.channel_id))]
    said.append(kit.join(_format_state(facts, _describe_class(facts)[1]), " · "))
    said += [format_class_end(facts)] if card.stops_at and not card.is_over(facts.now) else []
    buttons = [*list_problem_buttons(facts), *list_end_buttons(facts)]
    return kit.row(kit.join(said, "\n"), kit.add_labels(buttons, facts.objects))


def format_class_end(facts: ClassFacts) -> str:
    """Say when a class will end, and what will then happen to its workspaces."""
    card, end = facts.card, get_end_words(facts.effects, is_any=facts.card.spec is None)
    return fill(texts.POSTED_ENDS, at=kit.moment_at(card.stops_at or 0.0, facts.now, facts.zone), **end)


def format_joining(facts: ClassFacts) -> str:
    """Say what people agree to by joining a course."""
    card, template = facts.card, texts.COURSE_JOIN if facts.card.spec is None else texts.COURSE_JOIN_MAKE
    said = fill(template, name=card.pattern or card.template, title=facts.connection_title)
    return f"{said} {texts.COURSE_SEES_HOURS}" if card.shows_hours else said


def format_course(facts: ClassFacts) -> list[str]:
    """Return a course's title and timetable, and a line about any days off."""
    card = facts.card
    lessons = format_timetable(card, facts.now, facts.zone)
    return [fill(texts.COURSE_TITLE, name=card.title, lessons=lessons), *format_days_off(card, facts.now)]


def format_course_name(card: ClassCard) -> str:
    """Return a course's name for a list of courses: ``Biology · Tuesdays 08:00``."""
    return f"{card.title} · {format_weekdays(card.days)} {clock(card.starts)}"


def get_end_words(effects: StopEffects, *, is_any: bool = False) -> dict[str, Markup]:
    """Return the words that say what the end of a class does to a workspace, and what is lost.

    ``is_any`` has the same meaning as in ``ends_by_consent``.
    """
    stop, keeps = effects.get("stop"), choose_gentlest_mode(effects) == "suspend"
    ends = ends_by_consent(effects, is_any=is_any)
    wording = texts.SUSPEND_WORDS if keeps else texts.STOP_WORDS
    if ends:
        wording = texts.SUSPENDS_OR_ENDS if keeps else texts.END_WORDS
    done, does, means = wording
    lost = cards.LOST[stop] if stop is not None and ends else ""
    meaning = f" {means.format(lost=lost)}" if means else ""
    return {"done": Markup(done), "does": Markup(does), "means": Markup(meaning)}


def _format_state(facts: ClassFacts, said: list[str]) -> list[str]:
    card, counts, numbers = facts.card, facts.counts, _format_counts(facts.counts)
    free = 0 if card.maximum is None else max(card.maximum - counts.joined, 0)
    if card.maximum is not None and not card.is_over(facts.now):
        said += ["{free} of {places} left" if free else "Full"]
    names = {"places": times.format_count(card.maximum or 0, "place"), "free": f"{free:,}"}
    names |= {"who": name_stopper(facts), "at": kit.moment_at(card.stops_at or 0.0, facts.now, facts.zone)}
    names |= get_end_words(facts.effects, is_any=card.spec is None)
    return [fill(one, **numbers | names) for one in said]


def _format_counts(counts: ClassCounts) -> dict[str, str]:
    said = {name: f"{number:,}" for name, number in asdict(counts).items()}
    said |= {"waiting": f"{counts.waiting:,}", "got": f"{counts.ready + counts.down:,}"}
    said |= {"people": times.format_count(counts.joined, "person has", "people have")}
    return said | {"how_many": fill(texts.HOW_MANY[1 in (counts.ready, counts.expected)], **said)}


def list_problem_buttons(facts: ClassFacts) -> list[Element]:
    """Return the *Show problems* button, or [] if there are no problems.

    It may be used only in messages that only teachers can see.
    """
    has_any = facts.counts.waiting or facts.counts.failed
    return [kit.button(texts.PROBLEMS, "class_problems", facts.card.id)] if has_any else []


def list_end_buttons(facts: ClassFacts) -> list[Element]:
    """Return the *Stop all* button, or [] if there is nothing to stop.

    It may be used only in messages that only teachers can see.
    """
    card = facts.card
    has_begun = card.is_course or facts.counts.joined > 0
    return [stop_button(facts)] if has_begun and not card.is_over(facts.now) else []


def stop_button(facts: ClassFacts) -> Element:
    """Return the *Stop all* button, which asks for confirmation."""
    card, asked = facts.card, get_words(facts.card).end
    question = kit.confirm(asked, **get_end_words(facts.effects, is_any=card.spec is None))
    return kit.button(asked[2], "class_stop", card.id, style=kit.DANGER, confirm=question, of=card.title)


def render_problems(facts: ClassFacts, found: Sequence[ClassProblem]) -> Answer:
    """Show a teacher which members are waiting or have failed, and why. Nobody else may see the answer."""
    counts = facts.counts
    if not found:
        template = texts.NO_PROBLEMS if counts.expected else texts.NO_PROBLEMS_COURSE
        return replies.answer(fill(template, **_format_counts(counts)), list_end_buttons(facts))
    lines = [
        fill(
            "{who}: {why} (pressed {at})",
            who=kit.mention(facts.people.get(one.participant.principal.key)),
            why=Markup(_format_reason(facts, one)),
            at=kit.moment_at(one.participant.joined_at, facts.now, facts.zone),
        )
        for one in found[:MAX_PROBLEMS]
    ]
    left = counts.waiting + counts.failed - len(lines)
    lines += [fill(answers.AND_MORE, count=left)] if left > 0 else []
    head = fill("*{name}*: who is waiting, and why", name=facts.card.title)
    # Each paragraph lists ten people at most, to stay within Slack's limit.
    blocks = [kit.section(kit.join(lines[first : first + 10], "\n")) for first in range(0, len(lines), 10)]
    return kit.answer([kit.section(head), *blocks, *kit.actions(list_end_buttons(facts))])


def _format_reason(facts: ClassFacts, one: ClassProblem) -> str:
    operation, title = one.operation, facts.connection_title
    if one.state == "unlinked":
        return fill(texts.WHY_UNLINKED if one.participant.waits_for else _LINK_AGAIN, title=title)
    if one.participant.waits_for == "many_workspaces":
        return "has more than one workspace of that name"
    if one.state == "no_workspace":
        return fill("has no such workspace on {title}", title=title)
    if operation is None:
        return fill(texts.WHY_STARTING if one.state == "starting" else texts.WHY_ELSE, title=title)
    if not operation.is_open:
        why = _format_cause(operation.cause or "", facts.connection_title)
        return truncate(safe(strip_addresses(why)), 200)
    if operation.block_reason:
        return truncate(
            kit.format_reason(
                strip_addresses(_format_delay(operation.block_reason, facts.connection_title)), facts.now
            ),
            200,
        )
    if operation.start_call is Call.NONE:
        return "waiting in the queue"
    starting, workspace = fill(texts.WHY_STARTING, title=facts.connection_title), one.workspace
    if workspace is None or workspace.detail or not workspace.reason:
        return starting
    said = problems.explain_reason(workspace.reason, facts.connection_title, is_over=False, helps=False)
    return truncate(f"{starting}. {safe(strip_addresses(said))}", 200)


def _format_cause(cause: str, title: str) -> str:
    """Tell a teacher why a member's start failed, in words that aren't addressed to the member."""
    word, message = causes.get_cause_word(cause), cause.partition(": ")[2]
    said = f" {problems.explain_reason(message, title, is_over=True, helps=False)}" if message else ""
    return texts.WHY_CAUSE.get(word, texts.WHY_ELSE).format(title=title, said=said)


def _format_delay(hold: str, title: str) -> str:
    code, cause = split_hold(hold)
    is_addressed = code is HoldCode.CAUSE and cause in texts.WHY_CAUSE
    return _format_cause(cause, title) if is_addressed else holds.explain_hold(hold, title)


def strip_addresses(text: str) -> str:
    """Remove URLs from a provider's text, because teachers who read it don't own the workspaces."""
    return _ADDRESS_PATTERN.sub("…", text)


def _is_lesson_on(facts: WorkspaceFacts) -> bool:
    """Return whether the message about a lesson is still true.

    Until the lesson ends, a message that the workspace is ready or starting is true while it is ready or
    starting, unless another message has already said so. A message that the start was missed is true unless
    the workspace came up before the lesson's end. No message is true once the owner has left the course.
    """
    operation = facts.operation
    if facts.word("card") not in {one.id for one in facts.lessons}:
        return False
    is_ready = facts.state is State.RUNNING
    if facts.body.get("is_missed"):
        up_since = facts.workspace.running_since if facts.workspace is not None else None
        return not is_ready or (up_since or 0.0) >= facts.time("ends")
    if operation is not None and not operation.is_open:
        # If the operation ended later than planned, another message said so. Operations that create a
        # workspace have no planned time.
        is_ready = is_ready and (operation.ended_at or 0.0) < (operation.planned_for or facts.written_at)
    return facts.now < facts.time("ends") and (is_ready or (operation is not None and operation.is_open))


@renders(NoticeKind.LESSON, is_true=_is_lesson_on)
@renders(NoticeKind.CLASS_STOP_WARNING, is_true=lambda _: False)
def render_lesson(facts: WorkspaceFacts) -> Answer:
    """Tell a member at the start of a lesson whether their workspace is ready."""
    is_ready = facts.state is State.RUNNING
    template: Template = texts.LESSON_READY if is_ready else texts.LESSON_STARTING
    if facts.body.get("is_missed"):
        template = texts.LESSON_MISSED if facts.now < facts.time("ends") else texts.LESSON_MISSED_WHOLLY
    operation, reason = facts.operation, dict[str, Markup]()
    if cause := facts.word("cause"):
        template = "I couldn't start *{name}* on {title} for *{course}*. {cause}"
        reason = {"cause": Markup(safe(problems.explain_cause(cause, facts.connection_title)))}
    if not is_ready and operation is not None and operation.is_planned_ahead and operation.block_reason:
        template, until = texts.LESSON_DELAYED, kit.moment(operation.good_until or 0.0, facts.now, facts.zone)
        reason = {
            "hold": Markup(
                kit.format_reason(
                    holds.explain_obstacle(operation.block_reason, facts.connection_title), facts.now
                )
            ),
            "until": until,
        }
    opens = open_buttons(facts) if is_ready else []
    return kit.message(fill_notice(template, facts, course=facts.word("course"), **reason), [], opens)


@renders(
    NoticeKind.LESSON_REPORT,
    is_true=lambda facts: facts.now < facts.time("ends") and facts.counts.expected > 0,
)
def render_report(facts: ClassFacts) -> Answer:
    """Render a report on a lesson for a teacher: how many members are ready, and what delays the others."""
    card, counts = facts.card, facts.counts
    began = [one.operation.created_at for one in facts.problems if one.operation and one.state == "starting"]
    lesson, numbers = courses_timetable.find_lesson_on(card, facts.now), asdict(counts)
    times_ = {"since": min(began, default=facts.now), "until": lesson.latest_start if lesson else facts.now}
    at_ = {name: kit.moment(time, facts.now, facts.zone) for name, time in times_.items()}
    # For each state, quote only the first failure, in the provider's words if there are any.
    whys = {str(one.state): Markup(_quote_failure(facts, one)) for one in reversed(facts.problems)}
    said = [
        kit.join([f"{count:,}", fill(words[count > 1], why=whys.get(state, ""), **at_)])
        for state, words in texts.REPORT_WHY.items()
        if (count := numbers[state])
    ]
    lines = [fill("{how_many} for *{name}*.", name=card.title, **_format_counts(counts))]
    as_of = fill("as of {at}", at=kit.moment(facts.now, facts.now, facts.zone))
    lines += [kit.join([kit.join(said, "; "), f"{as_of}."], ", ")] if said else []
    buttons = [kit.button(texts.PROBLEMS, "class_problems", card.id)] if facts.problems else []
    return kit.message(kit.join(lines), [], buttons)


def _quote_failure(facts: ClassFacts, one: ClassProblem) -> str:
    ended = one.operation if one.operation is not None and not one.operation.is_open else None
    cause, title = (ended.cause or "") if ended is not None else "", facts.connection_title
    if missed := holds.explain_missed(cause, title):
        return truncate(kit.format_reason(strip_addresses(missed), facts.now, facts.zone), 200)
    words = "" if causes.get_cause_word(cause) == causes.STALE else cause.partition(": ")[2]
    return truncate(safe(strip_addresses(words)), 200) if words else _format_reason(facts, one)


def format_end(card: ClassCard, now: float, zone: ZoneInfo | None) -> str:
    """Say that a course has ended, and when the lesson that is in progress will end."""
    news = fill("*{course}* has ended. No workspaces are started for it any more.", course=card.title)
    if card.stops_at is None or now >= card.stops_at:
        return news
    return kit.join([news, fill(texts.LAST_LESSON, at=kit.moment_at(card.stops_at, now, zone))])


def _is_member_not_ready(facts: ClassFacts) -> bool:
    states, coming = (
        {one.state for one in facts.problems},
        courses_timetable.find_lesson(facts.card, facts.now),
    )
    missing = {"coming"} if facts.body.get("is_withheld") else {"unlinked", "no_workspace"}
    return (
        coming is not None
        and coming.at == facts.body.get("begins", 0.0) > facts.now
        and bool(states & missing)
    )


@renders(
    NoticeKind.LESSON_NOT_READY,
    is_true=lambda facts: isinstance(facts, ClassFacts) and _is_member_not_ready(facts),
)
def render_member_not_ready(facts: ClassFacts) -> Answer:
    """Tell a member what they still need for a lesson, with a button that helps."""
    card, one = facts.card, facts.problems[0]
    why, button = describe_missing(facts, one)
    begins = kit.moment_at(facts.time("begins"), facts.now, facts.zone)
    return kit.message(fill(texts.MEMBER_NOT_READY, course=card.title, at=begins, why=why), [], [button])


@renders(
    NoticeKind.COURSE_LEFT, is_true=lambda facts: not (facts.is_superseded or facts.card.is_over(facts.now))
)
def render_course_left(facts: ClassFacts) -> Answer:
    """Tell a former member why an upgrade removed them from a course, with a button to join again."""
    days = group_days(facts.card, facts.body.get("skipped", ()))
    template = texts.LEFT_BY_SKIPS if days else texts.LEFT_BY_AGREEMENT
    names = {"course": facts.card.title, "lessons": format_timetable(facts.card, facts.now, facts.zone)}
    said = fill(template, **names, days=times.format_dates(days, facts.card.day(facts.now)))
    return kit.message(said, [], [kit.button(texts.JOIN, "class_press", facts.card.id, style=kit.PRIMARY)])


def describe_missing(facts: ClassFacts, one: ClassProblem) -> tuple[Markup, Element]:
    """Describe what the reader still needs for a course's lessons, and add a button that helps."""
    card, names = facts.card, (facts.connection, facts.connection_title)
    is_unlinked = one.state == "unlinked"
    (link,) = replies.link_buttons([(*names, facts.linking != {"admin"})], facts.link_pages)
    missing = {
        "withheld": (one.state == "coming", kit.button(texts.LEAVE_COURSE, "course_leave", card.id)),
        "refused": (is_unlinked and facts.is_refused, link_again_button(facts)),
        "unlinked": (is_unlinked, link),
        "many_workspaces": (one.participant.waits_for == "many_workspaces", replies.list_button()),
        "gone": (card.spec is not None, kit.button(texts.JOIN, "class_press", card.id)),
        "no_workspace": (True, replies.new_button(facts.connection)),
    }
    why, button = next((why, button) for why, (is_so, button) in missing.items() if is_so)
    return Markup(fill(texts.MISSING[why], title=names[1], pattern=card.pattern)), button


def answer_joined(card: ClassCard, facts: WorkspaceFacts, now: str) -> Answer:
    """Explain what joining a course means. ``now`` is a sentence that says what happens right away."""
    lessons = format_timetable(card, facts.now, facts.zone)
    said = fill_notice(texts.ENROLLED, facts, course=card.title, lessons=lessons)
    opens = open_buttons(facts) if facts.state is State.RUNNING else []
    return replies.answer(kit.join(filter(None, [said, now])), [*opens, *list_member_buttons(card)])


def list_member_buttons(card: ClassCard) -> list[Element]:
    """Return the *Leave* button for a member's message about a course."""
    return [kit.button(texts.LEAVE_COURSE, "course_leave", card.id, of=card.title)]


@render_gone("class")
def render_unknown() -> Answer:
    """Return the answer that replaces a message about a class or course whose rows no longer exist."""
    return replies.answer(texts.UNKNOWN_CARD)


def describe_end(facts: WorkspaceFacts, *, is_done: bool) -> str:
    """Tell an owner that the end of a class or lesson stopped their workspace, or that this stop failed.

    Return "" if neither is the case.
    """
    of, course = facts.stopping_class, facts.word("course")
    if of is None:
        done = texts.SUSPEND_WORDS if facts.state is State.SUSPENDED else texts.STOP_WORDS
        said = fill_notice(texts.LESSON_OVER, facts, course=course, done=Markup(done[0]))
        return said if course and is_done else ""
    if of.card.stopped_by:
        template = texts.STOPPED_BY if is_done else texts.STOP_FAILED_BY
    else:
        template = texts.STOPPED_BY_TIME if is_done else texts.STOP_FAILED_BY_TIME
    state = facts.state if facts.workspace is not None else State.STOPPED
    done = {State.SUSPENDED: texts.SUSPEND_WORDS, State.GONE: texts.END_WORDS}.get(state, texts.STOP_WORDS)
    names = {"who": name_stopper(of), "course": of.card.title, "done": Markup(done[0])}
    return fill_notice(template[of.is_stopper], facts, **names)


@renders(NoticeKind.CLASS_OVER)
def render_summary(facts: ClassFacts) -> Answer:
    """Render a summary for the teacher after a class has ended."""
    counts, numbers = facts.counts, _format_counts(facts.counts)
    head, *said = get_words(facts.card).summary
    said = said if counts.joined else ["Nobody took part."]
    lines = [fill(one, name=facts.card.title, **numbers) for one in (head, *said)]
    left = counts.stopping + counts.not_stopped
    rest = counts.consented - counts.stopped - left
    lines += [fill(texts.SUMMARY_LEFT, left=left)] if left > 0 else []
    lines += [fill(texts.SUMMARY_REST, rest=rest)] if rest > 0 else []
    return replies.answer(kit.join(lines, "\n"))


@renders(NoticeKind.CLASS_POSTED)
def render_post_question(facts: ClassFacts) -> Answer:
    """Ask whether to post the card again: Slack refused it, or it may not have appeared.

    ``cause`` is Slack's error code, which determines the suggested remedy.
    """
    card, cause = facts.card, facts.word("cause") or "not_in_channel"
    names = {"name": card.title, "channel": Markup(card.channel_id), "code": cause}
    helps = texts.HELPS.get(cause)
    template = texts.NOT_POSTED if helps else texts.NOT_POSTED_ELSE
    if cause == "undrawable":
        template = texts.NOT_POSTED_BROKEN
    if facts.body.get("is_unsure"):
        template = (
            "Slack didn't tell me whether the card for *{name}* has appeared in <#{channel}>. "
            "Have a look, and post it again if it hasn't."
        )
    sentence = fill(template, **names, helps=Markup(helps or ""))
    return replies.answer(sentence, [kit.button("Post again", "class_post", card.id)])
