"""Identifies people in browsers: cookies, Sign in with Slack, and proof that a form is from our page.

There are three cookies. The first contains the browser's id and the nonces of the links that are open in it.
Each page's URL names its link, so several links may be open in different tabs. The second contains the
secrets that a sign-in's redirect must match. These two cookies are signed and last for minutes, and the
server keeps no record of them. The third contains the id of a browser session, whose data is stored on the
server (``bot.services.browsers``).

Sign in with Slack uses OpenID Connect with only the scope ``openid``, and with a state, a nonce and the
client's secret (``docs/internals/slack.md``, "Sign in with Slack", which also explains why there is no PKCE).
The authorize page and the keys are at the origin of the Web API's URL. The issuer is always Slack's, even
with a local Slack. Opening a page never signs anyone in.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import structlog
from aiohttp import web
from itsdangerous import BadData, URLSafeSerializer
from pydantic import SecretStr

from bot.domain.people import Principal
from bot.services.context import PeopleBook
from bot.services.linking import Visit, compute_digest, is_nonce
from bot.slack.methods import OPENID_CONNECT_TOKEN
from bot.support.addresses import parse_origin
from bot.support.clock import Clock
from bot.support.errors import ProviderError, Refused, SlackFailed
from bot.support.http import Http
from bot.support.logs import mark_as_known
from bot.web.front import Refusal, read_body
from bot.web.shapes import FORM

log = structlog.get_logger(__name__)


#: Lifetime of the cookie for open links, in seconds. It leaves people enough time to type a link's code. The
#: cookie for sign-ins lasts ``SIGN_IN_SECONDS``.
COOKIE_SECONDS = 1200.0
SIGN_IN_SECONDS = 600.0
#: Maximum number of links, and of sign-ins, that can be in progress in one browser. The oldest are forgotten
#: first.
MAX_OPEN_FLOWS = 4

_FLOW_FIELDS = ("state", "nonce", "verifier")
CSRF_HEADER = "X-Usher-Mark"
#: Value that stands for *Sign in with Slack* where a connection's name is expected.
SLACK_SIGN_IN = ""
MAX_FORM_BYTES = 16 * 1024
#: Matches the host name or address at the beginning of a Host header, without the port.
_HOST_PATTERN = re.compile(r"\[[^]]*\]|[^:]*")


def is_at(request: web.Request, url: str) -> bool:
    """Return whether a request was sent to the host name in a URL, even if a proxy left out the port.

    A dot at the end of the host name is ignored. With such a dot, browsers see a different origin, but the
    host is the same.
    """
    host = _HOST_PATTERN.match(request.host.lower())
    return bool(url) and host is not None and host[0].rstrip(".") == parse_origin(url).shown_host


def cookie_name(name: str, *, is_secure: bool) -> str:
    """Return a cookie's full name.

    Over https, the prefix keeps other hosts and http pages from setting it.
    """
    return f"__Host-{name}" if is_secure else name


class Browsers:
    """Writes and reads the cookies of our pages at one public URL.

    Pages that show IDEs may be at a second host name (``page_url``), which gets no cookies. There, each
    page's CSRF token identifies the session. ``keys`` are secrets of the installation, newest first. Cookies
    are signed with the newest, and signatures with any of them are accepted. Over https, the cookies are
    ``__Host-`` and Secure. Browsers reject such cookies over plain http, which may be used only on this
    machine.
    """

    def __init__(self, *, public_url: str, keys: Sequence[str], clock: Clock, page_url: str = "") -> None:
        self._page_url = page_url
        self.origin = _get_origin(public_url)
        #: The origin of the pages that run a provider's script.
        self.page_origin = _get_origin(page_url or public_url)
        self._is_secure = self.origin.startswith("https:")
        self._visit_name = cookie_name("usher-link", is_secure=self._is_secure)
        self._flow_name = cookie_name("usher-sign-in", is_secure=self._is_secure)
        self._session_name = cookie_name("usher-session", is_secure=self._is_secure)
        self._clock = clock
        # itsdangerous expects the newest key last.
        self._signer = URLSafeSerializer(
            list(reversed(keys)),
            salt="usher.pages",
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
        )
        self._forms_key = hashlib.sha256(b"usher.forms:" + keys[0].encode()).digest()

    # -- cookies -------------------------------------------------------------------------------------------

    def remember(self, request: web.Request, response: web.StreamResponse, nonce: str) -> Visit:
        """Add a link's nonce to the cookie. The browser's id and the nonces of other tabs are kept."""
        known = self._read(request, self._visit_name, ("n", "b"))
        visit = Visit(nonce, known[-1]["b"] if known else secrets.token_urlsafe(32))
        others, content = [one for one in known if one["n"] != nonce], {"n": visit.nonce, "b": visit.browser}
        self._write(response, self._visit_name, others, content, COOKIE_SECONDS)
        return visit

    def find_visit(self, request: web.Request, name: str = "") -> Visit | None:
        """Return the link with this name or, without a name, the newest.

        Return None if this browser has none open.
        """
        return next((one for one in self._list_visits(request) if name in ("", one.name)), None)

    def remember_flow(
        self, request: web.Request, response: web.StreamResponse, flow: Flow, **purpose: str
    ) -> None:
        """Store a sign-in and its purpose in the cookie.

        There are three kinds of purpose. ``link`` is the digest of a link's nonce. It comes with ``at``,
        which is the connection to sign in to (``SLACK_SIGN_IN`` for Slack). ``new`` is the connection for a
        new link. ``page`` is the workspace whose page the person wants to see.
        """
        others = self._read(request, self._flow_name, _FLOW_FIELDS)
        self._write(response, self._flow_name, others, {**asdict(flow), **purpose}, SIGN_IN_SECONDS)

    def find_flow(self, request: web.Request, **purpose: str) -> Flow | None:
        """Return the sign-in that a redirect completes, if it was begun in this browser for this purpose."""
        for one in self._read(request, self._flow_name, (*_FLOW_FIELDS, *purpose)):
            if _has_state(request, one) and purpose.items() <= one.items():
                return Flow(*(one[name] for name in _FLOW_FIELDS))
        return None

    def find_purpose(self, request: web.Request, purpose: str) -> str:
        """Return the value stored for a purpose with the sign-in, or "" if its purpose is another one."""
        begun = self._read(request, self._flow_name, (*_FLOW_FIELDS, purpose))
        return next((one[purpose] for one in begun if _has_state(request, one)), "")

    def find_page_of_sign_in(self, request: web.Request) -> str | None:
        """Return the workspace whose page began the sign-in, or None if it was begun elsewhere.

        If this browser has no sign-in with the redirect's state, use its newest sign-in, so that the
        workspace's page can show the refusal.
        """
        begun = self._read(request, self._flow_name, _FLOW_FIELDS)
        matching = [one for one in begun if _has_state(request, one)] or begun
        page = matching[-1].get("page") if matching else None
        return page if isinstance(page, str) else None

    def forget_flow(self, request: web.Request, response: web.StreamResponse) -> None:
        """Remove the completed sign-in from its cookie."""
        others = [
            one for one in self._read(request, self._flow_name, _FLOW_FIELDS) if not _has_state(request, one)
        ]
        if others:
            self._write(response, self._flow_name, others[:-1], others[-1], SIGN_IN_SECONDS)
        else:
            self._forget(response, self._flow_name)

    # -- browser sessions ----------------------------------------------------------------------------------

    def open_session(self, response: web.StreamResponse, session_id: str, seconds: float) -> None:
        """Give a browser the session cookie. The server decides when the session ends."""
        self._set(response, self._session_name, session_id, seconds)

    def is_at_second_host(self, request: web.Request) -> bool:
        """Return whether a request was sent to the second host name."""
        return is_at(request, self._page_url)

    def find_session(self, request: web.Request, page: str = "", mark: str | None = None) -> str | None:
        """Return the digest of the session id from the cookie or the page's token, or None if neither has it.

        The session may no longer exist.
        """
        if self.is_at_second_host(request):
            mark = request.headers.get(CSRF_HEADER, "") if mark is None else mark
            named = mark.partition(".")[0]
            return named if self._is_page_csrf_token(named, page, mark) else None
        value = request.cookies.get(self._session_name)
        return compute_digest(value) if value is not None and is_nonce(value) else None

    def close_session(self, response: web.StreamResponse) -> None:
        """Remove the session's cookie from the browser."""
        self._forget(response, self._session_name)

    def get_page_csrf_token(self, session: str, page: str) -> str:
        """Return the CSRF token for the forms and requests of a signed-in page.

        It isn't valid on other pages.
        """
        content = f"session:{session}:{page}".encode(errors="replace")
        return f"{session}.{hmac.new(self._forms_key, content, hashlib.sha256).hexdigest()}"

    def is_of_session(self, request: web.Request, session: str, page: str, mark: str) -> bool:
        """Return whether a form or request came from this page in this session."""
        return self.is_same_origin(request) and self._is_page_csrf_token(session, page, mark)

    def _is_page_csrf_token(self, session: str, page: str, mark: str) -> bool:
        made = self.get_page_csrf_token(session, page)
        return hmac.compare_digest(mark.encode(errors="replace"), made.encode(errors="replace"))

    # -- forms ---------------------------------------------------------------------------------------------

    def get_csrf_token(self, visit: Visit) -> str:
        """Return the CSRF token for a link's forms. It is valid only for this link and in this browser."""
        content = f"{visit.browser}:{compute_digest(visit.nonce)}".encode()
        return hmac.new(self._forms_key, content, hashlib.sha256).hexdigest()

    def find_sender(self, request: web.Request, mark: str) -> Visit | None:
        """Return the link whose page in this browser sent a form, or None if the form is from elsewhere."""
        if not self.is_same_origin(request):
            return None
        visits = self._list_visits(request)
        return next(
            (one for one in visits if hmac.compare_digest(mark.encode(), self.get_csrf_token(one).encode())),
            None,
        )

    def is_same_origin(self, request: web.Request) -> bool:
        """Return whether a form came from one of our own pages, according to the browser's headers.

        Our pages send no referrer, so browsers send ``null`` as the origin of their forms. That is accepted
        only if the header Sec-Fetch-Site, which no page can set, confirms it. At the second host name, a form
        may also come from the first, because pages there link to the second.
        """
        site = request.headers.getall("Sec-Fetch-Site", [])
        origin = request.headers.getall("Origin", [])
        is_apart = self.is_at_second_host(request)
        if len(site) > 1 or len(origin) > 1 or (site and site[0] != "same-origin" and not is_apart):
            return False
        if origin and origin[0] != "null":
            return origin[0].lower() in {self.origin, self.page_origin if is_apart else self.origin}
        return site == ["same-origin"]

    # -- helpers -------------------------------------------------------------------------------------------

    def _list_visits(self, request: web.Request) -> list[Visit]:
        return [Visit(one["n"], one["b"]) for one in self._read(request, self._visit_name, ("n", "b"))][::-1]

    def _write(
        self,
        response: web.StreamResponse,
        name: str,
        others: list[dict[str, Any]],
        content: dict[str, Any],
        seconds: float,
    ) -> None:
        entries = [*others, {"until": self._clock.now() + seconds, **content}][-MAX_OPEN_FLOWS:]
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
            # With Strict, the browser wouldn't send the cookie when Slack redirects back.
            samesite="Lax",
        )

    def _forget(self, response: web.StreamResponse, name: str) -> None:
        response.del_cookie(name, path="/", secure=self._is_secure, httponly=True, samesite="Lax")

    def _read(self, request: web.Request, name: str, fields: Sequence[str]) -> list[dict[str, Any]]:
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


