"""Messages that a person must not miss.

Each is posted as a new message, because Slack doesn't notify people of edits. If something changes later,
the posted message is edited.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from bot.domain.message_context import Facts, HeldFacts, RunFacts, WorkspaceFacts
from bot.domain.notices import Answer, Mark, NoticeKind
from bot.domain.work_items import Outcome
from bot.messages.blocks import kit, limits, stored
from bot.messages.blocks.button_values import ButtonValue
from bot.messages.blocks.buttons import MAX_CHOICES, open_buttons
from bot.messages.blocks.cards import format_reference, get_name, notice
from bot.messages.blocks.kit import Element, Markup, fill
from bot.messages.blocks.renderers import RENDERERS, Renderer, render_gone, renders
from bot.messages.texts import answers, notices, times
from bot.support.declarations import require_complete


def find_renderer(kind: NoticeKind) -> Renderer:
    """Return the renderer for a kind of message."""
    require_complete()
    return RENDERERS[kind]


def _is_row_gone(kind: NoticeKind, facts: Facts) -> bool:
    if kind is NoticeKind.CARD:
        return not isinstance(facts, WorkspaceFacts) or facts.operation is None
    return type(facts) is Facts and kind.subject in render_gone


def keep_current_buttons(
    kind: NoticeKind,
    facts: Facts | None,
    said: Answer,
    beside: Iterable[tuple[NoticeKind, Facts | None]] = (),
) -> Answer:
    """Remove the buttons from a sent message that it wouldn't have if it were sent now.

    ``beside`` contains the other notices in the same message.
    """
    works = []
    for each, one in ((kind, facts), *beside):
        if one is not None and is_true(each, one):
            works += list(map(_get_identity, kit.iterate_buttons(render(each, one).blocks)))
    return kit.keep_buttons(said, lambda button: _get_identity(button) in works)


def _get_identity(button: Element) -> tuple[str | None, ...]:
    """Return a button's action, value and URL. They identify the button even if its number differs."""
    press = ButtonValue.from_button(button)._replace(number=None)
    return press.action_id, button.get("value"), button.get("url")


def is_true(kind: NoticeKind, facts: Facts) -> bool:
    """Return whether a message is still true.

    Once the person has made a newer request, all messages except cards and questions count as outdated.
    """
    if _is_row_gone(kind, facts) or (facts.is_superseded and not kind.marks & (Mark.CARD | Mark.ASKS)):
        return False
    return find_renderer(kind).is_true(facts)


def render_pending(kind: NoticeKind, facts: Facts) -> Answer | None:
    """Render a pending notice in its current state, or return None if there is nothing left to say.

    The end of an operation is always reported. If the notice is no longer true, return the operation's card,
    which shows what has happened since.
    """
    if isinstance(facts, HeldFacts):
        return render(kind, facts) if _list_pending(facts) else None
    if Mark.CARD in kind.marks and isinstance(facts, WorkspaceFacts | RunFacts) and _is_taken_back(facts):
        return None
    if _is_row_gone(kind, facts):
        return render_gone[kind.subject]() if kind.subject in render_gone else None
    if is_true(kind, facts):
        return render(kind, facts)
    if Mark.END not in kind.marks or not isinstance(facts, WorkspaceFacts):
        return None
    if facts.operation is None:
        return render(kind, facts) if kind is NoticeKind.FAILED else None
    return render(NoticeKind.CARD, facts)


def _is_taken_back(facts: WorkspaceFacts | RunFacts) -> bool:
    """Return whether a later request, which has its own answer, replaced or cancelled an operation or run."""
    work_item = facts.operation if isinstance(facts, WorkspaceFacts) else facts.run
    return work_item is not None and (
        work_item.outcome is Outcome.REPLACED
        or (work_item.outcome is Outcome.CANCELLED and work_item.cause in {"replaced", "cancelled"})
    )


#: Maximum number of lines in a summary, and of names in a sentence.
_MAX_LINES: Final = 30
READY_KINDS: Final = frozenset({NoticeKind.READY, NoticeKind.READY_LINK, NoticeKind.TURNED_OUT})
_IN_A_SECTION: Final = 8


def render(kind: NoticeKind, facts: Facts) -> Answer:
    """Render a notice. If the row that it is about no longer exists, render a sentence about that instead.

    If there is a newer request, only a question keeps its buttons.
    """
    if _is_row_gone(kind, facts):
        return render_gone[kind.subject]()
    answer = find_renderer(kind).render(facts)
    is_closed = facts.is_superseded and Mark.ASKS not in kind.marks
    return kit.keep_buttons(answer, lambda _: False) if is_closed else answer


