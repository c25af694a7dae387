"""The local Slack's page in a browser, for the tests of it."""

from contextlib import asynccontextmanager

from playground.slack import manifest
from tests.playground.browser import Browser
from tests.playground.slack_help import GENERAL, OLIVIA, recorded, slack

COMMANDS = [
    {"command": "/job", "description": "Run jobs", "usage_hint": "list | run"},
    {"command": "/workspace", "description": "Start workspaces", "usage_hint": "start NAME"},
]
MANIFEST = {
    "display_information": {"name": "Usher"},
    "features": {"slash_commands": COMMANDS, "app_home": {"messages_tab_enabled": True}},
    "oauth_config": {"scopes": {"bot": ["chat:write", "files:write"]}},
    "settings": {"socket_mode_enabled": True},
}
FOCUS = "document.activeElement"
CURRENT = "document.querySelector('.place.current').textContent"
MODAL = "document.getElementById('modal').open"


def words(selector: str) -> str:
    """Return a JavaScript expression for the text of all elements that match a selector."""
    return f"[...document.querySelectorAll(`{selector}`)].map((one) => one.textContent).join('|')"


class SlackPage:
    """Olivia's browser tab, with the server and the app behind it."""

    def __init__(self, server, client, app, browser: Browser) -> None:
        self.server, self.client, self.app, self.browser = server, client, app, browser

    async def open(self, channel: str = GENERAL) -> None:
        await self.browser.open(f"{self.server.state.base_url}/?as={OLIVIA}&channel={channel}")
        await self.browser.until("document.querySelector('.place.current')")

    async def focus(self, selector: str) -> None:
        await self.browser.ask(f"document.querySelector(`{selector}`).focus()")

    async def click(self, selector: str) -> None:
        await self.browser.ask(f"document.querySelector(`{selector}`).click()")

    async def text(self, selector: str) -> str:
        return str(await self.browser.ask(words(selector)))

    def unread(self) -> int:
        """Return how many messages Olivia has not read."""
        return sum(one["unread"] for one in self.server.sees(OLIVIA)["channels"])


@asynccontextmanager
async def slack_page():
    """Open the page, and finally check that it logged no errors and contacted only this machine."""
    async with slack(clock=None) as (server, client), recorded(server) as app:
        manifest.apply(server.state, MANIFEST)
        async with Browser.started() as browser:
            yield SlackPage(server, client, app, browser)
            assert browser.complaints == []
            assert browser.hosts == {"127.0.0.1"}
