"""Sends requests to a provider's API, and interprets refusals and unknown outcomes."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, Unpack
from urllib.parse import unquote

import structlog
from pydantic import SecretStr

from bot.domain.failure_causes import lacks_capacity
from bot.providers.answers import Listing, encode_id, log_oddity, to_error
from bot.providers.connection import to_allowed_ide_url
from bot.providers.credentials import Credential
from bot.support import errors
from bot.support.addresses import parse_origin
from bot.support.http import Asking, Http, open_stream
from bot.support.responses import Response, Stream

log = structlog.get_logger(__name__)

T = TypeVar("T")
K = TypeVar("K")

_SAFE_METHODS = frozenset({"GET", "HEAD"})
_SENDABLE_PATTERN = re.compile(r"[!-~]{1,4096}")


@dataclass(frozen=True, slots=True)
class CredentialPlacement:
    """Where a request carries the credential: in a header, or in a URL parameter.

    Attributes:
        name: The name of the header or URL parameter.
        scheme: The word before the token in a header; "" if there is none.
        in_query: Whether the credential is a URL parameter.
    """

    name: str = "Authorization"
    scheme: str = "Bearer"
    in_query: bool = False


@dataclass(frozen=True, slots=True)
class SendWindow:
    """The deadline for sending a status read; providers pass it on to ``call``.

    Attributes:
        until: The latest time for sending, by the injected monotonic clock.
    """

    until: float


class Options(Asking, total=False):
    """The options of a call besides its URL.

    Attributes:
        json_body: The body, sent as JSON.
        form: The body, sent as a form.
        query: The URL's query parameters.
        total: Time limit for the whole call, in seconds; 20 by default.
        headers: Additional request headers.
        max_bytes: Maximum number of bytes of a response to read.
        hides: Secrets, besides the credential's, that must not appear in a response.
    """

    headers: Mapping[str, str]
    max_bytes: int
    hides: Sequence[str]


#: Matches a path that needs no further percent-encoding. Callers pass all other text as ids or in the query,
#: and Usher encodes it.
_PATH_PATTERN: Final = re.compile(r"/([A-Za-z0-9/._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*")


@dataclass(frozen=True, slots=True)
class ApiClient:
    """Call one API below ``root`` (normalised, no trailing slash), with or without a credential.

    The credential is sent in the place that ``credential_in`` names, but only to the API's own origin and to
    hosts that ``other_hosts`` allows to receive credentials. No response, stream or error contains it.

    An address is either a path below ``root`` or a full URL. In a path, each ``{}`` is replaced with the next
    of ``ids``, percent-encoded. A path that contains ``?``, ``..`` or anything unencoded raises NotFound. A
    full URL must have the API's own origin or a host that ``other_hosts`` names.

    Attributes:
        root: The base URL of the calls.
        credential: The credential to use, if any.
        to_error: The function that interprets non-2xx responses (``Provider.to_error``).
        secrets: The credential's secrets, which must not appear in any response.
    """

    _http: Http
    root: str
    credential_in: CredentialPlacement
    other_hosts: Callable[[], Mapping[str, bool]] = dict
    credential: Credential | None = None
    to_error: Callable[..., errors.ProviderError] = to_error
    secrets: tuple[str, ...] = field(default=(), repr=False, compare=False)

    def acting_as(self, credential: Credential | None) -> ApiClient:
        """Return a copy of the client that uses a different credential."""
        # This runs for every call, and ``dataclasses.replace`` would be slower.
        secrets = credential.secrets() if credential is not None else ()
        return ApiClient(
            self._http, self.root, self.credential_in, self.other_hosts, credential, self.to_error, secrets
        )

    async def call(
        self,
        method: str,
        address: str,
        *ids: str,
        window: SendWindow | None = None,
        **options: Unpack[Options],
    ) -> Response:
        """Send one request, as ``send`` does, and return a 2xx response.

        Any other response raises the ProviderError that it represents (``Provider.to_error``). A call that
        changes something raises UnknownOutcome if it was sent but no usable response was received.
        """
        changes = method not in _SAFE_METHODS
        response = await self.send(method, address, *ids, changes=changes, window=window, **options)
        if not 200 <= response.status < 300:
            error = self.to_error(response, changes=changes)
            error.response = response
            raise error
        if changes and response.body.strip():
            # If the response isn't JSON, something other than the server may have sent it.
            with bad_answer_as_unknown_outcome():
                response.json()
        return response

    async def send(
        self,
        method: str,
        address: str,
        *ids: str,
        changes: bool = False,
        window: SendWindow | None = None,
        **options: Unpack[Options],
    ) -> Response:
        """Send one request and return the response, whatever its status. Redirects aren't followed."""
        url, asked = self._prepare(address, ids, options)
        until = None if window is None else window.until
        with bad_answer_as_unknown_outcome() if changes else nullcontext():
            return await self._http.request(method, url, send_until=until, **asked)

    async def peek(self, address: str, *ids: str, **options: Unpack[Options]) -> Response:
        """Read the events that have arrived in a stream so far (see ``Http.peek``)."""
        url, asked = self._prepare(address, ids, options)
        headers = {**asked["headers"], "Accept": "text/event-stream"}
        return await self._http.peek(url, headers=headers, hides=asked["hides"])

    def stream(
        self, method: str, address: str, *ids: str, max_bytes: int, json_body: Any = None
    ) -> AbstractAsyncContextManager[Stream]:
        """Open a response to be read piece by piece (``open_stream``)."""
        url, asked = self._prepare(address, ids, {"max_bytes": max_bytes, "json_body": json_body})
        return open_stream(self._http, method, url, **asked)

    def _prepare(self, address: str, ids: Sequence[str], options: Options) -> tuple[str, Any]:
        if ids and address.count("{}") != len(ids):
            raise ValueError(f"{address} has places for {address.count('{}')} ids, and {len(ids)} were given")
        for one in ids:
            address = address.replace("{}", encode_path_segment(one), 1)
        url, takes_it = self._resolve(address)
        headers = {"Accept": "application/json", **options.get("headers", {})}
        more: dict[str, Any] = {}
        if self.credential is not None and takes_it:
            name, scheme = self.credential_in.name, self.credential_in.scheme
            token = self.credential.token.get_secret_value()
            if not _SENDABLE_PATTERN.fullmatch(token):
                raise errors.CredentialRefused("the token contains characters that no token has")
            if self.credential_in.in_query:
                more["query"] = {name: token, **(options.get("query") or {})}
            else:
                headers[name] = f"{scheme} {token}" if scheme else token
        return url, {
            **options,
            **more,
            "headers": headers,
            "hides": (*options.get("hides", ()), *self.secrets),
        }

    def _resolve(self, address: str) -> tuple[str, bool]:
        """Return the full URL, and whether it gets the credential; raise Untrusted for other servers."""
        if address.startswith("/"):
            segments = address.split("/")
            names = map(unquote, segments) if "%" in address else segments
            if not _PATH_PATTERN.fullmatch(address) or not {".", ".."}.isdisjoint(names):
                raise errors.NotFound("there is no such id: its path isn't encoded")
            return self.root + address, True
        if has_same_origin(address, self.root):
            return address, True
        for pattern, takes_it in self.other_hosts().items():
            if to_allowed_ide_url(address, self.root, (pattern,)) is not None:
                return address, takes_it
        raise errors.Untrusted("the address leads to another server")


