"""Tests of guesses at a one-time link: five tokens, five codes, and no code works for anybody else."""

import asyncio

import pytest
from pydantic import SecretStr

from bot.messages.blocks.notices import render
from bot.messages.texts.refusals import explain_refusal
from bot.providers.connection import ConnectionSettings
from bot.services.message_context import Gatherer
from bot.store import accounts, audit, notices
from bot.support.errors import CredentialRefused, ProviderError, Refused, TemporaryError
from tests.handlers.rig import words
from tests.reconciler.ask_table import TABLE
from tests.rigs.store import unlink
from tests.security.codes import code_on, link, walk_to_code
from tests.web.rig import ALICE, BOB, GOOD


class OwnSettings(ConnectionSettings):
    own: SecretStr


async def test_five_tokens_can_be_tried(made):
    browser = await made.browser()
    await browser.get(await link(made))
    for left in (4, 3, 2, 1, 0):
        page = await browser.send("/link/check", token="00000000")
        assert browser.status == (422 if left else 410)
        assert ("left" in page) == (left > 0)
    await browser.send("/link/check", token=GOOD)
    assert browser.status == 403
    assert made.provider.asked == ["00000000"] * 5


async def test_many_tokens_at_once_are_five_at_most(made):
    browser = await made.browser()
    await browser.get(await link(made))
    page = browser.text
    copies = [await made.browser() for _ in range(20)]
    for copy in copies:
        copy.take_cookies(browser)
        copy.text = page
    await asyncio.gather(*(copy.send("/link/check", token="00000000") for copy in copies))
    assert len(made.provider.asked) <= 5


async def test_what_can_be_no_token_is_sent_nowhere_and_costs_no_try(made):
    browser = await made.browser()
    await browser.get(await link(made))
    for text in (
        "",
        "0123 4567",
        "0" * 5000,
        "0123456\n78",
        "\uff10\uff11\uff12\uff13" * 2,
    ):
        await browser.send("/link/check", token=text)
        assert browser.status == 422
        assert not text or text not in browser.text
    assert made.provider.asked == []
    await browser.send("/link/check", token=GOOD)
    assert browser.status == 200


async def test_what_looks_like_no_token_is_asked_about_and_hinted_at_once_it_is_refused(made):
    browser = await made.browser()
    await browser.get(await link(made))
    for text in ("xyzzy", "0123456789abcdeg"):
        await browser.send("/link/check", token=text)
        assert "look like a token" in browser.text
        # One advice is enough.
        assert "accept this token" not in browser.text
        assert "left." in browser.text
    await browser.send("/link/check", token="0" * 16)
    assert "accept this token" in browser.text
    assert "look like a token" not in browser.text
    assert made.provider.asked == ["xyzzy", "0123456789abcdeg", "0" * 16]
    # A server's own tokens may have 287 or 582 characters.
    for length in (287, 582):
        made.provider.usernames["J" * length] = "alice"
        await browser.send("/link/check", token="J" * length)
        assert browser.status == 200
        await browser.send("/link/again")


async def test_five_codes_can_be_tried(made):
    code = await walk_to_code(made, await made.browser())
    for _ in range(5):
        with pytest.raises(Refused) as refused:
            await made.accounts.confirm_code(ALICE, "BBBB-BBBB")
        assert refused.value.rule == "code.wrong"
    with pytest.raises(Refused) as refused:
        await made.accounts.confirm_code(ALICE, code)
    assert refused.value.rule == "code.none"
    assert "/workspace link" in explain_refusal(refused.value)
    assert await made.store.read(accounts.list_accounts, ALICE) == []


async def test_many_codes_at_once_are_five_at_most(made):
    await walk_to_code(made, await made.browser())
    results = await asyncio.gather(
        *(made.accounts.confirm_code(ALICE, "BBBB-BBBB") for _ in range(30)), return_exceptions=True
    )
    rules = [result.rule for result in results]
    assert rules.count("code.wrong") <= 5


