"""The messages that a person must not miss: new ones, as an edit doesn't notify; and what they become."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from bot.domain.errands import Outcome
from bot.domain.facts import Facts, HeldFacts, RequestFacts, RunFacts, WorkspaceFacts
from bot.domain.notices import Answer, Mark, NoticeKind
from bot.domain.stops import Consent, Ending, is_final
from bot.domain.workspaces import State
from bot.messages.blocks import classes, kit, replies, runs
from bot.messages.blocks.buttons import (
    FEW,
    at_stake,
    ends,
    offered,
    open_buttons,
    page_button,
    remove_button,
    stop_button,
)
from bot.messages.blocks.cards import (
    again_buttons,
    as_it_is,
    asked_buttons,
    cause_words,
    failure_words,
    filled,
    force_buttons,
    is_so_anyhow,
    keep_waiting_button,
    link_again_button,
    name_of,
    question_or_answer,
    reference_of,
    retry_buttons,
    while_running,
)
from bot.messages.blocks.kit import DRAWN, Element, Markup, Press, draws, fill
from bot.messages.texts import answers, cards, notices, pages, problems, requests, times
from bot.messages.texts import runs as run_words


def still(kind: NoticeKind, facts: Facts | None, said: Answer) -> Answer:
    """Return what a message has said, with those of its buttons that it would have if it were sent now."""
    is_so = facts is not None and not facts.is_superseded and is_true(kind, facts)
    works = list(map(_carries, kit.buttons_of(render(kind, facts).blocks))) if facts and is_so else []
    return kit.only_with(said, lambda button: _carries(button) in works)


def _carries(button: Element) -> tuple[str | None, ...]:
    return tuple(button.get(name) for name in ("action_id", "value", "url"))


def is_true(kind: NoticeKind, facts: Facts) -> bool:
    """Return whether what a message is to say is so; cards and questions stand beside newer ones."""
    is_beside = bool(kind.marks & (Mark.CARD | Mark.ASKS))
    return (is_beside or not facts.is_superseded) and DRAWN[kind].is_true(facts)


def owed(kind: NoticeKind, facts: Facts) -> Answer | None:
    """Draw what somebody is owed, as things are now; None if there is nothing left to tell.

    How an operation ended is told in any case: as its card, which says what has become of it since.
    """
    if isinstance(facts, HeldFacts):
        return _summary(facts) if _left(facts) else None
    is_gone = type(facts) is Facts and kind.subject in _GONE
    if Mark.CARD in kind.marks and isinstance(facts, WorkspaceFacts | RunFacts) and _is_taken_back(facts):
        return None
    if is_gone or is_true(kind, facts):
        return render(kind, facts)
    if Mark.END not in kind.marks or not isinstance(facts, WorkspaceFacts):
        return None
    if facts.operation is None:
        return render(kind, facts) if kind in _FAILURES else None
    card = render(NoticeKind.CARD, facts)
    return kit.only_with(card, lambda _: False) if facts.is_superseded else card


def _is_taken_back(facts: WorkspaceFacts | RunFacts) -> bool:
    """Return whether something else was asked for before its card was sent, which was answered then."""
    errand = facts.operation if isinstance(facts, WorkspaceFacts) else facts.run
    return errand is not None and (
        errand.outcome is Outcome.REPLACED
        or (errand.outcome is Outcome.CANCELLED and errand.cause in {"replaced", "cancelled"})
    )


#: What is told even where nobody knows any more what it was about.
_FAILURES: Final = frozenset({NoticeKind.FAILED, NoticeKind.REFUSED})
#: How many lines a summary shows, and how many in a paragraph.
_LINES: Final = 30
_IN_A_SECTION: Final = 8
#: What is said instead of a message whose row is gone.
_GONE: Final = {"job": runs.unknown, "class": classes.unknown}


def render(kind: NoticeKind, facts: Facts) -> Answer:
    """Draw a notice from its facts; a sentence says so if its row is gone."""
    if type(facts) is Facts and kind.subject in _GONE:
        return _GONE[kind.subject]()
    return DRAWN[kind].draw(facts)


def _said(
    template: str,
    facts: Facts,
    buttons: Iterable[Element] = (),
    *,
    small: Sequence[str] = (),
    **more: object,
) -> Answer:
    """Fill a template with what every notice names, and ``more``."""
    return kit.message(filled(template, facts, **more), small, buttons)


@draws(NoticeKind.ASSISTANT_ASKED)
@draws(NoticeKind.MESSAGE)
@draws(NoticeKind.REPLY)
def carried(facts: Facts) -> Answer:
    """Return the Answer that a reply or a plain message carries in its body, as it was derived then."""
    body = facts.body
    answer = kit.answer(body.get("blocks") or (), replaces=bool(body.get("replaces")))
    return replace(answer, text=kit.cut(str(body.get("text") or ""), kit.TEXT) or kit.NOTHING)


@draws(NoticeKind.LINK_AGAIN, is_true=lambda facts: facts.is_refused)
def _link_again(facts: Facts) -> Answer:
    """Say that a link was ended."""
    again, renamed = [link_again_button(facts)], facts.word("renamed")
    if renamed:
        username = facts.word("username")
        return _said(notices.LINK_RENAMED, facts, again, username=username, renamed=renamed)
    if facts.body.get("cause") == "secret":
        return _said(notices.LINK_UNREADABLE, facts, again)
    if facts.link_has_ended:
        return _said(notices.LINK_EXPIRED, facts, again)
    return _said(notices.LINK_AGAIN, facts, again)


@draws(NoticeKind.LINK_ENDING, is_true=lambda facts: facts.link_is_ending)
def _link_ending(facts: Facts) -> Answer:
    """Say when a link ends."""
    at = facts.time("ends_at")
    left = at - facts.now
    # A reminder comes a moment after it is due: that isn't an hour, or a day, less.
    unit = 3600 if left >= 3600 else 60
    names = {"at": kit.day_moment(at), "left": times.duration(max(round(left / unit), 1) * unit)}
    again = [link_again_button(facts)]
    return _said(notices.LINK_ENDING, facts, again, **names)


@draws(NoticeKind.SIGN_IN_REFUSED, is_true=lambda facts: facts.is_refused)
def _sign_in_refused(facts: Facts) -> Answer:
    """Say that a link may be accepted again without anybody doing anything."""
    if facts.link_has_ended or facts.word("renamed"):
        return _link_again(facts)
    again, since = [link_again_button(facts)], kit.moment(facts.time("since"), facts.now)
    return _said(notices.SIGN_IN_REFUSED, facts, again, since=since)


@draws(
    NoticeKind.READY,
    is_true=lambda facts: facts.state is State.RUNNING,
    together=lambda _facts: notices.READY_TOGETHER,
)
def _ready(facts: WorkspaceFacts) -> Answer:
    operation = facts.operation
    small = []
    if operation is not None and operation.ended_at is not None and operation.called_at is not None:
        took = times.duration(operation.ended_at - operation.called_at)
        small = [fill(notices.READY_AFTER, took=took)]
    lines, more, buttons = while_running(facts)
    is_news = operation is None or operation.has_called
    said = filled(notices.READY if is_news else notices.READY_ALREADY, facts)
    sentence = "\n".join([" ".join([said, *lines[:1]]), *lines[1:]])
    return kit.message(sentence, [*small, *more], buttons)


def _is_missed(facts: WorkspaceFacts) -> bool:
    """Return whether a workspace still isn't what an operation was for."""
    return facts.operation is not None and not is_so_anyhow(facts, facts.operation)


