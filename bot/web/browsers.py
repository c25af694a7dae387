"""Cookies in people's browsers, forms that they send, and the proof that one came from our own page.

One signed cookie holds the link's nonce and the browser's own id, another what a sign-in must come back with;
both last for minutes, and the server stores nothing of them. A third holds the id of a browser session, whose
data is stored on the server (``bot.services.browsers``).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from itsdangerous import BadData, URLSafeSerializer

from bot.services.linking import digest
from bot.web.front import Refusal, read_body
from bot.web.openid import Flow
from bot.web.shapes import FORM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp import web

    from bot.support.clock import Clock

#: How long a cookie lasts: a link, and then the code that follows it; seconds.
COOKIE_SECONDS = 1200.0
SIGN_IN_SECONDS = 600.0

_FLOW = ("state", "nonce", "verifier")
_LONGEST_ID = 64
MAX_FORM_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Visit:
    """Identify the link that a browser is visiting, and the browser."""

    nonce: str
    browser: str


class Browsers:
    """Write and read the cookies of our pages at one public address.

    ``keys`` are secrets of the installation, newest first: the newest signs, all are accepted. Over https the
    cookies are ``__Host-`` and Secure; plain http is for this machine only, where browsers reject those.
    """

    def __init__(self, *, public_url: str, keys: Sequence[str], clock: Clock) -> None:
        parts = urlsplit(public_url)
        usual = {"https": ":443", "http": ":80"}.get(parts.scheme, "")
        self._origin = f"{parts.scheme}://{parts.netloc.removesuffix(usual)}".lower()
        self._is_secure = parts.scheme == "https"
        prefix = "__Host-" if self._is_secure else ""
        self._visit_name = f"{prefix}usher-link"
        self._flow_name = f"{prefix}usher-sign-in"
        self._session_name = f"{prefix}usher-session"
        self._clock = clock
        # itsdangerous wants the newest last.
        self._signer = URLSafeSerializer(
            list(reversed(keys)),
            salt="usher.pages",
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
        )
        self._forms_key = hashlib.sha256(b"usher.forms:" + keys[0].encode()).digest()

    # -- cookies -------------------------------------------------------------------------------------------

    def remember(self, request: web.Request, response: web.StreamResponse, nonce: str) -> None:
        """Move a link's nonce into the cookie; a browser that has an id keeps it."""
        before = self.visit(request)
        browser = before.browser if before is not None else secrets.token_urlsafe(32)
        self._write(response, self._visit_name, {"n": nonce, "b": browser}, COOKIE_SECONDS)

    def visit(self, request: web.Request) -> Visit | None:
        """Return which link this browser is visiting, or None."""
        content = self._read(request, self._visit_name, ("n", "b"))
        return Visit(content["n"], content["b"]) if content is not None else None

    def begin(self, response: web.StreamResponse, flow: Flow, nonce: str) -> None:
        """Remember what a sign-in must come back with, and for which link it was begun."""
        self._write(response, self._flow_name, {**asdict(flow), "link": digest(nonce)}, SIGN_IN_SECONDS)

    def flow(self, request: web.Request, nonce: str, state: str) -> Flow | None:
        """Return the sign-in that this browser began for this link with this state, or None."""
        content = self._read(request, self._flow_name, (*_FLOW, "link"))
        if content is None or content["link"] != digest(nonce):
            return None
        return _flow(content, state)

    def end(self, response: web.StreamResponse) -> None:
        """Forget the sign-in."""
        self._forget(response, self._flow_name)

    # -- browser sessions ----------------------------------------------------------------------------------

    def begin_page(self, response: web.StreamResponse, flow: Flow, page: str) -> None:
        """Remember what a sign-in must come back with, and for which workspace's page it was begun."""
        self._write(response, self._flow_name, {**asdict(flow), "page": page}, SIGN_IN_SECONDS)

    def page_of(self, request: web.Request) -> str | None:
        """Return the workspace whose page this browser is signing in for, or None."""
        content = self._read(request, self._flow_name, (*_FLOW, "page"))
        return content["page"] if content is not None else None

    def page_flow(self, request: web.Request, state: str) -> Flow | None:
        """Return the sign-in for a page that this browser began with this state, or None."""
        content = self._read(request, self._flow_name, (*_FLOW, "page"))
        return _flow(content, state) if content is not None else None

    def open_session(self, response: web.StreamResponse, session_id: str, seconds: float) -> None:
        """Give a browser its session; the server knows when it ends."""
        self._set(response, self._session_name, session_id, seconds)

    def session(self, request: web.Request) -> str | None:
        """Return the id of the browser's session, or None; it isn't checked for validity."""
        value = request.cookies.get(self._session_name)
        return value if value is not None and len(value) <= _LONGEST_ID else None

    def close_session(self, response: web.StreamResponse) -> None:
        """Take the session from the browser."""
        self._forget(response, self._session_name)

    def session_mark(self, session_id: str) -> str:
        """Return the CSRF token of every form and request of a signed-in page."""
        return hmac.new(self._forms_key, f"session:{digest(session_id)}".encode(), hashlib.sha256).hexdigest()

    def is_of_session(self, request: web.Request, session_id: str, mark: str) -> bool:
        """Return whether a form or request was sent from our own page in this browser's session."""
        return self.is_same_origin(request) and hmac.compare_digest(
            mark.encode(), self.session_mark(session_id).encode()
        )

    # -- forms ---------------------------------------------------------------------------------------------

    def form_mark(self, visit: Visit) -> str:
        """Return the CSRF token of every form: it binds the form to this browser and to the one link."""
        content = f"{visit.browser}:{digest(visit.nonce)}".encode()
        return hmac.new(self._forms_key, content, hashlib.sha256).hexdigest()

    def is_genuine(self, request: web.Request, visit: Visit, mark: str) -> bool:
        """Return whether a form was sent from our own page in this browser."""
        return self.is_same_origin(request) and hmac.compare_digest(
            mark.encode(), self.form_mark(visit).encode()
        )

    def is_same_origin(self, request: web.Request) -> bool:
        """Judge by what the browser says about a form's origin.

        Our pages send no referrer, so browsers give their forms the origin ``null``: that is accepted only
        together with Sec-Fetch-Site, which no page can set.
        """
        site = request.headers.getall("Sec-Fetch-Site", [])
        origin = request.headers.getall("Origin", [])
        if len(site) > 1 or len(origin) > 1 or (site and site[0] != "same-origin"):
            return False
        if origin and origin[0] != "null":
            return origin[0].lower() == self._origin
        return bool(site)

    # -- inside --------------------------------------------------------------------------------------------

    def _write(
        self, response: web.StreamResponse, name: str, content: dict[str, str], seconds: float
    ) -> None:
        value = self._signer.dumps({**content, "until": self._clock.now() + seconds})
        assert isinstance(value, str)
        self._set(response, name, value, seconds)

    def _set(self, response: web.StreamResponse, name: str, value: str, seconds: float) -> None:
        response.set_cookie(
            name,
            value,
            max_age=int(seconds),
            path="/",
            secure=self._is_secure,
            httponly=True,
            # With Strict, the browser would not send the cookie when Slack redirects back.
            samesite="Lax",
        )

    def _forget(self, response: web.StreamResponse, name: str) -> None:
        response.del_cookie(name, path="/", secure=self._is_secure, httponly=True, samesite="Lax")

    def _read(self, request: web.Request, name: str, fields: Sequence[str]) -> dict[str, Any] | None:
        value = request.cookies.get(name)
        if value is None or len(value) > 2048:
            return None
        try:
            content = self._signer.loads(value)
        except BadData:
            return None
        if not isinstance(content, dict) or not all(isinstance(content.get(name), str) for name in fields):
            return None
        until = content.get("until")
        if not isinstance(until, (int, float)) or until <= self._clock.now():
            return None
        return content


def _flow(content: dict[str, Any], state: str) -> Flow | None:
    if not hmac.compare_digest(content["state"].encode(), state.encode()):
        return None
    return Flow(content["state"], content["nonce"], content["verifier"])


async def read_form(request: web.Request) -> dict[str, str] | None:
    """Return a form's fields; None if it isn't a form of ours."""
    if request.content_type != FORM or (request.content_length or 0) > MAX_FORM_BYTES:
        return None
    try:
        raw = await read_body(request)
        return dict(parse_qsl(raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=20))
    except (Refusal, ValueError):
        return None
