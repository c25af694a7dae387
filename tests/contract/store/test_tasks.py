"""Tasks, and facts about connections that processes share: outages, pauses, and providers' last answers."""

import asyncio
import math

import pytest

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.observations import Observed
from bot.domain.outages import Reached
from bot.domain.snapshots import Snapshot
from bot.domain.stops import PlannedStop
from bot.domain.tasks import TaskKind
from bot.domain.workspaces import State
from bot.services.snapshots import TEMPLATES_KIND, request_read
from bot.store import (
    due_work,
    forms,
    notices,
    outages,
    owners,
    pauses,
    refusals,
    schema,
    snapshots,
    tasks,
    timers,
)
from bot.store.pauses import Pause
from bot.store.tasks import NewTask
from tests.rigs.store import ALICE, BOB, link_account, linked, observe, set_timer, within
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
    assert task.payload == {"then": [{"text": "one", "principal": ALICE.key}]}


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
        # As if the link had been refused, the next attempt is in an hour.
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


# -- outages -------------------------------------------------------------------------------------------------


def notice(occasion):
    return NewNotice("outage:cloud:UALICE", NoticeKind.OUTAGE, occasion, ALICE, {"connection": "cloud"})


async def test_an_outage_is_one_for_all_processes(database, store):
    other = await database.open()
    both = (store, other)
    begun = await asyncio.gather(
        *(
            one.write(outages.begin_outage, "cloud", since, [notice(f"away:{since}")])
            for since, one in enumerate(both, 1)
        )
    )
    assert begun[0] == begun[1]
    for one in both:
        assert await one.read(outages.list_outages) == {"cloud": begun[0]}
    ended = await asyncio.gather(*(one.write(refusals.end_outage, "cloud", [notice("back")]) for one in both))
    assert sorted(ended) == [False, True]
    for one in both:
        assert await one.read(outages.list_outages) == {}
    told = [one.occasion for one in await store.perform(notices.claim_notices, 10, 60.0)]
    assert len(told) == 2
    assert "back" in told


@pytest.mark.both_engines
async def test_a_silence_is_one_for_all_processes_and_ends_with_a_later_answer(database, store):
    other = await database.open()
    assert not await store.write(outages.note_answer, "cloud", 5.0)
    both = (store, other)
    begun = await asyncio.gather(
        *(one.write(outages.note_silence, "cloud", 7.0 + at, 5.0) for at, one in enumerate(both))
    )
    assert begun[0] == begun[1]
    # It answered before that.
    assert await other.write(outages.note_answer, "cloud", 6.0)
    assert not await other.write(outages.end_silence, "cloud", 6.0)
    assert (await store.read(outages.list_reached))["cloud"].silent_since == begun[0]
    assert all([await one.write(outages.note_answer, "cloud", 9.0) for one in both])
    ended = await asyncio.gather(*(one.write(outages.end_silence, "cloud", 9.0) for one in both))
    assert sorted(ended) == [False, True]
    assert await other.read(outages.list_reached) == {"cloud": Reached("cloud", 9.0)}
    # An answer counts even before its process has recorded it: the earlier silence is over.
    await store.write(outages.note_silence, "cloud", 10.0, 9.0)
    assert await other.write(outages.note_silence, "cloud", 20.0, 15.0) == 20.0


# -- pauses requested by providers ---------------------------------------------------------------------------


async def test_a_pause_is_known_to_all_for_as_long_as_it_matters(database, store, clock):
    other = await database.open()
    await store.write(pauses.save_pauses, "cloud", "any", {"account_1": 30.0})
    clock.advance(10)
    assert await other.read(pauses.list_pauses) == [Pause("cloud", "any", "account_1", 10.0, 20.0)]
    clock.advance(49.5)
    assert await other.read(pauses.list_pauses) == [Pause("cloud", "any", "account_1", 59.5, -29.5)], (
        "it still counts"
    )
    clock.advance(0.5)
    assert await other.read(pauses.list_pauses) == []


@pytest.mark.both_engines
async def test_the_longer_pause_wins(store, clock):
    await store.write(pauses.save_pauses, "cloud", "any", {"account_1": 100.0, "": 100.0})
    clock.advance(10)
    await store.write(pauses.save_pauses, "cloud", "any", {"account_1": 5.0})
    await store.write(pauses.save_pauses, "cloud", "start", {"account_1": 7.0})
    found = {
        (pause.calls, pause.account_id): (pause.ago, pause.left)
        for pause in await store.read(pauses.list_pauses)
    }
    assert found == {
        ("any", "account_1"): (0.0, 90.0),
        ("any", ""): (10.0, 90.0),
        ("start", "account_1"): (0.0, 7.0),
    }


async def test_what_no_longer_matters_is_forgotten_with_the_next_pause(store, clock):
    await store.write(pauses.save_pauses, "cloud", "any", {"account_1": 30.0})
    clock.advance(61)
    await store.write(pauses.save_pauses, "hub", "any", {"account_2": 30.0})
    left = await store.engine.read(lambda tx: tx.all("pauses", now=0.0, requested_before=0.0))
    assert [row["connection"] for row in left] == ["hub"]


