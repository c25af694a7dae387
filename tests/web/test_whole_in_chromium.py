"""From the direct message to the IDE and out again, with the real bot and a real browser."""

import pytest

from bot.messages.texts import ide
from tests.web.driver import chromium, is_installed
from tests.web.whole import page_world

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not is_installed(), reason="Chromium and chromedriver are not installed"),
]


async def prove(window, world, person):
    """Press *Sign in with Slack*, and be a person at the local Slack."""
    assert await window.text("a.button") == ide.SIGN_IN_BUTTON
    await window.press("a.button")
    assert (await window.url()).startswith(f"{world.slack_url}/openid/connect/authorize")
    await window.press(f"a[href*='as={person.id}']")


async def test_row_14_the_owner_opens_the_ide_from_the_message_and_nobody_else_does(tmp_path):
    async with page_world(tmp_path) as world:
        address = await world.makes(world.alice)
        assert address.startswith(f"http://127.0.0.1:{world.bot.port}/ide/")
        (machine,) = world.sphere.state.workspaces.values()
        async with chromium() as window:
            await window.go(address)
            await prove(window, world, world.alice)
            assert await window.url() == address
            await window.into_frame()
            await window.press("#ide:not([hidden]) #run")
            await window.shows("OK: 15 characters were run")
            await window.out_of_frame()
            assert (await window.text("#line")).startswith("Running, will stop at ")
            await window.press("#stop button")
            await window.press("[name=agreed] ~ button")
            await window.shows(ide.PLACES["stopped"][0])
            assert machine.phase == "stopped"
            await window.press("#start button")
            await window.into_frame()
            await window.text("#ide:not([hidden]) #run")
            await window.out_of_frame()
            assert await window.console() == []
            slack = await window.script("return document.querySelector('.bar a[rel=noreferrer]').href")
            channel = world.alice.only("ready").json["channel"] if "channel" in world.alice.card.json else ""
            assert slack.startswith("https://slack.com/app_redirect?team=T")
            assert slack.endswith(channel)
        async with chromium() as window:
            await window.go(address)
            await prove(window, world, world.bob)
            await window.shows(ide.NOTHING_TITLE)
            assert await window.script("return document.querySelector('iframe')") is None
            # Somebody else goes on in the same browser, without hunting for the link again.
            assert await window.text("a.button") == ide.SIGN_IN_AGAIN
            await window.press("a.button")
            await window.press(f"a[href*='as={world.alice.id}']")
            assert await window.url() == address
            await window.text("iframe")
        for sink in (world.watch.log.getvalue(), *(text for _, text in world.watch.versions)):
            assert machine.token not in sink
        assert machine.token.encode() not in world.stored()
