"""The front for Slack and providers: size, headers, time, signature and shape, before anything is read.

Bolt parses first, so unsigned garbage led to 500s, and the same signed bytes worked again for five minutes
(measured on slack-bolt 1.30). For requests that pass, the inbox still ensures one effect only. The rule is
in ``docs/rules.md``, "The front verifies before anything parses".

Which requests were there before is in memory for each request, in the database for all processes. A
second's signatures are written together, after the requests were served: writing each before would cost
more than answering it. What a kill forgets, or another process doesn't know yet, is younger than
``SAVED_EVERY``, and the inbox knows what those requests did.

A webhook's response (``/hooks/<connection>``) doesn't reveal whom we know. An event that was received
before has no effect, so a provider that got no response may send it again.

Bolt and our handlers index into payloads; a signed body of the wrong shape must end as a 400, never
as a 500. Only shapes are checked here: who acts, and in which workspace, is decided later (tenant guard,
principal).

What has passed here, or came over the Socket Mode connection, goes to Bolt behind a tenant guard; no body is
logged. Bolt finds the listener, which finishes before its answer is sent (ADR 20).
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import unquote_to_bytes

import aiohttp
import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from pydantic import SecretStr
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.installations import Installation
from bot.messages.blocks import kit
from bot.messages.texts import pages
from bot.providers import base
from bot.services.context import Context
from bot.slack.installed import Tenants
from bot.store.slack import KEPT
from bot.store.store import Store
from bot.support.clock import Clock, Ids
from bot.support.environment import without_variables
from bot.support.errors import CredentialRefused, ProviderError, StoreError
from bot.support.http import is_deeper
from bot.support.logs import Counted
from bot.web.health import Metrics

log = structlog.get_logger(__name__)


#: Slack's own payloads are far smaller; the limit of the whole application is the same.
MAX_BYTES = 1024 * 1024
#: How far a request's time may differ from ours, in seconds: less than its signature is remembered.
MAX_AGE = 300
BODY_SECONDS = 10.0

_TIMESTAMP = re.compile(r"[0-9]{9,11}")
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")
_CHARSETS = frozenset({None, "utf-8", "utf8", "UTF-8", "UTF8"})


class Refusal(Exception):
    """End a request with a status and a reason that reveals nothing of its content."""

    def __init__(self, status: int, reason: str, *, is_signed: bool = False) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        #: Whether it came from Slack; anything else anybody can send without end.
        self.is_signed = is_signed


class Front:
    """Check requests to Slack's address, and count them."""

    def __init__(
        self,
        signing_secret: SecretStr,
        clock: Clock,
        replays: Replays,
        metrics: Metrics,
    ) -> None:
        #: Copied for each request: preparing the key takes longer than signing.
        self._keyed = hmac.new(signing_secret.get_secret_value().encode(), digestmod=hashlib.sha256)
        self._clock = clock
        self._replays = replays
        self._metrics = metrics
        self._strangers = Counted(_log_refusal)

    def guard(
        self, serve: Callable[[dict[str, Any]], Awaitable[web.Response]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Return the handler of Slack's address for every method; ``serve`` gets payloads that passed."""

        async def handler(request: web.Request) -> web.Response:
            try:
                payload = await self._verified(request)
            except Refusal as refusal:
                self._metrics.request_refused(refusal.reason)
                (_log_refusal if refusal.is_signed else self._strangers.add)(refusal.reason)
                return _refused(refusal.status, refusal.reason)
            self._metrics.request_accepted()
            return await serve(payload)

        return handler

    async def _verified(self, request: web.Request) -> dict[str, Any]:
        if request.method != "POST":
            raise Refusal(405, "method")
        if request.content_length is not None and request.content_length > MAX_BYTES:
            raise Refusal(413, "size")
        timestamp = _one(request, "X-Slack-Request-Timestamp", _TIMESTAMP)
        signature = _one(request, "X-Slack-Signature", _SIGNATURE)
        if abs(self._clock.now() - int(timestamp)) > MAX_AGE:
            raise Refusal(401, "time")
        if request.headers.getall("Content-Encoding", []) not in ([], ["identity"]):
            # The signature covers the bytes as sent; decompressed ones would differ.
            raise Refusal(400, "encoding")
        raw = await read_body(request)
        signed = self._keyed.copy()
        signed.update(b"v0:" + timestamp.encode() + b":" + raw)
        if not hmac.compare_digest("v0=" + signed.hexdigest(), signature):
            raise Refusal(401, "signature")
        if not self._replays.is_first(signature.removeprefix("v0=")):
            raise Refusal(401, "replay")
        if len(request.headers.getall("Content-Type", [])) != 1 or request.charset not in _CHARSETS:
            raise Refusal(400, "content type", is_signed=True)
        try:
            return read(request.content_type, raw)
        except Malformed as malformed:
            raise Refusal(400, f"malformed: {malformed}", is_signed=True) from None


def _log_refusal(reason: str, times: int = 1) -> None:
    log.warning("slack.request_refused", reason=reason, times=times)


def _one(request: web.Request, name: str, shape: re.Pattern[str]) -> str:
    values = request.headers.getall(name, [])
    if len(values) != 1 or shape.fullmatch(values[0]) is None:
        raise Refusal(401, "headers")
    return values[0]


async def read_body(request: web.Request) -> bytes:
    """Return the whole body; raise Refusal if it is too large, too slow or cut off."""
    try:
        if request.content.is_eof():
            # All of it has arrived, as nearly always, so there is nothing to wait for.
            return await request.read()
        async with asyncio.timeout(BODY_SECONDS):
            return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise Refusal(413, "size") from None
    except TimeoutError:
        raise Refusal(400, "slow body") from None
    except (aiohttp.ClientError, web.RequestPayloadError, HttpProcessingError, OSError):
        raise Refusal(400, "broken body") from None


#: The most signed requests that are remembered; the oldest are dropped first.
MAX_REMEMBERED = 200_000
#: How often what is new is written, in seconds.
SAVED_EVERY = 1.0
#: How far back others' are read each time, in seconds.
SHARED_SECONDS = 10.0
#: The part of a signature that distinguishes it from all others: 64 bits.
LENGTH = 16


class Replays:
    """Remember signatures for ten minutes, by the monotonic clock; the number is bounded."""

    def __init__(self, monotonic: Callable[[], float], limit: int = MAX_REMEMBERED) -> None:
        self._monotonic = monotonic
        self._limit = limit
        self._seen: OrderedDict[str, float] = OrderedDict()
        self._unsaved: list[str] = []

    def __len__(self) -> int:
        return len(self._seen)

    def is_first(self, signature: str) -> bool:
        """Return whether a signature, in hexadecimal, is new, and remember it."""
        now, start = self._monotonic(), signature[:LENGTH]
        while self._seen and next(iter(self._seen.values())) <= now - KEPT:
            self._seen.popitem(last=False)
        if start in self._seen:
            return False
        self._remember(start, now)
        self._unsaved.append(start)
        return True

    async def load(self, store: Store, within: float = KEPT) -> None:
        """Remember what other processes have seen; call it before the first request."""
        now = self._monotonic()
        for age, signatures in await store.saved_signatures(within):
            for at in range(0, len(signatures), LENGTH):
                self._remember(signatures[at : at + LENGTH], now - age)

    async def share(self, store: Store) -> None:
        """Write what is new, and learn what other processes have written."""
        await self.save(store)
        with suppress(StoreError):
            # The next time covers what comes late now.
            await self.load(store, SHARED_SECONDS)

    async def save(self, store: Store) -> None:
        """Write what is new; where that fails, it is tried again with what comes next."""
        unsaved, self._unsaved = self._unsaved, []
        if not unsaved:
            return
        try:
            await store.save_signatures("".join(unsaved))
        except StoreError as error:
            log.warning("signatures not written", problem=error)
            self._unsaved = [*unsaved, *self._unsaved][-self._limit :]

    def _remember(self, start: str, at: float) -> None:
        self._seen[start] = at
        if len(self._seen) > self._limit:
            self._seen.popitem(last=False)


HOOKS_PATH = "/hooks"


class Hooks:
    """Receive events of the connections whose provider sends them; ``wake`` notifies the background work."""

    def __init__(self, context: Context) -> None:
        self._store = context.store
        connections = context.connections
        self._hearing = {name: one for name, one in connections.items() if isinstance(one, base.Events)}
        self._wake = context.wake

    def routes(self) -> list[web.RouteDef]:
        """Return the one route; anything but a POST is answered with 405."""
        return [web.post(f"{HOOKS_PATH}/{{connection}}", self.hear)]

    async def hear(self, request: web.Request) -> web.Response:
        """Answer 204 once the event is written; 404 or 401 for senders that may not report anything."""
        name = request.match_info["connection"]
        provider = self._hearing.get(name)
        if provider is None:
            return _refused(404)
        if request.content_length is not None and request.content_length > MAX_BYTES:
            return _refused(413)
        try:
            body = await read_body(request)
            events = provider.events(request.headers, body)
        except Refusal as refusal:
            return _refused(refusal.status)
        except CredentialRefused:
            log.warning("hook.refused", connection=name)
            return _refused(401)
        except ProviderError as error:
            log.warning("hook.not_read", connection=name, problem=error)
            return _refused(400)
        heard = 0
        for event in events:
            gate_key = provider.gate_key(event.remote_id)
            heard += await self._store.hear(name, gate_key, f"hook:{name}:{event.key}", event.remark)
        if heard:
            self._wake()
        log.info("hook.heard", connection=name, events=len(events), new=heard)
        return web.Response(status=204)


def _refused(status: int, reason: str | None = None) -> web.Response:
    response = web.Response(status=status, text=reason)
    # Don't wait for what was not read.
    response.force_close()
    return response


FORM = "application/x-www-form-urlencoded"
JSON = "application/json"

_MAX_FIELDS = 100
_MAX_DEPTH = 60


class Malformed(Exception):
    """Signal that a body isn't what Slack sends; the message names the place, never the content."""


def kind_of(payload: Mapping[str, Any]) -> str:
    """Return Slack's own name for a kind of payload; ``command`` for slash commands, which have none."""
    return payload.get("type") or "command"


def read(content_type: str, raw: bytes) -> dict[str, Any]:
    """Parse a verified body; raises Malformed."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("not UTF-8") from None
    if content_type == JSON:
        return checked(_object(text))
    if content_type != FORM:
        raise Malformed("content type")
    fields = _fields(text)
    if "payload" in fields:
        return checked(_object(fields["payload"]))
    if "command" in fields:
        return _checked("command", fields)
    if fields.get("ssl_check") == "1":
        return dict(fields)
    raise Malformed("neither payload nor command")


def read_envelope(kind: str, payload: object) -> dict[str, Any]:
    """Check what came through Socket Mode; ``kind`` is the envelope's. Raises Malformed."""
    if not isinstance(payload, dict):
        raise Malformed("payload")
    if is_deeper(payload, _MAX_DEPTH):
        raise Malformed("too deep")
    if kind == "slash_commands":
        if any(not isinstance(value, str) and value is not None for value in payload.values()):
            raise Malformed("command field")
        return _checked("command", payload)
    return checked(payload)


def checked(payload: dict[str, Any]) -> dict[str, Any]:
    """Check the shape of an interaction or event by its type; raises Malformed."""
    kind = payload.get("type")
    if not isinstance(kind, str) or not kind:
        raise Malformed("type")
    if "command" in payload:
        # Bolt takes anything with this field for a slash command.
        payload = {key: value for key, value in payload.items() if key != "command"}
    return _checked(kind, payload)


def _fields(text: str) -> dict[str, str]:
    """Read a form like ``urllib.parse.parse_qsl``, in half the time: most pieces need no decoding."""
    if text.count("&") >= _MAX_FIELDS:
        raise Malformed("form")
    fields: dict[str, str] = {}
    for pair in text.split("&"):
        if pair:
            name, _, value = pair.partition("=")
            if "%" in pair or "+" in pair:
                name, value = _decoded(name), _decoded(value)
            if name in fields:
                raise Malformed("a field twice")
            fields[name] = value
    return fields


def _decoded(piece: str) -> str:
    if "+" in piece:
        piece = piece.replace("+", " ")
    if "%" not in piece:
        return piece
    try:
        return unquote_to_bytes(piece).decode()
    except UnicodeDecodeError:
        raise Malformed("form") from None


def _refuse_constant(_name: str) -> None:
    raise ValueError


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
        if "\\u" in text:
            # A lone surrogate parses, and breaks whatever encodes it later.
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Malformed("not JSON") from None
    if not isinstance(value, dict):
        raise Malformed("not a JSON object")
    if is_deeper(value, _MAX_DEPTH):
        raise Malformed("too deep")
    return value


#: The types of keys, wherever they occur; null counts as missing.
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "user": (dict, str),
    "team": (dict, str),
    "enterprise": (dict, str),
    "channel": (dict, str),
    "view": dict,
    "message": dict,
    "previous_message": dict,
    "container": dict,
    "item": dict,
    "assistant_thread": dict,
    "function_data": dict,
    "authorizations": list,
    "actions": list,
    "response_urls": list,
    "id": str,
    "type": str,
    "command": str,
    "user_id": str,
    "team_id": str,
    "enterprise_id": str,
    "channel_id": str,
    "trigger_id": str,
    "response_url": str,
    "action_id": str,
    "block_id": str,
    "callback_id": str,
    "action_ts": str,
    "event_id": str,
    "thread_ts": str,
    "ts": str,
    "private_metadata": str,
    "app_installed_team_id": str,
    "bot_id": str,
    "subtype": str,
    "channel_type": str,
    "user_team": str,
    "is_enterprise_install": (bool, str),
}
_NESTED = frozenset(
    {"user", "team", "enterprise", "channel", "view", "message", "previous_message", "container", "item"}
)
_LISTS = frozenset({"authorizations", "actions", "response_urls"})

#: What a listener needs to do anything with it. ``a.b`` is b within a.
_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "command": ("command",),
    "block_actions": ("actions",),
    # Bolt reads the view's type without looking whether it is there.
    "view_submission": ("view.id", "view.callback_id", "view.type"),
    "view_closed": ("view.id", "view.callback_id"),
    "block_suggestion": ("action_id",),
    "shortcut": ("callback_id",),
    "message_action": ("callback_id",),
    "event_callback": ("event_id", "event.type"),
    "url_verification": ("challenge",),
}


