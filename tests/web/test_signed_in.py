"""Tests of browser sessions: only Slack begins one; sign-out, unlinking, leaving or time end it."""

import re

import pytest
from aiohttp.test_utils import make_mocked_request
from markupsafe import escape

from bot.domain.people import Person
from bot.messages.texts import ide, pages
from bot.messages.texts.refusals import REFUSALS
from bot.services.linking import compute_digest
from bot.store import browsers as browser_rows
from bot.web.browsers import Browsers
from tests.rigs.clock import FakeClock
from tests.rigs.store import browser_session, unlink
from tests.web.ide_rig import ide_rig
from tests.web.rig import ALICE, KEY

HOUR = 3600.0


@pytest.fixture
async def rig():
    async with ide_rig() as rig:
        yield rig


async def is_signed_in(browser, page):
    text = await browser.get(f"/ide/{page}")
    assert (pages.SIGN_IN_BUTTON in text) != (ide.SIGN_OUT in text)
    return ide.SIGN_OUT in text


async def test_looking_signs_nobody_in(rig):
    workspace = await rig.workspace()
    browser = await rig.made.browser()
    for method in ("GET", "HEAD", "GET"):
        await browser.get(f"/ide/{workspace.id}", method=method)
        assert browser.status == 200
    assert pages.SIGN_IN_BUTTON in browser.text
    assert "notebook" not in browser.text
    assert rig.made.issuer.asked == []
    assert not list(browser.session.cookie_jar)


async def test_every_address_asks_in_the_same_words(rig):
    workspace = await rig.workspace()
    browser = await rig.made.browser()
    texts = {
        (await browser.get(f"/ide/{page}")).replace(page, "…") for page in (workspace.id, "workspace_unknown")
    }
    assert len(texts) == 1


async def test_another_site_cannot_begin_a_sign_in(rig):
    browser = await rig.made.browser()
    for site in ("cross-site", "same-site", "none"):
        await browser.get("/ide/workspace_x/sign-in", headers={"Sec-Fetch-Site": site}, follow=False)
        assert (browser.status, browser.headers["Location"]) == (303, "/ide/workspace_x")
        assert "Set-Cookie" not in browser.headers


async def test_signing_out_ends_the_session_itself(rig):
    workspace = await rig.workspace()
    browser = await rig.signed_in(page=workspace.id)
    thief = await rig.made.browser()
    thief.take_cookies(browser)
    assert await is_signed_in(thief, workspace.id)
    await browser.get("/sign-out")
    assert await is_signed_in(thief, workspace.id)
    await browser.send("/sign-out")
    assert browser.url == f"{rig.origin}/signed-out"
    assert escape(ide.SIGNED_OUT_TITLE) in browser.text
    assert "usher-session" not in {cookie.key for cookie in browser.session.cookie_jar}
    assert not await is_signed_in(browser, workspace.id)
    assert not await is_signed_in(thief, workspace.id)
    assert [entry[1:] for entry in await rig.made.audit() if entry[1].startswith("browser.")] == [
        ("browser.sign_in", "ok"),
        ("browser.sign_out", "ok"),
    ]


async def test_signing_out_twice_does_no_harm(rig):
    browser = await rig.made.browser()
    await browser.send("/sign-out")
    assert browser.url == f"{rig.origin}/signed-out"
    # As when they press *Back*.
    await browser.get("/sign-out")
    assert browser.url == f"{rig.origin}/signed-out"


async def test_who_leaves_is_signed_out_without_any_account(rig):
    browser = await rig.signed_in(page="workspace_x")
    await rig.store.save_people([Person(ALICE, "Alice", is_deleted=True, seen_at=rig.clock.now())])
    await unlink(rig.store, ALICE, notify=False)
    assert not await is_signed_in(browser, "workspace_x")
    # Even if Slack still signed this person in, Usher wouldn't.
    await browser.get("/ide/workspace_x/sign-in")
    assert browser.status == 403
    assert not await is_signed_in(browser, "workspace_x")


@pytest.mark.parametrize("why", ["a lost event", "a connection of others"])
async def test_who_left_or_may_no_longer_use_the_connection_sees_nothing_all_the_same(rig, why):
    workspace = await rig.workspace()
    browser = await rig.signed_in(page=workspace.id)
    if why == "a lost event":
        await rig.store.save_people([Person(ALICE, "Alice", is_deleted=True, seen_at=rig.clock.now())])
    else:
        provider = rig.made.context.connections[workspace.connection]
        provider.settings = provider.settings.model_copy(update={"workspaces": ("T9",)})
    await browser.get(f"/ide/{workspace.id}")
    assert browser.status == 404


async def test_when_the_app_is_removed_everybody_is_signed_out(rig):
    browsers = [await rig.signed_in(user) for user in ("U0ALICE", "U0BOB")]
    assert await rig.store.perform(browser_rows.end_browser_sessions_at, ALICE.team_id) == 2
    assert [await is_signed_in(browser, "workspace_x") for browser in browsers] == [False, False]


