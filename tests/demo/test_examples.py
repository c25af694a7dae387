"""Tests of every command in the documentation: with the demonstration's seeds, it does what the page says.

The commands of a page are played in order, by a person who has linked all their accounts.
"""

import re
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from playground import sphere
from playground.demo.kept import Kept
from playground.demo.people import seeds
from playground.demo.stage import _connections, write_connections
from playground.harness import Clock
from tests.project.repository import ROOT, named
from tests.rigs.connections import load_connections
from tests.rigs.scenario.workbench import WorkbenchWorld

#: Pages without commands to type here: prose, measurements, and a package that ``test_lagoon.py`` tests.
OTHERS = {"messages", "performance", "provider-api"}
PAGES = (
    "README.md",
    "playground/demo/welcome.py",
    *(named(path) for path in sorted((ROOT / "docs").glob("*.md")) if path.stem not in OTHERS),
)
#: Matches a command on its own line, perhaps followed by what it does, or between backticks.
SHOWN = re.compile(r"(?:^ *|`)(/(?:workspace|job)\b[^`\n]*?)(?:`|$|\s{3,})", re.MULTILINE)
#: Matches a word that stands for something of the reader's own.
PLACEHOLDER = re.compile(r"\b[A-Z]{4,}\b")
#: Matches Usher's answers that say it couldn't do what was requested.
REFUSED = re.compile(
    r"\bI (?:don't|didn't|haven't)\b|\bcan't\b|\bThere's no|\bThere are no\b|\bhave no\b|\bThat isn't\b|"
    r"\bYou don't have\b|\bisn't (?:available|running|suspended)|\bLink it and|\bStart it and|"
    r"\?[^?\n]* Type `|^Type `",
    re.MULTILINE,
)
SEEDS = seeds(Kept(b"what the passwords of the test are made of"))
GENERAL, AMIR = "C0GENERAL", "U0AMIR"


def examples(page: str) -> list[str]:
    found = SHOWN.findall((ROOT / page).read_text(encoding="utf-8"))
    return list(dict.fromkeys(one.strip() for one in found if not PLACEHOLDER.search(one)))


class SmallHub:
    """A stand-in for the demonstration's hub, which answers for Olivia as far as commands need it."""

    def __init__(self) -> None:
        names = next(one["servers"] for one in SEEDS["jupyterhub"]["users"] if one["name"] == "olivia")
        stopped = {"pending": None, "ready": False, "stopped": True}
        self._servers = {name: {**stopped, "name": name, "url": f"/user/olivia/{name}/"} for name in names}
        app = web.Application()
        app.router.add_get("/hub/api/", self._version)
        app.router.add_get("/hub/api/user", self._user)
        app.router.add_get("/hub/api/users/olivia", self._user)
        app.router.add_get("/hub/api/users/olivia/shared", self._shared)
        app.router.add_post("/hub/api/users/olivia/tokens", self._token)
        app.router.add_delete("/hub/api/users/olivia/tokens/{id}", self._done)
        app.router.add_post("/hub/api/users/olivia/servers/{name}", self._start)
        app.router.add_delete("/hub/api/users/olivia/servers/{name}", self._done)
        self.server = TestServer(app, host="127.0.0.1")

    async def _version(self, _request):
        return web.json_response({"version": "6.1.1"})

    async def _user(self, _request):
        return web.json_response({"name": "olivia", "token_id": "a1", "servers": self._servers})

    async def _shared(self, _request):
        return web.json_response({"items": [], "_pagination": {"next": None}})

    async def _token(self, _request):
        return web.json_response({"access_token": "granted-token", "token": "minted-token", "id": "a2"})

    async def _start(self, request):
        self._servers[request.match_info["name"]] |= {"pending": "spawn", "stopped": False}
        return web.Response(status=202)

    async def _done(self, _request):
        return web.Response(status=204)


