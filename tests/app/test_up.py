"""From an empty folder and a wheel to the first workspace, in one conversation: ``usher up``."""

import asyncio
import os
import re
import signal
import sys
import time
import zipfile
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from playground.demo.browser import Browser
from playground.demo.person import Person, labels, spoken
from playground.harness import Clock
from playground.posit import build
from playground.processes import reserved_port
from playground.slack import SlackServer
from tests.playground.posit_help import SEED
from tests.playground.slack_help import AMIR, OLIVIA, slack
from tests.project.builds import USHER, built, one
from tests.rigs.strangers import stranger

#: Steps of a session at the local Workbench, in seconds.
QUICK = {"resuming_seconds": 0.1, "pending_seconds": 0.1, "starting_seconds": 0.1}
ADDRESS = re.compile(r"http://localhost:\d+/link/\S{43}")
CODE = re.compile(r"<code>([A-Z0-9]{4}-[A-Z0-9]{4})</code>")


class Colleague(Person):
    """Be the person in Slack: do what Usher's messages offer."""

    async def shown(self, part):
        return await self.wait_for("@bot", lambda message: part in spoken(message), part, 30.0)

    async def starts(self, url, name):
        """Link the account that waits at an address, by a code, and start a workspace."""
        hello = await self.shown("type the code that the link page shows you")
        async with Browser() as browser:
            seen = await browser.submit(await browser.get(url))
        await self.press("@bot", hello, "enter_code")
        form = await self.form_when(lambda form: bool(form["fields"]), "the form", 20.0)
        await self.fill(form["fields"][0], CODE.search(seen.source)[1])
        await self.submit()
        await self.shown("is linked")
        await self.say("@bot", f"start {name}")
        return await self.wait_for("@bot", lambda message: bool(labels(message, "open_url")), "ready", 60.0)


@dataclass(frozen=True)
class LocalServices:
    """Hold the local Slack, the Workbench's address, and who sets Usher up."""

    slack: SlackServer
    posit: str
    person: Colleague

    @property
    def answers(self):
        """Return what is answered to each question."""
        given = self.slack.credentials
        return [f"posit {self.posit}", "a1", "", given["bot_token"], given["app_token"], OLIVIA]

    @asynccontextmanager
    async def rival(self):
        """Hold a connection to Slack with the same app, as another Usher does."""
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


@asynccontextmanager
async def local_services():
    """Run a local Slack, a Workbench, and a person."""
    async with AsyncExitStack() as stack:
        local, _client = await stack.enter_async_context(slack(clock=Clock(time.time)))
        posit = build(clock=Clock(), seed={**SEED, "settings": QUICK})
        server = await stack.enter_async_context(TestServer(posit.app, host="127.0.0.1"))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        person = Colleague(session, local.credentials["api_url"].removesuffix("/api/"), OLIVIA, "Olivia")
        yield LocalServices(local, str(server.make_url("")).rstrip("/"), person)


class Typist:
    """Type into the command as a person at a terminal does, who reads nothing but what it prints."""

    def __init__(self, process):
        self._process = process
        self.read = ""

    async def sees(self, part):
        """Read on until there is this, and return what was read since the last time."""
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
    """Run the installed command in a folder, with nothing set but where the local Slack is."""
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(installed), **settings}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-c", USHER, *words),
        cwd=folder,
        env=env,
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


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Install the wheel into an empty folder: nothing of the checkout is there."""
    folder = tmp_path_factory.mktemp("wheel")
    with zipfile.ZipFile(one(built(folder, 100), ".whl")) as wheel:
        wheel.extractall(folder / "installed")
    return folder / "installed"


async def test_five_answers_from_an_empty_folder_to_the_first_workspace(installed, tmp_path):
    async with local_services() as made, usher(installed, tmp_path, "up", **made.env) as (process, typist):
        # Whoever sets Usher up is written to, not whoever else is named.
        made.slack.state.groups["S0ADMINS"] = {AMIR, OLIVIA}
        for answer in [*made.answers[:-1], f"{OLIVIA}, S0ADMINS"]:
            await typist.sees(": ")
            await typist.types(answer)
        said = await typist.sees("The log is usher.log.")
        assert "Workspaces: analysis (running), notes (running), asleep (suspended)" in typist.read
        await made.person.starts(ADDRESS.search(said)[0], "asleep")
        said = await typist.sees("Ctrl+C")
        assert "Your workspace is ready." in said
        for what in ("an https address", "keys apart", "backups", "a machine that stays on"):
            assert (
                f"warn for a team, {what}: {'on the same disk' if what == 'backups' else 'not yet'}" in said
            )
        process.send_signal(signal.SIGINT)
        await process.wait()
    assert process.returncode == 0
    # What is usual is in the log, for its owner alone, and not among the sentences.
    log = tmp_path / "usher.log"
    assert log.stat().st_mode & 0o777 == 0o600
    assert "drained" in log.read_text(encoding="utf-8")
    assert "drained" not in typist.read


async def test_ctrl_c_ends_the_question_for_a_token_at_once(installed, tmp_path):
    async with stranger("jupyterhub") as server, usher(installed, tmp_path, "up") as (process, typist):
        await typist.types(f"jupyterhub {server.url}")
        await typist.sees("(Enter to link later, in Slack): ")
        while process.returncode is None:
            # One that comes just before the answer is read is heard with the next.
            process.send_signal(signal.SIGINT)
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), 5)
        await typist.sees("run it again to go on")
        assert process.returncode == 1


async def test_everything_goes_wrong_once_and_the_workspace_is_ready_all_the_same(installed, tmp_path):
    """Wrong answers, an address that nothing serves, an interruption, and another Usher with the same app."""
    async with local_services() as made:
        provider, token, browsers, *slack_answers = made.answers
        env, gone = made.env, f"http://127.0.0.1:{reserved_port()}"
        async with usher(installed, tmp_path, "up", **env) as (process, typist):
            await typist.types(f"posit {gone}", provider, "wrong", token, gone, browsers, "xoxb-wrong")
            process.stdin.close()
            said = await typist.sees("run it again to go on")
            await process.wait()
        assert process.returncode == 1
        for remedy in ("whether this machine can reach it", "though Usher runs here", "invalid_auth"):
            assert remedy in said
        async with AsyncExitStack() as other, usher(installed, tmp_path, "up", **env) as (_, typist):
            await typist.types(token, *slack_answers[:-1])
            await typist.sees("Socket Mode can be opened")
            await other.enter_async_context(made.rival())
            await typist.types(slack_answers[-1])
            said = await typist.sees("give it its own app")
            assert "Slack counts more connections of this app than this Usher has (1 more)." in said
            assert "Where are your workspaces?" not in typist.read
            await other.aclose()
            await made.person.starts(ADDRESS.search(typist.read)[0], "asleep")
            await typist.sees("Your workspace is ready.")
