"""A real Chromium, driven over HTTP by chromedriver (W3C WebDriver): the few verbs that tests need."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tests.support.ports import quiet_port

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


def is_installed() -> bool:
    """Say whether there is a Chromium and its driver."""
    return shutil.which("chromedriver") is not None and shutil.which("chromium") is not None


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
        return [entry["message"] for entry in await self.call("POST", "/se/log", {"type": "browser"})]

    async def _find(self, css: str) -> str:
        found = await self.call("POST", "/element", {"using": "css selector", "value": css})
        return str(found[_ELEMENT])


@asynccontextmanager
async def chromium() -> AsyncIterator[Chromium]:
    """Run a driver and one browser with a profile of its own; both end with the block."""
    port = quiet_port()
    with tempfile.TemporaryDirectory() as profile:
        driver = await asyncio.create_subprocess_exec(
            "chromedriver",
            f"--port={port}",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
                base = f"http://127.0.0.1:{port}"
                await _until_ready(session, base)
                options = {"args": [*_ARGUMENTS, f"--user-data-dir={profile}"]}
                wanted = {
                    "goog:chromeOptions": options,
                    "goog:loggingPrefs": {"browser": "ALL"},
                    # A page that follows a press may not be there yet when it is looked for.
                    "timeouts": {"implicit": 10_000},
                }
                async with session.post(
                    base + "/session", json={"capabilities": {"alwaysMatch": wanted}}
                ) as made:
                    answer = (await made.json())["value"]
                    assert made.status == 200, answer
                window = Chromium(session, f"{base}/session/{answer['sessionId']}")
                try:
                    yield window
                finally:
                    await window.call("DELETE", "")
        finally:
            driver.terminate()
            await driver.wait()


async def _until_ready(session: aiohttp.ClientSession, base: str) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                async with session.get(base + "/status") as response:
                    if (await response.json())["value"]["ready"]:
                        return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)
