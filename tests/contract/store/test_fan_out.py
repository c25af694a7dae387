"""Large changes in small transactions: one row records the goal, and batches carry it out despite kills.

``tests.rigs.weight`` checks in every test that no transaction changes more than 200 rows; the tests here use
large databases.
"""

from dataclasses import replace

import pytest

from bot.domain.audit import AuditEntry
from bot.domain.hours import HoursRule
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.observations import Observed
from bot.domain.people import Person, Principal
from bot.domain.stops import PlannedStop
from bot.domain.tasks import TaskKind
from bot.domain.time_parsing import WEEKEND
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.services import accounts, departures, restored_backups
from bot.services.caller import Caller
from bot.store import accounts as account_rows
from bot.store import (
    audit,
    browsers,
    discovered,
    fan_out,
    gates,
    maintenance,
    notices,
    outages,
    refusals,
    signatures,
    slack_rate_limits,
    sweeping,
    tasks,
    timers,
)
from bot.store import hours as hours_store
from bot.store import operations as operation_rows
from bot.store import runs as run_rows
from bot.store import workspaces as workspace_rows
from bot.store.notices import add_notices
from bot.store.store import Store
from bot.store.tables import ACCOUNTS, BROWSER_SESSIONS, CARDS, NOTICES, RULES, WORKSPACES
from tests.rigs.context import context
from tests.rigs.store import (
    ALICE,
    accept_operation,
    follow,
    found_workspace,
    hold,
    launched,
    link_account,
    linked,
    refuse,
    unlink,
)

DAY = 86_400.0
MANY = 300


class Killed(BaseException):
    """Raised to simulate that the process is killed."""


class Mortal:
    """An engine whose process is killed before write number ``last`` + 1."""

    def __init__(self, engine, last):
        self._engine, self._left = engine, last

    def __getattr__(self, name):
        return getattr(self._engine, name)

    async def write(self, *arguments, **options):
        if not self._left:
            raise Killed
        self._left -= 1
        return await self._engine.write(*arguments, **options)


async def until_done(store, work, last=3):
    """Do the work in processes that are each killed after ``last`` writes.

    Return the result, and how many processes it took.
    """
    for number in range(1, 1_000):
        try:
            return await work(Store(Mortal(store.engine, last))), number
        except Killed:
            continue
    raise AssertionError("it never ends")


async def rows(store, table):
    return await store.engine.read(lambda tx: tx.all(f"SELECT * FROM {table.name}"))


def person(number, team="T1"):
    return Principal(None, team, f"U{number:04}")


async def with_rules(store, clock, workspaces):
    """Give each of these workspaces working hours."""
    when = {"days": WEEKEND, "starts": None, "stops": 18 * 60, "processed_until": clock.now()}

    def write(tx):
        for one in workspaces:
            rule = HoursRule(f"r-{one.id}", one.principal, "saturn", one.id, zone="UTC", **when)
            hours_store.save_rule(tx, rule)

    await store.carry_out(write)


async def many_workspaces(store, count=MANY, state=State.STOPPED):
    return (await linked(store, names=[f"w{number:04}" for number in range(count)], state=state)).workspaces


# -- a restored backup ---------------------------------------------------------------------------------------


async def test_a_backup_is_put_on_hold_in_pieces_and_whoever_is_killed_goes_on(store, clock):
    workspaces = await many_workspaces(store)
    await with_rules(store, clock, workspaces)
    for one in workspaces[:20]:
        await accept_operation(store, one, interaction=one.id)
    for number in range(120):
        await link_account(store, person(number))
    said = {"text": "Hi."}
    waiting = [NewNotice(f"s{number}", NoticeKind.MESSAGE, "1", ALICE, said) for number in range(100)]
    await store.carry_out(lambda tx: add_notices(tx, waiting))
    await store.save_people([Person(person(1), "Amir", seen_at=clock.now())])
    await store.write(audit.append_audit, [AuditEntry("a", "act", "x", "ok")])
    made_at, lives = clock.now(), []
    clock.advance(14 * DAY)

    async def restore(mortal):
        clock.advance(60)
        lives.append(await store.read(maintenance.explain_outdated))
        return await restored_backups.pause_restored(mortal, ["U0001"], {"saturn"})

    (backup_at, held, links), _ = await until_done(store, restore, last=6)
    # No process serves between the first batch and the last.
    assert lives[0] == ""
    assert len(lives) > 2
    assert all("usher restored" in one for one in lives[1:])
    assert (backup_at, held, links) == (made_at, {"requests": 20, "hours": MANY}, 121)
    assert await store.read(maintenance.explain_outdated) == ""
    assert {row["paused"] for row in await rows(store, RULES)} == {"restored"}
    told = await rows(store, NOTICES)
    kinds = [row["kind"] for row in told]
    expected = {NoticeKind.HOURS_PAUSED: MANY, NoticeKind.BACKUP_RESTORED: 121}
    expected |= {NoticeKind.FAILED: 20, NoticeKind.OUTAGE: 1}
    assert {kind: kinds.count(kind) for kind in expected} == expected
    # Only messages that the backup still had to send are searched for before they are sent.
    assert {row["unknown_since"] for row in told if row["kind"] == "message"} == {made_at}
    assert {row["unknown_since"] for row in told if row["kind"] in expected} == {None}
    (entry,) = [
        row for row in await store.read(audit.read_audit, 0, 1000) if row["action"] == "store.restored"
    ]
    assert f'"hours":{MANY}' in entry["detail"].replace(" ", "")


