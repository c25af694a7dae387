"""After an outage, a planned start goes ahead if enough time is left; otherwise the owner is told once."""

from __future__ import annotations

import json

import pytest

from bot.domain.operations import OperationVerb
from bot.domain.time_parsing import read_hours
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.messages.texts.holds import explain_hold
from bot.services import course_changes as changes
from bot.services import course_readiness
from bot.services import hours as hours_use_cases
from bot.store import accounts, operations, workspaces
from bot.store import hours as hour_rows
from bot.store.tables import OPERATIONS
from bot.support.errors import RateLimited, ServerFailed, UnknownOutcome, Unreachable
from tests.reconciler.classroom import TRAINER, ask, people, person, press, seat
from tests.reconciler.classroom import told as told_to
from tests.reconciler.courses import course, state
from tests.reconciler.hours import given, local, until
from tests.rigs.store import ALICE, link_account, refuse

DOWN = ServerFailed("maintenance", status=503)
METHODS = ("start", "status", "stop", "discover")


def goes_away(world, error=DOWN, methods=METHODS):
    for method in methods:
        world.provider.fail(method, error, times=1_000_000)


def told(world):
    """Return the kind and all the text of each message that notified somebody, including deleted ones."""
    arrived = sorted([*world.slack.messages, *world.slack.deleted], key=lambda one: float(one["ts"]))
    keyed = [(one["metadata"]["event_payload"]["key"].split("/")[1], one) for one in arrived]
    return [(kind, json.dumps(one, ensure_ascii=False)) for kind, one in keyed]


def said(world, kind):
    return [text for one, text in told(world) if one == kind]


@pytest.mark.parametrize(
    ("text", "back", "is_started"),
    [
        pytest.param("weekdays 9:00-18:00", "9:40", True, id="soon"),
        pytest.param("weekdays 9:00-18:00", "14:57", True, id="third"),
        pytest.param("weekdays 9:00-18:00", "15:03", False, id="less-than-a-third"),
        pytest.param("weekdays 9:00-10:00", "9:28", True, id="half-an-hour"),
        pytest.param("weekdays 9:00-10:00", "9:33", False, id="less-than-half-an-hour"),
        pytest.param("weekdays 9:00-9:30", "9:03", False, id="too-short"),
        pytest.param("weekdays 9:00", "12:00", True, id="without-end"),
    ],
)
async def test_hours_go_on_after_an_outage(world, text, back, is_started):
    workspace = await given(world, text, at="8:30")
    goes_away(world)
    await until(world, back, step=30)
    world.provider.heal()
    await world.pass_time(120, step=5)
    assert world.provider.accepted_starts == ["r1"] * is_started
    kinds = [kind for kind, _ in told(world) if kind != "waiting"]
    assert kinds == ["ready" if is_started else "hours_missed"]
    spoken = json.dumps(world.slack.messages, ensure_ascii=False)
    assert "You asked" not in spoken
    assert "Keep waiting" not in spoken
    assert len(said(world, "waiting")) <= 1
    (end,) = said(world, kinds[0])
    if is_started:
        assert "is ready, later than usual: Fake Cloud wasn't available until" in end
    else:
        ends = text.rpartition("-")[2]
        assert "Start it until then" in end
        assert f"I can start it until <!date^{local(ends):.0f}^" in end
        assert (await world.store.read(workspaces.find_workspace, workspace.id)).stop_at is None


async def test_made_up_hours_stop_at_their_end(world):
    await given(world, "weekdays 9:00-10:30", at="8:50")
    goes_away(world)
    await until(world, "9:50", step=30)
    world.provider.heal()
    await until(world, "10:32", step=20)
    assert (world.provider.accepted_starts, world.provider.accepted_stops) == (["r1"], ["r1"])


@pytest.mark.parametrize(
    ("error", "methods"),
    [
        pytest.param(DOWN, ("start",), id="503"),
        pytest.param(RateLimited("slow down", status=429), ("start",), id="429"),
        pytest.param(Unreachable("no route"), METHODS, id="unreachable"),
        pytest.param(UnknownOutcome("no answer"), METHODS, id="time-out"),
        pytest.param(ServerFailed("oops", status=500), ("start",), id="500-reads-answer"),
    ],
)
async def test_failure_that_passes_is_made_up(world, error, methods):
    """The owner never hears of single attempts, whatever the failure and however long it lasts.

    There is at most a notice that the start is waiting, then one that the workspace is ready.
    """
    await given(world, "weekdays 9:00-18:00", at="8:55")
    goes_away(world, error, methods)
    await until(world, "10:30", step=20)
    world.provider.heal()
    await world.pass_time(900, step=10)
    assert world.provider.accepted_starts == ["r1"]
    kinds = [kind for kind, _ in told(world)]
    assert kinds[-1] == "ready"
    assert set(kinds) <= {"waiting", "ready"}
    assert "later than usual" in said(world, "ready")[0]


