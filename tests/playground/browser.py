"""A headless Chromium that all tests of a process share, driven over the DevTools protocol."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from subprocess import PIPE
from threading import Thread
from typing import IO, Any
from urllib.parse import urlsplit

import aiohttp

from tests.rigs import programs, shared

OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
)
#: Of a tab (pixels).
SIZE = {"width": 1200, "height": 800}


def chromium() -> str | None:
    """Return the path of a Chromium or Chrome, if there is one."""
    return programs.find_browser()


#: Keys other than characters, with their codes.
KEYS = {
    "Tab": 9, "Enter": 13, "Escape": 27, "PageUp": 33, "PageDown": 34, "End": 35, "Home": 36,
    "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40,
}  # fmt: skip
MODIFIERS = {"Alt": 1, "Control": 2, "Shift": 8}
#: Events of Chromium that show an error in the page.
_COMPLAINTS = ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled")
#: Returns the middle of the element to click, or null if it is missing, disabled or covered.
SPOT = """((selector, text) => {
  const one = [...document.querySelectorAll(selector)].findLast((one) => one.textContent.includes(text));
  if (!one || one.disabled || one.getAttribute("aria-disabled") === "true") return null;
  if (!one.closest("summary")) one.closest("details:not([open])")?.setAttribute("open", "");
  one.scrollIntoView({ block: "nearest", behavior: "instant" });
  const { x, y, width, height } = one.getBoundingClientRect();
  const spot = [x + width / 2, y + height / 2];
  return one.contains(document.elementFromPoint(...spot)) ? spot : null;
})"""
#: The addresses that a page requested before the test was connected to it.
ASKED_BEFORE = "[location.href, ...performance.getEntriesByType('resource').map((one) => one.name)]"
#: How expressions are evaluated.
_ASKED = {"awaitPromise": True, "returnByValue": True, "userGesture": True}


@cache
def _running() -> tuple[str, str]:
    """Start the browser, and return its address and the path of its socket, as it prints them."""
    profile = f"--user-data-dir={shared.folder('usher-chromium-')}"
    process = shared.started(chromium() or "chromium", *OPTIONS, profile, "about:blank", stderr=PIPE)
    assert process.stderr is not None
    line = next((one for one in process.stderr if one.startswith(b"DevTools listening on ")), None)
    assert line is not None, "Chromium doesn't start"
    # Chromium keeps writing, and would block if nobody read its output.
    Thread(target=_hear_out, args=[process.stderr], daemon=True).start()
    address = urlsplit(line.split()[-1].decode())
    return address.netloc, address.path


def _hear_out(said: IO[bytes]) -> None:
    with said:
        deque(said, maxlen=0)


class Tabs:
    """The tabs of one browser, each of which is connected to once."""

    def __init__(self, session: aiohttp.ClientSession, listed: str, stack: AsyncExitStack) -> None:
        self._session = session
        self._listed = listed
        self._stack = stack
        self._reached: set[str] = set()

    async def reach(self, part: str) -> aiohttp.ClientWebSocketResponse:
        """Connect to a new tab, by its id or a part of its address."""
        async with asyncio.timeout(20):
            found = await self._find(part)
            while found is None:
                await asyncio.sleep(0.03)
                found = await self._find(part)
        self._reached.add(found["id"])
        connecting = self._session.ws_connect(found["webSocketDebuggerUrl"], max_msg_size=0)
        return await self._stack.enter_async_context(connecting)

    async def _find(self, part: str) -> dict[str, Any] | None:
        async with self._session.get(self._listed) as response:
            pages = [one for one in await response.json() if one["type"] == "page"]
        new = (one for one in pages if one["id"] not in self._reached)
        return next((one for one in new if part == one["id"] or part in one["url"]), None)


class Browser:
    """One tab, with its console errors and the hosts that it contacted."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, tabs: Tabs) -> None:
        self.complaints: list[str] = []
        self.hosts: set[str | None] = set()
        self._socket = socket
        self._tabs = tabs
        self._numbers = itertools.count(1)

    @classmethod
    @asynccontextmanager
    async def started(cls) -> AsyncIterator[Browser]:
        """Open a tab with its own profile, and finally close all tabs that were opened from it."""
        host, path = await asyncio.to_thread(_running)
        async with aiohttp.ClientSession() as session, AsyncExitStack() as stack:
            tabs = Tabs(session, f"http://{host}/json", stack)
            whole = cls(await stack.enter_async_context(session.ws_connect(f"ws://{host}{path}")), tabs)
            profile = await whole.tell("Target.createBrowserContext")
            try:
                tab = await whole.tell("Target.createTarget", url="about:blank#new", **profile, **SIZE)
                yield await cls._at(tabs, tab["targetId"])
            finally:
                await whole.tell("Target.disposeBrowserContext", **profile)

    @classmethod
    async def _at(cls, tabs: Tabs, part: str) -> Browser:
        browser = cls(await tabs.reach(part), tabs)
        for domain in ("Runtime", "Log", "Page", "Network"):
            await browser.tell(f"{domain}.enable")
        return browser

    async def opened(self, part: str) -> Browser:
        """Return a newly opened tab once its address contains the text, within 20 s."""
        browser = await self._at(self._tabs, part)
        # The list shows the address to which a tab is navigating, before the page is there.
        await browser.until(f"location.href.includes({json.dumps(part)})")
        for url in await browser.ask(ASKED_BEFORE) or ():
            browser._note(None, {"request": {"url": url}})
        return browser

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
        # Chromium's own start page logs an error about a slow network.
        if method in _COMPLAINTS and "chrome://" not in json.dumps(told):
            self.complaints.append(json.dumps(told)[:400])
        asked = told if method == "Network.webSocketCreated" else told.get("request", {})
        url = urlsplit(asked.get("url", "data:"))
        if url.scheme not in ("data", "blob"):
            self.hosts.add(url.hostname)

    async def press(self, *keys: str) -> None:
        """Press keys one after the other, by name, perhaps with modifiers, such as ``Control+k``."""
        for key in keys:
            *modifiers, name = key.split("+")
            code = KEYS.get(name, ord(name[0].upper()))
            held = sum(MODIFIERS[one] for one in modifiers)
            told = {"key": name, "windowsVirtualKeyCode": code, "modifiers": held}
            text = "\r" if name == "Enter" else key if len(key) == 1 else ""
            await self.tell("Input.dispatchKeyEvent", type="keyDown", text=text, **told)
            await self.tell("Input.dispatchKeyEvent", type="keyUp", **told)

    async def click(self, selector: str, text: str = "") -> None:
        """Click the last element that matches a selector and contains a string, once it has stopped moving.

        If the element is in a menu, open the menu first, and again if a redrawn message has closed it.
        """
        await self.tell("Page.bringToFront")
        spot, before = f"{SPOT}({json.dumps(selector)}, {json.dumps(text)})", None
        try:
            async with asyncio.timeout(20):
                while (at := await self.ask(spot)) is None or at != before:
                    before = at
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"nothing to press: {selector} {text}") from None
        where = {"x": at[0], "y": at[1]}
        await self.tell("Input.dispatchMouseEvent", type="mouseMoved", **where)
        for kind in ("mousePressed", "mouseReleased"):
            await self.tell("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **where)

    async def type(self, text: str) -> None:
        """Type text into the focused element."""
        await self.tell("Input.insertText", text=text)

    async def screen(self, width: int, height: int) -> None:
        """Give the page another size."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        await self.tell("Emulation.setDeviceMetricsOverride", **size)

    async def open(self, url: str) -> None:
        """Go to an address."""
        await self.tell("Page.navigate", url=url)

    async def ask(self, expression: str) -> Any:
        """Evaluate an expression in the page, as if the person had just clicked something."""
        told = await self.tell("Runtime.evaluate", expression=expression, **_ASKED)
        return told.get("result", {}).get("value")

    async def until(self, expression: str, seconds: float = 20) -> None:
        """Wait until an expression holds in the page, checking it in every frame."""
        script = (
            f"new Promise((done, fail) => {{const end = Date.now() + {1000 * seconds}; "
            "const look = () => { try { if ("
            + expression
            + ") return done(true); } catch {} if (Date.now() > end) return fail(new Error('too late')); "
            "setTimeout(look, 30); }; look(); })"
        )
        while (held := await self.tell("Runtime.evaluate", expression=script, **_ASKED)) == {}:
            continue  # the page has gone on to another one: look there
        assert held["result"].get("value") is True, f"never: {expression}"