def _get_origin(url: str) -> str:
    parts = urlsplit(url)
    usual = {"https": ":443", "http": ":80"}.get(parts.scheme, "")
    return f"{parts.scheme}://{parts.netloc.removesuffix(usual)}".lower()


def _has_state(request: web.Request, begun: dict[str, Any]) -> bool:
    state = request.query.get("state", "")[:200]
    return hmac.compare_digest(begun["state"].encode(), state.encode())


async def read_form(request: web.Request) -> dict[str, str] | None:
    """Return a form's fields, or None if it isn't one of our forms or was sent by a script."""
    is_sent = request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
    if not is_sent or request.content_type != FORM or (request.content_length or 0) > MAX_FORM_BYTES:
        return None
    try:
        raw = await read_body(request)
        return dict(parse_qsl(raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=20))
    except (Refusal, ValueError):
        return None


def see_other(location: str) -> web.Response:
    """Redirect a browser to a location. The location must not be taken from a request."""
    return web.Response(status=303, headers={"Location": location})


#: Timeout, in seconds, for Slack's response while a person is waiting.
SLACK_TIMEOUT_SECONDS = 10.0
#: Minimum interval between two fetches of Slack's keys, in seconds.
KEY_LOOK_UP_SECONDS = 60.0


SLACK_ORIGIN = "https://slack.com"
_CLAIM_PREFIX = f"{SLACK_ORIGIN}/"