async def test_two_outages_in_a_row_are_one_delay(world):
    await given(world, "weekdays 9:00-18:00", at="8:30")
    goes_away(world)
    await until(world, "9:30", step=30)
    world.provider.heal()
    goes_away(world, methods=("start",))
    await until(world, "9:32", step=10)
    goes_away(world)
    await until(world, "11:00", step=30)
    world.provider.heal()
    await world.pass_time(420, step=10)
    assert world.provider.accepted_starts == ["r1"]
    assert [kind for kind, _ in told(world)] == ["waiting", "ready"]


async def test_start_lost_in_an_outage_is_sent_again_once(world):
    """The start was accepted, but nobody saw it come up, and the first read finds it stopped."""
    await given(world, "weekdays 9:00-18:00", at="8:55")
    world.provider.start_takes = 10_000.0
    await until(world, "9:01", step=2)
    goes_away(world)
    world.provider.machines["r1"].state = State.STOPPED
    await until(world, "9:50", step=30)
    world.provider.start_takes = 0.0
    world.provider.heal()
    await world.pass_time(400, step=5)
    assert world.provider.accepted_starts == ["r1", "r1"]
    assert world.provider.machines["r1"].state is State.RUNNING
    assert said(world, "failed") == []


@pytest.mark.parametrize("how", ["stop", "skip", "off", "pause"])
async def test_stopped_meanwhile_is_not_made_up(world, how):
    workspace = await given(world, "weekdays 9:00-18:00", at="8:30")
    goes_away(world)
    await until(world, "9:20", step=30)
    if how == "stop":
        await world.begin(workspace, OperationVerb.STOP)
    elif how == "skip":
        await world.ask("skip").run(hours_use_cases.leave_out_days, workspace.id, ["2027-11-22"])
    elif how == "pause":
        days = [f"2027-11-{day}" for day in range(22, 29)]
        await world.ask("pause").run(hours_use_cases.leave_out_days, workspace.id, days)
    else:
        await world.ask("off").run(hours_use_cases.end, workspace.id)
    await until(world, "10:00", step=30)
    world.provider.heal()
    await until(world, "15:10", step=60)
    assert world.provider.accepted_starts == []
    assert said(world, "hours_missed") == []
    assert (await world.store.read(operations.find_latest_operation, workspace.id)).outcome is not None


async def test_hours_changed_meanwhile_count_as_they_are_now(world):
    workspace = await given(world, "weekdays 9:05-18:00", at="8:30")
    goes_away(world)
    await until(world, "9:30", step=30)
    await world.ask("new").run(hours_use_cases.add, workspace.id, read_hours("weekdays 9:05-12:00"))
    operation = await world.store.read(operations.find_latest_operation, workspace.id)
    assert operation.is_open
    await until(world, "11:15", step=30)
    world.provider.heal()
    await world.pass_time(60)
    assert world.provider.accepted_starts == []
    (missed,) = said(world, "hours_missed")
    assert "Start it until then" in missed


async def test_last_step_of_a_start_comes_earlier_after_its_hours_were_shortened(world):
    workspace = await given(world, "weekdays 9:05-18:00", at="8:30")
    goes_away(world)
    await until(world, "9:30", step=30)
    start = await world.store.read(operations.find_latest_operation, workspace.id)
    await world.store.carry_out(
        lambda tx: OPERATIONS.change(tx, {"id": start.id}, next_step_at=start.good_until)
    )
    await world.ask("new").run(hours_use_cases.add, workspace.id, read_hours("weekdays 9:05-12:00"))
    changed = await world.store.read(operations.find_operation, start.id)
    assert changed.next_step_at == changed.good_until < start.good_until


