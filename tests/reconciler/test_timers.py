"""Timers: warning and stop come once, whatever happens to the process, the clock and the owner."""

from contextlib import suppress

import pytest

from bot.domain.operations import OperationVerb
from bot.domain.timers import TIMER_WARNING_SECONDS
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.services import timers
from bot.services.due_timers import TIMER_WORK
from bot.services.timers import cancel_timer, plan_timer, postpone_timer
from bot.store import operations
from bot.store import workspaces as workspace_rows
from bot.support.errors import Refused, ServerFailed
from tests.reconciler.classroom import seat
from tests.reconciler.fuse import Killed, Meanwhile
from tests.reconciler.refusals import refuse
from tests.rigs.store import ALICE, set_timer, want_read

MINUTE = 60.0
HOUR = 60 * MINUTE


async def row(world, workspace):
    return await world.store.read(workspace_rows.find_workspace, workspace.id)


async def timed(world, seconds=15 * MINUTE, *, workspace=None, **keys):
    """Give Alice a running workspace that will be stopped in this many seconds."""
    workspace = workspace or await world.own(state=State.RUNNING)
    await world.pass_time(12)
    timer = plan_timer(world.asking, workspace, await world.store.now() + seconds, **keys)
    await world.ask().run(timers.set_timer, workspace.id, timer)
    return await row(world, workspace)


async def pass_until(world, at, step=5.0):
    """Let time pass until shortly after this time."""
    left = at - await world.store.now()
    await world.pass_time(left + step, step=step)


def told(world):
    """Return the kinds of messages sent.

    A warning that has turned into the news of the stop counts as both.
    """
    kinds = [kind for kind in world.slack.sent_kinds() if kind != "card"]
    return kinds + ["stopped"] * (len(world.slack.told("stopped")) - kinds.count("stopped"))


def text(world, kind):
    (found,) = [
        one["text"]
        for one in world.slack.messages
        if f"/{kind}/" in str((one.get("metadata") or {}).get("event_payload"))
    ]
    return found


async def test_changed_it_is_warned_of_again_and_stopped_once(world):
    workspace = await timed(world)
    await pass_until(world, workspace.stop_at - 500)
    assert told(world) == ["stop_warning"]
    later = await world.ask("b1").run(postpone_timer, workspace.id, workspace.stop_at)
    again = await world.ask("b2").run(postpone_timer, workspace.id, workspace.stop_at)
    assert later.stop_at == again.stop_at == workspace.stop_at + HOUR
    await pass_until(world, later.stop_at + 60)
    assert told(world) == ["stop_warning", "stop_warning", "stopped"]


@pytest.mark.parametrize("state", [State.FAILED, State.UNKNOWN], ids=str)
async def test_timer_of_what_can_still_run_is_warned_of_once(world, state):
    """A workspace that isn't known to be down is stopped on time, like a running one."""
    workspace = await timed(world)
    world.provider.put("r1", state)
    await pass_until(world, workspace.stop_at + 120)
    assert told(world).count("stop_warning") == 1
    assert world.provider.accepted_stops == ["r1"]
    assert (await row(world, workspace)).stop_at is None


@pytest.mark.parametrize("later", [None, 2 * HOUR], ids=["taken back", "moved"])
async def test_changed_while_others_are_stopped_it_is_not_stopped(world, later):
    workspace = await timed(world, 5 * MINUTE)

    async def change():
        timer = later and plan_timer(world.asking, workspace, await whole.now() + later)
        await set_timer(whole, workspace, timer)

    whole = world.store
    world.store = Meanwhile(whole, "carry_out", change, before=True)
    world.reborn()
    world.store = whole
    await pass_until(world, workspace.stop_at + 120, step=5)
    assert world.provider.accepted_stops == []
    assert await world.store.read(operations.find_latest_operation, workspace.id) is None
    assert ((await row(world, workspace)).stop_at is None) == (later is None)


async def test_after_a_downtime_its_person_gets_five_minutes(world):
    workspace = await timed(world)
    world.clock.advance(15 * MINUTE + 30)
    world.reborn()
    await world.pass_time(60, step=5)
    assert text(world, "stop_warning").startswith("name-r1 stops in 5 minutes, ")
    moved = (await row(world, workspace)).stop_at
    await world.pass_time(200, step=5)
    assert world.provider.accepted_stops == []
    await pass_until(world, moved + 60, step=5)
    assert world.provider.accepted_stops == ["r1"]