def _checked(kind: str, payload: dict[str, Any]) -> dict[str, Any]:
    _check_types(payload)
    event = payload.get("event")
    if event is not None:
        if not isinstance(event, dict):
            raise Malformed("event")
        _check_types(event)
        if not isinstance(event.get("text", ""), (str, type(None))):
            raise Malformed("event.text")
    for path in _REQUIRED.get(kind, ()):
        value: Any = payload
        for step in path.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        if not value:
            raise Malformed(path)
    if kind == "block_actions":
        for action in payload["actions"]:
            if not action.get("action_id") or not action.get("type"):
                raise Malformed("actions")
    if kind == "url_verification" and not isinstance(payload["challenge"], str):
        raise Malformed("challenge")
    if kind == "command" and not payload["command"].startswith("/"):
        raise Malformed("command")
    return payload


def _check_types(node: dict[str, Any]) -> None:
    for key, value in node.items():
        expected = _TYPES.get(key)
        if expected is None or value is None:
            continue
        if not isinstance(value, expected):
            raise Malformed(key)
        if key in _NESTED and isinstance(value, dict):
            _check_types(value)
        elif key in _LISTS and isinstance(value, list):
            for element in value:
                if not isinstance(element, dict):
                    raise Malformed(key)
                _check_types(element)


