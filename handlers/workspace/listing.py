"""Show workspaces: all of a person's, what one is doing, and how to open it."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.notices import Answer
from bot.domain.workspaces import State
from bot.messages.blocks import buttons, lists, replies
from bot.messages.blocks.buttons import open_buttons, start_button
from bot.messages.blocks.cards import opening
from bot.messages.blocks.limits import fill
from bot.messages.blocks.replies import help_button, list_button
from bot.messages.texts import answers as words
from handlers import narrowed, routes
from handlers.linking.account import linked
from handlers.narrowed import workspaces_like
from handlers.request import Request
from handlers.welcome import new_step
from handlers.workspace.operations import as_it_is, not_there
from handlers.workspace.targets import nothing_yet, old_and_rows, workspace_of


@routes.verb("workspace", "list", flags=("share",), does=routes.Does.SHOWS)
async def show_list(request: Request) -> Answer:
    """Answer with a page of the list; ``list 2`` and the button *More* show later ones.

    Words narrow it: to a state, a connection, names; the buttons keep them.
    """
    services = request.services
    # A button of a list carries its page and redraws it; other buttons ask for a list of its own.
    is_redrawn = request.surface.kind == "button" and request.target is not None
    if not request.text and not is_redrawn:
        request = replace(request, text="list")
    rows = await services.store.workspaces(request.principal)
    if not rows:
        old, rows = await old_and_rows(request)
        if not rows:
            return await nothing_yet(request, old)
    stale = await services.workspaces.stale(request.principal)
    remark = ""
    if stale:
        await services.workspaces.look(stale)
        titles = services.titles(account.connection for account in stale)
        remark = fill(words.OLD_SNAPSHOT, titles=titles)
    page, given = narrowed.asked(request)
    part = workspaces_like(given, rows, services.connections)
    if part is not None and not part.rows:
        return narrowed.none_of_these(request, part, words.WORKSPACES, "list", [list_button()], remark)
    remark = f"{narrowed.remark(request, part, len(rows))} {remark}".strip()
    if request.is_shared:
        # What the list offers to its owner would refuse everybody else.
        remark = fill(words.LIST_SHARED_NEXT, command=request.command)
    return lists.workspace_list(
        await services.gatherer.of_all(request.principal, rows if part is None else part.rows),
        page=page,
        remark=remark,
        shared_by=request.who if request.is_shared else None,
        replaces=is_redrawn,
        more=[*await new_step(services, request.principal), help_button("workspace", is_short=True)],
        only=narrowed.only(request, part, words.WORKSPACES),
    )


@routes.verb("workspace", "status", flags=("share",), does=routes.Does.SHOWS)
async def status(request: Request) -> Answer:
    """Answer with the card of what is under way, otherwise with the state; without a name, with the list."""
    if request.target is None:
        rows = await request.services.store.workspaces(request.principal)
        if len(rows) != 1:
            return await show_list(request)
        request = replace(request, target=rows[0].id)
    return await as_it_is(request, await workspace_of(request))


@routes.verb("workspace", "open", flags=("share",), does=routes.Does.SHOWS)
async def show_address(request: Request) -> Answer:
    """Answer with the address if there is one; never in a channel, even if asked to share it."""
    services = request.services
    workspace = await workspace_of(request)
    await linked(request, workspace.connection)
    if workspace.state is State.GONE:
        return not_there(request, workspace)
    facts = await services.gatherer.of_workspace(workspace)
    if workspace.state is State.RUNNING:
        if facts.ide_url:
            sentence = f"{fill(words.OPENING, name=workspace.title)} {opening(facts)}"
            return replies.opening(facts, "\n".join([sentence, *buttons.ends(facts)]))
        await services.workspaces.refresh(request.principal, workspace.id)
        return replies.answer(opening(facts), open_buttons(facts))
    operation = await services.store.latest_operation(workspace.id)
    if operation is not None and operation.is_open:
        return lists.card_answer(await services.gatherer.of_workspace(workspace, operation))
    sentence = lists.in_its_state(facts.now, workspace, words.NOT_RUNNING)
    return replies.hint(sentence, [start_button(workspace)])
