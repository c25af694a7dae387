"""Requests, creates and ends links to provider accounts, and finds the account that a verb needs."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from importlib import metadata
from zoneinfo import ZoneInfo

from bot.domain import time_parsing
from bot.domain.accounts import Account
from bot.domain.notices import Answer
from bot.domain.people import Named
from bot.domain.stops import Consent
from bot.domain.surfaces import Where
from bot.messages.blocks import kit, replies
from bot.messages.blocks.button_values import AGREED, ButtonValue
from bot.messages.blocks.commands import describe_command
from bot.messages.blocks.kit import Markup, fill, line
from bot.messages.blocks.links import format_affected, unlink_button
from bot.messages.blocks.lists import RUN_COMMAND
from bot.messages.texts import answers, cards, pages
from bot.messages.verb import Effect, Verb, find_verb, list_synonyms, to_present_name
from bot.services import accounts, approvals, linking, naming
from bot.services.revocations import classify_remaining_secret
from bot.store import accounts as account_rows
from bot.store import approvals as approval_rows
from bot.store import workspaces
from handlers.connections import (
    find_linked_connection,
    format_titles,
    list_overview_connections,
    require_connection,
    show_overview,
)
from handlers.helping import describe_usher
from handlers.requests import routes
from handlers.requests.command_line import fold_word, join_words
from handlers.requests.payload import find_value
from handlers.requests.request import SILENT, Answered, Request
from handlers.requests.suggestions import offer_as_command
from handlers.requests.vocabulary import EVERYTHING


@routes.verb(
    Verb(
        usage="link [CONNECTION]",
        summary="link your own account",
        more=("`link code` lets you enter the code that the link page shows you.",),
        group="accounts",
        order=260,
        needs=("linking",),
        effect=Effect.SHOWS,
        accepts=("connection",),
        also="login connect signin auth authenticate authorize authorise account token access",
    )
)
async def link(request: Request) -> Answer:
    """Answer with a link page, or a *Link* button for each connection. ``link code`` opens the code form."""
    services = request.services
    if request.target:
        request = replace(request, arguments=(request.target,))
    if request.name.casefold() == "code" and "code" not in services.connections:
        return replies.code_question()
    if request.name:
        opening = await _offer_named_workspace(request)
        return opening or await _link_to(request, *_parse_connection_and_username(request))
    names = [name for name, *_ in services.list_link_methods()]
    if len(names) == 1:
        return await _link_to(request, names[0])
    if names:
        question = await offer_link(request, "Which account do you want to link?", names, "")
        return replace(question, is_question=True)
    if linkless := services.linked_by("none"):
        return _answer_linkless(request, linkless)
    return replies.hint(answers.NO_CONNECTIONS)


async def _link_to(request: Request, connection: str, username: str = "") -> Answer:
    services, title = request.services, request.services.title(connection)
    if connection in services.linked_by("none"):
        return _answer_linkless(request, {connection: title})
    if connection in services.linked_by("admin"):
        if username:
            approval = await approvals.request(request.caller, connection, username)
            return replies.answer(fill(pages.ASKED, title=title, username=approval.username))
        if connection not in services.linked_by("token"):
            return await ask_for_username(request, connection)
    if linked := await _describe_link(request, connection):
        return await _invite(request, linked, [connection], "")
    answer = await _invite(request, fill(answers.LINK_ONE, title=title), [connection], "")
    return await _add_former_link_hint(request, answer, [connection])


async def _describe_link(request: Request, connection: str) -> str:
    account = await request.services.store.read(account_rows.find_account, request.principal, connection)
    if account is None or account.state != "active" or account.resting_since or account.refused_since:
        return ""
    template = answers.LINKED_AS if account.username else answers.LINKED_NAMELESS
    return fill(template, title=request.services.title(connection), username=account.username)


def _answer_linkless(request: Request, linkless: Mapping[str, str]) -> Answer:
    titles = request.services.titles(linkless)
    return replies.answer(fill(answers.LINK_NONE, titles=titles), replies.new_buttons(linkless))


async def _offer_named_workspace(request: Request) -> Answer | None:
    """Offer to open a workspace whose name was typed where a connection's name was expected.

    Return None if a connection was named, or if the name doesn't identify exactly one workspace.
    """
    connections = request.services.connections
    if naming.split_leading_connection(request.arguments, connections)[0] is not None:
        return None
    rows = await request.services.store.perform(workspaces.read_workspaces, request.principal)
    match = naming.find_whole(request.name, rows, connections)
    return (
        offer_as_command(request.redirect("workspace", "open", (match[0].title,)))
        if len(match) == 1
        else None
    )


def _parse_connection_and_username(request: Request) -> tuple[str, str]:
    connection, rest = naming.split_leading_connection(request.arguments, request.services.connections)
    if connection is not None and len(rest) < 2:
        return connection, "".join(rest)
    return require_connection(request, request.name), ""


@routes.action("invite")
async def invite(request: Request) -> Answer:
    """Create the link that a *Link* button asks for, and answer with a button that opens its page.

    Once the account is linked, the button's command runs with the permissions of the user who clicked it.
    """
    connection, _, text = (request.target or "").partition(" ")
    template = answers.NOT_LINKED if text else answers.LINK_ONE
    sentence = await _describe_link(request, connection)
    sentence = sentence or _format_wait(request, template, [connection], text)
    return await _invite(request, sentence, [connection], text)


async def _invite(
    request: Request,
    sentence: str,
    connections: Collection[str],
    text: str,
    template: str = cards.LINK,
    others: Mapping[str, str] | None = None,
) -> Answer:
    services, surface = request.services, request.surface
    # Slack never redelivers a submitted form. So if the same form arrives again, the person has submitted it
    # again, without having seen the first answer. Don't treat this as a repeated delivery.
    is_form = request.is_live and surface.view_external_id is not None
    once = "" if is_form else request.caller.interaction and f"{request.caller.interaction}/link"
    # After linking, the command's answer replaces the message that the stored response_url belongs to. For a
    # click on an ordinary button, that would be the message with this button, which has to stay, so don't
    # store the URL. When the user opens the link page, the URL of the message with the link is stored.
    keeps_url = surface.kind != "button" or surface.is_question
    deferred_command = request.defer(text, **{} if keeps_url else {"response_url": None})
    methods = [method for method in services.list_link_methods() if method[0] in connections]
    commands = {
        name: replace(deferred_command, linked=name).as_body() for name, _, by_token in methods if by_token
    }
    created = await replace(request.caller, interaction=once).run(linking.create_links, commands)
    return replies.invitation(
        sentence,
        methods,
        services.link_pages or created,
        waiting=text,
        template=template,
        asks=services.linked_by("admin"),
        others=others,
        until=None if services.link_pages else services.clock.now() + linking.LINK_SECONDS,
    )


def _format_wait(request: Request, template: str, connections: Sequence[str], text: str) -> str:
    """Return a sentence that says what the link is needed for, based on the waiting command (``text``).

    If the command doesn't say enough, fill in ``template`` instead.
    """
    services = request.services
    title = services.title(connections[0])
    folder = "job" if text.startswith("job ") else "workspace"
    typed = fold_word(next(iter(text.removeprefix("job ").split()), ""))
    name = to_present_name(folder, list_synonyms(folder).get(typed, typed))
    if folder == "job" and name == "run":
        return fill(answers.TO_DO, doing=Markup("run a job"), title=title)
    verb = find_verb(folder, name)
    is_about_course = "course" in verb.accepts and verb.does
    if not (verb.is_operation or is_about_course) or not text.split()[1:]:
        return fill_offer(template, text, title=title)
    first, *words = text.split()
    end = next((at for at in range(1, len(words)) if _is_time_or_flag(words[at:])), len(words))
    named = fill("*{name}*", name=" ".join(words[:end]).strip("\"'"))
    command = " ".join([first, "{name}", *words[end:]]) if verb.is_operation else text
    doing = describe_command(command, services.clock.now())
    doing = line(f"{doing[:1].lower()}{doing[1:]}".replace(" my ", " your ")).replace("{name}", named)
    template = "To {doing}, link the account it's on." if connections[1:] else answers.TO_DO
    return fill(template, doing=Markup(doing), title=title)


def _is_time_or_flag(words: Sequence[str]) -> bool:
    return words[0].startswith("--") or bool(time_parsing.time_kind(" ".join(words)))


@routes.action("enter_code")
async def enter_code(request: Request) -> Answer:  # noqa: ARG001 - all handlers have this signature
    """Open the form for the code that the link page shows. If that fails, answer with a button instead."""
    return replies.code_question()


@routes.view("code")
async def submit_code(request: Request) -> Answer:
    """Link the account if the code from the link page is right. If not, say so next to the form's field."""
    services = request.services
    account = await request.caller.run(linking.confirm_code, find_value(request.view, "code"))
    return Answer(text="", view=replies.linked_view(services.title(account.connection), account.username))


