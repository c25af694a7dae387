"""Two Slack workspaces behind one address, and an administrator who installs Usher in each by OAuth."""

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

#: Their people have the same ids.
TEAMS: Final = {"T0ACME": "Acme Research", "T0BETA": "Beta Labs"}
#: Stands for the bot's address where the manifest is made.
_STAND_IN: Final = "https://usher.example.test"
_INSTALL: Final = re.compile(r'href="([^"]+/oauth/v2/authorize[^"]+)"')


def slack_workspaces(seeds: Mapping[str, Mapping[str, Any]], bot_url: str) -> SlackWorkspaces:
    """Make the workspaces, each with its seed, for an app that is set up as Usher's manifest says."""
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
    """Return the settings of a bot that is installed by OAuth, beside the usual ones without a token."""
    return {
        "SLACK_CLIENT_ID": given["client_id"],
        "SLACK_CLIENT_SECRET": given["client_secret"],
        "USHER_SLACK_WORKSPACES": ",".join(TEAMS),
    }


def administrators(user: str) -> str:
    """Return the setting that makes the same id an administrator in each workspace."""
    return ",".join(f"{team}:{user}" for team in TEAMS)


async def install(bot_url: str, team: str, user: str) -> None:
    """Install Usher in a workspace as its administrator does, with a browser; raises StageError."""
    jar = aiohttp.CookieJar(unsafe=True, treat_as_secure_origin=URL(bot_url))
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        async with session.get(f"{bot_url}/slack/install", params={"team": team}) as page:
            found = _INSTALL.search(await page.text())
        if found is None:
            raise StageError(f"the page that installs Usher answered {page.status}")
        async with session.get(URL(f"{unescape(found[1])}&as={user}", encoded=True)) as done:
            if done.status != 200:
                raise StageError(f"Usher was not installed in {team}: {done.status}")
