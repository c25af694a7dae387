"""Answers of verbs and buttons that aren't cards: sentences, problems, questions, ways to link."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from bot.domain.facts import WorkspaceFacts
from bot.domain.notices import Answer
from bot.domain.workspaces import Effects, Workspace
from bot.messages.blocks import kit, limits
from bot.messages.blocks.buttons import changing, remove_button, stop_button
from bot.messages.blocks.cards import link_value
from bot.messages.blocks.kit import Block, Element, Press
from bot.messages.blocks.limits import Markup, fill, safe
from bot.messages.texts import answers as words
from bot.messages.texts import cards, welcome

#: How many buttons people can take in at a glance; beyond that they search.
FEW = 5
#: Verbs that a button can run on a workspace, with the button's label.
_LABELS = {
    "start": cards.START,
    "stop": cards.STOP,
    "restart": cards.RESTART,
    "status": cards.STATUS,
    "open": cards.OPEN,
    "forget": cards.FORGET,
    "suspend": cards.SUSPEND,
    "resume": cards.RESUME,
    "remove": cards.REMOVE,
}
#: Verbs that ask for confirmation before they do anything.
_ASKING = frozenset({"stop", "remove"})
_SHOWS = frozenset({"status", "open"})


def answer(
    text: str, buttons: Iterable[Element] = (), *, in_channel: bool = False, replaces: bool = False
) -> Answer:
    """Answer with one paragraph of our own text, already filled and escaped."""
    return kit.message(kit.bare(text), text, buttons=buttons, in_channel=in_channel, replaces=replaces)


def hint(sentence: str, buttons: Iterable[Element] = (), *, more: str = "") -> Answer:
    """Answer a typo, a question or a missing link: a filled sentence and what may help; nothing broke."""
    text = f"{sentence}\n{more}" if more else sentence
    return kit.answer(kit.bare(sentence), [kit.section(text), *kit.actions(buttons)])


def with_remarks(answer: Answer, remarks: Sequence[str]) -> Answer:
    """Add small grey texts below an answer's words."""
    if not remarks:
        return answer
    first, *rest = answer.blocks
    return kit.with_blocks(answer, (first, kit.context(*remarks), *rest))


def problem(sentence: str, reference: str, buttons: Iterable[Element] = (), *, more: str = "") -> Answer:
    """Answer that something broke: a filled sentence, what may help, the reference that is in the log."""
    blocks: list[Block] = [kit.section(f"{sentence}\n{more}" if more else sentence), *kit.actions(buttons)]
    blocks.append(kit.context(fill(cards.REFERENCE, reference=reference)))
    return kit.answer(kit.bare(sentence), blocks)


def plain_problem(sentence: str, reference: str) -> Answer:
    """Answer with a problem as plain text, not yet escaped (``texts.problems``)."""
    return problem(safe(sentence), reference)


def name(workspace: Workspace) -> Markup:
    """Return the person's name for a workspace, escaped and cut."""
    return Markup(limits.line(workspace.title))


def verb_button(
    verb: str, workspace: Workspace, number: int, effects: Effects, label: str | None = None
) -> Element:
    """Return the button that runs a verb on a workspace; a number distinguishes it from others in its row."""
    text = limits.line(label or f"{_LABELS[verb]} {workspace.title}", limits.BUTTON)
    match verb:
        case "stop":
            button = stop_button(workspace, effects)
        case "remove":
            button = remove_button(workspace)
        case _:
            press = Press(verb, workspace.id) if verb in _SHOWS else changing(verb, workspace)
            button = kit.button(text, press)
    return kit.numbered(button, number, text)


def choices(
    verb: str,
    workspaces: Sequence[Workspace],
    labels: Sequence[str],
    effects_of: Callable[[Workspace], Effects],
) -> list[Element]:
    """Return a button per workspace for the first few, and a search for the rest if the verb has one."""
    if verb not in _LABELS:
        return []
    buttons = [
        verb_button(verb, one, number, effects_of(one), label)
        for number, (one, label) in enumerate(zip(workspaces[:FEW], labels, strict=False))
    ]
    if len(workspaces) > FEW and verb not in _ASKING:
        buttons.append(search(verb))
    return buttons


def search(verb: str) -> Element:
    """Return a field that completes the names of the person's own workspaces."""
    return {
        "type": "external_select",
        "action_id": Press(verb, mark="workspace").action_id,
        "placeholder": kit.plain(words.PICK, limits.PLACEHOLDER),
        "min_query_length": 0,
    }


