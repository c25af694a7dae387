"""The Web API at ``/api/<method>``: tokens, scopes, rate limits, and answers in Slack's format."""

from __future__ import annotations

import secrets
from email.utils import formatdate

from aiohttp import web

from playground.faults import came
from playground.harness import Harness
from playground.slack.calls import Call, Services, bearer, read_arguments
from playground.slack.errors import SlackError
from playground.slack.methods import METHODS, Method
from playground.slack.records import Json, Token

#: Errors that are the client's fault. Other errors may depend on the state of the workspace.
MISTAKES = {
    "invalid_arguments", "invalid_auth", "invalid_blocks", "invalid_blocks_format", "invalid_json",
    "json_not_object", "invalid_metadata_format", "invalid_metadata_schema", "invalid_post_type",
    "metadata_too_large", "missing_scope", "msg_too_long", "no_text", "not_allowed_token_type",
    "not_authed", "unknown_method", "view_too_large",
}  # fmt: skip


def _token(call: Call, method: Method) -> Token:
    """Return the token, which may be in the header or in a field of a form. A token in the URL is ignored."""
    value = bearer(call.request)
    in_form = call.request.method == "POST" and call.request.content_type != "application/json"
    if value is None and in_form and "token" not in call.request.query:
        value = call.arguments.get("token")
    if not value:
        raise SlackError("not_authed")
    token = call.state.tokens.get(value)
    if token is None:
        raise SlackError("invalid_auth")
    if token.revoked:
        raise SlackError("token_revoked")
    if token.expires_at is not None and call.state.clock.now() >= token.expires_at:
        raise SlackError("token_expired")
    if not call.state.app.installed and token.kind != "app":
        raise SlackError("account_inactive")
    if token.user and call.state.people[token.user].deleted:
        raise SlackError("account_inactive")
    if token.kind not in method.kinds:
        raise SlackError("not_allowed_token_type")
    return token


class Api:
    """Handles calls of Web API methods."""

    def __init__(self, services: Services, harness: Harness) -> None:
        self._services = services
        self._harness = harness

    async def handle(self, request: web.Request) -> web.Response:
        """Run one method."""
        name = request.match_info["method"]
        call = Call(self._services, name, {}, request)
        try:
            body, warning = await self._run(call, METHODS.get(name))
        except SlackError as error:
            if error.code in MISTAKES:
                self._harness.violation(f"slack_{error.code}", self._detail(name, error))
            return self._respond(call, error.body(), error.status, error.headers)
        for remark in call.remarks:
            self._harness.violation("block_kit_remark", f"{name}: {remark}")
        answer: Json = {"ok": True, **body}
        if warning:
            metadata = answer.setdefault("response_metadata", {})
            answer["warning"], metadata["warnings"] = warning, [warning]
        return self._respond(call, answer, 200, {})

    async def _run(self, call: Call, method: Method | None) -> tuple[Json, str | None]:
        if method is None:
            raise SlackError("unknown_method", req_method=call.method)
        call.arguments, warning = await read_arguments(call.request, call.method)
        if method.kinds:
            call.token = _token(call, method)
        call.arguments.pop("token", None)
        self._services.budgets.method(call.method, came(call.request))
        if method.scope:
            call.require_scope(method.scope)
        return await method.run(call), warning

    @staticmethod
    def _detail(name: str, error: SlackError) -> str:
        messages = error.extra.get("response_metadata", {}).get("messages", [])
        needed = error.extra.get("needed")
        return ": ".join([name, *([f"needs {needed}"] if needed else []), *messages[:3]])

    def _respond(self, call: Call, body: Json, status: int, headers: dict[str, str]) -> web.Response:
        shown = {
            "X-Slack-Req-Id": secrets.token_hex(16),
            "Cache-Control": "private, no-cache, no-store, must-revalidate",
            "Date": formatdate(self._harness.clock.now(), usegmt=True),
            **headers,
        }
        if call.token is not None and self._services.state.app.tells_scopes:
            shown["X-OAuth-Scopes"] = ",".join(call.token.scopes)
        method = METHODS.get(call.method)
        if method is not None and method.scope:
            shown["X-Accepted-OAuth-Scopes"] = method.scope
        return web.json_response(body, status=status, headers=shown)
