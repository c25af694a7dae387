"""Working hours: each start and stop happens once, in the owner's name, or is reported as missed."""

from __future__ import annotations

import pytest

from bot.domain.operations import OperationVerb
from bot.domain.time_parsing import read_hours
from bot.domain.workspaces import State
from bot.services import accounts
from bot.services import hours as use_cases
from bot.services.timers import cancel_timer, plan_timer, postpone_timer, set_timer
from bot.store import hours as rows
from bot.store import operations
from bot.store import workspaces as workspace_rows
from bot.store.tables import ACCEPTED_REQUESTS
from bot.support.errors import Refused
from tests.reconciler.hours import HOUR, became, given, local, told, until
from tests.rigs.store import want_read, within

DAY = 24 * HOUR


async def test_a_stop_is_put_off_or_taken_back_for_that_day_alone(world):
    workspace = await given(world, "every day -18:00", State.RUNNING, at="17:30")
    await until(world, "17:51")
    assert told(world) == ["stop_warning"]
    row = await world.store.read(workspace_rows.find_workspace, workspace.id)
    assert row.stop_at == local("18:00")
    await world.ask("hour").run(postpone_timer, workspace.id, row.stop_at)
    await until(world, "18:51", step=120)
    await world.ask("keep").run(cancel_timer, workspace.id)
    await until(world, "17:45", day=23, step=600)
    assert world.provider.accepted_stops == []
    await until(world, "18:02", day=23)
    assert world.provider.accepted_stops == ["r1"]


async def test_a_stop_that_is_left_out_and_taken_back_comes_after_all(world):
    workspace = await given(world, "every day -18:00", State.RUNNING, at="17:30")
    await until(world, "17:51")
    await world.ask("skip").run(use_cases.leave_out_days, workspace.id, ["2027-11-22"])
    await until(world, "17:53")
    assert (await world.store.read(workspace_rows.find_workspace, workspace.id)).stop_at is None
    await world.ask("back").run(use_cases.leave_out_days, workspace.id)
    await until(world, "18:02")
    assert world.provider.accepted_stops == ["r1"]
    assert await became(world) == [("22T18:00", "stop", "timer")]
    stopped = await world.store.read(operations.find_latest_operation, workspace.id)
    (action,) = await world.store.read(ACCEPTED_REQUESTS.all, "done_at", work_item_id=stopped.id)
    assert (stopped.verb, action.initiator) == ("stop", "hours")


async def test_a_stop_that_its_warning_put_off_goes_with_its_hours(world):
    workspace = await given(world, "every day -18:00", State.RUNNING, at="17:58")
    await until(world, "17:59")
    assert (await world.store.read(workspace_rows.find_workspace, workspace.id)).stop_at > local("18:02")
    await world.ask("off").run(use_cases.end, workspace.id)
    assert (await world.store.read(workspace_rows.find_workspace, workspace.id)).stop_at is None


async def test_a_timer_of_their_own_stays_without_the_hours(world):
    workspace = await given(world, "every day -18:00", State.RUNNING, at="17:30")
    timer = plan_timer(world.asking, workspace, local("18:02"))
    await world.pass_time(20, step=5)
    await world.ask("later").run(set_timer, workspace.id, timer)
    await until(world, "17:51")
    await world.ask("off").run(use_cases.end, workspace.id)
    assert (await world.store.read(workspace_rows.find_workspace, workspace.id)).stop_at == local("18:02")


async def test_a_stop_that_another_day_leaves_alone_keeps_its_timer(world):
    workspace = await given(world, "every day -18:00", State.RUNNING, at="17:30")
    await until(world, "17:51")
    await world.ask("skip").run(use_cases.leave_out_days, workspace.id, ["2027-11-23"])
    assert (await world.store.read(workspace_rows.find_workspace, workspace.id)).stop_at == local("18:00")


async def test_those_that_came_first_are_carried_out_first(world):
    workspace = await given(world, "mon 9:00", State.STOPPED)
    for day in (25, 22, 29, 24, 28, 23, 27, 26):
        await world.ask(f"once{day}").run(use_cases.add, workspace.id, read_hours(f"2027-11-{day} 10:00"))
    world.clock.advance(local("8:00", day=30) - world.clock.now())
    claimed = await within(world.store, rows.claim_hours, 100, 60.0)
    first = [one.due(world.clock.now())[0].local for one in claimed]
    assert len(first) == 9
    assert first == sorted(first)


