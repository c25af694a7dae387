"""Browser tests of a workspace's page, with the vendor's script from a local Sphere Engine."""

from contextlib import asynccontextmanager

import pytest

from bot.domain.stops import PlannedStop
from bot.domain.workspaces import State
from bot.messages.texts import ide, pages
from bot.providers.facets import Embedding
from bot.store import operations
from playground.processes import reserved_port
from tests.playground.sphere.stand import PLAIN, RUNNING, SECRET_OF_RUNNING, sphere_server
from tests.rigs.store import name_workspace, set_timer, unlink
from tests.web.driver import chromium, elsewhere
from tests.web.ide_rig import ide_rig
from tests.web.rig import ALICE

pytestmark = pytest.mark.browser


@asynccontextmanager
async def scene(**allowed):
    """Yield the world, a browser window, the local Sphere Engine, and a running workspace of Alice's."""
    async with sphere_server() as sphere:
        host = sphere.url.partition("://")[2]
        loads = Embedding(host, is_https=False, endpoint=sphere.url, **allowed)
        async with ide_rig(loads=loads) as world, chromium() as window:
            workspace = await world.workspace(remote_id=RUNNING, entry=SECRET_OF_RUNNING)
            yield world, window, sphere, workspace


async def sign_in(world, window, workspace, user="U0ALICE"):
    world.made.issuer.person = ("T0HOME", user)
    await window.go(f"{world.origin}/ide/{workspace.id}")
    assert await window.text("a.button") == pages.SIGN_IN_BUTTON
    await window.press("a.button")


@pytest.mark.browser(always=True)
async def test_the_owner_opens_the_ide_and_works_in_it():
    async with scene() as (world, window, sphere, workspace):
        await sign_in(world, window, workspace)
        assert await window.url() == f"{world.origin}/ide/{workspace.id}"
        await window.into_frame()
        await window.press("#ide:not([hidden]) #run")
        await window.shows("ok: 15 characters were run")
        await window.out_of_frame()
        await window.text("#frame[data-se-state='running']")
        await window.press(".se-fullscreen")
        await window.shows("Leave full screen")
        await window.press(".se-fullscreen")
        assert await window.script("return document.getElementById('sphere-engine-jssdk').src") == (
            f"{sphere.url}/static/sdk/sdk.min.js"
        )
        assert await window.script("return document.querySelectorAll('iframe').length") == 1
        # The secret isn't in an address, and only the answer to the POST contained it.
        assert SECRET_OF_RUNNING not in await window.script("return document.querySelector('iframe').src")
        html = await window.script("return document.documentElement.outerHTML")
        assert html.count(SECRET_OF_RUNNING) == 1
        assert not [line for line in sphere.server.harness.requests if SECRET_OF_RUNNING in line]
        assert await window.console() == []
        cookie = (await window.cookies())["usher-session"]
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")


async def test_it_opens_by_itself_when_it_runs_and_closes_when_it_stops():
    async with scene() as (world, window, _sphere, workspace):
        await world.sees(workspace, State.STARTING, entry=None)
        await sign_in(world, window, workspace)
        await window.shows(ide.PLACES["starting"][0])
        assert await window.script("return document.getElementById('sphere-engine-jssdk')") is None
        await world.sees(workspace, State.RUNNING, entry=SECRET_OF_RUNNING)
        await window.into_frame()
        await window.shows("Console Python")
        await window.out_of_frame()
        await window.press("#stop")
        await window.press("[name=agreed] ~ button")
        await window.shows(ide.PLACES["stopping"][0])
        (operation,) = await world.store.read(operations.open_operations, ALICE)
        assert operation.verb == "stop"
        assert await window.console() == []


async def test_page_writes_a_time_as_the_browser_writes_others():
    """Slack shows most people 6:00 PM, and so does their browser."""
    async with scene() as (world, window, _sphere, workspace):
        ends_at = world.clock.now() + 3600
        await set_timer(world.store, workspace, PlannedStop(ends_at, "stop"))
        await sign_in(world, window, workspace)
        form = "new Intl.DateTimeFormat('en-US', {hour: 'numeric', minute: '2-digit', timeZone: 'UTC'})"
        at = await window.script(f"return {form}.format(new Date({ends_at * 1000}))")
        await window.shows(f"Running until {at} UTC")
        assert at.endswith("M")
        assert await window.console() == []


async def test_what_stops_elsewhere_goes_from_the_page_by_itself():
    async with scene() as (world, window, _sphere, workspace):
        await sign_in(world, window, workspace)
        await window.text("iframe")
        await world.sees(workspace, State.STOPPED, entry=None)
        await window.shows(ide.PLACES["stopped"][0])
        assert await window.script("return document.querySelector('iframe, #frame')") is None
        await world.sees(workspace, State.RUNNING)
        await window.text("iframe")
        assert await window.console() == []