@routes.verb(
    Verb(
        usage="about [CONNECTION]",
        summary="show who you are here, which accounts you've linked, and which version of Usher this is",
        more=(
            "For Usher admins, `about CONNECTION` shows a connection's server and its users.",
            "`about CONNECTION 2` shows the second page of these.",
        ),
        group="accounts",
        order=280,
        effect=Effect.SHOWS,
        accepts=("connection",),
        also="accounts links ver --version -v",
        former={"whoami": "about", "version": "about"},
        alone="Show my accounts",
    )
)
async def show_about(request: Request) -> Answer:
    """Show who the user is. If a connection is named, show an overview of its server instead."""
    return await (show_overview(request) if request.target or request.name else _show_identity(request))


async def _show_identity(request: Request) -> Answer:
    services = request.services
    installation = services.context.installation.find_for(request.principal)
    is_here = bool(installation.team_name) and request.principal.team_id == installation.id
    template = "You are {who} in *{team}*." if is_here else "You are {who}."
    sentences = [
        fill(template, who=kit.mention(Named(request.principal.user_id)), team=installation.team_name)
    ]
    if installation.is_administrator(request.principal):
        sentences.append("You are an Usher admin.")
        if described := list_overview_connections(services):
            known = format_titles(services, described)
            sentences.append(request.fill(answers.WHOAMI_ABOUT, known=known))
    accounts = {
        account.connection: account
        for account in await services.store.read(account_rows.list_accounts, request.principal)
    }
    linkless = services.linked_by("none")
    zone = await request.find_zone()
    lines = [
        fill("*{title}*: nothing to link", title=services.title(connection))
        if connection in linkless
        else _format_account(services.title(connection), accounts.get(connection), services.clock.now(), zone)
        for connection in dict.fromkeys([*services.connections, *sorted(accounts)])
    ]
    methods = [method for method in services.list_link_methods() if method[2]]
    missing = [method for method in methods if method[0] not in accounts]
    refused = [method for method in methods if method[0] in accounts and accounts[method[0]].is_refused]
    relink = cards.LINK_AGAIN if len(refused) == 1 else "Link {title} again"
    buttons = replies.link_buttons(missing, services.link_pages)
    buttons += replies.link_buttons(refused, services.link_pages, template=relink, first=len(missing))
    buttons += [replies.list_button()] if accounts or linkless else []
    text = kit.join([" ".join(sentences), *lines], "\n")
    version = fill(answers.VERSION, version=metadata.version("usher-bot"))
    return kit.answer([kit.section(text), kit.context(version), *kit.actions(buttons)])


