"""A headless Chromium, driven over its own debugging protocol."""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

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


#: Keys that do something, with their codes on a keyboard.
KEYS = {
    "Tab": 9, "Enter": 13, "Escape": 27, "PageUp": 33, "PageDown": 34, "End": 35, "Home": 36,
    "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40,
}  # fmt: skip
MODIFIERS = {"Alt": 1, "Control": 2, "Shift": 8}
#: What shows that something went wrong within the page.
_COMPLAINTS = ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled")


class Browser:
    """One tab; what its console complains of is kept, and which hosts it asked."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.complaints: list[str] = []
        self.hosts: set[str | None] = set()
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
                    for domain in ("Runtime", "Log", "Page", "Network"):
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
            self._note(told.get("method"), told.get("params", {}))
            if told.get("id") == number:
                return dict(told.get("result", {}))

    def _note(self, method: str | None, told: dict[str, Any]) -> None:
        if method in _COMPLAINTS:
            self.complaints.append(json.dumps(told)[:400])
        asked = told if method == "Network.webSocketCreated" else told.get("request", {})
        url = urlsplit(asked.get("url", "data:"))
        if url.scheme not in ("data", "blob"):
            self.hosts.add(url.hostname)

    async def press(self, *keys: str) -> None:
        """Press keys one after the other, each by its name, perhaps after modifiers: ``Control+k``."""
        for key in keys:
            *modifiers, name = key.split("+")
            code = KEYS.get(name, ord(name[0].upper()))
            held = sum(MODIFIERS[one] for one in modifiers)
            told = {"key": name, "windowsVirtualKeyCode": code, "modifiers": held}
            text = {"text": "\r"} if name == "Enter" else {}
            await self.tell("Input.dispatchKeyEvent", type="keyDown", **told, **text)
            await self.tell("Input.dispatchKeyEvent", type="keyUp", **told)

    async def type(self, text: str) -> None:
        """Type a text where the focus is."""
        await self.tell("Input.insertText", text=text)

    async def screen(self, width: int, height: int) -> None:
        """Give the page another size."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        await self.tell("Emulation.setDeviceMetricsOverride", **size)

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
