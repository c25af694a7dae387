"""A use case is one transaction: who may not changes nothing, what fails leaves nothing, twice is once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.models import Approval, Observed, Person, State, Timer
from bot.services import approvals, timers
from bot.services.asked import Asked
from bot.services.making import owned
from bot.store.tables import WORKSPACES
from bot.support.errors import NotIdentified, Refused, StoreUnavailable
from tests.rigs.people import Colleagues
from tests.rigs.store import ALICE, BOB, ask_approval, linked, observe, set_timer
from tests.rigs.use_cases import REFUSAL, WatchedStore, ask, changed, on, tables

HOUR = 3600.0
Do = Callable[[Asked], Awaitable[Any]]


class World:
    """Hold Alice's running workspace with a timer, and whatever else a use case is about."""

    def __init__(self, store, clock, workspace):
        self.store, self.clock, self.workspace = store, clock, workspace
        self.at = workspace.stop_at


@pytest.fixture
async def world(store, clock):
    row = (await linked(store)).workspaces[0]
    await linked(store, BOB)
    await observe(store, clock, row, Observed(State.RUNNING))
    await set_timer(store, row, Timer(clock.now() + HOUR, "stop"))
    await ask_approval(store, Approval("bobs", BOB, "saturn", "bob", "asked", clock.now()))
    return World(store, clock, await store.workspace(row.id))


def set_a_timer(world: World) -> Do:
    timer = Timer(world.at + HOUR, "stop")
    return lambda asked: asked.to(timers.set, world.workspace.id, timer)


#: Each use case, doing something for ALICE.
USE_CASES: dict[str, Callable[[World], Do]] = {
    "timers.set": set_a_timer,
    "timers.keep": lambda world: lambda asked: asked.to(timers.keep, world.workspace.id),
    "timers.add_an_hour": lambda world: (
        lambda asked: asked.to(timers.add_an_hour, world.workspace.id, world.at)
    ),
    "approvals.ask": lambda world: lambda asked: asked.to(approvals.ask, "saturn", "alice"),
    "approvals.decide": lambda world: lambda asked: asked.to(approvals.decide, "bobs", "bob", approve=True),
}
#: What another person may ask for just as well.
FOR_EVERYBODY = {"approvals.ask"}
#: Which of them find nothing to do.
NEEDLESS: dict[str, Callable[[World], Do]] = {
    "timers.keep": lambda world: (
        lambda asked: asked.to(timers.keep, world.workspace.id, instead_of=world.at - HOUR)
    ),
    "timers.add_an_hour": lambda world: (
        lambda asked: asked.to(timers.add_an_hour, world.workspace.id, world.at - HOUR)
    ),
    "approvals.decide": lambda world: (
        lambda asked: asked.to(approvals.decide, "bobs", "another", approve=True)
    ),
}
each = pytest.mark.parametrize("name", USE_CASES)


async def a_guest(store, principal=ALICE):
    seen_at = await store.now()
    await store.save_people([Person(principal, "Alice", is_guest=True, seen_at=seen_at)])


@each
async def test_it_is_done_once_however_often_it_comes(store, world, name):
    do, asked = USE_CASES[name](world), ask(store, "i1")
    before = await tables(store)
    await do(asked)
    after = await tables(store)
    assert {"audit", "inbox"} < changed(before, after)
    await do(asked)
    assert await tables(store) == after


@each
async def test_a_refusal_leaves_its_audit_row_once_and_nothing_else(store, world, name):
    await a_guest(store)
    do, asked = USE_CASES[name](world), ask(store, "i1")
    before = await tables(store)
    for _ in range(2):
        with pytest.raises(Refused) as refusal:
            await do(asked)
        assert refusal.value.rule == "policy.guest"
    assert changed(before, await tables(store)) == REFUSAL
    last = (await store.audit_entries())[-1]
    assert (last["actor"], last["result"]) == (ALICE.key, "refused")
    assert len(await store.audit_entries()) == len(before["audit"]) + 1
    assert await store.verify_audit() is None


