"""Recorded uptime begins and ends when a read, a list or an unlinking shows it, and never overlaps."""

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.domain.forms import Spec
from bot.domain.observations import Created, Observed
from bot.domain.operations import OperationVerb
from bot.domain.prices import MachineKind, Price
from bot.domain.runs import DiscoveredRun, ObservedRun, RunState
from bot.domain.steps import Update
from bot.domain.usage import Known, Moment
from bot.domain.work_items import Call, Outcome
from bot.domain.workspaces import PROVISIONAL, State, Workspace
from bot.store import creations, discovered, operations, prices, runs, usage, workspaces
from bot.store.tables import LIVES, RUNS
from bot.support.errors import StoreError
from tests.contract.store import classes
from tests.contract.store.conftest import machines_clock
from tests.contract.store.gates import SHARED, by_reference
from tests.rigs.lives import keep, make_life, sum_up
from tests.rigs.store import (
    ALICE,
    BOB,
    accept_creation,
    accept_operation,
    add_workspace,
    follow,
    gate_key,
    hide_workspace,
    launched,
    link_account,
    linked,
    listed_workspace,
    observe,
    unlink,
)

pytestmark = pytest.mark.both_engines

DAY = 86_400.0
RUNNING, STOPPED = Observed(State.RUNNING), Observed(State.STOPPED)
EVER = 0.0, 4e9


async def lives_of(store, principal=ALICE):
    return await store.read(usage.read_lives_of_person, principal, *EVER)


async def find_last_read(store, workspace):
    row = await store.engine.read(lambda tx: tx.one("read_rows", ids=f'{{"{workspace.id}": 1}}'))
    return row["observed_at"]


async def act(store, clock, workspace, verb, seen, *, delay=0.0):
    """Let a call be accepted and a read find its effect, then end the operation.

    Return the time of the call.
    """
    operation = (await accept_operation(store, workspace, verb)).operation
    call = {"stop_call" if verb.brings_down else "start_call": Call.ACCEPTED}
    called_at = await store.now()
    await store.write(operations.save_step, Update(operation.id, 1.0, called=True, **call))
    clock.advance(delay)
    await observe(store, clock, workspace, seen)
    await store.write(operations.save_step, Update(operation.id, 0.0, outcome=Outcome.FULFILLED))
    return called_at


async def test_what_usher_begins_and_ends_counts_from_call_to_call(store, clock, workspace):
    await observe(store, clock, workspace, STOPPED)
    clock.advance(60.0)
    began = await act(store, clock, workspace, OperationVerb.START, RUNNING, delay=7200.0)
    clock.advance(3600.0)
    await observe(store, clock, workspace, RUNNING)
    up = await find_last_read(store, workspace)
    clock.advance(600.0)
    ended = await act(store, clock, workspace, OperationVerb.STOP, STOPPED, delay=7200.0)
    assert up < ended
    (life,) = await lives_of(store)
    assert (life.began.earliest, life.began.known) == (pytest.approx(began), Known.ASKED)
    assert (life.ended.earliest, life.ended.known) == (pytest.approx(ended), Known.ASKED)
    assert life.hours.best == pytest.approx((ended - began) / 3600.0)


async def test_what_began_and_ended_elsewhere_lies_between_the_reads(store, clock, workspace):
    times = []
    for seen in (STOPPED, Observed(State.STARTING), RUNNING, RUNNING, Observed(State.STOPPING), STOPPED):
        clock.advance(600.0)
        await observe(store, clock, workspace, seen)
        times.append(await find_last_read(store, workspace))
    (life,) = await lives_of(store)
    assert (life.began.earliest, life.began.latest, life.began.known) == (times[0], times[2], Known.SEEN)
    assert (life.ended.earliest, life.ended.latest, life.ended.known) == (times[3], times[5], Known.SEEN)


async def test_the_providers_own_times_are_exact(store, clock, workspace):
    await observe(store, clock, workspace, STOPPED)
    clock.advance(3600.0)
    began = await store.now() - 1800.0
    await observe(store, clock, workspace, Observed(State.RUNNING, started_at=began))
    clock.advance(3600.0)
    ended = await store.now() - 900.0
    await observe(store, clock, workspace, Observed(State.STOPPED, down_at=ended))
    (life,) = await lives_of(store)
    assert (life.began.earliest, life.began.latest, life.began.known) == (began, began, Known.TOLD)
    assert (life.ended.earliest, life.ended.latest, life.ended.known) == (ended, ended, Known.TOLD)


