"""Cookies in people's browsers, forms that they send, and the proof that one came from our own page.

One signed cookie holds the nonces of the links that are open in this browser and the browser's own id,
another what sign-ins must come back with; both last for minutes, and the server stores nothing of them. Links
may be open side by side, in tabs of their own: an address names the one that it is about. A third cookie
holds the id of a browser session, whose data is stored on the server (``bot.services.browsers``).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web
from itsdangerous import BadData, URLSafeSerializer

from bot.services.linking import digest
from bot.support.clock import Clock
from bot.web.front import Refusal, read_body
from bot.web.openid import Flow
from bot.web.shapes import FORM

#: How long a cookie lasts: a link, and then the code that follows it; seconds.
COOKIE_SECONDS = 1200.0
SIGN_IN_SECONDS = 600.0
#: How many links, and how many sign-ins, a browser may have open at a time; the oldest is forgotten.
SIDE_BY_SIDE = 4

_FLOW = ("state", "nonce", "verifier")
_LONGEST_ID = 64
_LINK_NAME = 12
#: Who is asked by *Sign in with Slack*: no connection has this name.
SLACK = ""
MAX_FORM_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Visit:
    """Identify the link that a browser is visiting, and the browser."""

    nonce: str
    browser: str

    @property
    def name(self) -> str:
        """Return what addresses call this link; it opens nothing by itself."""
        return digest(self.nonce)[:_LINK_NAME]


def cookie_name(name: str, *, is_secure: bool) -> str:
    """Return a cookie's name: over https no other host and no page of plain http can set it."""
    return f"__Host-{name}" if is_secure else name


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
        self._visit_name = cookie_name("usher-link", is_secure=self._is_secure)
        self._flow_name = cookie_name("usher-sign-in", is_secure=self._is_secure)
        self._session_name = cookie_name("usher-session", is_secure=self._is_secure)
        self._clock = clock
        # itsdangerous wants the newest last.
        self._signer = URLSafeSerializer(
            list(reversed(keys)),
            salt="usher.pages",
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
        )
        self._forms_key = hashlib.sha256(b"usher.forms:" + keys[0].encode()).digest()

    # -- cookies -------------------------------------------------------------------------------------------

    def remember(self, request: web.Request, response: web.StreamResponse, nonce: str) -> Visit:
        """Move a link's nonce into the cookie, beside those of other tabs; a browser keeps the id it has."""
        others = [one for one in self._read(request, self._visit_name, ("n", "b")) if one["n"] != nonce]
        visit = Visit(nonce, others[-1]["b"] if others else secrets.token_urlsafe(32))
        content = {"n": visit.nonce, "b": visit.browser}
        self._write(response, self._visit_name, others, content, COOKIE_SECONDS)
        return visit

    def visit(self, request: web.Request, name: str = "") -> Visit | None:
        """Return the link that an address of this browser names, the newest for no name, or None."""
        return next((one for one in self._visits(request) if name in ("", one.name)), None)

    def begin(
        self, request: web.Request, response: web.StreamResponse, flow: Flow, nonce: str, at: str = SLACK
    ) -> None:
        """Remember what a sign-in must come back with, from where, and for which link it was begun.

        ``at`` is the connection at whose provider it is.
        """
        self._begin(request, response, flow, {"link": digest(nonce), "at": at})

    def link_of(self, request: web.Request) -> str:
        """Return the name of the link for which the returning sign-in was begun, or an empty string."""
        begun = self._begun(request, "link")
        return begun["link"][:_LINK_NAME] if begun is not None else ""

    def flow(self, request: web.Request, nonce: str, at: str = SLACK) -> Flow | None:
        """Return the sign-in that this browser began there for this link and that now comes back, or None."""
        begun = self._begun(request, "link")
        if begun is None or (begun["link"], begun.get("at")) != (digest(nonce), at):
            return None
        return _flow(begun)

    def end(self, request: web.Request, response: web.StreamResponse) -> None:
        """Forget the sign-in that came back."""
        others = [one for one in self._read(request, self._flow_name, _FLOW) if not _comes_back(request, one)]
        if others:
            self._write(response, self._flow_name, others[:-1], others[-1], SIGN_IN_SECONDS)
        else:
            self._forget(response, self._flow_name)

    # -- browser sessions ----------------------------------------------------------------------------------

    def begin_page(self, request: web.Request, response: web.StreamResponse, flow: Flow, page: str) -> None:
        """Remember what a sign-in must come back with, and for which workspace's page it was begun."""
        self._begin(request, response, flow, {"page": page})

    def page_of(self, request: web.Request) -> str | None:
        """Return the workspace for whose page the sign-in that now comes back was begun, or None.

        If this browser began none with such a state, the newest says which page has to refuse it.
        """
        begun = self._read(request, self._flow_name, _FLOW)
        matching = [one for one in begun if _comes_back(request, one)] or begun
        page = matching[-1].get("page") if matching else None
        return page if isinstance(page, str) else None

    def page_flow(self, request: web.Request) -> Flow | None:
        """Return the sign-in for a page that this browser began and that now comes back, or None."""
        begun = self._begun(request, "page")
        return _flow(begun) if begun is not None else None

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

    def sent_from(self, request: web.Request, mark: str) -> Visit | None:
        """Return the link whose page, opened by us in this browser, sent a form; None for any other form."""
        if not self.is_same_origin(request):
            return None
        visits = self._visits(request)
        return next(
            (one for one in visits if hmac.compare_digest(mark.encode(), self.form_mark(one).encode())), None
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

    def _visits(self, request: web.Request) -> list[Visit]:
        """Return the links that are open in this browser, newest first."""
        return [Visit(one["n"], one["b"]) for one in self._read(request, self._visit_name, ("n", "b"))][::-1]

    def _begin(
        self, request: web.Request, response: web.StreamResponse, flow: Flow, purpose: dict[str, str]
    ) -> None:
        others = self._read(request, self._flow_name, _FLOW)
        self._write(response, self._flow_name, others, {**asdict(flow), **purpose}, SIGN_IN_SECONDS)

    def _begun(self, request: web.Request, purpose: str) -> dict[str, Any] | None:
        """Return the sign-in for such a purpose whose state the request brings back, or None."""
        begun = self._read(request, self._flow_name, (*_FLOW, purpose))
        return next((one for one in begun if _comes_back(request, one)), None)

    def _write(
        self,
        response: web.StreamResponse,
        name: str,
        others: list[dict[str, Any]],
        content: dict[str, Any],
        seconds: float,
    ) -> None:
        entries = [*others, {"until": self._clock.now() + seconds, **content}][-SIDE_BY_SIDE:]
        value = self._signer.dumps(entries)
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

    def _read(self, request: web.Request, name: str, fields: Sequence[str]) -> list[dict[str, Any]]:
        """Return what a cookie holds and has not expired, oldest first: the entries with these fields."""
        value = request.cookies.get(name)
        if value is None or len(value) > 2048:
            return []
        try:
            entries = self._signer.loads(value)
        except BadData:
            return []
        return [one for one in entries if self._is_entry(one, fields)] if isinstance(entries, list) else []

    def _is_entry(self, entry: Any, fields: Sequence[str]) -> bool:
        if not isinstance(entry, dict) or not all(isinstance(entry.get(name), str) for name in fields):
            return False
        until = entry.get("until")
        return isinstance(until, (int, float)) and until > self._clock.now()


def _comes_back(request: web.Request, begun: dict[str, Any]) -> bool:
    state = request.query.get("state", "")[:200]
    return hmac.compare_digest(begun["state"].encode(), state.encode())


def _flow(begun: dict[str, Any]) -> Flow:
    return Flow(begun["state"], begun["nonce"], begun["verifier"])


async def read_form(request: web.Request) -> dict[str, str] | None:
    """Return a form's fields; None if it isn't a form of ours."""
    if request.content_type != FORM or (request.content_length or 0) > MAX_FORM_BYTES:
        return None
    try:
        raw = await read_body(request)
        return dict(parse_qsl(raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=20))
    except (Refusal, ValueError):
        return None