def asleep(world, seconds):
    world.clock.jump(seconds)


def down(world, seconds):
    world.clock.advance(seconds)
    world.reborn()


@pytest.mark.parametrize("absent", [asleep, down])
@pytest.mark.parametrize("seconds", [15 * MINUTE, 5 * MINUTE], ids=["warned", "too short to be warned of"])
async def test_who_comes_back_long_after_the_moment_is_warned_anew_and_read_first(world, seconds, absent):
    """As far as Usher knows, the workspace kept running overnight. But its owner may have restarted it."""
    workspace = await timed(world, seconds)
    await pass_until(world, workspace.stop_at - 60)
    before = told(world)
    absent(world, 9 * HOUR)
    world.provider.fail("status", ServerFailed("still away"), times=999)
    await world.pass_time(120, step=5)
    assert told(world) == [*before, "planned_stop_failed"]
    world.provider._faults.clear()
    await world.pass_time(90, step=5)
    assert world.provider.accepted_stops == []
    assert told(world) == [*before, "planned_stop_failed", "stop_warning"]
    assert world.slack.messages[-1]["text"].startswith("name-r1 stops in 5 minutes, ")
    moved = (await row(world, workspace)).stop_at
    await pass_until(world, moved + 60, step=5)
    assert world.provider.accepted_stops == ["r1"]
    operation = await world.store.read(operations.find_latest_operation, workspace.id)
    assert (operation.planned_for, operation.outcome) == (moved, Outcome.FULFILLED)


async def test_what_can_not_be_read_since_its_warning_is_stopped_only_after_another(world):
    workspace = await timed(world, 30 * MINUTE)
    world.provider.fail("status", ServerFailed("away"), times=99_999)
    await pass_until(world, workspace.stop_at + 2 * HOUR, step=20)
    assert told(world) == ["stop_warning", "planned_stop_failed"]
    assert await world.store.read(operations.find_latest_operation, workspace.id) is None
    world.provider._faults.clear()
    await world.pass_time(5 * MINUTE, step=5)
    assert told(world) == ["stop_warning", "planned_stop_failed", "stop_warning"]
    assert world.provider.accepted_stops == []
    await world.pass_time(5 * MINUTE, step=5)
    assert world.provider.accepted_stops == ["r1"]


@pytest.mark.parametrize("before", [30 * MINUTE, 5 * MINUTE], ids=["before its warning", "after it"])
async def test_timer_of_refused_sign_in_is_told_once(world, before):
    """Nothing is announced meanwhile. Once the sign-in is accepted, the warning comes, and then the stop."""
    workspace = await timed(world, HOUR, workspace=await seat(world, ALICE, State.RUNNING))
    await pass_until(world, workspace.stop_at - before, step=20)
    warned = told(world)
    refuse(world, ALICE)
    await want_read(world.store, workspace.id)
    await pass_until(world, workspace.stop_at + 90, step=10)
    assert told(world) == [*warned, "sign_in_refused", "planned_stop_failed"]
    said = world.slack.messages[-1]
    assert f"I couldn't stop {workspace.name} at " in said["text"]
    assert "Fake Cloud refuses your sign-in. As far as I know, it's still running." in said["text"]
    assert "Link again" in str(said["blocks"])
    await pass_until(world, workspace.stop_at + 8 * HOUR, step=60)
    assert told(world) == [*warned, "sign_in_refused", "planned_stop_failed"]
    world.provider.refused_tokens.clear()
    await world.pass_time(HOUR + MINUTE, step=30)
    assert told(world)[len(warned) + 2] == "stop_warning"
    await world.pass_time(10 * MINUTE, step=10)
    assert told(world)[len(warned) + 2 :] == ["stop_warning", "stopped"]
    assert len(world.provider.accepted_stops) == 1


async def test_planned_stop_of_removed_connection_is_not_announced(world):
    """The owner gets no warning. At the time of the stop, they are told that it can't be carried out."""
    workspace = await timed(world, 30 * MINUTE)
    world.reborn(connections={})
    await pass_until(world, workspace.stop_at - MINUTE)
    assert told(world) == []
    await pass_until(world, workspace.stop_at + 2 * MINUTE)
    assert told(world) == ["planned_stop_failed"]
    assert "I'm not connected to" in text(world, "planned_stop_failed")


