"""Slack's events: messages to the bot, which are commands without a slash, and users joining or leaving."""

import math
import re
from collections.abc import Container
from typing import Final

import structlog

from bot.domain.installations import Installation
from bot.domain.people import SLACKBOT_ID, Person, Principal
from bot.domain.policy import find_flaw
from bot.domain.surfaces import Surface, Where
from bot.services import accounts, departures
from bot.services.caller import Caller
from bot.slack.errors import is_about_person
from bot.slack.people import resolve_member, to_person
from bot.store import accounts as account_rows
from bot.store import browsers, inbox, notices
from bot.support.cleaning import unescape
from bot.support.errors import SlackFailed, StoreError, StoreUnsure
from handlers.dispatch import add_introduction, run_chat, run_text
from handlers.requests import payload, routes
from handlers.requests.event_request import EventRequest
from handlers.requests.outage_replies import Unanswered
from handlers.requests.response_targets import make_reply_notice

log = structlog.get_logger(__name__)


_DAY_SECONDS: Final = 86_400.0
#: Messages older than this, in seconds, aren't answered, because presumably nobody is waiting any more.
MAX_ANSWERED_AGE_SECONDS: Final = inbox.REDELIVERY_SECONDS
_LINK_PATTERN = re.compile(r"<([^<>|]+)(?:\|[^<>]*)?>")
_MENTION_PATTERN = re.compile(r"<@[UW][A-Z0-9]+(?:\|[^<>]*)?>")
#: Subtypes of messages that people write: ordinary messages, messages with a file, ``/me`` messages,
#: forwarded messages, and replies in a thread that are also sent to the channel. Messages of other subtypes
#: (edits, joins, bot messages) are ignored.
_PERSON_SUBTYPES = frozenset({None, "file_share", "me_message", "message_share", "thread_broadcast"})


@routes.event("message_im")
async def on_direct_message(request: EventRequest) -> None:
    """Run a direct message as a command, if a person wrote it."""
    if is_from_app(request):
        await _explain_app_message(request)
    if not is_from_person(request):
        return
    text = str(request.event.get("text") or "").strip()
    await answer_message(request, Where.DIRECT, text)


@routes.event("app_mention")
async def on_app_mention(request: EventRequest) -> None:
    """Run the words around a mention of Usher as a command, and answer only to the author."""
    if not is_from_person(request):
        return
    text, installation = str(request.event.get("text") or ""), request.installation
    if installation is None or not installation.bot_user_id:
        text = _MENTION_PATTERN.sub("", text, count=1).strip()
    else:
        # In a shared channel, the mention may be of the other side's bot rather than of the author's own.
        remaining = installation.remove_own_mentions(text)
        if _is_forwarded(request) and remaining == text:
            log.info("forwarded mention not read")
            return
        text = remaining.strip()
    # For a mention in a direct message, Slack sends a ``message`` event, too. Whichever event comes first is
    # answered, and in the same way.
    is_direct = str(request.event.get("channel") or "").startswith("D")
    await answer_message(request, Where.DIRECT if is_direct else Where.MENTION, text)


def is_from_person(request: EventRequest) -> bool:
    """Return whether this is a new message written by a person.

    Edits don't count, and neither do messages from Slack, Usher or any other app.
    """
    return _is_in_persons_name(request) and not _has_app(request)


def is_from_app(request: EventRequest) -> bool:
    """Return whether this is a new message that an app wrote in a person's name."""
    return bool(request.event.get("user")) and _is_in_persons_name(request) and _has_app(request)


def _has_app(request: EventRequest) -> bool:
    return bool(request.event.get("bot_id") or request.event.get("bot_profile"))


def _is_in_persons_name(request: EventRequest) -> bool:
    event, installation = request.event, request.installation
    own_id = (installation.bot_user_id if installation is not None else None) or SLACKBOT_ID
    return bool(
        event.get("subtype") in _PERSON_SUBTYPES
        and event.get("user") not in (SLACKBOT_ID, own_id)
        and not event.get("hidden")
        and "edited" not in event
    )


async def _explain_app_message(request: EventRequest) -> None:
    """Explain that Usher ignores messages that an app writes in a person's name, but at most once a day."""
    services, principal = request.services, await _resolve_author(request)
    key = f"app:{principal.key}:{services.clock.now() // _DAY_SECONDS:.0f}"
    if await services.store.read(inbox.was_answered, key):
        return
    surface = payload.parse_message_surface(request.payload, Where.DIRECT)._replace(interaction=key)
    answer = await run_chat(services, principal, surface, "by_app")
    reply = make_reply_notice(answer, surface, _choose_reader(request, principal), services.ids)
    await services.store.write(notices.add_notices, [reply])


