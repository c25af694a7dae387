"""A token that a hub gave Usher while checking a link is revoked with the link, if nobody confirms that."""

from dataclasses import replace

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from bot.providers.base import Credential, Identity
from bot.services.linking import UNUSED_SECONDS
from bot.store import accounts, counts
from bot.support.errors import Refused, Unreachable
from bot.support.vault import Vault
from tests.reconciler.world import new_world
from tests.rigs.linking import Linking
from tests.rigs.providers import FakeProvider, fake_settings
from tests.rigs.store import ALICE, unlink

BROWSER = "browser-of-alice"


class Minting(FakeProvider):
    """A provider that gives a new token for each one that is checked, as a hub does."""

    minted = 0

    async def check_credential(self, credential: Credential) -> Identity:
        self.minted += 1
        return Identity("alice", Credential(SecretStr(f"minted-{self.minted}"), None, {"token_id": "7"}))


@pytest.fixture
async def minting():
    async with new_world() as made:
        made.provider = Minting(made.clock, fake_settings(linking=["token"]))
        made.reborn()
        await made.know(ALICE)
        yield made


def links(minting):
    return Linking(replace(minting.asking, public_url="https://usher.example.test"))


async def checked(minting):
    """Open a new link and paste a token there. Return the link's nonce and the result shown on the page."""
    nonce = (await links(minting).invite(ALICE, "cloud")).rpartition("/")[2]
    await links(minting).open(nonce, BROWSER)
    return nonce, await links(minting).check(nonce, BROWSER, "pasted")


async def test_it_is_revoked_when_the_link_has_run_out(minting):
    await checked(minting)
    await minting.pass_time(UNUSED_SECONDS - 60, step=30)
    assert minting.provider.revoked == []
    await minting.pass_time(90, step=10)
    assert minting.provider.revoked == ["minted-1"]
    assert (await minting.store.perform(counts.count_rows))["tasks"] == 0


async def test_each_token_that_another_took_the_place_of_is_revoked(minting):
    nonce, _ = await checked(minting)
    await links(minting).check(nonce, BROWSER, "pasted2")
    await links(minting).again(nonce, BROWSER)
    await minting.pass_time(UNUSED_SECONDS + 60, step=30)
    assert minting.provider.revoked == ["minted-1", "minted-2"]


async def confirm_account(minting):
    nonce, opened = await checked(minting)
    confirmed = await links(minting).confirm(nonce, BROWSER, opened.mark)
    return await links(minting).confirm_code(ALICE, confirmed.code)


async def test_what_became_an_account_is_kept(minting):
    await confirm_account(minting)
    await minting.pass_time(UNUSED_SECONDS + 60, step=30)
    assert minting.provider.revoked == []
    assert await minting.store.read(accounts.find_account, ALICE, "cloud") is not None


async def test_after_an_unlink_nothing_comes_back_to_it(minting):
    await confirm_account(minting)
    await unlink(minting.store, ALICE, revocable=["cloud"])
    await minting.pass_time(2)
    calls = len(minting.provider.calls)
    await minting.pass_time(UNUSED_SECONDS + 60, step=30)
    assert minting.provider.revoked == ["minted-1"]
    assert len(minting.provider.calls) == calls


async def test_a_hub_that_is_away_is_asked_until_it_has_revoked_it(minting):
    await checked(minting)
    minting.provider.fail("revoke", Unreachable("no connection"), times=20)
    await minting.pass_time(UNUSED_SECONDS + 6 * 3_600, step=60)
    assert minting.provider.count("revoke") == 21
    assert minting.provider.revoked == ["minted-1"]
    assert (await minting.store.perform(counts.count_rows))["tasks"] == 0


async def test_what_no_key_opens_is_let_go(minting):
    await checked(minting)
    minting.vault = Vault([Fernet.generate_key().decode()])
    minting.reborn()
    await minting.pass_time(UNUSED_SECONDS + 60, step=30)
    assert minting.provider.count("revoke") == 0
    assert (await minting.store.perform(counts.count_rows))["tasks"] == 0


async def test_what_only_another_process_opens_is_kept_until_this_one_can(minting):
    await checked(minting)
    whole, minting.vault = minting.vault, Vault([Fernet.generate_key().decode()])
    minting.reborn()
    minting.context.owners.lacks_keys = True
    await minting.pass_time(UNUSED_SECONDS + 600, step=30)
    assert minting.provider.revoked == []
    minting.vault = whole
    minting.reborn()
    minting.context.owners.lacks_keys = False
    await minting.pass_time(600, step=10)
    assert minting.provider.revoked == ["minted-1"]


async def test_a_token_that_stays_the_pasted_one_is_nobodys_to_revoke(minting):
    async def check(credential):
        return Identity("alice", credential)

    minting.provider.check_credential = check
    await checked(minting)
    assert (await minting.store.perform(counts.count_rows))["tasks"] == 0
    with pytest.raises(Refused):
        await links(minting).confirm_code(ALICE, "NOTHING2")
