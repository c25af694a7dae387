"""Requests to a provider's API: the only way to send them, and what unknown outcomes and refusals mean."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar, Unpack
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
    """The place of the credential in a request: a header, or a parameter of the address.

    Attributes:
        name: The header, or the parameter of the address.
        scheme: The word before the token in a header; "" if there is none.
        in_query: Whether it is a parameter of the address.
    """

    name: str = "Authorization"
    scheme: str = "Bearer"
    in_query: bool = False


@dataclass(frozen=True, slots=True)
class SendWindow:
    """The time until which a status read may be sent; pass it on to ``call``.

    Attributes:
        until: The latest time of sending, on the injected monotonic clock.
    """

    until: float


class Options(Asking, total=False):
    """The options of a call besides its address.

    Attributes:
        json_body: The body, sent as JSON.
        form: The body, sent as a form.
        query: The parameters of the address.
        total: Most seconds for the whole call; 20 by default.
        headers: Further headers.
        max_bytes: Most bytes of an answer that are read.
        hides: Secrets that must not come back, besides the credential's.
    """

    headers: Mapping[str, str]
    max_bytes: int
    hides: Sequence[str]


class ToError(Protocol):
    """A function that reads refused responses (``Provider.to_error``)."""

    def __call__(self, response: Response, *, changes: bool) -> errors.ProviderError:
        """Return the error for a response outside 2xx."""


#: Pattern of a path as it is sent. Text that needs encoding belongs in an id, or in the query.
_PATH_PATTERN: Final = re.compile(r"/([A-Za-z0-9/._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*")


@dataclass(frozen=True, slots=True)
class ApiClient:
    """Call one API below ``root`` (normalised, no trailing slash), with or without a credential.

    The credential is sent only there, in the place that ``credential_in`` names, and to those of
    ``other_hosts`` that are declared to get it. No answer, stream or error contains it. An address is a path
    below ``root``. Each ``{}`` in it is replaced by the next of ``ids``, percent-encoded. A path with ``?``,
    ``..`` or anything else that isn't encoded raises NotFound. Whole addresses, wherever they come from, must
    lead to the API's own origin or to a declared host. ``to_error`` reads refused responses.

    Attributes:
        root: The address below which it calls.
        credential: The credential that it uses; None for none.
        secrets: The credential's secrets, which no answer may repeat.
    """

    _http: Http
    root: str
    credential_in: CredentialPlacement
    other_hosts: Callable[[], Mapping[str, bool]] = dict
    credential: Credential | None = None
    to_error: ToError = to_error
    secrets: tuple[str, ...] = field(default=(), repr=False, compare=False)

    def acting_as(self, credential: Credential | None) -> ApiClient:
        """Return the client with another credential."""
        # ``dataclasses.replace`` would be slower, and this runs for every call.
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
        """Send a request once, as ``send`` does, and return a 2xx response.

        For any other response, raise the ProviderError for which it stands (``Provider.to_error``), with its
        ``status`` and ``response``. A call that changes something raises UnknownOutcome if it was sent and
        nothing usable came back.
        """
        changes = method not in _SAFE_METHODS
        response = await self.send(method, address, *ids, changes=changes, window=window, **options)
        if not 200 <= response.status < 300:
            error = self.to_error(response, changes=changes)
            error.response = response
            raise error
        if changes and response.body.strip():
            # If this isn't JSON, something else may have answered in the server's place.
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
        """Send a request once and return the response, whatever its status; no redirect is followed."""
        url, asked = self._prepare(address, ids, options)
        until = None if window is None else window.until
        with bad_answer_as_unknown_outcome() if changes else nullcontext():
            return await self._http.request(method, url, send_until=until, **asked)

    async def peek(self, address: str, *ids: str, **options: Unpack[Options]) -> Response:
        """Read the events that a stream has now (``Http.peek``)."""
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
        """Return the whole address and the options, with the credential if the address may get that."""
        url, takes_it = self._resolve(insert_ids(address, ids) if ids else address)
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
        """Return the whole address, and whether it gets the credential; raise Untrusted for other servers."""
        if address.startswith("/"):
            if not is_encoded_path(address):
                raise errors.NotFound("there is no such id: its path isn't encoded")
            return self.root + address, True
        if has_same_origin(address, self.root):
            return address, True
        for pattern, takes_it in self.other_hosts().items():
            if to_allowed_ide_url(address, self.root, (pattern,)) is not None:
                return address, takes_it
        raise errors.Untrusted("the address leads to another server")


def insert_ids(address: str, ids: Sequence[str]) -> str:
    """Return an address with its ids, percent-encoded, in place of each ``{}``."""
    parts = address.split("{}")
    if len(parts) != len(ids) + 1:
        raise ValueError(f"{address} has places for {len(parts) - 1} ids, and {len(ids)} were given")
    segments = map(encode_path_segment, ids)
    return parts[0] + "".join(segment + part for segment, part in zip(segments, parts[1:], strict=True))


def is_encoded_path(path: str) -> bool:
    """Return whether a path is percent-encoded and has no ``.`` or ``..`` segments."""
    is_sendable = _PATH_PATTERN.fullmatch(path) is not None
    return is_sendable and {".", ".."}.isdisjoint(map(unquote, path.split("/")))


def has_same_origin(url: str, root: str) -> bool:
    """Return whether two addresses have the same origin."""
    try:
        return parse_origin(url) == parse_origin(root)
    except ValueError:
        return False


@contextmanager
def bad_answer_as_unknown_outcome() -> Iterator[None]:
    """Raise UnknownOutcome in place of BadAnswer; for a request that changes something."""
    try:
        yield
    except errors.BadAnswer as error:
        raise errors.UnknownOutcome(error.message, status=error.status) from None


@contextmanager
def forbidden_as_credential_refused() -> Iterator[None]:
    """Raise CredentialRefused in place of Forbidden, if a server refuses bad tokens with 403.

    Use it for a request that every valid token may make.
    """
    try:
        yield
    except errors.Forbidden as error:
        raise errors.CredentialRefused(error.message, status=error.status) from None


async def verify_bad_token_is_refused(ask: Callable[[Credential], Awaitable[object]]) -> None:
    """Call with a token that nobody has; raise BadAnswer unless it is refused.

    If any token is accepted, the acceptance of one proves nothing, and something else may be answering.
    """
    try:
        await ask(Credential(SecretStr(secrets.token_hex(32))))
    except (errors.CredentialRefused, errors.Forbidden):
        return
    raise errors.BadAnswer("something else answers there: it refuses no token")


async def none_if_absent(call: Awaitable[T]) -> T | None:
    """Return None if the server has no such resource or endpoint, even if it says so with a page."""
    try:
        return await call
    except (errors.NotFound, errors.BadAnswer) as error:
        if error.status not in {404, 410}:
            raise
        return None


#: By goal: the end of a refusal's words that mean that the goal is already reached. No document says so.
_REACHED_PATTERNS: Mapping[str, str] = {
    "start": r"(running|started|starting|pending)",
    "stop": r"(stopped|stopping)",
    "remove": r"(removed|deleted)",
}
#: Words that mean that the thing is on its way to another state.
_PENDING_PATTERN = re.compile(r"\bpending:? \w|\bbeing renamed\b", re.IGNORECASE)
#: Words that mean the same, but only if none say that the goal is reached. A quota isn't meant.
_UNDER_WAY_PATTERN = re.compile(
    r"^(?!.*\b(only|limits?|maximum|at most|too many)\b).*(\b(in progress|under ?way|locked by another)\b"
    r"|\b(is|are) (currently |still |now |already )?(being \w+|busy|updating|rebuilding|migrating|starting|"
    r"stopping|shutting down|restarting|resuming|suspending|deleting|under maintenance)\b"
    r"|\b(operation|build|update|backup|change|transition|action|job) (is )?(already |still |currently )*"
    r"(running|active)\b|\bpending (operation|build|change|update|action)\b"
    r"|(\bnot|n't) (yet )?(finished|completed?)\b|\buntil\b.{1,60}\b(finish|complet|done\b))",
    re.IGNORECASE,
)
#: Words that a refusal may use for the workspace, besides its names.
_THING_PATTERN = r"(workspace|server|resource|session|environment|instance|machine|notebook|deployment)"
_NOT_RUNNING_PATTERN = r"(is|was) (currently )?not (currently )?running|isn't (currently )?running"


def _is_already(goal: str, message: str, names: Iterable[str]) -> bool:
    """Return whether words say that of the very thing; others may be up, or another part of it down."""
    named = "|".join(re.escape(name) for name in names if name)
    own = rf"[^\w\s]?(\S*[/:])?({named})[^\w\s]?" if named else r"(?!)"
    what = rf"(\bit|(^|[:;,.(] |\b(the|this|your|\S+['’]s) )({_THING_PATTERN}( {own})?|{own}))"
    so = rf"(is|was|has been|had been)( already| currently)* {_REACHED_PATTERNS[goal]}"
    so += rf"|{_NOT_RUNNING_PATTERN}" if goal == "stop" else ""
    said = rf"({what} ({so})|(^|[:;,.(] )already {_REACHED_PATTERNS[goal]})\b"
    return re.search(said, message, re.IGNORECASE) is not None


async def accept_already_done(goal: str, call: Awaitable[object], *names: str) -> str | None:
    """Return the server's words if it refuses because the ``goal`` (start, stop, remove) is already reached.

    Its words have to say so, such as "the workspace is already running"; ``names`` are names that it may use
    for the workspace. Any other refusal is raised, as Conflict if something else is under way. Return None if
    the call is accepted.
    """
    try:
        await call
    except (errors.CredentialRefused, errors.LimitReached):
        raise
    except errors.PermanentError as error:
        if not error.is_quoted or (goal == "start" and lacks_capacity(error.message)):
            raise
        if _PENDING_PATTERN.search(error.message):
            raise errors.Conflict(error.message, status=error.status) from None
        if _is_already(goal, error.message, names):
            return error.message
        if _UNDER_WAY_PATTERN.search(error.message):
            raise errors.Conflict(error.message, status=error.status) from None
        raise
    return None


async def map_concurrently(
    max_concurrent: int, call: Callable[[K], Awaitable[T]], keys: Iterable[K]
) -> list[T]:
    """Call for each key, at most ``max_concurrent`` at a time; raise the first error once all have ended."""
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
    """Return the pages of a list, which is not whole if they don't end within ``max_pages``.

    ``ask(None)`` reads the first page, and ``ask(next_key(page))`` the next, until the key is None or "".
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
    """Return an id percent-encoded for one path segment; raise NotFound if it can't be an id.

    Ids from ``require_id`` never raise that.
    """
    quoted = encode_id(text)
    if not quoted:
        raise errors.NotFound("there is no such id")
    return quoted