def has_same_origin(url: str, root: str) -> bool:
    """Return whether two URLs have the same origin."""
    try:
        return parse_origin(url) == parse_origin(root)
    except ValueError:
        return False


@contextmanager
def bad_answer_as_unknown_outcome() -> Iterator[None]:
    """Turn BadAnswer into UnknownOutcome, for requests that change something."""
    try:
        yield
    except errors.BadAnswer as error:
        raise errors.UnknownOutcome(error.message, status=error.status) from None


@contextmanager
def forbidden_as_credential_refused() -> Iterator[None]:
    """Turn Forbidden into CredentialRefused, for servers that refuse bad tokens with 403.

    Use this only for requests that every valid token may make.
    """
    try:
        yield
    except errors.Forbidden as error:
        raise errors.CredentialRefused(error.message, status=error.status) from None


async def verify_bad_token_is_refused(ask: Callable[[Credential], Awaitable[object]]) -> None:
    """Call with a made-up token; raise BadAnswer unless the token is refused.

    If a made-up token is accepted, nothing checks tokens, and the responses may not come from the API at all.
    """
    try:
        await ask(Credential(SecretStr(secrets.token_hex(32))))
    except (errors.CredentialRefused, errors.Forbidden):
        return
    raise errors.BadAnswer("something else answers there: it refuses no token")


async def none_if_absent(call: Awaitable[T]) -> T | None:
    """Return a call's result. After a 404 or 410, return None, even if the body is a web page."""
    try:
        return await call
    except (errors.NotFound, errors.BadAnswer) as error:
        if error.status not in {404, 410}:
            raise
        return None


