"""Attacks on the one-time link when Sign in with Slack proves who the person is."""

import re
from typing import Any

import pytest
from aiohttp import web

from bot.domain.installations import Installation
from bot.domain.notices import NoticeKind
from bot.domain.people import Person
from bot.messages.texts import pages
from bot.store import accounts, notices, tasks
from tests.rigs.store import link_account
from tests.web import signed
from tests.web.rig import ALICE, BOB, GOOD, rig


@pytest.fixture
async def made():
    async with rig(sign_in=True) as made:
        yield made


async def signed_in(made, browser, principal=ALICE, waiting=None):
    await browser.get(await made.accounts.invite(principal, "saturn", waiting))
    return await browser.get("/link/sign-in")


async def test_the_whole_way_with_sign_in(made):
    browser = await made.browser()
    page = await browser.get(await made.accounts.invite(ALICE, "saturn", {"verb": "list"}))
    assert "Sign in with Slack" in page
    assert 'name="token"' not in page
    page = await browser.get("/link/sign-in")
    assert browser.url.startswith(f"{made.origin}/link?of=")
    assert 'name="token"' in page
    await browser.send("/link/check", token=GOOD)
    page = await browser.send("/link/confirm")
    assert browser.status == 200
    assert "is linked as alice" in page
    assert "<code>" not in page
    (account,) = await made.store.read(accounts.list_accounts, ALICE)
    assert account.username == "alice"
    assert made.issuer.asked == ["T0HOME", "keys"]
    (notice,) = await made.store.perform(notices.claim_notices, 10, 60)
    assert notice.kind == NoticeKind.LINKED
    (task,) = await made.store.claim(tasks.claim_tasks, 10, 60)
    assert task.payload == {"then": [{"verb": "list", "principal": ALICE.key}]}
    assert [action for _actor, action, _result in await made.audit()] == [
        "link.invited",
        "link.sign_in",
        "link.check",
        "account.linked",
    ]
    await browser.get("/link")
    assert browser.status == 410


async def test_the_attackers_link_in_a_victims_hands_links_nothing(made):
    """There are two cookie jars: Bob sends his link to Alice, who signs in as herself."""
    victim = await made.browser()
    page = await signed_in(made, victim, BOB)
    assert victim.status == 403
    assert "belongs to Bob in Acme Research" in page
    assert "Go back" in page
    await victim.send("/link/check", token=GOOD)
    assert victim.status == 403
    assert made.provider.asked == []
    assert await made.store.read(accounts.list_accounts, BOB) == []
    assert await made.store.read(accounts.list_accounts, ALICE) == []
    assert await made.audit() == [
        (BOB.key, "link.invited", "ok"),
        (BOB.key, "link.sign_in", "mismatch"),
        (ALICE.key, "link.sign_in", "mismatch"),
    ]


async def test_who_signed_in_as_somebody_else_can_go_back_and_sign_in_again(made):
    browser = await made.browser()
    made.issuer.person = ("T0HOME", "U0BOB")
    page = await signed_in(made, browser)
    assert browser.status == 403
    back = re.search(r'href="(/link\?of=[0-9a-f]+)">Go back<', page)
    assert back is not None
    assert "Sign in with Slack" in await browser.get(back[1])
    made.issuer.person = ("T0HOME", "U0ALICE")
    assert 'name="token"' in await browser.get(back[1].replace("/link?", "/link/sign-in?"))


async def test_who_is_told_that_the_account_is_taken_can_use_another_token(made):
    await link_account(made.store, BOB, "saturn", username="alice", link_source="token")
    browser = await made.browser()
    await signed_in(made, browser)
    await browser.send("/link/check", token=GOOD)
    page = await browser.send("/link/confirm")
    assert browser.status == 409
    back = re.search(r'href="(/link\?of=[0-9a-f]+)">Go back<', page)
    assert back is not None
    assert "Use another token" in await browser.get(back[1])


@pytest.mark.parametrize("person", [("T0OTHER", "U0ALICE"), ("T0HOME", "U0ALICE2"), ("t0home", "u0alice")])
async def test_nobody_but_the_same_user_in_the_same_team(made, person):
    made.issuer.person = person
    browser = await made.browser()
    await signed_in(made, browser)
    assert browser.status == 403


async def test_the_proof_of_one_browser_is_none_of_another(made):
    url = await made.accounts.invite(ALICE, "saturn")
    alice, thief = await made.browser(), await made.browser()
    await alice.get(url)
    await alice.get("/link/sign-in")
    page = await thief.get(url)
    assert 'name="token"' not in page
    thief.text = alice.text
    await thief.send("/link/check", token=GOOD)
    assert thief.status == 403
    # An unproven browser can't continue, even with its own form mark.
    mark = thief_mark(made, thief)
    for path in ("/link/check", "/link/confirm", "/link/again"):
        await thief.send(path, form=mark, token=GOOD)
        assert thief.status == 403
    assert made.provider.asked == []