@draws(NoticeKind.REFUSED, is_true=_is_missed)
def _refused(facts: WorkspaceFacts) -> Answer:
    return _not_done(facts, Outcome.REFUSED)


@draws(NoticeKind.FAILED, is_true=_is_missed)
def _not_done(facts: WorkspaceFacts, outcome: Outcome = Outcome.FAILED) -> Answer:
    """Say that an operation wasn't fulfilled, and why; and how things are if they have since become so."""
    operation = facts.operation
    if operation is not None and operation.outcome is not None:
        outcome = operation.outcome
    cause = (operation.cause if operation is not None else None) or facts.word("cause")
    sentence = filled(cards.SENT if cause == "sent" else cards.ENDED_NAMED[outcome], facts)
    if facts.of_class is not None:
        sentence = classes.stopped_with_class(facts.of_class, name_of(facts), None)
    if cause != "cancelled":
        because = cause or (str(outcome) if outcome in problems.CAUSES else "internal")
        sentence = f"{sentence} {cause_words(facts, because)}"
    buttons = retry_buttons(facts, operation) if operation is not None else []
    if operation is not None and is_so_anyhow(facts, operation):
        now, buttons = as_it_is(facts)
        sentence = "\n".join([sentence, now, *ends(facts)])
    return kit.message(sentence, reference_of(operation), buttons)


