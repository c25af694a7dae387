"""A real Chromium, driven over HTTP by chromedriver (W3C WebDriver): the few verbs that tests need."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.request import Request, urlopen

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from playground.processes import reserved_port
from tests.rigs import shared

#: What an element is called in answers of the protocol.
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
_ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--no-proxy-server",
]


@asynccontextmanager
async def elsewhere(
    html: str, host: str = "127.0.0.1", content_type: str = "text/html"
) -> AsyncIterator[TestServer]:
    """Serve a page, or a file, of somebody else's."""

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text=html, content_type=content_type)

    app = web.Application()
    app.router.add_get("/", page)
    async with TestServer(app, host=host) as server:
        yield server


class Chromium:
    """Look, type and press in one window."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self._session = session
        self._base = base

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        """Send one command; raises AssertionError with the driver's own words."""
        async with self._session.request(method, self._base + path, json=body) as response:
            value = (await response.json())["value"]
            assert response.status == 200, value
            return value

    async def go(self, url: str) -> None:
        await self.call("POST", "/url", {"url": url})

    async def url(self) -> str:
        return str(await self.call("GET", "/url"))

    async def text(self, css: str = "body") -> str:
        return str(await self.call("GET", f"/element/{await self._find(css)}/text"))

    async def type(self, css: str, text: str) -> None:
        await self.call("POST", f"/element/{await self._find(css)}/value", {"text": text})

    async def press(self, css: str) -> None:
        await self.call("POST", f"/element/{await self._find(css)}/click", {})

    async def console(self) -> list[str]:
        """Return what the browser complained about since the last time, such as its policy."""
        said = [entry["message"] for entry in await self.call("POST", "/se/log", {"type": "browser"})]
        # The browser's own first page complains of a slow network.
        return [line for line in said if not line.startswith("chrome://")]

    async def complains(self, of: str) -> None:
        """Wait, ten seconds at most, until the browser complains of this."""
        async with asyncio.timeout(10):
            while not any(of in line for line in await self.console()):
                pass

    async def script(self, code: str, *given: Any) -> Any:
        """Run a function's body in the page and return what it returns; a promise is waited for."""
        wrapped = f"return (async function () {{ {code} }}).apply(null, arguments)"
        return await self.call("POST", "/execute/sync", {"script": wrapped, "args": list(given)})

    async def shows(self, words: str) -> None:
        """Wait, ten seconds at most, until an element that can be seen holds these words."""
        visible = "not(self::script) and not(ancestor-or-self::*[@hidden])"
        xpath = f'//*[{visible} and contains(text(), "{words}")]'
        await self.call("POST", "/element", {"using": "xpath", "value": xpath})

    async def into_frame(self) -> None:
        found = await self.call("POST", "/element", {"using": "css selector", "value": "iframe"})
        await self.call("POST", "/frame", {"id": found})

    async def out_of_frame(self) -> None:
        await self.call("POST", "/frame", {"id": None})

    async def back(self) -> None:
        await self.call("POST", "/back", {})

    async def cookies(self) -> dict[str, dict[str, Any]]:
        """Return the cookies of the page by name."""
        return {cookie["name"]: cookie for cookie in await self.call("GET", "/cookie")}

    async def looks_like(self, width: int, height: int, *, dark: bool) -> None:
        """Be a screen of this size (CSS pixels), of somebody who likes it dark or light."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        await self.devtools("Emulation.setDeviceMetricsOverride", size)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        await self.devtools("Emulation.setEmulatedMedia", {"features": scheme})

    async def picture(self) -> bytes:
        """Return what is to be seen as a PNG."""
        return base64.b64decode(await self.call("GET", "/screenshot"))

    async def devtools(self, command: str, told: dict[str, Any] | None = None) -> Any:
        return await self.call("POST", "/goog/cdp/execute", {"cmd": command, "params": told or {}})

    async def _find(self, css: str) -> str:
        found = await self.call("POST", "/element", {"using": "css selector", "value": css})
        return str(found[_ELEMENT])


#: Where the one browser listens that all tests of this process share, once it runs.
_sessions: list[str] = []


@asynccontextmanager
async def chromium() -> AsyncIterator[Chromium]:
    """Open a window in the browser that all tests share; it knows nothing of what any did before."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
        if not _sessions:
            _sessions.append(await _started(session))
        window = Chromium(session, _sessions[0])
        former = await window.call("GET", "/window/handles")
        new = (await window.call("POST", "/window/new", {"type": "tab"}))["handle"]
        for handle in former:
            await window.call("POST", "/window", {"handle": handle})
            await window.call("DELETE", "/window")
        await window.call("POST", "/window", {"handle": new})
        for what in ("Cookies", "Cache"):
            await window.devtools(f"Network.clearBrowser{what}")
        # A page that follows a press may not be there yet when it is looked for.
        await window.call("POST", "/timeouts", {"implicit": 10_000})
        await window.console()
        yield window


async def _started(session: aiohttp.ClientSession) -> str:
    port = reserved_port()
    shared.started("chromedriver", f"--port={port}")
    base = f"http://127.0.0.1:{port}"
    await _until_ready(session, base)
    arguments = [*_ARGUMENTS, f"--user-data-dir={shared.folder('usher-chromium-')}"]
    wanted = {"goog:chromeOptions": {"args": arguments}, "goog:loggingPrefs": {"browser": "ALL"}}
    async with session.post(f"{base}/session", json={"capabilities": {"alwaysMatch": wanted}}) as made:
        answer = (await made.json())["value"]
        assert made.status == 200, answer
    base += f"/session/{answer['sessionId']}"
    # A browser outlives its driver, unless it is told to end.
    shared.at_end(lambda: urlopen(Request(base, method="DELETE")).close())
    return base


async def _until_ready(session: aiohttp.ClientSession, base: str) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                async with session.get(base + "/status") as response:
                    if (await response.json())["value"]["ready"]:
                        return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)
