"""Attacks on the one-time link whose code is typed in Slack."""

import asyncio
import logging

import pytest

from bot.domain.notices import NoticeKind
from bot.domain.workspaces import State
from bot.services.linking import compute_digest
from bot.store import accounts, audit, discovered, notices, tasks, workspaces
from bot.web.app import without_secrets
from tests.rigs.store import hold, listed_workspace
from tests.security.codes import code_on, link
from tests.web.rig import ALICE, BOB, GOOD, Inputs


async def test_the_whole_way_with_the_code_typed_back(made):
    waiting = {"verb": "start", "text": "notebook", "principal": ALICE.key}
    browser = await made.browser()
    page = await browser.get(await link(made, waiting=waiting))
    assert browser.url.startswith(f"{made.origin}/link?of=")
    assert browser.status == 200
    for name in ("Alice Liddell", "Acme Research", "Saturn Cloud"):
        assert f'<dd class="large"><bdi>{name}</bdi></dd>' in page
    page = await browser.send("/link/check", token=f' "{GOOD}"\n')
    assert browser.url.startswith(f"{made.origin}/link?of=")
    assert '<dd class="large"><bdi>alice</bdi></dd>' in page
    assert await made.store.read(accounts.list_accounts, ALICE) == []
    code = code_on(await browser.send("/link/confirm"))
    assert browser.status == 200
    assert await made.store.read(accounts.list_accounts, ALICE) == []
    assert "shown once" in await browser.get("/link")
    account = await made.accounts.confirm_code(ALICE, code.lower().replace("-", " "))
    assert [one.id for one in await made.store.read(accounts.list_accounts, ALICE)] == [account.id]
    assert (account.username, account.state) == ("alice", "active")
    (notice,) = await made.store.perform(notices.claim_notices, 10, 60)
    assert (notice.kind, notice.principal) == (NoticeKind.LINKED, ALICE)
    assert notice.body["username"] == "alice"
    (task,) = await made.store.claim(tasks.claim_tasks, 10, 60)
    assert (task.kind, task.subject, task.payload) == ("discover", account.id, {"then": [waiting]})
    assert made.woken
    key = ALICE.key
    assert await made.audit() == [
        (key, "link.invited", "ok"),
        (key, "link.check", "ok"),
        (key, "link.confirmed", "ok"),
        (key, "account.linked", "ok"),
    ]


async def test_a_hundred_looks_consume_nothing_then_one_form_does(made):
    url = await link(made)
    strangers = [await made.browser() for _ in range(4)]
    for number in range(100):
        await strangers[number % 4].get(url, method="HEAD" if number % 2 else "GET")
    browser = await made.browser()
    await browser.get(url)
    await browser.send("/link/check", token=GOOD)
    confirm = browser.text
    await browser.send("/link/confirm")
    assert browser.status == 200
    browser.text = confirm
    page = await browser.send("/link/confirm")
    assert browser.status == 410
    assert "/workspace link Saturn Cloud" in page


async def test_a_link_opened_again_goes_on_in_the_same_browser(made):
    """As when somebody goes back to Slack and presses the link's button once more."""
    url = await link(made)
    browser = await made.browser()
    tab = await browser.get(url)
    await browser.get(url)
    browser.text = tab
    await browser.send("/link/check", token=GOOD)
    await browser.get(url)
    assert (browser.status, "/link/confirm" in browser.text) == (200, True)
    await browser.send("/link/confirm")
    assert "Enter your code in Slack" in await browser.get(url)


async def test_the_address_of_a_forms_answer_can_be_opened_again(made):
    """A browser does this when it is restarted and restores the pages that were open."""
    browser = await made.browser()
    await browser.get(await link(made))
    await browser.send("/link/check", token="0" * 16)
    assert browser.status == 422
    assert 'name="token"' in await browser.get("/link/check")
    await browser.send("/link/check", token=GOOD)
    await browser.send("/link/confirm")
    assert "Enter your code in Slack" in await browser.get("/link/confirm")
    assert browser.status == 200


async def test_of_many_confirmations_at_once_one_counts(made):
    browser = await made.browser()
    await browser.get(await link(made))
    confirm = await browser.send("/link/check", token=GOOD)
    copies = [await made.browser() for _ in range(10)]
    for copy in copies:
        copy.take_cookies(browser)
        copy.text = confirm
    await asyncio.gather(*(copy.send("/link/confirm") for copy in copies))
    assert sorted(copy.status for copy in copies) == [200] + [410] * 9


async def test_an_expired_link_says_what_to_type(made):
    browser = await made.browser()
    await browser.get(await link(made))
    made.clock.advance(601)
    page = await browser.send("/link/check", token=GOOD)
    assert browser.status == 410
    assert "/workspace link Saturn Cloud" in page
    assert made.provider.asked == []


async def test_a_newer_link_ends_the_older(made):
    older, newer = await link(made), await link(made)
    browser = await made.browser()
    await browser.get(older)
    assert browser.status == 410
    await browser.get(newer)
    assert browser.status == 200


async def test_an_invented_nonce_opens_nothing(made):
    for nonce in ("x", "A" * 43, "A" * 42 + "%00", "%F0%9F%8E%89" * 10, "a" * 3000):
        browser = await made.browser()
        page = await browser.get(f"/link/{nonce}")
        assert browser.status in (400, 404), nonce
        assert "/workspace link" in page


async def test_a_nonce_with_a_changed_last_letter_opens_nothing(made):
    url = await link(made)
    browser = await made.browser()
    for last in "AEIMQUYcgkosw048":
        if url[-1] != last:
            await browser.get(url[:-1] + last)
            assert browser.status == 404