async def test_a_code_is_good_for_ten_minutes_and_once(made):
    browser = await made.browser()
    code = await walk_to_code(made, browser)
    made.clock.advance(599)
    await made.accounts.confirm_code(ALICE, code)
    with pytest.raises(Refused, match=r"code\.none"):
        await made.accounts.confirm_code(ALICE, code)
    code = await walk_to_code(made, browser)
    made.clock.advance(601)
    with pytest.raises(Refused, match=r"code\.none"):
        await made.accounts.confirm_code(ALICE, code)


async def test_a_code_works_for_nobody_else(made):
    """A victim completes the attacker's link.

    When the victim types the code that the page shows, nothing is linked.
    """
    code = await walk_to_code(made, await made.browser())
    with pytest.raises(Refused, match=r"code\.none"):
        await made.accounts.confirm_code(BOB, code)
    assert await made.store.read(accounts.list_accounts, BOB) == []


@pytest.mark.parametrize(
    "token", ["xoxb-123-canary", "xapp-1-A0-canary", "xoxe.xoxp-1-canary", "0dd0canary0own"]
)
async def test_tokens_of_slack_and_of_the_connection_are_sent_nowhere(made, token):
    provider = made.provider
    provider.settings = OwnSettings(
        name="saturn",
        provider="fake",
        title="Saturn Cloud",
        base_url="https://app.example",
        own="0dd0canary0own",
    )
    browser = await made.browser()
    await browser.get(await link(made))
    page = await browser.send("/link/check", token=f" '{token}' ")
    assert browser.status == 422
    assert ("a Slack token" if token[0] == "x" else "Usher itself uses") in page
    assert "canary" not in page
    assert provider.asked == []
    assert (ALICE.key, "link.check", "refused") in await made.audit()


async def test_an_account_of_somebody_else_is_refused(made):
    alice, bob = await made.browser(), await made.browser()
    await made.accounts.confirm_code(ALICE, await walk_to_code(made, alice))
    await bob.get(await link(made, BOB))
    await bob.send("/link/check", token=GOOD)
    code = code_on(await bob.send("/link/confirm"))
    with pytest.raises(Refused) as refused:
        await made.accounts.confirm_code(BOB, code)
    assert refused.value.rule == "link.taken"
    assert (BOB.key, "account.linked", "taken") in await made.audit()
    # Alice, whose account this is, is told only once, even if Bob tries again with the same link.
    with pytest.raises(Refused):
        await made.accounts.confirm_code(BOB, code)
    claimed = await made.store.perform(notices.claim_notices, 50, 30.0, [0, 1, 2, 3])
    told = [each for each in claimed if each.occasion.startswith("tried:")]
    assert {each.principal for each in told} == {ALICE}
    gatherer = Gatherer(made.context)
    assert [words(render(each.kind, await gatherer.describe_notice(each))) for each in told] == [
        (
            "<@U0BOB> tried to link your Saturn Cloud account *alice*, with a token that works. I refused, "
            "and your link stays as it is. If they shouldn't have your token, replace it there and then "
            "link again."
        )
    ]
    await unlink(made.store, ALICE, revocable=["saturn"], says=True)
    assert (await made.accounts.confirm_code(BOB, code)).username == "alice"


async def test_a_connection_that_was_taken_away_says_so(made):
    browser = await made.browser()
    await browser.get(await link(made))
    made.context.connections.pop("saturn")
    page = await browser.send("/link/check", token=GOOD)
    assert browser.status == 410
    assert "/workspace link" in page


async def test_every_error_of_a_provider_is_said_and_only_a_final_one_costs_a_try(made):
    browser = await made.browser()
    for kind in (one for one in TABLE if issubclass(one, ProviderError)):
        await browser.get(await link(made))
        made.provider.error = kind()
        page = await browser.send("/link/check", token=GOOD)
        assert browser.status == 422, kind
        assert "Saturn Cloud" in page
        assert GOOD not in page
        row = (await made.store.read(audit.read_audit))[-1]
        assert (row["action"], row["result"]) == ("link.check", "refused")
        assert kind.__name__ in str(row["detail"])
        made.provider.error = CredentialRefused()
        page = await browser.send("/link/check", token=GOOD)
        assert f"{4 if issubclass(kind, TemporaryError) else 3} tries are left" in page, kind
        assert await made.store.read(accounts.list_accounts, ALICE) == []
