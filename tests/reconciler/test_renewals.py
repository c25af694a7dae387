"""Usher's own tokens are renewed before they expire, and the former ones are revoked."""

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from bot.domain.tasks import TaskKind
from bot.providers import facets
from bot.providers.base import Credential
from bot.services import accounts
from bot.services.revocations import CALLS_UNDER_WAY_SECONDS
from bot.store import accounts as account_rows
from bot.store import counts, credentials
from bot.support.errors import Forbidden, ServerFailed
from bot.support.vault import Vault
from tests.reconciler.world import new_world
from tests.rigs.providers import FakeProvider
from tests.rigs.store import ALICE

DAY = 86_400.0
YEAR = 365 * DAY


class Minting(FakeProvider, facets.Minting):
    """A provider that replaces any token that wasn't pasted with one valid for a year."""

    minted = 0

    def can_mint(self, credential):
        return self.can_revoke(credential)

    async def mint(self, access):
        async with self._called("mint", access, ""):
            self.minted += 1
        return Credential(SecretStr(f"minted-{self.minted}"), expires_at=self.clock.now() + YEAR)


@pytest.fixture
async def world():
    async with new_world() as made:
        made.provider = Minting(made.clock)
        made.reborn()
        await made.own()
        account = await made.store.read(account_rows.find_account, ALICE, "cloud")
        ends_at = made.clock.now() + 30 * DAY
        await made.store.write(
            credentials.save_secret,
            account.id,
            account.secret,
            made.seal(ALICE, "token-0"),
            is_fresh=True,
            expires_at=ends_at,
        )
        yield made


async def look(world, days):
    """Let days pass, let the process look for expiring tokens, and do the work that follows."""
    world.clock.advance(days * DAY)
    await world.know()
    await world.pass_time(900, step=10)


async def token(world):
    account = await world.store.read(account_rows.find_account, ALICE, "cloud")
    return world.vault.open(f"{ALICE.key}/cloud", account.secret)["token"]


async def test_a_week_before_its_end_it_is_replaced_and_the_one_before_is_revoked(world):
    before = await world.store.read(account_rows.find_account, ALICE, "cloud")
    await look(world, 22.9)
    assert world.provider.count("mint") == 0
    await look(world, 0.2)
    assert world.provider.count("mint") == 1
    assert (await token(world), world.provider.revoked) == ("minted-1", ["token-0"])
    after = await world.store.read(account_rows.find_account, ALICE, "cloud")
    assert after.id == before.id
    assert after.expires_at == pytest.approx(world.clock.now() + YEAR, abs=1_000)
    assert "link_expiry" not in world.slack.kinds()
    # Renewals continue for as long as the link exists.
    await look(world, 358)
    assert (await token(world), world.provider.revoked) == ("minted-2", ["token-0", "minted-1"])
    assert (await world.store.perform(counts.count_rows))["tasks"] == 0


async def test_calls_that_are_under_way_may_end_before_the_one_before_is_revoked(world):
    world.clock.advance(23.1 * DAY)
    await world.know()
    await world.pass_time(CALLS_UNDER_WAY_SECONDS - 10, step=1)
    assert (await token(world), world.provider.revoked) == ("minted-1", [])
    await world.pass_time(20, step=1)
    assert world.provider.revoked == ["token-0"]


@pytest.mark.parametrize("error", [ServerFailed("away", status=503), Forbidden("no right")])
async def test_failed_renewal_reminds_and_retries_the_day_before(world, error):
    world.provider.answers_to["token-0"] = error
    await look(world, 23.1)
    assert world.slack.kinds().count("link_expiry") == 1
    assert await token(world) == "token-0"
    del world.provider.answers_to["token-0"]
    await look(world, 6)
    assert world.slack.kinds().count("link_expiry") == 1
    assert (await token(world), world.provider.revoked) == ("minted-1", ["token-0"])


async def test_what_was_minted_for_a_link_that_ended_meanwhile_is_revoked_too(world):
    real = world.provider.mint

    async def unlinked_meanwhile(access):
        minted = await real(access)
        await world.ask().run(accounts.unlink, ["cloud"])
        return minted

    world.provider.mint = unlinked_meanwhile
    await look(world, 23.1)
    assert await world.store.read(account_rows.find_account, ALICE, "cloud") is None
    assert set(world.provider.revoked) == {"token-0", "minted-1"}


async def test_what_its_person_made_ends_when_they_said(world):
    world.provider.pasted.add("token-0")
    await look(world, 23.1)
    assert world.provider.count("mint") == 0
    assert world.slack.kinds().count("link_expiry") == 1


async def test_where_nobody_renews_the_task_waits_as_it_is(world):
    world.reconciler.tasks.handlers.pop(TaskKind.RENEW_CREDENTIAL)
    await look(world, 23.1)
    assert (await world.store.perform(counts.count_rows))["tasks"] == 1
    assert (await token(world), world.provider.count("mint")) == ("token-0", 0)
    # A process that does begins.
    world.reborn()
    await world.pass_time(60, step=10)
    assert await token(world) == "minted-1"


async def test_process_without_its_key_asks_nobody_to_link_again(world):
    """Another process has the key and renews it, or this one does after being restarted with the key."""
    whole = world.vault
    world.vault = Vault([Fernet.generate_key().decode()])
    world.reborn()
    world.context.owners.lacks_keys = True
    await look(world, 23.1)
    await world.pass_time(7_200, step=60)
    assert ("link_expiry" in world.slack.kinds(), world.provider.count("mint")) == (False, 0)
    world.vault = whole
    world.reborn()
    world.context.owners.lacks_keys = False
    await world.pass_time(900, step=10)
    assert (await token(world), world.provider.revoked) == ("minted-1", ["token-0"])
    assert "link_expiry" not in world.slack.kinds()


async def test_secret_that_no_process_opens_is_linked_again_before_it_ends(world):
    world.vault = Vault([Fernet.generate_key().decode()])
    world.reborn()
    await look(world, 23.1)
    assert (world.slack.kinds().count("link_expiry"), world.provider.count("mint")) == (1, 0)
