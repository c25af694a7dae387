"""Attacks on signing in with the provider, and unexpected ways of returning from there."""

import asyncio
import logging

import pytest

from bot.messages.texts import pages
from bot.store import accounts, audit
from bot.support import errors
from tests.web.rig import ALICE, BOB, GOOD, rig
from tests.web.there import CODE, ENDS_AT, SigningProvider, go


@pytest.fixture(params=[True, False], ids=["slack", "code"])
async def both(request):
    """Both kinds of proof: Sign in with Slack, and a code that is typed in Slack."""
    async with there(sign_in=request.param) as made:
        yield made


@pytest.fixture
async def made():
    async with there(sign_in=True) as made:
        yield made


def there(*, sign_in):
    return rig(sign_in=sign_in, connections={"saturn": SigningProvider()})


def client(made):
    return made.context.connections["saturn"].client


async def begun(made, browser, principal=ALICE, waiting=None):
    """Go from the link in Slack to the provider's page, and return the state."""
    await browser.get(await made.accounts.invite(principal, "saturn", waiting))
    if made.context.sign_in:
        await browser.get("/link/sign-in", follow=False)
        await browser.get(browser.headers["Location"], follow=False)
        await browser.get(browser.headers["Location"], follow=False)
        assert browser.headers["Location"].startswith("/link/there?")
    return await go(made, browser)


def back(state, code=CODE, connection="saturn"):
    return f"/link/back/{connection}?state={state}&code={code}"


async def test_the_whole_way_names_both_sides_before_and_after(both, caplog):
    caplog.set_level(logging.DEBUG)
    browser = await both.browser()
    page = await browser.get(await both.accounts.invite(ALICE, "saturn"))
    for name in ("Alice Liddell", "Acme Research", "Saturn Cloud", pages.ACCOUNT_TO_COME):
        assert f"{name}</" in page
    state = await begun(both, browser, waiting={"verb": "list"})
    page = await browser.get(back(state))
    assert browser.url.startswith(f"{both.origin}/link?")
    for name in ("Alice Liddell", "Acme Research", "Saturn Cloud", "alice"):
        assert f'<dd class="large"><bdi>{name}</bdi></dd>' in page
    assert await both.store.read(accounts.list_accounts, ALICE) == []
    await browser.send("/link/confirm")
    if not both.context.sign_in:
        code = browser.text.split("<code>")[1].split("</code>")[0]
        await both.accounts.confirm_code(ALICE, code)
    (account,) = await both.store.read(accounts.list_accounts, ALICE)
    assert (account.username, account.expires_at) == ("alice", ENDS_AT)
    rows = str([dict(row) for row in await both.store.read(audit.read_audit)]) + str(account)
    for secret in (CODE, state, "own-token-of-alice"):
        assert secret not in caplog.text
        assert secret not in rows
        assert secret not in browser.text
    await browser.get(back(state))
    assert browser.status == 410


async def test_the_lasting_page_leads_through_slack_to_the_provider_and_names_both_before(made):
    browser = await made.browser()
    page = await browser.get("/link/new/saturn")
    assert "Usher shows you both accounts before it links anything." in page
    await browser.get("/link/new/saturn/sign-in", follow=False)
    await browser.get(browser.headers["Location"], follow=False)
    await browser.get(browser.headers["Location"], follow=False)
    assert browser.headers["Location"].startswith("/link/there?")
    page = await browser.get(back(await go(made, browser)))
    for name in ("Alice Liddell", "Acme Research", "Saturn Cloud", "alice"):
        assert f'<dd class="large"><bdi>{name}</bdi></dd>' in page
    assert await made.store.read(accounts.list_accounts, ALICE) == []
    await browser.send("/link/confirm")
    (account,) = await made.store.read(accounts.list_accounts, ALICE)
    assert account.username == "alice"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (lambda _: back("x"), 403),
        (lambda _: "/link/back/saturn", 403),
        (lambda state: back(state, connection="hub"), 403),
        (lambda state: f"/link/back/saturn?state={state}", 403),
        (lambda state: f"/link/back/saturn?state={state}&error=access_denied", 403),
        (lambda state: f"/link/back/saturn?state={state}&error=access_denied&code={CODE}", 403),
        (lambda state: f"/link/back/saturn?state={state}&error=invalid_scope", 502),
        (lambda state: f"/link/slack?state={state}&code={CODE}", 403),
    ],
)
async def test_what_doesnt_come_back_as_it_was_sent_is_asked_about_nowhere(both, path, status):
    browser = await both.browser()
    state = await begun(both, browser)
    await browser.get(path(state))
    assert browser.status == status
    assert client(both).asked == []
    page = await browser.get("/link")
    assert (browser.status, "Sign in to Saturn Cloud" in page) == (200, True)


