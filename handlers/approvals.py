"""Requests to link accounts, which administrators approve or deny.

Possible owners of a requested account are asked, too. If one of them says that it is theirs, the request
is denied.
"""

from bot.domain.accounts import Approval
from bot.domain.approvals import UNDECIDED
from bot.domain.notices import Answer
from bot.domain.surfaces import Surface
from bot.messages.blocks import approvals as drawn
from bot.messages.blocks import kit, replies
from bot.messages.blocks.kit import Markup, fill
from bot.messages.blocks.links import RESTING_BUTTON
from bot.messages.texts import pages, requests
from bot.messages.verb import Effect, Verb
from bot.services import approvals as use_cases
from handlers.linking import ask_for_username
from handlers.requests import routes
from handlers.requests.deferred_command import DeferredCommand
from handlers.requests.payload import find_value
from handlers.requests.request import Request


@routes.action("ask_link")
async def ask_link(request: Request) -> Answer:
    """Open the form that asks for a username. If Slack doesn't open it, answer with text instead."""
    connection, _, text = (request.target or "").partition(" ")
    return await ask_for_username(request, connection, text)


@routes.view("ask_link")
async def submit_username(request: Request) -> Answer:
    """Send the request to the administrators. If the username is wrong, say so next to its field."""
    connection, _, text = request.form_payload.partition(" ")
    # The command was written by Usher itself. It runs once the account is linked, with the permissions that
    # the person has then.
    surface = Surface("replay", interaction=request.surface.interaction)
    deferred_command = DeferredCommand(text=text, surface=surface).as_body()
    username = find_value(request.view, "username").strip()
    asked = await use_cases.request(
        request.caller, connection, username, deferred_command=deferred_command if text else None
    )
    sentence = fill(pages.ASKED, title=request.services.title(connection), username=asked.username)
    return Answer(text="", view=kit.modal(pages.ASK_TITLE, [kit.section(sentence)]))


@routes.action("approve")
async def approve(request: Request) -> Answer:
    """Approve the request that the button is about.

    If a link is suspended because its username now belongs to another account, approve that account. Usher
    checks the account at the provider before linking it.
    """
    if (request.target or "").startswith(f"{RESTING_BUTTON}/"):
        return await _approve_resting(request)
    return await decide(request, approve=True)


@routes.action("deny")
async def deny(request: Request) -> Answer:
    """Deny the request that the button is about, and notify the requester."""
    return await decide(request, approve=False)


async def _approve_resting(request: Request) -> Answer:
    key, _, other_id = (request.target or "").partition(" ")
    account_id = key.removeprefix(f"{RESTING_BUTTON}/")
    account, is_new = await request.caller.run(use_cases.approve_resting, account_id, other_id)
    names = await request.services.gatherer.find_names(request.principal, account.principal, in_full=True)
    who, title = kit.mention(names[account.principal.key]), request.services.title(account.connection)
    if not is_new:
        return replies.answer(
            fill(pages.DECIDED_ALREADY, state=Markup(pages.STATES["approved"])), replaces=True
        )
    sentence = fill(requests.APPROVING_RESTING, username=account.username, title=title, who=who)
    return replies.answer(sentence, replaces=True)


@routes.action("mine")
async def claim_account(request: Request) -> Answer:
    """Close a request to link an account, because the user says that the account is theirs."""
    approval = await _say_whose(request, is_theirs=True)
    return replies.answer(requests.NOTED_MINE, request.services.make_link_buttons([approval.connection]))


@routes.action("not_mine")
async def disclaim_account(request: Request) -> Answer:
    """Tell the administrators that, according to the user, the account isn't theirs."""
    await _say_whose(request, is_theirs=False)
    return replies.answer("Thanks, I've told the Usher admins.")


async def _say_whose(request: Request, *, is_theirs: bool) -> Approval:
    approval_id, _, username = (request.target or "").partition(" ")
    return await request.caller.run(use_cases.record_owner_answer, approval_id, username, is_theirs=is_theirs)


@routes.verb(
    Verb(
        usage="approvals",
        summary="list the open requests to link an account, to approve or deny them",
        group="administrators",
        order=295,
        needs=("administrator",),
        effect=Effect.SHOWS,
    )
)
async def show_open_requests(request: Request) -> Answer:
    """List the open requests that the administrator can approve or deny, with buttons for both."""
    return await _list_open(request)


async def _list_open(request: Request, outcome: str = "") -> Answer:
    services = request.services
    found = await request.caller.read(use_cases.list_open_requests)
    named = {
        key
        for one in found[: drawn.MAX_LISTED]
        for key in (one.principal.key, *(one.similar_users or ()), *(one.answers or {}))
    }
    people = await services.gatherer.name_people(request.principal, *named)
    titles = {one.connection: services.title(one.connection) for one in found}
    return drawn.render_open_requests(found, titles, people, outcome)


async def decide(request: Request, *, approve: bool) -> Answer:
    """Approve or deny a request on behalf of an administrator.

    The answer replaces the message with the buttons. If that message was a list, the answer also lists the
    remaining requests.
    """
    outcome = await _decide(request, approve=approve)
    if request.press is not None and request.press.mark == drawn.LISTED:
        return await _list_open(request, outcome)
    return replies.answer(outcome, replaces=True)


async def _decide(request: Request, *, approve: bool) -> str:
    approval_id, _, username = (request.target or "").partition(" ")
    approval, is_new = await request.caller.run(use_cases.decide, approval_id, username, approve=approve)
    names = await request.services.gatherer.find_names(request.principal, approval.principal, in_full=True)
    who = kit.mention(names[approval.principal.key])
    title = request.services.title(approval.connection)
    if is_new:
        template = pages.APPROVING if approve else "Denied. I'll tell {who}."
        return fill(template, username=approval.username, title=title, who=who)
    if approval.username != username:
        return fill("{who} has asked for another username since. Look at the newest request.", who=who)
    known = UNDECIDED if approval.detail == UNDECIDED else approval.state
    return fill(pages.DECIDED_ALREADY, state=Markup(pages.STATES.get(known, known)))
