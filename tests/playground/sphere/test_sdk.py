"""Tests of the local Sphere Engine's SDK in a real browser, on a customer's page with a strict policy."""

from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.playground.sphere.stand import PLAIN, RUNNING, SECRET_OF_RUNNING, Sphere
from tests.web.driver import chromium

pytestmark = pytest.mark.browser

# The vendor's two snippets, as a file of the page. `made` is called when the SDK is ready.
SNIPPET = """
window.refused = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.refused.push([event.effectiveDirective, event.blockedURI]);
});
window.SE_BASE = document.body.dataset.base; window.SE_HTTPS = false; window.SE = window.SE || [];
(function (d, s, id) {
  const first = d.getElementsByTagName(s)[0]; if (d.getElementById(id)) return;
  const js = d.createElement(s); js.id = id; js.src = "http://" + SE_BASE + "/static/sdk/sdk.min.js";
  first.parentNode.insertBefore(js, first);
})(document, "script", "sphere-engine-jssdk");
SE.ready = function (f) {
  if (document.readyState != "loading" && document.readyState != "interactive") f();
  else window.addEventListener("load", f);
};
window.told = [];
SE.ready(function () {
  const workspace = SE.workspace("mine");
  if (!workspace) return;
  for (const name of ["afterScenarioExecution", "fileContent", "stageStream"]) {
    workspace.events.subscribe(name, (event) => window.told.push([name, event.data]));
  }
});
"""
BY_CALL = f'<div data-id="mine" data-workspace="{RUNNING}" data-workspace-token="{SECRET_OF_RUNNING}"'


def policy(base: str, **changed: str) -> str:
    rules = {
        "default-src": "'none'",
        "script-src": f"'self' http://{base}",
        "frame-src": f"http://{base}",
        "connect-src": f"http://{base} ws://{base}",
    }
    rules |= {name.replace("_", "-"): value for name, value in changed.items()}
    return "; ".join(f"{name} {value}" for name, value in rules.items())


@asynccontextmanager
async def customer(sphere: Sphere, element: str, **changed: str):
    base = sphere.url.partition("://")[2]

    async def page(_request: web.Request) -> web.Response:
        text = (
            f'<!doctype html><html lang="en"><title>Customer</title><link rel="icon" href="data:,">'
            f'<body data-base="{base}"><script src="/snippet.js"></script>{element}</body></html>'
        )
        headers = {
            "Content-Security-Policy": policy(base, img_src="data:", **changed),
            "Referrer-Policy": "no-referrer",
        }
        return web.Response(text=text, content_type="text/html", headers=headers)

    async def snippet(_request: web.Request) -> web.Response:
        return web.Response(text=SNIPPET, content_type="text/javascript")

    app = web.Application()
    app.router.add_get("/", page)
    app.router.add_get("/snippet.js", snippet)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    try:
        async with chromium() as window:
            await window.go(str(server.make_url("/")))
            yield window
    finally:
        await server.close()


async def test_a_workspace_is_rendered_by_its_class_without_a_call(sphere: Sphere):
    async with customer(sphere, f'<div class="se-workspace" data-workspace="{PLAIN}"></div>') as window:
        await window.into_frame()
        await window.shows("Shaky")
        await window.out_of_frame()
        assert await window.script("return document.querySelectorAll('iframe').length") == 1
        assert await window.console() == []


WAIT = "await new Promise((done) => { const look = () => (%s ? done() : setTimeout(look, 30)); look(); })"


@pytest.mark.parametrize(
    ("changed", "broken", "blocked"),
    [
        ({"connect_src": "'none'"}, "connect-src", "http://"),
        ({"connect_src": "http://127.0.0.1:*"}, "connect-src", "ws://"),
        ({"frame_src": "'none'"}, "frame-src", "http://"),
        ({"script_src": "'self'"}, "script-src-elem", "http://"),
    ],
)
async def test_a_policy_that_forbids_what_the_sdk_needs_is_seen(sphere: Sphere, changed, broken, blocked):
    async with customer(sphere, f"{BY_CALL}></div>", **changed) as window:
        await window.script(WAIT % "window.refused.length")
        (directive, address), *more = await window.script("return window.refused")
        assert directive == broken
        assert address.startswith(blocked)
        assert more == []
        if blocked == "ws://":
            await window.text("[data-se-state='unreachable']")
        elif broken == "connect-src":
            await window.shows("Sphere Engine cannot be reached.")


async def test_the_view_tells_when_the_workspace_is_gone(sphere: Sphere):
    async with customer(sphere, f"{BY_CALL}></div>") as window:
        await window.text("[data-se-state='running']")
        await sphere.control(f"workspaces/{RUNNING}", state="removed")
        await window.text("[data-se-state='removed']")
        await window.into_frame()
        await window.shows("This workspace has been removed")