@renders(NoticeKind.ASSISTANT_QUESTION)
@renders(NoticeKind.MESSAGE)
@renders(NoticeKind.REPLY)
def render_answer(facts: Facts) -> Answer:
    """Return the Answer stored in the body of a reply or plain message."""
    answer = stored.read(facts.body, facts.written_at)
    return replace(answer, text=kit.truncate(answer.text, limits.MAX_TEXT_LENGTH) or kit.EMPTY_TEXT)


@renders(NoticeKind.OUTAGE)
def render_outage(facts: Facts) -> Answer:
    """Say that an outage began or ended (``what``), since when, and how long it lasted."""
    template = notices.OUTAGES[facts.word("what") or "away"]
    since, until = facts.time("since"), facts.time("until")
    names: dict[str, Any] = {
        "since": kit.moment(since, facts.now, facts.zone),
        "at": kit.moment_at(since, facts.now, facts.zone),
        "lasted": times.format_duration(until - since),
        "until": kit.moment(until, facts.now, facts.zone),
        "place": facts.word("place"),
        # This URL comes from Usher's settings, so it isn't escaped.
        "page": Markup(f"<{facts.word('page')}>"),
    }
    return notice(template, facts, **names)


def _list_pending(facts: HeldFacts) -> list[tuple[tuple[NoticeKind, Facts], Answer]]:
    return [(one, answer) for one in facts.held if (answer := render_pending(*one)) is not None]


@renders(NoticeKind.SUMMARY)
def _render_summary(facts: HeldFacts) -> Answer:
    left = _list_pending(facts)
    since = min((one.written_at for (_, one), _ in left), default=facts.now)
    heading = fill(
        notices.SUMMARY,
        since=kit.moment(since, facts.now, facts.zone),
        until=kit.moment(facts.now, facts.now, facts.zone),
    )
    lines, buttons = _write_lines(left), list[Element]()
    for (kind, one), _ in left:
        if kind in READY_KINDS and isinstance(one, WorkspaceFacts) and one.ide_url and is_true(kind, one):
            label = f"Open {get_name(one)}"
            buttons.append(kit.add_number(open_buttons(one)[0], len(buttons), label))
    more = [fill(answers.AND_MORE, count=len(lines) - _MAX_LINES)] if len(lines) > _MAX_LINES else []
    shown = [heading, *(f"• {one}" for one in [*lines[:_MAX_LINES], *more])]
    parts = [kit.join(shown[at : at + _IN_A_SECTION], "\n") for at in range(0, len(shown), _IN_A_SECTION)]
    sections = [kit.section(kit.truncate(one, limits.MAX_SECTION_LENGTH)) for one in parts]
    show = kit.button(answers.SHOW, "list")
    return kit.answer([*sections, *kit.actions(buttons[:MAX_CHOICES]), *kit.actions([show])])


def _write_lines(left: Sequence[tuple[tuple[NoticeKind, Facts], Answer]]) -> list[str]:
    alike: dict[tuple[str, str], list[Facts]] = {}
    lines = list[str]()
    for (kind, one), answer in left:
        together = find_renderer(kind).together(one) if is_true(kind, one) else None
        if together is None:
            small = format_reference(one.operation) if isinstance(one, WorkspaceFacts) else []
            lines.append(" ".join([_get_first_words(answer), *small]))
        else:
            alike.setdefault(together, []).append(one)
    return [*(_format_alike(words, of) for words, of in alike.items()), *lines]


@renders(NoticeKind.RESULTS)
def _render_results(facts: HeldFacts) -> Answer:
    left = _list_pending(facts)
    if len(left) == 1:
        return left[0][1]
    buttons = list[Element]()
    for (_, one), answer in sorted(left, key=lambda one: one[0][0] is not NoticeKind.FAILED):
        first = next(
            (one for one in kit.iterate_buttons(answer.blocks) if one.get("style") != kit.DANGER), None
        )
        if first is not None:
            label = first["text"]["text"]
            template = "{label}: {name}" if " " in label else "{label} {name}"
            label = template.format(label=label, name=get_name(one))
            buttons.append(kit.add_number(first, len(buttons), label))
    lines = _write_lines(left)
    said = lines[0] if len(lines) == 1 else "\n".join(f"• {line}" for line in lines)
    return kit.message(said, [], buttons[:MAX_CHOICES])


def _format_alike(words: tuple[str, str], of: Sequence[Facts]) -> str:
    names = [f"*{kit.safe(get_name(one), kit.MAX_NAME_LENGTH)}*" for one in of]
    last = names[-1] if len(names) <= _MAX_LINES else fill("{count} more", count=len(names) - _MAX_LINES)
    listed = times.join_names([*names[:-1][:_MAX_LINES], last])
    return fill(words[len(of) > 1], names=Markup(listed))


def _get_first_words(answer: Answer) -> str:
    first = answer.blocks[0] if answer.blocks else {}
    said = str(first["text"]["text"]) if first.get("type") == "section" else answer.text
    return ": ".join(said.splitlines()[:2])