# -- on to Bolt --------------------------------------------------------------------------------------------

#: The name in Bolt's context of the installation that a request is for.
_INSTALLATION = "installation"


def build_bolt(
    *,
    tenants: Tenants,
    api_url: str,
    ids: Ids,
    session: aiohttp.ClientSession | None = None,
) -> AsyncApp:
    """Create the app that listeners are registered with.

    ``session`` is used for Slack's Web API; without one, every call opens its own.
    """
    # Below this level Bolt and the SDK log bodies and headers; Bolt copies the level to its own loggers. No
    # package of ours has this name: it would be quiet, too.
    quiet = logging.getLogger("bot.bolt")
    quiet.setLevel(logging.ERROR)
    client = AsyncWebClient(base_url=api_url, logger=quiet, session=session, timeout=10)
    # Bolt looks there for whatever it isn't given: a token, secrets, even an OAuth flow that keeps files in
    # the home folder. No argument turns that off.
    with without_variables("SLACK_"):
        app = AsyncApp(
            name="bot.bolt",
            logger=quiet,
            client=client,
            # The listener finishes before the answer is sent: what is acknowledged is written, and an
            # exception is answered.
            process_before_response=True,
            before_authorize=TenantGuard(tenants),
            authorize=Authorize(tenants),
            # A kind without a listener goes to ``failed``; otherwise Bolt would log it whole and answer 404.
            raise_error_for_unhandled_request=True,
            # Verified by the front; Socket Mode has nothing to verify.
            request_verification_enabled=False,
            # Not used.
            attaching_function_token_enabled=False,
            attaching_conversation_kwargs_enabled=False,
        )

    @app.error
    async def failed(error: Exception, body: dict[str, Any]) -> BoltResponse:
        kind = kind_of(body)
        if isinstance(error, BoltUnhandledRequestError):
            log.info("slack.kind_ignored", kind=kind[:40])
            return BoltResponse(status=200)
        reference = ids.reference()
        log.error("slack.listener_failed", reference=reference, exc_info=error)
        return BoltResponse(
            status=200,
            body=_ephemeral(pages.UNEXPECTED.format(reference=reference)) if kind == "command" else "",
        )

    return app


