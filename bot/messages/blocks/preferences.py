"""A person's preferences: the section that shows them, the form that changes them, and what was held back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from bot.domain.facts import PreferenceFacts
from bot.domain.forms import Choice
from bot.domain.notices import Answer
from bot.messages.blocks import kit, limits
from bot.messages.blocks.kit import Block
from bot.messages.blocks.limits import Markup, fill, line
from bot.messages.texts import preferences as words

CALLBACK: Final = "settings"
#: The names of the form's fields.
TELL, HOLD, BEGIN, END, WORKSPACE, NEW = "tell", "hold", "begin", "end", "workspace", "new"
#: The choice that means none; no row and no connection is called so.
ASK: Final = "-"
#: A menu's options, besides *Ask me each time*.
OPTIONS: Final = 99
#: At what times quiet hours are proposed.
_PROPOSED: Final = (22 * 60, 7 * 60)
#: How many of the names and of the held ones are shown.
_NAMES: Final = 10
_LINES: Final = 30
_IN_A_SECTION: Final = 8


def section(facts: PreferenceFacts, heading: str = "") -> Block:
    """Return what applies now, with the button that opens the form; for the person's own eyes."""
    sentences = [*([heading] if heading else []), *_sentences(facts)]
    return kit.section("\n".join(sentences), kit.button(words.CHANGE, "settings_form"))


def answer(facts: PreferenceFacts, view: dict[str, Any] | None = None) -> Answer:
    """Return the section as an answer that says when it was true, with the form where one can be opened."""
    small = kit.context(fill(words.AS_OF, at=kit.moment(facts.now, facts.now)))
    shown = kit.answer(kit.bare(words.HEADING), [section(facts, words.HEADING), small])
    return Answer(text=shown.text, blocks=shown.blocks, view=view)


def saved(facts: PreferenceFacts) -> dict[str, Any]:
    """Return what takes the form's place once it is saved."""
    said = "\n".join([words.SAVED, *_sentences(facts)])
    return kit.modal(words.TITLE, [kit.section(said)], close=words.DONE)


def _sentences(facts: PreferenceFacts) -> list[str]:
    wanted = facts.wanted
    sent = [said for topic, said in words.TOPICS.items() if getattr(wanted, topic)]
    sentences = [fill(words.SENT, topics=Markup(_listed(sent))) if sent else words.NOT_SENT]
    if facts.own:
        names = [f"*{line(one.title)}*" for one in facts.own[:_NAMES]]
        names += [fill(words.HELD_MORE, count=len(facts.own) - _NAMES)] if len(facts.own) > _NAMES else []
        sentences.append(fill(words.EXCEPT, names=Markup(", ".join(names))))
    if wanted.quiet_from is None or wanted.quiet_to is None:
        sentences.append(words.NOT_QUIET)
    else:
        begin, end = _clock(wanted.quiet_from), _clock(wanted.quiet_to)
        sentences.append(fill(words.QUIET, begin=begin, end=end, zone=facts.time_zone))
    workspace = facts.workspace
    sentences.append(
        fill(words.WORKSPACE, name=workspace.title) if workspace is not None else words.NO_WORKSPACE
    )
    if not facts.connection_title:
        return [*sentences, words.NO_NEW]
    template = words.NEW if wanted.template else words.NEW_ANY
    return [*sentences, fill(template, source=wanted.template, title=facts.connection_title)]


def form(
    facts: PreferenceFacts, workspaces: Sequence[Choice], sources: Sequence[Choice], command: str
) -> dict[str, Any]:
    """Return the form, filled with what applies now; ``command`` is how workspaces are written about."""
    wanted = facts.wanted
    is_quiet = wanted.quiet_from is not None and wanted.quiet_to is not None
    begin, end = (wanted.quiet_from, wanted.quiet_to) if is_quiet else _PROPOSED
    topics = [_option(topic, said) for topic, said in words.TOPICS.items()]
    sent = [one for one in topics if getattr(wanted, one["value"])]
    held = [_option("on", words.HOLD_OPTION)]
    source = f"{wanted.connection} {wanted.template}".strip()
    blocks = [
        _boxes(TELL, words.TELL, topics, sent, words.TELL_HINT.format(command=command)),
        _boxes(HOLD, words.HOLD, held, held if is_quiet else [], words.HOLD_HINT),
        _time(BEGIN, words.BEGIN, begin),
        _time(END, words.END, end),
        _menu(WORKSPACE, words.DEFAULT_WORKSPACE, workspaces, wanted.workspace_id),
        _menu(NEW, words.DEFAULT_NEW, sources, source),
    ]
    return kit.modal(words.TITLE, blocks, submit=words.SUBMIT, close=words.CLOSE, callback_id=CALLBACK)


def _boxes(
    name: str, label: str, options: list[dict[str, Any]], chosen: list[dict[str, Any]], hint: str
) -> Block:
    element = {"type": "checkboxes", "action_id": name, "options": options}
    block = _input(name, label, element | ({"initial_options": chosen} if chosen else {}), optional=True)
    return block | {"hint": kit.plain(hint, limits.SECTION)}


def _time(name: str, label: str, minutes: int | None) -> Block:
    initial = {"initial_time": _clock(minutes)} if minutes is not None else {}
    return _input(name, label, {"type": "timepicker", "action_id": name, **initial}, optional=True)


def _menu(name: str, label: str, choices: Sequence[Choice], chosen: str) -> Block:
    options = [_option(ASK, words.ASK), *(_option(one.value, one.label) for one in choices[:OPTIONS])]
    initial = next((one for one in options if one["value"] == chosen), options[0])
    element = {"type": "static_select", "action_id": name, "options": options, "initial_option": initial}
    return _input(name, label, element)


def _input(name: str, label: str, element: dict[str, Any], *, optional: bool = False) -> Block:
    return {
        "type": "input",
        "block_id": name,
        "label": kit.plain(label, limits.LABEL),
        "element": element,
        "optional": optional,
    }


def _option(value: str, label: str) -> dict[str, Any]:
    return {"text": kit.plain(line(label, limits.OPTION), limits.OPTION), "value": value}


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _listed(parts: Sequence[str]) -> str:
    """Return parts of a sentence joined by commas and *or*."""
    return " or ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))
