"""Browser tests of the panel on the demonstration's page: traffic, switches, a class, a killed bot."""

import asyncio
import json
from collections.abc import Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer
from cryptography.fernet import Fernet

from playground import posit, saturn, slack, sphere
from playground.demo import lesson
from playground.demo.backstage import backstage
from playground.demo.switches import PROVIDERS, SLACK
from playground.demo.usher import Usher, start_usher, wait_for_usher
from playground.faults import fault_from
from playground.harness import Harness
from playground.jupyterhub import forwarder
from playground.processes import bot_environment, reserved_port
from playground.slack import SlackServer
from playground.sphere.workspaces import Workspace
from tests.playground.browser import Browser
from tests.playground.served import refuses_strangers
from tests.playground.slack_axe import judge

TRAINING, OLIVIA = "C0TRAINING", "U0OLIVIA"
SERVERS = (*PROVIDERS, SLACK)
#: Workspaces of the project *Slow* don't start until the test lets them.
PROJECTS = {"Python basics": 1.0, "Slow": 1e6}
#: For each server, a request to its API, and a request that starts something.
CALLS = {
    "saturn": ("/api/user", "POST /api/workspaces/0f/start"),
    "hub": ("/hub/api/users/olivia", "POST /hub/api/users/olivia/servers/training"),
    "posit": ("/api/version", "POST /api/launch_session"),
    "sphere": ("/api/v1/test", "POST /api/v1/workspaces"),
    "slack": ("/api/auth.test", ""),
}


@pytest.mark.parametrize("server", SERVERS, ids=lambda one: one.name)
def test_each_switch_is_a_fault_of_calls_alone(server):
    call, start = CALLS[server.name]
    for switch in server.switches:
        fault = fault_from(dict(switch.fault))
        listed = fault.as_values()
        assert [one.name for one in server.switches if one.is_set(listed)] == [switch.name]
        assert bool(fault.path.search(f"GET {call}")) == (switch.name != "slow-act")
        assert fault.path.search(start or f"POST {call}")
        for control in ("GET /_playground/stats", "POST /_page/say", "GET /"):
            assert not fault.path.search(control)


@dataclass(slots=True)
class Small:
    """A small demonstration without a hub: the servers run in the test's process, and the bot in its own."""

    slack: SlackServer
    sphere: sphere.SphereServer
    saturn: saturn.SaturnServer
    harnesses: dict[str, Harness]
    urls: dict[str, str]
    usher: Usher
    address: str
    session: aiohttp.ClientSession


@asynccontextmanager
async def small_stage(folder: Path):
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        local = slack.build()
        projects = [{"name": name, "start_seconds": seconds} for name, seconds in PROJECTS.items()]
        servers: dict[str, Any] = {
            "saturn": saturn.build(),
            "posit": posit.build(),
            "sphere": sphere.build(seed={"projects": projects}),
        }
        harnesses = {name: made.harness for name, made in servers.items()}
        harnesses |= {"slack": local.harness, "hub": Harness()}
        apps = {name: made.app for name, made in servers.items()}
        apps["hub"] = forwarder.build("http://127.0.0.1:1", session, harnesses["hub"], 0)
        urls = {"slack": await stack.enter_async_context(local.running())}
        for name, app in apps.items():
            served = await stack.enter_async_context(TestServer(app, host="127.0.0.1"))
            urls[name] = str(served.make_url("")).rstrip("/")
        connections, port = folder / "connections.toml", reserved_port()
        connections.touch(mode=0o600)
        connections.write_text(
            '[connections.courses]\nprovider = "sphere"\ntitle = "Courses"\nlinking = ["none"]\n'
            f"base_url = {json.dumps(urls['sphere'])}\n"
            f"access_token = {json.dumps(servers['sphere'].credentials['access_token'])}\n"
        )
        key, database = Fernet.generate_key().decode(), f"sqlite:///{folder / 'usher.db'}"
        environment = bot_environment(local.credentials, port, database, key, connections)
        url = f"http://127.0.0.1:{port}"
        child = await start_usher(folder, environment)
        stack.push_async_callback(child.stop)
        await wait_for_usher(child, url)
        local.state.app.request_url = f"{url}/slack/events"
        usher = Usher(child, url, folder, environment)
        address = await stack.enter_async_context(backstage(urls, usher))
        async with session.post(f"{urls['slack']}/_playground/backstage", json={"address": address}) as told:
            assert told.status == 200
        yield Small(local, servers["sphere"], servers["saturn"], harnesses, urls, usher, address, session)