async def test_a_time_of_the_life_before_is_no_begin(store, clock, workspace):
    old = await store.now() - 86_400.0
    await observe(store, clock, workspace, STOPPED)
    down = await find_last_read(store, workspace)
    clock.advance(3600.0)
    await observe(store, clock, workspace, Observed(State.RUNNING, started_at=old))
    (life,) = await lives_of(store)
    assert (life.began.earliest, life.began.known) == (down, Known.SEEN)


async def test_a_life_that_no_read_saw_end_is_followed_by_the_next(store, clock, workspace):
    began = await store.now()
    await observe(store, clock, workspace, Observed(State.RUNNING, started_at=began))
    up = await find_last_read(store, workspace)
    clock.advance(7200.0)
    again = await store.now() - 600.0
    await observe(store, clock, workspace, Observed(State.RUNNING, started_at=again))
    first, second = await lives_of(store)
    assert (first.runs_from, second.runs_from) == (began, again)
    assert (first.ended.known, first.ended.earliest, first.ended.latest) == (Known.SEEN, up, again)
    assert second.ended is None


async def test_a_life_goes_on_through_reads_that_show_nothing(store, clock, workspace):
    await observe(store, clock, workspace, RUNNING)
    for seen in (Observed(State.UNKNOWN), Observed(State.STOPPING), RUNNING):
        clock.advance(600.0)
        await observe(store, clock, workspace, seen)
    (life,) = await lives_of(store)
    assert life.ended is None
    assert life.last_seen_at == await find_last_read(store, workspace)
    # Nothing shows whether it has been running since.
    clock.advance(3600.0)
    (life,) = await lives_of(store)
    hours = life.hours
    assert hours.highest - hours.best == pytest.approx(1.0)


@pytest.mark.parametrize("verb", [None, OperationVerb.REMOVE])
async def test_what_vanishes_has_an_end_only_if_usher_removed_it(store, clock, workspace, verb):
    await observe(store, clock, workspace, RUNNING)
    up = await find_last_read(store, workspace)
    clock.advance(600.0)
    gone = Observed(State.GONE)
    if verb is None:
        await observe(store, clock, workspace, gone)
    else:
        await act(store, clock, workspace, verb, gone)
    (life,) = await lives_of(store)
    assert life.ended.known is (Known.UNKNOWN if verb is None else Known.ASKED)
    assert life.ended.earliest >= up
    hours = life.hours
    assert hours.unknown == (verb is None)
    if verb is None:
        assert hours.highest == hours.best == pytest.approx((up - life.runs_from) / 3600.0)


async def test_an_end_after_the_link_is_unknown(store, clock, workspace):
    await observe(store, clock, workspace, RUNNING)
    up = await find_last_read(store, workspace)
    clock.advance(3600.0)
    assert await unlink(store, ALICE, workspace.connection)
    await follow(store)
    (life,) = await lives_of(store)
    assert (life.ended.earliest, life.ended.known) == (up, Known.UNKNOWN)


async def test_a_life_that_went_on_while_unlinked_is_one(store, clock, workspace):
    clock.advance(3600.0)
    began = await store.now() - 600.0
    seen = Observed(State.RUNNING, started_at=began)
    await observe(store, clock, workspace, seen)
    await unlink(store, ALICE, workspace.connection)
    await follow(store)
    clock.advance(3600.0)
    account = await link_account(store, ALICE, workspace.connection)
    found = listed_workspace(workspace.remote_id, workspace.gate_key, workspace.name, State.RUNNING)
    await store.perform(discovered.merge_discovered, account.id, [found])
    assert [one.began.known for one in await lives_of(store)] == [Known.TOLD, Known.UNKNOWN]
    key = ALICE, workspace.connection, workspace.remote_id
    relinked = await store.read(workspaces.find_by_remote_id, *key)
    await observe(store, clock, relinked, seen)
    (life,) = await lives_of(store)
    assert (life.runs_from, life.ended is None, life.workspace_id) == (began, True, relinked.id)


async def test_lists_begin_and_end_lives(store, clock, workspace):
    await observe(store, clock, workspace, STOPPED)
    account = await link_account(store, BOB, workspace.connection)
    for state in (State.RUNNING, State.STOPPED):
        clock.advance(600.0)
        found = listed_workspace("other", gates_key(workspace, "other"), "other", state)
        await store.perform(discovered.merge_discovered, account.id, [found])
    (life,) = await lives_of(store, BOB)
    assert (life.began.known, life.ended.known) == (Known.UNKNOWN, Known.SEEN)


