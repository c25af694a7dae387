"""What a person needs to set Usher up: an installed wheel, a terminal, a local Slack and a local provider."""

import asyncio
import os
import re
import subprocess
import sys
import sysconfig
import time
import venv
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from aiohttp.test_utils import TestServer

from playground.demo.browser import Browser
from playground.demo.person import Person, buttons, label, labels, spoken
from playground.harness import Clock
from playground.posit import PositServer, build
from playground.processes import reserved_port
from playground.slack import SlackServer
from tests.playground.posit_help import SEED
from tests.playground.slack_help import OLIVIA, slack
from tests.project.builds import built, one

#: Seconds that each step of a session takes at the local Workbench.
QUICK = {"resuming_seconds": 0.1, "pending_seconds": 0.1, "starting_seconds": 0.1}
ADDRESS = re.compile(r"http://localhost:\d+/link/\S{43}")
CODE = re.compile(r"<code>([A-Z0-9]{4}-[A-Z0-9]{4})</code>")


def install(folder):
    """Install the wheel into its own environment, and return the path of its command.

    Nothing is downloaded: the packages that Usher depends on come from the tests' environment.
    """
    wheel = one(built(folder, 100), ".whl")
    venv.create(folder / "env")
    python = folder / "env/bin/python"
    options = ["--quiet", "--offline", "--no-deps", "--python", python]
    subprocess.run([Path(sys.executable).with_name("uv"), "pip", "install", *options, wheel], check=True)
    (packages,) = folder.glob("env/lib/*/site-packages")
    (packages / "tests.pth").write_text(sysconfig.get_path("purelib"))
    return folder / "env/bin/usher"


class Colleague(Person):
    """A person in Slack who follows what Usher's messages offer."""

    async def shown(self, part):
        return await self.wait_for("@bot", lambda message: part in spoken(message), part, 30.0)

    async def links(self, url):
        """Link the account that waits at an address, by typing a code."""
        hello = await self.shown("type the code that the link page shows you")
        async with Browser() as browser:
            seen = await browser.submit(await browser.get(url))
        await self._enters(hello, seen)

    async def links_with(self, token):
        """Ask for a link, and paste a token into the link page."""
        await self.say("@bot", "link")
        asked = await self.shown("[Link ")
        (button,) = (one for one in buttons(asked) if label(one).startswith("Link "))
        await self.press("@bot", asked, button["action_id"])
        page = await self.shown("Enter code")
        (url,) = (one["url"] for one in buttons(page) if "/link/" in one.get("url", ""))
        async with Browser() as browser:
            seen = await browser.submit(await browser.get(url), token=token)
            seen = await browser.submit(seen)
        await self._enters(page, seen)

    async def _enters(self, message, seen):
        await self.press("@bot", message, "enter_code")
        form = await self.form_when(lambda form: bool(form["fields"]), "the form", 20.0)
        await self.fill(form["fields"][0], CODE.search(seen.source)[1])
        await self.submit()
        await self.shown("is linked")

    async def starts(self, name):
        await self.say("@bot", f"start {name}")
        return await self.wait_for("@bot", lambda message: bool(labels(message, "open_url")), "ready", 60.0)


@dataclass(frozen=True)
class LocalServices:
    """The local Slack, the local Workbench with its address, and the person who sets Usher up."""

    slack: SlackServer
    posit: str
    workbench: PositServer
    person: Colleague

    @property
    def answers(self):
        """Return the answers to the questions of ``usher up``, in order."""
        given = self.slack.credentials
        return [f"posit {self.posit}", "a1", "", given["bot_token"], given["app_token"], OLIVIA]

    @asynccontextmanager
    async def rival(self):
        """Open a second connection to Slack with the same app, as another Usher would."""
        given = self.slack.credentials
        headers = {"Authorization": f"Bearer {given['app_token']}"}
        session = self.person.session
        async with session.post(f"{given['api_url']}apps.connections.open", headers=headers) as answer:
            opened = await answer.json()
        async with session.ws_connect(opened["url"]) as connection:
            await connection.receive()
            yield

    @property
    def env(self):
        return {"USHER_SLACK_API_URL": self.slack.credentials["api_url"], "PORT": str(reserved_port())}

    def colleague(self, user, name):
        """Return another person in Slack."""
        return Colleague(self.person.session, self.person.slack_url, user, name)


@asynccontextmanager
async def local_services():
    """Run a local Slack, a Workbench, and a person."""
    async with AsyncExitStack() as stack:
        local, _client = await stack.enter_async_context(slack(clock=Clock(time.time)))
        posit = build(clock=Clock(), seed={**SEED, "settings": QUICK})
        server = await stack.enter_async_context(TestServer(posit.app, host="127.0.0.1"))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        person = Colleague(session, local.credentials["api_url"].removesuffix("/api/"), OLIVIA, "Olivia")
        yield LocalServices(local, str(server.make_url("")).rstrip("/"), posit, person)


class Typist:
    """A person at a terminal, who types into the command and knows only what it prints."""

    def __init__(self, process):
        self._process = process
        self.read = ""

    async def sees(self, part):
        """Read until the output contains the text, and return what was read since the last call."""
        began = len(self.read)
        async with asyncio.timeout(60):
            while part not in self.read[began:]:
                chunk = await self._process.stdout.read(4096)
                assert chunk, self.read
                self.read += chunk.decode()
        return self.read[began:]

    async def types(self, *lines):
        self._process.stdin.write("".join(f"{line}\n" for line in lines).encode())
        await self._process.stdin.drain()


@asynccontextmanager
async def usher(installed, folder, *words, **settings):
    """Run the installed command in a folder, with no settings but the address of the local Slack."""
    process = await asyncio.create_subprocess_exec(
        *(installed, *words),
        cwd=folder,
        env={"PATH": os.environ["PATH"], **settings},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield process, Typist(process)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()