def _is_down(facts: WorkspaceFacts) -> bool:
    return not facts.is_up


def _stopped_together(facts: WorkspaceFacts) -> tuple[str, str] | None:
    operation = facts.operation
    if facts.state is not State.STOPPED or facts.of_class is not None or operation is None:
        return None
    return notices.PLANNED_TOGETHER if operation.planned_for is not None else notices.STOPPED_TOGETHER


@draws(NoticeKind.STOPPED, is_true=_is_down, together=_stopped_together)
@draws(NoticeKind.STOPPED_ELSEWHERE, is_true=_is_down)
@draws(NoticeKind.SUSPENDED, is_true=_is_down)
def _stopped(facts: WorkspaceFacts) -> Answer:
    """Say that a workspace is down, whether the person asked for it or it was stopped elsewhere."""
    operation, workspace = facts.operation, facts.workspace
    if operation is not None and operation.cause == "not_made":
        return _not_made(facts)
    is_gone = workspace is not None and workspace.state is State.GONE
    is_asked = operation is not None and operation.verb.brings_down
    is_planned = operation is not None and operation.planned_for is not None
    template = notices.STOPPED if is_asked else notices.STOPPED_ELSEWHERE
    if facts.state is State.SUSPENDED:
        template = notices.SUSPENDED
    elif facts.state is State.FAILED and not is_asked:
        template = notices.FAILED_ELSEWHERE
    elif is_asked and operation is not None and not operation.has_called and not is_planned:
        template = notices.STOPPED_ALREADY
    if is_gone and operation is not None and operation.agreed:
        template = notices.ENDED
    sentence = filled(template, facts, because=failure_words(facts))
    if facts.of_class is not None:
        state = workspace.state if workspace is not None else State.STOPPED
        sentence = classes.stopped_with_class(facts.of_class, name_of(facts), state)
    elif facts.word("course"):
        sentence = classes.stopped_after_lesson(facts)
    elif is_planned:
        sentence = f"{sentence} {cards.AS_PLANNED}"
    buttons = again_buttons(facts) if is_gone else offered(facts, State.STOPPED)
    if template == notices.FAILED_ELSEWHERE:
        buttons = [*buttons, *page_button(facts)]
    return kit.message(sentence, [], buttons)


@draws(NoticeKind.REMOVED)
def _removed(facts: WorkspaceFacts) -> Answer:
    if facts.operation is not None and facts.operation.cause == "not_made":
        return _not_made(facts)
    return _said(notices.REMOVED, facts, again_buttons(facts))


def _not_made(facts: WorkspaceFacts) -> Answer:
    """Say that a creation was cancelled before anything was made."""
    return _said(notices.NOT_MADE, facts, again_buttons(facts))


def _is_waiting(facts: WorkspaceFacts) -> bool:
    operation = facts.operation
    return operation is not None and operation.is_open and operation.deadline_at is None


