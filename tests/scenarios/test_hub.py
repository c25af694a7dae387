"""The main job at a real JupyterHub, in real time: progress, the IDE itself, failures, limits, unlinking."""

import re
import secrets
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio

from bot.domain.forms import Spec
from playground.demo.browser import Browser
from playground.jupyterhub import start
from tests.playground.hub_help import client
from tests.rigs.ports import quiet_port
from tests.rigs.scenario import world
from tests.rigs.scenario.stage import spoil
from tests.web.driver import chromium, is_installed

pytestmark = pytest.mark.asyncio(loop_scope="module")

ACCOUNTS = ("alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi")
SEED = {
    "users": [
        *({"name": name, "servers": ["training", "broken"]} for name in ACCOUNTS),
        *({"name": name, "servers": ["training"]} for name in ("ivan", "judy", "kim")),
    ],
    "pause_seconds": 3.2,
    "named_server_limit": 2,
}
#: Where the hub sends people back to after they signed in there.
PORT = quiet_port()
STEP = re.compile("Waiting for a place|Preparing the home|Starting the server|Waiting until the server")
PERCENT = re.compile(r"(\d+) %")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def hub():
    back = f"http://127.0.0.1:{PORT}/link/back/hub"
    async with start(light=True, seed={**SEED, "oauth_redirect_uri": back}) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def live(hub, tmp_path):
    """A world in real time with a hub beside Saturn Cloud."""
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
    """Return the tokens that Usher has made for somebody."""
    _, told, _ = await api.call("GET", f"/users/{who}/tokens", who=who)
    return [one for one in told["api_tokens"] if one["note"] == "Usher"]


async def visit(hub, account, url):
    """Open an address in a browser in which somebody is signed in at the hub."""
    async with Browser() as browser:
        page = await browser.get(f"{hub.url}/hub/login?next=%2Fhub%2Fhome")
        await browser.submit(page, username=account, password=hub.users[account]["password"])
        return await browser.get(url)


async def test_from_the_link_to_the_ide_and_back(live, hub):
    alice = live.alice
    await alice.links("alice", "hub")
    await alice.types("start training@hub")
    cards = []
    live.slack.state.listeners.append(lambda *_: cards.extend(alice.told("card")))
    await alice.waits_for("card", "Starting (since")
    steps = []
    while not alice.told("ready"):
        steps += STEP.findall((await alice.types("status training@hub")).text)
        await live.slack.state.wait_for(lambda: bool(alice.told("ready")), 0.3)
    assert steps
    ready = await alice.waits_for("ready")
    assert "*training* is ready. To open it, you need to be signed in to Team hub as alice." in ready.text
    bars = [int(found[1]) for card in cards if (found := PERCENT.search(card.text))]
    # A quick start may be ready before its card has moved; the steps above were seen in any case.
    assert bars == sorted(bars)
    assert all(bar < 95 for bar in bars)

    url = ready.address("Open")
    assert url.startswith(hub.url)
    page = await visit(hub, "alice", url)
    assert (page.status, "light server of alice" in page.text) == (200, True)
    page = await visit(hub, "bob", url)
    assert page.status in (403, 404)
    assert "light server of alice" not in page.text

    await alice.waits_for("card", "started at")
    await alice.presses(ready, "Stop")
    await alice.waits_for("stopped")
    page = await visit(hub, "alice", url)
    assert "light server" not in page.text


async def test_a_failed_start_tells_the_reason_that_the_hub_gave(live):
    bob = live.bob
    await bob.links("bob", "hub")
    await bob.types("start broken")
    failed = await bob.waits_for("failed")
    assert "the image of this server could not be pulled" in failed.text
    assert re.search(r"Reference \w{4}-\w{4}", failed.text)
    assert "Try again" in failed.labels


async def test_a_start_that_is_called_off_never_comes_up(live, hub):
    alice = live.alice
    await alice.links("carol", "hub")
    await alice.types("start training")
    await alice.waits_for("card", "Starting (since")
    await alice.presses(alice.card, "Stop")
    await alice.waits_for("stopped")
    async with client(hub) as api:
        assert (await api.settled("carol", "training"))["ready"] is False
    assert not alice.told("ready")


async def test_limits_of_the_hub_are_said_with_what_to_do(live, hub):
    alice = live.alice
    await alice.links("dave", "hub")
    spoil(hub.harness, "/users/dave/servers/training$", status=429)
    await alice.types("start training")
    failed = await alice.waits_for("failed", "*training*")
    assert "A limit on Team hub has been reached." in failed.text
    assert "Stop something you don't need, then try again." in failed.text


async def test_a_new_server_is_made_and_one_too_many_is_not(live, hub):
    bob = live.bob
    await bob.links("ivan", "hub")
    create = live.bot.services.workspaces.create
    for number, name in enumerate(("fresh", "another")):
        given = {"interaction": f"new {number}", "reference": "K7M2-9QXD"}
        await create(live.principal(bob.id), "hub", Spec(name), **given)
        if name == "fresh":
            ready = await bob.waits_for("ready")
            assert "*fresh* is ready." in ready.text
            assert ready.address("Open") == f"{hub.url}/user/ivan/fresh/"
    failed = await bob.waits_for("failed")
    assert "A limit on Team hub has been reached." in failed.text