def _is_forwarded(request: EventRequest) -> bool:
    return request.event.get("subtype") == "message_share" or bool(request.event.get("attachments"))


def _is_forwarded_link(request: EventRequest, text: str) -> bool:
    attachments = request.event.get("attachments")
    shared = (
        [attachment for attachment in attachments if isinstance(attachment, dict)]
        if isinstance(attachments, list)
        else []
    )
    found = _LINK_PATTERN.fullmatch(text)
    urls = {
        unescape(str(attachment.get(key))) for attachment in shared for key in ("from_url", "original_url")
    }
    return found is not None and unescape(found[1]) in urls


async def answer_message(request: EventRequest, where: Where, text: str) -> None:
    """Run a message's words as a command, and write the answer to the outbox.

    Raise Unanswered or StoreUnsure if the answer couldn't be written, and SlackFailed if the author isn't
    known yet.
    """
    principal = await _resolve_author(request)
    surface = payload.parse_message_surface(request.payload, where)
    try:
        key = await _resolve_key(request, principal, surface)
        if key is not None:
            await _run_message(request, principal, surface._replace(interaction=key), text)
    except StoreUnsure:
        # The answer will be sent once the outcome is known, or when Slack redelivers the message.
        raise
    except StoreError as error:
        raise Unanswered(error, principal, surface) from None


async def _run_message(request: EventRequest, principal: Principal, surface: Surface, text: str) -> None:
    services = request.services
    if surface.sent_at is not None and services.clock.now() - surface.sent_at > MAX_ANSWERED_AGE_SECONDS:
        log.info("words of long ago not read", interaction=surface.interaction)
        return
    own_words = services.context.installation.find_for(principal).remove_own_mentions(text).strip()
    if own_words and not _is_forwarded_link(request, own_words):
        answer = await run_text(services, principal, surface, text)
    elif _is_forwarded(request):
        answer = await run_chat(services, principal, surface, "forwarded")
    elif request.event.get("files"):
        answer = await run_chat(services, principal, surface, "file")
    else:
        # If there are no words, a direct message counts as a greeting, and a mention as a request for help.
        default_command = "hello" if surface.where is Where.DIRECT else "help"
        answer = await run_text(services, principal, surface, default_command)
    if answer.unwritten == "unsure":
        raise StoreUnsure(answer.text)
    answer = await add_introduction(services, principal, answer)
    if not answer.text:
        await services.store.write(inbox.mark_answered, surface.interaction)
        return
    reader = _choose_reader(request, principal)
    await services.store.write(
        notices.add_notices, [make_reply_notice(answer, surface, reader, services.ids)]
    )


async def _resolve_key(request: EventRequest, author: Principal, surface: Surface) -> str | None:
    """Return the inbox key for the answer to a message, or None if the message was answered for someone else.

    A refusal to a stranger gets a key of its own, because in a shared channel, one side may refuse the author
    while the other side answers.
    """
    services, key = request.services, surface.interaction
    if not services.context.installation.has_team(author.enterprise_id, author.team_id):
        return None if await services.store.read(inbox.was_answered, key) else f"{key}:{author.key}"
    send = payload.make_send_key(request.payload, author)
    if not (key and send):
        return key
    try:
        return await services.store.write(inbox.resolve_key, key, send)
    except StoreUnsure as error:
        # Nothing has been done about the message yet.
        raise Unanswered(error, author, surface) from None


async def _resolve_author(request: EventRequest) -> Principal:
    """Return the author as a member of their own Slack workspace, even if the channel is shared.

    An event from the other side of a shared channel doesn't say whether the author's workspace belongs to an
    organisation that has installed Usher. In that case, Slack has to be asked. Raise SlackFailed if this
    fails, and Refused if the event doesn't identify its author.
    """
    context, author = request.services.context, request.services.resolve_principal(request.payload)
    return context.installation.resolve_principal(await context.people.add_enterprise(author))


def _choose_reader(request: EventRequest, author: Principal) -> Principal:
    """Return the person to send the answer to.

    Strangers can be reached only through the installation that received the message.
    """
    here, there = request.installation, request.services.context.installation
    if here is None or there.has_team(author.enterprise_id, author.team_id):
        return author
    return Principal(here.enterprise_id, here.id, author.user_id)


