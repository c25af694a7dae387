"""Tests of accounts on the local Saturn Cloud: tokens, logging in, and permissions."""

import re

import aiohttp
import pytest

from tests.playground.saturn_help import SEED, Saturn, saturn_server


async def test_a_login_link_opens_one_session_that_shows_the_token(saturn: Saturn):
    status, answer = await saturn.call("POST", "/auth/createloginlink/alice", token="adm")
    assert status == 200
    link = next(value for value in answer.values() if str(value).startswith("http"))
    assert link.startswith(saturn.url)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        async with browser.head(link) as looked:
            assert looked.status == 405
        async with browser.get(link) as opened:
            assert opened.status == 200
        async with browser.get(f"{saturn.url}/api/user/token") as shown:
            assert await shown.text() == '"a1"'
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as thief:
        async with thief.get(link) as opened:
            assert opened.status == 401
        async with thief.get(f"{saturn.url}/api/user/token") as shown:
            assert shown.status == 401


async def test_a_login_link_grows_old(saturn: Saturn):
    _, answer = await saturn.call("POST", "/auth/createloginlink/alice", token="adm")
    await saturn.advance(301)
    status, _ = await saturn.call("GET", answer["login_link"].removeprefix(saturn.url), token=None)
    assert status == 401


async def test_a_cookie_session_reads_but_changes_nothing(saturn: Saturn):
    async with saturn.browser("alice") as browser:
        async with browser.get(f"{saturn.url}/api/user") as answer:
            assert (await answer.json())["username"] == "alice"
        async with browser.post(f"{saturn.url}/api/workspaces/{saturn.ids['notebook']}/start") as answer:
            assert answer.status == 401


async def test_a_browser_that_asks_for_the_token_is_led_through_the_login(saturn: Saturn):
    path = "/api/user/token"
    assert (await saturn.call("GET", path, token=None))[0] == 401
    headers = {"Accept": "text/html,*/*;q=0.8"}
    async with saturn.session.get(saturn.url + path, headers=headers, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, f"/login?next={path}")
    form = {"username": "alice", "password": "pw-alice", "next": path}
    async with saturn.session.post(f"{saturn.url}/login", data=form, allow_redirects=False) as answer:
        assert answer.headers["Location"] == path


@pytest.mark.parametrize("onward", ["https://evil.example/", "//evil.example", "/\\evil.example", "dash"])
async def test_the_login_page_leads_nowhere_else(saturn: Saturn, onward):
    form = {"username": "alice", "password": "pw-alice", "next": onward}
    async with saturn.session.post(f"{saturn.url}/login", data=form, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, "/dash")


async def test_token_is_found_as_the_link_page_says(saturn: Saturn):
    """The names in Usher's instructions are those on the server's pages.

    They are User Profile, Access Keys and New Token.
    """
    async with saturn.session.get(f"{saturn.url}/dash/user-profile", allow_redirects=False) as answer:
        assert answer.headers["Location"] == "/login?next=/dash/user-profile"
    async with saturn.session.post(f"{saturn.url}/dash/user-profile", allow_redirects=False) as answer:
        assert answer.status == 302
    async with saturn.browser("alice") as browser:
        async with browser.get(f"{saturn.url}/dash") as page:
            assert 'href="/dash/user-profile">User Profile<' in await page.text()
        async with browser.get(f"{saturn.url}/dash/user-profile") as page:
            text = await page.text()
            assert "Access Keys" in text
            assert "<button>New Token</button>" in text
        async with browser.post(f"{saturn.url}/dash/user-profile") as page:
            token = re.findall("<code>(.+)</code>", await page.text())[0]
    status, user = await saturn.call("GET", "/api/user", token=token)
    assert (status, user["username"]) == (200, "alice")


async def test_a_wrong_password_opens_no_session(saturn: Saturn):
    form = {"username": "alice", "password": "pw-bob"}
    async with saturn.session.post(f"{saturn.url}/login", data=form, allow_redirects=False) as answer:
        assert answer.status == 401
        assert "Set-Cookie" not in answer.headers


async def test_what_the_seed_does_not_fix_is_random():
    users = [{"name": entry["name"], "admin": entry.get("admin", False)} for entry in SEED["users"]]
    async with saturn_server({"users": users}) as one, saturn_server({"users": users}) as other:
        for name in ("alice", "bob", "admin"):
            first, second = one.server.credentials["users"][name], other.server.credentials["users"][name]
            assert first["token"] != second["token"]
            assert first["password"] != second["password"]
            assert int(first["token"], 16)


async def test_a_name_can_be_given_to_somebody_else(saturn: Saturn):
    """If a person is renamed, they keep their id, tokens and resources.

    A new person with the old name has others.
    """
    before, notebook = (await saturn.call("GET", "/api/user", token="a1"))[1], saturn.ids["notebook"]
    await saturn.call("POST", "/_playground/people", json={"user": "alice", "name": "alice.old"}, token=None)
    added = await saturn.call(
        "POST", "/_playground/people", json={"user": "alice", "added": True}, token=None
    )
    after = (await saturn.call("GET", "/api/user", token="a1"))[1]
    assert (after["id"], after["username"]) == (before["id"], "alice.old")
    assert added[1]["id"] != before["id"]
    assert (await saturn.call("GET", f"/api/workspaces/{notebook}", token="a1"))[0] == 200
    await saturn.call("POST", "/_playground/people", json={"user": "alice.old", "removed": True}, token=None)
    assert (await saturn.call("GET", "/api/user", token="a1"))[0] == 401
