"""Every method of the Workbench API, one by one; nothing is retried, nothing remembered, nothing redirected.

``POST {server}/api/{method}`` with a bearer token. A response is the result inside its wrappers, or an error
(``docs/providers/posit.md``, "Transport"). Servers report errors with HTTP 200 as well as with 4xx, and as
JSON, plain text or an HTML page.

A super-admin token acts for an approved username, which each method takes in its own parameter
(``docs/providers/posit.md``, "Tokens").
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal, Unpack

from bot.domain.runs import OutputChunk
from bot.domain.stops import StopMode
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
from bot.providers.requests import Api, Options, authorization, clean, entries, error_of, may_have_acted
from bot.support import errors
from bot.support.http import TOTAL_SECONDS, Http, open_stream
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
    if code == _PARAMETERS_MISSING or (code == _EXECUTION and changes):
        return errors.Misconfigured
    if code == _TRANSMISSION:
        return errors.UnknownOutcome if changes else errors.ServerFailed
    if code == _EXECUTION:
        return errors.ServerFailed
    # Codes 5 to 11, and unknown ones: the message says what is wrong.
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
#: The least that can be asked of a session.
_LEAST = ("id", "activity_state")
#: The fields needed for a session's state, none of them large.
STATE_FIELDS = (
    "id", "activity_state", "url", "display_name", "label", "name", "workbench", "status_detail",
    "executing", "save_prompt_required", "last_used", "created", "last_state_updated", "suspend_size",
)  # fmt: skip


#: People wait for some of these responses, 10 s at most in all.
CHECK_SECONDS = 4.0
Right = Literal["launch", "read", "stop"]
_NEEDS: Mapping[Right, str] = {
    "launch": "The connection's token has to be a super-admin's with write access. Ask your Usher admin.",
    "read": "The connection's token has to be an admin's with read access. Ask your Usher admin.",
    "stop": "The connection's token has to be an admin's with write access. Ask your Usher admin.",
}


@dataclass(frozen=True, slots=True)
class Workbench:
    """Call one server as somebody; each method is one request. Invalid ids raise NotFound before it is sent.

    ``root`` is the server's address without a trailing slash. ``user`` is the username that the token acts
    for, None for its owner; acting for somebody requires an administrator's token.
    """

    http: Http
    root: str
    credential: Credential | None
    user: str | None = None

    async def version(self, *, total: float = CHECK_SECONDS, right: Right | None = None) -> Version:
        """Ask for the version and the features: the cheap check of a token."""
        return Version.from_json(_object(await self._call("version", right=right, total=total)))

    async def get_users(self, *, total: float = TOTAL_SECONDS) -> Listing[WorkbenchUser]:
        """List the registered users; an administrator's token with read access."""
        answer = await self._call("get_users", right="read", total=total, max_bytes=USERS_BYTES)
        if isinstance(answer, dict) and isinstance(answer.get("users"), list):
            answer = answer["users"]
        return entries([{"users": answer}], "users", WorkbenchUser.from_json)

    async def get_compute_envs(self) -> ComputeEnvs:
        """Ask what the token's owner, or the user, may launch, and with which limits."""
        kwparams = None if self.user is None else {"user": self.user}
        return ComputeEnvs.from_json(_object(await self._call("get_compute_envs", kwparams, right="read")))

    async def get_sessions(
        self,
        session_ids: Sequence[str] = (),
        *,
        only: Sequence[str] = STATE_FIELDS,
        window: SendWindow | None = None,
        total: float = TOTAL_SECONDS,
        right: Right | None = "read",
    ) -> Listing[WorkbenchSession]:
        """Read sessions, or all of the user's without ids; one missing from the response has ended.

        ``only`` limits the fields; ``id`` and ``activity_state`` must be among them.
        """
        kwparams = {
            "session_id": ",".join(types.session_id(one) for one in session_ids) or None,
            "user": self.user,
            "fields": list(only),
        }
        answer = await self._call("get_session", kwparams, right=right, window=window, total=total)
        return entries([_object(answer)], "sessions", WorkbenchSession.from_json)

    async def get_jobs(self) -> Listing[WorkbenchJob]:
        """Read the user's jobs: all of them, as there is no other way to read one.

        The flag has an old and a new name. Sessions are always in the response, so little is asked of them.
        """
        kwparams = {"user": self.user, "fields": _LEAST, "include_jobs": True, "include_all_jobs": True}
        answer = _object(await self._call("get_session", kwparams, right="read"))
        if not isinstance(answer.get("sessions"), list):
            raise errors.BadAnswer("the answer's field sessions is not a list")
        jobs = {"jobs": [] if answer.get("jobs") is None else answer["jobs"]}
        found = entries([jobs], "jobs", WorkbenchJob.from_json)
        # Asked for all jobs, an administrator's token may get everybody's.
        theirs = (job for job in found if self.user is None or job.user in {"", self.user})
        return Listing(theirs, is_whole=found.is_whole)

    async def launch_session(self, launch: Mapping[str, Any]) -> Launched:
        """Launch a session; raise UnknownOutcome if it may have been launched but no id came back."""
        answer = await self._change("launch_session", "launch", {**launch, "username": self.user})
        with may_have_acted():
            return Launched.from_json(_object(answer))

    async def resume_session(self, session_id: str, parameters: LaunchParameters | None) -> None:
        """Resume a suspended RStudio session, whatever the content of the response."""
        # A session without a cluster runs without the launcher, which takes no parameters.
        again = parameters.as_json() if parameters is not None and parameters.cluster else None
        kwparams = {
            "session_id": types.session_id(session_id),
            "username": self.user,
            "launch_parameters": again,
        }
        await self._change("resume_session", "launch", kwparams)

    async def stop_session(self, session_id: str, mode: StopMode) -> None:
        """Stop, kill or suspend a session; the suspend flag is sent under both its names."""
        kwparams = {
            "session_ids": types.session_id(session_id),
            "force_quit": mode == "force",
            "suspend_session": mode == "suspend",
            "suspend": mode == "suspend",
        }
        await self._change("stop_session", "stop", kwparams)

    async def launch_job(self, launch: Mapping[str, Any]) -> WorkbenchJob:
        """Launch a job; raise UnknownOutcome if it may have been launched but no job came back."""
        whole = {**launch["job"], "user": self.user}
        job = {name: value for name, value in whole.items() if value is not None}
        value = await self._change("launch_job", "launch", {**launch, "job": job})
        with may_have_acted():
            answer = _object(value)
            return WorkbenchJob.from_json(_object(answer if answer.get("job") is None else answer["job"]))

    async def stop_job(self, job_id: str, *, force_quit: bool = False) -> None:
        """Stop a job: ``kill``, or with ``force_quit`` ``kill -9``."""
        kwparams = {"job_id": types.job_id(job_id), "force_quit": force_quit}
        await self._change("stop_job", "stop", kwparams)

    async def get_job_output(self, job_id: str) -> AsyncGenerator[OutputChunk, None]:
        """Yield a job's output from its beginning; it ends with the job, a server timeout or an interruption.

        A stream that is cut off raises UnknownOutcome, once everything before the cut was yielded.
        """
        body = _body("get_job_output", {"job_id": types.job_id(job_id), "user": self.user})
        headers, address = authorization(self.credential, "Bearer"), f"{self.root}/api/get_job_output"
        decoder = OutputDecoder()
        async with AsyncExitStack() as stack:
            # Only opening the stream tests the token; a later refusal is the stream's own error.
            async with self._explained("read"):
                opening = open_stream(
                    self.http, "POST", address, headers=headers, json_body=body, max_bytes=STREAM_BYTES
                )
                stream = await stack.enter_async_context(opening)
                if stream.status != 200:
                    unwrap(await stream.whole(), changes=False)
                    raise errors.BadAnswer(f"HTTP {stream.status} is no stream", status=stream.status)
            async for piece in stream:
                for chunk in decoder.feed(piece):
                    yield chunk
                if decoder.failure is not None:
                    raise decoder.failure
        for chunk in decoder.finish():
            yield chunk
        if decoder.is_cut:
            raise errors.UnknownOutcome("the stream was cut")

    async def _change(self, method: str, right: Right, kwparams: Mapping[str, Any]) -> Any:
        """Call a method that changes something; raise UnknownOutcome if nothing usable came back."""
        return await self._call(method, kwparams, right=right, changes=True)

    async def _call(
        self,
        method: str,
        kwparams: Mapping[str, Any] | None = None,
        *,
        right: Right | None,
        changes: bool = False,
        window: SendWindow | None = None,
        **options: Unpack[Options],
    ) -> Any:
        """Send once and return the unwrapped result.

        Without ``kwparams`` it is a GET, as in the reference for version, get_users and get_compute_envs.
        """
        verb = "GET" if kwparams is None else "POST"
        options["json_body"] = None if kwparams is None else _body(method, kwparams)
        api = Api(self.http, f"{self.root}/api", scheme="Bearer")
        async with self._explained(right):
            response = await api.send(
                verb, f"/{method}", self.credential, changes=changes, window=window, **options
            )
            return unwrap(response, changes=changes)

    @asynccontextmanager
    async def _explained(self, right: Right | None) -> AsyncIterator[None]:
        """Make a refusal CredentialRefused for a bad token, Forbidden for too low a level.

        Servers answer both alike (401, 403, error 3), so the version is requested: every valid token may read
        it. ``right`` is what the call needs, None if a refusal is to stay as it is.
        """
        try:
            yield
        except (errors.Forbidden, errors.CredentialRefused) as refusal:
            # One without a status is not the server's own: the token could not even be sent.
            if right is None or refusal.status is None:
                raise
            try:
                await self.version()
            except (errors.Forbidden, errors.CredentialRefused):
                raise errors.CredentialRefused(refusal.message, status=refusal.status) from None
            if self.user is not None:
                raise errors.Forbidden(_NEEDS[right]) from None
            raise errors.Forbidden(refusal.message, status=refusal.status) from None


