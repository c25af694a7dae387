"""A secret that can be revoked is kept until its provider confirms that, and used for nothing else."""

import asyncio
from dataclasses import replace
from functools import partial

import pytest

from bot.domain.people import Person
from bot.domain.tasks import TaskKind
from bot.reconciler.revocations import MIN_REFUSAL_SECONDS
from bot.reconciler.runtimes import LISTS_SHARE
from bot.services import accounts, departures
from bot.services.revocations import LAPSE_SECONDS
from bot.store import accounts as account_rows
from bot.store import audit, counts, revocations, tasks
from bot.store.tasks import NewTask
from bot.support.errors import (
    AccountRenamed,
    CredentialRefused,
    Forbidden,
    InvalidRequest,
    NotFound,
    RefusedInFront,
    ServerFailed,
)
from tests.reconciler.fuse import Fuse
from tests.rigs.store import ALICE, BOB

TOLD = "I'll tell you when"


def words(world):
    return [str(message) for message in world.slack.messages]


async def unlinks(world):
    await world.ask().run(accounts.unlink, ["cloud"])


async def leaves(world, **flags):
    person = Person(ALICE, "Alice", seen_at=await world.store.now(), **flags)
    await world.store.save_people([person])
    await world.ask().run(departures.end_departed, person, actor="slack")


async def is_uninstalled(world):
    await world.ask().run(accounts.end_accounts, ALICE, actor="slack", cause="uninstalled", notify=False)


async def links_again(world):
    begin = partial(accounts.link_account, actor=ALICE.key, proof="sign_in", link_source="token")
    await world.ask().run(begin, "cloud", "alice", world.seal(ALICE, "token-2"))


WAYS = {
    "unlinked": (unlinks, True),
    "deactivated": (partial(leaves, is_deleted=True), False),
    "guest": (partial(leaves, is_guest=True), True),
    "uninstalled": (is_uninstalled, False),
    "replaced": (links_again, False),
}


@pytest.mark.parametrize("trouble", ["none", "503", "kill-before", "kill-after"])
@pytest.mark.parametrize("way", WAYS)
async def test_however_a_link_ends_its_secret_ends_revoked(world, way, trouble):
    end, is_told = WAYS[way]
    await world.own()
    if trouble == "503":
        world.provider.fail("revoke", ServerFailed("away", status=503))
    await end(world)
    assert (await world.store.perform(counts.count_rows))["owed_revocations"] == 1
    if trouble.startswith("kill"):
        # The kill comes during the provider's own deletion.
        calls = {"before": False, "after": True}
        real = world.provider.revoke
        fuse = Fuse(1, after=calls[trouble.removeprefix("kill-")])

        async def killed(access):
            await fuse.through("revoke", lambda: real(access), ServerFailed("away"))

        world.provider.revoke = killed
        await world.until_trouble()
        world.provider.revoke = real
        world.reborn()
    for _ in range(40):
        says_gone = any("Nothing of the link is left" in one for one in words(world))
        assert not says_gone or world.provider.revoked == ["token-1"]
        await world.pass_time(30)
    assert world.provider.revoked == ["token-1"]
    assert (await world.store.perform(counts.count_rows))["owed_revocations"] == 0
    assert (await world.store.perform(counts.count_rows))["tasks"] == 0
    assert sum("Nothing of the link is left" in one for one in words(world)) == is_told
    (row,) = [row for row in await world.store.read(audit.read_audit) if row["action"] == "account.revoked"]
    assert (row["actor"], row["result"]) == ("usher", "ok")
    kept = await world.store.read(account_rows.find_account, ALICE, "cloud")
    assert (kept is not None) == (way == "replaced")


async def test_a_secret_that_took_the_place_of_itself_is_kept(world):
    await world.own()
    begin = partial(accounts.link_account, actor=ALICE.key, proof="sign_in", link_source="token")
    await world.ask().run(begin, "cloud", "alice", world.seal(ALICE, "token-1"))
    await world.pass_time(60)
    assert world.provider.count("revoke") == 0


async def test_whoever_got_another_name_there_links_that_and_the_secret_of_before_is_owed(world):
    workspace = await world.own()
    world.provider.fail("status", AccountRenamed("alicia"), times=2)
    await world.begin(workspace)
    await world.pass_time(60, step=10)
    # Until another link replaces it, the account may still get its old name back.
    assert world.provider.count("revoke") == 0
    begin = partial(accounts.link_account, actor=ALICE.key, proof="sign_in", link_source="token")
    await world.ask().run(begin, "cloud", "alicia", world.seal(ALICE, "token-2"))
    await world.pass_time(60)
    assert world.provider.revoked == ["token-1"]


async def test_what_a_person_made_is_theirs_to_delete_and_not_owed(world):
    await world.own()
    world.provider.pasted.add("token-1")
    await unlinks(world)
    await world.pass_time(60)
    assert world.provider.count("revoke") == 0
    assert await world.store.read(account_rows.find_account, ALICE, "cloud") is None
    (said,) = [one for one in words(world) if "unlinked" in one]
    assert "It's valid until you delete it" in said
    assert TOLD not in said