def gates_key(workspace, remote_id):
    return workspace.gate_key.replace(workspace.remote_id, remote_id)


async def test_a_shared_workspace_has_one_life_of_whoever_started_it(store, clock):
    for principal in (ALICE, BOB):
        await link_account(store, principal)
    mine, theirs = [await add_workspace(store, by_reference(one)) for one in (ALICE, BOB)]
    for one in (mine, theirs):
        await observe(store, clock, one, STOPPED)
    await act(store, clock, theirs, OperationVerb.START, RUNNING)
    assert await lives_of(store, ALICE) == []
    (life,) = await lives_of(store, BOB)
    assert (life.subject, life.began.known) == (SHARED, Known.ASKED)
    await unlink(store, BOB, "saturn")
    await follow(store)
    await observe(store, clock, mine, STOPPED)
    (life,) = await lives_of(store, BOB)
    assert life.ended.known is Known.SEEN


async def test_a_run_lives_from_its_begin_to_its_end(store, clock, account):
    run = await launched(store)
    clock.advance(600.0)
    began = await store.now() - 300.0
    for observed in (
        ObservedRun(RunState.QUEUED),
        ObservedRun(RunState.RUNNING, started_at=began),
        ObservedRun(RunState.SUCCEEDED, started_at=began, ended_at=began + 1800.0),
    ):
        clock.advance(900.0)
        row = await store.read(runs.find_run, run.id)
        assert row is not None
        await store.write(runs.save_run_step, Update(run.id, 1.0, observed=observed))
    (life,) = await lives_of(store)
    assert (life.kind, life.id, life.subject) == ("run", run.id, run.id)
    assert life.hours.best == pytest.approx(0.5)


async def test_a_run_without_times_lies_between_the_reads(store, clock, account):
    run = await launched(store)
    reads = []
    for state in (RunState.QUEUED, RunState.RUNNING, RunState.RUNNING, RunState.FAILED):
        clock.advance(900.0)
        reads.append(await store.now())
        before = await store.engine.read(lambda tx: RUNS.row(tx, id=run.id))
        await store.write(runs.save_run_step, Update(run.id, 1.0, observed=ObservedRun(state)), before)
    (life,) = await lives_of(store)
    assert life.began.known is Known.SEEN
    assert reads[0] <= life.began.earliest <= life.began.latest <= reads[1]
    assert (life.ended.known, life.ended.earliest, life.ended.latest) == (Known.SEEN, *reads[2:])


async def test_a_run_whose_account_is_unlinked_has_no_known_end(store, clock, account):
    run = await launched(store)
    clock.advance(900.0)
    await store.write(runs.save_run_step, Update(run.id, 1.0, observed=ObservedRun(RunState.RUNNING)))
    clock.advance(900.0)
    await unlink(store, ALICE, run.connection)
    await follow(store)
    (life,) = await lives_of(store)
    assert life.ended.known is Known.UNKNOWN


async def test_runs_of_a_list_are_lives_if_their_times_are_known(store, clock, account):
    now = await store.now()
    found = [
        DiscoveredRun(
            "a", "a", ObservedRun(RunState.SUCCEEDED, started_at=now - 7200.0, ended_at=now - 3600.0)
        ),
        DiscoveredRun("b", "b", ObservedRun(RunState.SUCCEEDED, ended_at=now - 3600.0)),
        DiscoveredRun("c", "c", ObservedRun(RunState.RUNNING)),
    ]
    await store.perform(runs.merge_runs, account.id, found)
    lives = {one.name: one for one in await lives_of(store)}
    assert lives["a"].hours.best == pytest.approx(1.0)
    assert set(lives) == {"a", "c"}
    assert lives["c"].began.known is Known.UNKNOWN


async def test_opening_is_noted_on_the_life_that_goes_on(store, clock, workspace):
    await observe(store, clock, workspace, RUNNING)
    clock.advance(60.0)
    await store.write(usage.note_opened, workspace.id)
    (life,) = await lives_of(store)
    assert life.opened_at == await store.now()


async def test_everybodys_lives_come_from_one_snapshot_in_pages(store, clock, workspace, monkeypatch):
    monkeypatch.setattr("bot.store.usage.READ_BATCH_SIZE", 2)
    for _ in range(4):
        for seen in (STOPPED, RUNNING):
            clock.advance(600.0)
            await observe(store, clock, workspace, seen)
    found = await store.read(lambda tx: list(usage.iterate_lives(tx, *EVER)))
    assert sorted(one.id for one in found) == sorted(one.id for one in await lives_of(store))
    assert [one.ended is None for one in found] == [False, False, False, True]
    third = found[2].ended.latest
    assert len(await store.read(lambda tx: list(usage.iterate_lives(tx, third, 4e9)))) == 1


