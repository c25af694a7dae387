"""The introduction of a person's first contact, and the buttons of the first steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.domain.notices import Answer
from bot.messages.blocks import kit, limits
from bot.messages.blocks.kit import Element, Press
from bot.messages.texts import answers, welcome

#: What a button does, by its action id before the first colon: one button of a kind is enough.
_KINDS: Final = {
    "invite": "link",
    "ask_link": "link",
    "link": "link",
    "list": "list",
    "make": "new",
    "new": "new",
}


def what(*, needs_accounts: bool, runs_jobs: bool) -> str:
    """Say in one sentence what Usher is, by what there is here."""
    if not needs_accounts:
        return welcome.WHAT_WITHOUT_ACCOUNTS
    return welcome.WHAT_WITH_JOBS if runs_jobs else welcome.WHAT


def begins(what: str) -> str:
    """Return the one sentence for somebody who has linked nothing yet."""
    return welcome.TO_BEGIN.format(what=what.removesuffix("."))


def link_button() -> Element:
    """Return the button that offers every account to link."""
    return kit.button(welcome.LINK_ACCOUNT, "link", style=kit.PRIMARY)


def list_button(*, style: str | None = None) -> Element:
    """Return the button that shows a person's workspaces, in a message of its own."""
    return kit.button(welcome.SHOW, "list", style=style)


def new_button(connection: str | None) -> Element:
    """Return *New workspace* for one connection, or for whichever the person then chooses."""
    if connection is None:
        return kit.button(answers.NEW_WORKSPACE, "new")
    return kit.button(answers.NEW_WORKSPACE, "make", f"workspace {connection}")


def help_button(folder: str, *, is_short: bool = False) -> Element:
    """Return the button that shows help, in short or with everything that the person may do."""
    action = "help" if folder == "workspace" else f"{folder}_help"
    return kit.button(welcome.HELP, action) if is_short else kit.button(welcome.HELP_ALL, action, "all")


def introduced(answer: Answer, what: str, steps: Sequence[Element], *, is_first: bool = False) -> Answer:
    """Return an answer with what Usher is before it, and the first steps that it doesn't offer below it.

    Somebody with nothing linked (``is_first``) reads one sentence where what they asked for waits for that.
    """
    links = [one for one in kit.buttons_of(answer.blocks) if _kind(one) == "link"]
    if is_first and any(" " in one.get("value", "") for one in links):
        rows = [block for block in answer.blocks if block["type"] == "actions"]
        return kit.with_blocks(answer, (kit.section(begins(what)), *rows))
    what = begins(what) if is_first else what
    offered = {_kind(element) for element in kit.buttons_of(answer.blocks)}
    missing = [step for step in steps if _kind(step) not in offered]
    body = answer.blocks or (kit.section(limits.cut(answer.text, limits.SECTION)),)
    is_said = any(what in str((block.get("text") or {}).get("text")) for block in body)
    first = str((body[0].get("text") or {}).get("text"))
    if first.startswith(welcome.HI):
        what = f"{welcome.HI}{what}"
        body = (kit.section(first.removeprefix(welcome.HI)), *body[1:])
    head = [] if is_said else [kit.section(what)]
    tail = kit.actions(missing)
    room = limits.MESSAGE_BLOCKS - len(head) - len(tail)
    return kit.with_blocks(answer, (*head, *body[:room], *tail))


def _kind(element: Element) -> str:
    name = Press.read(str(element.get("action_id") or "")).name
    return _KINDS.get(name, name)
