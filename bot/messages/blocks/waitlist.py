"""Messages about waiting for capacity: the offer to wait, the place in line, and how the wait ended."""

from collections.abc import Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

from bot.domain.failure_causes import find_reason
from bot.domain.message_context import WorkspaceFacts
from bot.domain.notices import Answer, NoticeKind
from bot.domain.operations import OperationVerb
from bot.domain.waitlist import ANSWERED_WITHIN_SECONDS, UNUSED_SECONDS, WaitlistFacts, WaitlistState
from bot.messages.blocks import kit, limits, replies
from bot.messages.blocks.button_values import ButtonValue
from bot.messages.blocks.cards import fill_notice, format_reference
from bot.messages.blocks.kit import Element, fill
from bot.messages.blocks.renderers import renders
from bot.messages.texts import holds, problems, times
from bot.messages.texts import waitlist as words

UNTIL_FORM = "wait_until"


def format_place(of: WaitlistFacts, now: float, zone: ZoneInfo | None = None) -> str:
    """Say what a person waits for, their place in line and the number of attempts, or how the wait ended."""
    before = [_count_people(of.tried_before, words.ONE_BEFORE, words.TRIED_BEFORE)] if of.tried_before else []
    tried = [_count_tries(of.entry.attempts, words.TRIED_SO_FAR)] if of.entry.attempts else []
    position = format_position(of, mentions_attempt=True)
    return _fill_place(of, now, zone, [position, *before, *tried])


def format_lasting_place(
    of: WaitlistFacts, now: float, zone: ZoneInfo | None, template: str = words.WAITING_STATE
) -> str:
    """Describe a wait, leaving out the number of attempts, because this message isn't updated after each."""
    if of.entry.attempts > 1 and of.others and not (of.is_held or of.is_refused):
        ahead = _count_people(of.others, words.IN_TURN_WITH_ONE, words.IN_TURN)
    else:
        ahead = format_position(of)
    return _fill_place(of, now, zone, [ahead], template)


def _fill_place(
    of: WaitlistFacts,
    now: float,
    zone: ZoneInfo | None,
    said: Sequence[str],
    template: str = words.WAITING_STATE,
) -> str:
    entry, what = of.entry, words.WAITED_FOR.get(of.entry.kind, "room")
    names = {"name": of.name, "title": of.title, "what": what}
    if entry.granted_at is not None:
        return fill(words.GRANTED, at=kit.moment_at(entry.granted_at, now, zone), **names)
    if entry.ended_at is not None:
        return fill(words.WAIT_OVER, at=kit.moment(entry.ended_at, now, zone), **names)
    until = kit.moment(entry.expires_at, now, zone)
    return fill(template, until=until, ahead=kit.Markup(" ".join(said)), **names)


def _count_tries(attempts: int, forms: Sequence[str]) -> str:
    return forms[min(attempts, len(forms) - 1)].format(count=f"{attempts:,}")


def _count_people(number: int, one: str, several: str) -> str:
    word = words.NUMBER_WORDS[number] if number < len(words.NUMBER_WORDS) else f"{number:,}"
    return one if number == 1 else several.format(number=word)


def format_position(of: WaitlistFacts, *, mentions_attempt: bool = False) -> str:
    """Say how many people are ahead, that the person is next, or why the line is paused.

    If ``mentions_attempt`` is true, say instead that the workspace is being tried, if it is.
    """
    if of.is_refused or of.is_held:
        return fill(words.WAIT_REFUSED if of.is_refused else words.HELD, title=of.title)
    if mentions_attempt and of.entry.state is WaitlistState.TRYING:
        return words.TRYING
    if of.ahead == 0:
        return "You're next in line." if of.entry.is_missing_kind_known else words.UNPLACED
    return _count_people(of.ahead, "One person is ahead of you.", "{number} people are ahead of you.")


def answer_place(
    of: WaitlistFacts,
    now: float,
    zone: ZoneInfo | None,
    *,
    is_lasting: bool = True,
    replaces: bool = False,
) -> Answer:
    """Answer with the place in line and *Stop waiting*.

    If the answer can't be edited later (``is_lasting`` is False), it says when it was written.
    """
    if not is_lasting:
        small = [fill("as of {at}", at=kit.moment(now, now))]
        return replace(kit.message(format_place(of, now, zone), small, [stop_button(of)]), is_dated=True)
    shows = {"kind": str(NoticeKind.WAITLIST_PLACE), "subject": of.entry.id, "about": of.entry.workspace_id}
    shows |= {"connection": of.entry.connection}
    drawn = replies.answer(format_lasting_place(of, now, zone), [stop_button(of)], replaces=replaces)
    return replace(drawn, shows=shows)


@renders(NoticeKind.WAITLIST_PLACE)
def _render_wait(facts: WorkspaceFacts) -> Answer:
    wait = facts.wait
    if wait is None:
        return kit.message(fill_notice("*{name}* isn't waiting for room any more.", facts))
    said = format_lasting_place(wait, facts.now, facts.zone)
    if facts.word("room") and wait.entry.is_waiting:
        then = format_lasting_place(wait, facts.now, facts.zone, "I'll keep trying until {until}. {ahead}")
        said = kit.join([_format_no_room(facts, facts.word("cause")), then])
    return kit.message(said, [], [stop_button(wait)] if wait.entry.is_waiting else [])


