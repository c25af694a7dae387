"""The local Saturn Cloud: tokens, logging in, and who may see what."""

import aiohttp
import pytest

from tests.playground.saturn_help import SEED, Saturn, saturn_server


@pytest.mark.parametrize("header", ["Bearer a1", "a1", "token", "Token a1", "token nonsense", "basic eDp5"])
async def test_anything_but_a_known_token_is_401_with_a_message(saturn: Saturn, header):
    status, answer = await saturn.call("GET", "/api/user", headers={"Authorization": header})
    assert status == 401
    assert answer["message"]
    assert "expired" not in answer["message"]


async def test_without_authorization_is_401(saturn: Saturn):
    assert (await saturn.call("GET", "/api/user", token=None))[0] == 401


async def test_who_am_i_and_the_own_token(saturn: Saturn):
    status, answer = await saturn.call("GET", "/api/user", token="a1")
    assert (status, answer["username"], len(answer["id"])) == (200, "alice", 32)
    assert await saturn.call("GET", "/api/user/token", token="a1") == (200, "a1")


async def test_an_expired_token_says_so_and_can_be_refreshed_once(saturn: Saturn):
    await saturn.call("POST", "/_playground/tokens", json={"user": "alice", "expired": True})
    status, answer = await saturn.call("GET", "/api/user", token="a1")
    assert status == 401
    assert "expired" in answer["message"]

    grant = {"grant_type": "refresh_token", "refresh_token": "r-alice"}
    status, fresh = await saturn.call("POST", "/api/auth/token", json=grant)
    assert status == 200
    assert (await saturn.call("GET", "/api/user", token=fresh["access_token"]))[1]["username"] == "alice"

    status, again = await saturn.call("POST", "/api/auth/token", json=grant)
    assert status == 400
    assert again["message"]
    status, _ = await saturn.call(
        "POST", "/api/auth/token", json={**grant, "refresh_token": fresh["refresh_token"]}
    )
    assert status == 200


async def test_a_revoked_token_is_refused_without_the_word_expired(saturn: Saturn):
    await saturn.call("POST", "/_playground/tokens", json={"user": "alice", "revoked": True})
    status, answer = await saturn.call("GET", "/api/user", token="a1")
    assert (status, answer) == (401, {"message": "Invalid token"})
    assert (await saturn.call("GET", "/api/user", token="b1"))[0] == 200


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


@pytest.mark.parametrize(("token", "name", "status"), [("a1", "bob", 403), ("adm", "nobody", 404)])
async def test_login_links_are_for_administrators_and_people_that_exist(saturn: Saturn, token, name, status):
    assert (await saturn.call("POST", f"/auth/createloginlink/{name}", token=token))[0] == status


async def test_a_cookie_session_reads_but_changes_nothing(saturn: Saturn):
    async with saturn.browser("alice") as browser:
        async with browser.get(f"{saturn.url}/api/user") as answer:
            assert (await answer.json())["username"] == "alice"
        async with browser.post(f"{saturn.url}/api/workspaces/{saturn.ids['notebook']}/start") as answer:
            assert answer.status == 401


async def test_after_a_revocation_the_logged_in_person_is_shown_a_new_token(saturn: Saturn):
    await saturn.call("POST", "/_playground/tokens", json={"user": "alice", "revoked": True})
    async with saturn.browser("alice") as browser, browser.get(f"{saturn.url}/api/user/token") as answer:
        fresh = await answer.json()
    assert fresh != "a1"
    assert int(fresh, 16)
    assert (await saturn.call("GET", "/api/user", token=fresh))[0] == 200


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
