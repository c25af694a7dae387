"""Work other than operations: lists, waiting commands, revocations, people who left."""

from functools import partial
from operator import attrgetter

import pytest

from bot.domain.people import Principal
from bot.domain.tasks import TaskKind
from bot.domain.workspaces import State
from bot.reconciler import lists
from bot.store import accounts, counts, discovered, workspaces
from bot.store import tasks as task_rows
from bot.store.maintenance import FAILOVER_CONFIRM_SECONDS, compare
from bot.store.tables import ACCOUNTS, TASKS
from bot.store.tasks import NewTask
from bot.support.errors import (
    CredentialRefused,
    Forbidden,
    NotFound,
    SlackLimited,
    SlackPermanent,
    StoreBusy,
    Unreachable,
)
from tests.rigs.functions import fail_function
from tests.rigs.store import ALICE, BOB, found_workspace, link_account, unlink, want_read, within

COMMAND = {"text": "start notebook", "principal": ALICE.key, "interaction": "click-1"}


async def ask_for_list(world, *then):
    account = await world.store.read(accounts.find_account, ALICE, "cloud") or await world.link()
    await world.store.write(
        task_rows.add_tasks, [NewTask(TaskKind.DISCOVER, account.id, {"then": list(then)})]
    )
    return account


async def test_a_command_that_waits_for_anothers_list_runs_as_its_account(world):
    await ask_for_list(world, {**COMMAND, "principal": BOB.key})
    await world.work()
    assert [principal for principal, _ in world.replayed] == [ALICE]


@pytest.mark.parametrize("error", [NotFound("no lists here"), Forbidden("not for you")])
async def test_without_lists_the_waiting_command_runs_all_the_same(world, error):
    await ask_for_list(world, COMMAND)
    world.provider.fail("discover", error)
    await world.work()
    assert len(world.replayed) == 1
    assert (await world.store.perform(counts.count_rows))["tasks"] == 0


async def test_a_list_is_tried_again_and_given_up_in_the_end(world):
    await ask_for_list(world, COMMAND)
    world.provider.fail("discover", Unreachable("no connection"), times=2)
    await world.pass_time(10)
    assert (world.provider.count("discover"), len(world.replayed)) == (3, 1)
    await ask_for_list(world, COMMAND)
    world.provider.fail("discover", Unreachable("no connection"), times=999)
    await world.pass_time(900, step=15)
    assert len(world.replayed) == 2
    assert (await world.store.perform(counts.count_rows))["tasks"] == 0


async def test_a_token_that_a_list_finds_refused_once_has_the_list_read_again(world):
    await ask_for_list(world, COMMAND)
    world.provider.fail("discover", CredentialRefused("401"))
    await world.pass_time(35)
    assert world.slack.kinds() == []
    assert world.provider.count("discover") == 2
    assert len(world.replayed) == 1


async def test_a_waiting_command_that_fails_is_tried_a_few_times(world):
    tries = []

    async def broken(_principal, command):
        tries.append(command["task"])
        raise RuntimeError("a mistake")

    world.replay = broken
    world.reborn()
    await ask_for_list(world, COMMAND)
    await world.pass_time(60)
    assert len(tries) == 3
    assert len(set(tries)) == 1
    assert (await world.store.perform(counts.count_rows))["tasks"] == 0


async def test_the_reading_goes_on_where_slack_made_it_pause(world):
    for number in range(9):
        world.slack.add_user(f"U{number}")
    await world.store.write(task_rows.add_tasks, [NewTask(TaskKind.SYNC_PEOPLE, "everybody")])
    world.slack.fail("users.list", SlackLimited("users.list", 30.0), after=True)
    await world.pass_time(40)
    assert (await world.store.perform(counts.count_rows))["people"] == 9
    assert world.slack.count("users.list") == 6


async def test_after_a_refused_cursor_the_reading_begins_again(world):
    for number in range(5):
        world.slack.add_user(f"U{number}")
    page, asked = world.slack._users_list, []

    def expired(arguments):
        asked.append(arguments["cursor"])
        if asked[-1] and asked.count("") == 1:
            raise SlackPermanent("users.list", "invalid_cursor")
        return page(arguments)

    world.slack._users_list = expired
    await world.store.write(task_rows.add_tasks, [NewTask(TaskKind.SYNC_PEOPLE, "everybody")])
    await world.pass_time(60)
    assert asked == ["", "2", "", "2", "4"]
    assert (await world.store.perform(counts.count_rows))["people"] == 5