# -- an outage of everybody's sign-ins -----------------------------------------------------------------------


async def test_the_end_of_an_outage_and_the_tries_that_it_owes_are_one_transaction(store, clock):
    held = [await hold(store, await link_account(store, person(number))) for number in range(MANY)]
    elsewhere = await hold(store, await link_account(store, ALICE, "hub"))
    await store.write(outages.begin_outage, "saturn#people", clock.now())
    # The process dies right after committing the end of the outage.
    await Store(Mortal(store.engine, 1)).write(refusals.end_outage, "saturn#people")

    async def refused():
        found = [await store.read(account_rows.find_account_by_id, one.id) for one in held]
        return sum(one.compute_retry_delay(clock.now()) > 0.0 for one in found)

    assert 0 < await refused() < MANY
    (task,) = await store.claim(tasks.claim_tasks, 100, 60.0)
    assert task.kind is TaskKind.FAN_OUT
    with pytest.raises(Killed):
        await Store(Mortal(store.engine, 2)).perform(fan_out.finish_fan_out, task)
    assert 0 < await refused() < MANY
    clock.advance(61)
    assert await follow(store) == 1
    assert await refused() == 0
    assert (await store.read(account_rows.find_account_by_id, elsewhere.id)).compute_retry_delay(
        clock.now() - 61
    ) > 0.0
    # The work is queued once: another process that ends the same outage adds nothing.
    assert not await store.write(refusals.end_outage, "saturn#people")
    assert await follow(store) == 0


# -- accounts ------------------------------------------------------------------------------------------------


async def test_unlinking_ends_the_use_at_once_and_the_workspaces_follow(store, clock):
    workspaces = await many_workspaces(store)
    await with_rules(store, clock, workspaces)
    for one in workspaces:
        await store.carry_out(
            lambda tx, one=one: timers.plan_stop(tx, one.id, PlannedStop(clock.now() + 600, "stop"))
        )
    operations = [(await accept_operation(store, one, interaction=one.id)).operation for one in workspaces]
    runs = [await launched(store, ALICE, "saturn", name=f"n{number}") for number in range(MANY)]
    await unlink(Store(Mortal(store.engine, 1)), ALICE, "saturn")
    assert await store.read(account_rows.find_account, ALICE, "saturn") is None
    # Whatever the rows still say, no step acts for anybody and no read is granted.
    assert {one.account for one in await store.claim(operation_rows.claim_operations, 100, 60.0)} <= {None}
    assert await store.claim(gates.claim_reads, "saturn", 50, 10.0, 1.0) == []
    assert 0 < len(await store.perform(workspace_rows.read_workspaces, ALICE)) < MANY
    _, lives = await until_done(store, lambda mortal: self_following(mortal, clock))
    assert lives > 2
    assert await store.perform(workspace_rows.read_workspaces, ALICE) == []
    ended = [await store.read(operation_rows.find_operation, one.id) for one in operations]
    assert {(one.outcome, one.cause) for one in ended} == {(Outcome.CANCELLED, "unlinked")}
    assert [one.id for one in runs if (await store.read(run_rows.find_run, one.id)).is_open] == []
    assert {row["paused"] for row in await rows(store, RULES)} == {"unlinked"}
    kinds = [row["kind"] for row in await rows(store, NOTICES)]
    assert (kinds.count("planned_stop_failed"), kinds.count("hours_paused"), kinds.count("job_failed")) == (
        0,
        0,
        MANY,
    ), "the message about the link names the plans, and a run has its own"


async def self_following(store, clock):
    """Follow up the change after the killed process's leases have expired."""
    clock.advance(61)
    return await follow(store)


async def test_whoever_links_again_before_that_keeps_what_was_left(store, clock):
    workspaces = await many_workspaces(store)
    await unlink(store, ALICE, "saturn")
    left = await store.perform(workspace_rows.read_workspaces, ALICE)
    assert 0 < len(left) < len(workspaces)
    await link_account(store, ALICE)
    await follow(store)
    found = await store.perform(workspace_rows.read_workspaces, ALICE)
    # The new account is a different one, so everything verified with the former has to be verified again.
    assert {one.id for one in found} == {one.id for one in left}
    assert {one.verified_at for one in found} == {None}


async def test_what_waits_for_a_refused_account_is_held_and_goes_on_by_what_its_row_says(store, clock):
    workspaces = await many_workspaces(store)
    account = await store.read(account_rows.find_account, ALICE, "saturn")
    for one in workspaces:
        await accept_operation(store, one, interaction=one.id)
    await refuse(store, account)
    assert (
        0
        < len([one for one in await store.read(operation_rows.open_operations, ALICE) if one.block_reason])
        < MANY
    )
    await link_account(store, ALICE)
    # Both the hold and the release are pending, but nothing has to be held any more.
    await follow(store)
    assert [one for one in await store.read(operation_rows.open_operations, ALICE) if one.block_reason] == []
    await refuse(store, await store.read(account_rows.find_account, ALICE, "saturn"))
    await follow(store)
    assert (
        len([one for one in await store.read(operation_rows.open_operations, ALICE) if one.block_reason])
        == MANY
    )


