"""Tests of keys that can't decrypt secrets: no link ends by mistake, and the right key recovers all."""

from dataclasses import replace

import pytest
from cryptography.fernet import Fernet

from bot.services.encryption_keys import rotate
from bot.store import accounts, audit, credentials, revocations, sweeping
from bot.support.vault import Vault, row_key
from tests.rigs.clock import CountingIds, FakeClock
from tests.rigs.store import ALICE, link_account, memory_store, unlink

KEY, OTHER, NEW = (Fernet.generate_key().decode() for _ in range(3))
PEOPLE = [replace(ALICE, user_id=f"U{number}") for number in range(20)]
WEEK = 7 * 86_400.0


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
async def store(clock):
    async with memory_store(clock, CountingIds()) as made:
        yield made


async def linked_under(store, key, principal):
    sealed = Vault([key]).seal(row_key(principal.key, "saturn"), {"token": principal.user_id})
    return await link_account(store, principal, "saturn", secret=sealed, username=principal.user_id)


async def count_accounts(store):
    """Return how many are linked."""
    return len(await store.perform(accounts.list_active_accounts))


@pytest.fixture
async def twenty(store):
    """Link twenty people, three of them under another key."""
    for number, principal in enumerate(PEOPLE):
        await linked_under(store, OTHER if number < 3 else KEY, principal)


@pytest.mark.usefixtures("twenty")
@pytest.mark.parametrize(
    ("key", "number", "closed"),
    [(NEW, 0, 20), (KEY, 0, 3), (KEY, 4, 3), (KEY, 2, 3), (NEW, 19, 20)],
    ids=["new-none", "right-none", "right-more", "right-fewer", "new-fewer"],
)
async def test_a_wrong_key_or_number_ends_no_link(store, key, number, closed):
    rotation = await rotate(store, Vault([key]), forget=number)
    assert (rotation.spared, rotation.is_whole, rotation.forgotten) == ((closed, 20), False, 0)
    assert await count_accounts(store) == 20
    told = " ".join(rotation.problems())
    assert f"No key opens {closed} of the 20 links' secrets" in told
    assert f"keys rotate --forget {closed}`" in told


async def test_a_wrong_number_of_links_to_end_is_no_problem_if_all_keys_are_there(store):
    await linked_under(store, KEY, ALICE)
    rotation = await rotate(store, Vault([KEY]), forget=3)
    assert (rotation.problems(), rotation.forgotten, rotation.is_whole) == ([], 0, True)


@pytest.mark.usefixtures("twenty")
async def test_a_tenth_at_most_ends_without_a_number(store):
    await unlink(store, PEOPLE[0])
    await linked_under(store, KEY, PEOPLE[0])
    rotation = await rotate(store, Vault([KEY]), forget=0)
    assert (rotation.forgotten, rotation.is_whole, await count_accounts(store)) == (2, True, 18)


@pytest.mark.usefixtures("twenty")
async def test_what_was_forgotten_goes_on_with_the_right_keys_unless_its_person_has_done_otherwise(store):
    assert (await rotate(store, Vault([KEY]), forget=3)).forgotten == 3
    assert (await rotate(store, Vault([NEW]), forget=17)).forgotten == 17
    assert await count_accounts(store) == 0
    await unlink(store, PEOPLE[0])
    await linked_under(store, NEW, PEOPLE[1])
    rotation = await rotate(store, Vault([NEW, KEY, OTHER]))
    assert (rotation.recalled, rotation.is_whole) == (18, True)
    for account in await store.perform(accounts.list_active_accounts):
        opened = Vault([NEW]).open(row_key(account.principal.key, "saturn"), account.secret)
        assert opened == {"token": account.principal.user_id}
    assert {one.principal for one in await store.perform(accounts.list_active_accounts)} == set(PEOPLE[1:])
    assert (await store.read(audit.read_audit))[-1]["action"] == "account.secret_restored"
    assert await store.read(credentials.list_undecryptable_accounts) == []


@pytest.mark.usefixtures("twenty")
async def test_who_unlinks_or_links_again_leaves_nothing_that_was_forgotten(store):
    await rotate(store, Vault([NEW]), forget=20)
    await unlink(store, PEOPLE[0])
    await linked_under(store, NEW, PEOPLE[1])
    kept = await store.engine.read(lambda tx: tx.all("SELECT account_id FROM undecryptable_secrets"))
    assert len(kept) == 18


@pytest.mark.usefixtures("twenty")
async def test_after_a_week_it_is_gone(store, clock):
    await rotate(store, Vault([NEW]), forget=20)
    clock.advance(WEEK + 60)
    await store.perform(sweeping.sweep)
    assert (await rotate(store, Vault([NEW, KEY, OTHER]))).recalled == 0
    assert await count_accounts(store) == 0


async def test_owed_secrets_are_encrypted_with_the_newest_key_too(store):
    await linked_under(store, KEY, ALICE)
    await unlink(store, ALICE, revocable=["saturn"])
    assert (await rotate(store, Vault([NEW, KEY]))).done == 1
    (pending,) = await store.read(revocations.list_pending_revocations)
    assert Vault([NEW]).open(row_key(ALICE.key, "saturn"), pending.secret) == {"token": "UALICE"}
