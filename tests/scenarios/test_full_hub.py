"""A real JupyterHub with two GPUs: the third person waits, and gets the first GPU that becomes free."""

import asyncio
import json

import pytest
import pytest_asyncio

from playground.jupyterhub import start
from tests.playground.browser import Browser
from tests.playground.hub_help import client
from tests.rigs.scenario import world

ACCOUNTS = ("alice", "bob", "carol")
SEED = {
    "users": [{"name": name, "servers": ["gpu"]} for name in ACCOUNTS],
    "pause_seconds": 1.0,
    "gpus": 2,
}


@pytest_asyncio.fixture
async def hub():
    async with start(light=True, seed=SEED) as running:
        yield running


@pytest_asyncio.fixture
async def ready(hub, tmp_path):
    connection = {
        "name": "hub",
        "provider": "jupyterhub",
        "title": "Team hub",
        "linking": ["token"],
        "base_url": hub.api_url,
        "public_url": hub.url,
        "consecutive_failure_limit": 0,
    }
    tokens = {name: given["token"] for name, given in hub.users.items()}
    async with world(tmp_path, connections={"hub": connection}, tokens={"hub": tokens}) as made:
        await made.know_everybody()
        for person, account in zip((made.alice, made.bob, made.carol), ACCOUNTS, strict=True):
            await person.has_linked(account, "hub")
        yield made


async def let_pass(ready, found=lambda: False, seconds=1800.0, step=5.0):
    """Advance the bot's clock, and give the hub real time, until something is found."""
    for _ in range(round(seconds / step)):
        if found():
            return True
        await ready.pass_time(step, step=step)
        # The hub runs in real time, so give it a turn of the loop to answer.
        await asyncio.to_thread(lambda: None)
        await ready.slack.state.wait_for(found, 0.05)
    return False


async def until(ready, found, seconds=1800.0, step=5.0):
    assert await let_pass(ready, found, seconds, step), [one.text for one in ready.carol.sees()]


@pytest.mark.browser
@pytest.mark.timeout(240)
async def test_on_a_phone_it_is_pressed_waited_for_got_not_used_and_lost(ready, hub):
    carol = ready.carol
    for person in (ready.alice, ready.bob):
        await person.types("start gpu@hub")
        await until(ready, lambda person=person: person.told("ready"))
    await carol.types("start gpu@hub")
    await until(ready, lambda: carol.told("failed"))
    offer = carol.only("failed")
    assert "I couldn't start *gpu*: there's no free GPU on Team hub right now. I can keep" in offer.text
    async with Browser.started() as tab:
        await tab.screen(390, 844)
        place = ready.slack.state.place(carol.id, "@bot").id
        await tab.open(f"{ready.slack_url}/?as={carol.id}&channel={place}")
        await reads(tab, "there's no free GPU on Team hub right now.")
        assert await tab.ask("document.documentElement.scrollWidth") == 390
        await tab.click("#messages button", "Keep trying")
        await until(ready, lambda: "is waiting for" in carol.sees()[-1].text)
        await reads(tab, "is waiting for a free GPU on Team hub")
        assert "*gpu* is waiting for a free GPU on Team hub, until" in carol.sees()[-1].text
        await let_pass(ready, seconds=200)
        async with client(hub) as api:
            await api.call("DELETE", "/users/alice/servers/gpu", who="alice")
        await until(ready, lambda: carol.told("ready"))
        await reads(tab, "If you don't open it within 30 min")
        got = carol.only("ready")
        assert "🟢 *gpu* is ready.\nIf you don't open it within 30 min, and somebody is waiting" in got.text
        assert got.labels[:2] == ["Open", "Stop"]
        assert len(carol.told("failed")) == 1
        await ready.alice.types("status gpu@hub")
        await let_pass(ready, seconds=60)
        await ready.alice.types("start gpu@hub --wait")
        await until(ready, lambda: carol.told("stop_warning"), 3600.0, step=20.0)
        await reads(tab, "Nobody has used gpu on Team hub since it became ready, and somebody is waiting")
        await until(ready, lambda: carol.told("card") or carol.told("stopped"), 1800.0)
        await reads(tab, "has stopped on Team hub")
        assert await tab.ask("document.documentElement.scrollWidth") == 390
        assert (tab.complaints, tab.hosts - {None}) == ([], {"127.0.0.1"})


async def reads(tab, text):
    await tab.until(f"document.querySelector('#messages').textContent.includes({json.dumps(text)})")