@pytest.mark.both_engines
async def test_whoever_leaves_keeps_no_hours_however_many(store, clock):
    await with_rules(store, clock, await many_workspaces(store))
    gone = Person(ALICE, "Alice", is_deleted=True, seen_at=clock.now() + 1)
    clock.advance(1)
    await store.save_people([gone])
    await Caller(context(store, {}), ALICE).run(departures.end_departed, gone, actor="slack")
    assert len(await store.read(hours_store.list_rules_of_person, ALICE)) > 0
    await until_done(store, lambda mortal: self_following(mortal, clock))
    assert await store.read(hours_store.list_rules_of_person, ALICE) == []
    assert await store.perform(workspace_rows.read_workspaces, ALICE) == []


# -- a silence -----------------------------------------------------------------------------------------------


async def late(store, clock, news):
    """Add messages that Slack hasn't accepted for a long time."""
    await store.carry_out(lambda tx: add_notices(tx, news))
    while claimed := await store.perform(notices.claim_notices, 100, 60.0):
        for one in claimed:
            await store.write(notices.retry_notice, one, 600.0, error="ratelimited")
    clock.advance(120)
    await store.perform(notices.release_notices, "", 1.0)


async def test_after_a_silence_everybody_gets_one_message_however_many_wait(store, clock):
    people = [person(number) for number in range(MANY)]
    news = [
        NewNotice(f"{kind}{one.user_id}", kind, "end", one, {"operation": "o", "connection": "saturn"})
        for one in people
        for kind in (NoticeKind.READY, NoticeKind.STOPPED)
    ]
    # One of the recipients gets many messages.
    news += [NewNotice(f"n{number}", NoticeKind.STOPPED, "end", people[0], {}) for number in range(MANY)]
    await late(store, clock, news)
    sent = []
    while claimed := await store.perform(notices.claim_notices, 100, 60.0):
        for one in claimed:
            await store.write(notices.mark_notice_sent, one, "D1", f"{len(sent)}.0")
            sent.append((one.kind, one.principal))
    await follow(store)
    assert len(sent) == MANY
    assert {kind for kind, _ in sent} == {NoticeKind.SUMMARY}
    assert {row["state"] for row in await rows(store, NOTICES)} == {"sent"}


# -- thousands of rows ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine_name", ["sqlite", pytest.param("postgresql", marks=pytest.mark.thorough)])
async def test_a_large_world_does_whatever_it_does_in_pieces(store, clock):
    """One person with two thousand workspaces, and a Slack workspace with two thousand linked people."""
    found = [found_workspace(f"w{number:04}", state=State.RUNNING) for number in range(2_000)]
    account = await link_account(store)
    await store.perform(discovered.merge_discovered, account.id, found)
    clock.advance(60)
    await store.perform(
        discovered.merge_discovered, account.id, [one._replace(seen=Observed(State.STOPPED)) for one in found]
    )
    await store.perform(discovered.merge_discovered, account.id, [])
    workspaces = await store.perform(workspace_rows.read_workspaces, ALICE)
    assert len(workspaces) == 2_000
    people = [Person(person(number), "P", time_zone="UTC", seen_at=clock.now()) for number in range(2_000)]
    await store.save_people(people)

    def write(tx):
        for one in people:
            key, name = one.principal, one.principal.user_id
            ACCOUNTS.add(tx, replace(account, id=f"a{name}", principal=key, username=name, remind_at=None))
            BROWSER_SESSIONS.add(tx, id_hash=name, principal=key, user_id=name, **session)

    session = {"created_at": clock.now(), "seen_at": clock.now(), "expires_at": clock.now() + DAY}
    await store.carry_out(write)
    assert await store.perform(browsers.end_browser_sessions_at, "T1") == 2_000
    for _ in range(300):
        clock.advance(0.01)
        await store.write(signatures.save_signatures, "s")
        await store.write(slack_rate_limits.take_slack_call, "T1", "chat.postMessage", most=1_000)
    clock.advance(DAY)
    await store.write(signatures.save_signatures, "s")
    await store.write(slack_rate_limits.take_slack_call, "T1", "chat.postMessage", most=1_000)
    await refuse(store, account)
    await follow(store)
    again = await link_account(store)
    await follow(store)
    assert await store.write(refusals.note_accepted, again)
    await follow(store)
    for one in people:
        caller = Caller(context(store, {}), one.principal)
        await caller.run(
            accounts.end_accounts, one.principal, actor="slack", cause="uninstalled", notify=False
        )
    await unlink(store)
    await follow(store)
    assert await rows(store, WORKSPACES) == []
    clock.advance(100 * DAY)
    await store.perform(sweeping.sweep)
    assert await rows(store, CARDS) == []
