"""Tests of people in separate tabs, each signing in as themselves, and of the list of all accounts."""

from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.playground.browser import Browser
from tests.playground.slack_help import AMIR, CHEN, GENERAL, GRETA, OLIVIA, PAVEL, SCIENCE, TARA, slack

ACCOUNTS = {
    user: {
        "part": "",
        "accounts": [
            {
                "provider": "Saturn Cloud",
                "sign_in": "http://127.0.0.1:9/login",
                "fields": [{"label": "Password", "value": f"password-of-{user}"}],
            }
        ],
    }
    for user in (OLIVIA, CHEN, TARA)
}


async def hand_over(server, key="the key", people=ACCOUNTS, sign_outs=()):
    async with aiohttp.ClientSession() as session:
        told = {"key": key, "people": people, "sign_outs": sign_outs}
        async with session.post(f"{server.state.base_url}/_playground/accounts", json=told) as response:
            return response.status, await response.json()


@asynccontextmanager
async def app_to_sign_in_to(server, signed_out):
    """Serve the app to which Slack sends people back, and yield the address at which they sign in.

    Signing in gives the browser a session. When it is ended, this is added to ``signed_out``.
    """

    async def back(request: web.Request) -> web.Response:
        text = "<link rel=icon href='data:,'><title>Back</title>"
        response = web.Response(text=text, content_type="text/html")
        response.set_cookie("session", server.openid.grants[request.query["code"]].user, httponly=True)
        return response

    async def sign_out(request: web.Request) -> web.Response:
        signed_out.append(request.cookies.get("session"))
        response = web.Response(status=204)
        response.del_cookie("session")
        return response

    app = web.Application()
    app.router.add_get("/back", back)
    app.router.add_post("/sign-out", sign_out)
    async with TestServer(app, host="127.0.0.1") as listening:
        await hand_over(server, sign_outs=[["POST", str(listening.make_url("/sign-out"))]])
        query = {
            "client_id": server.credentials["client_id"],
            "response_type": "code",
            "scope": "openid",
            "redirect_uri": str(listening.make_url("/back")),
            "state": "s",
        }
        yield f"{server.state.base_url}/openid/connect/authorize?{urlencode(query)}"


def said(server):
    """Return what people wrote, by person."""
    spoken = (message for channel in (GENERAL, SCIENCE) for message in server.state.messages[channel])
    return {message.user: message.text for message in spoken if not message.bot_id}


async def signed_in(tab, server):
    """Return the user as whom a tab has signed in, after coming back from Slack."""
    (code,) = parse_qs(urlsplit(await tab.ask("location.href")).query)["code"]
    return server.openid.grants[code].user


@pytest.mark.browser
async def test_everybody_acts_and_signs_in_at_once_in_a_tab_of_their_own():
    async with (
        slack(clock=None) as (server, client),
        app_to_sign_in_to(server, signed_out := []) as authorize,
        Browser.started() as first,
    ):
        for channel in (GENERAL, SCIENCE):
            await client.chat_postMessage(channel=channel, text=f"<{authorize}|Sign in>")
        await first.open(f"{server.state.base_url}/#key=the+key")
        await first.until(
            f"document.getElementById('my-name').textContent && location.search === '?as={OLIVIA}'"
        )
        assert await first.ask("location.hash") == ""
        tabs = {OLIVIA: first}
        for user in (CHEN, TARA, AMIR, GRETA, PAVEL):
            await first.ask("document.getElementById('people-open').click()")
            await first.ask(f"document.querySelector('.person[href$={user}]').click()")
            tabs[user] = await first.opened(f"/?as={user}")
        for user, tab in tabs.items():
            await tab.until("document.querySelector('.message a')")
            assert await tab.ask("document.getElementById('my-name').textContent") == (
                server.state.people[user].real_name
            )
            # The link shows its real address, for anybody who copies it.
            assert await tab.ask("document.querySelector('.message a').href") == authorize
            await tab.ask("document.getElementById('text').focus()")
            await tab.type(f"I am {user}")
            await tab.press("Enter")
        assert await server.state.wait_for(lambda: len(said(server)) == 6)
        assert said(server) == {user: f"I am {user}" for user in tabs}

        came_back = {}
        for user, tab in tabs.items():
            await tab.ask("document.querySelector('.message a').click()")
            came_back[user] = await tab.opened("/back?")
        assert {user: await signed_in(tab, server) for user, tab in came_back.items()} == {
            user: user for user in tabs
        }
        # Sessions that a browser shares between its tabs are ended before somebody else continues.
        assert signed_out == [OLIVIA, CHEN, TARA, AMIR, GRETA]
        # Each tab stays with its person, no matter who signed in last or which page it was on.
        for tab in came_back.values():
            await tab.ask("window.seen = true")
            await tab.open(authorize)
        for user, tab in came_back.items():
            await tab.until("!window.seen && document.title === 'Back'")
            assert await signed_in(tab, server) == user
        assert len(server.openid.grants) == 12
        await tabs[CHEN].ask("window.seen = true")
        await tabs[CHEN].tell("Page.reload")
        await tabs[CHEN].until(
            "!window.seen && document.getElementById('my-name').textContent === 'Chen Wei'"
        )

        await tabs[TARA].ask("document.getElementById('accounts-open').click()")
        listed = await tabs[TARA].opened("/accounts")
        await listed.until("document.querySelector('.whose[open]')")
        shown = "[...document.querySelectorAll('.whose')].map((one) => [one.dataset.person, one.open])"
        assert await listed.ask(shown) == [[TARA, True], [OLIVIA, False], [CHEN, False]]
        assert await listed.ask("document.querySelector('.field code').textContent") == f"password-of-{TARA}"
        await listed.ask("localStorage.clear()")
        await listed.tell("Page.reload")
        await listed.until("document.getElementById('about').textContent.includes('it takes a key')")
        assert await listed.ask("document.querySelector('.whose')") is None
        everything = [*tabs.values(), *came_back.values(), listed]
        assert [one.complaints for one in everything if one.complaints] == []
        assert {host for one in everything for host in one.hosts} == {"127.0.0.1"}


