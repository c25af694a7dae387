"""The parts shared by all local servers: an adjustable clock, statistics, violations and injected faults."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import heapq
import itertools
import json
import math
import re
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Middleware

from playground.faults import ASKED, Act, Asked, Fault, Refusal, Refused, fault_from, patched
from playground.guard import guard
from playground.values import loads

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

#: A body that is neither JSON nor HTML.
GARBAGE = b"\x00\xff<<<not json>>>{[\x80"


class Clock:
    """The server's clock, in epoch seconds. It can be moved forward but never back.

    It is based on the monotonic clock, so that changes of the machine's wall clock can't cause false
    violations.
    """

    def __init__(self, base: Callable[[], float] | None = None) -> None:
        offset = time.time() - time.monotonic()
        self._base = base or (lambda: time.monotonic() + offset)
        self._moved = 0.0
        #: Called after the clock has been moved, so that a server can immediately do what has become due.
        self.watchers: list[Callable[[], None]] = []

    def now(self) -> float:
        """Return the server's time in epoch seconds."""
        return self._base() + self._moved

    def advance(self, seconds: float) -> None:
        """Move the clock forward by some seconds; raise ValueError if the number is negative."""
        if not 0 <= seconds < math.inf:
            raise ValueError("the clock moves forward only")
        self._moved += seconds
        for watcher in self.watchers:
            watcher()


def base_url(request: web.Request) -> str:
    """Return the base URL under which this server was requested."""
    return f"{request.scheme}://{request.host}"


