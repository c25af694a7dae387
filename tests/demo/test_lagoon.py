"""The example of docs/provider-api.md to its end: the package is named, and its Lagoon opens from Slack.

Everything runs in processes of its own, with the machine's clock: this takes about twenty seconds.
"""

import asyncio
import os
import tomllib
from contextlib import AsyncExitStack

import aiohttp
import pytest

from playground.demo.guests import invited
from playground.demo.people import NAMES
from playground.demo.person import Person
from playground.demo.stage import _connection, _seeded, environment_of, manifest_of, register
from playground.demo.story import Provider, Story
from playground.demo.usher import start_usher, wait_for_usher
from playground.processes import ready_line, reserved_port, start_child
from tests.project.repository import ROOT

LAGOON = ROOT / "providers/usher-lagoon"


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Install the package as pip does, by what its pyproject.toml says."""
    project = tomllib.loads((LAGOON / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    info = tmp_path / "site" / f"usher_lagoon-{project['version']}.dist-info"
    info.mkdir(parents=True)
    name = f"Name: {project['name']}\nVersion: {project['version']}\n"
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\n{name}")
    groups = (
        f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in found.items())
        for group, found in project["entry-points"].items()
    )
    (info / "entry_points.txt").write_text("\n".join(groups))
    for folder in (LAGOON, info.parent):
        monkeypatch.syspath_prepend(folder)
    paths = (str(info.parent), str(LAGOON), os.environ.get("PYTHONPATH", ""))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))


async def test_lagoon_opens_from_slack(installed, tmp_path):
    (guest,) = invited(["usher-lagoon"], NAMES.values())
    tokens = guest.seed["tokens"]

    async def log_in(browser, account):
        name, token = account
        await browser.submit(
            await browser.get(f"{lagoon['url']}{guest.sign_in}"), username=name, password=token
        )

    async with AsyncExitStack() as stack:
        children = [
            await start_child("slack", ["playground", "slack", "--port", "0"], tmp_path),
            await start_child(
                "lagoon", [guest.module, "--port", "0", *_seeded(tmp_path, "lagoon", guest.seed)], tmp_path
            ),
        ]
        for child in children:
            stack.push_async_callback(child.stop)
        slack, lagoon = await asyncio.gather(*map(ready_line, children))
        port = reserved_port()
        url = f"http://127.0.0.1:{port}"
        environment = environment_of(tmp_path, slack, _connection(guest, lagoon["url"]), port)
        bot = await start_usher(tmp_path, environment)
        stack.push_async_callback(bot.stop)
        await wait_for_usher(bot, url)
        await register(slack["url"], url, await manifest_of(environment))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        told = []
        await Story(Person(session, slack["url"], "U0OLIVIA", "Olivia"), told.append).play(
            Provider(
                connection=guest.name,
                title=guest.title,
                first_words="/workspace start lagoon-olivia",
                then_words="",
                token=tokens["olivia"],
                workspace="lagoon-olivia",
                owner=("olivia", tokens["olivia"]),
                other=("chen", tokens["chen"]),
                log_in=log_in,
                opened="The IDE of lagoon-olivia",
            )
        )
    assert "   olivia's browser shows /ide/lagoon-olivia: The IDE of lagoon-olivia" in told
    assert tokens["olivia"] not in (tmp_path / "usher.log").read_text() + "\n".join(told)
