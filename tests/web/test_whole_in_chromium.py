"""Tests from the direct message to the IDE and back, with the real bot and a real browser."""

import pytest

from bot.messages.texts import ide, pages
from tests.rigs.scenario.sphere import sphere_world
from tests.web.driver import chromium

pytestmark = pytest.mark.browser


#: Real time passes here.
QUICK = {"projects": [{"name": "Console Python", "id": "a" * 32, "start_seconds": 2, "stop_seconds": 1}]}


async def makes(world, person):
    """Create a workspace with the form in Slack, and return the address of its *Open* button."""
    assert (await world.slack.say(person.id, "C0GENERAL", "/workspace new courses"))["ok"]

    def is_filled():
        form = world.slack.form(person.id)
        return form is not None and any(one.action_id == "field:template" for one in form.fields)

    assert await world.slack.state.wait_for(is_filled, 20.0)
    answer = await world.slack.submit(person.id)
    assert answer["ok"], answer
    return (await person.waits_for("ready")).address("Open")


async def prove(window, world, person):
    """Press *Sign in with Slack*, and choose a person at the local Slack."""
    assert await window.text("a.button") == pages.SIGN_IN_BUTTON
    await window.press("a.button")
    assert (await window.url()).startswith(f"{world.slack_url}/openid/connect/authorize")
    await window.press(f"a[href*='as={person.id}']")


async def test_only_the_owner_opens_the_ide_from_the_message(tmp_path):
    async with sphere_world(tmp_path, live=True, people_known=False, account=QUICK) as world:
        address = await makes(world, world.alice)
        assert address.startswith(f"http://127.0.0.1:{world.bot.port}/ide/")
        (machine,) = world.machines()
        async with chromium() as window:
            await window.go(address)
            await prove(window, world, world.alice)
            assert await window.url() == address
            await window.into_frame()
            await window.press("#ide:not([hidden]) #run")
            await window.shows("ok: 15 characters were run")
            await window.out_of_frame()
            assert (await window.text("#line")).startswith("Running, will stop ")
            await window.press("#stop")
            await window.press("[name=agreed] ~ button")
            await window.shows(ide.PLACES["stopped"][0])
            assert machine.phase == "stopped"
            await window.press("#start button")
            await window.into_frame()
            await window.text("#ide:not([hidden]) #run")
            await window.out_of_frame()
            await window.looks_like(600, 700, dark=False)
            assert await window.script("return document.querySelector('.bar').offsetHeight") < 140
            assert await window.console() == []
            slack = await window.script("return document.querySelector('.bar a[rel=noreferrer]').href")
            channel = world.alice.only("ready").json["channel"] if "channel" in world.alice.card.json else ""
            assert slack.startswith(f"{world.slack_url}/app_redirect?team=T")
            assert slack.endswith(channel)
        async with chromium() as window:
            await window.go(address)
            await prove(window, world, world.bob)
            await window.shows(ide.NOTHING_TITLE)
            assert await window.script("return document.querySelector('iframe')") is None
            # Another person continues in the same browser, without having to find the link again.
            assert await window.text("a.button") == ide.SIGN_IN_AGAIN
            await window.press("a.button")
            await window.press(f"a[href*='as={world.alice.id}']")
            assert await window.url() == address
            await window.text("iframe")
        for sink in (world.watch.log.getvalue(), *(text for _, text in world.watch.versions)):
            assert machine.token not in sink
        assert machine.token.encode() not in world.stored()