async def test_another_browser_and_a_late_one_bring_nothing(both):
    """An attacker sends somebody else the code, or the page, of the attacker's own sign-in."""
    attacker, victim, stranger = [await both.browser() for _ in range(3)]
    state = await begun(both, attacker, BOB) if not both.context.sign_in else "x"
    await begun(both, victim)
    for browser in (victim, stranger):
        await browser.get(back(state))
        assert browser.status in (400, 403)
    own = await go(both, victim)
    both.clock.advance(601)
    await victim.get(back(own))
    assert victim.status == 410
    assert client(both).asked == []


async def test_a_strangers_link_leads_nobody_to_the_provider(made):
    victim = await made.browser()
    await victim.get(await made.accounts.invite(BOB, "saturn"))
    await victim.get("/link/sign-in")
    assert victim.status == 403
    await victim.get("/link/there")
    assert victim.url.startswith(f"{made.origin}/link?")
    assert "Sign in with Slack" in victim.text
    assert client(made).challenge == ""


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
async def test_no_other_page_sends_anybody_there_past_ours(site):
    """An attacker's page opens the attacker's link, and then goes to a hub that signs in without asking."""
    async with there(sign_in=False) as made:
        victim = await made.browser()
        await victim.get(await made.accounts.invite(BOB, "saturn"))
        client(made).sends_back = True
        await victim.get("/link/there", headers={"Sec-Fetch-Site": site})
        assert victim.url.startswith(f"{made.origin}/link?")
        assert "Sign in to Saturn Cloud" in victim.text
        assert (client(made).challenge, client(made).asked) == ("", [])
        await victim.get("/link/there", headers={"Sec-Fetch-Site": "same-origin"})
        assert len(client(made).asked) == 1


async def test_looks_consume_nothing_and_old_sign_ins_are_forgotten(both):
    browser = await both.browser()
    first = await begun(both, browser)
    for number in range(20):
        await browser.get("/link/there", method="HEAD" if number % 2 else "GET", follow=False)
    await browser.get(back(first))
    assert browser.status == 403
    await browser.get(back(await go(both, browser)))
    assert "own-token" not in browser.text
    assert [code for code, _ in client(both).asked] == [CODE]


async def test_the_same_answer_twice_is_taken_once(both):
    browser, twin = await both.browser(), await both.browser()
    state = await begun(both, browser)
    twin.take_cookies(browser)
    await asyncio.gather(browser.get(back(state)), twin.get(back(state)))
    assert len(client(both).asked) == 1
    for late in (browser, twin):
        await late.get(back(state))
        assert (late.status, late.url.partition("?")[0]) == (200, both.origin + "/link")
        assert "/link/confirm" in late.text
    await browser.get("/link/there")
    assert browser.url.startswith(f"{both.origin}/link?")
    assert len(client(both).asked) == 1


@pytest.mark.parametrize(
    ("error", "status", "said", "costs"),
    [
        (errors.CredentialRefused("used"), 422, "no longer accepts this sign-in", True),
        (errors.Untrusted("who?"), 502, "let Usher sign people in", True),
        (errors.Forbidden("no tokens"), 502, "let Usher create the token", True),
        (errors.ServerFailed("HTTP 502", status=502), 502, "is having problems right now", False),
        (errors.UnknownOutcome("silence"), 502, "answer. Try again in a minute", False),
        (errors.BadAnswer("odd"), 502, "sent an answer that Usher doesn", False),
        (errors.PermanentError("HTTP 302"), 502, "finish signing you in", True),
    ],
)
async def test_what_went_wrong_there_is_said_with_what_to_do(made, error, status, said, costs):
    browser = await made.browser()
    state = await begun(made, browser)
    client(made).error = error
    page = await browser.get(back(state))
    assert (browser.status, said in page) == (status, True)
    assert 'href="/link?of=' in page
    client(made).error = None
    for _ in range(4):
        client(made).error = errors.CredentialRefused("used")
        await browser.get(back(await go(made, browser)))
    client(made).error = None
    await browser.get("/link/there", follow=False)
    assert browser.status == (410 if costs else 303)


async def test_a_token_can_be_pasted_all_the_same(made):
    browser = await made.browser()
    await begun(made, browser)
    page = await browser.get("/link")
    assert "<details>" in page
    page = await browser.send("/link/check", token="00000000")
    assert (browser.status, "<details open>" in page) == (422, True)
    await browser.send("/link/check", token=GOOD)
    await browser.send("/link/confirm")
    assert [one.username for one in await made.store.read(accounts.list_accounts, ALICE)] == ["alice"]


async def test_another_account_than_so_far_is_pointed_out(made):
    browser = await made.browser()
    await browser.get(back(await begun(made, browser)))
    await browser.send("/link/confirm")
    page = await browser.get(back(await begun(made, browser), "code-of-alice-two"))
    assert "So far, your Saturn Cloud account alice is linked." in page
    await browser.send("/link/confirm")
    (account,) = await made.store.read(accounts.list_accounts, ALICE)
    assert account.username == "alice-two"