def thief_mark(made, browser):
    from bot.services.linking import Visit
    from bot.web.browsers import Browsers
    from tests.web.rig import KEY

    browsers = Browsers(public_url=made.origin, keys=[KEY], clock=made.clock)
    cookie = next(iter(browser.session.cookie_jar))
    (content,) = browsers._signer.loads(cookie.value)
    return browsers.get_csrf_token(Visit(content["n"], content["b"]))


async def test_a_second_browser_of_the_same_person_starts_over(made):
    url = await made.accounts.invite(ALICE, "saturn")
    phone, desk = await made.browser(), await made.browser()
    await phone.get(url)
    await phone.get("/link/sign-in")
    await phone.send("/link/check", token=GOOD)
    await desk.get(url)
    page = await desk.get("/link/sign-in")
    # A token pasted in another browser is forgotten. It isn't shown for confirmation here.
    assert 'name="token"' in page
    await phone.send("/link/confirm")
    assert phone.status == 403
    await desk.send("/link/check", token=GOOD)
    await desk.send("/link/confirm")
    assert desk.status == 200


async def test_cancelling_at_slack_leaves_everything_as_it_was(made):
    made.issuer.person = None
    browser = await made.browser()
    page = await signed_in(made, browser)
    assert browser.status == 403
    assert "finish signing in with Slack" in page
    made.issuer.person = ("T0HOME", "U0ALICE")
    assert 'name="token"' in await browser.get("/link/sign-in")


#: Answers of Slack's that don't prove anything, by what the issuer changes.
LIES: dict[str, dict[str, Any]] = {
    "another nonce": {"claims": {"nonce": "another"}},
    "no nonce": {"claims": {"nonce": None}},
    "a nonce of number": {"claims": {"nonce": 5}},
    "another audience": {"claims": {"aud": "9.9"}},
    "one more audience": {"claims": {"aud": ["1.2", "9.9"]}},
    "no audience": {"claims": {"aud": None}},
    "another issuer": {"claims": {"iss": "https://slack.com.evil.example"}},
    "expired": {"claims": {"exp": 1_800_000_000 - 61}},
    "no end": {"claims": {"exp": None}},
    "an end that is true": {"claims": {"exp": True}},
    "an end in words": {"claims": {"exp": "tomorrow"}},
    "issued tomorrow": {"claims": {"iat": 1_800_086_400}},
    "no team": {"claims": {"https://slack.com/team_id": None}},
    "no user": {"claims": {"https://slack.com/user_id": ""}},
    "a user that is a list": {"claims": {"https://slack.com/user_id": ["U0ALICE"]}},
    "no algorithm": {"header": {"alg": "none"}},
    "no algorithm named": {"header": {"alg": None}},
    "a symmetric algorithm": {"header": {"alg": "HS256"}},
    "another key": {"signed_by": "stranger"},
    "another key's name": {"header": {"kid": "curve"}},
    "no key's name": {"header": {"kid": None}},
    "an issuer in a list": {"claims": {"iss": ["https://slack.com"]}},
    "an end that is no number": {"claims": {"exp": float("nan")}},
    "a rule that nobody knows": {"header": {"crit": ["x"], "x": 1}},
    "a key for sealing": {"published": ["sealing"], "signed_by": "sealing", "header": {"kid": "sealing"}},
    "a weak key": {"published": ["weak"], "signed_by": "weak", "header": {"kid": "weak"}},
}


@pytest.mark.parametrize("name", LIES)
async def test_an_identity_that_slack_did_not_prove_is_none(made, name):
    for attribute, value in LIES[name].items():
        setattr(made.issuer, attribute, value)
    browser = await made.browser()
    page = await signed_in(made, browser)
    assert browser.status == 502
    assert "be used. Nothing was linked" in page
    assert 'name="token"' not in await browser.get("/link")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, "not JSON"),
        (200, "null"),
        (200, '{"ok": false, "error": "invalid_code"}'),
        (200, '{"ok": true}'),
        (200, '{"ok": true, "id_token": 5}'),
        (200, '{"ok": true, "id_token": "a.b"}'),
        (200, '{"ok": true, "id_token": "a.b.c"}'),
        (200, '{"ok": true, "id_token": "bnVsbA.bnVsbA.bnVsbA"}'),
        (200, '{"ok": true, "id_token": "W10.W10.W10"}'),
        (200, '{"ok": true, "id_token": "' + "W1tb" * 30_000 + '.e30.e30"}'),
        (200, '{"ok": true, "id_token": "é.é.é"}'),
        (302, ""),
        (500, "<html>"),
    ],
)
async def test_whatever_slack_answers_there_is_a_page(made, status, body):
    made.issuer.answer = web.Response(status=status, text=body, headers={"Location": "/elsewhere"})
    browser = await made.browser()
    await signed_in(made, browser)
    assert browser.status == 502


