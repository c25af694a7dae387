"""A workspace is only reported as ready when people can use it, with its address, page and agent."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from usher_coder.local import SEED, LocalCoder

from bot.providers.jupyterhub import JupyterHub
from bot.support.errors import UntrustedCertificate
from playground.faults import fault_from
from playground.harness import Clock
from tests.rigs.scenario import ID, World

READ = rf"GET /api/workspaces/{ID['training']}$"
WITHOUT = [{"op": "add", "path": "/url", "value": None}]


def with_address(url):
    return [{"op": "add", "path": "/url", "value": url}]


def addresses(person):
    """Return the addresses behind all *Open* buttons that the person sees now, in order."""
    return [button["url"] for shown in person.sees() for button in shown.buttons("Open") if "url" in button]


@pytest.mark.parametrize("address", [None, ""], ids=["null", "empty"])
async def test_late_address_comes_with_ready(linked, address):
    """Saturn Cloud reports *running* without an address at first, and with one ten seconds later."""
    linked.saturn_fails(READ, times=None, patch=with_address(address))
    await linked.alice.writes("start training")
    await linked.pass_time(25, step=1)
    assert not linked.alice.told("ready")
    linked.heal()
    await linked.pass_time(15, step=1)
    [url] = addresses(linked.alice)
    assert linked.alice.only("ready").address("Open") == url
    await linked.pass_time(600, step=5)
    assert addresses(linked.alice) == [url]
    assert not linked.alice.told("ready_link")


async def test_address_after_the_patience_is_handed_over_once(linked):
    linked.saturn_fails(READ, times=None, patch=WITHOUT)
    await linked.alice.writes("start training")
    await linked.pass_time(100, step=1)
    assert "didn't give me a link" in linked.alice.only("ready").text
    asked = linked.calls(READ, linked.saturn)
    await linked.pass_time(100, step=1)
    assert 8 <= linked.calls(READ, linked.saturn) - asked <= 10
    linked.heal()
    await linked.pass_time(20, step=1)
    handed = linked.alice.only("ready_link")
    assert "🟢 *training* can be opened now." in handed.text
    assert addresses(linked.alice) == [handed.address("Open")]
    await linked.pass_time(900, step=5)
    assert linked.alice.only("ready_link") == handed
    assert len(linked.alice.told("ready")) == 1


async def test_changed_address_is_handed_over_once(linked):
    await linked.alice.writes("start training")
    await linked.pass_time(30, step=1)
    old = linked.alice.only("ready").address("Open")
    linked.saturn_fails(READ, times=None, patch=with_address(f"{old}/elsewhere"))
    await linked.pass_time(900, step=5)
    handed = linked.alice.only("ready_link")
    assert addresses(linked.alice) == [handed.address("Open")] == [f"{old}/elsewhere"]


class SmallHub:
    """A hub with one server of Alice's, which takes 95 seconds to start.

    Its page answers with ``page_status``.
    """

    def __init__(self, clock):
        self.clock, self.started_at, self.page_status, self.pages = clock, None, 200, 0
        self.app = web.Application()
        self.app.router.add_get("/hub/api/users/alice", self.user)
        self.app.router.add_post("/hub/api/users/alice/servers/lab", self.start)
        self.app.router.add_get("/hub/api/users/alice/servers/lab/progress", self.progress)
        self.app.router.add_get("/user/alice/lab/api/status", self.page)

    @property
    def is_ready(self):
        return self.started_at is not None and self.clock.now() >= self.started_at + 95

    async def user(self, _request):
        started = self.started_at and datetime.fromtimestamp(self.started_at, UTC).isoformat()
        pending = "spawn" if started and not self.is_ready else None
        server = {"name": "lab", "ready": self.is_ready, "pending": pending, "started": started}
        return web.json_response({"name": "alice", "servers": {"lab": server | {"url": "/user/alice/lab/"}}})

    async def start(self, _request):
        self.started_at = self.clock.now()
        return web.Response(status=202)

    async def progress(self, _request):
        return web.Response(status=404)

    async def page(self, request):
        self.pages += 1
        if not self.page_status:
            request.transport.abort()
        return web.Response(status=self.page_status)


@asynccontextmanager
async def beside(folder, server, **connection):
    """Run the bot with a server of another kind, at which Olivia has linked her account."""

    connections = {}

    class Beside(World):
        def __init__(self):
            token = "aLiCe12345-0123456789abcdefABCDEF"
            super().__init__(folder, {"tokens": {"there": {"alice": token}}, "connections": connections})
            self.server = server(Clock(self.clock.now))

    made = Beside()
    async with TestServer(made.server.app, host="127.0.0.1") as listening:
        url = str(listening.make_url("")).rstrip("/")
        there = {"name": "there", "linking": ["token"], "base_url": url, **connection}
        connections["there"] = there
        async with made.running() as ready:
            await ready.alice.has_linked("alice", "there")
            yield ready


@pytest.fixture
async def hub(tmp_path):
    async with beside(tmp_path, SmallHub, provider="jupyterhub", title="Team hub") as ready:
        yield ready


@pytest.mark.parametrize("status", [503, 404, 500])
async def test_page_that_fails_after_a_long_start_delays_ready(hub, status):
    """The hub reports *ready* after 95 seconds, and the page answers ten seconds later."""
    hub.server.page_status = status
    await hub.alice.writes("start lab")
    await hub.pass_time(103, step=1)
    assert hub.server.is_ready
    assert not hub.alice.told("ready")
    hub.server.page_status = 200
    await hub.pass_time(5, step=1)
    assert hub.alice.only("ready").address("Open").endswith("/user/alice/lab/")
    pages = hub.server.pages
    await hub.pass_time(600, step=5)
    assert hub.server.pages == pages, "such a request may count as use of the server"


@pytest.mark.parametrize("status", [404, 0], ids=["not Jupyter", "out of reach"])
async def test_page_that_never_answers_is_ready_after_the_patience(hub, status):
    hub.server.page_status = status
    await hub.alice.writes("start lab")
    await hub.pass_time(122, step=1)
    assert not hub.alice.told("ready")
    await hub.pass_time(10, step=1)
    ready = hub.alice.only("ready")
    assert "*lab* is ready." in ready.text
    assert ready.labels[:1] == ["Open"]
    await hub.pass_time(600, step=5)
    assert hub.alice.only("ready").labels == ready.labels


async def test_open_says_that_the_page_of_what_runs_does_not_answer(hub):
    await hub.alice.writes("start lab")
    await hub.pass_time(130, step=1)
    assert hub.alice.only("ready")
    pages = hub.server.pages
    hub.server.page_status = 503
    await hub.alice.writes("open lab")
    await hub.pass_time(5, step=1)
    answer = (await hub.alice.writes("open lab"))[-1]
    assert "The server doesn't answer yet." in answer.text
    assert "Open" in answer.labels
    assert hub.server.pages > pages
    hub.server.page_status = 200
    await hub.pass_time(700, step=5)
    assert "answer yet" not in (await hub.alice.writes("open lab"))[-1].text


async def test_start_that_was_ready_without_its_page_says_so_when_opened(hub):
    hub.server.page_status = 503
    await hub.alice.writes("start lab")
    await hub.pass_time(150, step=1)
    assert hub.alice.only("ready")
    answer = (await hub.alice.writes("open lab"))[-1]
    assert "answer yet" in answer.text


async def test_page_whose_certificate_is_not_trusted_is_said_as_that(hub, monkeypatch):
    async def check_page(_self, _access, _remote_id, _seen):
        raise UntrustedCertificate("the server's certificate is not trusted: self-signed certificate")

    monkeypatch.setattr(JupyterHub, "check_page", check_page)
    await hub.alice.writes("start lab")
    await hub.pass_time(150, step=1)
    assert "the certificate there isn't trusted here" in (await hub.alice.writes("open lab"))[-1].text


@pytest.fixture
async def coder(tmp_path, monkeypatch):
    info = tmp_path / "usher_coder-0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: usher-coder\nVersion: 0\n")
    (info / "entry_points.txt").write_text("[usher.providers]\ncoder = usher_coder:Coder\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    of_coder = {"provider": "coder", "from": "usher-coder", "title": "Coder"}
    async with beside(tmp_path, lambda clock: LocalCoder(clock, SEED), **of_coder) as ready:
        yield ready


async def test_address_of_an_ide_names_its_workspace(linked):
    await linked.alice.writes("start training")
    await linked.pass_time(40, step=1)
    opened = linked.alice.only("ready").address("Open")
    assert "|training>*" in (await linked.alice.writes(f"status {opened}"))[-1].text


async def test_addresses_of_a_page_name_its_workspace(coder):
    await coder.alice.writes("start training")
    await coder.pass_time(60, step=1)
    opened = coder.alice.only("ready").address("Open")
    page = opened.partition("/@")[0] + "/@alice/training"
    for address in (opened, page, f"{page}/builds/1"):
        answer = (await coder.alice.writes(f"status {address}"))[-1]
        assert "|training>*" in answer.text
        assert "can't find" not in answer.text
    await coder.alice.writes("stop training")
    await coder.pass_time(60, step=1)
    assert "*training*" in (await coder.alice.writes(f"status {page}"))[-1].text


AGENT = "/latest_build/resources/1/agents/0"


def spoil_agent(world, **given):
    """Make Coder report wrong values for the agent, until ``heal``."""
    patch = [{"op": "replace", "path": f"{AGENT}/{path}", "value": value} for path, value in given.items()]
    faults = {"path": "GET /api/v2/workspaces/[0-9a-f-]{36}$", "times": None, "patch": patch, "name": "agent"}
    world.server.harness.faults.append(fault_from(faults))


async def test_lost_agent_after_a_start_is_told_in_place_of_ready(coder):
    await coder.alice.writes("start training")
    await coder.pass_time(20, step=1)
    spoil_agent(coder, status="disconnected", lifecycle_state="ready", **{"apps/1/health": "healthy"})
    await coder.pass_time(50, step=1)
    assert not coder.alice.told("ready")
    await coder.pass_time(60, step=1)
    told = coder.alice.only("ready")
    assert "*training* is running. It can't be used right now. Its agent has lost its" in told.text
    assert "is ready" not in told.text
    assert "Stop" in told.labels
    assert "Open" not in told.labels
    for said in ("status training", "open training"):
        answer = (await coder.alice.writes(said))[-1]
        assert "Its agent has lost its connection." in answer.text
        assert "is ready" not in answer.text
    coder.server.harness.faults.clear()
    await coder.pass_time(30, step=1)
    assert coder.alice.only("ready_link").labels[0] == "Open"
    await coder.pass_time(900, step=5)
    assert len(coder.alice.told("ready_link")) == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param({"status": "disconnected"}, "Its agent has lost its connection.", id="disconnected"),
        pytest.param({"status": "timeout"}, "Its agent hasn't connected in time.", id="timeout"),
        pytest.param({"lifecycle_state": "off"}, "Its agent is off.", id="off"),
        pytest.param({"lifecycle_state": "shutting_down"}, "Its agent is shutting down.", id="shutting down"),
        pytest.param({"apps/1/health": "unhealthy"}, "Its app isn't healthy.", id="unhealthy"),
    ],
)
async def test_card_says_what_a_running_workspace_lost(coder, given, said):
    await coder.alice.writes("start training")
    await coder.pass_time(60, step=1)
    ready = coder.alice.only("ready")
    spoil_agent(coder, **given)
    await coder.alice.writes("status training")
    await coder.pass_time(20, step=1)
    shown = (await coder.alice.writes("status training"))[-1]
    assert said in shown.text
    assert "Stop" in shown.labels
    assert "Open" not in shown.labels
    coder.server.harness.faults.clear()
    await coder.pass_time(60, step=1)
    assert coder.alice.only("ready").labels == ready.labels, "a short loss is no news"
    assert not coder.alice.told("ready_link")


@pytest.mark.parametrize(
    ("matched", "said"),
    [
        ({"count": 0, "available": 0}, "No provisioner there can build it. Ask your Coder admin."),
        ({"count": 2, "available": 0}, "What could build it is away at the moment."),
    ],
    ids=["none", "away"],
)
async def test_card_says_that_nothing_can_build_it(coder, matched, said):
    patch = [
        {"op": "replace", "path": "/latest_build/status", "value": "pending"},
        {"op": "replace", "path": "/latest_build/job/queue_position", "value": 0},
        {"op": "add", "path": "/latest_build/matched_provisioners", "value": matched},
    ]
    await coder.alice.writes("start training")
    faults = {"path": "GET /api/v2/workspaces/[0-9a-f-]{36}$", "times": None, "patch": patch}
    coder.server.harness.faults.append(fault_from(faults))
    await coder.pass_time(90, step=1)
    assert said in coder.alice.card.text