@each
async def test_what_was_refused_is_done_once_it_is_allowed(store, world, name):
    people = Colleagues(store)
    people.silent = True
    do, asked = USE_CASES[name](world), ask(store, "i1", people=people)
    await store.engine.write(long_ago)
    with pytest.raises(NotIdentified):
        await do(asked)
    before = await tables(store)
    people.silent = False
    await do(asked)
    assert {"audit", "inbox"} < changed(before, await tables(store))
    assert people.asked == [ALICE.user_id] * 2


def long_ago(tx):
    """Make what Slack said about people older than a day."""
    is_postgresql = hasattr(tx, "_cursor")
    run = tx._cursor().execute if is_postgresql else tx._connection.execute
    run("UPDATE people SET seen_at = seen_at - 90000")


@each
async def test_the_policy_decides_before_the_first_write(store, world, name):
    watched = WatchedStore(store)
    await USE_CASES[name](world)(on(ask(store, "i1"), watched))
    (written,) = {changes for query, changes in watched.last.ran if " FROM people " in query}
    assert written == 0
    assert watched.last.ran[-1][1] > 0


@each
async def test_an_error_of_the_database_leaves_nothing_half_done(store, world, name):
    do, before = USE_CASES[name](world), await tables(store)
    for number in range(1_000):
        watched = WatchedStore(store, fails_at=number)
        try:
            await do(on(ask(store, "i1"), watched))
        except StoreUnavailable:
            assert await tables(store) == before
        else:
            break
    assert number > 3
    assert {"audit", "inbox"} < changed(before, await tables(store))


@pytest.mark.parametrize("name", sorted(USE_CASES.keys() - FOR_EVERYBODY))
async def test_nobody_elses_is_touched(store, world, name):
    before = await tables(store)
    with pytest.raises(Refused) as refusal:
        await USE_CASES[name](world)(ask(store, "i1", BOB))
    assert refusal.value.rule in {"policy.not_owner", "policy.not_administrator", "job.unknown"}
    assert changed(before, await tables(store)) == REFUSAL


@pytest.mark.parametrize("name", NEEDLESS)
async def test_where_nothing_is_to_do_the_interaction_is_not_used_up(store, world, name):
    before = await tables(store)
    asked = ask(store, "i1")
    await NEEDLESS[name](world)(asked)
    assert await tables(store) == before
    await USE_CASES[name](world)(asked)
    assert {"audit", "inbox"} < changed(before, await tables(store))


async def test_a_refusal_after_a_write_takes_that_back(store, world):
    def careless(tx, asked):
        WORKSPACES.change(tx, {"id": world.workspace.id}, alias="lab")
        owned(tx, asked, "stop", world.workspace.id)

    await a_guest(store)
    before = await tables(store)
    with pytest.raises(Refused):
        await ask(store, "i1").to(careless)
    assert changed(before, await tables(store)) == REFUSAL


async def test_what_is_refused_for_another_reason_leaves_nothing(store, world, clock):
    await observe(store, clock, world.workspace, Observed(State.STOPPED))
    before = await tables(store)
    with pytest.raises(Refused) as refusal:
        await USE_CASES["timers.set"](world)(ask(store, "i1"))
    assert refusal.value.rule == "workspace.not_up"
    assert await tables(store) == before


async def test_a_stranger_is_refused_without_a_word_of_slack(store, world):
    people = Colleagues(store)
    stranger = replace(ALICE, team_id="T9")
    with pytest.raises(Refused) as refusal:
        await ask(store, "i1", stranger, people=people).to(timers.keep, world.workspace.id)
    assert refusal.value.rule == "policy.foreign_team"
    assert people.asked == []


async def test_the_background_work_is_woken_by_what_was_done_alone(store, world):
    wakes = []
    asked = ask(store, "i1", wake=lambda: wakes.append(1))
    await asked.to(timers.keep, world.workspace.id)
    assert wakes == [1]
    await a_guest(store)
    with pytest.raises(Refused):
        await asked.to(timers.keep, world.workspace.id)
    assert wakes == [1]
