"""The main story at a real JupyterHub, in real time: opening the IDE, signing in there, and unlinking."""

import re
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio

from playground.demo.browser import Browser
from playground.jupyterhub import start
from playground.processes import reserved_port
from tests.playground.hub_help import client
from tests.rigs.scenario import world
from tests.web.driver import chromium

pytestmark = pytest.mark.asyncio(loop_scope="module")

ACCOUNTS = ("alice", "bob", "grace", "judy")
SEED = {
    "users": [{"name": name, "servers": ["training"]} for name in ACCOUNTS],
    "pause_seconds": 3.2,
}
#: The port to which the hub redirects people after they have signed in.
PORT = reserved_port()
PERCENT = re.compile(r"(\d+)%")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def hub():
    back = f"http://127.0.0.1:{PORT}/link/back/hub"
    async with start(light=True, seed={**SEED, "oauth_redirect_uri": back}) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def live(hub, tmp_path):
    """A world that runs in real time, with a hub in addition to Saturn Cloud."""
    async with beside(hub, tmp_path, live=True) as ready:
        yield ready


@asynccontextmanager
async def beside(hub, folder, **options):
    connection = {
        "name": "hub",
        "provider": "jupyterhub",
        "title": "Team hub",
        "linking": ["token"],
        "base_url": hub.api_url,
        "public_url": hub.url,
    }
    if options.get("sign_in"):
        connection["client_secret"] = hub.oauth_client_secret
        options["port"] = PORT
    tokens = {name: told["token"] for name, told in hub.users.items()}
    async with world(folder, connections={"hub": connection}, tokens={"hub": tokens}, **options) as ready:
        ready.watch.secrets |= {*tokens.values(), hub.oauth_client_secret}
        yield ready
    hub.harness.faults.clear()
    assert hub.harness.violations == []


async def ours(api, who):
    """Return a user's tokens that Usher created."""
    _, told, _ = await api.call("GET", f"/users/{who}/tokens", who=who)
    return [one for one in told["api_tokens"] if one["note"] == "Usher"]


async def visit(hub, account, url):
    """Open an address in a browser that is signed in to the hub."""
    async with Browser() as browser:
        page = await browser.get(f"{hub.url}/hub/login?next=%2Fhub%2Fhome")
        await browser.submit(page, username=account, password=hub.users[account]["password"])
        return await browser.get(url)


async def knows_the_list(world, person):
    """Wait until Usher has listed the person's workspaces, so that the only answer to a start is its card."""
    await person.writes("list")
    listed = "*Your workspaces*"
    await world.slack.state.wait_for(lambda: any(listed in one.text for one in person.sees()), 30.0)


async def test_from_the_link_to_the_ide_and_back(live, hub):
    alice = live.alice
    await alice.links("alice", "hub")
    await knows_the_list(live, alice)
    cards = []
    live.slack.state.listeners.append(lambda *_: cards.extend(alice.told("card")))
    await alice.writes("start training@hub")
    ready = await alice.waits_for("ready")
    assert "*training* is ready." in ready.text
    # A quick start may be ready before its card was ever edited.
    bars = [int(found[1]) for card in cards if (found := PERCENT.search(card.text))]
    assert bars == sorted(bars)
    assert all(bar < 95 for bar in bars)

    url = ready.address("Open")
    assert url.startswith(hub.url)
    page = await visit(hub, "alice", url)
    assert (page.status, "light server of alice" in page.text) == (200, True)
    page = await visit(hub, "bob", url)
    assert page.status in (403, 404)
    assert "light server of alice" not in page.text

    assert await live.slack.state.wait_for(lambda: not alice.told("card"), 30.0)
    await alice.presses(ready, "Stop")
    await alice.waits_for("stopped")
    page = await visit(hub, "alice", url)
    assert "light server" not in page.text


async def test_unlinking_deletes_the_token_at_the_hub_and_ends_what_is_under_way(live, hub):
    alice = live.alice
    async with client(hub) as api:
        await alice.links("grace", "hub")
        assert len(await ours(api, "grace")) == 1
        await knows_the_list(live, alice)
        await alice.writes("start training")
        await alice.waits_for("card", "Starting since")
        await alice.presses(alice.only("linked"), "Unlink")
        await alice.waits_for("unlinked")
        await alice.waits_for("card", "The start of *training* on Team hub was cancelled.")
        for _ in range(50):
            if not await ours(api, "grace"):
                break
            await live.slack.state.wait_for(lambda: False, 0.1)
        assert await ours(api, "grace") == []
        assert (await api.call("GET", "/user", who="grace"))[0] == 200
        await api.call("DELETE", "/users/grace/servers/training", who="grace")
    assert hub.users["grace"]["token"].encode() not in live.stored()


@pytest.mark.browser
async def test_by_mouse_and_keyboard_somebody_signs_in_at_the_hub_and_its_log_out_ends_nothing(hub, tmp_path):
    async with beside(hub, tmp_path, live=True, sign_in=True) as ready, chromium() as window:
        alice = ready.alice
        asked = await alice.types("start training@hub")
        await window.go(asked.address("Link Team hub"))
        await window.shows("Usher shows you both accounts before it links anything.")
        await window.press("a.button.main")
        await window.press(f"a[href*='as={alice.id}']")
        assert await window.console() == []
        await window.type("#username_input", "judy")
        await window.type("#password_input", hub.users["judy"]["password"])
        await window.press("#login_submit")
        await window.shows("Is this right?")
        shown = await window.text("dl.who")
        person = ready.slack.state.people[alice.id].name
        assert [name for name in (person, "Acme Research", "Team hub", "judy") if name not in shown] == []
        await window.console()
        await window.press("form[action='/link/confirm'] button")
        await window.shows("Team hub is linked as judy.")
        ready.watch.may_read(alice.id, "judy")
        assert await window.console() == []
        await window.go(f"http://127.0.0.1:{ready.port}/link")
        await window.shows("This link has already been used")
        done = await alice.waits_for("ready")
        await window.go(f"{hub.url}/hub/logout")
        await alice.presses(done, "Stop")
        await alice.waits_for("stopped")
        async with client(hub) as api:
            (own,) = await ours(api, "judy")
            assert own["expires_at"] is not None
            assert "unlinked from" in (await alice.types("unlink hub --yes")).text
            for _ in range(50):
                if not await ours(api, "judy"):
                    break
                await ready.slack.state.wait_for(lambda: False, 0.1)
            assert await ours(api, "judy") == []