# -- providers' last answers, and people's last form entries -------------------------------------------------


FORM = {"clusters": [{"name": "Lokal ∅", "cpus": 2.5}], "default": None}


async def test_what_a_provider_told_keeps_its_order(store):
    ides = {"RStudio": 1, "VS Code": 2, "Jupyter Notebook": 3, "Positron": 4}
    await store.write(snapshots.save_snapshot, Snapshot("posit", "", "templates", ides, 10.0))
    assert list((await store.read(snapshots.find_snapshot, "posit", "", "templates")).payload) == list(ides)


async def test_the_newer_one_wins(store):
    for read_at, payload in ((10.0, "first"), (12.0, "second"), (11.0, "late")):
        await store.write(snapshots.save_snapshot, Snapshot("posit", "", "about", payload, read_at))
    assert (await store.read(snapshots.find_snapshot, "posit", "", "about")).payload == "second"


async def test_nothing_is_kept_for_who_is_no_account(store):
    await store.write(snapshots.save_snapshot, Snapshot("posit", "nobody", "templates", FORM, 10.0))
    assert await store.read(snapshots.find_snapshot, "posit", "nobody", "templates") is None


async def test_what_was_filled_in_is_there_the_next_time(store):
    assert await store.read(forms.find_form_values, ALICE, "posit", "workspace") == {}
    await store.write(forms.remember, ALICE, "posit", "workspace", {"ide": "RStudio", "env": ["A=1"]})
    await store.write(forms.remember, ALICE, "posit", "job", {"cpus": 2})
    await store.write(forms.remember, BOB, "posit", "workspace", {"ide": "VS Code"})
    await store.write(forms.remember, ALICE, "posit", "workspace", {"ide": "JupyterLab"})
    assert await store.read(forms.find_form_values, ALICE, "posit", "workspace") == {"ide": "JupyterLab"}
    assert await store.read(forms.find_form_values, ALICE, "posit", "job") == {"cpus": 2}
    assert await store.read(forms.find_form_values, ALICE, "saturn", "job") == {}


@pytest.mark.both_engines
async def test_a_kind_that_nobody_here_does_is_left_alone_and_not_looked_for(store, clock):
    await store.write(tasks.add_tasks, [NewTask(TaskKind.RENEW_CREDENTIAL, "a1")])
    served = [kind for kind in TaskKind if kind is not TaskKind.RENEW_CREDENTIAL]
    for _ in range(3):
        assert await store.read(due_work.find_next_due, ["tasks"], [], served, 300.0) == {"tasks": math.inf}
        assert await store.claim(tasks.claim_tasks, 10, 60.0, "me", served) == []
        clock.advance(60)
    (task,) = await store.claim(tasks.claim_tasks, 10, 60.0, "me")
    assert (task.kind, task.attempts, task.claims) == (TaskKind.RENEW_CREDENTIAL, 0, 1)


async def overdue(store):
    """Return the work that nobody has done for an hour, while a worker is alive."""
    await store.perform(schema.write_heartbeat)
    await store.write(owners.own, "one", ["worker:one"])
    return await store.read(due_work.count_overdue, 3600.0)


@pytest.mark.both_engines
async def test_what_nobody_does_within_an_hour_is_counted_by_kind(store, clock):
    later = (await linked(store, names=["later", "another"])).workspaces
    account = await link_account(store, BOB, expires_at=clock.now() + 30 * 86_400.0)
    await store.write(
        tasks.add_tasks, [discover(), discover("a2"), NewTask(TaskKind.RENEW_CREDENTIAL, account.id)]
    )
    for workspace in later:
        await observe(store, clock, workspace, Observed(State.RUNNING))
    # Workspaces that have only just come up aren't checked yet.
    clock.advance(1800.0)
    for workspace in later:
        await set_timer(store, workspace, PlannedStop(clock.now() + 120.0, "stop"))
    await store.engine.write(lambda tx: tx.run("UPDATE tasks SET kind = 'of later' WHERE subject = 'a2'"))
    assert await overdue(store) == {}
    clock.advance(3601)
    late = {"discover": 1, "of later": 1, "renew_credential": 1, "needed": 2}
    assert await overdue(store) == late
    clock.advance(120)
    timed = late | {"timer": 2}
    assert await overdue(store) == timed
    # A worker that claims some of the work counts as working on it.
    await store.claim(tasks.claim_tasks, 1, 60.0, served=[TaskKind.DISCOVER])
    await within(store, timers.claim_timers, 1, 60.0)
    assert await overdue(store) == {"of later": 1, "renew_credential": 1, "needed": 2, "timer": 1}
    clock.advance(30 * 86_400.0)
    assert (await overdue(store))["reminder"] == 1


async def test_nothing_is_overdue_because_no_process_was_there(store, clock):
    await store.perform(schema.write_heartbeat)
    await store.write(tasks.add_tasks, [discover()])
    clock.advance(86_400)
    assert await store.read(due_work.count_overdue, 3600.0) == {}
    assert await overdue(store) == {"discover": 1}