def question(button: Element) -> Answer:
    """Ask what a button asks first, in a form; where none can be opened, with the button that agrees."""
    asked = button["confirm"]
    agrees, keeps = asked["confirm"]["text"], asked["deny"]["text"]
    section = kit.section(f"*{asked['title']['text']}*\n{asked['text']['text']}")
    press = Press.of(button)
    agreed = kit.button(agrees, press, style=asked.get("style"))
    view = kit.modal(
        agrees,
        [section],
        callback_id="agree",
        private_metadata=press.text,
        submit=agrees,
        close=keeps,
    )
    return Answer(text=asked["text"]["text"], blocks=(section, *kit.actions([agreed])), view=view)


def bring_back_button(workspace: Workspace) -> Element:
    """Return the button that undoes *Forget*."""
    return kit.button(words.BRING_BACK, "bring_back", workspace.id)


def opening(facts: WorkspaceFacts, sentence: str) -> Answer:
    """Answer with the address itself, as a button that only its owner sees."""
    assert facts.ide_url is not None, "only an address that may be passed on is shown"
    button = kit.button(cards.OPEN, "open_url", style=kit.PRIMARY, url=facts.ide_url)
    blocks = [kit.section(sentence), *kit.actions([button]), kit.context(words.OPENING_PRIVATE)]
    return kit.answer(kit.bare(sentence), blocks)


def link_buttons(
    connections: Sequence[tuple[str, str]], waiting: str = "", *, template: str = cards.LINK, first: int = 0
) -> list[Element]:
    """Return *Link* for each (name, title); its click is answered with a new link.

    ``first`` is the number of the first one, if others precede it.
    """
    return [
        kit.button(
            fill(template, title=title),
            Press("invite", link_value(connection, waiting), number=number),
            style=kit.PRIMARY if number == 0 else None,
        )
        for number, (connection, title) in enumerate(connections, first)
    ]


def new_buttons(connections: Sequence[tuple[str, str]], *, first: int = 0) -> list[Element]:
    """Return *New workspace* for each (name, title), with the title if it isn't the only button.

    ``first`` is the number of the first one, if others precede it.
    """
    template = words.NEW_WORKSPACE if len(connections) + first == 1 else words.NEW_WORKSPACE_ON
    return [
        kit.button(fill(template, title=title), Press("make", f"workspace {connection}", number=number))
        for number, (connection, title) in enumerate(connections, first)
    ]


def invitation(url: str, title: str, *, code_comes: bool, ask: Element | None = None) -> Answer:
    """Answer with a new link: for the presser only, never in a channel.

    ``code_comes`` says whether the page ends with a code to type back here, and ``ask`` asks an administrator
    instead, where that is possible, too.
    """
    sentence = fill(words.LINK_PAGE, title=title)
    buttons = [kit.button(cards.OPEN_LINK_PAGE, "link_url", style=kit.PRIMARY, url=url)]
    buttons += [kit.button(cards.ENTER_CODE, "enter_code")] if code_comes else []
    small = [words.LINK_CODE] if code_comes else []
    if ask is not None:
        buttons.append(ask)
        small.append(fill(welcome.OR_ASK, title=title))
    return kit.message(kit.bare(sentence), sentence, small, buttons)


def code_question() -> Answer:
    """Answer with how to type a code, if no form can be opened right away; otherwise open the form."""
    button = kit.button(cards.ENTER_CODE, "enter_code", style=kit.PRIMARY)
    blocks = [kit.section(words.CODE_ASK), *kit.actions([button])]
    return Answer(text=kit.bare(words.CODE_ASK), blocks=tuple(blocks), view=code_view())


def code_view() -> dict[str, Any]:
    """Return the form for typing back the code of the link page."""
    field = kit.text_field("code", words.CODE_LABEL, min_length=4, max_length=40)
    return kit.modal(
        words.CODE_TITLE,
        [field, kit.context(words.CODE_EXPLAINED)],
        callback_id="code",
        submit=words.CODE_SUBMIT,
        close=words.CODE_CLOSE,
    )


def remove_view(workspace: Workspace, title: str) -> dict[str, Any]:
    """Return the form in which a workspace's name is typed to remove it for good."""
    explained = kit.section(fill(words.REMOVE_EFFECT, name=workspace.title, title=title))
    return kit.modal(
        words.REMOVE_TITLE,
        [explained, kit.text_field("name", words.REMOVE_LABEL, min_length=1, max_length=3000)],
        callback_id="remove",
        private_metadata=workspace.id,
        submit=words.REMOVE_SUBMIT,
        close=words.REMOVE_CLOSE,
    )


def linked_view(title: str, username: str) -> dict[str, Any]:
    """Return what the form becomes once the code was right."""
    template = words.CODE_DONE if username else words.CODE_DONE_NAMELESS
    done = kit.section(fill(template, username=username, title=title))
    return kit.modal(
        words.CODE_DONE_TITLE, [done, kit.context(words.CODE_DONE_NEXT)], close=words.CODE_DONE_CLOSE
    )
