"""Browser tests of a vendor's script that an attacker has replaced: it only gets what its own page has."""

import json
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.providers.facets import Embedding
from bot.store import accounts
from tests.playground.sphere.stand import RUNNING, SECRET_OF_RUNNING, sphere_server
from tests.web.driver import chromium
from tests.web.ide_rig import ide_rig
from tests.web.rig import ALICE

pytestmark = pytest.mark.browser

OTHERS = "0b1f5f0a-0000-4000-8000-00000000feed"
ATTACKERS = "fedcba9876543210"
#: One host name for everything, or two of the same site, where cookies for the whole site would also reach
#: the second.
HOSTS = {"one": ("127.0.0.1",), "two": ("usher.localhost", "pages.usher.localhost")}


@asynccontextmanager
async def replaced(script):
    """Serve a different script from the vendor's host."""

    async def sdk(_request):
        return web.Response(text=script(), content_type="text/javascript")

    app = web.Application()
    app.router.add_get("/static/sdk/sdk.min.js", sdk)
    async with TestServer(app, host="127.0.0.1") as server:
        yield str(server.make_url("")).rstrip("/")


@pytest.mark.parametrize("hosts", HOSTS.values(), ids=HOSTS)
@pytest.mark.parametrize("attack", ["entry", "requests", "window"])
async def test_a_replaced_script_gets_no_other_token_and_finishes_no_link(attack, hosts):
    wanted = {"attack": attack, "token": ATTACKERS}

    def script():
        return (
            Path(__file__)
            .with_name("hostile.js")
            .read_text()
            .replace("WANTED", json.dumps(json.dumps(wanted)))
        )

    async with replaced(script) as evil:
        loads = Embedding(evil.partition("://")[2], is_https=False, endpoint=evil)
        async with ide_rig(loads=loads, hosts=hosts) as world, chromium() as window:
            made = world.made
            own = await world.workspace(remote_id=RUNNING, entry=SECRET_OF_RUNNING)
            other = await world.workspace(remote_id="5" * 32, entry=OTHERS, name="other")
            wanted |= {"main": world.origin, "page": f"/ide/{own.id}", "other": f"/ide/{other.id}"}
            made.issuer.person = ("T0HOME", "U0ALICE")
            await window.go(await made.accounts.invite(ALICE, "saturn"))
            await window.press("a.button")
            await window.text("#token")
            await window.go(f"{world.origin}/ide/{own.id}")
            await window.press("a.button")
            await window.press("#prize")
            assert await window.url() == f"{made.page_origin}/ide/{own.id}"
            await window.wait(30)
            await window.shows("That was all")
            assert await window.script("return window.loot") == ""
            assert await made.store.read(accounts.find_account, ALICE, "saturn") is None
            assert ATTACKERS not in made.provider.asked


@pytest.mark.parametrize("hosts", HOSTS.values(), ids=HOSTS)
async def test_an_ide_has_storage_cookies_its_own_requests_windows_and_the_whole_screen(hosts):
    async with sphere_server() as sphere:
        loads = Embedding(sphere.url.partition("://")[2], is_https=False, endpoint=sphere.url)
        async with ide_rig(loads=loads, hosts=hosts) as world, chromium() as window:
            workspace = await world.workspace(remote_id=RUNNING, entry=SECRET_OF_RUNNING)
            await window.go(f"{world.origin}/ide/{workspace.id}")
            await window.press("a.button")
            await window.into_frame()
            await window.press("#ide:not([hidden]) #uses")
            await window.shows("Has all that it needs")
            await window.press("#whole")
            await window.shows("Has the whole screen")
            await window.script("return document.exitFullscreen()")
            await window.press("#run")
            await window.shows("ok: 15 characters were run")
            await window.out_of_frame()
            await window.press(".se-fullscreen")
            await window.shows("Leave full screen")
            await window.press(".se-fullscreen")
            # Reloading doesn't submit the form again, and shows the same page.
            await window.reload()
            assert await window.url() == f"{world.made.page_origin}/ide/{workspace.id}"
            await window.into_frame()
            await window.shows("Console Python")
            await window.out_of_frame()
            if len(hosts) > 1:
                assert await window.cookies() == {}
            await window.press("#stop")
            assert await window.url() == f"{world.origin}/ide/{workspace.id}/stop"
            await window.press("[name=agreed] ~ button")
            await window.shows("Your workspace is stopping")
            assert [line for line in await window.console() if "403" not in line] == []