@pytest.mark.parametrize(
    ("person", "claims", "status", "said"),
    [
        (("T0OTHER", "U0ALICE"), {}, 403, ""),
        (None, {}, 403, ide.SIGN_IN_CANCELLED),
        (("T0HOME", "U0ALICE"), {"nonce": "another"}, 502, ide.SIGN_IN_FAILED),
    ],
    ids=["another workspace", "cancelled", "not proven"],
)
async def test_what_slack_says_of_nobody_here_signs_nobody_in_and_leads_back(
    rig, person, claims, status, said
):
    rig.made.issuer.person, rig.made.issuer.claims = person, claims
    browser = await rig.made.browser()
    await browser.get("/ide/workspace_x/sign-in")
    assert (browser.status, escape(said) in browser.text) == (status, True)
    assert 'href="/ide/workspace_x"' in browser.text
    assert not await is_signed_in(browser, "workspace_x")


async def test_a_state_of_another_browser_signs_nobody_in(rig):
    """An attacker's finished sign-in opens nothing in a victim's browser (login CSRF)."""
    attacker, victim = await rig.made.browser(), await rig.made.browser()
    await attacker.get("/ide/workspace_x/sign-in", follow=False)
    authorize = attacker.headers["Location"]
    async with attacker.session.get(authorize, allow_redirects=False) as answer:
        back = answer.headers["Location"]
    await victim.get("/ide/workspace_x/sign-in", follow=False)
    await victim.get(back)
    assert victim.status == 403
    assert not await is_signed_in(victim, "workspace_x")
    stranger = await rig.made.browser()
    await stranger.get(back)
    assert REFUSALS["link.no_cookie"].split(".")[0] in stranger.text.replace("&#39;", "'")


async def test_a_sign_in_for_a_page_proves_no_link_and_the_other_way_round(rig):
    browser = await rig.made.browser()
    await browser.get(await rig.made.accounts.invite(ALICE, "saturn"))
    await browser.get("/ide/workspace_x/sign-in")
    assert await is_signed_in(browser, "workspace_x")
    page = await browser.get("/link")
    assert 'href="/link/sign-in?of=' in page
    await browser.get("/link/sign-in")
    assert browser.url.startswith(f"{rig.origin}/link?of=")
    assert 'name="token"' in browser.text


async def test_each_sign_in_is_a_new_session_and_ends_the_old_one(rig):
    browser = await rig.signed_in()
    before = session_of(browser)
    await browser.get("/ide/workspace_x/sign-in")
    after = session_of(browser)
    assert before != after
    assert await browser_session(rig.store, compute_digest(before), HOUR) is None
    assert await browser_session(rig.store, compute_digest(after), HOUR) is not None


async def test_an_id_that_a_browser_brings_along_becomes_no_session(rig):
    browser = await rig.made.browser()
    planted = "A" * 43
    browser.put_cookie("usher-session", planted)
    await browser.get("/ide/workspace_x/sign-in")
    assert session_of(browser) != planted
    assert await browser_session(rig.store, compute_digest(planted), HOUR) is None


async def test_a_made_up_cookie_is_none(rig):
    browser = await rig.made.browser()
    for value in ("", "x", "A" * 43, "A" * 5000, "é" * 43, '"', "%00"):
        page = await browser.get("/ide/workspace_x", headers={"Cookie": f"usher-session={value}"})
        assert (browser.status, pages.SIGN_IN_BUTTON in page) == (200, True), value


async def test_the_store_holds_no_id(rig):
    browser = await rig.signed_in()
    session_id = session_of(browser)
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", session_id)
    session = await browser_session(rig.store, compute_digest(session_id), HOUR)
    assert session_id not in repr(session)
    rows = await rig.store.engine.read(
        lambda tx: tx.all("browser_session", id_hash=session.id_hash, now=0.0, unused_since=0.0)
    )
    assert session_id not in repr(rows)


async def test_without_a_slack_client_the_page_says_what_is_missing():
    async with ide_rig(sign_in=False) as rig:
        browser = await rig.made.browser()
        page = await browser.get("/ide/workspace_x")
        assert browser.status == 404
        assert "Ask your Usher admin to set up Sign in with Slack" in page
        await browser.get("/ide/workspace_x/sign-in")
        assert browser.url == f"{rig.origin}/ide/workspace_x"


def session_of(browser):
    return next(one.value for one in browser.session.cookie_jar if one.key == "usher-session")


def test_a_mark_is_of_one_page_in_one_session():
    browsers = Browsers(public_url="https://usher.example", keys=[KEY], clock=FakeClock())

    mark = browsers.get_page_csrf_token("one", "page")
    request, foreign = (
        make_mocked_request("POST", "/ide/page/stop", headers={"Origin": origin})
        for origin in ("https://usher.example", "https://evil.example")
    )
    assert browsers.is_of_session(request, "one", "page", mark)
    assert not browsers.is_of_session(request, "two", "page", mark)
    assert not browsers.is_of_session(request, "one", "another", mark)
    assert not browsers.is_of_session(request, "one", "page", "")
    assert not browsers.is_of_session(foreign, "one", "page", mark)


async def test_a_session_ends_after_its_lifetime_however_much_it_is_used(rig):
    workspace = await rig.workspace()
    browser = await rig.signed_in(page=workspace.id)
    for _ in range(11):
        rig.clock.advance(HOUR)
        assert await is_signed_in(browser, workspace.id)
    rig.clock.advance(HOUR)
    assert not await is_signed_in(browser, workspace.id)