async def test_tampered_cookies_are_no_cookies(made):
    browser = await made.browser()
    await browser.get(await link(made))
    (cookie,) = browser.session.cookie_jar
    for value in (cookie.value[:-2] + "AA", "x", "", cookie.value.split(".")[0], "e30." + "A" * 43):
        browser.put_cookie(cookie.key, value)
        await browser.get("/link")
        assert browser.status == 400


async def test_another_browser_can_not_go_on(made):
    url = await link(made)
    alice, thief = await made.browser(), await made.browser()
    await alice.get(url)
    await alice.send("/link/check", token=GOOD)
    await thief.get(url)
    assert thief.status == 403
    thief.text = alice.text
    await thief.send("/link/confirm")
    assert thief.status == 403


async def test_a_form_from_elsewhere_is_refused(made):
    browser = await made.browser()
    url = await link(made)
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {},
    ):
        await browser.get(url)
        await browser.send("/link/check", token=GOOD, headers=headers)
        assert browser.status == 403, headers
    assert made.provider.asked == []


async def test_a_form_needs_the_mark_of_this_browser_and_link(made):
    alice, bob = await made.browser(), await made.browser()
    await alice.get(await link(made))
    await bob.get(await link(made, BOB))
    for mark in ("", "0" * 64, bob.text.split('name="form" value="')[1][:64]):
        await alice.send("/link/check", token=GOOD, form=mark)
        assert alice.status == 403
        await alice.get("/link")
    assert made.provider.asked == []


async def test_links_in_tabs_side_by_side_do_not_mix(made):
    browser = await made.browser()
    tabs = {}
    for person in (ALICE, BOB):
        page = await browser.get(await link(made, person))
        tabs[person] = (browser.url, page)
    for person in (ALICE, BOB):
        url, page = tabs[person]
        assert Inputs(await browser.get(url)).forms == Inputs(page).forms
    # The first tab's form is sent after the second tab was opened, but it is still about the first tab's
    # link.
    browser.text = tabs[ALICE][1]
    await browser.send("/link/check", token=GOOD)
    assert browser.url == tabs[ALICE][0]
    assert "Alice Liddell" in browser.text
    assert 'name="token"' in await browser.get(tabs[BOB][0])
    # A browser's open links are limited, and the oldest one is forgotten.
    for _ in range(3):
        await browser.get(await link(made, BOB))
    assert "/link/confirm" not in await browser.get(tabs[ALICE][0])
    assert browser.status == 400


async def test_a_confirmation_is_good_for_the_token_that_was_shown(made):
    browser = await made.browser()
    await browser.get(await link(made))
    shown = await browser.send("/link/check", token=GOOD)
    page = await browser.send("/link/again")
    # At this point no account is checked, so there is nothing to confirm, even with the mark of an empty
    # secret.
    mark = Inputs(page).forms["/link/check"]["form"]
    await browser.send("/link/confirm", account=compute_digest("")[:16], form=mark)
    assert browser.status == 409
    browser.text = page
    await browser.send("/link/check", token="fedcba9876543210")
    browser.text = shown
    await browser.send("/link/confirm")
    assert browser.status == 409


async def test_no_log_and_no_row_holds_nonce_token_or_code(made, caplog):
    caplog.set_level(logging.DEBUG)
    url = await link(made)
    nonce = url.rpartition("/")[2]
    browser = await made.browser()
    await browser.get(url)
    assert nonce not in browser.text
    assert browser.headers["Referrer-Policy"] == "no-referrer"
    assert browser.headers["Cache-Control"] == "no-store"
    await browser.send("/link/check", token=GOOD)
    assert GOOD not in browser.text
    code = code_on(await browser.send("/link/confirm"))
    await made.accounts.confirm_code(ALICE, code)
    rows = str([dict(row) for row in await made.store.read(audit.read_audit)])
    rows += str(await made.store.read(accounts.list_accounts, ALICE))
    for secret in (nonce, GOOD, code, code.replace("-", "")):
        # This test's client doesn't log anything. The log is that of Usher and the server.
        assert secret not in caplog.text
        assert secret not in rows


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ("/link/" + "A" * 43, "/link/…"),
        ("/link/" + "A" * 43 + "/more", "/link/…"),
        ("//link//" + "A" * 43, "//link//…"),
        ("/LINK/" + "A" * 43, "/LINK/…"),
        ("/link/\n" + "A" * 43, "/link/…"),
        ("/link/check", "/link/check"),
        ("/link/slack", "/link/slack"),
        ("/link", "/link"),
        ("/healthz", "/healthz"),
        ("/" + "x" * 500, "/" + "x" * 199),
    ],
)
def test_the_access_log_leaves_out_what_follows_link(path, logged):
    assert without_secrets(path) == logged


async def test_who_was_renamed_there_finds_what_they_had_once_the_new_name_is_linked(made):
    async def links(token):
        browser = await made.browser()
        await browser.get(await link(made))
        await browser.send("/link/check", token=token)
        await made.accounts.confirm_code(ALICE, code_on(await browser.send("/link/confirm")))
        return await made.store.read(accounts.find_account, ALICE, "saturn")

    former = await links(GOOD)
    found = listed_workspace("alice/training", "saturn#alice/training", "training", State.RUNNING)
    await made.store.perform(discovered.merge_discovered, former.id, [found])
    assert await hold(made.store, former, "alice-two")
    assert (await links("fedcba9876543210")).username == "alice-two"
    (row,) = await made.store.perform(workspaces.read_workspaces, ALICE)
    assert (row.name, row.remote_id, row.gate_key) == ("training", "alice-two/training", "alice-two/training")
