"""The Bolt app. It refuses requests from Slack workspaces that aren't served.

Requests come from ``Front`` or Socket Mode. Bolt finds the listener for each request, and answers only after
the listener has finished (ADR 42). Bodies are never logged.
"""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp
import structlog
from aiohttp import web
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.installations import Installation, Tenants
from bot.messages.blocks import kit
from bot.messages.texts import pages
from bot.slack.bolt_context import RETRY_NUMBER
from bot.support.clock import Ids
from bot.support.environment import hide_variables
from bot.web.front import Serve
from bot.web.shapes import Malformed, find_kind

log = structlog.get_logger(__name__)


# -- passing requests on to Bolt ---------------------------------------------------------------------------

_INSTALLATION = "installation"


def build_bolt(
    *,
    tenants: Tenants,
    api_url: str,
    ids: Ids,
    session: aiohttp.ClientSession | None = None,
) -> AsyncApp:
    """Create the Bolt app, without listeners.

    ``session`` is used for calls to Slack's Web API. Without it, each call opens a session of its own.
    """
    # At lower levels, Bolt and the SDK log bodies and headers. Bolt copies this level to its own loggers.
    # None of our packages may have the same name, because its logs would be silenced, too.
    quiet = logging.getLogger("bot.bolt")
    quiet.setLevel(logging.ERROR)
    client = AsyncWebClient(base_url=api_url, logger=quiet, session=session, timeout=10)
    # For any argument that it isn't given, Bolt reads an environment variable. It takes tokens and secrets
    # from there, and even turns on an OAuth flow that keeps files in the home folder. No argument turns that
    # off.
    with hide_variables("SLACK_"):
        app = AsyncApp(
            name="bot.bolt",
            logger=quiet,
            client=client,
            # The listener finishes before the answer is sent. So anything acknowledged is in the database by
            # then, and an exception can still change the answer.
            process_before_response=True,
            before_authorize=TenantGuard(tenants),
            authorize=Authorize(tenants),
            # Requests without a listener go to ``failed``. By default, Bolt would log them in full and answer
            # 404.
            raise_error_for_unhandled_request=True,
            # HTTP requests have already been verified by ``Front``, and Socket Mode needs no verification.
            request_verification_enabled=False,
            attaching_function_token_enabled=False,
            attaching_conversation_kwargs_enabled=False,
        )

    @app.error
    async def failed(error: Exception, body: dict[str, Any]) -> BoltResponse:
        kind = find_kind(body)
        if isinstance(error, BoltUnhandledRequestError):
            log.info("slack.kind_ignored", kind=kind[:40])
            return BoltResponse(status=200)
        reference = ids.reference()
        log.error("slack.listener_failed", reference=reference, exc_info=error)
        return BoltResponse(
            status=200,
            body=_build_ephemeral(pages.UNEXPECTED.format(reference=reference)) if kind == "command" else "",
        )

    return app


async def dispatch(
    app: AsyncApp, payload: dict[str, Any], context: Mapping[str, Any] | None = None
) -> BoltResponse:
    """Return Bolt's answer to a payload whose shape has been checked.

    Listeners find the values of ``context`` in Bolt's own context. Raise Malformed if Bolt can't read the
    payload.
    """
    kind = find_kind(payload)
    try:
        # In this mode, Bolt accepts a payload that is already parsed, so it can't parse it in another way
        # than we did. The headers are left out, because Slack doesn't sign them and Bolt would act on some of
        # them.
        request = AsyncBoltRequest(body=payload, mode="socket_mode", context={**(context or {})})
    except (TypeError, ValueError, AttributeError, KeyError, IndexError):
        raise Malformed(kind) from None
    try:
        return await app.async_dispatch(request)
    except Exception as error:  # noqa: BLE001 - Bolt's argument reader may raise anything, and again for ``failed``
        count_leftover(kind, error)
        return BoltResponse(status=200)


def count_leftover(kind: str, error: Exception) -> None:
    """Log an exception from Bolt.

    The payload is acknowledged anyway, because sending it again wouldn't help.
    """
    log.error("slack.bolt_failed", kind=kind[:40], exc_info=error)


def build_http_handler(app: AsyncApp) -> Serve:
    """Build the handler for the requests from Slack that ``Front`` accepts."""

    async def serve(payload: dict[str, Any], _signature: str, headers: Mapping[str, str]) -> web.Response:
        try:
            answer = await dispatch(app, payload, {RETRY_NUMBER: headers.get("X-Slack-Retry-Num", "0")})
        except Malformed as malformed:
            return web.Response(status=400, text=f"malformed: {malformed}")
        return web.Response(status=answer.status, body=answer.body.encode(), headers=answer.first_headers())

    return serve


class TenantGuard(AsyncMiddleware):
    """Refuses requests from workspaces that aren't served. Without this, Bolt would post a message there.

    It is a class because Bolt would read a function's arguments from the payload, which may be malformed.
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
        """Pass on requests from served workspaces, and requests with which Slack verifies the URL."""
        kind, context = find_kind(req.body), req.context
        if kind == "url_verification":
            return await next()
        found = await self._tenants.installation(context.enterprise_id, context.team_id)
        if found is not None:
            context[_INSTALLATION] = found
            return await next()
        log.warning("slack.foreign_team_refused", kind=kind[:40], team=context.team_id)
        return _refuse_foreign(kind)


class Authorize(AsyncAuthorize):
    """Tells Bolt which token to use for a request, without calling Slack.

    It is an object, like Bolt's own, because Bolt can't combine a function with OAuth.
    """

    def __init__(self, tenants: Tenants) -> None:
        self._tenants = tenants
        self._results: dict[str, AuthorizeResult] = {}

    async def __call__(self, *, context: AsyncBoltContext, **_others: object) -> AuthorizeResult:
        """Return the token and ids of the request's installation, which ``TenantGuard`` has looked up."""
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


def _build_ephemeral(text: str) -> str:
    return json.dumps({"response_type": "ephemeral", "text": text})


def _refuse_foreign(kind: str) -> BoltResponse:
    hint = pages.FOREIGN_TEAM
    if kind == "command":
        return BoltResponse(status=200, body=_build_ephemeral(hint))
    if kind == "block_suggestion":
        return BoltResponse(status=200, body={"options": []})
    if kind == "view_submission":
        view = kit.modal(pages.BRAND, [kit.section(hint)])
        return BoltResponse(status=200, body={"response_action": "update", "view": view})
    return BoltResponse(status=200)
