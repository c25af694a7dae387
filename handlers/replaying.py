"""Replays deferred commands with the user's current permissions, and sends the answers to the right place."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from bot.domain.forms import Purpose
from bot.domain.notices import Answer
from bot.domain.people import Principal
from bot.domain.surfaces import Where
from bot.messages.blocks import kit, replies
from bot.messages.blocks.button_values import ButtonValue
from bot.messages.blocks.forms import answer_view
from bot.messages.blocks.kit import fill
from bot.messages.texts import notices as words
from bot.store import accounts, homes, notices
from handlers.dispatch import run_button, run_text
from handlers.home import HOME_COMMAND, HOME_VERB, read_links, request_home, show_answer
from handlers.requests.deferred_command import RESPONSE_SECONDS, DeferredCommand
from handlers.requests.request import SILENT
from handlers.requests.response_targets import make_message_notice, make_reply_notice
from handlers.requests.services import Services

#: Maps the first word of each command that opens a form to the form's purpose.
_PURPOSES: Final[Mapping[str, Purpose]] = {"new": "workspace", "job": "job"}


async def replay(services: Services, principal: Principal, body: Mapping[str, Any]) -> None:
    """Run a deferred command with the user's current permissions. ``body`` is a ``DeferredCommand``.

    As long as the response_url is valid, the answer is sent there. After that, it is sent to the channel if
    the command was a recent mention, and otherwise to the user as a direct message. A command that runs twice
    takes effect only once, because its interaction is an inbox key. ``task`` distinguishes later runs of the
    same command. StoreError is raised if nothing could be written.
    """
    deferred = DeferredCommand.parse(body)
    given = deferred.surface
    if given.where is Where.HOME and deferred.text == HOME_COMMAND:
        drawn_at = deferred.response_until - RESPONSE_SECONDS
        if not await services.store.read(homes.was_opened_since, principal, drawn_at):
            await request_home(services, principal, deferred=deferred.as_body())
        return
    now = services.clock.now()
    has_response_url = given.response_url is not None and now < deferred.response_until
    where = Where.HOME if given.where is Where.HOME else Where.DIRECT
    if given.view_external_id:
        where = Where.FORM
    elif has_response_url or (given.where is Where.MENTION and not deferred.is_late(now)):
        where = given.where
    surface = given._replace(
        where=where,
        response_url=given.response_url if has_response_url else None,
        interaction=f"{given.interaction or 'waiting'}/{deferred.task or 'replay'}",
    )
    links = await read_links(services, principal) if where is Where.HOME else []
    if deferred.press:
        answer = await run_button(services, principal, surface, ButtonValue.from_text(deferred.press))
    elif deferred.text or not deferred.linked:
        answer = await run_text(services, principal, surface, deferred.text, deferred=deferred)
    else:
        answer = SILENT
    if deferred.linked and has_response_url and where in {Where.CHANNEL, Where.MENTION}:
        answer = await _replace_page_button(services, principal, deferred, answer)
    if where is Where.HOME:
        is_page = deferred.text.split()[:1] == [HOME_VERB]
        await show_answer(services, principal, answer, links=links, is_page=is_page)
        return
    if not (answer.text or answer.replaces):
        return
    if where is Where.FORM and answer.view is None:
        # Show the answer in the form's window, which may still be open.
        answer = replace(answer, view=answer_view(answer, _PURPOSES.get(deferred.text.partition(" ")[0])))
    if has_response_url or where in {Where.FORM, Where.MENTION}:
        notice = make_reply_notice(answer, surface, principal, services.ids)
    else:
        promise = given.interaction if deferred.is_promised else ""
        notice = make_message_notice(answer, surface, principal, services.ids, becomes=promise)
    await services.store.write(notices.add_notices, [notice])


async def _replace_page_button(
    services: Services, principal: Principal, deferred: DeferredCommand, answer: Answer
) -> Answer:
    """Let an answer replace the message with the link's button, and say what was linked.

    In a direct message, it isn't said, because Usher's own message about the link is next to the answer or a
    click away.
    """
    connection = deferred.linked
    account = await services.store.read(accounts.find_account, principal, connection)
    if account is None or account.state != "active":
        return answer
    if deferred.surface.is_in_conversation:
        return replace(answer, replaces=True)
    template = words.LINKED_AS if account.username else words.LINKED
    linked = fill(template, title=services.title(connection), username=account.username)
    if not answer.text:
        return replace(replies.answer(linked, [replies.list_button()]), replaces=True)
    told = kit.with_blocks(answer, [kit.section(linked), *(answer.blocks or [kit.section(answer.text)])])
    return replace(told, text=f"{kit.strip_markup(linked)} {answer.text}", replaces=True)