async def dispatch(app: AsyncApp, payload: dict[str, Any]) -> BoltResponse:
    """Return Bolt's answer to a payload of a known shape; raises Malformed for one it can't process."""
    kind = kind_of(payload)
    try:
        # The mode that accepts a parsed payload, so that nothing is parsed twice, perhaps differently. No
        # headers: Slack doesn't sign them, and Bolt would act on some.
        request = AsyncBoltRequest(body=payload, mode="socket_mode")
    except (TypeError, ValueError, AttributeError, KeyError, IndexError):
        raise Malformed(kind) from None
    try:
        return await app.async_dispatch(request)
    except Exception as error:  # noqa: BLE001 - Bolt's reader of arguments may raise, and again for ``failed``
        left_bolt(kind, error)
        return BoltResponse(status=200)


def left_bolt(kind: str, error: Exception) -> None:
    """Log an exception that escaped Bolt. The payload is acknowledged: a repetition would not help."""
    log.error("slack.bolt_failed", kind=kind[:40], exc_info=error)


def over_http(app: AsyncApp) -> Callable[[dict[str, Any]], Awaitable[web.Response]]:
    """Return what serves Slack's address, behind the front."""

    async def serve(payload: dict[str, Any]) -> web.Response:
        try:
            answer = await dispatch(app, payload)
        except Malformed as malformed:
            return web.Response(status=400, text=f"malformed: {malformed}")
        return web.Response(status=answer.status, body=answer.body.encode(), headers=answer.first_headers())

    return serve