async def test_a_timer_set_by_hand_wins_that_day(world):
    workspace = await given(world, "every day -18:00", State.RUNNING, at="17:30")
    timer = plan_timer(world.asking, workspace, local("20:00"))
    await world.pass_time(20, step=5)
    await world.ask("later").run(set_timer, workspace.id, timer)
    await until(world, "18:30", step=120)
    assert (await world.store.read(workspace_rows.find_workspace, workspace.id)).stop_at == local("20:00")
    assert await became(world) == [("22T18:00", "stop", "timer")]


async def test_what_was_stopped_by_hand_is_not_started_before_the_next_time(world):
    workspace = await given(world, "weekdays 9:00-18:00")
    await until(world, "9:30", step=10)
    await world.until_ended(await world.begin(workspace, OperationVerb.STOP))
    await until(world, "20:00", step=120)
    assert world.provider.accepted_starts == ["r1"]
    assert await became(world) == [("22T09:00", "start", "started"), ("22T18:00", "stop", "needless")]
    await until(world, "9:03", day=23, step=120)
    assert world.provider.accepted_starts == ["r1", "r1"]


@pytest.mark.parametrize(
    ("text", "back", "starts", "what"),
    [
        # A missed start is made up for while at least a third of the time and half an hour are left. Hours
        # without a stop count as 12 h.
        ("weekdays 9:00-18:00", "14:57", 1, "started"),
        ("weekdays 9:00-18:00", "15:03", 0, "missed"),
        ("weekdays 9:00-10:00", "9:28", 1, "started"),
        ("weekdays 9:00-10:00", "9:33", 0, "missed"),
        ("weekdays 9:00", "16:57", 1, "started"),
        ("weekdays 9:00", "17:03", 0, "missed"),
    ],
)
async def test_after_a_downtime_a_start_is_made_up_for_while_its_hours_last(world, text, back, starts, what):
    await given(world, text)
    world.clock.jump(local(back) - world.clock.now())
    world.reborn()
    await world.know(time_zone="Europe/Berlin")
    await world.pass_time(60, step=10)
    assert world.provider.accepted_starts == ["r1"] * starts
    assert ("22T09:00", "start", what) in await became(world)
    assert told(world) == (["ready"] if starts else ["hours_missed"])


async def test_a_late_stop_reads_first_and_warns_anew(world):
    workspace = await given(world, "every day -18:00", State.RUNNING, at="17:30")
    world.clock.jump(local("21:00") - world.clock.now())
    world.reborn()
    await world.know(time_zone="Europe/Berlin")
    await world.pass_time(120, step=5)
    assert told(world) == ["stop_warning"]
    assert world.provider.accepted_stops == []
    assert (await world.store.read(workspace_rows.find_workspace, workspace.id)).stop_at >= local("21:05")
    await world.pass_time(360, step=10)
    assert (told(world), len(world.slack.told("stopped"))) == (["stop_warning"], 1)


async def test_many_days_without_us_are_one_message(world):
    await given(world, "weekdays 9:00")
    world.clock.jump(6 * DAY + 2 * HOUR)
    world.reborn()
    await world.know(time_zone="Europe/Berlin")
    await world.pass_time(60, step=10)
    assert told(world) == ["hours_missed"]
    assert [what for _, _, what in await became(world)] == ["missed"] * 5


async def test_they_pause_with_the_link_and_go_on_with_it(world):
    workspace = await given(world, "weekdays 9:00-18:00")
    await world.ask().run(accounts.unlink, ["cloud"])
    await world.pass_time(10)
    assert told(world) == ["unlinked", "revoked"], "the message about the link says it"
    await until(world, "9:30", day=23, step=600)
    # The unlinked account's secret has been revoked.
    await world.link(token="token-2")
    again = await world.own(state=State.STOPPED)
    await until(world, "9:03", day=24, step=120)
    assert again.id != workspace.id
    assert world.provider.accepted_starts == ["r1"]


async def test_a_pause_of_their_person_is_still_there_after_unlinking_and_linking_again(world):
    workspace = await given(world, "weekdays 9:00-18:00")
    await world.ask("p").run(use_cases.pause, workspace.id)
    await world.ask("u").run(accounts.unlink, ["cloud"])
    await world.pass_time(10)
    assert told(world) == ["unlinked", "revoked"]
    await world.link(token="token-2")
    again = await world.own(state=State.STOPPED)
    await until(world, "9:30", day=24, step=600)
    assert [one.paused for one in await world.store.read(rows.list_rules, again.id)] == ["person"]
    assert world.provider.accepted_starts == []
    await world.ask("on").run(use_cases.leave_out_days, again.id)
    await until(world, "9:03", day=25, step=120)
    assert world.provider.accepted_starts == ["r1"]


