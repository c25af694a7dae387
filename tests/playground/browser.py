"""A headless Chromium, driven over its own debugging protocol."""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
    "--window-size=1200,800",
)


def chromium() -> str | None:
    """Return the path of a Chromium or Chrome, if there is one."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Browser:
    """One tab; what its console complains of is kept."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.complaints: list[str] = []
        self._socket = socket
        self._numbers = itertools.count(1)

    @classmethod
    @asynccontextmanager
    async def started(cls, profile: Path) -> AsyncIterator[Browser]:
        """Start a browser with a profile of its own and end it afterwards."""
        process = await asyncio.create_subprocess_exec(
            chromium() or "chromium",
            *OPTIONS,
            f"--user-data-dir={profile}",
            "about:blank",
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            assert process.stderr is not None
            line = b""
            while b"DevTools listening on" not in line:
                line = await process.stderr.readline()
                assert line, "the browser did not start"
            port = line.decode().split("ws://127.0.0.1:")[1].split("/")[0]
            drain = asyncio.create_task(process.stderr.read())
            async with aiohttp.ClientSession() as session:
                async with session.get(f"http://127.0.0.1:{port}/json") as response:
                    tab = next(one for one in await response.json() if one["type"] == "page")
                async with session.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                    browser = cls(socket)
                    for domain in ("Runtime", "Log", "Page"):
                        await browser.tell(f"{domain}.enable")
                    yield browser
            drain.cancel()
        finally:
            process.terminate()
            await process.wait()

    async def tell(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send one command and return its result."""
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        while True:
            told = json.loads((await self._socket.receive()).data)
            if told.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded"):
                self.complaints.append(json.dumps(told["params"])[:400])
            if told.get("id") == number:
                return dict(told.get("result", {}))

    async def open(self, url: str) -> None:
        """Go to an address."""
        await self.tell("Page.navigate", url=url)

    async def ask(self, expression: str) -> Any:
        """Evaluate an expression in the page."""
        told = await self.tell(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        return told.get("result", {}).get("value")

    async def until(self, expression: str) -> None:
        """Wait in the page until an expression holds, looking again with every frame; 20 s at most."""
        script = (
            "new Promise((done, fail) => {const end = Date.now() + 20000; const look = () => { try { if ("
            + expression
            + ") return done(true); } catch {} if (Date.now() > end) return fail(new Error('too late')); "
            "setTimeout(look, 30); }; look(); })"
        )
        assert await self.ask(script) is True, f"never: {expression}"
