"""Links that an administrator approves: the person's request, and the administrator's decision."""

from __future__ import annotations

from bot.domain.notices import Answer
from bot.messages.blocks import kit, replies
from bot.messages.blocks.limits import Markup, fill
from bot.messages.texts import pages
from bot.services import accounts
from handlers import routes
from handlers.payload import value_in
from handlers.request import Request, Waiting


@routes.action("ask_link")
async def ask_link(request: Request) -> Answer:
    """Answer with the form; its text is for when Slack doesn't open it."""
    connection, _, text = (request.target or "").partition(" ")
    return await question(request, connection, text)


@routes.view("ask_link")
async def username_typed(request: Request) -> Answer:
    """Send the request to the administrators; what is wrong with the username is shown at its field."""
    connection, _, text = request.carried.partition(" ")
    # What waits for the link: our own keys and words, which run with the rights that the person has then.
    waiting = Waiting(request.principal.key, text, interaction=request.surface.interaction).as_body()
    username = value_in(request.view, "username").strip()
    asked = await request.asked.to(accounts.ask, connection, username, waiting=waiting if text else None)
    sentence = fill(pages.ASKED, title=request.services.title(connection), username=asked.username)
    return Answer(text="", view=kit.modal(pages.ASK_TITLE, [kit.section(sentence)]))


@routes.action("approve")
async def approve(request: Request) -> Answer:
    """Approve what the button showed; the check at the provider follows."""
    return await decided(request, approve=True)


@routes.action("deny")
async def deny(request: Request) -> Answer:
    """Deny what the button showed; the person is told."""
    return await decided(request, approve=False)


async def question(request: Request, connection: str, text: str = "") -> Answer:
    """Ask for the username, with a form where one can be opened, otherwise in words.

    ``text`` is the command that waits for the link; the button and the form carry it.
    """
    services = request.services
    title = services.title(connection)
    person = await services.store.person(request.principal)
    suggestion = person.name if person is not None and " " not in person.name else ""
    sentence = fill(pages.ASK, title=title, command=request.command)
    account = await services.store.account(request.principal, connection)
    if account is not None and account.state == "active":
        sentence = fill(
            pages.LINKED_ALREADY,
            username=account.username,
            title=title,
            command=request.command,
        )
    answer = replies.answer(sentence, [replies.ask_button(connection, title, text=text)])
    view = replies.ask_view(connection, title, suggestion)
    view["private_metadata"] = f"{connection} {text}".rstrip()
    return Answer(text=answer.text, blocks=answer.blocks, view=view)


async def asked(request: Request, connection: str, username: str) -> Answer:
    """Ask the administrators about the username that was typed."""
    approval = await request.asked.to(accounts.ask, connection, username)
    title = request.services.title(connection)
    return replies.answer(fill(pages.ASKED, title=title, username=approval.username))


async def decided(request: Request, *, approve: bool) -> Answer:
    """Decide a request as an administrator; the message with the buttons becomes the answer."""
    approval_id, _, username = (request.target or "").partition(" ")
    approval, is_new = await request.asked.to(accounts.decide, approval_id, username, approve=approve)
    names = await request.services.names.of(request.principal, approval.principal, in_full=True)
    who = kit.person(names[approval.principal.key])
    title = request.services.title(approval.connection)
    if is_new:
        template = pages.APPROVING if approve else pages.DENIED
        return replies.answer(fill(template, username=approval.username, title=title, who=who), replaces=True)
    if approval.username != username:
        return replies.answer(fill(pages.CHANGED, who=who), replaces=True)
    state = Markup(pages.STATES.get(approval.state, approval.state))
    return replies.answer(fill(pages.DECIDED_ALREADY, state=state), replaces=True)