@dataclass(frozen=True, slots=True)
class Flow:
    """The secrets of one sign-in, which are stored only in the browser's cookie.

    The redirect must match them.

    Slack copies the nonce into its token. The PKCE verifier is only for providers, and isn't sent to Slack.
    """

    state: str
    nonce: str
    verifier: str

    @classmethod
    def create(cls) -> Flow:
        """Return a new sign-in with random secrets."""
        return cls(*(secrets.token_urlsafe(32) for _ in range(3)))

    @property
    def challenge(self) -> str:
        """Return the PKCE challenge (S256)."""
        digested = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digested).rstrip(b"=").decode()


@dataclass(kw_only=True)
class SlackSignIn:
    """Handles *Sign in with Slack*: it sends people to Slack, and verifies Slack's response."""

    http: Http
    clock: Clock
    people: PeopleBook
    api_url: str
    client_id: str
    client_secret: SecretStr
    redirect_url: str

    def __post_init__(self) -> None:
        parts = urlsplit(self.api_url)
        self.origin = f"{parts.scheme}://{parts.netloc}"
        # Importing this library takes a thirtieth of the start-up time, so it is imported only if people sign
        # in with Slack.
        from bot.web.id_tokens import IdTokens  # noqa: PLC0415 - only needed if people sign in with Slack

        self._tokens = IdTokens(self.client_id)
        self._keys_asked_at: float | None = None

    def begin(self, team_id: str) -> tuple[str, Flow]:
        """Return Slack's sign-in URL and a new sign-in.

        Slack's page will suggest the workspace ``team_id``.
        """
        flow = Flow.create()
        query = {
            "response_type": "code",
            "scope": "openid",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_url,
            "state": flow.state,
            "nonce": flow.nonce,
        }
        if team_id.startswith("T"):
            query["team"] = team_id
        return f"{self.origin}/openid/connect/authorize?{urlencode(query)}", flow

    async def finish(self, code: str, flow: Flow) -> Principal:
        """Exchange a code for the identity of the person who signed in.

        Raise SlackFailed if it isn't proven.
        """
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_url,
            "client_id": self.client_id,
            "client_secret": self.client_secret.get_secret_value(),
        }
        answer = await self._ask("POST", f"{self.api_url}{OPENID_CONNECT_TOKEN}", form)
        if answer.get("ok") is not True:
            raise _build_failure(str(answer.get("error", "not ok"))[:60])
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise _build_failure("no id_token")
        return await self.people.add_enterprise(_read_principal(await self._claims(token, flow.nonce)))

    async def _ask(self, method: str, url: str, form: dict[str, str] | None = None) -> dict[str, Any]:
        try:
            answer = await self.http.request(method, url, form=form, total=SLACK_TIMEOUT_SECONDS)
            return answer.json_object()
        except ProviderError as error:
            raise _build_failure(type(error).__name__) from None

    async def _claims(self, token: str, nonce: str) -> dict[str, Any]:
        now = int(self.clock.now())
        try:
            try:
                claims = self._tokens.read(token, now, nonce)
            except self._tokens.unknown_key:
                await self._look_up_keys()
                claims = self._tokens.read(token, now, nonce)
        except self._tokens.odd as error:
            raise _build_failure(f"id_token: {type(error).__name__}") from None
        if isinstance(claims["aud"], list) and len(claims["aud"]) != 1:
            # The library accepts a token for several audiences as long as we are one of them.
            raise _build_failure("id_token: audience")
        return claims

    async def _look_up_keys(self) -> None:
        now = self.clock.monotonic()
        if self._keys_asked_at is not None and now - self._keys_asked_at < KEY_LOOK_UP_SECONDS:
            return
        found = (await self._ask("GET", f"{self.origin}/openid/connect/keys")).get("keys")
        if not isinstance(found, list):
            raise _build_failure("no keys")
        # Set this only after a success. After a failure, the next sign-in fetches the keys again.
        self._keys_asked_at = now
        self._tokens.take(found)