def _body(method: str, kwparams: Mapping[str, Any]) -> dict[str, Any]:
    """Return the envelope of a call; parameters that are None are left out."""
    given = {key: value for key, value in kwparams.items() if value is not None}
    return {"method": method, "kwparams": given}


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

_STREAMS: tuple[Literal["stdout", "stderr"], ...] = ("stdout", "stderr")


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

    def feed(self, piece: bytes) -> list[OutputChunk]:
        """Process a piece and return what is complete; nothing after a failure."""
        found: list[OutputChunk] = []
        # A trailing backslash may escape a quote that is still to come: it waits among the object's bytes.
        data, at = self._carried(piece), 0
        while at < len(data) and self.failure is None:
            at = self._step(data, at, found)
        return found

    def finish(self) -> list[OutputChunk]:
        """Return what was held back of characters that were never completed."""
        return [
            OutputChunk(name, text)
            for name in _STREAMS
            if (text := self._decoders[name].decode(b"", final=True))
        ]

    def _carried(self, piece: bytes) -> bytes:
        """Return the piece, preceded by a backslash if the previous piece ended with one."""
        if self._in_string and self._object.endswith(b"\\") and _is_open(self._object):
            del self._object[-1:]
            return b"\\" + piece
        return piece

    def _step(self, data: bytes, at: int, found: list[OutputChunk]) -> int:
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

    def _begin(self, data: bytes, at: int, found: list[OutputChunk]) -> int:
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

    def _end(self, whole: bytes, found: list[OutputChunk]) -> None:
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

    def _chunk(self, answer: Any) -> OutputChunk | None:
        """Return the piece in an object; objects of other kinds (keep-alives) contain none."""
        output = answer.get("output") if isinstance(answer, dict) else None
        if not isinstance(output, str):
            return None
        name: Literal["stdout", "stderr"] = "stderr" if answer.get("outputType") == "stderr" else "stdout"
        text = self._decoders[name].decode(_bytes(output))
        return OutputChunk(name, text) if text else None


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