def _format_account(title: str, account: Account | None, now: float, zone: ZoneInfo | None) -> str:
    if account is None:
        return fill("*{title}*: not linked", title=title)
    if account.resting_since is not None:
        since = kit.since(account.resting_since, now, zone)
        return fill(answers.WHOAMI_RESTING, title=title, username=account.username, since=since)
    if account.state == "refused":
        return fill("*{title}*: the link is no longer accepted", title=title)
    template = "*{title}*: linked as {username}" if account.username else "*{title}*: linked"
    linked = fill(template, title=title, username=account.username)
    if account.username and account.link_source:
        until = kit.day(account.expires_at, now, zone) if account.expires_at is not None else Markup("")
        linked = fill(answers.WHOAMI_MADE_BY[account.link_source], linked=Markup(linked), until=until)
    if account.refused_since is None:
        return linked
    return fill(answers.WHOAMI_HELD, linked=Markup(linked), since=kit.since(account.refused_since, now, zone))


async def ask_for_username(request: Request, connection: str, text: str = "") -> Answer:
    """Ask for the username in a form or, if no form can be opened, in a message.

    The button and the form contain ``text``, the command that is waiting for the link.
    """
    services = request.services
    title = services.title(connection)
    person = await services.store.person(request.principal)
    suggestion = person.name if person is not None and " " not in person.name else ""
    sentence = request.fill(pages.ASK, title=title)
    account = await services.store.read(account_rows.find_account, request.principal, connection)
    if account is not None and account.state == "active":
        sentence = request.fill(pages.LINKED_ALREADY, username=account.username, title=title)
    answer = replies.answer(sentence, [replies.ask_button(connection, title, text=text)])
    view = replies.ask_view(connection, title, suggestion)
    view["private_metadata"] = f"{connection} {text}".rstrip()
    return Answer(text=answer.text, blocks=answer.blocks, view=view)