async def test_a_state_that_this_browser_did_not_begin_is_refused(made):
    browser, other = await made.browser(), await made.browser()
    await other.get(await made.accounts.invite(BOB, "saturn"))
    await other.get("/link/sign-in", follow=False)
    await browser.get(await made.accounts.invite(ALICE, "saturn"))
    await browser.get("/link/slack?state=x&code=y")
    assert browser.status == 403
    await browser.get("/link/sign-in", follow=False)
    await browser.get("/link/slack?state=x&code=y")
    assert browser.status == 403
    await browser.get("/link/slack")
    assert browser.status == 403


async def test_a_sign_in_comes_back_once_and_within_ten_minutes(made):
    browser = await made.browser()
    for seconds, status in ((600, 403), (599, 303)):
        await browser.get(await made.accounts.invite(ALICE, "saturn"))
        await browser.get("/link/sign-in", follow=False)
        await browser.get(browser.headers["Location"], follow=False)
        back = browser.headers["Location"]
        made.clock.advance(seconds)
        await browser.get(back, follow=False)
        assert browser.status == status
    await browser.get(back)
    assert browser.status == 403


async def test_keys_are_asked_for_once_a_minute_at_most(made):
    browser = await made.browser()
    await signed_in(made, browser)
    made.issuer.header = {"kid": "unknown"}
    for _ in range(3):
        await signed_in(made, browser)
        assert browser.status == 502
    assert made.issuer.asked.count("keys") == 1
    made.clock.advance(60)
    made.issuer.header, made.issuer.signed_by = {"kid": "new"}, "new"
    made.issuer.published = ["new"]
    await signed_in(made, browser)
    assert browser.status == 200
    assert made.issuer.asked.count("keys") == 2


async def test_who_has_left_links_nothing(made):
    browser = await made.browser()
    await signed_in(made, browser)
    await browser.send("/link/check", token=GOOD)
    made.clock.advance(1)
    await made.store.save_people([Person(ALICE, "Alice Liddell", is_deleted=True, seen_at=made.clock.now())])
    await browser.send("/link/confirm")
    assert browser.status == 403
    assert await made.store.read(accounts.list_accounts, ALICE) == []


@pytest.mark.parametrize("is_silent", [False, True])
async def test_who_is_not_known_by_then_is_asked_about_and_a_guest_links_nothing(made, is_silent):
    browser = await made.browser()
    await signed_in(made, browser)
    await browser.send("/link/check", token=GOOD)
    # A row with a time from another clock isn't certain enough to change anything.
    await made.store.save_people([Person(ALICE, "Alice Liddell", seen_at=made.clock.now() + 1e6)])
    made.people.silent, made.people.marks[ALICE.user_id] = is_silent, {"is_guest": True}
    said = await browser.send("/link/confirm")
    assert browser.status == 403
    assert (
        pages.POLICY["policy.unknown_person" if is_silent else "policy.guest"].replace("'", "&#39;") in said
    )
    assert await made.store.read(accounts.list_accounts, ALICE) == []


async def test_in_an_organisation_enterprise_and_user_are_compared():
    from bot.domain.people import Principal

    carol = Principal("E0ORG", "T0HOME", "U0CAROL")
    home = Installation(signed.TEAM, "E0ORG", is_org_wide=True)
    async with rig(sign_in=True, installation=home) as made:
        made.issuer.person = ("T0SIBLING", "U0CAROL")
        browser = await made.browser()
        await signed_in(made, browser, carol)
        assert browser.status == 403
        made.issuer.claims = {"https://slack.com/enterprise_id": "E0ORG"}
        await signed_in(made, browser, carol)
        assert browser.status == 200
        # If Slack leaves out the organisation, Usher checks Slack's list of the organisation's workspaces.
        # If Slack doesn't answer, the sign-in fails.
        made.people.enterprises["T0SIBLING"] = "E0ORG"
        for unnamed in ({}, {"https://slack.com/enterprise_id": ""}):
            made.issuer.claims = unnamed
            await signed_in(made, browser, carol)
            assert browser.status == 200
        made.people.silent = True
        await signed_in(made, browser, carol)
        assert browser.status == 502
        made.people.silent = False
        await signed_in(made, browser, ALICE)
        assert browser.status == 403


# -- the permanent page of a connection, behind the buttons on Home and in messages ----------------------


