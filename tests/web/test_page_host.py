"""Tests of the separate host on which a vendor's script runs: it serves only IDE pages, without cookies."""

import pytest
from aiohttp.test_utils import make_mocked_request

from bot.messages.texts import ide
from bot.web.browsers import is_at
from tests.web.ide_rig import REMOTE, TOKEN, ide_rig
from tests.web.marks import mark_of

MAIN, PAGES = "usher.localhost", "pages.usher.localhost"


@pytest.fixture
async def rig():
    async with ide_rig(hosts=(MAIN, PAGES)) as rig:
        yield rig


@pytest.mark.parametrize(
    ("host", "url", "is_there"),
    [
        ("[fd00::1]:8443", "https://[fd00::1]:8443", True),
        ("[FD00::1]", "https://[fd00::1]:8443", True),
        ("[fd00::2]:8443", "https://[fd00::1]:8443", False),
        ("[fd00", "https://[fd00::1]", False),
        ("Pages.usher.localhost.:80", "https://pages.usher.localhost", True),
        ("usher.localhost", "https://pages.usher.localhost", False),
        ("", "https://pages.usher.localhost", False),
    ],
)
def test_second_host_is_recognised_by_name_or_address(host, url, is_there):
    assert is_at(make_mocked_request("GET", "/", headers={"Host": host}), url) is is_there


class There:
    """A client of the second host name, at the loopback address."""

    def __init__(self, rig):
        self.origin = rig.made.page_origin
        self.main = rig.origin
        _, _, self.port = self.origin.rpartition(":")

    async def ask(self, browser, path, *, method="GET", data=None, cookie="", **headers):
        url = f"http://127.0.0.1:{self.port}{path}"
        given = {"Host": f"{PAGES}:{self.port}", "Cookie": cookie, **headers}
        async with browser.session.request(
            method, url, data=data, headers=given, allow_redirects=False
        ) as answer:
            assert "Set-Cookie" not in answer.headers
            return answer.status, answer.headers.get("Location", ""), await answer.text()


async def signed_in(rig, workspace):
    browser = await rig.made.browser()
    browser.origin = f"http://127.0.0.1:{rig.origin.rpartition(':')[2]}"
    rig.made.issuer.person = ("T0HOME", "U0ALICE")
    await browser.get(f"/ide/{workspace.id}/sign-in", follow=False)
    async with browser.session.get(browser.headers["Location"], allow_redirects=False) as answer:
        back = answer.headers["Location"].replace(MAIN, "127.0.0.1")
    await browser.get(back)
    return browser


async def test_there_are_only_the_pages_that_show_ides(rig):
    there, browser = There(rig), await rig.made.browser()
    elsewhere = (
        *(
            "/link",
            "/link/abc",
            "/link/check",
            "/link/slack",
            "/sign-out",
            "/signed-out",
            "/healthz",
            "/metrics",
        ),
        *("/ide/workspace_x/stop", "/ide/workspace_x/start", "/ide/workspace_x/sign-in", "/slack/events"),
    )
    for path in elsewhere:
        for method in ("GET", "POST"):
            assert (await there.ask(browser, path, method=method))[0] == 404, (method, path)
        # A name with a final dot reaches the same server, but is another origin to a browser.
        assert (await there.ask(browser, path, Host=f"{PAGES}.:{there.port}"))[0] == 404, path
    assert (await there.ask(browser, "/static/ide.js"))[0] == 200
    # Sessions belong to the first host name, and the second one redirects there.
    status, location, _ = await there.ask(browser, "/ide/workspace_x")
    assert (status, location) == (303, f"{there.main}/ide/workspace_x")


async def test_the_mark_of_its_page_opens_one_workspace_and_a_cookie_opens_none(rig):
    there, workspace = There(rig), await rig.workspace()
    other = await rig.workspace(remote_id="5" * 32, name="other")
    browser = await signed_in(rig, workspace)
    assert "sdk.example" not in browser.text + str(browser.headers)
    assert f'action="{there.origin}/ide/{workspace.id}"' in browser.text
    mark, stranger = mark_of(browser.text), await rig.made.browser()
    form = {"method": "POST", "data": {"form": mark}}
    leading = {"Origin": there.main, "Sec-Fetch-Site": "same-site"}
    status, _, page = await there.ask(stranger, f"/ide/{workspace.id}", **form, **leading)
    assert (status, "sdk.example" in page, ide.SIGN_OUT in page) == (200, True, True)
    # Another site can't send a browser to a page, not even to its own person's. A form without a mark is
    # refused, too.
    for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        assert (await there.ask(stranger, f"/ide/{workspace.id}", **form, **headers))[0] == 403, headers
    assert (await there.ask(stranger, f"/ide/{other.id}", **form, **leading))[1] == f"/ide/{other.id}"
    own = {"Origin": there.origin, "Sec-Fetch-Site": "same-origin", "X-Usher-Mark": mark}
    cookie = "; ".join(f"{one.key}={one.value}" for one in browser.session.cookie_jar)
    entry = f"/ide/{workspace.id}/entry"
    status, _, given = await there.ask(stranger, entry, method="POST", **own)
    assert (status, REMOTE in given, TOKEN in given) == (200, True, True)
    assert (await there.ask(stranger, f"/ide/{workspace.id}/state", **own))[0] == 200
    for path in (f"/ide/{other.id}/entry", f"/ide/{other.id}/blocked"):
        status, _, given = await there.ask(stranger, path, method="POST", cookie=cookie, **own)
        assert (status in {401, 403}, TOKEN in given) == (True, False)
    without = {**own, "X-Usher-Mark": ""}
    assert (await there.ask(stranger, entry, method="POST", cookie=cookie, **without))[0] == 401
    await browser.get("/sign-out")
    await browser.send("/sign-out", headers={"Origin": there.main, "Sec-Fetch-Site": "same-origin"})
    assert (await there.ask(stranger, entry, method="POST", **own))[0] == 401