_MENTION_PATTERN = re.compile(r"<@([UW][A-Z0-9]+)>")


@routes.verb(
    Verb(
        usage="unlink CONNECTION",
        summary="delete my access to your account; `unlink all` removes every link",
        more=(
            "It also withdraws a request to link your account that the Usher admins haven't decided yet.",
            "Usher admins can unlink somebody else with `unlink CONNECTION @PERSON`.",
        ),
        group="accounts",
        order=270,
        needs=("linked",),
        effect=Effect.ENDS,
        flags=(AGREED,),
        accepts=("connection",),
        also="logout disconnect signout revoke",
    )
)
async def unlink(request: Request) -> Answer:
    """Remove Usher's access, after asking for confirmation. Everything at the provider keeps running."""
    person = next((found for word in request.arguments if (found := _MENTION_PATTERN.fullmatch(word))), None)
    if person is not None:
        return await _unlink_other(request, person)
    name = request.target or request.name
    ending = [
        account.connection
        for account in await request.services.store.read(account_rows.list_accounts, request.principal)
        if not _is_linkless(request, account.connection)
    ]
    whole = naming.find_connection(name, request.services.connections, is_whole=True)
    if whole is not None and _is_linkless(request, whole):
        title = request.services.title(whole)
        return replies.hint(request.fill(answers.NOTHING_TO_UNLINK, title=title))
    if (withdrawn := await _withdraw_requests(request, name, ending)) is not None:
        return withdrawn
    if not ending:
        return replies.hint(request.fill("You haven't linked an account. Type `{command}link` to link one."))
    titles = {connection_: request.services.title(connection_) for connection_ in ending}
    matching = naming.find_titles(name, titles) if name else ending
    if not name or len(matching) > 1:
        # Titles aren't always unique: a removed connection can have the same title as a newer one.
        labels = {
            connection_: title if [*titles.values()].count(title) == 1 else f"{title} ({connection_})"
            for connection_, title in titles.items()
        }
        buttons = [
            unlink_button(connection_, labels[connection_], number)
            for number, connection_ in enumerate(matching)
        ]
        return replies.ask("Which account do you want to unlink?", buttons)
    connection = _find_connection_to_unlink(request, name, ending)
    is_guess = connection is not None and not matching
    if is_guess or AGREED not in request.flags:
        return await _ask_before_unlinking(request, connection, ending)
    ending = [connection] if connection else ending
    affected = await request.caller.read(accounts.find_affected, ending)
    # In a direct message, the notice about the unlinking is enough, so the command isn't answered. But the
    # answer to a question has to replace the question.
    is_answered = request.surface.is_question or not request.is_read_with_cards
    ended = await request.caller.run(accounts.unlink, ending, is_answered=is_answered)
    if not ended:
        return _answer_not_linked(request, ending)
    if not is_answered:
        return SILENT
    unlinked = {account.connection for account in ended}
    revocations = {
        connection_.connection: classify_remaining_secret(request.services.context, connection_)
        for connection_ in ended
    }
    sentences = [
        fill(
            template, title=request.services.titles(name for name in revocations if revocations[name] == word)
        )
        for word, template in answers.UNLINKED.items()
        if word in revocations.values()
    ]
    return replies.answer(
        " ".join([*sentences, *format_affected(affected)]), request.services.make_link_buttons(unlinked)
    )