@pytest.mark.parametrize(
    ("headers", "status", "answer"),
    [
        ({}, 200, {"ok": False, "error": "no_key"}),
        ({"X-Accounts-Key": "the ke"}, 200, {"ok": False, "error": "no_key"}),
        ({"X-Accounts-Key": ""}, 200, {"ok": False, "error": "no_key"}),
        ({"X-Accounts-Key": "the key", "Origin": "https://elsewhere.example"}, 403, "foreign_origin"),
        ({"X-Accounts-Key": "the key", "Sec-Fetch-Site": "same-site"}, 403, "foreign_origin"),
        ({"X-Accounts-Key": "the key", "Host": "rebound.example"}, 403, "foreign_host"),
        ({"X-Accounts-Key": "the key"}, 200, [OLIVIA, CHEN, TARA]),
    ],
)
async def test_the_list_of_accounts_takes_its_key_from_its_own_page(server, session, headers, status, answer):
    assert await hand_over(server) == (200, {"ok": True, "people": 3})
    url = f"{server.state.base_url}/_page/accounts"
    async with session.get(url, headers=headers) as response:
        assert response.status == status
        said = await response.json()
    if status == 403:
        said = said["error"]
    elif said["ok"]:
        assert said["people"][0]["accounts"] == ACCOUNTS[OLIVIA]["accounts"]
        said = [one["id"] for one in said["people"]]
    assert said == answer


async def test_without_accounts_there_is_no_list_and_no_key_opens_one(server, session):
    url = f"{server.state.base_url}/_page/accounts"
    async with session.get(url, headers={"X-Accounts-Key": ""}) as response:
        assert await response.json() == {"ok": False, "error": "no_accounts"}
    elsewhere = [["POST", "https://elsewhere.example/sign-out"]]
    for odd in (
        *({"key": ""}, {"key": 5}, {"people": []}, {"people": {OLIVIA: 5}}),
        *({"sign_outs": 5}, {"sign_outs": ["x"]}, {"sign_outs": elsewhere}),
    ):
        assert (await hand_over(server, **odd))[0] == 400


async def test_pages_from_elsewhere_open_no_link_for_a_person_and_this_machine_has_one_name(server, session):
    base = server.state.base_url
    for site, status in (("same-origin", 200), ("none", 200), ("cross-site", 403)):
        async with session.get(f"{base}/openid/tab", headers={"Sec-Fetch-Site": site}) as response:
            assert response.status == status
    other_name = base.replace("127.0.0.1", "localhost")
    headers = {"Host": urlsplit(other_name).netloc}
    async with session.get(f"{base}/?as={CHEN}", headers=headers, allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (302, f"{base}/?as={CHEN}")
