"""Socket Mode: serves the same listeners over connections that Usher opens to Slack, without a public URL.

Slack sends each payload over a randomly chosen connection of the app, whichever process holds it, and resends
events that weren't acknowledged. The inbox makes both harmless. An acknowledgement is sent on the connection
on which its payload arrived. A connection counts as alive if it has received a pong recently, even if no
events arrive.

Slack's own client reconnects by closing its connection and then opening another. Payloads that Slack sends in
between are lost, and an acknowledgement that isn't ready by then goes out on the wrong connection, the new
one. So here each client serves only one connection. Instead of reconnecting, it signals that a new connection
is needed.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final, NamedTuple

import aiohttp
import structlog
from pydantic import SecretStr
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.slack.bolt_context import MAX_BODY_BYTES, RETRY_NUMBER
from bot.support.addresses import DIRECT, Proxy
from bot.web.bolt import count_leftover, dispatch
from bot.web.shapes import Malformed, read_envelope

log = structlog.get_logger(__name__)


PING_SECONDS = 10.0
#: How long, in seconds, to keep a connection that Slack is about to close. The last payloads may still arrive
#: on it.
LINGER_SECONDS = 30.0
#: Maximum size of a frame, in bytes. If a frame is longer, Slack closes the connection with code 1009.
MAX_FRAME_BYTES: Final = 20_480
#: Finds the id in an envelope that can't be parsed, for example because it is nested too deeply.
_ENVELOPE_ID: Final = re.compile(r'(?<!\\)"envelope_id"\s*:\s*"([^"\\]{1,200})"')
#: The reason that Slack gives for closing a connection if the app has more than ten. Usher then closes the
#: old connection before it opens a new one. Otherwise, it opens the new one first.
TOO_MANY: Final = "too_many_websockets"
#: The reason recorded if Usher itself ends a connection.
RENEWED: Final = "renewed"
#: Maximum pause before reconnecting to Slack, in seconds, even if Slack asks for a longer one.
LONGEST_PAUSE: Final = 600.0
#: A connection that lasted at least this many seconds is replaced as soon as it ends. After a shorter one,
#: Usher waits first, because the next one might not last any longer.
SHORT_LIVED: Final = 10.0


class Count(NamedTuple):
    """The number of the app's connections according to Slack, and the number that this process had.

    ``at`` is when they were counted, by the monotonic clock.
    """

    at: float
    counted: int
    held: int


def write_frame(answer: SocketModeResponse) -> bytes:
    """Encode an acknowledgement as the text of a frame."""
    # Lone surrogates can't be encoded.
    return json.dumps(answer.to_dict(), ensure_ascii=False).encode(errors="replace")


def read_frame(text: str) -> dict[str, Any]:
    """Parse a frame from Slack.

    If that fails, return only the envelope's id, which is needed to acknowledge it.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        found = _ENVELOPE_ID.search(text)
        value = {"envelope_id": found[1]} if found else None
    return value if isinstance(value, dict) else {}


def wanted_pause(header: str, usual: float) -> float:
    """Return the seconds in a ``Retry-After`` header, within bounds.

    If it isn't a number, return ``usual``.
    """
    is_number = header.isascii() and header.isdecimal()
    return min(max(float(header), usual), LONGEST_PAUSE) if is_number else usual


