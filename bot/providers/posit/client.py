"""Every method of the Workbench API, one by one; nothing is retried, nothing remembered, nothing redirected.

``POST {server}/api/{method}`` with a bearer token. A response is the result inside its wrappers, or an error
(``docs/providers/posit.md``, "Transport"). Servers report errors with HTTP 200 as well as with 4xx, and as
JSON, plain text or an HTML page.

``user`` and ``username`` name the person concerned, None for the token's owner: naming somebody requires an
administrator's token, and each method has its own parameter for it.
"""

from __future__ import annotations

import codecs
import json
import re
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal

from bot.output.streaming import Stream, open_stream
from bot.providers.base import Credential, Listing, SendWindow
from bot.providers.posit import types
from bot.providers.posit.types import (
    ComputeEnvs,
    Launched,
    LaunchParameters,
    Version,
    WorkbenchJob,
    WorkbenchSession,
    WorkbenchUser,
)
from bot.providers.requests import Api, authorization, clean, entries, error_of, may_have_acted
from bot.support import errors
from bot.support.http import MAX_BYTES, TOTAL_SECONDS, Http, Response

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


#: The user list of a large installation is the largest response.
USERS_BYTES = 10_000_000
#: The fields needed for a session's state, none of them large.
STATE_FIELDS = (
    "id", "activity_state", "url", "display_name", "label", "name", "workbench", "status_detail",
    "executing", "save_prompt_required", "last_used",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """Hold the response of get_session: sessions, or jobs if those were requested."""

    sessions: Listing[WorkbenchSession]
    jobs: Listing[WorkbenchJob]


class JobOutput:
    """Read a job's output, once: iterate over its pieces. A stream that is cut off raises UnknownOutcome."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._decoder = OutputDecoder()
        self._waiting: deque[Chunk] = deque()
        self._is_over = False

    def __aiter__(self) -> JobOutput:
        return self

    async def __anext__(self) -> Chunk:
        """Return the next piece; raise the stream's own error once everything before it was returned."""
        while not self._waiting:
            if self._decoder.failure is not None:
                raise self._decoder.failure
            if self._is_over:
                raise StopAsyncIteration
            await self._read()
        return self._waiting.popleft()

    async def _read(self) -> None:
        try:
            piece = await anext(self._stream)
        except StopAsyncIteration:
            self._is_over = True
            self._waiting.extend(self._decoder.finish())
            if self._decoder.is_cut:
                self._decoder.failure = errors.UnknownOutcome("the stream was cut")
        else:
            self._waiting.extend(self._decoder.feed(piece))


@dataclass(frozen=True, slots=True)
class Workbench:
    """Call one server; each method is one request. Invalid ids raise NotFound before anything is sent."""

    transport: Transport

    async def version(self, credential: Credential | None, *, total: float = TOTAL_SECONDS) -> Version:
        """Ask for the version and the features: the cheap check of a token."""
        return Version.from_json(_object(await self.transport.call("version", credential, total=total)))

    async def get_users(
        self, credential: Credential, *, total: float = TOTAL_SECONDS
    ) -> Listing[WorkbenchUser]:
        """List the registered users; an administrator's token with read access."""
        answer = await self.transport.call("get_users", credential, total=total, max_bytes=USERS_BYTES)
        if isinstance(answer, dict) and isinstance(answer.get("users"), list):
            answer = answer["users"]
        return entries([{"users": answer}], "users", WorkbenchUser.from_json)

    async def get_compute_envs(self, credential: Credential, user: str | None = None) -> ComputeEnvs:
        """Ask what the token's owner, or a user, may launch, and with which limits."""
        kwparams = None if user is None else {"user": user}
        answer = await self.transport.call("get_compute_envs", credential, kwparams)
        return ComputeEnvs.from_json(_object(answer))

    async def get_session(
        self,
        credential: Credential,
        session_ids: Sequence[str] = (),
        *,
        user: str | None = None,
        only: Sequence[str] = STATE_FIELDS,
        include_jobs: bool = False,
        window: SendWindow | None = None,
        total: float = TOTAL_SECONDS,
    ) -> Found:
        """Read sessions, or all of the user's without ids; one missing from the response has ended.

        ``only`` limits the fields; ``id`` and ``activity_state`` must be among them. There is no other way to
        read a job: with ``include_jobs``, jobs are returned instead; the flag has an old and a new name.
        """
        kwparams = {
            "session_id": ",".join(types.session_id(one) for one in session_ids) or None,
            "user": user,
            "fields": list(only) or None,
            "include_jobs": True if include_jobs else None,
            "include_all_jobs": True if include_jobs else None,
        }
        answer = _object(
            await self.transport.call("get_session", credential, kwparams, window=window, total=total)
        )
        if not include_jobs:
            return Found(entries([answer], "sessions", WorkbenchSession.from_json), Listing())
        if not isinstance(answer.get("sessions"), list):
            raise errors.BadAnswer("the answer's field sessions is not a list")
        jobs = {"jobs": [] if answer.get("jobs") is None else answer["jobs"]}
        return Found(Listing(), entries([jobs], "jobs", WorkbenchJob.from_json))

    async def launch_session(
        self, credential: Credential, launch: Mapping[str, Any], username: str | None = None
    ) -> Launched:
        """Launch a session; raise UnknownOutcome if it may have been launched but no id came back.

        ``username`` is its future owner, None for the token's owner.
        """
        kwparams = {**launch, "username": username}
        answer = await self.transport.call("launch_session", credential, kwparams, changes=True)
        with may_have_acted():
            return Launched.from_json(_object(answer))

    async def resume_session(
        self,
        credential: Credential,
        session_id: str,
        *,
        username: str | None = None,
        launch_parameters: LaunchParameters | None = None,
    ) -> None:
        """Resume a suspended RStudio session, whatever the content of the response."""
        kwparams = {
            "session_id": types.session_id(session_id),
            "username": username,
            "launch_parameters": None if launch_parameters is None else launch_parameters.as_json(),
        }
        await self.transport.call("resume_session", credential, kwparams, changes=True)

    async def stop_session(
        self,
        credential: Credential,
        session_ids: Sequence[str],
        *,
        force_quit: bool = False,
        suspend: bool = False,
    ) -> None:
        """Stop, kill or suspend sessions; the suspend flag is sent under both its names."""
        if not session_ids:
            return
        kwparams = {
            "session_ids": ",".join(types.session_id(one) for one in session_ids),
            "force_quit": force_quit,
            "suspend_session": suspend,
            "suspend": suspend,
        }
        await self.transport.call("stop_session", credential, kwparams, changes=True)

    async def launch_job(
        self, credential: Credential, launch: Mapping[str, Any], *, user: str | None = None
    ) -> WorkbenchJob:
        """Launch a job; raise UnknownOutcome if it may have been launched but no job came back.

        ``user`` is its owner, None for the token's owner.
        """
        whole = {**launch["job"], "user": user}
        kwparams = {**launch, "job": {name: value for name, value in whole.items() if value is not None}}
        value = await self.transport.call("launch_job", credential, kwparams, changes=True)
        with may_have_acted():
            answer = _object(value)
            job = answer.get("job")
            return WorkbenchJob.from_json(_object(answer if job is None else job))

    @asynccontextmanager
    async def get_job_output(
        self,
        credential: Credential,
        job_id: str,
        *,
        user: str | None = None,
        idle_seconds: float | None = None,
    ) -> AsyncIterator[JobOutput]:
        """Open a job's output from its beginning; it ends with the job, a server timeout or an interruption.

        A silence of ``idle_seconds`` ends it like an interruption; None waits for ever.
        """
        kwparams = {"job_id": types.job_id(job_id), "user": user}
        async with self.transport.stream(
            "get_job_output", credential, kwparams, idle_seconds=idle_seconds
        ) as stream:
            yield JobOutput(stream)

    async def stop_job(self, credential: Credential, job_id: str, *, force_quit: bool = False) -> None:
        """Stop a job: ``kill``, or with ``force_quit`` ``kill -9``."""
        kwparams = {"job_id": types.job_id(job_id), "force_quit": force_quit}
        await self.transport.call("stop_job", credential, kwparams, changes=True)


def _object(answer: Any) -> Mapping[str, Any]:
    if not isinstance(answer, dict):
        raise errors.BadAnswer("the answer's result is not an object")
    return answer


#: The maximum size of an object; a longer one is no chunk of a job's output.
MAX_OBJECT = 50_000_000
MAX_DEPTH = 50
#: What may appear between two objects: white space, record separators, a list's commas and brackets.
_BETWEEN = re.compile(rb"[\s,\[\]\x1e\x00]*(?:\xef\xbb\xbf)?[\s,\[\]\x1e\x00]*")
#: An object without nested objects, as nearly all of them are.
_FLAT = re.compile(rb'\{(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")*+\}', re.DOTALL)
_OUTSIDE = re.compile(rb'[^"{}\[\]]*')
_INSIDE = re.compile(rb'(?:[^"\\]+|\\.)*', re.DOTALL)
#: Lone surrogates that stand for no byte; those that do (U+DC80–DCFF) are bytes of broken UTF-8.
_HALVES = re.compile("[\ud800-\udc7f\udd00-\udfff]")

#: Raw control characters are accepted: not all servers escape those that a job printed.
_decode = json.JSONDecoder(strict=False).decode

StreamName = Literal["stdout", "stderr"]
_STREAMS: tuple[StreamName, ...] = ("stdout", "stderr")


@dataclass(frozen=True, slots=True)
class Chunk:
    """Hold a piece of a job's output, which need not end at a line break."""

    stream: StreamName
    text: str


class OutputDecoder:
    """Decode a stream as it arrives. ``failure`` is set once nothing more can be read from it.

    What came before an error in the stream is returned first; the caller then raises ``failure``.
    """

    def __init__(self, *, max_object: int = MAX_OBJECT) -> None:
        self.failure: errors.ProviderError | None = None
        self._max_object = max_object
        self._object = bytearray()
        self._depth = 0
        self._in_string = False
        self._decoders = {name: _decoder() for name in _STREAMS}

    @property
    def is_cut(self) -> bool:
        """Return whether the stream was cut inside an object."""
        return bool(self._object)

    def feed(self, piece: bytes) -> list[Chunk]:
        """Process a piece and return what is complete; nothing after a failure."""
        found: list[Chunk] = []
        # A trailing backslash may escape a quote that is still to come: it waits among the object's bytes.
        data, at = self._carried(piece), 0
        while at < len(data) and self.failure is None:
            at = self._step(data, at, found)
        return found

    def finish(self) -> list[Chunk]:
        """Return what was held back of characters that were never completed."""
        return [
            Chunk(name, text) for name in _STREAMS if (text := self._decoders[name].decode(b"", final=True))
        ]

    def _carried(self, piece: bytes) -> bytes:
        """Return the piece, preceded by a backslash if the previous piece ended with one."""
        if self._in_string and self._object.endswith(b"\\") and _is_open(self._object):
            del self._object[-1:]
            return b"\\" + piece
        return piece

    def _step(self, data: bytes, at: int, found: list[Chunk]) -> int:
        """Read on to the next mark and return its position."""
        if not self._object:
            return self._begin(data, at, found)
        match = (_INSIDE if self._in_string else _OUTSIDE).match(data, at)
        end = match.end() if match is not None else at
        self._take(data[at:end])
        if end == len(data) or self.failure is not None:
            return len(data)
        mark = data[end : end + 1]
        self._take(mark)
        if mark == b'"':
            self._in_string = not self._in_string
        elif mark in b"{[" and not self._in_string:
            self._depth += 1
            if self._depth > MAX_DEPTH:
                self.failure = errors.BadAnswer("the stream is nested too deeply")
        elif mark in b"}]" and not self._in_string:
            self._depth -= 1
            if self._depth == 0:
                whole, self._object = bytes(self._object), bytearray()
                self._end(whole, found)
        return end + 1

    def _begin(self, data: bytes, at: int, found: list[Chunk]) -> int:
        match = _BETWEEN.match(data, at)
        start = match.end() if match is not None else at
        if start == len(data):
            return start
        if data[start : start + 1] != b"{":
            self.failure = errors.BadAnswer("the stream is not JSON")
            return len(data)
        flat = _FLAT.match(data, start)
        if flat is not None and len(flat[0]) <= self._max_object:
            self._end(flat[0], found)
            return flat.end()
        self._take(b"{")
        self._depth, self._in_string = 1, False
        return start + 1

    def _take(self, part: bytes) -> None:
        self._object += part
        if len(self._object) > self._max_object:
            self.failure = errors.BadAnswer("an object of the stream is too large")
            self._object = bytearray()

    def _end(self, whole: bytes, found: list[Chunk]) -> None:
        try:
            answer = _decode(whole.decode("utf-8", "surrogateescape"))
        except ValueError:
            self.failure = errors.BadAnswer("the stream is not JSON")
            return
        if isinstance(answer.get("error"), dict):
            self.failure = error_in(answer["error"], None, changes=False)
            return
        chunk = self._chunk(inner(answer))
        if chunk is not None:
            found.append(chunk)

    def _chunk(self, answer: Any) -> Chunk | None:
        """Return the piece in an object; objects of other kinds (keep-alives) contain none."""
        output = answer.get("output") if isinstance(answer, dict) else None
        if not isinstance(output, str):
            return None
        name: StreamName = "stderr" if answer.get("outputType") == "stderr" else "stdout"
        text = self._decoders[name].decode(_bytes(output))
        return Chunk(name, text) if text else None


def _bytes(output: str) -> bytes:
    """Return the bytes that a job printed."""
    try:
        return output.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return _HALVES.sub("\ufffd", output).encode("utf-8", "surrogateescape")


def _decoder() -> codecs.IncrementalDecoder:
    return codecs.getincrementaldecoder("utf-8")("replace")


def _is_open(text: bytearray) -> bool:
    """Return whether the backslash at the end escapes what follows, rather than being escaped itself."""
    run = len(text) - len(text.rstrip(b"\\"))
    return run % 2 == 1
