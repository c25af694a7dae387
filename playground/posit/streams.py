"""The output of a job as a stream of JSON objects.

It follows ``docs/internals/providers/posit.md``, "Output of a job".
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Iterator

from aiohttp import web

from playground.posit.calls import Call
from playground.posit.jobs import Job
from playground.posit.plans import StreamFault

#: Separators between objects. Clients must parse one object after another, because no separator is
#: documented.
SEPARATORS = {"newline": ("\n",), "none": ("",), "mixed": ("\n", "", " ", "", "\r\n")}
#: Sizes of the chunks that are sent. Ragged ones split objects, and even characters of several bytes.
RAGGED = (5, 61, 1, 211, 3, 2039, 16381, 65521)
WHOLE = (65536,)
#: Number of bytes generated at a time, so that even very large outputs need no more memory than this.
BUFFER = 65536
#: Minimum and maximum time until a stream checks for changes, in real seconds, even if the clock stands
#: still.
SHORTEST_WAIT, LONGEST_WAIT = 0.02, 1.0


class _Ended(Exception):
    """Raised if the stream is over. With ``abort``, the connection is cut."""

    def __init__(self, *, abort: bool = False) -> None:
        super().__init__()
        self.abort = abort


class _Stream:
    """The output of one job, sent over one connection."""

    def __init__(self, call: Call, job: Job, response: web.StreamResponse) -> None:
        self._call = call
        self._state = call.state
        self._job = job
        self._response = response
        self._separators = itertools.cycle(SEPARATORS[self._state.settings.separator])
        self._sizes = itertools.cycle(RAGGED if self._state.settings.pieces == "ragged" else WHOLE)
        self._opened_at = self._state.clock.now()
        self._printed = 0
        self._paused_until = 0.0
        self._seen: list[StreamFault] = []

    async def run(self, event: asyncio.Event) -> None:
        """Send output until the job has ended; raise _Ended if the stream ends before that."""
        while True:
            event.clear()
            now = self._state.clock.now()
            if now >= self._paused_until:
                await self._send_lines(self._job.printed(now))
                now = self._state.clock.now()
                over = self._job.ended(now) and self._printed >= self._job.printed(now)
                if over and now >= self._paused_until:
                    return
            await self._wait(event, now)

    async def _send_lines(self, available: int) -> None:
        while True:
            fault = self._state.plans.stream_fault(self._job.id, self._seen)
            until = available if fault is None else min(available, max(fault.after_lines, self._printed))
            async for data in self._objects(until):
                await self._write(data)
            if fault is None or self._printed < fault.after_lines:
                return
            fault.times -= 1
            self._seen.append(fault)
            await self._inject_fault(fault)
            if self._state.clock.now() < self._paused_until:
                return

    async def _objects(self, until: int) -> AsyncIterator[bytes]:
        buffer = bytearray()
        while self._printed < until:
            for text in self._next_object(until):
                buffer += text.encode()
            if len(buffer) >= BUFFER:
                yield bytes(buffer)
                buffer.clear()
                await asyncio.sleep(0)
        if buffer:
            yield bytes(buffer)

    def _next_object(self, until: int) -> Iterator[str]:
        """Yield the next object: consecutive lines of the same stream, as many as the switch allows."""
        settings, script = self._state.settings, self._job.script
        stream, output = script.line(self._printed + 1)
        self._printed += 1
        for _ in range(1, settings.lines_per_object):
            if self._printed >= until:
                break
            following, more = script.line(self._printed + 1)
            if following != stream:
                break
            output += more
            self._printed += 1
        size = settings.characters_per_object or len(output)
        for start in range(0, len(output), size):
            yield self._object(stream, output[start : start + size]) + next(self._separators)

    def _object(self, stream: str, output: str) -> str:
        whole = {"jobId": self._job.id, "outputType": stream, "output": output}
        return json.dumps(whole, ensure_ascii=False)

    async def _inject_fault(self, fault: StreamFault) -> None:
        if fault.kind == "pause":
            self._paused_until = self._state.clock.now() + fault.seconds
        elif fault.kind == "error":
            failure = {"error": {"code": fault.code, "message": fault.message}}
            await self._write((json.dumps(failure) + next(self._separators)).encode())
            if fault.ends:
                raise _Ended
        elif fault.kind == "broken_utf8":
            stream, output = self._job.script.line(self._printed + 1)
            head, _, tail = self._object(stream, f"\x00{output}").partition("\\u0000")
            self._printed += 1
            await self._write(head.encode() + b"\xff\xc3(" + tail.encode() + b"\n")
        elif fault.kind == "close":
            raise _Ended
        else:
            whole = self._object(*self._job.script.line(self._printed + 1)).encode()
            await self._write(whole[: len(whole) // 2])
            raise _Ended(abort=True)

    async def _write(self, data: bytes) -> None:
        start = 0
        while start < len(data):
            piece = data[start : start + next(self._sizes)]
            start += len(piece)
            await self._response.write(piece)
            self._state.streams.sent_bytes += len(piece)
            if self._gone():
                raise _Ended

    async def _wait(self, event: asyncio.Event, now: float) -> None:
        limit = self._state.settings.stream_seconds
        if self._gone() or (limit is not None and now - self._opened_at >= limit):
            raise _Ended
        due = max(self._job.next_change(self._printed), self._paused_until)
        if limit is not None:
            due = min(due, self._opened_at + limit)
        try:
            await asyncio.wait_for(event.wait(), min(LONGEST_WAIT, max(SHORTEST_WAIT, due - now)))
        except TimeoutError:
            return

    def _gone(self) -> bool:
        transport = self._call.request.transport
        return self._state.closing or transport is None or transport.is_closing()


async def send(call: Call, job: Job) -> web.StreamResponse:
    """Stream the output of a job from its first line. If the job is running, keep the connection open."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(call.request)
    with call.state.listening() as event:
        try:
            await _Stream(call, job, response).run(event)
        except _Ended as end:
            if end.abort and call.request.transport is not None:
                call.request.transport.abort()
        except ConnectionError:
            return response
    return response
