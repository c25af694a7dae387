"""Changing hours while they keep a workspace running: it stops once, as planned or as changed."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from bot.domain.operations import OperationVerb
from bot.domain.time_parsing import read_hours
from bot.domain.workspaces import State
from bot.services import hours as use_cases
from bot.services.timers import cancel_timer
from bot.store import hours as hour_rows
from bot.store import workspaces as workspace_rows
from tests.reconciler.hours import given, local, told, until
from tests.reconciler.two_machines import TwoMachines
from tests.reconciler.world import new_world


class Full(TwoMachines):
    """Have no machine for anybody."""

    machines_there = 0


@pytest.fixture
async def full_world():
    async with new_world(Full) as made:
        yield made


TODAY = "2027-11-22"
ALL_STOPPED = ["ready", "stop_warning", "stopped"]


@dataclass(frozen=True)
class Change:
    """A change of hours: the name of a use case, and its arguments."""

    work: str
    values: tuple = ()

    async def to(self, world, workspace, key="change"):
        if self.work == "add":
            (rule,) = await world.store.read(hour_rows.list_rules, workspace.id)
            wanted = read_hours(self.values[0])
            return await world.ask(key).run(use_cases.add, workspace.id, wanted, former=rule.id)
        return await world.ask(key).run(getattr(use_cases, self.work), workspace.id, *self.values)


SKIP, PAUSE, OFF = Change("leave_out_days", ([TODAY],)), Change("pause"), Change("end")
WEEK = Change("leave_out_days", ([TODAY, "2027-11-23", "2027-11-24"],))
#: Changes that cancel today's stop.
TAKING = {
    "skip": SKIP,
    "pause": PAUSE,
    "pause until": WEEK,
    "off": OFF,
    "earlier": Change("add", ("weekdays 9:00-13:00",)),
    "other days": Change("add", ("tue 9:00-18:00",)),
    "only a start": Change("add", ("weekdays 9:00",)),
}
taking = pytest.mark.parametrize("change", TAKING.values(), ids=TAKING)


def told_of_end(world):
    """Return the kinds of messages sent.

    A warning that has turned into the news of the stop counts as both.
    """
    kinds = told(world)
    return kinds + ["stopped"] * (len(world.slack.told("stopped")) - kinds.count("stopped"))


async def running(world, at="14:00"):
    workspace = await given(world, "weekdays 9:00-18:00", at="08:58")
    await until(world, "9:05", step=5)
    await until(world, at, step=300)
    assert world.provider.accepted_starts == ["r1"]
    return workspace


@taking
async def test_hours_changed_while_they_run_end_as_planned(world, change):
    workspace = await running(world)
    await change.to(world, workspace)
    assert (await world.store.read(workspace_rows.find_workspace, workspace.id)).stop_at == local("18:00")
    await until(world, "17:49", step=300)
    await until(world, "18:03", step=10)
    assert (told_of_end(world), world.provider.accepted_stops) == (ALL_STOPPED, ["r1"])


@taking
async def test_hours_changed_after_the_warning_end_as_warned(world, change):
    workspace = await running(world, "17:47")
    await until(world, "17:54", step=10)
    await change.to(world, workspace)
    assert (await world.store.read(workspace_rows.find_workspace, workspace.id)).stop_at == local("18:00")
    await until(world, "18:03", step=10)
    assert (told_of_end(world), world.provider.accepted_stops) == (ALL_STOPPED, ["r1"])


@pytest.mark.parametrize("at", ["14:00", "17:54"])
@pytest.mark.parametrize(
    ("change", "end"),
    [
        pytest.param(Change("add", ("weekdays 9:00-20:00",)), "20:00", id="later"),
        pytest.param(Change("add", ("every day -20:00",)), "20:00", id="only a stop"),
    ],
)
async def test_hours_that_name_another_end_of_today_have_that(world, change, end, at):
    workspace = await running(world, min(at, "17:47"))
    await until(world, at, step=10)
    await change.to(world, workspace)
    assert (await world.store.read(workspace_rows.find_workspace, workspace.id)).stop_at is None
    await world.pass_time(local(end) - 720.0 - world.clock.now(), step=300)
    assert world.provider.accepted_stops == []
    await world.pass_time(1_020.0, step=30)
    assert world.provider.accepted_stops == ["r1"]


@pytest.mark.parametrize("change", [SKIP, PAUSE, OFF], ids=["skip", "pause", "off"])
async def test_hours_changed_while_they_start_a_workspace_stop_it(world, change):
    world.provider.start_takes = 120.0
    workspace = await given(world, "weekdays 9:00-18:00", at="08:59")
    await until(world, "9:00", step=5)
    await world.pass_time(10, step=5)
    await change.to(world, workspace)
    await until(world, "9:05", step=5)
    row = await world.store.read(workspace_rows.find_workspace, workspace.id)
    assert (row.state, row.stop_at) == (State.RUNNING, local("18:00"))


async def test_stop_kept_for_today_outlives_further_changes(world):
    workspace = await running(world)
    await SKIP.to(world, workspace)
    await Change("leave_out_days", (["2027-11-23"],)).to(world, workspace, "tomorrow")
    await OFF.to(world, workspace, "off")
    assert (await world.store.read(workspace_rows.find_workspace, workspace.id)).stop_at == local("18:00")


async def test_stop_kept_for_today_goes_for_another_of_today(world):
    workspace = await running(world)
    await SKIP.to(world, workspace)
    await Change("add", ("weekdays 9:00-20:00",)).to(world, workspace, "edit")
    assert (await world.store.read(workspace_rows.find_workspace, workspace.id)).stop_at is None


@pytest.mark.parametrize("at", ["14:00", "17:54"])
async def test_run_that_is_kept_today_stays_kept(world, at):
    """A person who has said so isn't stopped by a later change of the hours."""
    workspace = await running(world, min(at, "17:47"))
    await until(world, at, step=10)
    await SKIP.to(world, workspace)
    await world.ask("keep").run(cancel_timer, workspace.id)
    await OFF.to(world, workspace, "off")
    await until(world, "18:30")
    assert world.provider.accepted_stops == []