async def test_start_that_comes_once_is_named_as_planned(world):
    """A rule for one day ends with its start. The message doesn't say that the owner asked for the start."""
    await given(world, "2027-11-22 9:00", at="8:30")
    goes_away(world)
    await until(world, "17:10", step=60)
    (missed,) = said(world, "failed")
    assert f"as planned for <!date^{local('9:00'):.0f}^" in missed
    assert "Fake Cloud hasn't been available since" in missed
    assert "keep trying" not in missed
    assert "You asked" not in str(world.slack.messages)


@pytest.mark.parametrize("is_early", [True, False], ids=["in-time", "too-late"])
async def test_refused_sign_in_that_is_mended(world, is_early):
    workspace = await given(world, "weekdays 9:00-18:00", at="8:55")
    await until(world, "8:59")
    await refuse(world.store, await world.store.read(accounts.find_account, ALICE, "cloud"))
    await until(world, "10:00" if is_early else "15:10", step=60)
    await link_account(world.store, ALICE, "cloud", secret=world.seal(ALICE))
    await world.pass_time(120, step=5)
    assert world.provider.accepted_starts == ["r1"] * is_early
    assert "You asked" not in str(world.slack.messages)
    assert (await world.store.read(hour_rows.list_rules, workspace.id))[0].paused == ""


async def test_call_is_not_committed_after_its_plan(world):
    """The statement that commits to the call checks the row as it is at that moment."""
    workspace = await given(world, "weekdays 9:00-18:00", at="8:55")
    goes_away(world)
    await until(world, "9:10", step=30)
    operation = await world.store.read(operations.find_latest_operation, workspace.id)
    past = world.clock.now() - 1.0
    await world.store.carry_out(lambda tx: OPERATIONS.change(tx, {"id": operation.id}, good_until=past))
    world.provider.heal()
    assert await world.until_ended(operation.id, 120) is Outcome.FAILED
    assert world.provider.accepted_starts == []


# -- lessons -------------------------------------------------------------------------------------------------


async def lesson_until(world, at, step=20.0):
    for one in [TRAINER, *people(8)]:
        await world.know(one)
    await world.pass_time(local(at) - world.clock.now(), step=step)


@pytest.mark.parametrize(
    ("back", "is_started"), [pytest.param("9:58", True, id="third"), pytest.param("10:02", False, id="less")]
)
async def test_lesson_goes_on_after_an_outage(world, back, is_started):
    """Students are told once that it is late, and once how that ended."""
    students = people(3)
    await course(world, *students)
    await lesson_until(world, "8:40")
    goes_away(world)
    await lesson_until(world, back)
    world.provider.heal()
    await lesson_until(world, "10:10", step=10.0)
    assert sorted(world.provider.accepted_starts) == sorted(
        f"r-{one.user_id}" for one in students if is_started
    )
    for one in students:
        first, last = told_to(world, one, has_gone=True)
        assert "is starting, and I haven't been able to start your workspace yet. Fake Cloud hasn't" in first
        assert ("later than usual: Fake Cloud wasn't available until" in last) is is_started
        assert (f"I couldn't start name-r-{one.user_id} on Fake Cloud as planned" in last) is not is_started
    await lesson_until(world, "10:40")
    expected = {State.STOPPED}
    assert {state(world, number) for number in range(3)} == expected
    assert "You asked" not in str(world.slack.messages)
    assert "Keep waiting" not in str(world.slack.messages)


async def test_lesson_that_is_left_in_an_outage_starts_nothing(world):
    alice, bob = people(2)
    card = await course(world, alice, bob)
    await lesson_until(world, "8:40")
    goes_away(world)
    await lesson_until(world, "9:10")
    await ask(world, alice).run(changes.leave, card.id)
    assert (await world.store.perform(workspaces.read_workspaces, alice))[0].stop_at is None
    world.provider.heal()
    await lesson_until(world, "9:30", step=10.0)
    assert world.provider.accepted_starts == [f"r-{bob.user_id}"]


@pytest.mark.parametrize(
    ("back", "is_started"), [pytest.param("9:40", True, id="third"), pytest.param("10:10", False, id="less")]
)
async def test_lesson_goes_on_after_a_downtime(world, back, is_started):
    (alice,) = people(1)
    await course(world, alice)
    await lesson_until(world, "8:40")
    world.clock.jump(local(back) - world.clock.now())
    world.reborn()
    await lesson_until(world, "10:20", step=10.0)
    assert len(world.provider.accepted_starts) == is_started
    (last,) = told_to(world, alice)
    assert ("later than usual: I couldn't start it before" in last) is is_started
    assert ("in time for Statistics" in last) is not is_started