async def _withdraw_requests(request: Request, name: str, linked: Collection[str]) -> Answer | None:
    """Withdraw the person's requests to link an account, on the named connection or on all unlinked ones.

    Return None if there are no such requests.
    """
    services = request.services
    titles = {one: title for one, title in services.linked_by("admin").items() if one not in linked}
    is_all = not name or name.casefold() in EVERYTHING
    named = titles if is_all and not linked else naming.find_titles(name, titles)
    asked = [
        one
        for one in named
        if await services.store.read(approval_rows.find_open_request, request.principal, one)
    ]
    if not asked:
        return None
    await request.caller.run(approvals.withdraw, asked)
    return replies.answer(fill(answers.WITHDREW, title=services.titles(asked)))


async def _ask_before_unlinking(
    request: Request, connection: str | None, linked_connections: list[str]
) -> Answer:
    """Ask for confirmation before unlinking ``connection`` or, if it is None, all connections."""
    ending = [connection] if connection else linked_connections
    effect = fill(cards.UNLINK_EFFECT, title=request.services.titles(ending))
    affected = await request.caller.read(accounts.find_affected, ending)
    means = format_affected(affected, is_done=False) or [cards.UNLINK_MEANS]
    ask = fill(answers.TO_CONTINUE, button=cards.UNLINK)
    button = kit.button(
        cards.UNLINK, ButtonValue("unlink", connection or "all", agreed=Consent.GIVEN), style=kit.DANGER
    )
    return replies.ask(" ".join([effect, *means, ask]), [button])


def _is_linkless(request: Request, connection: str) -> bool:
    """Return whether people use a connection without linking an account.

    Unlinking keeps the account rows of such a connection, because nothing else records who owns what there.
    """
    provider = request.services.connections.get(connection)
    return provider is not None and provider.has_link_method("none")


def _find_connection_to_unlink(request: Request, name: str, linked: Collection[str]) -> str | None:
    """Return the connection to unlink, or None for all connections.

    Raise Answered if the connection isn't linked. A connection that was removed can still be found by its
    name or title.
    """
    if name.casefold() in EVERYTHING and name not in {*linked, *request.services.connections}:
        return None
    connection = find_linked_connection(request, name, linked)
    if connection not in linked:
        raise Answered(_answer_not_linked(request, [connection]))
    return connection


def _answer_not_linked(request: Request, connections: Iterable[str]) -> Answer:
    title = request.services.titles(connections)
    return replies.hint(request.fill(answers.NOTHING_LINKED_AT, title=title))