class SocketSide(AsyncSocketModeHandler):
    """Keeps Socket Mode connections open, and passes incoming requests to the listeners.

    Each process keeps track of its own connections, in memory. After a restart, Slack resends anything that
    wasn't acknowledged. Slack allows at most ten connections per app.
    """

    def __init__(
        self,
        app: AsyncApp,
        app_token: SecretStr,
        api_url: str,
        monotonic: Callable[[], float] = time.monotonic,
        *,
        proxy: Proxy = DIRECT,
        connections: int = 1,
        ping_seconds: float = PING_SECONDS,
    ) -> None:
        # Don't call Bolt's initialiser. It would create a client, but here each connection has a client of
        # its own.
        self.app = app
        self.app_token = app_token.get_secret_value()
        # The client logs payloads, and errors that contain the URL with its ticket, so its logger is
        # silenced.
        self.silent = logging.getLogger("bot.bolt.socket")
        self.silent.setLevel(logging.CRITICAL)
        self.web_client = AsyncWebClient(base_url=api_url, logger=self.silent, timeout=10)
        # This overrides the proxy that the client has taken from the environment.
        self.web_client.proxy = proxy.text_of(api_url)
        self.proxy = proxy
        self.monotonic = monotonic
        self._connections = connections
        #: The numbers that identify the connections being kept open, including those of surplus connections
        #: that will soon be closed.
        self._kept: set[int] = set()
        self._is_started = False
        self.ping_seconds = ping_seconds
        self._live: dict[int, SocketConnection] = {}
        #: Slack's count of the app's connections when the newest one was opened, or None if Slack didn't give
        #: a number.
        self.count: Count | None = None
        self._open: set[SocketConnection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._under_way: dict[asyncio.Task[Any], SocketModeClient] = {}

    def start(self) -> None:
        """Connect in the background. While Slack is unavailable, keep trying (see ``is_ready``)."""
        self._is_started = True
        self.hold_connections(self._connections)

    def hold_connections(self, connections: int) -> None:
        """Set how many connections to keep open. Before ``start``, none are opened yet."""
        self._connections = connections
        for number, connection in self._live.items():
            if number >= connections:
                connection.reason = RENEWED
                connection.ending.set()
        for number in range(connections) if self._is_started else ():
            if number not in self._kept:
                self._kept.add(number)
                self._run(self._keep_connected(number))

    def replace_connection(self) -> None:
        """Replace a connection. Slack then counts all connections."""
        for connection in tuple(self._live.values())[:1]:
            connection.reason = RENEWED
            connection.ending.set()

    def is_ready(self) -> bool:
        """Return whether payloads can arrive on at least one connection."""
        return any(connection.is_ready() for connection in self._live.values())

    async def handle(  # type: ignore[override]  # narrower, as Bolt's own
        self, client: SocketModeClient, req: SocketModeRequest
    ) -> None:
        """Pass an envelope to the listeners, and acknowledge it with the answer that they return."""
        task = asyncio.current_task()
        if task is not None:
            self._under_way[task] = client
            task.add_done_callback(self._under_way.pop)
        try:
            answer = await self._answer(req)
            if answer.status == HTTPStatus.OK:
                is_json = answer.first_headers().get("content-type", "").startswith("application/json")
                payload = json.loads(answer.body) if is_json and answer.body else {"text": answer.body}
                said = SocketModeResponse(req.envelope_id, payload if answer.body else None)
                # If this fails, Slack sends the envelope again, just as it resends HTTP requests.
                await client.send_socket_mode_response(said)
        except (OSError, aiohttp.ClientError) as error:
            # Slack sends the envelope again. The inbox then recognises that it is a repetition.
            log.warning("slack.envelope_not_acknowledged", error=error)

    async def _answer(self, req: SocketModeRequest) -> BoltResponse:
        """Return the answer to an envelope.

        Malformed envelopes are answered, too, because sending them again wouldn't help.
        """
        around = write_frame(SocketModeResponse(req.envelope_id, payload={}))
        try:
            payload = read_envelope(req.type, req.payload)
            room = MAX_FRAME_BYTES - len(around) + 2
            context = {MAX_BODY_BYTES: room, RETRY_NUMBER: str(req.retry_attempt or 0)}
            return await dispatch(self.app, payload, context)
        except Malformed as error:
            log.warning("slack.envelope_refused", reason=f"malformed: {error}")
        except Exception as error:  # noqa: BLE001 - as over HTTP, every error gets an answer
            count_leftover(req.type, error)
        return BoltResponse(status=200)

    async def close(self, seconds: float = 5.0) -> None:
        """Let running work finish for a few seconds, then close the connections and end their tasks."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._finish(set(self._under_way), seconds)
        await asyncio.gather(*(self._end(connection) for connection in tuple(self._open)))

    def _run(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work, name="socket-mode")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _keep_connected(self, number: int) -> None:
        """Keep one connection open.

        When Slack announces that it will end, open the next one before closing it.
        """
        while number < self._connections:
            new = await self._count_connected()
            old, self._live[number] = self._live.get(number), new
            if old is not None:
                self._run(self._retire(old))
            log.info("slack.socket_connected", connection=number)
            if number >= self._connections:
                # While this connection was being opened, the number of connections to keep was reduced.
                break
            opened = self.monotonic()
            await new.ending.wait()
            log.info("slack.socket_ending", connection=number, reason=new.reason)
            if new.reason == TOO_MANY:
                await self._end(new)
            is_short_lived = self.monotonic() - opened < SHORT_LIVED and new.reason != RENEWED
            if new.reason == TOO_MANY or is_short_lived:
                await asyncio.sleep(self.ping_seconds)
        self._kept.discard(number)
        if (last := self._live.pop(number, None)) is not None:
            self._run(self._retire(last))

    async def _count_connected(self) -> SocketConnection:
        """Open a connection.

        Every attempt needs a new URL, because URLs are short-lived and can be used only once.
        """
        while True:
            connection = SocketConnection(self)
            connection.socket_mode_request_listeners.append(self.handle)  # type: ignore[arg-type]  # as Bolt does
            self._open.add(connection)
            pause = self.ping_seconds
            try:
                opened = await self.web_client.apps_connections_open(app_token=self.app_token)
                address = str(opened["url"])
                # Limit the time, because otherwise the client would retry a failed attempt with the same URL.
                async with asyncio.timeout(pause):
                    await connection.open(address)
            except TimeoutError:
                pause = 0.0
            except SlackApiError as refused:
                answer = refused.response
                # If the response couldn't be parsed, it has a different type.
                is_parsed = isinstance(answer, AsyncSlackResponse) and isinstance(answer.data, dict)
                if is_parsed and answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
                    pause = wanted_pause(answer.headers.get("Retry-After", ""), pause)
                log.warning("slack.socket_refused", error=answer.get("error") if is_parsed else "unreadable")
            except (OSError, aiohttp.ClientError) as error:
                log.warning("slack.socket_not_opened", error=error)
            except Exception as error:  # noqa: BLE001 - whatever answered in Slack's place, Slack is asked again
                # Don't log the error itself, because it may contain the URL with its ticket.
                log.warning("slack.socket_not_opened", kind=type(error).__name__)
            else:
                if connection.counted is not None:
                    self.count = Count(self.monotonic(), connection.counted, len(self._open))
                return connection
            await self._end(connection)
            await asyncio.sleep(pause)

    async def _retire(self, old: SocketConnection) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                await old.gone.wait()
        on_it = {task for task, client in self._under_way.items() if client is old}
        await self._finish(on_it, LINGER_SECONDS)
        await self._end(old)

    async def _finish(self, tasks: set[asyncio.Task[Any]], seconds: float) -> None:
        under_way = tasks - {asyncio.current_task()}
        if under_way:
            await asyncio.wait(under_way, timeout=seconds)

    async def _end(self, connection: SocketConnection) -> None:
        await connection.end()
        self._open.discard(connection)


#: Number of unanswered pings after which a connection is considered dead.
MISSED_PINGS = 4
#: Timeout, in seconds, for Slack to close its side of a connection.
CLOSE_SECONDS = 1.0


class SocketConnection(SocketModeClient):
    """A connection to Slack.

    ``ending`` is set when a new connection is needed, and ``gone`` when nothing more can arrive.
    """

    def __init__(self, side: SocketSide) -> None:
        super().__init__(
            side.app_token,
            logger=side.silent,
            web_client=side.web_client,
            ping_interval=side.ping_seconds,
        )
        self._side = side
        self.ending = asyncio.Event()
        self.gone = asyncio.Event()
        self.reason = ""
        #: Slack's count of the app's connections when this one opened, or None if Slack hasn't given a
        #: number.
        self.counted: int | None = None
        self._greeted = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        #: Time at which the last pong arrived, by the client's wall clock. ``_pong_at`` is when we first
        #: noticed it, by the monotonic clock.
        self._last_pong: float | None = None
        self._pong_at = 0.0

    async def open(self, address: str) -> None:
        """Connect, and wait for Slack's hello message."""
        self.wss_uri, self.proxy = address, self._side.proxy.text_of(address)
        await self.connect()  # type: ignore[no-untyped-call]  # slack_sdk leaves it without types
        await self._greeted.wait()

    def is_ready(self) -> bool:
        """Return whether payloads can arrive.

        That is the case if the connection is open, Slack has sent its hello message, and the last pong is
        recent.
        """
        session = self.current_session
        is_open = session is not None and not session.closed and not self.closed
        return is_open and self._greeted.is_set() and not self.gone.is_set() and not self._misses_pongs()

    def _misses_pongs(self) -> bool:
        last = self.last_ping_pong_time
        if last != self._last_pong:
            self._last_pong, self._pong_at = last, self._side.monotonic()
        # The wall clock may be changed between a ping and its pong, so the monotonic clock is used.
        return (
            last is not None and self._side.monotonic() - self._pong_at >= MISSED_PINGS * self.ping_interval
        )

    async def is_ping_pong_failing(self) -> bool:
        """Return whether too many pings in a row got no pong. The client's own monitor calls this."""
        return self._misses_pongs()

    async def process_message(self) -> None:
        """Read one frame. Unlike the client's own method, this doesn't drop frames that can't be parsed."""
        text = str(await self.message_queue.get() or "")
        task = asyncio.create_task(self.run_message_listeners(read_frame(text), text))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def run_message_listeners(
        self,
        message: dict[str, Any],
        raw_message: str,  # noqa: ARG002 - the client's
    ) -> None:
        """Handle messages about the connection itself. Pass on messages that have to be acknowledged."""
        if message.get("type") == "hello":
            if isinstance(counted := message.get("num_connections"), int):
                self.counted = counted
            self._greeted.set()
        elif message.get("type") == "disconnect":
            self.reason = str(message.get("reason") or "")
            await self.connect_to_new_endpoint(force=True)
        if isinstance(envelope_id := message.get("envelope_id"), str | int | float):
            request = SocketModeRequest(str(message.get("type") or ""), str(envelope_id), {})
            request.envelope_id = envelope_id  # type: ignore[assignment]  # as it came
            request.retry_attempt = message.get("retry_attempt")
            # If a payload isn't an object, the client's own parser raises an error. But the envelope has to
            # be acknowledged even then.
            request.payload = message.get("payload")  # type: ignore[assignment]
            for listener in self.socket_mode_request_listeners:
                await listener(self, request)  # type: ignore[arg-type, call-arg, misc]  # as in the client

    async def send_socket_mode_response(self, response: dict[str, Any] | SocketModeResponse) -> None:
        """Send an acknowledgement. If it is so long that Slack would disconnect, leave out the answer."""
        answer = response if isinstance(response, SocketModeResponse) else SocketModeResponse(**response)
        frame = write_frame(answer)
        if len(frame) > MAX_FRAME_BYTES:
            log.error("slack.answer_too_long", bytes=len(frame))
            frame = write_frame(SocketModeResponse(answer.envelope_id))
        if len(frame) <= MAX_FRAME_BYTES:
            await self.send_message(frame.decode())

    async def connect_to_new_endpoint(self, force: bool = False) -> None:
        """Signal that a new connection is needed, because this one will end (``force``) or has ended."""
        self.ending.set()
        if not force:
            self.gone.set()

    async def end(self) -> None:
        """Close the connection, and end its tasks."""
        self.closed = True
        self.auto_reconnect_enabled = False
        with suppress(OSError, TimeoutError, aiohttp.ClientError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.disconnect()  # type: ignore[no-untyped-call]  # as above
        tasks = [self.message_processor, self.message_receiver, self.current_session_monitor]
        running = [task for task in tasks if task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self.aiohttp_client_session.close()
