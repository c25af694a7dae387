"""Tasks, and what processes share about connections: outages, pauses, providers' last answers."""

import asyncio

import pytest

from bot.domain.tasks import TaskKind
from bot.services.snapshots import TEMPLATES_KIND, request_read
from bot.store import (
    tasks,
)
from bot.store.tasks import NewTask
from tests.rigs.store import link_account
from tests.rigs.use_cases import ask


def discover(subject="a1", due_in=0.0, **payload):
    return NewTask(TaskKind.DISCOVER, subject, payload, due_in)


@pytest.mark.both_engines
async def test_a_second_one_joins_the_open_one(store, clock):
    await store.write(tasks.add_tasks, [discover(due_in=50.0, then=["one"], note="first")])
    await store.write(tasks.add_tasks, [discover(due_in=20.0, then=["two"], note="second"), discover("a2")])
    assert len(await store.claim(tasks.claim_tasks, 10, 60.0)) == 1
    clock.advance(20)
    (task,) = await store.claim(tasks.claim_tasks, 10, 60.0)
    assert task.payload == {"then": ["one", "two"], "note": "first"}


async def test_the_same_interaction_adds_once(store):
    for _ in range(2):
        await ask(store, "i1").run(request_read, TaskKind.DISCOVER, ["a1"], {"text": "one"})
    (task,) = await store.claim(tasks.claim_tasks, 10, 60.0)
    assert task.payload == {"then": [{"text": "one"}]}


@pytest.mark.parametrize(
    ("kind", "what"),
    [(TaskKind.DISCOVER, ""), (TaskKind.LIST_RUNS, ""), (TaskKind.SNAPSHOT, f"/{TEMPLATES_KIND}")],
)
@pytest.mark.parametrize("is_under_way", [False, True])
async def test_what_waits_for_the_list_of_a_link_waits_for_that_of_the_next_one(
    store, kind, what, is_under_way
):
    former = await link_account(store)
    await store.write(tasks.add_tasks, [NewTask(kind, former.id + what, {"then": ["one"]})])
    (task,) = await store.claim(tasks.claim_tasks, 10, 60.0)
    if not is_under_way:
        # As for a link that is refused: the next attempt is in an hour.
        await store.write(tasks.retry_task, task, 3600.0)
    await store.write(tasks.add_tasks, [NewTask(kind, former.id + what, {"then": ["two"]}, due_in=3600.0)])
    account = await link_account(store)
    await store.write(tasks.finish_task, task)
    (found,) = await store.claim(tasks.claim_tasks, 10, 60.0)
    assert (found.kind, found.subject) == (kind, account.id + what)
    assert found.payload == {"then": ["one", "two"]}


async def test_what_joins_one_under_way_runs_afterwards(store):
    await store.write(tasks.add_tasks, [discover(then=["one"], note="n")])
    (first,) = await store.claim(tasks.claim_tasks, 10, 60.0)
    await store.write(tasks.add_tasks, [discover(then=["two"])])
    await store.write(tasks.add_tasks, [discover(then=["three"])])
    assert await store.claim(tasks.claim_tasks, 10, 60.0) == []
    await store.write(tasks.finish_task, first)
    (second,) = await store.claim(tasks.claim_tasks, 10, 60.0)
    assert second.payload == {"then": ["two", "three"], "note": "n"}
    await store.write(tasks.finish_task, second)
    assert await store.claim(tasks.claim_tasks, 10, 60.0) == []


@pytest.mark.both_engines
async def test_what_joined_one_that_is_put_back_or_whose_worker_died_is_part_of_it(store, clock):
    await store.write(tasks.add_tasks, [discover(then=["one"])])
    (task,) = await store.claim(tasks.claim_tasks, 10, 60.0)
    await store.write(tasks.add_tasks, [discover(then=["two"])])
    await store.write(tasks.retry_task, task, 5.0)
    clock.advance(4.9)
    assert await store.claim(tasks.claim_tasks, 10, 60.0) == []
    clock.advance(0.1)
    (task,) = await store.claim(tasks.claim_tasks, 10, 60.0)
    assert (task.payload, task.attempts) == ({"then": ["one", "two"]}, 1)
    await store.write(tasks.add_tasks, [discover(then=["three"])])
    clock.advance(60)
    (task,) = await store.claim(tasks.claim_tasks, 10, 60.0)
    assert task.payload == {"then": ["one", "two", "three"]}


async def test_a_task_that_is_done_writes_what_follows_once(store):
    await store.write(tasks.add_tasks, [discover()])
    (task,) = await store.claim(tasks.claim_tasks, 10, 60.0)
    for number in range(2):
        await store.write(tasks.finish_task, task, then=[NewTask(TaskKind.REPLAY, f"r{number}")])
    assert [task.subject for task in await store.claim(tasks.claim_tasks, 10, 60.0)] == ["r0"]


async def test_a_done_task_may_be_followed_by_its_like(store):
    await store.write(tasks.add_tasks, [discover()])
    (task,) = await store.claim(tasks.claim_tasks, 10, 60.0)
    await store.write(tasks.finish_task, task, then=[discover()])
    assert len(await store.claim(tasks.claim_tasks, 10, 60.0)) == 1


async def test_a_worker_that_stood_still_longer_than_its_lease_writes_nothing_more(database, store, clock):
    other = await database.open()
    await store.write(tasks.add_tasks, [discover(then=["one"])])
    (frozen,) = await store.claim(tasks.claim_tasks, 10, 60.0)
    clock.advance(60)
    (task,) = await other.claim(tasks.claim_tasks, 10, 60.0)
    await store.write(tasks.retry_task, frozen, 0.0, then=[discover("a2")])
    await store.write(tasks.finish_task, frozen, then=[discover("a3")])
    assert await other.claim(tasks.claim_tasks, 10, 60.0) == [], "neither put back, nor followed by anything"
    await other.write(tasks.finish_task, task)
    await other.write(tasks.add_tasks, [discover()])
    await store.write(tasks.finish_task, frozen)
    await store.write(tasks.retry_task, task, 30.0)
    assert len(await other.claim(tasks.claim_tasks, 10, 60.0)) == 1, "what is asked for again is another task"


async def test_claims_are_oldest_first_and_each_by_one(store, clock):
    for number in range(6):
        await store.write(tasks.add_tasks, [discover(f"a{number}")])
        clock.advance(1)
    assert [task.subject for task in await store.claim(tasks.claim_tasks, 2, 60.0)] == ["a0", "a1"]
    rounds = await asyncio.gather(*(store.claim(tasks.claim_tasks, 3, 60.0) for _ in range(3)))
    assert sorted(task.subject for claimed in rounds for task in claimed) == ["a2", "a3", "a4", "a5"]