async def test_one_that_needs_no_token_opens_without():
    async with scene() as (world, window, _sphere, _workspace):
        plain = await world.workspace(remote_id=PLAIN, entry=None, name="plain")
        await sign_in(world, window, plain)
        # The page waits for the secret as long as it may still come, and then does without it.
        await window.wait(30)
        await window.into_frame()
        await window.shows("Shaky")


async def test_after_signing_out_neither_back_nor_another_tab_shows_anything():
    async with scene() as (world, window, _sphere, workspace):
        await sign_in(world, window, workspace)
        await window.text("iframe")
        first = await window.open_tab()
        await window.go(f"{world.origin}/ide/{workspace.id}")
        await window.text("iframe")
        await window.press("#sign-out")
        await window.press("form[action='/sign-out'] button")
        await window.shows(ide.SIGNED_OUT_TITLE)
        await window.back()
        assert "notebook" not in await window.text()
        await window.back()
        await window.shows(pages.SIGN_IN_BUTTON)
        assert "notebook" not in await window.text()
        await window.go_to_tab(first)
        await window.shows(pages.SIGN_IN_BUTTON)
        assert await window.script("return document.querySelector('iframe')") is None


async def test_a_session_that_ends_takes_the_ide_away():
    async with scene() as (world, window, _sphere, workspace):
        await sign_in(world, window, workspace)
        await window.text("iframe")
        await unlink(world.store, ALICE)
        await window.shows(pages.SIGN_IN_BUTTON)
        assert await window.script("return document.querySelector('iframe')") is None


async def test_nobody_can_frame_it():
    async with scene() as (world, window, sphere, workspace):
        await sign_in(world, window, workspace)
        await window.text("iframe")
        await window.console()
        frame = f"<!doctype html><iframe src='{world.origin}/ide/{workspace.id}'></iframe>"
        async with elsewhere(frame) as evil:

            def loaded():
                # The previous page's socket may open late, and whoever frames a page also loads its files.
                requests = sphere.server.harness.requests.items()
                return {line: count for line, count in requests if "/sdk/live/" not in line}

            before = loaded()
            await window.go(str(evil.make_url("/")))
            assert any("frame-ancestors" in line for line in await window.console())
            await window.into_frame()
            assert "notebook" not in await window.script("return document.documentElement.textContent")
            assert loaded() == before


async def test_a_vendor_that_cannot_be_reached_is_said_so():
    dead = f"127.0.0.1:{reserved_port()}"
    loads = Embedding(dead, is_https=False, endpoint=f"http://{dead}")
    async with ide_rig(loads=loads) as world, chromium() as window:
        workspace = await world.workspace()
        await sign_in(world, window, workspace)
        await window.shows("Sphere Engine can't be reached")
        assert await window.text("#again a") == ide.TRY_AGAIN


async def test_what_the_policy_blocks_is_told_until_it_is_allowed():
    style = """
        const link = document.createElement("link"), style = document.createElement("style");
        const loaded = new Promise((done) => link.onload = link.onerror = done);
        link.rel = "stylesheet"; link.href = arguments[0];
        style.textContent = "#line { letter-spacing: 7px; }";
        document.head.append(link, style);
        await loaded;
        const seen = getComputedStyle(document.getElementById("line"));
        return [seen.wordSpacing, seen.letterSpacing];
    """
    told = "return document.getElementById('blocked').innerText"
    async with elsewhere("#line { word-spacing: 5px; }", content_type="text/css") as other:
        url, host = str(other.make_url("/")), f"127.0.0.1:{other.port}"
        async with scene() as (world, window, _sphere, workspace):
            await sign_in(world, window, workspace)
            await window.text("iframe")
            assert await window.script("return document.getElementById('blocked').hidden")
            assert await window.script(style, url) == ["0px", "normal"]
            await window.shows(f"isn't allowed to load anything from {host}")
            assert len(await window.console()) == 2
        allowed = {"hosts": (host,), "has_inline_styles": True}
        async with scene(**allowed) as (world, window, _sphere, workspace):
            await sign_in(world, window, workspace)
            await window.text("iframe")
            assert await window.script(style, url) == ["5px", "7px"]
            assert await window.script(told) == ""
            assert await window.console() == []


async def test_a_strange_script_is_not_run():
    """Markup in a name has no effect. If escaping failed, the policy would block it."""
    async with scene() as (world, window, _sphere, workspace):
        await name_workspace(world.store, workspace.id, "<img src=x onerror=window.owned=1>")
        await sign_in(world, window, workspace)
        await window.text("iframe")
        assert await window.text("h1") == "<img src=x onerror=window.owned=1>"
        await window.script(
            "const s = document.createElement('script'); s.textContent = 'window.owned = 2';"
            "document.body.appendChild(s); const e = document.createElement('script');"
            "e.src = 'https://evil.example/x.js'; document.body.appendChild(e);"
        )
        assert await window.script("return window.owned") is None
        refused = [line for line in await window.console() if "Content Security Policy" in line]
        assert len(refused) == 2