@draws(NoticeKind.WAITING, is_true=_is_waiting)
def _waiting(facts: WorkspaceFacts) -> Answer:
    operation = facts.operation
    if operation is None:
        return _said(notices.WAITING, facts)
    small = [kit.held(operation.hold, facts.now)] if operation.hold else []
    if facts.workspace and (condition := problems.condition(facts.workspace, facts.connection_title)):
        small.insert(0, kit.safe(condition, 300))
    buttons = [keep_waiting_button(operation)]
    if facts.workspace is not None and not operation.verb.brings_down:
        buttons.append(stop_button(facts.workspace, facts.effects))
    unsent = f"{notices.WAITING_UNSENT} {cards.LAPSED}"
    template = unsent if operation.has_lapsed else notices.WAITING
    return _said(template, facts, [*buttons, *force_buttons(facts), *page_button(facts)], small=small)


@draws(NoticeKind.ASKED)
def asked(facts: WorkspaceFacts) -> Answer:
    """Draw the question whether to make another one, or say that it is no longer open."""
    operation, workspace = facts.operation, facts.workspace
    buttons = asked_buttons(operation.id) if operation is not None else []
    question = _said(notices.ASKED, facts, buttons)
    is_made = workspace is not None and not workspace.is_provisional
    return question_or_answer(facts, operation, question, is_made=is_made)


@draws(NoticeKind.LINKED, is_true=lambda facts: facts.is_linked is not False)
def _linked(facts: Facts) -> Answer:
    username = facts.username or facts.word("username")
    # Who has to be signed in there is said here alone, and not with each workspace.
    opens = "" if "page" in facts.capabilities else f"\n{notices.OPENS_AS if username else notices.OPENS}"
    template = f"{notices.LINKED_AS if username else notices.LINKED}{opens}"
    # Not in red: it undoes what just went well. And in no menu: it is spoken of below.
    unlink = kit.quiet(unlink_button(facts.connection, facts.connection_title))
    buttons = [replies.list_button(style=kit.PRIMARY), unlink]
    buttons += [replies.new_button(facts.connection)] if "making" in facts.capabilities else []
    small = [notices.LINKED_NEXT]
    if facts.link_ends_at is not None:
        small.append(fill(notices.LINKED_UNTIL, at=kit.day(facts.link_ends_at)))
    return _said(template, facts, buttons, small=small, username=username)


def unlink_button(connection: str, title: str, number: int | None = None) -> Element:
    """Return *Unlink*, which asks first; with a number it names the account, for a row of several.

    Its action says that it has asked, like the flag that people type.
    """
    question = kit.confirm(cards.CONFIRM_UNLINK, title=title)
    label = cards.UNLINK if number is None else fill(cards.UNLINK_ONE, title=title)
    press = kit.Press("unlink", connection, agreed=Consent.GIVEN, number=number)
    return kit.button(label, press, style=kit.DANGER, confirm=question)


@draws(NoticeKind.UNLINKED)
def _unlinked(facts: Facts) -> Answer:
    cause = facts.word("cause")
    because = notices.UNLINKED_BECAUSE.get(cause, "")
    small = [fill(because, title=facts.connection_title)] if because else []
    one = [(facts.connection, facts.connection_title, "token" in facts.linking)]
    # The next step of whoever ended it; where somebody else did, the reason is what counts.
    buttons = replies.ways(one) if not because and facts.linking & {"token", "admin"} else []
    if facts.is_linked:
        buttons = []
    elif cause == "revoked":
        buttons = [link_again_button(facts)]
    return _said(answers.UNLINKED[facts.word("left") or "none"], facts, buttons, small=small)


@draws(NoticeKind.REVOKED)
def _revoked(facts: Facts) -> Answer:
    """Say whether the provider has deleted what was left of a link."""
    return _said(notices.REVOKED[facts.word("ended") or "lapsed"], facts)


