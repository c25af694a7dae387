"""Answers to verbs and buttons, except cards: statements, error messages, questions, and *Link* buttons.

Their text shows commands as people type them in a direct message. In a channel, a form or the Home tab, only
slash commands work, so there the commands are rewritten.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from bot.domain.notices import Answer
from bot.domain.stops import StopEffects
from bot.domain.time_parsing import FARTHEST_SECONDS, Unread
from bot.domain.workspaces import Workspace
from bot.messages.blocks import kit, limits
from bot.messages.blocks.button_values import ButtonValue
from bot.messages.blocks.buttons import MAX_CHOICES, make_change, remove_button, stop_button
from bot.messages.blocks.cards import carry_command, link_connection_button
from bot.messages.blocks.kit import Block, Element, Markup, fill, safe
from bot.messages.texts import answers, cards, pages, talk, times
from bot.messages.verb import Effect, find_verb

#: Verbs that ask for confirmation before they do anything.
_CONFIRMED_VERBS = frozenset({"stop", "remove"})


def answer(text: str, buttons: Iterable[Element] = (), *, replaces: bool = False) -> Answer:
    """Answer with one paragraph, which is already filled in and escaped."""
    rows = kit.actions(buttons) if (buttons := list(buttons)) else []
    return kit.answer([kit.section(text), *rows], replaces=replaces)


def hint(sentence: str, buttons: Iterable[Element] = (), *, more: str = "") -> Answer:
    """Answer with suggestions, for instance after a typo. They aren't reported as an error."""
    text = kit.join([sentence, more], "\n") if more else sentence
    return kit.answer([kit.section(text), *kit.actions(buttons)])


def ask(sentence: str, buttons: Iterable[Element], *, more: str = "") -> Answer:
    """Ask a question. Pressing any of its buttons settles the question."""
    return replace(hint(sentence, buttons, more=more), is_question=True)


def as_question(answer: Answer) -> Answer:
    """Mark an answer's buttons, so that pressing any of them answers the question."""
    rows = enumerate(answer.blocks)
    named = (
        {**one, "block_id": f"{kit.QUESTION}:{at}"} if one["type"] == "actions" else one for at, one in rows
    )
    return replace(answer, blocks=tuple(named))


def with_remarks(answer: Answer, remarks: Sequence[str]) -> Answer:
    """Add small print below an answer's first block."""
    if not remarks:
        return answer
    first, *rest = answer.blocks
    return kit.with_blocks(answer, (first, kit.context(*remarks), *rest))


def with_button(answer: Answer, button: Element) -> Answer:
    """Add a button below an answer. If the answer has only one button, the new one goes next to it."""
    *blocks, last = answer.blocks
    is_beside = last["type"] == "actions" and len(last["elements"]) < kit.BUTTONS_PER_ROW
    rows = (*blocks, *kit.actions([*last["elements"], button])) if is_beside else ()
    return kit.with_blocks(answer, rows or (*answer.blocks, *kit.actions([button])))


def problem(sentence: str, reference: str, buttons: Iterable[Element] = ()) -> Answer:
    """Answer that an error occurred. Add suggestions, and the error's reference in the log."""
    blocks: list[Block] = [kit.section(sentence), *kit.actions(buttons)]
    blocks.append(kit.context(fill(cards.REFERENCE, reference=reference)))
    return kit.answer(blocks)


def plain_problem(sentence: str, reference: str) -> Answer:
    """Answer that an error occurred, in plain text that isn't escaped yet (``texts.problems``)."""
    return problem(safe(sentence), reference)


def verb_button(verb: str, workspace: Workspace, number: int, effects: StopEffects, label: str) -> Element:
    """Return the button that runs a verb on a workspace. The number tells it apart from similar buttons."""
    text = kit.line(label, limits.MAX_BUTTON_LENGTH)
    match verb:
        case "stop":
            button = stop_button(workspace, effects)
        case "remove":
            button = remove_button(workspace)
        case _:
            shows = find_verb("workspace", verb).effect is Effect.SHOWS
            press = ButtonValue(verb, workspace.id) if shows else make_change(verb, workspace)
            button = kit.button(text, press)
    return kit.add_number(button, number, text)


def list_choice_buttons(
    verb: str,
    workspaces: Sequence[Workspace],
    labels: Sequence[str],
    effects_of: Callable[[Workspace], StopEffects],
) -> list[Element]:
    """Return buttons for the first few workspaces.

    If there are more and the verb doesn't ask for confirmation, add a search field. If the verb has no such
    buttons, return [].
    """
    if not find_verb("workspace", verb).has_choice_buttons:
        return []
    buttons = [
        verb_button(verb, one, number, effects_of(one), label)
        for number, (one, label) in enumerate(zip(workspaces[:MAX_CHOICES], labels, strict=False))
    ]
    if len(workspaces) > MAX_CHOICES and verb not in _CONFIRMED_VERBS:
        buttons.append(search(verb))
    return buttons