async def _unlink_other(request: Request, person: re.Match[str]) -> Answer:
    colleague = replace(request.principal, user_id=person.group(1))
    other = request.services.context.installation.resolve_principal(colleague)
    linked_there = await request.caller.read(accounts.list_accounts_of_other, other)
    mention = kit.mention(Named(other.user_id))
    name = " ".join(word for word in request.arguments if word != person.group())
    is_all = not name or name.casefold() in EVERYTHING
    there = [account.connection for account in linked_there]
    connection = None if is_all else find_linked_connection(request, name, there)
    if not any(connection in {None, account.connection} for account in linked_there):
        return replies.hint(fill(answers.NOTHING_LINKED_OTHER, who=mention))
    title = "" if connection is None else request.services.title(connection)
    is_guess = connection is not None and not naming.find_titles(name, {connection: title})
    if is_guess or AGREED not in request.flags:
        return _ask_about_other(request, other.user_id, connection, there)
    ended = await request.caller.run(accounts.unlink_other, other, connection)
    if not ended:
        return replies.hint(fill(answers.NOTHING_LINKED_OTHER, who=mention))
    titles = request.services.titles(account.connection for account in ended)
    return replies.answer(fill("{who} is unlinked from {title}.", who=mention, title=titles))


def _ask_about_other(request: Request, user_id: str, connection: str | None, linked: Sequence[str]) -> Answer:
    typed_connection = join_words([connection or "all"])
    titles = request.services.titles([connection] if connection else linked)
    effect = fill(answers.UNLINK_OTHER_EFFECT, who=kit.mention(Named(user_id)), title=titles)
    ask = fill(answers.TO_CONTINUE, button=cards.UNLINK)
    command = f"unlink {typed_connection} <@{user_id}> --{AGREED}"
    return replies.answer(
        f"{effect} {cards.UNLINK_MEANS} {ask}",
        [kit.button(cards.UNLINK, RUN_COMMAND, command, style=kit.DANGER)],
    )


async def require_account(request: Request, connection: str, *, is_refused: bool = False) -> Account:
    """Return the person's working account on a connection, or raise Answered with an offer to link one.

    ``is_refused`` means that the provider currently refuses the account.
    """
    account = await accounts.find_account(request.caller, connection)
    is_active = account is not None and account.state == "active"
    if account is not None and is_active and not is_refused:
        return account
    template = answers.NOT_LINKED
    if account is not None and (is_active or account.state == "refused"):
        template = answers.SIGN_IN_REFUSED if is_active else answers.LINK_REFUSED
    username = account.username if account is not None and account.is_resting else ""
    template = answers.LINK_RESTING if username else template
    title, waiting = request.services.title(connection), request.command_after_linking
    sentence = fill_offer(template, waiting, title=title, username=username)
    is_relink = template != answers.NOT_LINKED
    if not is_relink:
        sentence = _format_wait(request, template, [connection], waiting)
    raise Answered(await offer_link(request, sentence, [connection], is_relink=is_relink))


async def describe_resting_links(request: Request) -> str:
    """Return sentences about the user's suspended links, whose workspaces are hidden.

    A link is suspended if its username now belongs to another account. Return "" if no link is suspended.
    """
    titles = request.services.title
    return " ".join(
        fill(answers.LIST_RESTING, title=titles(account.connection), username=account.username)
        for account in await request.services.store.read(account_rows.list_accounts, request.principal)
        if account.is_resting and account.connection in request.services.connections
    )


async def require_no_resting_link(request: Request) -> None:
    """If one of the person's links is suspended, raise Answered with a *Link again* button.

    The workspaces of a suspended link are hidden, so the person may seem to have none.
    """
    for account in await request.services.store.read(account_rows.list_accounts, request.principal):
        if account.is_resting and account.connection in request.services.connections:
            await require_account(request, account.connection)


async def require_links(request: Request, connections: Iterable[str]) -> None:
    """If a connection's link is missing or broken, raise Answered with an offer to link that connection."""
    linkless = request.services.linked_by("none")
    for connection in connections:
        if connection not in linkless:
            await require_account(request, connection)