async def test_workspace_found_up_by_its_hours_is_stopped_all_the_same(world):
    workspace = await given(world, "weekdays 9:00-18:00", State.RUNNING, at="08:50")
    await until(world, "9:05", step=10)
    await SKIP.to(world, workspace)
    assert (await world.store.read(workspace_rows.find_workspace, workspace.id)).stop_at == local("18:00")


@pytest.mark.parametrize("change", [SKIP, PAUSE, OFF], ids=["skip", "pause", "off"])
async def test_hours_whose_workspace_is_down_leave_no_end(world, change):
    workspace = await running(world)
    await world.until_ended(await world.begin(workspace, OperationVerb.STOP))
    await change.to(world, workspace)
    row = await world.store.read(workspace_rows.find_workspace, workspace.id)
    assert (row.stop_at, row.planned_stops.rows) == (None, ())


async def test_night_that_is_skipped_next_ends_as_planned(world):
    workspace = await given(world, "every day 20:00-8:00", at="19:58")
    await until(world, "20:05", step=5)
    await Change("leave_out_days", (["2027-11-23"],)).to(world, workspace)
    await until(world, "7:49", day=23, step=600)
    await until(world, "8:03", day=23)
    assert (told_of_end(world), world.provider.accepted_stops) == (ALL_STOPPED, ["r1"])


async def test_start_and_stop_of_two_rules_are_one_run(world):
    workspace = await given(world, "weekdays 9:00", at="08:58")
    await world.ask("stop").run(use_cases.add, workspace.id, read_hours("every day -18:00"))
    await until(world, "9:05", step=5)
    await SKIP.to(world, workspace)
    assert (await world.store.read(workspace_rows.find_workspace, workspace.id)).stop_at == local("18:00")


async def test_paused_hours_start_nothing_until_they_are_resumed(world):
    workspace = await given(world, "every day 9:00-18:00", at="08:00")
    await PAUSE.to(world, workspace)
    await Change("leave_out_days", (["2027-11-24"],)).to(world, workspace, "skip")
    await until(world, "12:00", day=23, step=600)
    assert world.provider.accepted_starts == []
    await world.ask("on").run(use_cases.leave_out_days, workspace.id)
    await until(world, "9:05", day=24, step=120)
    assert world.provider.accepted_starts == ["r1"]
