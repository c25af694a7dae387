"""A call of a Web API method: its arguments from the query, a form or JSON, and its caller."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from playground.slack.errors import SlackError, invalid_arguments
from playground.slack.limits import Budgets
from playground.slack.openid import OpenId
from playground.slack.records import Channel, Json, Token
from playground.slack.state import State
from playground.values import loads

#: Methods that only read forms, according to their reference pages. Arguments in JSON are ignored.
FORM_ONLY = {
    "auth.revoke", "bots.info", "chat.getPermalink", "conversations.info", "conversations.list",
    "conversations.members", "conversations.replies", "files.info", "oauth.v2.access", "openid.connect.token",
    "openid.connect.userInfo", "usergroups.users.list", "users.info", "users.list",
}  # fmt: skip


async def read_arguments(request: web.Request, method: str) -> tuple[Json, str | None]:
    """Return the arguments and, if Slack would send one, the warning about the content type."""
    found: Json = dict(request.query)
    if request.method == "GET" or not request.body_exists:
        return found, None
    kind, charset = request.content_type, "charset" in request.headers.get("Content-Type", "")
    if "Content-Type" not in request.headers:
        raise SlackError("missing_post_type")
    if kind == "application/json":
        try:
            values = loads(await request.read())
        except ValueError:
            raise SlackError("invalid_json") from None
        if not isinstance(values, dict):
            raise SlackError("json_not_object")
        if method not in FORM_ONLY:
            found |= values
        return found, None if charset else "missing_charset"
    if kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        found |= {key: value for key, value in (await request.post()).items() if isinstance(value, str)}
        return found, "superfluous_charset" if charset else None
    if kind == "text/plain":
        return found, None
    raise SlackError("invalid_post_type")


def bearer(request: web.Request) -> str | None:
    """Return the token in the Authorization header."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else None


def basic(request: web.Request) -> tuple[str, str] | None:
    """Return the client id and secret in a Basic Authorization header."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return name, secret


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of the server that methods use."""

    state: State
    budgets: Budgets
    openid: OpenId
    #: Returns a URL for one Socket Mode connection.
    socket_url: Callable[[], str]
    #: Removes the app.
    uninstall: Callable[[], Awaitable[object]]


@dataclass(slots=True)
class Call:
    """A call of a method, with everything that the method may need."""

    services: Services
    method: str
    arguments: Json
    request: web.Request
    token: Token | None = None
    remarks: list[str] = field(default_factory=list)

    @property
    def state(self) -> State:
        """Return the workspace."""
        return self.services.state

    def need(self, *names: str) -> None:
        """Raise invalid_arguments if any of these arguments is missing or empty."""
        missing = [name for name in names if self.arguments.get(name) in (None, "")]
        if missing:
            raise invalid_arguments(*(f"missing required field: {name}" for name in missing))

    def text(self, name: str, default: str = "") -> str:
        """Return an argument as a string. Like Slack, accept a number, too."""
        value = self.arguments.get(name)
        if value is None:
            return default
        if isinstance(value, bool | dict | list):
            raise invalid_arguments(f"must provide a string [json-pointer:/{name}]")
        return str(value)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a boolean argument. In forms, 1, true and True mean true."""
        value = self.arguments.get(name)
        return default if value is None else str(value).lower() in ("1", "true")

    def number(self, name: str, default: int, most: int) -> int:
        """Return a number of items, capped at the method's maximum. 0 means the default."""
        try:
            value = int(self.text(name) or default)
        except ValueError:
            raise SlackError("invalid_limit") from None
        if value < 0:
            raise SlackError("invalid_limit")
        return min(value or default, most)

    def structure(self, name: str, error: str) -> Any:
        """Return an object or a list, which forms contain as JSON text; raise ``error`` for anything else."""
        value = self.arguments.get(name)
        if isinstance(value, str):
            if not value.strip():
                return None
            try:
                value = loads(value)
            except ValueError:
                raise SlackError(error) from None
        if value is not None and not isinstance(value, dict | list):
            raise SlackError(error)
        return value

    def require_scope(self, *needed: str) -> None:
        """Raise missing_scope unless the token has at least one of these scopes."""
        granted = self.token.scopes if self.token else ()
        if needed and not any(scope in granted for scope in needed):
            raise SlackError("missing_scope", needed=needed[0], provided=",".join(granted))

    def scope_for(self, channel: Channel, right: str) -> None:
        """Require the scope for this kind of conversation, such as ``im:history``."""
        self.require_scope(f"{channel.scope_family}:{right}")


def page(found: list[Any], cursor: str, limit: int) -> tuple[list[Any], str]:
    """Return one page of a list, and the cursor of the next page ("" on the last page)."""
    start = 0
    if cursor:
        try:
            word, _, number = base64.b64decode(cursor, validate=True).decode().partition(":")
            start = int(number)
        except (binascii.Error, ValueError):
            raise SlackError("invalid_cursor") from None
        if word != "next" or not 0 <= start <= len(found):
            raise SlackError("invalid_cursor")
    end = start + limit
    following = base64.b64encode(f"next:{end}".encode()).decode() if end < len(found) else ""
    return found[start:end], following