async def _add_former_link_hint(request: Request, answer: Answer, connections: Collection[str]) -> Answer:
    """If the user may have had a link under another Slack ID, add a hint that it can't be moved."""
    had = await request.caller.read(accounts.has_former_link, connections)
    return replies.with_remarks(answer, [answers.LINK_DOES_NOT_MOVE] if had else [])


def fill_offer(template: str, waiting: str, **values: str) -> str:
    """Fill in an offer to link an account, and promise to carry on if a command waits for the link."""
    return fill(template, then=Markup(" and I'll carry on with your request." if waiting else "."), **values)


async def offer_link(
    request: Request,
    sentence: str,
    connections: Collection[str],
    waiting: str | None = None,
    *,
    is_relink: bool = False,
    others: Mapping[str, str] | None = None,
) -> Answer:
    """Offer to link the given connections. The request waits until one is linked.

    ``is_relink`` means that the user was linked before and has to link again. ``waiting`` is the command to
    run after linking, by default the request's own. If the user can see the answer right away, its buttons
    open the link pages directly. The connections in ``others`` need no link, so each of them gets a *New
    workspace* button.
    """
    services, surface = request.services, request.surface
    waiting = request.command_after_linking if waiting is None else waiting
    template = cards.LINK_AGAIN if is_relink else cards.LINK
    # A link page expires after ten minutes, so offer it only to someone who is waiting for it. But always
    # offer it in an answer to a form: a plain *Link* button in the form's window wouldn't know the form's
    # channel, so after linking, the command couldn't run in that channel.
    is_asked = surface.kind in {"command", "message", "button"}
    is_asked = is_asked and surface.where not in {Where.HOME, Where.FORM}
    is_asked = is_asked or surface.kind == "form"
    is_asked = is_asked or (bool(services.link_pages) and surface.kind != "home")
    is_confirmed = not surface.via and request.caller.needs_no_confirmation(services.clock.now())
    has_page = any(name in connections for name in services.linked_by("token"))
    if is_asked and is_confirmed and has_page:
        answer = await _invite(request, sentence, connections, waiting, template, others)
    else:
        buttons = services.make_link_buttons(connections, waiting, template)
        # If none of the connections can be linked, show link buttons anyway. Clicking one explains why
        # linking isn't possible.
        buttons = buttons or replies.link_buttons(
            [(name, services.title(name), True) for name in connections], {}, waiting
        )
        buttons += replies.new_buttons(others or {}, first=len(buttons))
        answer = replies.as_question(replies.hint(sentence, buttons))
    return await _add_former_link_hint(request, answer, connections)


async def offer_all_links(request: Request) -> Answer:
    """Offer to link each connection. The command waits until one is linked.

    If no connection needs a link, offer *New workspace* instead. The answer to ``list`` also explains what
    Usher is.
    """
    services = request.services
    linkless, names = services.linked_by("none"), [name for name, *_ in services.list_link_methods()]
    is_list = request.folder == "workspace" and request.verb == "list"
    if not names:
        head = [describe_usher(services)] if is_list else []
        if linkless:
            return replies.answer("\n".join([*head, answers.NONE_YET_NEW]), replies.new_buttons(linkless))
        return replies.hint(answers.NO_CONNECTIONS)
    if not is_list:
        template = answers.NOT_LINKED if len(names) == 1 else "Link an account{then}"
        waiting = request.command_after_linking
        return await offer_link(request, _format_wait(request, template, names, waiting), names)
    # Opening the Home tab isn't a command, so nothing waits for the link.
    offer = fill_offer("Link it here{then}", request.command_after_linking)
    waits = [] if request.surface.where is Where.HOME else [offer]
    return await offer_link(request, " ".join([describe_usher(services), *waits]), names, others=linkless)