@draws(NoticeKind.NOT_REVOKED)
def _not_revoked(facts: Facts) -> Answer:
    """Tell administrators what may still be valid at a provider."""
    return _said(notices.NOT_REVOKED, facts)


@draws(NoticeKind.LINK_TRIED)
def _link_tried(facts: RequestFacts) -> Answer:
    """Tell the owner of a linked account that somebody else tried to link it."""
    template = pages.TRIED_BY_APPROVAL if facts.body.get("is_approved") else pages.TRIED
    who, username = kit.person(facts.people.get(facts.word("person"))), facts.word("username")
    return replies.answer(fill(template, who=who, title=facts.connection_title, username=username))


@draws(NoticeKind.LINK_PROVEN)
def _link_proven(facts: RequestFacts) -> Answer:
    """Say whose link has ended because the account's owner proved that it is theirs."""
    template = requests.PROVEN_OWN if facts.body.get("is_own") else requests.PROVEN
    who, owner = (kit.person(facts.people.get(facts.word(name))) for name in ("person", "owner"))
    names = {"who": who, "owner": owner, "username": facts.word("username")}
    return replies.answer(fill(template, title=facts.connection_title, **names))


@draws(NoticeKind.UNWARNED)
def _unwarned(facts: RequestFacts) -> Answer:
    """Tell an administrator what became of an end whose person couldn't be warned."""
    template = notices.UNWARNED_STOPPED if facts.body.get("is_kept") else notices.UNWARNED_LEFT
    who = kit.person(facts.people.get(facts.word("person")))
    return replies.answer(fill(template, who=who, title=facts.connection_title, name=facts.word("name")))


@draws(NoticeKind.RESTORED)
def _restored(facts: Facts) -> Answer:
    """Say that a link which its person ended may be back."""
    return replies.answer(fill(pages.RESTORED, title=facts.connection_title))


@draws(NoticeKind.SCHEDULED)
def _scheduled(facts: Facts) -> Answer:
    """Say whether a job's schedule was set."""
    cause, cron, title = facts.word("cause"), facts.word("cron"), facts.connection_title
    template = run_words.NOT_SET if cause else run_words.SET if cron else run_words.CLEARED
    because = problems.sentence(cause, title)
    text = fill(template, name=facts.word("name"), title=title, cron=Markup(cron), because=because)
    return kit.message(text)


@draws(
    NoticeKind.ENDING,
    is_true=lambda facts: facts.workspace is not None and facts.workspace.ends_at is not None,
)
def ending(facts: WorkspaceFacts) -> Answer:
    """Draw the warning by the current row: one that was used in the meantime ends later, and it says so."""
    workspace = facts.workspace
    if workspace is None or workspace.ends_at is None or workspace.ends_how is None:
        return _said(notices.ENDED_BY_ITSELF, facts)
    # A workspace stopped for good is lost like one that is removed.
    ends_how: Ending = "removed" if is_final(facts.effects, "stop") else workspace.ends_how
    left = times.duration(_whole(workspace.ends_at - facts.now))
    names = {"left": left, "at": kit.moment_at(workspace.ends_at, facts.now)}
    small = [at_stake(workspace)] if at_stake(workspace) else []
    if workspace.state is State.RUNNING:
        template = notices.ENDING_STOPS if ends_how == "stops" else notices.ENDING_ANYHOW
        buttons = open_buttons(facts)
    else:
        template, buttons = notices.ENDING_REMOVED, offered(facts, State.STOPPED)
    if facts.may("remove"):
        buttons.append(remove_button(workspace))
    return _said(template, facts, buttons, small=small, **names)


def _whole(seconds: float) -> float:
    """Round to whole minutes if there are any: nobody needs the seconds."""
    return seconds if seconds < 60 else round(seconds / 60) * 60


