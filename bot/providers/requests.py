"""One way to call a provider's API: which answer means which error is said here and nowhere else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from bot.providers.contract import Listing
from bot.providers.reading import clean, note
from bot.support import errors
from bot.support.http import MAX_BYTES, TOTAL_SECONDS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from bot.providers.base import Credential, SendWindow
    from bot.support.http import Http, Response

_READS = frozenset({"GET", "HEAD"})
MAX_ID = 1000
_HEADER_SAFE = re.compile(r"[!-~]{1,4096}")


@dataclass(frozen=True, slots=True)
class Api:
    """Call one API below ``root`` (normalised, no trailing slash); ``setting`` is the key it came from."""

    http: Http
    root: str
    setting: str = "base_url"

    async def call(
        self,
        method: str,
        path: str,
        credential: Credential | None,
        *,
        json_body: Any = None,
        query: Mapping[str, str] | None = None,
        window: SendWindow | None = None,
        total: float = TOTAL_SECONDS,
        max_bytes: int = MAX_BYTES,
        hides: Sequence[str] = (),
    ) -> Response:
        """Send once and return an answer of 2xx; ``path`` is percent-encoded already.

        ``hides`` are secrets that must not come back, beside the credential's.

        Raises the ProviderError that the status stands for. A call that changes something raises
        UnknownOutcome where it was sent and nothing usable came back.
        """
        changes = method not in _READS
        try:
            response = await self.http.request(
                method,
                self.root + path,
                headers=authorization(credential),
                json_body=json_body,
                query=query,
                max_bytes=max_bytes,
                total=total,
                send_until=None if window is None else window.until,
                hides=hides if credential is None else credential.secrets(),
            )
        except errors.BadAnswer as error:
            if not changes:
                raise
            raise errors.UnknownOutcome(error.message, status=error.status) from None
        if not 200 <= response.status < 300:
            raise error_of(response, self.setting, changes=changes)
        if changes:
            _must_be_an_answer(response)
        return response


async def pages(
    ask: Callable[[str | None], Awaitable[dict[str, Any]]],
    next_key: Callable[[Mapping[str, Any]], Any],
    most: int,
) -> Listing[dict[str, Any]]:
    """Return the pages of a list; it is not whole where they find no end within ``most``."""
    found: Listing[dict[str, Any]] = Listing()
    asked: set[str] = set()
    key: str | None = None
    while len(found) < most:
        found.append(await ask(key))
        told = next_key(found[-1])
        if told is None or told == "":
            return found
        key = str(told)
        if isinstance(told, bool) or not isinstance(told, (str, int)) or key in asked:
            break
        asked.add(key)
    note("the pages of a list find no end")
    found.is_whole = False
    return found


def path_part(text: str) -> str:
    """Return an id percent-encoded for one part of a path; raise NotFound for what can't be an id.

    Dots alone would climb, and half a surrogate pair has no encoding.
    """
    try:
        quoted = quote(text, safe="")
    except UnicodeEncodeError:
        quoted = ""
    if not quoted or set(text) == {"."} or len(quoted) > MAX_ID:
        raise errors.NotFound("there is no such id")
    return quoted


def authorization(credential: Credential | None, scheme: str = "token") -> dict[str, str]:
    """Return the header; raise CredentialRefused for what can't be a token, before it is sent anywhere."""
    headers = {"Accept": "application/json"}
    if credential is not None:
        token = credential.token.get_secret_value()
        if not _HEADER_SAFE.fullmatch(token):
            raise errors.CredentialRefused("the token holds characters that no token has")
        headers["Authorization"] = f"{scheme} {token}"
    return headers


def error_of(response: Response, setting: str, *, changes: bool) -> errors.ProviderError:
    """Return the error that an answer outside 2xx stands for; the server's own words are cleaned and cut.

    What a server says that is broken, or something in its place, is not for people.
    """
    status = response.status
    said = _said(response)
    message = clean(said or f"HTTP {status}") if status < 500 else f"HTTP {status}"
    if 300 <= status < 400:
        words = f"the server redirects (HTTP {status}): check {setting} of this connection"
        return errors.PermanentError(words, status=status)
    if status in {404, 410}:
        if said is None:
            # A proxy whose backend is away answers such a page: nothing is gone for that.
            return errors.BadAnswer(f"HTTP {status} with a page that is not the API's", status=status)
        return errors.NotFound(message, status=status)
    if status == 429:
        return errors.RateLimited(message, status=status, retry_after=response.retry_after())
    if changes and status in {408, 502, 504}:
        # Said by something between us and the server: it may have acted.
        return errors.UnknownOutcome(message, status=status, retry_after=response.retry_after())
    if status >= 500 or status in {408, 425}:
        return errors.ServerFailed(message, status=status, retry_after=response.retry_after())
    if status == 401:
        is_over = "expire" in message.casefold()
        kind = errors.CredentialExpired if is_over else errors.CredentialRefused
        return kind(message, status=status)
    kinds: dict[int, type[errors.PermanentError]] = {
        402: errors.LimitReached,
        403: errors.Forbidden,
        409: errors.Conflict,
        423: errors.Conflict,
    }
    if status >= 400:
        return kinds.get(status, errors.InvalidRequest)(message, status=status)
    return errors.BadAnswer(message, status=status)


def _said(response: Response) -> str | None:
    """Return the API's own message ("" when it has none), or None when the body is no JSON object."""
    try:
        answer = response.json_object()
    except errors.BadAnswer:
        return None
    message = answer.get("message")
    return message if isinstance(message, str) else ""


def _must_be_an_answer(response: Response) -> None:
    """Raise UnknownOutcome for a page or rubbish: something else may have answered in the server's place."""
    if not response.body.strip():
        return
    try:
        response.json()
    except errors.BadAnswer as error:
        raise errors.UnknownOutcome(error.message, status=response.status) from None