class Demonstration(WorkbenchWorld):
    """The servers and seeds of `make demo`, with a clock that only the test moves."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            folder, {"saturn_seed": SEEDS["saturn"], "posit_seed": SEEDS["posit"], "sign_in": True}
        )
        self.sphere = sphere.build(Clock(self.clock.now), SEEDS["sphere"])
        self.hub = SmallHub()
        tokens = {
            name: {one["name"]: one["token"] for one in SEEDS[server]["users"]}
            for name, server in (("posit", "posit"), ("hub", "jupyterhub"))
        }
        self._options = {**self._options, "tokens": tokens}
        self._sphere_url = self._hub_url = ""

    def connections(self):
        """Read the connections from the demonstration's own file."""
        hub = {
            "url": self._hub_url,
            "credentials": {"api_url": self._hub_url, "oauth_client_secret": "the client's"},
        }
        posit = {"url": self.posit_url, "credentials": self.posit.credentials}
        courses = {"url": self._sphere_url, "credentials": self.sphere.credentials}
        text = _connections({"url": self.saturn_url}, hub, posit, courses)
        return load_connections(write_connections(self.folder, text))

    @asynccontextmanager
    async def running(self):
        async with (
            TestServer(self.sphere.app, host="127.0.0.1") as courses,
            self.hub.server as hub,
        ):
            self._sphere_url, self._hub_url = (str(one.make_url("")).rstrip("/") for one in (courses, hub))
            async with super().running():
                for connection in ("saturn", "posit", "hub"):
                    await self.alice.has_linked("olivia", connection)
                yield self

    async def answers(self, user: str, text: str) -> str:
        """Type a command in a channel, and return its effect: an answer, a form, or a card and its button."""
        before = {shown.ts for shown in self.person(user).sees(GENERAL)}
        assert (await self.slack.say(user, GENERAL, text.replace("@colleague", f"<@{AMIR}>")))["ok"], text
        await self.settle()
        form = self.slack.form(user)
        if form is not None:
            await self.slack.close_view(user)
            return form.title
        came = [shown for shown in self.person(user).sees(GENERAL) if shown.ts not in before]
        if came and came[-1].labels and " card " in text:
            came += await self.person(user).presses(came[-1], came[-1].labels[0])
        return "\n".join(shown.text for shown in came)


def refused(said: str) -> bool:
    return not said or REFUSED.search(said) is not None


#: Pages whose commands are played in order, by a new person for each page. On other pages, each command is
#: played on its own.
STORIES = ("README.md", "docs/tutorial.md", "docs/commands.md", "docs/classes.md")


@pytest.mark.parametrize(
    "pages", [(page,) for page in STORIES] + [sorted({*PAGES} - {*STORIES})], ids=lambda pages: pages[0]
)
async def test_every_command_that_is_shown_can_be_done(pages, tmp_path):
    async with Demonstration(tmp_path).running() as demo:
        said = {}
        for text in dict.fromkeys(text for page in pages for text in examples(page)):
            said[text] = await demo.answers(AMIR if " about " in text else demo.alice.id, text)
            # Commands that come after a job was started are about a job that is still running.
            await demo.pass_time(15 if text.startswith("/workspace") else 1, step=5)
        assert [f"{text}: {one}" for text, one in said.items() if refused(one)] == []


async def test_what_can_not_be_done_is_noticed(tmp_path):
    wrong = ("start zzz", "card saturn/zzz", "open notebook", "remove report", "fly", "new nowhere")
    async with Demonstration(tmp_path).running() as demo:
        for text in (*(f"/workspace {one}" for one in wrong), "/job run saturn zzz", "/job stop trian.R"):
            said = await demo.answers(demo.alice.id, text)
            assert refused(said), said


async def test_the_end_that_a_provider_sets_is_shown_warned_of_and_moved(tmp_path):
    """Play the tutorial: the workspace's row, the warning, and *Open*, which counts as use."""
    async with Demonstration(tmp_path).running() as demo:
        alice = demo.alice
        await demo.slack.say(alice.id, GENERAL, "/workspace new courses")
        await demo.settle()
        project = next(one.id for one in demo.sphere.state.projects.values() if one.name == "Data analysis")
        await demo.slack.fill(alice.id, {"field:template": project, "field:name": "figures"})
        await demo.slack.submit(alice.id)
        await demo.pass_time(40)
        assert "*figures* is ready." in alice.only("ready").text
        (machine,) = demo.sphere.state.workspaces.values()
        shown = (await alice.types("status figures")).text
        assert "Stops by itself at" in shown
        (end,) = re.findall(r"Stops by itself at <!date\^(\d+)\^", (await alice.types("list")).text)
        assert abs(int(end) - machine.phase_since - 7 * 60) <= 2
        await demo.pass_time(120, step=5)
        warning = alice.only("workspace_expiry")
        assert "Courses stops *figures* in 5 min" in warning.text
        assert "Open" in warning.labels
        machine.enter(demo.clock.now())
        await demo.pass_time(360, step=10)
        assert machine.phase == "running"
        await demo.pass_time(240, step=10)
        assert machine.phase == "stopped"
        assert "was stopped later" in alice.only("ready").text