def refusals(body: Callable[[int, str], Any]) -> Middleware:
    """Return a middleware that answers a Refusal or an HTTP error with ``body(status, message)`` as JSON."""

    @web.middleware
    async def refusing(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refusal as refusal:
            return web.json_response(
                body(refusal.status, refusal.message), status=refusal.status, headers=refusal.headers
            )
        except web.HTTPException as answer:
            if answer.status < 400:
                raise
            headers = {"Allow": answer.headers["Allow"]} if "Allow" in answer.headers else {}
            return web.json_response(
                body(answer.status, answer.reason), status=answer.status, headers=headers
            )

    return refusing


class Harness:
    """Counts a server's requests and violations, and injects the faults that tests ask for.

    ``words`` returns the body of an injected error in the format of this server's API.
    """

    def __init__(self, clock: Clock | None = None, words: Callable[[int], Any] | None = None) -> None:
        self.clock = clock or Clock()
        self.requests: Counter[str] = Counter()
        self.violations: list[dict[str, Any]] = []
        #: Called at each violation, with its rule and details.
        self.on_violation: Callable[[str, str], None] = lambda _rule, _detail: None
        #: Called with each request that a fault affects and the fault, before the answer is changed. If the
        #: fault lets the action happen at once, it has already happened.
        self.on_fault: Callable[[web.Request, Fault], None] = lambda _request, _fault: None
        #: Called with each request when it arrives.
        self.on_request: Callable[[web.Request], None] = lambda _request: None
        self.smallest_gap: float | None = None
        self.status_reads = 0
        self.starts = 0
        self.faults_given = 0
        self.faults: list[Fault] = []
        self._words = words or (lambda _: {"message": "injected fault"})
        self._last_read: dict[str, float] = {}
        self._watched: tuple[re.Pattern[str], float, str] | None = None
        self._starts: re.Pattern[str] | None = None
        #: Accepted actions that are performed later: the time, the order of arrival, and the action.
        self._coming: list[tuple[float, int, Act]] = []
        self._order = itertools.count()
        self.clock.watchers.append(self.settle)

    def violation(self, rule: str, detail: str) -> None:
        """Record that a client broke a documented rule."""
        self.violations.append({"rule": rule, "at": self.clock.now(), "detail": detail})
        self.on_violation(rule, detail)

    def settle(self) -> None:
        """Perform accepted actions that have become due. Those that are no longer possible are dropped."""
        while self._coming and self._coming[0][0] <= self.clock.now():
            at, _, do = heapq.heappop(self._coming)
            with contextlib.suppress(Refused):
                do(at)

    @property
    def coming(self) -> int:
        """Return how many accepted actions are still to be performed."""
        return len(self._coming)

    def _act(self, fault: Fault | None, do: Act) -> None:
        now = self.clock.now()
        if fault is None or not fault.is_late:
            do(now)
        elif fault.acts:
            heapq.heappush(self._coming, (now + fault.acts_after_s, next(self._order), do))
            # If no test moves the clock, nothing else would call ``settle`` when the action becomes due.
            asyncio.get_running_loop().call_later(fault.acts_after_s + 0.01, self.settle)

    def watch(
        self, reads: re.Pattern[str], minimum: float, rule: str, starts: re.Pattern[str] | None = None
    ) -> None:
        """Count status reads: GET requests whose path matches ``reads``. The first group names the resource.

        Requests whose ``METHOD /path`` matches ``starts`` are counted as starts. For ``minimum``, see
        ``read_of``.
        """
        self._watched = (reads, minimum, rule)
        self._starts = starts

    def read_of(self, resource: str, minimum: float, rule: str) -> None:
        """Record a status read. If the last one was less than ``minimum`` seconds ago, record a violation."""
        now = self.clock.now()
        self.status_reads += 1
        last = self._last_read.get(resource)
        self._last_read[resource] = now
        if last is None:
            return
        gap = now - last
        if self.smallest_gap is None or gap < self.smallest_gap:
            self.smallest_gap = gap
        if gap < minimum:
            self.violation(rule, f"{resource}: read {gap:.3f} s after the last one")

    def statistics(self) -> dict[str, Any]:
        """Return what ``GET /_playground/stats`` answers."""
        gap = None if self.smallest_gap is None else round(self.smallest_gap, 3)
        return {
            "requests": dict(self.requests),
            "violations": self.violations,
            "smallest_gap_s": gap,
            "least_gap_s": (self._watched[1] if self._watched is not None else 0.0) or None,
            "status_reads": self.status_reads,
            "starts": self.starts,
            "faults_given": self.faults_given,
            "faults": [fault.as_values() for fault in self.faults],
        }

    def install(self, app: web.Application, *ports: int) -> None:
        """Add the middlewares and the ``/_playground`` routes to a server. For ``ports``, see ``guard``."""
        app.middlewares[:0] = [guard(*ports), self._middleware]
        app.router.add_get("/_playground/stats", self._stats)
        app.router.add_post("/_playground/faults", self._add_fault)
        app.router.add_delete("/_playground/faults", self._clear_faults)
        app.router.add_post("/_playground/advance", self._advance)

    async def _stats(self, _request: web.Request) -> web.Response:
        return web.json_response(self.statistics())

    async def _add_fault(self, request: web.Request) -> web.Response:
        fault = fault_from(loads(await request.read()))
        self._forget(fault.name)
        self.faults.append(fault)
        return web.json_response({"faults": len(self.faults)})

    async def _clear_faults(self, request: web.Request) -> web.Response:
        """Remove all faults or, if the URL has a ``name``, only the fault with that name."""
        if "name" in request.query:
            self._forget(request.query["name"])
        else:
            self.faults.clear()
        return web.json_response({"faults": len(self.faults)})

    def _forget(self, name: str | None) -> None:
        self.faults[:] = [fault for fault in self.faults if name is None or fault.name != name]

    async def _advance(self, request: web.Request) -> web.Response:
        self.clock.advance(float(loads(await request.read())["seconds"]))
        return web.json_response({"now": self.clock.now()})

    @web.middleware
    async def _middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/_playground/"):
            return await self._controlled(request, handler)
        self.requests[f"{request.method} {request.path}"] += 1
        self.on_request(request)
        self._count(request)
        self.settle()
        fault = next((one for one in self.faults if one.takes(request)), None)
        self.faults_given += fault is not None
        request[ASKED] = Asked(self.clock.now(), fault, lambda do: self._act(fault, do))
        if fault is None:
            return await handler(request)
        if fault.after or fault.is_late:
            response = await handler(request)
            return await self._inject_fault(request, fault, response)
        return await self._inject_fault(request, fault, None, handler)

    def _count(self, request: web.Request) -> None:
        if self._starts is not None and self._starts.search(f"{request.method} {request.path}"):
            self.starts += 1
        # Count a read even if a fault spoils its answer.
        if self._watched is not None and request.method in {"GET", "HEAD"}:
            reads, minimum, rule = self._watched
            if match := reads.match(request.path):
                self.read_of(match[1], minimum, rule)

    async def _controlled(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Handle a control request; answer 400 with the reason if it can't be understood.

        The harness's own routes bypass the server's other middleware, such as checks of tokens.
        """
        own = request.match_info.handler
        try:
            return await (own if getattr(own, "__self__", None) is self else handler)(request)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, re.error) as error:
            return web.json_response({"message": f"not understood: {error}"}, status=400)

    async def _inject_fault(
        self,
        request: web.Request,
        fault: Fault,
        answered: web.StreamResponse | None,
        handler: Handler | None = None,
    ) -> web.StreamResponse:
        self.on_fault(request, fault)
        if fault.delay_s:
            await asyncio.sleep(fault.delay_s)
        if fault.drop:
            self._cut(request)
            return web.Response(status=500)
        if fault.garbage:
            return web.Response(status=fault.status or 200, body=GARBAGE, headers=fault.headers)
        if fault.status is not None or fault.body is not None:
            text = fault.body if fault.body is not None else json.dumps(self._words(fault.status or 200))
            headers = {"Content-Type": "application/json", **fault.headers}
            return web.Response(status=fault.status or 200, text=text, headers=headers)
        response = answered if answered is not None or handler is None else await handler(request)
        if fault.patch and response is not None:
            return patched(response, fault.patch)
        if fault.truncate is not None and isinstance(response, web.Response):
            return await self._truncated(request, response, fault.truncate)
        return response or web.Response(status=500)

    async def _truncated(self, request: web.Request, response: web.Response, size: int) -> web.StreamResponse:
        whole = response.body if isinstance(response.body, bytes) else b""
        cut = web.StreamResponse(status=response.status, headers={"Content-Type": "application/json"})
        cut.content_length = len(whole)
        await cut.prepare(request)
        await cut.write(whole[:size])
        self._cut(request)
        return cut

    @staticmethod
    def _cut(request: web.Request) -> None:
        if request.transport is not None:
            request.transport.abort()


async def serve(
    app: web.Application, port: int, credentials: dict[str, Any] | Callable[[str], dict[str, Any]]
) -> web.AppRunner:
    """Serve on 127.0.0.1 and print the ready line. With port 0, use a free port.

    ``credentials`` may be a function of the URL, which is known only once the port is bound.
    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    bound = runner.addresses[0][1]
    url = f"http://127.0.0.1:{bound}"
    announce(url, credentials(url) if callable(credentials) else credentials)
    return runner


def announce(url: str, credentials: Mapping[str, Any]) -> None:
    """Print the ready line: one line of JSON that says that a server is ready."""
    line = {"ready": True, "url": url, "credentials": credentials}
    print(json.dumps(line), flush=True)  # noqa: T201 - the ready line is this command's documented output


@contextlib.contextmanager
def on_signals(do: Callable[[], object]) -> Iterator[None]:
    """Call a function on SIGTERM and SIGINT."""
    loop, numbers = asyncio.get_running_loop(), (signal.SIGTERM, signal.SIGINT)
    for number in numbers:
        loop.add_signal_handler(number, do)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


def run_server(build: Callable[[Any], tuple[web.Application, dict[str, Any]]], seed: Any) -> None:
    """Run a local server as ``python -m MODULE --port N [--seed FILE]``. Without a file, it uses ``seed``.

    ``build`` takes the seed, and returns the server's application and the credentials to print in its ready
    line: ``{"users": {NAME: {"token": …}}}``.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0, help="a port of 127.0.0.1; a free one by default")
    parser.add_argument("--seed", type=Path, help="a JSON file in place of the usual people and workspaces")
    arguments = parser.parse_args()

    async def serve_built() -> None:
        app, credentials = build(json.loads(arguments.seed.read_text("utf-8")) if arguments.seed else seed)
        await serve_until_stopped(app, arguments.port, credentials)

    asyncio.run(serve_built())


async def serve_until_stopped(
    app: web.Application, port: int, credentials: dict[str, Any] | Callable[[str], dict[str, Any]]
) -> None:
    """Serve until SIGTERM, SIGINT or cancellation."""
    stopped = asyncio.Event()
    with on_signals(stopped.set):
        runner = await serve(app, port, credentials)
        try:
            await stopped.wait()
        finally:
            await runner.cleanup()