async def test_the_lasting_page_links_the_account_of_whoever_signs_in(made):
    browser = await made.browser()
    for _ in range(3):
        page = await browser.get("/link/new/saturn")
    assert (browser.status, 'href="/link/new/saturn/sign-in"' in page) == (200, True)
    assert await made.audit() == [], "looking is free"
    page = await browser.get("/link/new/saturn/sign-in")
    assert browser.url.startswith(f"{made.origin}/link?of=")
    assert 'name="token"' in page
    await browser.send("/link/check", token=GOOD)
    page = await browser.send("/link/confirm")
    assert "is linked as alice" in page
    (account,) = await made.store.read(accounts.list_accounts, ALICE)
    assert account.username == "alice"
    assert [(who, action) for who, action, _result in await made.audit()] == [
        (ALICE.key, "link.invited"),
        (ALICE.key, "link.sign_in"),
        (ALICE.key, "link.check"),
        (ALICE.key, "account.linked"),
    ]


async def test_what_waits_for_the_link_is_carried_on_after_the_lasting_page_once(made):
    await made.accounts.invite(ALICE, "saturn", {"text": "start notebook"})
    await made.accounts.invite(BOB, "saturn", {"text": "stop notebook"})
    browser = await made.browser()
    # Signing in twice, as when somebody presses *Back*, loses nothing.
    await browser.get("/link/new/saturn/sign-in")
    await browser.get("/link/new/saturn/sign-in")
    await browser.send("/link/check", token=GOOD)
    await browser.send("/link/confirm")
    assert browser.status == 200
    (task,) = await made.store.claim(tasks.claim_tasks, 10, 60)
    assert task.payload == {"then": [{"text": "start notebook", "principal": ALICE.key}]}


async def test_all_that_waits_for_a_link_is_carried_on_in_its_order(made):
    for text in ("list", "start notebook", "hours", "list"):
        await made.accounts.invite(ALICE, "saturn", {"text": text})
        made.clock.advance(1)
    browser = await made.browser()
    await browser.get("/link/new/saturn/sign-in")
    await browser.send("/link/check", token=GOOD)
    await browser.send("/link/confirm")
    assert browser.status == 200
    (task,) = await made.store.claim(tasks.claim_tasks, 10, 60)
    assert task.payload == {
        "then": [{"text": text, "principal": ALICE.key} for text in ("start notebook", "hours", "list")]
    }


async def test_a_request_of_long_ago_isnt_carried_on_by_the_lasting_page(made):
    await made.accounts.invite(ALICE, "saturn", {"text": "start notebook"})
    made.clock.advance(601)
    browser = await made.browser()
    await browser.get("/link/new/saturn/sign-in")
    await browser.send("/link/check", token=GOOD)
    await browser.send("/link/confirm")
    assert browser.status == 200
    (task,) = await made.store.claim(tasks.claim_tasks, 10, 60)
    assert task.payload == {"then": []}


async def test_the_lasting_page_says_nothing_of_connections_to_a_stranger(made):
    browser = await made.browser()
    known, unknown = [
        (await browser.get(f"/link/new/{name}")).replace(name, "it") for name in ("saturn", "nowhere")
    ]
    assert known == unknown
    assert "Saturn" not in known
    page = await browser.get("/link/new/nowhere/sign-in")
    assert browser.status == 400
    assert 'name="token"' not in page
    assert await made.audit() == []


@pytest.mark.parametrize("person", [None, ("T0OTHER", "U0ALICE")])
async def test_nobody_from_elsewhere_gets_a_link_from_the_lasting_page(made, person):
    made.issuer.person = person
    browser = await made.browser()
    page = await browser.get("/link/new/saturn/sign-in")
    assert browser.status in {400, 403}
    assert 'name="token"' not in page
    await browser.get("/link")
    assert browser.status == 400
    assert "link.invited" not in str(await made.audit())


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
async def test_no_other_site_begins_a_sign_in_on_the_lasting_page(made, site):
    browser = await made.browser()
    await browser.get("/link/new/saturn/sign-in", headers={"Sec-Fetch-Site": site}, follow=False)
    assert (browser.status, browser.headers["Location"]) == (303, "/link/new/saturn")
    assert "Set-Cookie" not in browser.headers


async def test_a_sign_in_that_another_browser_began_opens_no_link(made):
    attacker, victim = await made.browser(), await made.browser()
    await attacker.get("/link/new/saturn/sign-in", follow=False)
    async with attacker.session.get(attacker.headers["Location"], allow_redirects=False) as answer:
        back = answer.headers["Location"]
    await victim.get("/link/new/saturn/sign-in", follow=False)
    await victim.get(back)
    assert victim.status in {400, 403}
    assert await made.audit() == []


async def test_without_sign_in_there_is_no_lasting_page():
    async with rig(sign_in=False) as plain:
        browser = await plain.browser()
        for path in ("/link/new/saturn", "/link/new/saturn/sign-in"):
            await browser.get(path)
            assert browser.status == 404