async def test_lesson_that_is_over_meanwhile_starts_nothing(world):
    (alice,) = people(1)
    await course(world, alice)
    await lesson_until(world, "8:40")
    goes_away(world)
    await lesson_until(world, "10:35")
    world.provider.heal()
    await lesson_until(world, "11:00")
    assert world.provider.accepted_starts == []
    assert sum("I couldn't start name-r-U000" in one for one in told_to(world, alice)) == 1


async def test_lesson_over_in_a_downtime_is_told_to_each_member_once(world, monkeypatch):
    """Members are told in batches, but not people who join later, and nothing is started for the lesson."""
    monkeypatch.setattr(course_readiness, "MEMBERS_PER_TRANSACTION", 2)
    students = people(5)
    card = await course(world, *students)
    await lesson_until(world, "8:40")
    world.clock.jump(local("10:40") - world.clock.now())
    world.reborn()
    late = person(5)
    await seat(world, late)
    await press(world, card, late)
    await lesson_until(world, "11:30", step=10.0)
    await lesson_until(world, "12:30", step=60.0)
    assert world.provider.accepted_starts == []
    for one in students:
        (missed,) = told_to(world, one)
        name = f"name-r-{one.user_id}"
        assert (
            missed
            == f"I couldn't start {name} on Fake Cloud for Statistics: the lesson was over before I could."
        )
    assert told_to(world, late) == []


async def test_lesson_left_out_until_it_was_over_is_no_missed_one(world):
    (alice,) = people(1)
    card = await course(world, alice)
    await lesson_until(world, "8:40")
    await ask(world).run(changes.leave_out, card.id, ["2027-11-22"])
    await lesson_until(world, "11:00")
    await ask(world).run(changes.leave_out, card.id, [])
    await lesson_until(world, "11:30")
    assert told_to(world, alice) == []


async def test_hours_go_on_where_their_lesson_is_missed(world):
    """One start serves both plans, for as long as either of them lasts."""
    alice = ALICE
    workspace = await given(world, "weekdays 9:00-18:00", at="8:00")
    card = await course(world)
    await press(world, card, alice)
    await lesson_until(world, "8:40")
    goes_away(world)
    await lesson_until(world, "10:10")
    world.provider.heal()
    await world.pass_time(60)
    assert world.provider.accepted_starts == [workspace.remote_id]
    assert said(world, "hours_missed") == []


async def test_who_leaves_a_course_meanwhile_is_not_started(world):
    alice, bob = people(2)
    card = await course(world, alice, bob)
    await lesson_until(world, "8:40")
    goes_away(world)
    await lesson_until(world, "9:10")
    await ask(world, alice).run(changes.leave, card.id)
    await lesson_until(world, "9:30")
    world.provider.heal()
    await lesson_until(world, "9:35", step=5.0)
    assert world.provider.accepted_starts == [f"r-{bob.user_id}"]


async def test_who_joins_in_an_outage_is_started_after_it(world):
    card = await course(world, *people(1))
    await lesson_until(world, "8:40")
    goes_away(world)
    await lesson_until(world, "9:10")
    late = person(5)
    await seat(world, late)
    await press(world, card, late)
    await lesson_until(world, "9:55")
    world.provider.heal()
    await lesson_until(world, "9:58", step=5.0)
    assert f"r-{late.user_id}" in world.provider.accepted_starts


# -- since when ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error", [DOWN, ServerFailed("oops", status=500), UnknownOutcome("?"), Unreachable("?")]
)
@pytest.mark.parametrize("verb", ["start", "restart", "create"])
async def test_hold_says_the_first_time_while_only_the_call_fails(world, error, verb):
    if verb == "create":
        operation_id, method = await world.make(), "create"
    else:
        up = verb == "restart"
        workspace = await world.own(state=State.RUNNING if up else State.STOPPED)
        operation_id, method = await world.begin(workspace, OperationVerb(verb)), "stop" if up else "start"
    world.provider.fail(method, error, times=1_000_000)
    holds = []
    for _ in range(120):
        await world.pass_time(5)
        hold = explain_hold(
            (await world.store.read(operations.find_operation, operation_id)).block_reason, "Fake Cloud"
        )
        holds += [] if holds[-1:] == [hold] else [hold]
    assert len([one for one in holds if one]) == 1
    assert holds[0] is None or len(holds) == 1
    world.provider.heal()
    assert await world.until_ended(operation_id, 600) is Outcome.FULFILLED
