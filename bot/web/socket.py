"""Socket Mode: the same listeners over a connection that Usher opens to Slack; no public address is needed.

Slack sends each payload to a random one of the app's connections and repeats what was not acknowledged; the
inbox makes both harmless. Health is judged by the age of the last pong, not of the last event.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
import structlog
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.web.bolt import left_bolt
from bot.web.shapes import Malformed, read_envelope

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import SecretStr
    from slack_bolt.async_app import AsyncApp
    from slack_sdk.socket_mode.aiohttp import SocketModeClient
    from slack_sdk.socket_mode.request import SocketModeRequest

PING_SECONDS = 10.0
#: How many unanswered pings make the connection count as dead; the client reconnects at the same age.
MISSED_PINGS = 4

_log = structlog.get_logger(__name__)


class SocketSide(AsyncSocketModeHandler):
    """Keep the connection open, and pass what arrives on it to the listeners."""

    def __init__(
        self,
        app: AsyncApp,
        app_token: SecretStr,
        api_url: str,
        monotonic: Callable[[], float] = time.monotonic,
        *,
        ping_seconds: float = PING_SECONDS,
    ) -> None:
        # The client logs payloads, and in errors the address with its ticket; what matters is logged here.
        silent = logging.getLogger("bot.slack.socket")
        silent.setLevel(logging.CRITICAL)
        super().__init__(
            app,
            app_token.get_secret_value(),
            logger=silent,
            web_client=AsyncWebClient(base_url=api_url, logger=silent, timeout=10),
            ping_interval=ping_seconds,
        )
        if _is_this_machine(api_url):
            # A proxy from the environment can't reach back to this machine.
            self.client.proxy = None
            self.client.web_client.proxy = None
        self._monotonic = monotonic
        #: The last pong as the client timestamps it, by the wall clock, and when we first saw it.
        self._last_pong: float | None = None
        self._pong_at = 0.0
        self._keeping: asyncio.Task[None] | None = None
        self._under_way: set[asyncio.Task[Any]] = set()

    def start(self) -> None:
        """Connect in the background, and keep trying while Slack is unavailable; see ``is_ready``."""
        self._keeping = asyncio.create_task(self._keep_connected(), name="socket-mode")

    def is_ready(self) -> bool:
        """Return whether payloads can arrive: connected, and the last pong is recent enough."""
        session = self.client.current_session
        if session is None or session.closed or self.client.closed:
            return False
        last = self.client.last_ping_pong_time
        if last != self._last_pong:
            self._last_pong, self._pong_at = last, self._monotonic()
        # By our own clock, because the wall clock may be changed between a ping and its pong.
        return last is None or self._monotonic() - self._pong_at < MISSED_PINGS * self.client.ping_interval

    async def handle(  # type: ignore[override]  # narrower, as Bolt's own
        self, client: SocketModeClient, req: SocketModeRequest
    ) -> None:
        """Dispatch one envelope and acknowledge it with the answer."""
        task = asyncio.current_task()
        if task is not None:
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        try:
            try:
                req.payload = read_envelope(req.type, req.payload)
                await super().handle(client, req)
            except (OSError, aiohttp.ClientError):
                raise
            except Exception as error:  # noqa: BLE001 - as over HTTP, nothing odd is left without an answer
                if isinstance(error, Malformed):
                    _log.warning("slack.envelope_refused", reason=f"malformed: {error}")
                else:
                    left_bolt(req.type, error)
                # Acknowledged all the same: a repetition would not help.
                await client.send_socket_mode_response(SocketModeResponse(envelope_id=req.envelope_id))
        except (OSError, aiohttp.ClientError) as error:
            # Slack sends the envelope again, and the inbox recognises it.
            _log.warning("slack.envelope_not_acknowledged", error=type(error).__name__)

    async def close(self, seconds: float = 5.0) -> None:
        """Let running work finish for some seconds, then close the connection and all of its tasks."""
        if self._keeping is not None:
            self._keeping.cancel()
        under_way = self._under_way - {asyncio.current_task()}
        if under_way:
            await asyncio.wait(under_way, timeout=seconds)
        ours = (
            self._keeping,
            self.client.message_processor,
            self.client.message_receiver,
            self.client.current_session_monitor,
        )
        await self.client.close()  # type: ignore[no-untyped-call]  # slack_sdk leaves it without types
        for task in ours:
            if task is not None:
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await task

    async def _keep_connected(self) -> None:
        """Connect, then log when the connection is lost and restored.

        The client reconnects by itself, but with the address it was first given, which works once and for a
        short time: while disconnected the address is dropped, so that it asks for a new one.
        """
        connecting = asyncio.create_task(self.client.connect())  # type: ignore[no-untyped-call]  # as above
        was_ready = False
        without = 0.0
        pause = min(self.client.ping_interval, 1.0)
        try:
            while True:
                await asyncio.sleep(pause)
                is_ready = self.is_ready()
                if is_ready != was_ready:
                    was_ready = is_ready
                    _log.info("slack.socket_connected" if is_ready else "slack.socket_lost")
                without = 0.0 if is_ready else without + pause
                if without >= 2 * self.client.ping_interval:
                    without = 0.0
                    self.client.wss_uri = None
        finally:
            connecting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await connecting


def _is_this_machine(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