def search(verb: str) -> Element:
    """Return a field that autocompletes the names of the person's own workspaces."""
    return {
        "type": "external_select",
        "action_id": ButtonValue(verb, mark="workspace").action_id,
        "placeholder": kit.plain("Find a workspace", limits.MAX_PLACEHOLDER_LENGTH),
        "min_query_length": 0,
    }


def question(button: Element) -> Answer:
    """Ask for confirmation of a button in a form or, if no form can be opened, in the answer."""
    asked = button["confirm"]
    agrees, keeps = asked["confirm"]["text"], asked["deny"]["text"]
    section = kit.section(f"*{asked['title']['text']}*\n{asked['text']['text']}")
    press = ButtonValue.from_button(button)
    agreed = kit.button(agrees, press, style=asked.get("style"))
    view = kit.modal(
        agrees,
        [section],
        callback_id="agree",
        private_metadata=press.text,
        submit=agrees,
        close=keeps,
    )
    return replace(kit.answer([section, *kit.actions([agreed])]), view=view)


def link_buttons(
    connections: Sequence[tuple[str, str, bool]],
    pages: Mapping[str, str],
    waiting: str = "",
    template: str = cards.LINK,
    *,
    first: int = 0,
    until: float | None = None,
) -> list[Element]:
    """Return a *Link* button for each connection.

    A connection is given as its name, its title, and whether people can link it themselves. If they can't,
    the button asks an administrator to link it. ``waiting`` is the command to run once an account is linked.
    ``first`` is the first button's number, if others precede it.
    """
    return [
        link_connection_button(
            fill(template, title=title), name, pages, waiting, number=number, until=until, of=title
        )
        if by_token
        else ask_button(name, title, number, text=waiting)
        for number, (name, title, by_token) in enumerate(connections, first)
    ]


def new_buttons(connections: Mapping[str, str], *, first: int = 0) -> list[Element]:
    """Return a *New workspace* button for each connection.

    If there is only one button, it doesn't show the connection's title. ``first`` is the first button's
    number, for an answer that has other buttons before it.
    """
    template = answers.NEW_WORKSPACE if len(connections) + first == 1 else "New workspace on {title}"
    return [
        kit.button(fill(template, title=title), ButtonValue("make", f"workspace {connection}", number=number))
        for number, (connection, title) in enumerate(connections.items(), first)
    ]


def invitation(
    sentence: str,
    connections: Sequence[tuple[str, str, bool]],
    pages: Mapping[str, str],
    *,
    until: float | None,
    waiting: str = "",
    template: str = cards.LINK,
    asks: Collection[str] = (),
    others: Mapping[str, str] | None = None,
) -> Answer:
    """Answer with links to connections' link pages. Never use it in a channel: only the person may see them.

    ``pages`` maps connections to their pages. A page that expires (at ``until``) ends by showing a code to
    type in Slack, and its button is removed when the page expires. ``asks`` are connections for which the
    person can ask an administrator instead.
    """
    is_one = len(connections) == 1
    small = [] if until is None else [answers.LINK_PAGE, answers.LINK_CODE]
    buttons = link_buttons(connections, pages, waiting, template, until=until)
    buttons += [] if until is None else [kit.button(cards.ENTER_CODE, "enter_code")]
    if is_one and connections[0][0] in asks:
        buttons.append(ask_button(*connections[0][:2], text=waiting))
        small.append(fill(answers.OR_ASK, title=connections[0][1]))
    buttons += new_buttons(others or {}, first=len(buttons))
    return kit.message(sentence, small, buttons)


def code_question() -> Answer:
    """Ask for a code by opening a form. In case that fails, also show a button that opens it."""
    button = kit.button(cards.ENTER_CODE, "enter_code", style=kit.PRIMARY)
    blocks = [kit.section(answers.CODE_ASK), *kit.actions([button])]
    return replace(kit.answer(blocks), view=code_view())


def code_view() -> dict[str, Any]:
    """Return the form for the code that a link page shows."""
    field = kit.text_field("code", "Code from the link page", min_length=4, max_length=40)
    return kit.modal(
        "Finish linking",
        [field, kit.context(answers.CODE_EXPLAINED)],
        callback_id="code",
        submit="Link",
        close=answers.CODE_CLOSE,
    )


def remove_view(workspace: Workspace, title: str) -> dict[str, Any]:
    """Return the form that removes a workspace permanently. The workspace's name has to be typed into it."""
    explained = kit.section(fill(answers.REMOVE_EFFECT, name=workspace.title, title=title))
    return kit.modal(
        "Remove workspace",
        [
            explained,
            kit.text_field("name", answers.REMOVE_LABEL, min_length=1, max_length=limits.MAX_INPUT_LENGTH),
        ],
        callback_id="remove",
        private_metadata=workspace.id,
        submit=cards.REMOVE,
        close="Keep it",
    )


