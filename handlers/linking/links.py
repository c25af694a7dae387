"""Link an account: the link, the code that is typed back, and who Usher thinks a person is."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.notices import Answer
from bot.domain.people import Account
from bot.messages.blocks import kit, replies
from bot.messages.blocks.limits import Markup, fill
from bot.messages.blocks.replies import list_button
from bot.messages.texts import answers as words
from bot.messages.texts import cards
from bot.services import naming
from handlers import routes
from handlers.language.names import Names
from handlers.linking.account import ways
from handlers.linking.approvals import asked, question
from handlers.linking.connections import connection_of
from handlers.payload import value_in
from handlers.request import Request
from handlers.talking import as_command


@routes.verb("workspace", "link", does=routes.Does.SHOWS)
async def link(request: Request) -> Answer:
    """Answer with *Link* for one connection or for all; ``link code`` asks for the code of the page."""
    services = request.services
    if request.target:
        # A button for one connection.
        request = replace(request, arguments=(request.target,))
    if request.name.casefold() == "code" and "code" not in services.connections:
        return replies.code_question()
    linkable, linkless = services.linkable(), services.linkless()
    names = sorted({name for name, _ in linkable} | set(services.approvable()))
    if request.name:
        opening = await _link_of_a_workspace(request)
        if opening is not None:
            return opening
        chosen, username = _chosen(request)
        if chosen in dict(linkless):
            return _needless(request, [(chosen, services.title(chosen))])
        if username and chosen in services.approvable():
            return await asked(request, chosen, username)
        names = [chosen]
    if len(names) == 1 and names[0] in services.approvable() and names[0] not in dict(linkable):
        return await question(request, names[0])
    if not names:
        if linkless:
            return _needless(request, linkless)
        return replies.hint(words.NO_CONNECTIONS)
    buttons = ways(services, names)
    if len(names) > 1:
        return replies.hint(words.LINK_WHICH, buttons)
    title = services.title(names[0])
    # Connections that people can't link themselves are offered too: a click says why not.
    buttons = buttons or replies.link_buttons([(names[0], title)])
    account = await services.store.account(request.principal, names[0])
    if account is not None and account.state == "active":
        sentence = fill(words.LINKED_AS, title=title, username=account.username)
    else:
        sentence = fill(words.LINK_ONE, title=title)
    return replies.hint(sentence, buttons)


def _needless(request: Request, linkless: list[tuple[str, str]]) -> Answer:
    titles = request.services.titles(name for name, _ in linkless)
    return replies.answer(fill(words.LINK_NONE, titles=titles), replies.new_buttons(linkless))


async def _link_of_a_workspace(request: Request) -> Answer | None:
    """Offer to open the workspace that is named where no connection is; None for anything else."""
    connections = request.services.connections
    if naming.leading_connection(request.arguments, connections)[0] is not None:
        return None
    rows = await request.services.store.workspaces(request.principal)
    spans = Names(rows, (), connections).spans(request.arguments)
    named = [one for span in spans for one in span.workspaces]
    return as_command(request.about("workspace", "open", (named[0].title,))) if len(named) == 1 else None


def _chosen(request: Request) -> tuple[str, str]:
    """Return the connection and the username after it, if there is one."""
    connection, rest = naming.leading_connection(request.arguments, request.services.connections)
    if connection is not None and len(rest) < 2:
        return connection, "".join(rest)
    return connection_of(request, request.name), ""


@routes.action("invite")
async def invite(request: Request) -> Answer:
    """Create the link; the button's command waits for it and runs with the presser's rights."""
    connection, _, text = (request.target or "").partition(" ")
    waiting = request.waiting(text).as_body() if text else None
    accounts = request.services.accounts
    url = await accounts.invite(request.principal, connection, waiting, request.surface.interaction)
    title, asks = request.services.title(connection), connection in request.services.approvable()
    ask = replies.ask_button(connection, title, text=text) if asks else None
    return replies.invitation(url, title, code_comes=not accounts.sign_in, ask=ask)


@routes.action("enter_code")
async def enter_code(request: Request) -> Answer:  # noqa: ARG001 - all handlers have this signature
    """Answer with the form; its text is for when Slack doesn't open it."""
    return replies.code_question()


@routes.view("code")
async def code_typed(request: Request) -> Answer:
    """Finish linking; what is wrong with the code is shown at its field."""
    services = request.services
    account = await services.accounts.confirm_code(request.principal, value_in(request.view, "code"))
    return Answer(text="", view=replies.linked_view(services.title(account.connection), account.username))


@routes.verb("workspace", "whoami", does=routes.Does.SHOWS)
async def whoami(request: Request) -> Answer:
    """Answer with the principal and the links; none of it is secret."""
    services = request.services
    installation = services.authority.installation.at(request.principal)
    is_here = bool(installation.team_name) and request.principal.team_id == installation.id
    template = words.WHOAMI if is_here else words.WHOAMI_ELSEWHERE
    sentences = [fill(template, who=request.who, team=installation.team_name)]
    if installation.is_administrator(request.principal):
        sentences.append(words.WHOAMI_ADMINISTRATOR)
    accounts = {account.connection: account for account in await services.store.accounts(request.principal)}
    linkless = {name for name, _ in services.linkless()}
    lines = [
        fill(words.WHOAMI_LINKLESS, title=services.title(connection))
        if connection in linkless
        else _line(services.title(connection), accounts.get(connection), services.clock.now())
        for connection in sorted({*services.connections, *accounts})
    ]
    missing = [(name, title) for name, title in services.linkable() if name not in accounts]
    refused = [
        (name, title) for name, title in services.linkable() if name in accounts and accounts[name].is_refused
    ]
    again = cards.LINK_AGAIN if len(refused) == 1 else cards.LINK_AGAIN_TO
    buttons = replies.link_buttons(missing)
    buttons += replies.link_buttons(refused, template=again, first=len(missing))
    buttons += [list_button()] if accounts or linkless else []
    text = "\n".join([" ".join(sentences), *lines])
    blocks = [kit.section(text), *kit.actions(buttons)]
    return kit.answer(kit.bare(sentences[0]), blocks)


def _line(title: str, account: Account | None, now: float) -> str:
    if account is None:
        return fill(words.WHOAMI_NOT_LINKED, title=title)
    if account.state == "refused":
        return fill(words.WHOAMI_REFUSED, title=title)
    template = words.WHOAMI_LINKED if account.username else words.WHOAMI_LINKED_NAMELESS
    linked = fill(template, title=title, username=account.username)
    if account.refused_since is None:
        return linked
    return fill(words.WHOAMI_SUSPECTED, linked=Markup(linked), since=kit.moment(account.refused_since, now))
