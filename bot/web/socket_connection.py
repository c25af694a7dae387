"""One connection of Socket Mode, from its address to its end.

Slack's client reconnects by closing the connection it has and opening another. What Slack sends in between is
lost, and an answer that is ready by then goes out on a connection that never saw the question. So here a
client serves one connection only: where it would reconnect, it says that a new one is needed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import aiohttp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.web.async_client import AsyncWebClient

from bot.support.proxy import DIRECT, Proxy

#: How many unanswered pings make the connection count as dead.
MISSED_PINGS = 4
#: How long the other side may take to close; seconds.
CLOSE_SECONDS = 1.0


class Connection(SocketModeClient):
    """Hold one connection; ``ending`` is set when a new one is needed, ``gone`` once no more can come."""

    def __init__(
        self,
        app_token: str,
        web_client: AsyncWebClient,
        monotonic: Callable[[], float],
        ping_seconds: float,
        log: logging.Logger,
        *,
        proxy: Proxy = DIRECT,
    ) -> None:
        super().__init__(app_token, logger=log, web_client=web_client, ping_interval=ping_seconds)
        self._way = proxy
        self.ending = asyncio.Event()
        self.gone = asyncio.Event()
        #: Slack's word for why it ends the connection; empty if it didn't say.
        self.reason = ""
        self._greeted = asyncio.Event()
        self._monotonic = monotonic
        #: The last pong as the client timestamps it, by the wall clock, and when we first saw it.
        self._last_pong: float | None = None
        self._pong_at = 0.0

    async def open(self, address: str) -> None:
        """Connect, and wait until Slack has said hello."""
        self.wss_uri, self.proxy = address, self._way.text_of(address)
        await self.connect()  # type: ignore[no-untyped-call]  # slack_sdk leaves it without types
        await self._greeted.wait()

    def is_ready(self) -> bool:
        """Return whether payloads can arrive: connected, greeted, and the last pong is recent enough."""
        session = self.current_session
        is_open = session is not None and not session.closed and not self.closed
        return is_open and self._greeted.is_set() and not self.gone.is_set() and not self._misses_pongs()

    def _misses_pongs(self) -> bool:
        last = self.last_ping_pong_time
        if last != self._last_pong:
            self._last_pong, self._pong_at = last, self._monotonic()
        # By our own clock, because the wall clock may be changed between a ping and its pong.
        return last is not None and self._monotonic() - self._pong_at >= MISSED_PINGS * self.ping_interval

    async def is_ping_pong_failing(self) -> bool:
        """Tell the client's own monitor the same."""
        return self._misses_pongs()

    async def run_message_listeners(self, message: dict[str, Any], raw_message: str) -> None:
        """Note what Slack says about the connection itself; pass the rest on."""
        if message.get("type") == "hello":
            self._greeted.set()
        elif message.get("type") == "disconnect":
            self.reason = str(message.get("reason") or "")
        await super().run_message_listeners(message, raw_message)

    async def connect_to_new_endpoint(self, force: bool = False) -> None:
        """Ask for another connection. With ``force`` Slack announced the end; otherwise it has come."""
        self.ending.set()
        if not force:
            self.gone.set()

    async def end(self) -> None:
        """Close it, and end all of its tasks."""
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