#: Maps each kind of call to a pattern for the states of a workspace that doesn't need the call. For example,
#: a server may refuse to start a workspace because it is "already running". The wording isn't documented.
_REACHED_PATTERNS: Mapping[str, str] = {
    "start": r"(running|started|starting|pending)",
    "stop": r"(stopped|stopping)",
    "remove": r"(removed|deleted)",
}
#: Matches messages saying that a call was refused because the workspace is in the middle of a change.
_PENDING_PATTERN: Final = r"(?i)\bpending:? \w|\bbeing renamed\b"
#: Matches refusals that mention another operation in progress, but not messages about a quota.
_UNDER_WAY_PATTERN: Final = (
    r"(?i)^(?!.*\b(only|limits?|maximum|at most|too many)\b).*(\b(in progress|under ?way|locked by another)\b"
    r"|\b(is|are) (currently |still |now |already )?(being \w+|busy|updating|rebuilding|migrating|starting|"
    r"stopping|shutting down|restarting|resuming|suspending|deleting|under maintenance)\b"
    r"|\b(operation|build|update|backup|change|transition|action|job) (is )?(already |still |currently )*"
    r"(running|active)\b|\bpending (operation|build|change|update|action)\b"
    r"|(\bnot|n't) (yet )?(finished|completed?)\b|\buntil\b.{1,60}\b(finish|complet|done\b))"
)
#: Matches the nouns that a refusal may use for the workspace.
_THING_PATTERN = r"(workspace|server|resource|session|environment|instance|machine|notebook|deployment)"
_NOT_RUNNING_PATTERN = r"(is|was) (currently )?not (currently )?running|isn't (currently )?running"


def _is_already(goal: str, message: str, names: Iterable[str]) -> bool:
    """Return whether a message says that this whole workspace is already in the desired state."""
    named = "|".join(re.escape(name) for name in names if name)
    own = rf"[^\w\s]?(\S*[/:])?({named})[^\w\s]?" if named else r"(?!)"
    what = rf"(\bit|(^|[:;,.(] |\b(the|this|your|\S+['’]s) )({_THING_PATTERN}( {own})?|{own}))"
    so = rf"(is|was|has been|had been)( already| currently)* {_REACHED_PATTERNS[goal]}"
    so += rf"|{_NOT_RUNNING_PATTERN}" if goal == "stop" else ""
    said = rf"({what} ({so})|(^|[:;,.(] )already {_REACHED_PATTERNS[goal]})\b"
    return re.search(said, message, re.IGNORECASE) is not None


async def accept_already_done(goal: str, call: Awaitable[object], *names: str) -> str | None:
    """Return None if the server accepts a call, or the server's refusal if the ``goal`` was already reached.

    The goal is start, stop or remove. The refusal's text has to say that the goal was reached, as in "the
    workspace is already running". ``names`` are the names by which the refusal may refer to the workspace.
    Any other refusal is raised, as Conflict if another operation is in progress.
    """
    try:
        await call
    except (errors.CredentialRefused, errors.LimitReached):
        raise
    except errors.PermanentError as error:
        if not error.is_quoted or (goal == "start" and lacks_capacity(error.message)):
            raise
        if re.search(_PENDING_PATTERN, error.message):
            raise errors.Conflict(error.message, status=error.status) from None
        if _is_already(goal, error.message, names):
            return error.message
        if re.search(_UNDER_WAY_PATTERN, error.message):
            raise errors.Conflict(error.message, status=error.status) from None
        raise
    return None


async def map_concurrently(
    max_concurrent: int, call: Callable[[K], Awaitable[T]], keys: Iterable[K]
) -> list[T]:
    """Make one call per key, at most ``max_concurrent`` at a time.

    If any calls fail, raise the first error once all calls have ended.
    """
    slots = asyncio.Semaphore(max_concurrent)

    async def one(key: K) -> T:
        async with slots:
            return await call(key)

    found: list[T] = []
    for result in await asyncio.gather(*(one(key) for key in keys), return_exceptions=True):
        if isinstance(result, BaseException):
            raise result
        found.append(result)
    return found


async def read_pages(
    ask: Callable[[str | None], Awaitable[dict[str, Any]]],
    next_key: Callable[[Mapping[str, Any]], Any],
    max_pages: int,
) -> Listing[dict[str, Any]]:
    """Return the pages of a list. The result is incomplete if there are more than ``max_pages``.

    ``ask(None)`` reads the first page, and ``ask(next_key(page))`` reads the page after ``page``. After the
    last page, ``next_key`` returns None or "".
    """
    found: Listing[dict[str, Any]] = Listing()
    asked: set[str] = set()
    key: str | None = None
    while len(found) < max_pages:
        found.append(await ask(key))
        following = next_key(found[-1])
        if following is None or following == "":
            return found
        key = str(following)
        if isinstance(following, bool) or not isinstance(following, (str, int)) or key in asked:
            break
        asked.add(key)
    log_oddity("the pages of a list never end")
    found.is_whole = False
    return found


def encode_path_segment(text: str) -> str:
    """Return an id percent-encoded for one path segment; raise NotFound if it can't be an id."""
    quoted = encode_id(text)
    if not quoted:
        raise errors.NotFound("there is no such id")
    return quoted
