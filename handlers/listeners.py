"""Bolt listeners, exactly one per kind of payload.

Each listener accepts every payload of its kind and looks up the function for it in a table (ADR 42). A
listener acknowledges only after the work is done, so whatever was acknowledged has been written.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial, wraps
from typing import Any, Final

import aiohttp
import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext, AsyncRespond
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.domain.notices import Answer
from bot.domain.people import Principal
from bot.domain.surfaces import Surface, Where
from bot.messages.blocks import forms, kit, plain, replies
from bot.messages.blocks.button_values import ButtonValue
from bot.messages.texts import answers, problems, verbs
from bot.messages.texts.refusals import explain_refusal
from bot.services.linking import keep_response_url
from bot.services.workspaces import note_opening
from bot.slack.bolt_context import RETRY_NUMBER
from bot.slack.calls import is_slack_address
from bot.slack.errors import is_content_refused
from bot.slack.installed import AnySlack
from bot.slack.methods import CHAT_POST_EPHEMERAL, CHAT_POST_MESSAGE, RESPONSE_URL, VIEWS_OPEN
from bot.slack.notifier.rendering import POST_OPTIONS
from bot.slack.response_urls import to_slack_error
from bot.store import homes, notices
from bot.store.transaction import share_request_patience, track_used_keys
from bot.support.errors import (
    Refused,
    SlackFailed,
    SlackPermanent,
    SlackUnknownOutcome,
    StoreError,
    StoreUnsure,
)
from handlers.dispatch import (
    add_introduction,
    find_first_field,
    retry_write,
    run_button,
    run_form,
    run_search,
    run_shortcut,
    run_text,
)
from handlers.home import HOME_VERB, Links, read_links, show_answer
from handlers.requests import payload, routes
from handlers.requests.deferred_command import RESPONSE_SECONDS
from handlers.requests.event_request import EventRequest
from handlers.requests.outage_replies import OutageReplies, Unanswered
from handlers.requests.response_targets import (
    can_acknowledge_with,
    make_command_body,
    make_form_body,
    make_options_body,
    make_reply_notice,
)
from handlers.requests.services import Services

log = structlog.get_logger(__name__)

#: Matches all names, so that a single listener receives every payload of its kind. If there were several
#: listeners, Bolt would try them one after the other.
_ANYTHING: Final = re.compile("")
#: Timeout for opening a form in Slack, in seconds. The form has to be open, and the request acknowledged,
#: within 3 s.
VIEW_SECONDS: Final = 1.5
_RESPOND_SECONDS: Final = 1.0
#: A view that is too large for the response to a submitted form is sent separately, after this many seconds.
#: Until then, a placeholder in the response keeps the form's window open.
_VIEW_FOLLOWS_SECONDS: Final = 1.0
#: Prefix of the ``external_id`` of forms opened from a Home tab.
_HOME_FORM: Final = "home_form"
#: Number of characters to which text is cut so that it fits into an ack, even if each character takes several
#: bytes.
_MAX_SHORT_LENGTH: Final = 500


def register(
    app: AsyncApp, services: Services, slack: AnySlack, *, view_seconds: float = VIEW_SECONDS
) -> None:
    """Register the six listeners. Raise ValueError if the app acknowledges before the work is done.

    An ack is due within 3 s. ``view_seconds`` is how much of that Slack may take to open a form.
    """
    if not app.process_before_response:
        raise ValueError("the app must be made with process_before_response=True: the ack comes last")
    listeners = Listeners(services, slack, view_seconds)
    app.command(_ANYTHING)(_limit_store_wait(listeners.on_command))
    app.block_action(_ANYTHING)(_limit_store_wait(listeners.on_action))
    app.shortcut(_ANYTHING)(_limit_store_wait(listeners.on_shortcut))
    app.view_submission(_ANYTHING)(_limit_store_wait(listeners.on_view))
    app.block_suggestion(_ANYTHING)(_limit_store_wait(listeners.on_options))
    app.event(_ANYTHING)(_limit_store_wait(listeners.on_event))


def _limit_store_wait(
    listener: Callable[..., Awaitable[BoltResponse]],
) -> Callable[..., Awaitable[BoltResponse]]:
    """Limit how long a listener waits for the store, because Slack doesn't wait long for the listener."""

    @wraps(listener)
    async def listen(**given: Any) -> BoltResponse:
        with share_request_patience():
            return await listener(**given)

    return listen