async def test_of_a_workspace_that_is_gone_nothing_is_made(world):
    workspace = await given(world, "weekdays 9:00-18:00")
    del world.provider.machines["r1"]
    await want_read(world.store, workspace.id)
    await until(world, "9:30", day=23, step=120)
    assert told(world) == ["hours_paused"]
    assert world.provider.accepted_starts == []
    assert (await world.store.read(rows.list_rules, workspace.id))[0].paused == "gone"
    with pytest.raises(Refused, match=r"workspace\.gone"):
        await world.ask("on").run(use_cases.leave_out_days, workspace.id)


async def test_where_a_stop_is_final_its_person_agrees_and_nothing_is_started(world):
    world.provider.ends_for_good = True
    workspace = await given(world, "every day -18:00", State.RUNNING, at="17:30", agreed=True)
    for text, rule in {"weekdays 9:00": "hours.makes", "sat -18:00": "workspace.ends"}.items():
        with pytest.raises(Refused, match=rule.replace(".", r"\.")):
            await world.ask(text).run(use_cases.add, workspace.id, read_hours(text))
    await until(world, "18:02", step=20)
    assert (told(world), len(world.slack.told("stopped"))) == (["stop_warning"], 1)
    await until(world, "18:10", day=23, step=600)
    assert told(world) == ["stop_warning", "hours_paused"]


async def test_what_would_end_it_for_good_only_since_they_were_set_ends_nothing(world):
    await given(world, "every day -18:00", State.RUNNING, at="17:30")
    world.provider.ends_for_good = True
    await until(world, "18:10", step=20)
    assert told(world) == ["stop_warning", "planned_stop_failed"]
    assert world.provider.accepted_stops == []


async def test_other_hours_on_the_same_days_take_their_place_and_turned_off_nothing_comes(world):
    workspace = await given(world, "weekdays 9:00-18:00")
    replaced = await world.ask("b").run(use_cases.add, workspace.id, read_hours("weekdays 10:00-18:00"))
    assert [one.starts for one in replaced] == [9 * 60]
    assert await world.ask("c").run(use_cases.add, workspace.id, read_hours("sat 10:00")) == []
    assert len(await world.store.read(rows.list_rules, workspace.id)) == 2
    await until(world, "17:50", step=120)
    assert (await world.store.read(workspace_rows.find_workspace, workspace.id)).stop_at == local("18:00")
    await until(world, "18:02", step=10)
    await world.ask("d").run(use_cases.end, workspace.id)
    await until(world, "12:00", day=23, step=600)
    assert (world.provider.accepted_starts, world.provider.accepted_stops) == (["r1"], ["r1"])


async def test_hours_that_begin_as_others_end_run_on_once_that_is_agreed_to(world):
    """The workspace runs on even if the former hours' stop is so near that it has been planned."""
    workspace = await given(world, "sun 22:00-6:00", State.RUNNING, at="5:50")
    await until(world, "5:53")
    assert (await world.store.read(workspace_rows.find_workspace, workspace.id)).stop_at == local("6:00")
    with pytest.raises(Refused) as refused:
        await world.ask("b").run(use_cases.add, workspace.id, read_hours("mon 6:00-12:00"))
    assert (refused.value.rule, refused.value.words["at"]) == ("hours.runs_on", local("6:00"))
    await world.ask("c").run(use_cases.add, workspace.id, read_hours("mon 6:00-12:00"), agreed=True)
    await until(world, "11:30", step=60)
    assert world.provider.accepted_stops == []
    await until(world, "12:03")
    assert (world.provider.accepted_starts, world.provider.accepted_stops) == ([], ["r1"])


async def test_hours_end_as_planned_on_a_day_without_those_that_begin_then(world):
    workspace = await given(world, "sun 22:00-6:00", State.RUNNING, at="5:30")
    await world.ask("c").run(use_cases.add, workspace.id, read_hours("mon 6:00-12:00"), agreed=True)
    await world.ask("d").run(use_cases.leave_out_days, workspace.id, ["2027-11-22"])
    await until(world, "6:03")
    assert world.provider.accepted_stops == ["r1"]


async def test_days_that_are_left_out_pass_and_the_others_come(world):
    workspace = await given(world, "weekdays 9:00-18:00")
    await world.ask("b").run(use_cases.leave_out_days, workspace.id, ["2027-11-23"])
    assert [one.off for one in await world.store.read(rows.list_rules, workspace.id)] == [{"2027-11-23"}]
    await until(world, "12:00", day=23, step=600)
    assert await became(world) == [("22T09:00", "start", "started"), ("22T18:00", "stop", "timer")]
    await until(world, "9:05", day=24, step=120)
    assert world.provider.accepted_starts == ["r1", "r1"]