async def test_what_nobody_reads_any_more_has_no_known_end(store, clock, workspace):
    await observe(store, clock, workspace, RUNNING)
    seen_at = await find_last_read(store, workspace)
    clock.advance(usage.SILENT_SECONDS + 60.0)
    (life,) = await lives_of(store)
    assert (life.ended.earliest, life.ended.known) == (seen_at, Known.UNKNOWN)
    window = seen_at + 60.0, 4e9
    assert await store.read(usage.read_lives_of_person, ALICE, *window) == []
    assert await store.read(lambda tx: list(usage.iterate_lives(tx, *window))) == []
    await observe(store, clock, workspace, RUNNING)
    (life,) = await lives_of(store)
    assert life.ended is None


async def test_old_lives_become_sums_without_persons(store, clock, workspace):
    clock.advance(10 * DAY)
    for _ in range(2):
        await observe(store, clock, workspace, STOPPED)
        clock.advance(6 * 3600.0)
        began = await store.now()
        await observe(store, clock, workspace, Observed(State.RUNNING, started_at=began))
        clock.advance(40 * DAY)
        ended = await store.now()
        await observe(store, clock, workspace, Observed(State.STOPPED, down_at=ended))
        clock.advance(3600.0)
    before = sum((one.hours.best for one in await lives_of(store)), 0.0)
    assert before == pytest.approx(2 * 40 * 24, rel=1e-3)
    clock.advance(usage.RETENTION_SECONDS)
    while await store.write(usage.fold, limit=1):
        pass
    assert await lives_of(store) == []
    sums = await store.engine.read(lambda tx: tx.all("SELECT * FROM usage_sums"))
    assert sum(row["hours"] for row in sums) == pytest.approx(before)
    assert len(sums) >= 3
    assert all("U" not in str(value) for row in sums for value in row.values())


async def test_life_has_the_price_of_its_workspace_when_it_began(store, clock, workspace):
    gpu = MachineKind("gpu", "large", Price(Decimal("0.50"), "EUR"))
    await store.write(prices.note_machine, workspace.id, gpu)
    await observe(store, clock, workspace, RUNNING)
    dearer = replace(gpu, price=Price(Decimal(2), "EUR"))
    await store.write(prices.note_machine, workspace.id, dearer)
    (life,) = await lives_of(store)
    assert (life.template, life.size, life.price) == ("gpu", "large", Price(Decimal("0.50"), "EUR"))
    clock.advance(60.0)
    await observe(store, clock, workspace, STOPPED)
    clock.advance(60.0)
    await observe(store, clock, workspace, RUNNING)
    assert {life.price for life in await lives_of(store)} == {gpu.price, dearer.price}


async def test_price_that_a_read_says_is_written_and_a_read_without_keeps_it(store, clock, workspace):
    price = Price(Decimal("0.0417"), "credits")
    priced = replace(RUNNING, machine=MachineKind("gpu", None, price))
    await observe(store, clock, workspace, RUNNING)
    clock.advance(60.0)
    await observe(store, clock, workspace, priced)
    (life,) = await lives_of(store)
    assert life.price == price
    clock.advance(60.0)
    await observe(store, clock, workspace, RUNNING)
    row = await store.read(workspaces.find_workspace, workspace.id)
    assert (row.template, row.hourly_price) == ("gpu", price)


async def test_run_has_the_price_with_which_it_was_launched(store, clock, account):
    price = Price(Decimal("0.09"), "USD")
    run = await launched(store, **MachineKind("batch", "medium", price).to_columns())
    clock.advance(60.0)
    await store.write(runs.save_run_step, Update(run.id, 1.0, observed=ObservedRun(RunState.RUNNING)))
    (life,) = await lives_of(store)
    assert (life.template, life.size, life.price) == ("batch", "medium", price)


async def test_run_that_a_list_finds_has_the_price_that_the_list_says(store, clock, account):
    machine = MachineKind(None, "medium", Price(Decimal("0.09"), "USD"))
    found = DiscoveredRun("a", "a", ObservedRun(RunState.RUNNING), machine)
    await store.perform(runs.merge_runs, account.id, [found])
    (life,) = await lives_of(store)
    assert (life.size, life.price) == (machine.size, machine.price)