class Listeners:
    """The listeners, one for each kind of payload. They never raise.

    Each does its work before acknowledging. It then returns the result with the ack, or sends the answer in
    another way.
    """

    def __init__(self, services: Services, slack: AnySlack, view_seconds: float) -> None:
        self._services = services
        self._slack = slack
        self._view_seconds = view_seconds
        self._outage_replies = OutageReplies(slack, services.ids)

    async def on_command(
        self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext
    ) -> BoltResponse:
        """Answer a slash command in its ack. If the answer doesn't fit there, send a reply."""
        services = self._services
        folder = services.commands.get(str(body.get("command")))
        if folder is None:
            unknown = Refused("command.unknown", problems.explain_cause("unknown_command"))
            return await ack(make_command_body(self._answer_refusal(unknown)))
        surface = payload.parse_command_surface(body)
        principal = self._resolve_principal(body)
        if isinstance(principal, Answer):
            return await ack(make_command_body(principal))
        answer = await run_text(services, principal, surface, str(body.get("text") or ""), folder=folder)
        if answer.view is not None and await self._open_form(principal, surface, answer):
            return await ack()
        answer = await add_introduction(services, principal, answer)
        is_worked = services.context.owners.is_worked
        whole = make_command_body(answer if is_worked else replies.with_remarks(answer, [answers.NO_WORKER]))
        if can_acknowledge_with(whole, context):
            return await ack(whole)
        if not await self._write_reply(answer, surface, principal):
            return await ack(make_command_body(replies.hint(kit.truncate(answer.text, _MAX_SHORT_LENGTH))))
        return await ack() if is_worked else await ack(make_command_body(replies.hint(answers.NO_WORKER)))

    async def on_action(
        self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient, respond: AsyncRespond
    ) -> BoltResponse:
        """Run a button's handler.

        The answer goes through the outbox, because Slack ignores the ack's body.
        """
        services = self._services
        action: dict[str, Any] = next(iter(body.get("actions") or ()), {})
        press = payload.parse_button(action)
        principal = self._resolve_principal(body)
        surface = payload.parse_button_surface(body, action)
        if press.name in kit.ADDRESSES:
            if press.key and isinstance(principal, Principal):
                with suppress(Refused, StoreError):
                    await self._note_opening(principal, press, surface)
            return await ack()
        if isinstance(principal, Answer):
            await self._respond_directly(client, respond, principal, surface)
            return await ack()
        if surface.where is Where.CHANNEL and surface.is_in_conversation:
            with suppress(StoreError):
                # The ephemeral message may be in the user's direct messages with the bot.
                if await services.store.read(notices.find_direct_channel, principal) == surface.channel_id:
                    surface = surface._replace(where=Where.DIRECT)
        links: Links = []
        if surface.where is Where.HOME:
            with suppress(StoreError):
                links = await read_links(services, principal)
        answer = await run_button(services, principal, surface, press, body.get("view"))
        is_form = answer.view is not None and surface.where is not Where.FORM
        is_opened = is_form and await self._open_form(principal, surface, answer)
        if is_opened:
            return await ack()
        write = partial(self._write_reply, answer, surface, principal)
        if surface.where is Where.HOME:
            write = partial(self._write_in_home, answer, press, principal, links)
        if answer.unwritten or not await write():
            await self._respond_directly(client, respond, answer, surface, principal)
        elif not services.context.owners.is_worked:
            # No worker is running, so the answer has to wait in the outbox.
            await self._respond_directly(client, respond, replies.hint(answers.NO_WORKER), surface, principal)
        return await ack()

    async def _note_opening(self, principal: Principal, press: ButtonValue, surface: Surface) -> None:
        """Record that a person opened a page with a button.

        For a workspace's page, this counts as use of the workspace. For a link's page, store the response
        URL, with which the button's message can be replaced.
        """
        caller = self._services.create_caller(principal)
        if press.name != "link_url":
            await caller.run(note_opening, press.key)
        elif surface.response_url and surface.where is not Where.DIRECT:
            # In a direct message, the answer doesn't replace the message with the button.
            until = self._services.clock.now() + RESPONSE_SECONDS
            await caller.run(keep_response_url, press.key.partition(" ")[0], surface.response_url, until)

    async def on_shortcut(
        self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient, respond: AsyncRespond
    ) -> BoltResponse:
        """Answer a shortcut with a form or a page. If it is too late for that, answer with a message."""
        services = self._services
        # An answer that has to wait for a list replaces the one in the window.
        external_id = services.ids.new("shortcut")
        surface = payload.parse_shortcut_surface(body)._replace(view_external_id=external_id)
        principal = answer = self._resolve_principal(body)
        if isinstance(principal, Principal):
            answer = await run_shortcut(services, principal, surface, str(body.get("callback_id") or ""))
        assert isinstance(answer, Answer)
        view = answer.view or forms.answer_view(answer, external_id=external_id)
        team = principal if isinstance(principal, Principal) else payload.parse_team(body)
        if await self._open_form(team, surface, replace(answer, view=view)):
            return await ack()
        if (
            answer.unwritten
            or isinstance(principal, Answer)
            or not await self._write_reply(answer, surface, principal)
        ):
            await self._respond_directly(
                client, respond, answer, surface, principal if isinstance(principal, Principal) else None
            )
        return await ack()

    async def on_view(self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> BoltResponse:
        """Answer a submitted form with a ``response_action``.

        If the view doesn't fit into it, send it later.
        """
        view: dict[str, Any] = body.get("view") or {}
        principal = self._resolve_principal(body)
        if isinstance(principal, Answer):
            errors = {find_first_field(view): principal.text}
            return await ack(**make_form_body(Answer(text="", errors=errors)))
        is_in_home = str(view.get("external_id") or "").startswith(_HOME_FORM)
        key = payload.make_view_key(body)
        # The answer may promise another answer that replaces it, for which the page needs an id.
        surface = Surface(
            "form", Where.FORM, interaction=key, is_in_home=is_in_home, view_external_id=key or None
        )
        callback_id = str(view.get("callback_id") or "")
        answer = await run_form(self._services, principal, surface, callback_id, view)
        if not answer.errors:
            try:
                # The form may have changed what the Home tab shows.
                await self._services.store.write(homes.republish_home, principal)
            except StoreError as error:
                # The form has had its effect, and the result appears in the Home tab when that is next
                # opened.
                log.warning("home not requested", problem=error)
            if answer.view is None and not self._services.context.owners.is_worked:
                answer = replace(answer, view=forms.answer_view(replies.hint(answers.NO_WORKER)))
        if not can_acknowledge_with(response := make_form_body(answer, context), context):
            surface = surface._replace(view_id=view.get("id"), view_external_id=None)
            answer = replace(answer, text=answer.text or verbs.ANSWER_TITLE)
            if not await self._write_reply(answer, surface, principal, due_in=_VIEW_FOLLOWS_SECONDS):
                meanwhile = kit.truncate(answer.text, _MAX_SHORT_LENGTH)
            else:
                meanwhile = answers.COMING if self._services.context.owners.is_worked else answers.NO_WORKER
            response = make_form_body(replace(answer, view=forms.answer_view(replies.hint(meanwhile))))
        return await ack(**response)

    async def on_options(
        self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext
    ) -> BoltResponse:
        """Answer a search in a menu with the matching options, in the ack."""
        principal = self._resolve_principal(body)
        if isinstance(principal, Answer):
            return await ack(options=[])
        action_id, typed = str(body.get("action_id") or ""), str(body.get("value") or "")
        view = body.get("view") or {}
        found = await run_search(self._services, principal, action_id, typed, view)
        return await ack(**make_options_body(found, context))

    async def on_event(self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> BoltResponse:
        """Handle an event. If it can't be stored, don't acknowledge it, so that Slack will send it again."""
        event: dict[str, Any] = body.get("event") or {}
        name = str(event.get("type") or "")
        if name == "message":
            name = f"message_{event.get('channel_type')}"
        handler = routes.event.get(name)
        if handler is None:
            log.info("event ignored", event_name=name[:40])
            return await ack()
        logger = log.bind(event_name=name, event_id=body.get("event_id"))
        try:
            with track_used_keys():
                await handler(EventRequest(body, self._services, payload.make_event_key(body)))
        except Refused as refusal:
            logger.info("refused", rule=refusal.rule)
        except (StoreError, SlackFailed) as error:
            logger.warning("event not written down", problem=error)
            if isinstance(error, Unanswered):
                is_redelivery = context.get(RETRY_NUMBER, "0") != "0"
                await self._outage_replies.send(error, is_redelivery=is_redelivery)
            return BoltResponse(status=503, body="")
        except Exception:
            logger.exception("event failed")
        return await ack()

    async def _write_in_home(
        self, answer: Answer, press: ButtonValue, principal: Principal, links: Links
    ) -> bool:
        try:
            is_page = press.name == HOME_VERB
            await show_answer(self._services, principal, answer, links=links, is_page=is_page)
        except StoreError as error:
            log.warning("home not requested", problem=error)
            return False
        return True

    async def _write_reply(
        self, answer: Answer, surface: Surface, principal: Principal, due_in: float = 0.0
    ) -> bool:
        if not answer.text:
            return True
        services = self._services
        notice = replace(make_reply_notice(answer, surface, principal, services.ids), due_in=due_in)
        write = partial(services.store.write, notices.add_notices, [notice])
        try:
            await write()
        except StoreUnsure:
            # The reply may already be in the outbox. If it were also sent directly, it could appear twice.
            services.outcome_pool.add(retry_write(services, write, surface.interaction))
        except StoreError as error:
            log.warning("reply not written down", problem=error)
            return False
        return True

    async def _open_form(self, principal: Principal, surface: Surface, answer: Answer) -> bool:
        """Open a form. This is the only call to Slack that is made before an ack."""
        if not surface.trigger_id:
            return False
        try:
            async with asyncio.timeout(self._view_seconds):
                view, call = answer.view or {}, self._slack.find_client(principal).call
                if surface.where is Where.HOME:
                    view = {"external_id": self._services.ids.new(_HOME_FORM), **view}
                try:
                    await call(VIEWS_OPEN, {"trigger_id": surface.trigger_id, "view": view})
                except SlackPermanent as error:
                    # A form can be replaced with text. But a page may show things that are said nowhere else,
                    # so open it with plain paragraphs.
                    if not is_content_refused(error) or "submit" in view:
                        raise
                    shown = plain.make_plain_view(view)
                    await call(VIEWS_OPEN, {"trigger_id": surface.trigger_id, "view": shown})
        except (SlackFailed, StoreError, TimeoutError) as error:
            log.warning("form not opened", problem=error)
            return False
        return True

    async def _respond_directly(
        self,
        client: AsyncWebClient,
        respond: AsyncRespond,
        answer: Answer,
        surface: Surface,
        principal: Principal | None = None,
    ) -> None:
        """Answer a click without using the outbox, so that the person gets a reply in any case.

        The answer must appear only once, so another way is tried only if the previous one certainly showed
        nothing.
        """
        formatted = make_command_body(answer) | {"replace_original": False}
        alone = {"text": plain.make_plain_text(answer)}
        text = {name: value for name, value in formatted.items() if name != "blocks"} | alone
        attempts: list[Callable[[], Awaitable[object]]]
        attempts = [
            partial(_post_to_response_url, client, respond.response_url, message)
            for message in (formatted, text)
        ]
        if principal is not None:
            call, user_id, channel = (
                self._slack.find_client(principal).call,
                principal.user_id,
                surface.channel_id,
            )
            if channel and surface.where is not Where.DIRECT:
                attempts.append(
                    partial(call, CHAT_POST_EPHEMERAL, alone | {"channel": channel, "user": user_id})
                )
            direct = alone | {"channel": user_id, **POST_OPTIONS}
            attempts.append(partial(call, CHAT_POST_MESSAGE, direct, channel=user_id))
        try:
            async with asyncio.timeout(_RESPOND_SECONDS):
                for attempt in attempts:
                    try:
                        await attempt()
                    except SlackFailed as error:
                        log.warning("reply not sent", problem=error)
                        if isinstance(error, SlackUnknownOutcome):
                            return
                    else:
                        return
        except (SlackClientError, aiohttp.ClientError, StoreError, TimeoutError, ValueError) as error:
            log.warning("reply not sent", problem=error)

    def _resolve_principal(self, body: dict[str, Any]) -> Principal | Answer:
        try:
            return self._services.resolve_principal(body)
        except Refused as refusal:
            return self._answer_refusal(refusal)

    def _answer_refusal(self, refusal: Refused) -> Answer:
        log.info("refused", rule=refusal.rule)
        return replies.hint(kit.safe(explain_refusal(refusal)))


async def _post_to_response_url(client: AsyncWebClient, url: str | None, message: dict[str, Any]) -> None:
    if url is None:
        raise SlackFailed(RESPONSE_URL, "no_address")
    if not is_slack_address(url, client.base_url):
        raise SlackUnknownOutcome(RESPONSE_URL, "strange_address")
    # The client's session uses the configured proxy. ``respond`` would create a session without it.
    answer = await AsyncWebhookClient(url, session=client.session).send_dict(message)
    if (failed := to_slack_error(answer.status_code, answer.body)) is not None:
        raise failed