def _read_principal(claims: dict[str, Any]) -> Principal:
    team, user = claims.get(f"{_CLAIM_PREFIX}team_id"), claims.get(f"{_CLAIM_PREFIX}user_id")
    enterprise = claims.get(f"{_CLAIM_PREFIX}enterprise_id")
    if not (isinstance(team, str) and isinstance(user, str) and team and user):
        raise _build_failure("id_token: nobody")
    return Principal(enterprise if isinstance(enterprise, str) and enterprise else None, team, user)


def go_to_slack(
    browsers: Browsers, sign_in: SlackSignIn | None, request: web.Request, team_id: str, **purpose: str
) -> web.StreamResponse:
    """Redirect to Slack if the person clicked the button on our own page. If not, redirect to that page."""
    if sign_in is None or request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        return see_other(request.path.removesuffix("/sign-in"))
    url, flow = sign_in.begin(team_id)
    response = see_other(url)
    browsers.remember_flow(request, response, flow, **purpose)
    return response


async def prove_sign_in(
    sign_in: SlackSignIn | None, flow: Flow | None, query: Mapping[str, str], words: ModuleType
) -> Principal:
    """Return the person whom Slack's redirect identifies, or raise Refused if it proves nothing.

    ``words`` contains the wording of the refusals.
    """
    if sign_in is None or flow is None:
        raise Refused("sign_in.expired", words.SIGN_IN_EXPIRED)
    code = query.get("code", "")[:1000]
    if query.get("error") or not code:
        raise Refused("sign_in.cancelled", words.SIGN_IN_CANCELLED)
    try:
        person = await sign_in.finish(code, flow)
    except SlackFailed as failed:
        log.warning("sign_in_failed", problem=failed.code)
        raise Refused("sign_in.failed", words.SIGN_IN_FAILED) from None
    mark_as_known()
    return person


def _build_failure(code: str) -> SlackFailed:
    return SlackFailed(OPENID_CONNECT_TOKEN, code)


def get_slack_url(sign_in: SlackSignIn | None, team_id: str, channel_id: str | None) -> str:
    """Return a URL that opens a conversation in any Slack client. Without a channel, open the workspace."""
    origin = SLACK_ORIGIN if sign_in is None else sign_in.origin
    if channel_id:
        return f"{origin}/app_redirect?team={team_id}&channel={channel_id}"
    # Slack servers other than slack.com redirect to their own client.
    is_public = origin == SLACK_ORIGIN
    return f"https://app.slack.com/client/{team_id}" if is_public else f"{origin}/app_redirect?team={team_id}"
