"""One way to call the Workbench API: ``POST {server}/api/{method}`` with a bearer token, never redirected.

A response is the result inside its wrappers, or an error (``docs/providers/posit.md``, "Transport"). Servers
report errors with HTTP 200 as well as with 4xx, and as JSON, plain text or an HTML page.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from bot.output.streaming import Stream, open_stream
from bot.providers.base import Credential, SendWindow
from bot.providers.reading import clean
from bot.providers.requests import Api, authorization, error_of, may_have_acted
from bot.support import errors
from bot.support.http import MAX_BYTES, TOTAL_SECONDS, Http
from bot.support.responses import Response

#: A longer stream is no job's output; the actual output is at least a tenth of that.
STREAM_BYTES = 1_000_000_000
#: launch_job is wrapped twice in the reference's example.
MAX_WRAPPINGS = 3
#: A longer text is a page, not a sentence.
_SENTENCE_BYTES = 2000
_UNREACHABLE = frozenset({1, 2, 13})
_UNAUTHORISED = frozenset({3, 401, 403})
_GONE = frozenset({14, 404})
_LIMITS = frozenset({15, 16, 20})
_PARAMETERS_MISSING = 17
_EXECUTION = 100
_TRANSMISSION = 200


@dataclass(frozen=True, slots=True)
class Transport:
    """Call the methods of one server; ``root`` is its address without a trailing slash."""

    http: Http
    root: str

    async def call(
        self,
        method: str,
        credential: Credential | None,
        kwparams: Mapping[str, Any] | None = None,
        *,
        changes: bool = False,
        window: SendWindow | None = None,
        total: float = TOTAL_SECONDS,
        max_bytes: int = MAX_BYTES,
    ) -> Any:
        """Send once and return the unwrapped result; parameters that are None are left out.

        Without ``kwparams`` it is a GET, as in the reference for version, get_users and get_compute_envs.
        A call that ``changes`` something raises UnknownOutcome if nothing usable came back.
        """
        api = Api(self.http, f"{self.root}/api", scheme="Bearer")
        body = None if kwparams is None else _body(method, kwparams)
        response = await api.send(
            "GET" if kwparams is None else "POST",
            f"/{method}",
            credential,
            changes=changes,
            json_body=body,
            window=window,
            total=total,
            max_bytes=max_bytes,
        )
        return unwrap(response, changes=changes)

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        credential: Credential,
        kwparams: Mapping[str, Any],
        *,
        idle_seconds: float | None = None,
    ) -> AsyncIterator[Stream]:
        """Open a stream; raises as ``call`` does for a refused read, and if the stream breaks off."""
        async with open_stream(
            self.http,
            "POST",
            f"{self.root}/api/{method}",
            headers=authorization(credential, "Bearer"),
            json_body=_body(method, kwparams),
            max_bytes=STREAM_BYTES,
            idle_seconds=idle_seconds,
        ) as opened:
            if opened.status != 200:
                response = await opened.whole()
                unwrap(response, changes=False)
                raise errors.BadAnswer(f"HTTP {opened.status} is no stream", status=opened.status)
            yield opened


def _body(method: str, kwparams: Mapping[str, Any]) -> dict[str, Any]:
    given = {key: value for key, value in kwparams.items() if value is not None}
    return {"method": method, "kwparams": given}


class ParametersMissing(errors.InvalidRequest):
    """Signal that this server launches nothing without launch parameters; nothing was launched."""


def unwrap(response: Response, *, changes: bool) -> Any:
    """Return the result of a response; raise the ProviderError that it represents.

    ``changes``: the request changes something, so an unreadable response leaves its outcome open,
    and an empty one means that it was accepted.
    """
    answer = _json(response)
    error = answer.get("error") if isinstance(answer, dict) else None
    if isinstance(error, dict) and not 300 <= response.status < 400:
        raise error_in(error, response.status, changes=changes)
    if not 200 <= response.status < 300:
        raise error_of(_with_words(response), changes=changes)
    if answer is None and not (changes and not response.body.strip()):
        with may_have_acted() if changes else nullcontext():
            response.json()
        if not changes:
            # For a change ``null`` is accepted.
            raise errors.BadAnswer("the answer is null", status=response.status)
    return inner(answer)


def inner(answer: Any) -> Any:
    """Return what is inside ``{"result": …}``, once or twice; a bare response is its own result."""
    for _ in range(MAX_WRAPPINGS):
        if not (isinstance(answer, dict) and "result" in answer):
            break
        answer = answer["result"]
    return answer


def error_in(error: Mapping[str, Any], status: int | None, *, changes: bool) -> errors.ProviderError:
    """Return the error for ``{"code", "message"}``; the server's message is cleaned and cut."""
    code = _code(error.get("code"))
    said = error.get("message")
    words = clean(said) if isinstance(said, str) and (status or 0) < 500 else ""
    return _kind(code, changes=changes)(words or f"error {code}", status=status)


def _kind(code: int | None, *, changes: bool) -> type[errors.ProviderError]:
    if code in _UNREACHABLE:
        return errors.ServerFailed
    if code in _UNAUTHORISED:
        # Either the token or its level is refused; ``acting`` finds out which, knowing what was asked for.
        return errors.Forbidden
    if code in _GONE:
        return errors.NotFound
    if code in _LIMITS:
        return errors.LimitReached
    if code == _PARAMETERS_MISSING:
        return ParametersMissing
    if code == _TRANSMISSION:
        return errors.UnknownOutcome if changes else errors.ServerFailed
    if code == _EXECUTION and not changes:
        return errors.ServerFailed
    # Codes 5 to 11, 100 for a change that failed, and unknown codes: the message says what is wrong.
    return errors.InvalidRequest


def _code(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return None
    try:
        return int(value)
    except ValueError:
        return None


def _json(response: Response) -> Any:
    """Return the body as JSON; None if it isn't JSON, or is null."""
    try:
        return response.json()
    except errors.BadAnswer:
        return None


def _with_words(response: Response) -> Response:
    """Return a plain-text response as one with a message; the text of a page is not for people."""
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().casefold()
    body = response.body.strip()
    if kind != "text/plain" or not body or len(body) > _SENTENCE_BYTES or response.status in {404, 410}:
        return response
    if b"<" in body[:1] or body[:1] in {b"{", b"["}:
        return response
    said = json.dumps({"message": body.decode("utf-8", "replace")})
    return Response(response.status, response.headers, said.encode())