async def test_somebody_is_looked_up_as_a_task(world):
    world.slack.add_user(ALICE.user_id, is_restricted=True)
    await world.store.write(task_rows.add_tasks, [NewTask(TaskKind.LOOK_UP_PERSON, ALICE.key)])
    await world.work()
    assert (await world.store.person(ALICE)).is_guest


async def test_every_kind_is_done_by_somebody(world):
    assert set(world.reconciler.tasks.handlers) == set(TaskKind)


async def test_lists_are_kept_fresh_where_workspaces_are_used(world):
    account = await ask_for_list(world)
    world.provider.put("r1", State.STOPPED)
    await world.work()
    assert await lists.refresh(world.reconciler.engine) == 0
    world.clock.advance(700)
    assert await lists.refresh(world.reconciler.engine) == 0
    [row] = await world.store.perform(workspaces.read_workspaces, ALICE)
    await want_read(world.store, row.id)
    assert await lists.refresh(world.reconciler.engine) == 1
    await world.work()
    assert (
        await world.store.read(accounts.find_account_by_id, account.id)
    ).discovered_at == world.clock.now()
    world.clock.advance(90_000)
    assert await lists.refresh(world.reconciler.engine) == 1


@pytest.mark.parametrize("age", [pytest.param(7_200.0, id="unused"), pytest.param(90_000.0, id="stale")])
async def test_list_in_use_is_read_among_many_older_ones(world, age):
    numbers = world.reconciler.engine.numbers
    now, account = world.clock.now(), await ask_for_list(world)
    world.provider.put("r1", State.STOPPED)
    await world.work()
    [row] = await world.store.perform(workspaces.read_workspaces, ALICE)
    await want_read(world.store, row.id)
    others = [
        await link_account(world.store, Principal(None, "T0ACME", f"U{number}"), "cloud")
        for number in range(10 * numbers.discover_at_once + 1)
    ]
    for one in others:
        await within(world.store, ACCOUNTS.change, {"id": one.id}, discovered_at=now - age)
    await within(world.store, ACCOUNTS.change, {"id": account.id}, discovered_at=now - 700.0)
    assert await lists.refresh(world.reconciler.engine) == (1 if age < 86_400.0 else numbers.discover_at_once)
    tasks = await within(world.store, TASKS.rows, kind=TaskKind.DISCOVER, subject=account.id)
    assert len(tasks) == 1


async def test_after_a_failover_all_lists_are_read_again_once(world):
    await ask_for_list(world)
    await world.work()
    for server in ("1/1", "1/2"):
        world.clock.advance(1)
        assert await lists.refresh(world.reconciler.engine) == 0
        await world.store.carry_out(partial(compare, server=server))
    # A list from before the failover is merged only now, and lacks what was created in the lost seconds.
    await ask_for_list(world)
    await world.work()
    assert await lists.refresh(world.reconciler.engine) == 0
    world.clock.advance(FAILOVER_CONFIRM_SECONDS)
    assert await lists.refresh(world.reconciler.engine) == 1
    world.clock.advance(1)
    await world.work()
    assert await lists.refresh(world.reconciler.engine) == 0


async def test_pauses_and_busy_moments_use_up_no_tries(world):
    account = await ask_for_list(world, COMMAND)
    line = world.reconciler.engine.runtimes["cloud"]
    for _ in range(12):
        line.health.delay(35)
        await world.pass_time(30, step=10)
    while line.slots.take_share("lists", 0.25):
        pass
    await world.pass_time(30)
    # A person who is waiting learns of the pause within seconds, and once; the list is read nevertheless.
    ((_, command),) = world.replayed
    assert (world.provider.count("discover"), command["problem"]) == (0, "rate_limited")
    line.slots.give_share("lists")
    await world.pass_time(5)
    assert (world.provider.count("discover"), len(world.replayed)) == (1, 1)
    assert (await world.store.read(accounts.find_account_by_id, account.id)).discovered_at is not None