async def test_days_that_were_left_out_are_not_missed_when_others_are_left_out_or_brought_back(world):
    workspace = await given(world, "weekdays 9:00-18:00")
    await world.ask("b").run(use_cases.leave_out_days, workspace.id, ["2027-11-22", "2027-11-23"])
    await until(world, "8:00", day=24, step=600)
    await world.ask("c").run(use_cases.leave_out_days, workspace.id, ["2027-11-24"])
    await until(world, "20:00", day=24, step=600)
    await world.ask("d").run(use_cases.leave_out_days, workspace.id)
    await until(world, "21:00", day=24, step=60)
    assert (await became(world), told(world)) == ([], [])
    await until(world, "9:05", day=25, step=60)
    assert world.provider.accepted_starts == ["r1"]


async def test_a_day_brought_back_while_its_hours_last_is_started_late(world):
    workspace = await given(world, "weekdays 9:00-18:00")
    await world.ask("b").run(use_cases.leave_out_days, workspace.id, ["2027-11-22"])
    await until(world, "10:00", step=600)
    await world.ask("c").run(use_cases.leave_out_days, workspace.id)
    await until(world, "10:05")
    assert world.provider.accepted_starts == ["r1"]


async def test_a_night_that_is_left_out_stays_so_when_another_is_left_out_during_it(world):
    workspace = await given(world, "every day 22:00-6:00", at="20:00")
    await world.ask("b").run(use_cases.leave_out_days, workspace.id, ["2027-11-22"])
    await until(world, "1:00", day=23, step=600)
    await world.ask("c").run(use_cases.leave_out_days, workspace.id, ["2027-11-24"])
    await until(world, "7:00", day=23, step=300)
    assert (await became(world), told(world)) == ([], [])


@pytest.mark.parametrize(
    ("text", "at", "end"),
    [
        ("2027-11-23 9:00-20:00", "8:00", "20:00"),
        ("2027-11-23 8:30-12:00", "8:00", "12:00"),
        ("2027-11-23 -20:00", "14:00", "20:00"),
        # Without a start of its own, it keeps that of the others.
        ("2027-11-23 -20:00", "8:00", "20:00"),
        # Without a stop of its own, it leaves that of the others.
        ("2027-11-23 8:30", "8:00", "18:00"),
    ],
)
async def test_hours_for_one_day_take_the_place_of_those_of_that_weekday(world, text, at, end):
    workspace = await given(world, "weekdays 9:00-18:00", at="20:00")
    await until(world, at, day=23, step=600)
    await world.ask("b").run(use_cases.add, workspace.id, read_hours(text))
    await world.ask("c").run(use_cases.leave_out_days, workspace.id)
    await world.pass_time(local(end, day=23) - 300 - world.clock.now(), step=60)
    assert (world.provider.accepted_starts, world.provider.accepted_stops) == (["r1"], [])
    await until(world, "20:10", day=23, step=60)
    assert (world.provider.accepted_starts, world.provider.accepted_stops) == (["r1"], ["r1"])
    await until(world, "18:03", day=24, step=60)
    assert world.provider.accepted_stops == ["r1", "r1"]


async def test_hours_for_days_that_are_far_apart_come_on_each(world):
    workspace = await given(world, "2027-11-23,2028-01-24 9:00-10:00")
    await until(world, "12:00", day=23, step=300)
    (rule,) = await world.store.read(rows.list_rules, workspace.id)
    assert rule.next_stop(world.clock.now()) == local("10:00") + 63 * DAY
    await world.pass_time(61 * DAY, step=DAY)
    await world.pass_time(2 * DAY, step=300)
    assert (world.provider.accepted_starts, world.provider.accepted_stops) == (["r1"] * 2, ["r1"] * 2)
    assert await world.store.read(rows.list_rules, workspace.id) == []


async def test_a_start_that_comes_once_is_over_then(world):
    workspace = await given(world, "2027-11-23 8:30")
    await until(world, "9:00", day=23, step=120)
    assert world.provider.accepted_starts == ["r1"]
    assert await world.store.read(rows.list_rules, workspace.id) == []


async def test_what_the_provider_allows_a_little_later_is_started(world):
    workspace = await given(world, "every day 9:00")
    await until(world, "8:50")
    world.provider.machines["r1"].actions = frozenset({"open"})
    await want_read(world.store, workspace.id)
    await until(world, "9:10")
    world.provider.machines["r1"].actions = None
    await until(world, "9:20")
    assert world.provider.accepted_starts == ["r1"]