def linked_view(title: str, username: str) -> dict[str, Any]:
    """Return the view that is shown once the right code was typed."""
    template = "Your {title} account {username} is linked." if username else "Your {title} account is linked."
    done = kit.section(fill(template, username=username, title=title))
    return kit.modal("Linked", [done, kit.context(answers.CODE_DONE_NEXT)])


def ask_button(connection: str, title: str, number: int | None = None, *, text: str = "") -> Element:
    """Return the button that opens the form for a username. A number tells it apart from similar buttons."""
    press = ButtonValue("ask_link", carry_command(connection, text), number=number)
    return kit.button(fill("Ask to link {title}", title=title), press, style=kit.PRIMARY)


def ask_view(connection: str, title: str, suggestion: str) -> dict[str, Any]:
    """Return the form that asks for a username, with ``suggestion`` already filled in."""
    given = {"initial_value": suggestion[:100]} if suggestion else {}
    field = kit.text_field("username", fill("Your username on {title}", title=title), max_length=100, **given)
    return kit.modal(
        pages.ASK_TITLE,
        [field, kit.context(pages.ASK_NOTE)],
        callback_id="ask_link",
        private_metadata=connection,
        submit="Ask",
        close=answers.CODE_CLOSE,
    )


def explain_unread_time(
    why: Unread, given: str, soonest: float = 60.0, farthest: float = FARTHEST_SECONDS
) -> Markup:
    """Explain what is wrong with a typed time, and which forms of times can be typed."""
    forms = Markup("`18:00`, `6pm`, `2h`, `90 min` or `tomorrow 9:00`")
    if not given.strip():
        return Markup(fill("Tell me when: {forms}.", forms=forms))
    *most, last = [f"`{kit.line(one)}`" for one in why.options] or [""]
    options = Markup(fill(answers.OR, first=Markup(", ".join(most)), last=Markup(last)) if most else last)
    return Markup(
        fill(
            answers.TIME_UNREAD[why.why],
            given=given,
            forms=forms,
            options=options,
            least=times.format_duration(soonest),
            most=times.format_duration(farthest),
        )
    )


#: Maps the first part of a button's action id to the button's purpose. An answer offers at most one button
#: per purpose.
_KINDS: Final = {
    "invite": "link",
    "ask_link": "link",
    "enter_code": "link",
    "link": "link",
    "link_url": "link",
    "list": "list",
    "make": "new",
    "new": "new",
}


def describe_usher(*, needs_accounts: bool, runs_jobs: bool) -> str:
    """Describe Usher in one sentence, depending on which connections are configured."""
    if not needs_accounts:
        return answers.WHAT_WITHOUT_ACCOUNTS
    return answers.WHAT_WITH_JOBS if runs_jobs else answers.WHAT


def list_button(*, style: str | None = None) -> Element:
    """Return the button that posts a list of the person's workspaces."""
    return kit.button(answers.SHOW, "list", style=style)


def new_button(connection: str | None) -> Element:
    """Return the *New workspace* button. Without a connection, pressing it asks which connection to use."""
    if connection is None:
        return kit.button(answers.NEW_WORKSPACE, "new")
    return kit.button(answers.NEW_WORKSPACE, "make", f"workspace {connection}")


def help_button(folder: str) -> Element:
    """Return the button that shows all commands that the person can use."""
    return kit.button("Show all commands", "help" if folder == "workspace" else f"{folder}_help", "all")


def add_introduction(answer: Answer, what: str, steps: Sequence[Element]) -> Answer:
    """Add a description of Usher above an answer and, below it, those ``steps`` that it doesn't offer."""
    offered = {_KINDS.get(press.name, press.name) for _, press in kit.iterate_drawn(answer.blocks)}
    # An answer that offers a new workspace already is a list, or says that the list is empty.
    offered |= {"list"} if "new" in offered else set()
    # People who asked to link an account are offered nothing else.
    missing = [] if offered == {"link"} else [step for step in steps if _get_kind(step) not in offered]
    body = answer.blocks or (kit.section(kit.truncate(answer.text, limits.MAX_SECTION_LENGTH)),)
    first = str((body[0].get("text") or {}).get("text"))
    if first.startswith(talk.HI):
        what = f"{talk.HI}{what}"
        body = (kit.section(first.removeprefix(talk.HI)), *body[1:])
    elif first == what:
        # Help and some other answers already begin with this description.
        body = body[1:]
    is_said = any(what in str((block.get("text") or {}).get("text")) for block in body)
    head = [] if is_said else [kit.section(what)]
    tail = kit.actions(missing)
    room = limits.MAX_MESSAGE_BLOCKS - len(head) - len(tail)
    return kit.with_blocks(answer, (*head, *body[:room], *tail))


def _get_kind(element: Element) -> str:
    name = ButtonValue.read(str(element.get("action_id") or "")).name
    return _KINDS.get(name, name)