async def test_what_is_never_tried_ends_all_the_same(world):
    await ask_for_list(world, COMMAND)
    line = world.reconciler.engine.runtimes["cloud"]
    while line.slots.take_share("lists", 0.25):
        pass
    await world.pass_time(1_500, step=15)
    assert (world.provider.count("discover"), len(world.replayed)) == (0, 1)
    assert (await world.store.perform(counts.count_rows))["tasks"] == 0


async def test_a_list_of_a_connection_that_was_taken_away_lets_its_commands_go(world):
    await ask_for_list(world, COMMAND)
    world.reconciler.engine.runtimes.clear()
    await world.work()
    assert len(world.replayed) == 1


async def test_a_list_of_an_account_that_is_gone_is_not_read(world):
    await world.store.write(
        task_rows.add_tasks, [NewTask(TaskKind.DISCOVER, "account_gone", {"then": [COMMAND]})]
    )
    await world.store.write(task_rows.add_tasks, [NewTask(TaskKind.REVOKE_CREDENTIAL, "account_gone")])
    await world.work()
    assert world.provider.calls == []
    assert (await world.store.perform(counts.count_rows))["tasks"] == 0


@pytest.mark.parametrize("kind", [TaskKind.DISCOVER, TaskKind.SNAPSHOT, TaskKind.LIST_RUNS])
async def test_no_task_asks_a_provider_for_somebody_whom_slack_was_not_asked_about(world, kind):
    account = await world.link(is_known=False)
    subject = account.id if kind in (TaskKind.DISCOVER, TaskKind.LIST_RUNS) else f"{account.id}/templates"
    about = {"account": account.id, "principal": ALICE.key, "connection": "cloud", "job": "j", "name": "n"}
    await world.store.write(
        task_rows.add_tasks, [NewTask(kind, subject, {"then": [COMMAND], "cron": "0 3 * * *", **about})]
    )
    await world.pass_time(20)
    # Slack doesn't know a person of that name yet.
    assert (world.provider.calls, world.replayed) == ([], [])
    world.slack.add_user(ALICE.user_id, is_restricted=True)
    await world.pass_time(60)
    assert world.provider.calls == []
    assert len(world.replayed) == 1
    assert (await world.store.perform(counts.count_rows))["tasks"] == 0


async def test_what_a_look_up_kept_runs_once_slack_has_said_who_it_is(world):
    world.slack.fail("users.info", SlackLimited("users.info", 5.0))
    await world.store.write(
        task_rows.add_tasks, [NewTask(TaskKind.LOOK_UP_PERSON, ALICE.key, {"then": [COMMAND]})]
    )
    await world.pass_time(3)
    assert world.replayed == []
    world.slack.add_user(ALICE.user_id)
    await world.pass_time(30)
    assert [principal for principal, _ in world.replayed] == [ALICE]


@pytest.mark.parametrize(
    "function",
    [accounts.find_account_by_id, discovered.merge_discovered, task_rows.finish_task],
    ids=attrgetter("__name__"),
)
async def test_a_busy_store_delays_a_list(world, function):
    await ask_for_list(world, COMMAND)
    fail_function(world.store, function, StoreBusy("not committed in time"))
    await world.pass_time(60, step=5)
    assert len(world.replayed) == 1
    assert (await world.store.perform(counts.count_rows))["tasks"] == 0


async def test_what_follows_for_very_many_is_done_to_its_end_however_often_that_fails(world):
    account = await world.link()
    names = [f"w{number:03}" for number in range(250)]
    found = [found_workspace(name, ALICE, "cloud") for name in names]
    await world.store.perform(discovered.merge_discovered, account.id, found)
    await unlink(world.store, ALICE, "cloud")
    assert await world.store.perform(workspaces.read_workspaces, ALICE)
    (task,) = await world.store.claim(task_rows.claim_tasks, 10, 0.0)
    for _ in range(20):
        await world.store.write(task_rows.retry_task, task, 0.0)
        (task,) = [
            one for one in await world.store.claim(task_rows.claim_tasks, 10, 0.0) if one.id == task.id
        ]
    await world.pass_time(5)
    assert await world.store.perform(workspaces.read_workspaces, ALICE) == []
    assert (await world.store.perform(counts.count_rows))["tasks"] == 0