async def test_another_persons_server_is_refused(live, hub):
    alice = live.alice
    await alice.links("erin", "hub")
    await alice.types(f"add {hub.url}/user/frank/training franks")
    answer = await alice.types("start franks")
    if "Starting" in answer.text:
        failed = await alice.waits_for("failed")
        assert "Team hub" in failed.text
    async with client(hub) as api:
        assert (await api.server("frank", "training"))["stopped"] is True


async def test_the_same_name_at_two_places_is_asked_about(live):
    alice = live.alice
    await alice.links("frank", "hub")
    await alice.links("alice", "saturn")
    await live.slack.state.wait_for(lambda: len(alice.told("linked")) == 2)
    asked = await alice.types("start training")
    for _ in range(20):
        if "Which one?" in asked.text:
            break
        await live.slack.state.wait_for(lambda: False, 0.2)
        asked = await alice.types("start training")
    assert sorted(asked.labels) == ["Start training@hub", "Start training@saturn"]
    await alice.presses(asked, "Start training@hub")
    await alice.waits_for("card", "*training* · Team hub")
    assert live.calls("POST") == 0


async def test_unlinking_deletes_the_token_at_the_hub_and_ends_what_is_under_way(live, hub):
    alice = live.alice
    async with client(hub) as api:
        await alice.links("grace", "hub")
        assert len(await ours(api, "grace")) == 1
        await alice.types("start training")
        await alice.waits_for("card", "Starting (since")
        await alice.presses(alice.only("linked"), "Unlink")
        await alice.waits_for("unlinked")
        await alice.waits_for("card", "The start was cancelled.")
        for _ in range(50):
            if not await ours(api, "grace"):
                break
            await live.slack.state.wait_for(lambda: False, 0.1)
        assert await ours(api, "grace") == []
        assert (await api.call("GET", "/user", who="grace"))[0] == 200
        await api.call("DELETE", "/users/grace/servers/training", who="grace")
    assert hub.users["grace"]["token"].encode() not in live.stored()


@pytest.mark.slow
async def test_a_token_that_was_deleted_at_the_hub_keeps_its_link_and_the_start_goes_on_with_another(
    live, hub
):
    alice = live.alice
    await alice.links("heidi", "hub")
    while not await live.bot.store.workspaces(live.principal(alice.id)):
        await live.slack.state.wait_for(lambda: False, 0.1)
    async with client(hub) as api:
        _, told, _ = await api.call("GET", "/users/heidi/tokens", who="heidi")
        for one in told["api_tokens"]:
            if one["note"] == "Usher":
                await api.call("DELETE", f"/users/heidi/tokens/{one['id']}", who="heidi")
    await alice.types("start training")
    await alice.waits_for("card", "Team hub has refused your sign-in.")
    await alice.links("heidi", "hub")
    await alice.waits_for("ready")


async def test_a_wrong_token_is_said_on_the_page(live):
    _, address = await live.alice.invited("hub")
    async with Browser() as browser:
        page = await browser.get(address)
        page = await browser.submit(page, token=secrets.token_hex(16))
    assert page.status == 422
    assert "Team hub didn't accept this token." in page.text


@pytest.mark.browser
@pytest.mark.skipif(not is_installed(), reason="Chromium and chromedriver are not installed")
async def test_by_mouse_and_keyboard_somebody_signs_in_at_the_hub_and_its_log_out_ends_nothing(hub, tmp_path):
    async with beside(hub, tmp_path, live=True, sign_in=True) as ready, chromium() as window:
        alice = ready.alice
        asked = await alice.types("start training@hub")
        (invitation,) = await alice.presses(asked, "Link Team hub")
        await window.go(invitation.address("Open the link page"))
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
        await window.shows("Team hub is linked, as judy.")
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


async def signs_in(ready, hub, invitation, account):
    """Go through the pages of a link, from Slack's to the hub's and back."""
    async with Browser() as browser:
        page = await browser.get(invitation.address("Open the link page"))
        page = await browser.follow(page, "/link/sign-in")
        page = await browser.follow(page, f"as={ready.alice.id}")
        page = await browser.submit(page, username=account, password=hub.users[account]["password"])
        assert account in page.text
        return await browser.submit(page)


async def test_before_the_link_ends_a_message_with_link_again_comes_and_goes(hub, tmp_path):
    async with beside(hub, tmp_path, sign_in=True) as ready, client(hub) as api:
        alice = ready.alice
        asked = await alice.types("link hub")
        (invitation,) = await alice.presses(asked, "Link Team hub")
        await signs_in(ready, hub, invitation, "kim")
        await ready.pass_time(2)
        account = await ready.bot.store.account(ready.principal(), "hub")
        for days in (7, 1):
            ready.clock.advance(account.ends_at - days * 86_400 - ready.clock.now())
            await ready.bot.reconciler.warn_of_ends()
            await ready.settle()
        week, day = alice.told("link_ending")
        assert "I reminded you" in week.text
        assert "Your link to Team hub lasts until" in day.text
        (invitation,) = await alice.presses(day, "Link again")
        # The hub's clock goes by real time: what it makes now ends before the clock here.
        await signs_in(ready, hub, invitation, "kim")
        await ready.pass_time(2)
        assert "I reminded you" in alice.told("link_ending")[-1].text
        assert len(await ours(api, "kim")) == 2