@routes.event("team_join")
@routes.event("user_change")
async def on_user_change(request: EventRequest) -> None:
    """Store a person. If they are no longer a member or have become a guest, end their links.

    Events may arrive late and in any order, so if an event would admit a person or shut them out, look up the
    person's current state in Slack. A nightly sync makes up for lost events.
    """
    services = request.services
    here, user = request.installation, payload.as_mapping(request.event.get("user"))
    principal = resolve_member(here, user, request.enterprise_id) if here is not None else None
    if principal is None:
        log.info("a changed user of another workspace", interaction=request.interaction)
        return
    at = min(payload.parse_time(request.payload) or math.inf, services.clock.now())
    person, known = to_person(user, principal, at), await services.store.person(principal)
    flaw = find_flaw(person)
    is_same = known is not None and find_flaw(known) == flaw
    is_new_member = known is None and flaw is None
    # If the event is older than the stored data, it might restore an old name or time zone.
    is_late = request.happened_at is not None or (known is not None and known.seen_at > at)
    if is_late or not (is_same or is_new_member) or await _would_end(request, person):
        try:
            person = await services.context.people.look_up(principal)
        except SlackFailed as error:
            if is_late or not is_about_person(error):
                raise
            # Slack doesn't know the person any more, so there will be no more events about them.
            await services.store.save_people([person])
    else:
        await services.store.save_people([person])
    caller = Caller(services.context, principal, request.interaction)
    ended = await caller.run(departures.end_departed, person, actor="slack")
    if ended:
        log.info("links ended", principal=principal.key, count=len(ended))


async def _would_end(request: EventRequest, person: Person) -> bool:
    if not departures.is_leaver(person):
        return False
    keys = await request.services.store.read(account_rows.find_keys_of_user, person.principal)
    return any([await request.services.store.read(account_rows.list_accounts, key) for key in keys])


@routes.event("app_uninstalled")
async def on_app_uninstalled(request: EventRequest) -> None:
    """End every link. Usher can't notify anyone any more, so it must not act for anyone, either."""
    if request.installation is not None:
        await end_installation(request, request.installation)


async def end_installation(request: EventRequest, installation: Installation) -> None:
    """End all of an installation's links if Slack rejects its token.

    If Slack accepts the token, the event is out of date. The rejected token is deleted last, so that if the
    event is redelivered, the remaining links can still be ended. If Slack can't be reached, raise
    SlackFailed, so that Slack sends the event again.
    """
    tenants = request.services.context.tenants
    refused = await tenants.find_refused_token(installation)
    if refused is None:
        log.info("installed still", installation=installation.id, interaction=request.interaction)
        return
    await end_links(request, installation, cause="uninstalled")
    await tenants.forget_token(installation, refused)


async def end_links(
    request: EventRequest, installation: Installation, *, cause: str, users: Container[str] | None = None
) -> None:
    """End all links, or only those of some users, each in its own transaction.

    If this is interrupted and the event is redelivered, the remaining links are ended. People are notified
    only if Usher is still installed.
    """
    services, at = request.services, payload.parse_time(request.payload)
    principals: set[Principal] = set()
    # Links that the provider refuses, or that are suspended, end too. Otherwise, they could come back.
    async for holders in account_rows.find_holders(services.store.engine):
        principals |= {
            one
            for one in holders
            if installation.find_for_team(one.enterprise_id, one.team_id) is not None
            and (users is None or one.user_id in users)
        }
    if users is None:
        # People can be signed in to our pages without having linked an account.
        await services.store.perform(browsers.end_browser_sessions_at, installation.id)
    for principal in sorted(principals, key=lambda person: person.key):
        connections = None
        if users is not None:
            # If a person has linked again since the event, they meant to. Slack's time is in whole seconds.
            # On connections without user accounts, only the row records who owns what, so keep it.
            connections = [
                one.connection
                for one in await services.store.read(account_rows.list_accounts, principal)
                if one.connection not in services.linked_by("none")
                and (at is None or one.linked_at < at + 1.0)
            ]
        if connections == []:
            continue
        caller, notify = Caller(services.context, principal), users is not None
        await caller.run(
            accounts.end_accounts, principal, connections, actor="slack", cause=cause, notify=notify
        )
    log.warning("links ended", cause=cause, installation=installation.id, people=len(principals))


@routes.event("tokens_revoked")
async def on_tokens_revoked(request: EventRequest) -> None:
    """End every link if the bot's own token was revoked. Otherwise, end the links of the people listed.

    Usher has no tokens of people, so it can't check with Slack whether these were revoked. An event that
    names a bot is about an installation, possibly an earlier one.
    """
    tokens, installation = payload.as_mapping(request.event.get("tokens")), request.installation
    if installation is None:
        return
    if bots := tokens.get("bot"):
        own_ids = {installation.bot_user_id, installation.bot_id}
        if installation.bot_user_id is None or own_ids & {*map(str, bots)}:
            await end_installation(request, installation)
    elif tokens.get("oauth"):
        users = frozenset(map(str, tokens["oauth"]))
        await end_links(request, installation, cause="revoked", users=users)
    else:
        log.info("field missing", kind="tokens_revoked", field="tokens")