async def test_who_can_not_be_read_for_any_more_is_told_after_an_absence(world):
    workspace = await timed(world)
    await pass_until(world, workspace.stop_at - 60)
    world.clock.advance(9 * HOUR)
    world.reborn(connections={})
    await world.pass_time(60, step=5)
    assert told(world) == ["stop_warning", "planned_stop_failed"]
    assert (await row(world, workspace)).stop_at is None


async def killed():
    raise Killed


@pytest.mark.parametrize("target", [TIMER_WORK.claim, "carry_out"], ids=["claim", "write"])
@pytest.mark.parametrize("before", [TIMER_WARNING_SECONDS, 0.0], ids=["warning", "stop"])
async def test_killed_between_the_claim_and_the_write_it_comes_once_all_the_same(world, target, before):
    workspace = await timed(world)
    await pass_until(world, workspace.stop_at - before - 30)
    whole = world.store
    world.store = Meanwhile(whole, target, killed, before=target == "carry_out")
    world.reborn()
    world.store = whole
    with suppress(Killed):
        await pass_until(world, workspace.stop_at - before + 20, step=5)
    world.reborn()
    # The dead process's claim expires.
    await pass_until(world, workspace.stop_at + 180)
    assert told(world) == ["stop_warning", "stopped"]
    assert world.provider.accepted_stops == ["r1"]
    assert (await row(world, workspace)).stop_at is None


@pytest.mark.parametrize("state", [State.RUNNING, State.FAILED], ids=str)
async def test_a_guest_by_then_is_told_that_it_was_not_stopped(world, state):
    workspace = await timed(world, 5 * MINUTE)
    world.provider.put("r1", state)
    await world.know(is_guest=True)
    await pass_until(world, workspace.stop_at + 60, step=5)
    assert told(world) == ["planned_stop_failed"]
    assert text(world, "planned_stop_failed").startswith(
        "I couldn't stop name-r1 on Fake Cloud as you planned for "
    )
    assert world.provider.accepted_stops == []


async def test_refusal_that_ends_a_timer_is_explained(world):
    workspace = await timed(world)
    refusal = Refused("workspace.unknown", cause="not_owner")
    await world.ask().run(TIMER_WORK.refuse, workspace, refusal)
    await world.pass_time(5)
    assert "I can't find that workspace on your list." in text(world, "planned_stop_failed")


async def test_one_that_would_end_it_for_good_only_by_then_is_not_carried_out(world):
    workspace = await timed(world, 5 * MINUTE)
    world.provider.ends_for_good = True
    await pass_until(world, workspace.stop_at + 60, step=5)
    assert told(world) == ["planned_stop_failed"]
    assert world.provider.accepted_stops == []


async def test_message_of_readiness_loses_an_end_that_was_taken_back(world):
    workspace = await timed(world, 2 * HOUR)
    await world.until_ended(await world.begin(workspace, OperationVerb.RESTART))
    await world.pass_time(30)
    (ready,) = world.slack.told("ready")
    assert "I'll stop it" in str(ready["blocks"])
    await world.ask("keep").run(cancel_timer, workspace.id)
    await world.pass_time(60, step=5)
    assert "I'll stop it" not in str(ready["blocks"])
    assert "is ready" in str(ready["blocks"])


async def test_warning_stands_though_something_else_is_asked(world):
    """Starting a running workspace doesn't change its planned stop."""
    workspace = await timed(world)
    await pass_until(world, workspace.stop_at - 9 * MINUTE)
    assert "stop_warning" in told(world)
    await world.begin(workspace, OperationVerb.START)
    await pass_until(world, workspace.stop_at - 5 * MINUTE)
    assert "stop_warning" in world.slack.kinds()


async def test_planned_stop_waits_while_only_other_processes_have_its_connection(world):
    workspace = await timed(world)
    connections = world.context.connections
    world.reborn(connections={})
    world.owners.lacking_connections = frozenset({"cloud"})
    await pass_until(world, workspace.stop_at + 30)
    assert "planned_stop_failed" not in told(world)
    world.reborn(connections=connections)
    world.owners.lacking_connections = frozenset()
    await world.pass_time(10 * MINUTE)
    assert world.provider.accepted_stops == ["r1"]
