"""Two Slack workspaces behind one address, in which an administrator installs Usher by OAuth."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from typing import Any, Final

import aiohttp
from yarl import URL

from bot.slack.manifest import http_manifest
from playground.harness import Clock
from playground.processes import StageError
from playground.slack import SlackWorkspaces, manifest

#: The two workspaces. Their people have the same ids.
TEAMS: Final = {"T0ACME": "Acme Research", "T0BETA": "Beta Labs"}
#: A placeholder for the bot's address in the manifest.
_STAND_IN: Final = "https://usher.example.test"
_INSTALL: Final = re.compile(r'href="([^"]+/oauth/v2/authorize[^"]+)"')


def slack_workspaces(seeds: Mapping[str, Mapping[str, Any]], bot_url: str) -> SlackWorkspaces:
    """Create the workspaces from their seeds, for an app configured by Usher's manifest."""
    teams = {team: {"id": team, "domain": team[2:].lower(), "name": name} for team, name in TEAMS.items()}
    made = SlackWorkspaces([{**seed, "team": teams[team]} for team, seed in seeds.items()], Clock())
    told = http_manifest(_STAND_IN, by_oauth=True)
    for member in made.members:
        manifest.apply(member.state, told)
        app = member.state.app
        app.redirect_urls = [url.replace(_STAND_IN, bot_url) for url in app.redirect_urls]
        app.request_url = str(app.request_url).replace(_STAND_IN, bot_url)
    return made


def by_oauth(given: Mapping[str, Any]) -> dict[str, str]:
    """Return the settings that a bot installed by OAuth needs besides the usual ones without a token."""
    return {
        "SLACK_CLIENT_ID": given["client_id"],
        "SLACK_CLIENT_SECRET": given["client_secret"],
        "USHER_SLACK_WORKSPACES": ",".join(TEAMS),
    }


def administrators(user: str) -> str:
    """Return the setting that makes the person with this id an administrator in each workspace."""
    return ",".join(f"{team}:{user}" for team in TEAMS)


async def install(bot_url: str, team: str, user: str) -> None:
    """Install Usher in a workspace with a browser, as an administrator would. Raises StageError."""
    jar = aiohttp.CookieJar(unsafe=True, treat_as_secure_origin=URL(bot_url))
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        async with session.get(f"{bot_url}/slack/install", params={"team": team}) as page:
            found = _INSTALL.search(await page.text())
        if found is None:
            raise StageError(f"the page that installs Usher answered {page.status}")
        async with session.get(URL(f"{unescape(found[1])}&as={user}", encoded=True)) as done:
            if done.status != 200:
                raise StageError(f"Usher was not installed in {team}: {done.status}")