class Panel:
    """A person who uses the panel."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser

    async def press(self, label: str, section: str = "Inspect") -> None:
        """Click a button in a section of the panel."""
        buttons = f"document.querySelectorAll('[aria-label=\"{section}\"] button')"
        await self.browser.until(
            f"[...{buttons}].some((one) => one.textContent === '{label}' && !one.disabled)"
        )
        await self.browser.ask(f"[...{buttons}].find((one) => one.textContent === '{label}').click()")

    async def shows(self, section: str, label: str, value: str) -> None:
        """Wait until a section of the panel shows a value."""
        facts = f"document.querySelectorAll('[aria-label=\"{section}\"] dl > div')"
        await self.browser.until(f"[...{facts}].some((one) => one.innerText === '{label}\\n{value}')")

    async def is_on(self, section: str, labels: list[str]) -> None:
        """Wait until exactly these switches of a server are on."""
        on = f"document.querySelectorAll('[aria-label=\"{section}\"] .switch[aria-pressed=true]')"
        await self.browser.until(
            f"JSON.stringify([...{on}].map((one) => one.textContent)) === '{json.dumps(labels)}'"
        )


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(120):
        while not holds():  # noqa: ASYNC110 - the bot is a process of its own: nothing tells of what it does
            await asyncio.sleep(0.05)


@pytest.mark.browser
@pytest.mark.thorough
@pytest.mark.timeout(300)
async def test_whatever_is_switched_on_is_seen_and_survived(tmp_path):
    async with small_stage(tmp_path) as small, Browser.started() as browser:
        await refuses_strangers(small.address, "/_playground/state")
        panel = Panel(browser)
        await browser.open(f"{small.urls['slack']}/?as={OLIVIA}&channel={TRAINING}")
        await browser.until("document.querySelector('#panel-button') && document.activeElement.id === 'text'")
        await browser.ask("document.querySelector('#panel-button').click()")
        await traffic_of_a_command(small, browser)
        assert await judge(browser) == []
        await panel.press("Servers and faults")
        assert await judge(browser) == []
        await every_switch(small, panel)
        made = await begins_to_start(small)
        await class_of_100(small, panel)
        await killed_while_it_starts(small, panel, made)
        assert browser.complaints == []


async def traffic_of_a_command(small: Small, browser: Browser) -> None:
    command = "/workspace card courses/Python basics --title Lesson"
    await browser.ask(f"document.getElementById('text').value = '{command}'")
    await browser.ask("document.getElementById('composer').requestSubmit()")
    row = "[...document.querySelectorAll('.exchanges summary')].find((one) => one.textContent.includes('{}'))"
    posted = row.format("chat.postMessage")
    await browser.until(posted)
    shown = await browser.ask(f"{row.format(command)}.innerText")
    assert all(part in shown for part in ("Slack → Usher", "200 · ", " ms", "Olivia Osei"))
    await browser.ask(f"{posted}.click()")
    await browser.until("document.querySelectorAll('.exchange pre').length === 2")
    asked = await browser.ask("document.querySelector('.exchange pre').textContent")
    assert "Authorization: (hidden)" in asked
    assert "Lesson" in asked


async def every_switch(small: Small, panel: Panel) -> None:
    """Switch on each fault of each server, and check that a request meets it."""
    for server in SERVERS:
        harness, call = small.harnesses[server.name], small.urls[server.name] + CALLS[server.name][0]
        for switch in server.switches:
            await panel.press(switch.label, server.title)
            await panel.is_on(server.title, [switch.label])
            (fault,) = harness.faults
            if fault.status is not None:
                async with small.session.get(call) as answer:
                    assert answer.status == int(switch.name)
                    assert answer.headers.get("Retry-After") == ("5" if switch.name == "429" else None)
        assert harness.faults_given >= sum(switch.name.isdigit() for switch in server.switches)
    # With *Slow to act*, the server accepts a start, but doesn't carry it out yet.
    await panel.press("Slow to act", "Saturn Cloud")
    await panel.is_on("Saturn Cloud", ["Slow to act"])
    alice = small.saturn.credentials["users"]["alice"]
    notebook = small.saturn.state.resources[alice["workspaces"]["notebook"]]
    url = f"{small.urls['saturn']}/api/workspaces/{notebook.id}/start"
    async with small.session.post(url, headers={"Authorization": f"token {alice['token']}"}) as answer:
        assert answer.status == 200
    harness = small.harnesses["saturn"]
    assert (harness.coming, notebook.status(harness.clock.now())) == (1, "stopped")
    await panel.press("All off")
    for server in SERVERS:
        await panel.is_on(server.title, [])
        assert small.harnesses[server.name].faults == []
    await panel.shows("Saturn Cloud", "Starts", "1")


async def begins_to_start(small: Small) -> Workspace:
    """Have Olivia start a workspace that keeps starting, and return it once the bot has read it."""
    await small.slack.say(OLIVIA, TRAINING, "/workspace card courses/Slow --title Slow")
    cards: list[dict[str, Any]] = []

    def is_posted() -> bool:
        cards[:] = [
            one for one in small.slack.seen(OLIVIA, TRAINING) if "*Slow*" in json.dumps(one["blocks"])
        ]
        return bool(cards) and "class_press" in json.dumps(cards[-1]["blocks"])

    await eventually(is_posted)
    assert (await small.slack.press(OLIVIA, TRAINING, cards[-1]["ts"], "class_press"))["ok"]
    await eventually(lambda: small.harnesses["sphere"].starts == 1)
    await eventually(lambda: bool(small.sphere.state.workspaces))
    (made,) = small.sphere.state.workspaces.values()
    await eventually(lambda: small.harnesses["sphere"].requests[f"GET /api/v1/workspaces/{made.id}"] > 0)
    return made


async def class_of_100(small: Small, panel: Panel) -> None:
    await panel.press("Let 100 people press", "A class of 100")
    await panel.shows("A class of 100", "Pressed", "100")
    crowd = [f"U0CLASS{number:04}" for number in range(1, 101)]
    await eventually(lambda: all("is ready" in str(small.slack.crowd.heard(user)) for user in crowd))
    for label in ("Acknowledged", "Ready", "Told once"):
        await panel.shows("A class of 100", label, "100")
    await panel.shows("A class of 100", "Told more than once", "0")
    assert [len(small.slack.crowd.heard(user)) for user in crowd] == [1] * 100
    assert small.harnesses["sphere"].starts == 101
    gap = small.harnesses["sphere"].smallest_gap
    assert gap is None or gap >= 5.0


async def killed_while_it_starts(small: Small, panel: Panel, made: Workspace) -> None:
    """Kill the bot while the provider starts a workspace.

    The owner still gets the workspace, and is notified once.
    """
    before = small.usher.child.pid

    def ready() -> list[str]:
        return [one["text"] for one in small.slack.seen(OLIVIA) if "is ready" in one["text"]]

    await panel.press("Kill and restart Usher", "Usher")
    await panel.shows("Usher", "Kills", "1")
    assert not small.usher.child.has_ended
    await eventually(lambda: small.usher.away is not None)
    await panel.shows("Usher", "State", f"Running (process {small.usher.child.pid})")
    assert small.usher.child.pid != before
    assert ready() == []
    made.start_seconds = 0.0
    await eventually(lambda: bool(ready()))
    assert len(ready()) == 1
    assert small.harnesses["sphere"].starts == 101


@pytest.mark.parametrize(
    ("now", "begins"),
    [
        ("10:00:00", "10:02"),
        ("10:00:50", "10:02"),
        ("23:27:50", "23:29"),
        ("23:28:00", "00:00"),
        ("23:59:50", "00:01"),
    ],
)
def test_a_lesson_begins_within_two_minutes_and_ends_on_its_day(now, begins):
    at = lesson.next_begin(datetime.fromisoformat(f"2026-11-25T{now}").replace(tzinfo=lesson.ZONE))
    assert f"{at:%H:%M}" == begins


@pytest.mark.thorough
@pytest.mark.timeout(300)
async def test_each_press_posts_a_course_whose_lesson_comes_soon(tmp_path, monkeypatch):
    monkeypatch.setattr(lesson, "AHEAD", timedelta(seconds=20))
    now = datetime.now(lesson.ZONE)
    if lesson.next_begin(now + timedelta(minutes=3)) - now > timedelta(minutes=5):
        pytest.skip("a lesson that began now would end tomorrow, so the next one begins at midnight")
    async with small_stage(tmp_path) as small:

        def find_cards() -> list[dict[str, Any]]:
            shown = small.slack.seen(OLIVIA, TRAINING)
            return [one for one in shown if "class_press" in json.dumps(one["blocks"])]

        def told() -> int:
            ready = "Python lessons is starting, and your workspace is ready."
            return sum(ready in one["text"] for one in small.slack.seen(OLIVIA))

        async def press() -> None:
            async with small.session.post(f"{small.address}/_playground/lesson", json={}) as answer:
                assert answer.status == 200

        for number in (1, 2):
            await press()
            await eventually(lambda number=number: len(find_cards()) == number)
            assert (await small.slack.press(OLIVIA, TRAINING, find_cards()[-1]["ts"], "class_press"))["ok"]
            await eventually(lambda number=number: told() == number)
        assert small.harnesses["sphere"].starts == 1