class TenantGuard(AsyncMiddleware):
    """Refuse other workspaces before Bolt authorises: it would call Slack to post a text of its own.

    An object, not a function: Bolt reads no arguments for it, so no payload is too odd to check.
    """

    def __init__(self, tenants: Tenants) -> None:
        self._tenants = tenants

    async def async_process(
        self,
        *,
        req: AsyncBoltRequest,
        resp: BoltResponse,  # noqa: ARG002 - Bolt hands it over
        next: Callable[[], Awaitable[BoltResponse]],  # noqa: A002 - Bolt's name
    ) -> BoltResponse | None:
        """Continue with what is ours, and with Slack's own check of the address."""
        kind, context = kind_of(req.body), req.context
        if kind == "url_verification":
            return await next()
        found = await self._tenants.installation(context.enterprise_id, context.team_id)
        if found is not None:
            context[_INSTALLATION] = found
            return await next()
        log.warning("slack.foreign_team_refused", kind=kind[:40], team=context.team_id)
        return _foreign(kind)


class Authorize(AsyncAuthorize):
    """Tell Bolt whose token a request is served with, without asking Slack.

    An object like Bolt's own over an installation store: unlike a function, it can be combined with OAuth.
    """

    def __init__(self, tenants: Tenants) -> None:
        self._tenants = tenants
        #: The last result of each installation.
        self._results: dict[str, AuthorizeResult] = {}

    async def __call__(self, *, context: AsyncBoltContext, **_others: object) -> AuthorizeResult:
        """Return the installation that a request is for, as the tenant guard has found it."""
        found: Installation = context[_INSTALLATION]
        token = self._tenants.token_of(found.id)
        result = self._results.get(found.id)
        if result is None or result.bot_token != token:
            result = self._results[found.id] = AuthorizeResult(
                enterprise_id=found.enterprise_id,
                team_id=found.team_id,
                bot_token=token,
                bot_user_id=found.bot_user_id,
                bot_id=found.bot_id,
            )
        return result


def _ephemeral(text: str) -> str:
    return json.dumps({"response_type": "ephemeral", "text": text})


def _foreign(kind: str) -> BoltResponse:
    """Refuse with a hint where Slack shows one; the ack of a click or an event shows nothing."""
    hint = pages.FOREIGN_TEAM
    if kind == "command":
        return BoltResponse(status=200, body=_ephemeral(hint))
    if kind == "block_suggestion":
        return BoltResponse(status=200, body={"options": []})
    if kind == "view_submission":
        view = kit.modal(pages.BRAND, [kit.section(hint)], close=pages.CLOSE)
        return BoltResponse(status=200, body={"response_action": "update", "view": view})
    return BoltResponse(status=200)
