"""A real Chromium, driven by Selenium with the system's chromedriver: the few actions that tests need.

Selenium blocks while the browser loads, perhaps a page from this process, so each call runs in a thread.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, TypeVar

from aiohttp import web
from aiohttp.test_utils import TestServer
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from tests.rigs import programs, shared

Result = TypeVar("Result")
#: Seconds for the next page to appear after a click.
PATIENCE_SECONDS = 10.0
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
    """Serve one page or file at another origin, as a different website would."""

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text=html, content_type=content_type)

    app = web.Application()
    app.router.add_get("/", page)
    async with TestServer(app, host=host) as server:
        yield server


class Chromium:
    """A browser window, with actions to read, type and click."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    async def do(self, act: Callable[..., Result], *given: Any) -> Result:
        """Run a call of the driver in a thread, while this process serves pages."""
        return await asyncio.to_thread(act, *given)

    async def go(self, url: str) -> None:
        await self.do(self.driver.get, url)

    async def url(self) -> str:
        return await self.do(lambda: self.driver.current_url)

    async def text(self, css: str = "body") -> str:
        return await self.do(lambda: self._find(css).text)

    async def type(self, css: str, text: str) -> None:
        await self.do(lambda: self._find(css).send_keys(text))

    async def press(self, css: str) -> None:
        await self.do(lambda: self._find(css).click())

    async def console(self) -> list[str]:
        """Return the browser's console messages since the last call, such as violations of the policy."""
        said = [entry["message"] for entry in await self.do(self.driver.get_log, "browser")]
        # Chromium's own start page logs an error about a slow network.
        return [line for line in said if not line.startswith("chrome://")]

    async def complains(self, of: str) -> None:
        """Wait up to ten seconds for the text in the browser's console."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not any(of in line for line in await self.console()):
                pass

    async def script(self, code: str, *given: Any) -> Any:
        """Run a function's body in the page and return its result, awaiting a promise."""
        wrapped = f"return (async function () {{ {code} }}).apply(null, arguments)"
        return await self.do(self.driver.execute_script, wrapped, *given)

    async def shows(self, words: str) -> None:
        """Wait up to ten seconds for a visible element that contains the words."""
        visible = "not(self::script) and not(ancestor-or-self::*[@hidden])"
        await self.do(self.driver.find_element, By.XPATH, f'//*[{visible} and contains(text(), "{words}")]')

    async def wait(self, seconds: float) -> None:
        """Set how long later searches for elements wait."""
        await self.do(self.driver.implicitly_wait, seconds)

    async def into_frame(self) -> None:
        await self.do(lambda: self.driver.switch_to.frame(self._find("iframe")))

    async def out_of_frame(self) -> None:
        await self.do(self.driver.switch_to.default_content)

    async def open_tab(self) -> str:
        """Open a tab, switch to it, and return the previous one."""
        former = await self.do(lambda: self.driver.current_window_handle)
        await self.do(self.driver.switch_to.new_window, "tab")
        return former

    async def go_to_tab(self, tab: str) -> None:
        await self.do(self.driver.switch_to.window, tab)

    async def back(self) -> None:
        await self.do(self.driver.back)

    async def reload(self) -> None:
        await self.do(self.driver.refresh)

    async def cookies(self) -> dict[str, dict[str, Any]]:
        """Return the page's cookies by name."""
        return {cookie["name"]: cookie for cookie in await self.do(self.driver.get_cookies)}

    async def looks_like(self, width: int, height: int, *, dark: bool) -> None:
        """Emulate a screen of this size (CSS pixels), with a preference for dark or light."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        await self.devtools("Emulation.setDeviceMetricsOverride", size)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        await self.devtools("Emulation.setEmulatedMedia", {"features": scheme})

    async def picture(self) -> bytes:
        """Return a screenshot as a PNG."""
        return await self.do(self.driver.get_screenshot_as_png)

    async def devtools(self, command: str, told: dict[str, Any] | None = None) -> Any:
        return await self.do(self.driver.execute_cdp_cmd, command, told or {})

    def _find(self, css: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, css)


@asynccontextmanager
async def chromium() -> AsyncIterator[Chromium]:
    """Open a window in the browser that all tests share, without anything left by earlier tests."""
    driver = await asyncio.to_thread(_start)
    window = Chromium(driver)
    await asyncio.to_thread(_renew, driver)
    yield window


def _renew(driver: webdriver.Chrome) -> None:
    former = driver.window_handles
    driver.switch_to.new_window("tab")
    new = driver.current_window_handle
    for handle in former:
        driver.switch_to.window(handle)
        driver.close()
    driver.switch_to.window(new)
    for what in ("Cookies", "Cache"):
        driver.execute_cdp_cmd(f"Network.clearBrowser{what}", {})
    driver.implicitly_wait(PATIENCE_SECONDS)
    driver.get_log("browser")


@cache
def _start() -> webdriver.Chrome:
    options = webdriver.ChromeOptions()
    options.binary_location = programs.find_browser() or ""
    for argument in (*_ARGUMENTS, f"--user-data-dir={shared.folder('usher-chromium-')}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    # The path is given so that Selenium doesn't try to download a driver.
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    # A browser outlives its driver unless the driver quits it.
    shared.at_end(driver.quit)
    return driver