async def test_workspace_that_a_list_finds_has_the_price_that_the_list_says(store, clock, account):
    prices_told = [Price(Decimal(one), "USD") for one in ("0.09", "0.12")]
    key = gate_key(account.connection, "lab")
    for price in (None, *prices_told):
        machine = price and MachineKind(None, "medium", price)
        found = listed_workspace("lab", key, "lab", State.RUNNING, machine=machine)
        clock.advance(600.0)
        await store.perform(discovered.merge_discovered, account.id, [found])
    (life,) = await lives_of(store)
    # A running workspace keeps the first price that was known; its next start gets the new one.
    assert (life.size, life.price) == ("medium", prices_told[0])
    row = await store.read(workspaces.find_workspace, life.workspace_id)
    assert row.hourly_price == prices_told[1]


async def test_new_offer_prices_what_is_launched_or_started_from_then_on(store, clock, account):
    def update(spec):
        return replace(spec, chosen={"price": "2"})

    def describe(spec):
        return MachineKind(None, "large", Price(Decimal(spec.text("price")), "USD"))

    old = Spec("lab", {"price": "1"})
    for name, spec in (("lab", old), ("found", None)):
        key = gate_key(account.connection, name)
        row = Workspace(f"ws_{name}", ALICE, account.connection, name, key, name, "added", spec=spec)
        await add_workspace(store, row)
    run = await launched(store, connection=account.connection, spec=old)
    await store.write(prices.note_offer, account, update, describe)
    rows = {one.name: one for one in await store.perform(workspaces.read_workspaces, ALICE)}
    assert rows["lab"].hourly_price == Price(Decimal(2), "USD")
    assert (rows["found"].spec, rows["found"].hourly_price) == (None, None)
    assert (await store.read(runs.find_run, run.id)).spec.text("price") == "2"


async def test_a_begin_that_a_list_found_is_told_by_the_next_read(store, clock, account):
    found = listed_workspace("lab", gate_key(account.connection, "lab"), "lab", State.RUNNING)
    await store.perform(discovered.merge_discovered, account.id, [found])
    (life,) = await lives_of(store)
    assert life.began.known is Known.UNKNOWN
    began = await store.now() - 7200.0
    row = await store.read(workspaces.find_workspace, life.workspace_id)
    await observe(store, clock, row, Observed(State.RUNNING, started_at=began))
    (life,) = await lives_of(store)
    assert (life.began.earliest, life.began.latest, life.began.known) == (began, began, Known.TOLD)


async def test_a_life_goes_to_the_row_that_its_workspace_is_merged_into(store, clock, workspace):
    await observe(store, clock, workspace, RUNNING)
    await store.write(usage.move, workspace.id, "ws_other")
    (life,) = await lives_of(store)
    assert life.workspace_id == "ws_other"


async def test_what_was_created_and_listed_has_one_life(store, clock, account):
    key = gate_key("posit", "#new")
    row = Workspace("ws1", ALICE, "posit", f"{PROVISIONAL}ws1", key, "lab", origin="discovered")
    creation = (await accept_creation(store, row, interaction="i1")).operation
    found = listed_workspace("r1", gate_key("posit", "r1"), "lab", State.RUNNING)
    await store.perform(discovered.merge_discovered, account.id, [found])
    clock.advance(30.0)
    made = await store.write(creations.name_created, creation.id, Created("r1", "lab"), found.gate_key)
    await observe(store, clock, made, STOPPED)
    (life,) = await lives_of(store)
    assert (life.workspace_id, life.ended is None) == ("ws1", False)


async def test_a_class_has_the_hours_of_what_its_members_got_from_each_press_on(store, clock):
    await classes.posted(store)
    mine = await classes.up(store, clock)
    await classes.up(store, clock, BOB)
    clock.advance(3600.0)
    await classes.press(store, mine)
    clock.advance(1800.0)
    await observe(store, clock, mine, RUNNING)
    sums = await store.read(usage.sum_class, classes.CARD, *EVER)
    assert sums.keys() == {ALICE.key}
    assert sums[ALICE.key].hours.best == pytest.approx(0.5, abs=0.01)


async def test_a_second_life_at_the_same_time_is_refused_by_the_database(store, clock, workspace):
    await observe(store, clock, workspace, RUNNING)

    def double(tx):
        tx.run("UPDATE lives SET id = 'other'")
        LIVES.add(tx, **{**tx.one("SELECT * FROM lives"), "id": "again"})

    with pytest.raises(StoreError):
        await store.engine.write(double)
    ended = {"ended_earliest": 1.0, "ended_latest": 1.0, "ended_known": "told"}
    with pytest.raises(StoreError):
        await store.engine.write(lambda tx: LIVES.change(tx, {"subject": workspace.gate_key}, **ended))


