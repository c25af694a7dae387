"""Tests of a link whose token was given in a terminal: it needs the usual proof, and is erased if unused."""

import dataclasses

import pytest
from pydantic import SecretStr

from bot.providers.base import Credential
from bot.services import linking
from bot.services.caller import Caller
from bot.services.linking import CODE_SECONDS, LINK_SECONDS, compute_digest
from bot.store import accounts, links
from tests.web.rig import ALICE, BOB, GOOD, rig


async def waiting(world):
    """Have Alice's checked account wait for its proof, and return the address of its link."""
    identity = await world.provider.check_credential(Credential(SecretStr(GOOD)))
    return await Caller(world.context, ALICE).run(linking.wait_for_proof, "saturn", identity, GOOD)


async def row(world, url):
    return await world.store.read(links.find_link, compute_digest(url.rpartition("/")[2]))


async def test_a_code_typed_in_slack_is_the_proof_and_nobody_types_the_token_again():
    async with rig() as world:
        url = await waiting(world)
        sealed = await row(world, url)
        assert sealed.secret is not None
        assert GOOD not in repr(dataclasses.asdict(sealed))
        browser = await world.browser()
        page = await browser.get(url)
        assert "Alice Liddell" in page
        assert "alice" in page
        assert 'name="token"' not in page
        assert await world.store.read(accounts.find_account, ALICE, "saturn") is None
        page = await browser.send("/link/confirm")
        code = page.partition("<code>")[2].partition("</code>")[0]
        # After a confirmation in this browser, the link doesn't show the code in another.
        assert code not in await (await world.browser()).get(url)
        account = await world.accounts.confirm_code(ALICE, code)
        assert (account.username, account.link_source, account.is_proven) == ("alice", "token", True)
        assert (await row(world, url)).secret is None


async def test_a_sign_in_with_slack_is_the_proof_and_somebody_elses_is_none():
    async with rig(sign_in=True) as world:
        url = await waiting(world)
        stranger, own = await world.browser(), await world.browser()
        world.issuer.person = ("T0HOME", BOB.user_id)
        await stranger.get(url)
        await stranger.get("/link/sign-in")
        assert stranger.status == 403
        assert (await row(world, url)).stage == "checked"
        world.issuer.person = ("T0HOME", ALICE.user_id)
        await own.get(url)
        page = await own.get("/link/sign-in")
        assert 'name="token"' not in page
        await own.send("/link/confirm")
        account = await world.store.read(accounts.find_account, ALICE, "saturn")
        assert (account.username, account.is_proven) == ("alice", True)


async def test_a_proof_in_another_browser_discards_what_was_checked_in_one():
    async with rig(sign_in=True) as world:
        url = await waiting(world)
        world.issuer.person = ("T0HOME", ALICE.user_id)
        for _ in range(2):
            browser = await world.browser()
            await browser.get(url)
            page = await browser.get("/link/sign-in")
        assert 'name="token"' in page
        assert (await row(world, url)).secret is None


@pytest.mark.parametrize("is_confirmed", [False, True])
async def test_what_no_proof_uses_is_erased_when_the_link_ends(is_confirmed):
    async with rig() as world:
        url = await waiting(world)
        if is_confirmed:
            browser = await world.browser()
            await browser.get(url)
            await browser.send("/link/confirm")
        seconds = CODE_SECONDS if is_confirmed else LINK_SECONDS
        for passed, survives_stop in ((seconds - 1.0, True), (2.0, False)):
            world.clock.advance(passed)
            await world.store.perform(links.clear_ended_links)
            left = await row(world, url)
            assert (left.secret is not None, left.code_hash is not None) == (
                survives_stop,
                survives_stop and is_confirmed,
            )
        assert "has expired" in await (await world.browser()).get(url)