@draws(NoticeKind.LOST)
def lost_records(facts: WorkspaceFacts) -> Answer:
    """Say that records were lost, and what its person's workspace does, if that was read since."""
    workspace = facts.workspace
    if workspace is None or (workspace.observed_at or 0.0) < facts.time("noted_at"):
        return _said(notices.LOST_REQUEST, facts, name=name_of(facts))
    keep = kit.button(cards.KEEP, Press("needed", workspace.id), style=kit.PRIMARY)
    buttons = [*([keep] if facts.is_up else []), *offered(facts)]
    return _said(notices.LOST, facts, buttons, state=cards.STATES[workspace.state].lower())


@draws(NoticeKind.OUTAGE)
def outage(facts: Facts) -> Answer:
    """Say that an outage began or ended: ``what`` happened ``since`` when, and how long it lasted."""
    template = notices.OUTAGES[facts.word("what") or "away"]
    since, until = facts.time("since"), facts.time("until")
    names: dict[str, Any] = {
        "since": kit.moment(since, facts.now),
        "lasted": times.duration(until - since),
        "until": kit.moment(until, facts.now),
        "place": facts.word("place"),
        # Our own address, from the settings.
        "page": Markup(f"<{facts.word('page')}>"),
    }
    return _said(template, facts, **names)


def _left(facts: HeldFacts) -> list[tuple[tuple[NoticeKind, Facts], Answer]]:
    """Return what is left to tell of what a message holds, with how each would be told alone."""
    return [(one, answer) for one in facts.held if (answer := owed(*one)) is not None]


@draws(NoticeKind.SUMMARY)
def _summary(facts: HeldFacts) -> Answer:
    """Draw what happened in a silence as one message: alike things in one sentence, then the way to each."""
    left = _left(facts)
    since = min((one.written_at for (_, one), _ in left), default=facts.now)
    heading = fill(
        notices.SUMMARY, since=kit.moment(since, facts.now), until=kit.moment(facts.now, facts.now)
    )
    alike: dict[tuple[str, str], list[Facts]] = {}
    lines, buttons = list[str](), list[Element]()
    for (kind, one), answer in left:
        together = DRAWN[kind].together(one) if is_true(kind, one) else None
        if together is None:
            small = reference_of(one.operation) if isinstance(one, WorkspaceFacts) else []
            lines.append(" ".join([_first_words(answer), *small]))
            continue
        alike.setdefault(together, []).append(one)
        if kind is NoticeKind.READY and isinstance(one, WorkspaceFacts) and one.ide_url:
            label = notices.OPEN_NAMED.format(name=name_of(one))
            buttons.append(kit.numbered(open_buttons(one)[0], len(buttons), label))
    lines = [*(_of_all(words, of) for words, of in alike.items()), *lines]
    more = [fill(answers.AND_MORE, count=len(lines) - _LINES)] if len(lines) > _LINES else []
    shown = [heading, *(f"• {one}" for one in [*lines[:_LINES], *more])]
    parts = ["\n".join(shown[at : at + _IN_A_SECTION]) for at in range(0, len(shown), _IN_A_SECTION)]
    sections = [kit.section(kit.cut(one, kit.SECTION)) for one in parts]
    show = kit.button(answers.SHOW, "list")
    return kit.answer([*sections, *kit.actions(buttons[:FEW]), *kit.actions([show])])


def _of_all(words: tuple[str, str], of: Sequence[Facts]) -> str:
    """Say the same of one or several, by their names."""
    names = [f"*{kit.safe(name_of(one), kit.NAME)}*" for one in of]
    last = names[-1] if len(names) <= _LINES else fill(notices.MORE_OF_THEM, count=len(names) - _LINES)
    listed = " and ".join(filter(None, [", ".join(names[:-1][:_LINES]), last]))
    return fill(words[len(of) > 1], names=Markup(listed))


def _first_words(answer: Answer) -> str:
    """Return a message's first paragraph as one line."""
    first = answer.blocks[0] if answer.blocks else {}
    said = str(first["text"]["text"]) if first.get("type") == "section" else answer.text
    return ": ".join(said.splitlines()[:2])