async def test_refusals_in_front_of_the_provider_end_no_revocation(world):
    await world.own()
    world.provider.answers_to["token-1"] = RefusedInFront(status=403)
    await unlinks(world)
    await world.pass_time(3 * MIN_REFUSAL_SECONDS, step=10)
    assert (await world.store.perform(counts.count_rows))["owed_revocations"] == 1
    del world.provider.answers_to["token-1"]
    await world.pass_time(2 * MIN_REFUSAL_SECONDS, step=10)
    assert (await world.store.perform(counts.count_rows))["owed_revocations"] == 0


@pytest.mark.parametrize(
    ("error", "result"), [(CredentialRefused("no"), "refused"), (Forbidden("no right"), "forbidden")]
)
async def test_one_refusal_proves_nothing_and_two_a_quarter_of_an_hour_apart_do(world, error, result):
    world.administered_by(f"{BOB.team_id}:{BOB.user_id}")
    await world.know(BOB)
    await world.own()
    world.provider.answers_to["token-1"] = error
    await unlinks(world)
    await world.pass_time(MIN_REFUSAL_SECONDS - 30, step=10)
    assert (await world.store.perform(counts.count_rows))["owed_revocations"] == 1
    assert world.provider.count("revoke") == 1
    await world.pass_time(60, step=10)
    assert world.provider.count("revoke") == 2
    assert (await world.store.perform(counts.count_rows))["owed_revocations"] == 0
    (row,) = [row for row in await world.store.read(audit.read_audit) if row["action"] == "account.revoked"]
    assert f'"ended":"{result}"' in row["detail"]
    # A secret that is no longer accepted is gone; one that couldn't be deleted may still be valid.
    assert ("not_revoked" in world.slack.kinds()) == (result == "forbidden")
    assert any("Nothing of the link is left" in one for one in words(world)) == (result == "refused")


async def test_what_no_provider_confirms_is_erased_after_thirty_days(world):
    world.administered_by(f"{BOB.team_id}:{BOB.user_id}")
    await world.know(BOB)
    await world.own()
    errors = [NotFound("no page"), InvalidRequest("what?"), ServerFailed("away")]
    for number, error in enumerate(errors):
        world.provider.answers_to["token-1"] = error
        if number == 0:
            await unlinks(world)
        await world.pass_time(LAPSE_SECONDS / len(errors) - 1_200, step=1_200)
        assert (await world.store.perform(counts.count_rows))["owed_revocations"] == 1
        assert world.provider.count("revoke") > 300 * (number + 1)
    assert (await world.store.perform(counts.count_rows))["owed_revocations"] == 1
    assert world.provider.count("revoke") > 1_000
    await world.pass_time(2 * 3_600, step=1_200)
    assert (await world.store.perform(counts.count_rows))["owed_revocations"] == 0
    kinds = world.slack.kinds()
    assert (kinds.count("revoked"), kinds.count("not_revoked")) == (1, 1)
    assert any("In 30 days" in one for one in words(world))
    assert not any("Nothing of the link is left" in one for one in words(world))


async def test_without_its_connection_it_stays_owed_and_goes_on_once_that_is_back(world):
    await world.own()
    await unlinks(world)
    world.reborn(connections={})
    await world.pass_time(7_200, step=600)
    assert (await world.store.perform(counts.count_rows))["owed_revocations"] == 1
    world.reborn()
    await world.pass_time(1_800, step=600)
    assert world.provider.revoked == ["token-1"]


async def test_however_many_are_owed_at_once_they_take_a_share_of_the_connection_and_all_end(world):
    everybody = [replace(ALICE, user_id=f"U{number}") for number in range(60)]
    for number, who in enumerate(everybody):
        await world.link(who, token=f"token-{number}", username=f"user-{number}")
    under_way, most = 0, 0

    async def slowly(_method):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        for _ in range(9):
            await asyncio.sleep(0)
        under_way -= 1

    world.provider.during = slowly
    for who in everybody:
        await world.ask(principal=who).run(
            accounts.end_accounts, who, actor="slack", cause="uninstalled", notify=False
        )
    await world.pass_time(3_600, step=1)
    assert sorted(world.provider.revoked) == sorted(f"token-{number}" for number in range(60))
    assert 0 < most <= LISTS_SHARE * world.provider.pace.concurrency


async def test_it_serves_for_nothing_else(world):
    await world.own()
    world.provider.fail("revoke", ServerFailed("away"), times=100)
    await unlinks(world)
    await world.work()
    (pending,) = await world.store.read(revocations.list_pending_revocations)
    kinds = (TaskKind.DISCOVER, TaskKind.LIST_RUNS)
    await world.store.write(tasks.add_tasks, [NewTask(kind, pending.id) for kind in kinds])
    await world.store.write(tasks.add_tasks, [NewTask(TaskKind.SNAPSHOT, f"{pending.id}/templates")])
    await world.pass_time(300, step=30)
    assert {call.method for call in world.provider.calls} == {"revoke"}
