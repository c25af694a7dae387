"""Hours that nobody uses pause."""

from __future__ import annotations

import pytest

from bot.domain.hours import was_used
from bot.domain.workspaces import State
from bot.services import hours as use_cases
from bot.services.timers import plan_timer, set_timer
from bot.services.workspaces import request_status_read
from bot.store import gates
from bot.store import hours as hour_rows
from bot.store import workspaces as workspace_rows
from tests.reconciler.hours import HOUR, given, local, told, until
from tests.rigs.store import ALICE

WEEK = (22, 23, 24, 25, 26, 29, 30)


async def days(world, count, each=None):
    """Simulate days of working hours, each from 9:00 until the workspace stops, and call ``each`` at 9:30."""
    for day in WEEK[:count]:
        if world.clock.now() > local("9:00", day=day):
            continue
        await until(world, "8:59", day=day, step=HOUR)
        await until(world, "9:30", day=day, step=30)
        # Nobody has opened the workspace from Slack, and the provider counts its own start as use.
        machine = world.provider.machines["r1"]
        machine.last_used_at = local("9:01", day=day)
        if each is not None:
            await each(day)
        await world.store.write(
            gates.request_read_now, (await world.store.perform(workspace_rows.read_workspaces, ALICE))[0].id
        )
        await world.pass_time(20, step=5)
        machine.state = State.STOPPED
        await until(world, "10:30", day=day, step=120)


async def test_who_is_on_leave_has_nothing_started_any_more(world):
    workspace = await given(world, "weekdays 9:00")
    await days(world, 7)
    assert world.provider.accepted_starts == ["r1"] * 5
    assert [kind for kind in told(world) if kind.startswith("hours_")] == ["hours_paused"]
    (rule,) = await world.store.read(hour_rows.list_rules, workspace.id)
    assert (rule.paused, rule.unused) == ("unused", 4)


async def stamped_ahead(world, _workspace, day):
    """Report a local time without its zone, as a proxy in Tokyo does when it adds the route."""
    world.provider.machines["r1"].last_used_at = local("18:00", day=day)


async def test_use_that_is_stamped_ahead_of_the_clock_is_no_use(world):
    workspace = await given(world, "weekdays 9:00")
    await days(world, 1, each=lambda day: stamped_ahead(world, workspace, day))
    row = await world.store.read(workspace_rows.find_workspace, workspace.id)
    assert (row.last_used_at, was_used(row, local("9:00", day=WEEK[0]))) == (None, False)


async def opened(world, workspace, _day):
    await world.ask().run(request_status_read, workspace.id)


async def put_off(world, workspace, day):
    timer = plan_timer(world.asking, workspace, local("10:10", day=day))
    await world.ask(f"timer{day}").run(set_timer, workspace.id, timer)


async def used_there(world, _workspace, day):
    world.provider.machines["r1"].last_used_at = local("9:29", day=day)


@pytest.mark.parametrize("use", [opened, put_off, used_there])
async def test_what_is_used_in_any_way_goes_on_without_a_question(world, use):
    workspace = await given(world, "weekdays 9:00")
    await days(world, 7, each=lambda day: use(world, workspace, day))
    assert [kind for kind in told(world) if kind.startswith("hours_")] == []
    (rule,) = await world.store.read(hour_rows.list_rules, workspace.id)
    assert (rule.paused, rule.unused) == ("", 0)


async def test_message_of_paused_hours_goes_once_they_are_resumed(world):
    workspace = await given(world, "weekdays 9:00")
    await days(world, 7)
    assert world.slack.kinds()[-1] == "hours_paused"
    await world.ask("on").run(use_cases.leave_out_days, workspace.id)
    await world.pass_time(60, step=5)
    assert "hours_paused" not in world.slack.kinds()
