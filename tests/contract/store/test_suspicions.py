"""Suspected credentials: rows that outlive a process, one look in a while, then everything goes on."""

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.people import TaskKind
from bot.domain.runs import Update
from bot.domain.workspaces import Call
from bot.store.tasks import NewTask
from tests.rigs.store import (
    ALICE,
    BOB,
    INTERVAL,
    MARGIN,
    accept_operation,
    launched,
    link_account,
    linked,
)

TOLD = NewNotice("account", NoticeKind.SIGN_IN_REFUSED, "1", ALICE)


async def start(store, workspace):
    return (await accept_operation(store, workspace)).operation


async def test_a_suspicion_is_written_once_and_for_the_secret_that_was_refused(store, clock):
    account = await link_account(store)
    assert not await store.suspect_account(account.id, "another secret")
    assert await store.suspect_account(account.id, account.secret)
    clock.advance(10)
    assert not await store.suspect_account(account.id, account.secret)
    (suspect,) = await store.suspects()
    assert (suspect.id, suspect.state, suspect.refused_since) == (account.id, "active", clock.now() - 10)


async def test_one_look_in_a_while_is_granted(store, clock):
    account = await link_account(store)
    assert await store.claim_probe(account.id, 30.0) is None
    await store.suspect_account(account.id, account.secret)
    granted = []
    for _ in range(5):
        granted.append(await store.claim_probe(account.id, 30.0))
        clock.advance(15)
    assert granted == [0.0, None, 30.0, None, 30.0]


async def test_who_was_never_checked_comes_first(store):
    checked, never = [await link_account(store, principal) for principal in (ALICE, BOB)]
    for account in (checked, never):
        await store.suspect_account(account.id, account.secret)
    await store.claim_probe(checked.id, 30.0)
    assert [account.id for account in await store.suspects()] == [never.id, checked.id]


async def test_the_first_look_of_another_suspicion_waits_as_well_and_counts_nothing(store, clock):
    account = await link_account(store)
    await store.suspect_account(account.id, account.secret)
    assert await store.claim_probe(account.id, 30.0) == 0.0
    await store.trust_account(account.id, account.secret)
    clock.advance(5)
    await store.suspect_account(account.id, account.secret)
    assert await store.claim_probe(account.id, 30.0) is None
    clock.advance(25)
    assert await store.claim_probe(account.id, 30.0) == 0.0


async def test_refusals_add_up_until_one_is_accepted_or_the_secret_is_another(store):
    account = await link_account(store)
    count = store.count_refusal
    assert await count(account.id, account.secret, 30.0, 1.0) == 0.0
    await store.suspect_account(account.id, account.secret)
    assert [await count(account.id, account.secret, seconds, 1.0) for seconds in (0.0, 30.0, 31.0)] == [
        1,
        31,
        62,
    ]
    assert await count(account.id, "another secret", 30.0, 1.0) == 0.0
    assert await store.trust_account(account.id, account.secret)
    assert not await store.trust_account(account.id, account.secret)
    assert await store.suspects() == []
    await store.suspect_account(account.id, account.secret)
    assert await count(account.id, account.secret, 5.0, 1.0) == 6.0
    assert await store.save_secret(account.id, account.secret, "sealed again")
    assert len(await store.suspects()) == 1
    assert await store.save_secret(account.id, "sealed again", "fresh", is_fresh=True)
    assert await store.suspects() == []


async def test_only_who_waits_for_something_is_told_and_once(store):
    mine = await linked(store)
    account = mine.account
    await store.suspect_account(account.id, account.secret)
    await store.count_refusal(account.id, account.secret, 30.0, 1.0, TOLD)
    assert await store.claim_notices(10, 60.0) == []
    await start(store, mine.workspaces[0])
    for _ in range(2):
        await store.count_refusal(account.id, account.secret, 30.0, 1.0, TOLD)
    assert [notice.kind for notice in await store.claim_notices(10, 60.0)] == [NoticeKind.SIGN_IN_REFUSED]


async def test_a_waiting_command_and_a_run_are_something_to_wait_for(store):
    account = await link_account(store)
    await store.suspect_account(account.id, account.secret)
    await store.add_tasks([NewTask(TaskKind.DISCOVER, account.id)])
    await store.count_refusal(account.id, account.secret, 30.0, 1.0, TOLD)
    assert await store.claim_notices(10, 60.0) == []
    await store.add_tasks(
        [NewTask(TaskKind.SNAPSHOT, f"{account.id}/templates", {"then": [{"text": "new"}]})]
    )
    await store.count_refusal(account.id, account.secret, 30.0, 1.0, TOLD)
    assert len(await store.claim_notices(10, 60.0)) == 1
    theirs = await link_account(store, BOB)
    await store.suspect_account(theirs.id, theirs.secret)
    await launched(store, BOB, "saturn")
    told = NewNotice("theirs", NoticeKind.SIGN_IN_REFUSED, "1", BOB)
    await store.count_refusal(theirs.id, theirs.secret, 30.0, 1.0, told)
    assert NoticeKind.SIGN_IN_REFUSED in {notice.kind for notice in await store.claim_notices(10, 60.0)}


async def test_what_waited_goes_on_at_once(store, clock):
    mine = await linked(store)
    account = mine.account
    await store.suspect_account(account.id, account.secret)
    operation = await start(store, mine.workspaces[0])
    (step,) = await store.claim_operations(10, 40.0)
    await store.save_step(Update(operation.id, 500.0, hold="refused", start_call=Call.NONE, claim=step.claim))
    await store.add_tasks([NewTask(TaskKind.SNAPSHOT, f"{account.id}/templates", due_in=500.0)])
    clock.advance(INTERVAL + MARGIN)
    assert await store.trust_account(account.id, account.secret)
    (step,) = await store.claim_operations(10, 40.0)
    assert (step.operation.id, step.operation.hold) == (operation.id, None)
    assert len(await store.claim_tasks(10, 40.0)) == 1
    assert len(await store.claim_reads("saturn", 10, INTERVAL, MARGIN)) == 1


async def test_totals_count_confirmed_refusals_and_who_was_read_lately(store, clock):
    accounts = [await link_account(store, who) for who in (ALICE, BOB)]
    assert await store.suspicion_totals(0.0, 9) == {}
    for account in accounts:
        await store.suspect_account(account.id, account.secret)
    assert await store.suspicion_totals(clock.now() - 300, 9) == {"saturn": (0, 2, 0)}
    await store.count_refusal(accounts[0].id, accounts[0].secret, 0.0, 1.0)
    assert await store.suspicion_totals(clock.now() - 300, 9) == {"saturn": (1, 2, 1)}
    await store.trust_account(accounts[1].id, accounts[1].secret)
    assert await store.suspicion_totals(clock.now() - 300, 9) == {"saturn": (1, 1, 1)}
    await store.merge_discovered(accounts[1].id, [])
    assert await store.suspicion_totals(clock.now() - 300, 9) == {"saturn": (1, 2, 1)}
    assert await store.suspicion_totals(clock.now() - 300, 1) == {"saturn": (1, 1, 1)}
    assert await store.suspicion_totals(clock.now() + 1, 9) == {"saturn": (1, 1, 0)}
