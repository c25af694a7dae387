"""The main story at real hubs of each release in use: linking, creating, stopping, unlinking."""

import asyncio
import re

import pytest
import pytest_asyncio

from playground.demo.browser import Browser
from playground.jupyterhub import start
from playground.processes import reserved_port
from tests.playground.hub_help import client
from tests.rigs.hubs import find_python, list_params
from tests.rigs.scenario import world

pytestmark = pytest.mark.asyncio(loop_scope="module")

TEMPLATES = [
    {"name": "small", "title": "Small", "options": {"pause": 0.1}},
    {"name": "gpu", "title": "With a GPU", "options": {"pause": 0.1, "display_name": "GPU of the day"}},
    {"name": "broken", "title": "Broken", "options": {"fail": True}},
]
CHANNEL = "C0GENERAL"


@pytest.fixture(scope="module")
def port():
    """Return the port to which the hub redirects people after they have signed in."""
    return reserved_port()


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=list_params("hub-story"))
async def hub(request, port):
    seed = {
        "users": [{"name": name, "servers": ["training"]} for name in ("alice", "bob")],
        "pause_seconds": 0.3,
        "named_server_limit": 0,
        "oauth_redirect_uri": f"http://127.0.0.1:{port}/link/back/hub",
        "python": find_python(request.param),
    }
    async with start(light=True, seed=seed) as running:
        assert running.version.startswith(f"{request.param}.")
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def live(hub, port, tmp_path, request):
    """A world that runs in real time. If the fixture's parameter is true, people sign in at the hub."""
    signs_in = bool(getattr(request, "param", False))
    connection = {
        "name": "hub",
        "provider": "jupyterhub",
        "title": "Team hub",
        "linking": ["token"],
        "base_url": hub.api_url,
        "public_url": hub.url,
        "templates": TEMPLATES,
    }
    options = {"live": True}
    if signs_in:
        connection["client_secret"] = hub.oauth_client_secret
        options |= {"sign_in": True, "port": port}
    tokens = {name: told["token"] for name, told in hub.users.items()}
    async with world(tmp_path, connections={"hub": connection}, tokens={"hub": tokens}, **options) as ready:
        ready.watch.secrets |= {*tokens.values(), hub.oauth_client_secret}
        yield ready
    assert hub.harness.violations == []


async def tokens_of(api, who):
    """Return a user's tokens that Usher created, and those that its sign-in was granted."""
    _, told, _ = await api.call("GET", f"/users/{who}/tokens", who=who)
    return [one for one in told["api_tokens"] if one["note"] == "Usher" or "usher" in one["oauth_client"]]


async def servers_of(api, who):
    _, told, _ = await api.call("GET", f"/users/{who}?include_stopped_servers=1", who=who)
    return told["servers"]


async def until(world, found, seconds=30.0):
    assert await world.slack.state.wait_for(found, seconds), [one.text for one in world.alice.sees()]


async def opens_form(world):
    assert (await world.slack.say(world.alice.id, CHANNEL, "/workspace new hub"))["ok"]
    await until(world, lambda: "field:template" in str(world.alice.modal()))
    return world.slack.form(world.alice.id)


async def sends(world, **values):
    """Fill in the form and send it. Return Slack's response."""
    for name, value in values.items():
        await world.slack.fill(world.alice.id, {f"field:{name}": value})
    return await world.slack.submit(world.alice.id)


def proposed(form):
    return form.field("field:name").value


async def test_from_a_token_to_a_server_of_ones_own_and_back(live, hub):
    alice = live.alice
    async with client(hub) as api:
        await alice.links("alice", "hub")
        # The pasted token may be deleted now, because Usher has created its own.
        assert len(await tokens_of(api, "alice")) == 1
        await alice.writes("list")
        seen = re.compile(r"\*training\* · [^\n]*\nStopped")
        await until(live, lambda: any(seen.search(one.text) for one in alice.sees()))

        form = await opens_form(live)
        assert (await sends(live, template="gpu", name="lab"))["response_action"] == "clear"
        ready = await alice.waits_for("ready")
        assert "*lab* is ready." in ready.text
        assert ready.address("Open").startswith(f"{hub.url}/user/alice/lab/")
        lab = (await servers_of(api, "alice"))["lab"]
        assert lab["user_options"] == TEMPLATES[1]["options"]

        # While the offer is cached, names in use are neither proposed nor accepted.
        form = await opens_form(live)
        assert proposed(form) not in {"lab", "training"}
        answer = await sends(live, template="small", name="lab")
        assert "You already have a server with that name" in str(answer["errors"])
        # A server of that name is created elsewhere between the form and the call.
        await api.call("POST", "/users/alice/servers/late", who="alice", json={"pause": 0.1, "by": "hand"})
        assert (await sends(live, template="small", name="late"))["response_action"] == "clear"
        failed = await alice.waits_for("failed")
        assert "There's already a workspace with that name. Choose another name." in failed.text
        assert (await servers_of(api, "alice"))["late"]["user_options"] == {"pause": 0.1, "by": "hand"}

        await alice.presses(ready, "Stop")
        await alice.waits_for("stopped", "*lab*")
        assert (await servers_of(api, "alice"))["lab"]["user_options"] == lab["user_options"]

        await opens_form(live)
        await sends(live, template="broken", name="bad")
        failed = await alice.waits_for("failed", "*bad*")
        assert "couldn't get the image that it's started from" in failed.text
        await alice.presses(failed, "Try again")
        # It now counts as the person's own server, which Usher starts again.
        await alice.waits_for("failed", "I couldn't start *bad*")

        await alice.presses(alice.only("linked"), "Unlink")
        await alice.waits_for("unlinked")
        for _ in range(50):
            if not await tokens_of(api, "alice"):
                break
            await asyncio.sleep(0.1)
        assert await tokens_of(api, "alice") == []
        assert (await api.call("GET", "/user", who="alice"))[0] == 200


@pytest.mark.parametrize("live", [True], indirect=True, ids=["sign-in"])
async def test_from_signing_in_at_the_hub_to_a_started_server(live, hub):
    alice = live.alice
    async with client(hub) as api, Browser() as browser:
        _, address = await alice.invited("hub")
        page = await browser.get(address)
        page = await browser.get(page.link("/sign-in"))
        page = await browser.get(page.link(f"as={alice.id}"))
        page = await browser.submit(page, username="bob", password=hub.users["bob"]["password"])
        assert "Is this right?" in page.text
        page = await browser.submit(page)
        assert "Team hub is linked as bob." in page.text
        live.watch.may_read(alice.id, "bob")
        await alice.waits_for("linked")
        (own,) = await tokens_of(api, "bob")
        assert own["note"] == "Usher"

        await alice.writes("start training")
        ready = await alice.waits_for("ready")
        assert ready.address("Open").startswith(f"{hub.url}/user/bob/training/")
        await alice.presses(ready, "Stop")
        await alice.waits_for("stopped")
        assert "unlinked from" in (await alice.types("unlink hub --yes")).text
        for _ in range(50):
            if not await tokens_of(api, "bob"):
                break
            await asyncio.sleep(0.1)
        assert await tokens_of(api, "bob") == []