def stop_button(of: WaitlistFacts, number: int | None = None) -> Element:
    """Return the button that ends a wait. If there are several waits, the button has a number and a name."""
    if number is None:
        return kit.button(words.STOP_WAITING, "stop_waiting", of.entry.workspace_id)
    label = kit.line(f"Stop waiting for {of.name}", limits.MAX_BUTTON_LENGTH)
    return kit.add_number(kit.button(label, "stop_waiting", of.entry.workspace_id), number, label)


def render_offer(facts: WorkspaceFacts) -> Answer | None:
    """Say that there was no capacity, and offer to keep trying. Return None if waiting isn't possible."""
    is_start = facts.operation is None or facts.operation.verb is OperationVerb.START
    can_try = is_start and not facts.is_superseded and "waiting" in facts.capabilities
    if not facts.word("room") or facts.workspace is None or not can_try:
        return None
    until, operation = facts.time("until"), facts.operation
    none = _format_no_room(facts, operation.cause if operation is not None else None)
    sentence = fill(words.OFFER, none=kit.Markup(none), until=kit.moment(until, facts.now, facts.zone))
    keep = ButtonValue("keep_trying", facts.workspace.id, at=until)
    buttons = [
        kit.button(words.KEEP_TRYING, keep, style=kit.PRIMARY),
        kit.button("Until…", "try_until", facts.workspace.id),
        kit.button("Not now", "leave"),
    ]
    return kit.message(sentence, format_reference(operation), buttons)


def _format_no_room(facts: WorkspaceFacts, cause: str | None) -> str:
    given = (cause or "").partition(":")[2].lstrip(": ")
    said = "" if find_reason(given) else problems.quote_message(given, facts.connection_title)
    none = fill_notice(words.NO_CAPACITY.get(facts.word("room"), words.NO_CAPACITY["room"]), facts)
    return f"{none} {kit.safe(said)}" if said else none


def add_grant(facts: WorkspaceFacts, ready: Answer) -> Answer:
    """Add to the *ready* message that the capacity of an unused workspace goes to the next person in line."""
    template = words.GRANTED_BY_MODE.get(facts.word("granted"), "")
    unused, later = times.format_duration(UNUSED_SECONDS), times.format_duration(ANSWERED_WITHIN_SECONDS)
    return _add_sentence(facts, ready, template, facts.word("waited_for"), unused=unused, later=later)


def add_waiting(facts: WorkspaceFacts, question: Answer) -> Answer:
    """Add to the question about an unused workspace that someone is waiting for its capacity."""
    kind = facts.word("waited_for")
    return _add_sentence(facts, question, words.GRANT_WANTED if kind else "", kind)


def add_end(facts: WorkspaceFacts, failure: Answer) -> Answer:
    """Add to the message about a failed or refused start that the wait is over, too."""
    kind = facts.word("waited")
    return _add_sentence(
        facts, failure, "*{name}* is no longer waiting for {what} on {title}." if kind else "", kind
    )


def _add_sentence(facts: WorkspaceFacts, said: Answer, template: str, kind: str, **more: str) -> Answer:
    if not template or facts.workspace is None:
        return said
    what = words.WAITED_FOR.get(kind, "room")
    first, *rest = said.blocks
    return kit.with_blocks(said, (first, kit.section(fill_notice(template, facts, what=what, **more)), *rest))


@renders(NoticeKind.WAITLIST_ENDED, is_true=lambda facts: not facts.is_up)
def _render_over(facts: WorkspaceFacts) -> Answer:
    kind, cause = facts.word("kind"), facts.word("cause")
    then = ButtonValue("keep_trying", facts.workspace.id if facts.workspace else "", at=facts.time("again"))
    again = kit.button(words.KEEP_TRYING, then, style=kit.PRIMARY)
    offer = fill(words.CAN_KEEP_TRYING, until=kit.moment(facts.time("again"), facts.now, facts.zone))
    what = words.WAITED_FOR.get(kind, "room")
    if not cause:
        until = kit.moment(facts.time("until"), facts.now, facts.zone)
        often = _count_tries(int(facts.body.get("attempts") or 0), words.TRIED_IN_ALL)
        return kit.message(
            kit.join([fill_notice(words.STOPPED_WAITING, facts, what=what, until=until) + often, offer]),
            [],
            [again],
        )
    because = kit.Markup(
        kit.format_reason(holds.explain_end(cause, facts.connection_title), facts.now, facts.zone)
    )
    # If an account was deleted along with its workspaces' rows, only the notice still contains the
    # workspace's name.
    named = {"name": facts.word("name")} if facts.word("name") else {}
    said = fill_notice(words.FORBIDDEN, facts, what=what, because=because, **named)
    if cause != "restored":
        return kit.message(said)
    return kit.message(kit.join([said, offer]), [], [again])


def build_form(key: str) -> dict[str, object]:
    """Return the form that asks how long to keep trying."""
    field = kit.text_field("text", words.UNTIL_LABEL, min_length=1, max_length=300)
    keys = {"callback_id": UNTIL_FORM, "private_metadata": key}
    return kit.modal(words.KEEP_TRYING, [field], submit=words.KEEP_TRYING, **keys)