@machines_clock
async def test_lives_of_a_clock_that_was_ahead_do_not_hold_up_the_next(database, clock):
    store = await database.open(serves=True)
    workspace = (await linked(store)).workspaces[0]
    clock.jump(3 * DAY)
    for seen in (STOPPED, RUNNING, STOPPED, RUNNING):
        clock.advance(600.0)
        await observe(store, clock, workspace, seen)
    await store.close()
    clock.jump(-3 * DAY)
    again = await database.open(serves=True)
    for seen in (STOPPED, RUNNING):
        clock.advance(3600.0)
        await observe(again, clock, workspace, seen)
    lives, now = await lives_of(again), await again.now()
    assert [one.ended is None for one in lives] == [False, False, True]
    assert all(one.runs_from <= one.runs_until <= now for one in lives)


async def test_sums_of_everybody_are_those_of_the_model(store):
    """The sums computed in SQL match those computed in Python."""
    hour, since, until = 3600.0, 100 * 3600.0, 200 * 3600.0
    lives = [
        make_life(90 * hour, 110 * hour, price="0.50 USD"),
        make_life(Moment(120 * hour, 122 * hour, Known.SEEN), Moment(130 * hour, 134 * hour, Known.UNKNOWN)),
        make_life(140 * hour, Moment(150 * hour, 152 * hour, Known.SEEN), principal=BOB, price="2 EUR"),
        make_life(190 * hour, None, "lab", last_seen_at=195 * hour, principal=BOB, connection="hub"),
        make_life(50 * hour, 60 * hour, "old"),
        make_life(210 * hour, 220 * hour, "later"),
    ]
    await keep(store, *lives)
    given = ("", since, until)
    for name, sums in (
        ("connection", {key: one for key, _, one in await store.read(usage.sum_connections, *given)}),
        ("person", dict(await store.read(usage.sum_people, *given))),
    ):
        wanted = {key: one for key, one in sum_up(lives, name, since, until, until).items() if one.hours.best}
        assert sums.keys() == wanted.keys()
        for key, one in sums.items():
            assert one.hours.best == pytest.approx(wanted[key].hours.best)
            assert one.unpriced == pytest.approx(wanted[key].unpriced)
            assert {name: float(money) for name, money in one.money.items()} == {
                name: pytest.approx(float(money)) for name, money in wanted[key].money.items()
            }
    assert [(name, people) for name, people, _ in await store.read(usage.sum_connections, *given)] == [
        ("saturn", 2),
        ("hub", 1),
    ]
    assert await store.read(usage.count_people, *given, ["saturn", "hub"]) == 2
    assert await store.read(usage.count_people, *given, ["hub"]) == 1
    assert await store.read(usage.sum_people, "-:T9:", since, until) == []
    assert [key for key, _ in await store.read(usage.sum_people, BOB.key, since, until)] == [BOB.key]


async def test_what_a_workspace_is_called_now_is_its_name(store, clock, workspace):
    await observe(store, clock, workspace, RUNNING)
    for name, seen in (("thesis", RUNNING), ("paper", STOPPED)):
        clock.advance(600.0)
        await store.write(workspaces.name, workspace.id, name)
        await observe(store, clock, workspace, seen)
        (line,) = (await store.read(usage.read_usage, ALICE, *EVER)).lines
        assert [line.name, *(one.name for one in await lives_of(store))] == [name, name]


@pytest.mark.parametrize("leaves", [False, True], ids=["hides", "unlinks"])
async def test_others_reads_are_signs_of_a_shared_life(store, clock, leaves):
    for principal in (ALICE, BOB):
        await link_account(store, principal, "saturn")
    mine, theirs = [await add_workspace(store, by_reference(one)) for one in (ALICE, BOB)]
    await observe(store, clock, mine, RUNNING)
    if leaves:
        await unlink(store, ALICE, "saturn")
        await follow(store)
    else:
        await hide_workspace(store, mine.id)
    for _ in range(3):
        clock.advance(0.6 * DAY)
        await observe(store, clock, theirs, RUNNING)
    (life,) = await lives_of(store)
    assert (life.ended is None, life.last_seen_at) == (True, await find_last_read(store, theirs))
    assert await lives_of(store, BOB) == []
