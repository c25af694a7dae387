"""Lists of workspaces, paged to stay within a message's 50 blocks, and the answer about one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.domain.facts import WorkspaceFacts
from bot.domain.notices import Answer, Spoken
from bot.domain.workspaces import State, Workspace
from bot.messages.blocks import kit, limits
from bot.messages.blocks.buttons import offered, page_button
from bot.messages.blocks.cards import operation_card
from bot.messages.blocks.kit import Block, Element
from bot.messages.blocks.limits import Markup, fill, safe
from bot.messages.blocks.paging import listed, page_of, row
from bot.messages.blocks.replies import search
from bot.messages.blocks.timers import ends, later_button
from bot.messages.texts import answers as words
from bot.messages.texts import cards

#: Two blocks each, with room for a title, a remark and the buttons below.
PAGE = 20


def state_line(facts: WorkspaceFacts, workspace: Workspace) -> str:
    """Return one workspace's state, and when it was seen."""
    state, as_of = state_words(facts.now, workspace)
    return fill(
        words.STATE_LINE,
        name=workspace.title,
        title=facts.connection_title,
        state=state,
        as_of=as_of,
    )


def state_words(now: float, workspace: Workspace) -> tuple[Markup, Markup]:
    """Return a workspace's state, with since when it runs if that is known, and when it was seen."""
    state = Markup(cards.UNMADE if workspace.is_provisional else cards.STATES[workspace.state])
    if workspace.state is State.RUNNING and workspace.started_at is not None:
        state = Markup(fill(words.SINCE, since=kit.moment(workspace.started_at, now)))
    if workspace.is_provisional or workspace.observed_at is None:
        return state, Markup(words.NEVER_CHECKED)
    return state, Markup(fill(words.SEEN, at=kit.moment(workspace.observed_at, now)))


def workspace_list(
    rows: Sequence[WorkspaceFacts],
    *,
    page: int = 1,
    remark: str = "",
    shared_by: str | None = None,
    replaces: bool = False,
    more: Iterable[Element] = (),
    only: Mapping[str, Any] | None = None,
) -> Answer:
    """List workspaces; ``shared_by`` (a mention) makes a list for everybody, without addresses.

    ``rows`` are all of them; a page beyond the end becomes the last one. ``only`` says that they are some of
    the person's: what they are, the words that ask for them, and how they are found again. A list of one's
    own begins with a menu: a search that leads to any workspace, and the buttons ``more``.
    """
    one = page_of(rows, page, PAGE)
    what, typed = (only["what"], only["words"]) if only is not None else (words.WORKSPACES, "")
    title = fill(words.LIST, what=Markup(what))
    if shared_by is not None:
        title = fill(words.LIST_SHARED, who=Markup(shared_by), what=Markup(what))
    is_shared = shared_by is not None
    drawn = [block for facts in one.shown for block in _row(facts, is_shared=is_shared)]
    blocks = listed(title, drawn, one, remark, verb="" if is_shared else "list", words=typed)
    menu = [] if is_shared else [*([search("status")] if len(rows) > 1 else []), *more]
    blocks[1:1] = kit.actions(menu)
    text = "; ".join(_short(facts) for facts in one.shown[:5])
    return kit.answer(text or title, blocks, in_channel=is_shared, replaces=replaces, about=_about(one.shown))


def card_answer(facts: WorkspaceFacts, *, remark: str = "") -> Answer:
    """Answer with the card of what is under way, and as of when: elsewhere an answer isn't redrawn."""
    card = operation_card(facts)
    # What carries out a timer has no card of its own.
    has_card = facts.operation is None or facts.operation.planned_for is None
    below = fill(words.AS_OF if has_card else words.AS_OF_ALONE, at=kit.moment(facts.now, facts.now))
    above = [kit.section(remark)] if remark else []
    blocks = [*above, *card.blocks, kit.context(below)]
    return kit.answer(remark or card.text, blocks, about=_about([facts]))


def _about(rows: Iterable[WorkspaceFacts]) -> Spoken:
    return Spoken(tuple(facts.workspace.id for facts in rows if facts.workspace is not None))


def status_answer(
    facts: WorkspaceFacts, workspace: Workspace, *, in_channel: bool = False, remark: str = "", more: str = ""
) -> Answer:
    """Answer what one workspace is doing, and what can be done; ``remark`` comes first, ``more`` last."""
    text = "\n".join([*([remark] if remark else []), _lines(facts, workspace, is_shared=in_channel)])
    if workspace.last_used_at is not None and not in_channel:
        text = f"{text}\n{fill(words.LAST_USED, at=kit.moment_at(workspace.last_used_at, facts.now))}"
    if workspace.detail:
        text = f"{text}\n{safe(workspace.detail, 300)}"
    text = f"{text}\n{more}" if more else text
    # Everybody reads a shared answer, and only the owner could press what it offers.
    buttons: list[Element] = []
    if not in_channel:
        refresh = kit.button(cards.REFRESH, "status", workspace.id)
        later = later_button(facts) if workspace.state is State.RUNNING else []
        buttons = [*row_buttons(facts, workspace), *later, refresh, *page_button(facts)]
    return kit.message(_short(facts), text, buttons=buttons, in_channel=in_channel, about=_about([facts]))


def _row(facts: WorkspaceFacts, *, is_shared: bool) -> list[Block]:
    workspace = facts.workspace
    assert workspace is not None, "a row of a list shows a workspace"
    said = _lines(facts, workspace, is_shared=is_shared)
    # Of many rows, none is coloured.
    return row(said, [] if is_shared else [kit.quiet(one) for one in row_buttons(facts, workspace)])


def _lines(facts: WorkspaceFacts, workspace: Workspace, *, is_shared: bool) -> str:
    """Return a workspace's state, and for its owner until when."""
    return "\n".join([state_line(facts, workspace), *([] if is_shared else ends(facts))])


def row_buttons(facts: WorkspaceFacts, workspace: Workspace) -> list[Element]:
    """Return what can be done with a workspace in a list that only its owner reads."""
    return offered(facts, opening=[_open_button(facts, workspace)])


def _open_button(facts: WorkspaceFacts, workspace: Workspace) -> Element:
    """Return *Open* with the address itself, or a button we answer if it isn't known."""
    if not facts.ide_url:
        return kit.button(cards.OPEN, "open", workspace.id, style=kit.PRIMARY)
    return kit.button(cards.OPEN, "open_url", style=kit.PRIMARY, url=facts.ide_url)


def _short(facts: WorkspaceFacts) -> str:
    workspace = facts.workspace
    assert workspace is not None, "a row of a list shows a workspace"
    state = cards.UNMADE if workspace.is_provisional else cards.STATES[workspace.state]
    text = fill(
        words.STATE_SHORT,
        name=workspace.title,
        title=facts.connection_title,
        state=Markup(state.lower()),
    )
    return limits.cut(text.rstrip("."), 200)
