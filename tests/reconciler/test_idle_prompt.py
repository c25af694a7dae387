"""Workspaces left running: the owner is asked once a day in the daytime, and nothing else happens."""

from __future__ import annotations

import pytest

from bot.domain.preferences import NEVER_HOURS, Preferences
from bot.domain.stops import PlannedStop
from bot.domain.time_parsing import read_hours
from bot.domain.workspaces import State
from bot.services import hours as use_cases
from bot.services.timers import cancel_timer, confirm_needed
from bot.store import gates
from bot.store import hours as hour_rows
from bot.store import workspaces as workspace_rows
from bot.store.hours import pause
from tests.reconciler.classroom import ask, post, press
from tests.reconciler.hours import local
from tests.rigs.providers import fake_settings
from tests.rigs.store import ALICE, prefer, set_timer


async def left(world, **settings):
    """Give Alice a workspace that has been running since seven on Monday morning."""
    world.provider.settings = fake_settings(**settings)
    world.clock.advance(local("7:00") - world.clock.now())
    workspace = await world.own(state=State.RUNNING)
    world.provider.machines["r1"].started_at = local("7:00")
    await world.know(time_zone="Europe/Berlin")
    await world.store.write(gates.request_read_now, workspace.id)
    await world.pass_time(60, step=20)
    return workspace


async def until(world, at, day=22, step=1200.0):
    """Let time pass until a local time on a day of November 2027."""
    await world.know(time_zone="Europe/Berlin")
    while (rest := local(at, day) - world.clock.now()) > 0:
        world.clock.advance(min(rest, step))
        for _ in range(2):
            await world.pass_time(30, step=30)


def asked(world):
    """Return how often she was asked."""
    return world.slack.sent_kinds().count("idle_prompt")


QUESTION = "Still needed?"


async def test_people_are_asked_after_twelve_hours_and_nothing_is_stopped(world):
    """If a workspace is started in the morning, its owner is asked about it the next morning."""
    workspace = await left(world)
    await until(world, "16:55")
    assert asked(world) == 0
    await until(world, "10:00", 23)
    assert asked(world) == 1
    assert (await world.store.read(workspace_rows.find_workspace, workspace.id)).stop_at is None


@pytest.mark.parametrize(("own", "settings"), [(NEVER_HOURS, {}), (None, {"asks_after_hours": 0})])
async def test_nobody_is_asked_who_chose_otherwise(world, own, settings):
    """People who turned the question off, or left it off by default, are never asked."""
    await left(world, **settings)
    await prefer(world.store, ALICE, Preferences(idle_prompt_after=own))
    await until(world, "12:00", 23)
    assert asked(world) == 0


async def test_what_stops_unanswered_is_asked_about_after_as_long_as_anything(world):
    workspace = await left(world, stops_unanswered=True)
    await until(world, "10:00", 23)
    assert (await world.store.read(workspace_rows.find_workspace, workspace.id)).stop_at == local("18:00", 23)


async def test_the_operator_has_people_asked(world):
    """People are asked once a day from the morning on, and nothing happens if they don't answer."""
    await left(world, asks_after_hours=8)
    await until(world, "14:55")
    assert asked(world) == 0
    await until(world, "15:45")
    assert asked(world) == 1
    await until(world, "8:50", 23)
    assert asked(world) == 1
    await until(world, "10:00", 23)
    assert asked(world) == 2
    assert world.provider.accepted_stops == []


async def test_a_class_that_stops_it_at_its_end_is_a_planned_stop(world):
    await left(world, asks_after_hours=8)
    card = await post(world, stops_at=local("9:30", 23))
    await press(world, card, ALICE)
    await until(world, "16:50")
    assert asked(world) == 0
    await ask(world, ALICE, "keep").run(
        cancel_timer, (await world.store.perform(workspace_rows.read_workspaces, ALICE))[0].id
    )
    await until(world, "15:45", 23)
    assert asked(world) == 1


async def test_a_person_has_themselves_asked_and_keeps_it(world):
    workspace = await left(world)
    await prefer(world.store, ALICE, Preferences(idle_prompt_after=4))
    await until(world, "12:00")
    assert asked(world) == 1
    await world.ask("i").run(confirm_needed, workspace.id)
    await until(world, "9:40", 23)
    assert asked(world) == 2


@pytest.mark.parametrize(
    ("text", "skipped", "is_asked"),
    [
        pytest.param("daily 7:00-18:00", (), False, id="stops_today"),
        pytest.param("daily -9:00", (), False, id="stops_tomorrow"),
        pytest.param("mon,wed 7:00", (), True, id="only_starts"),
        pytest.param("daily 5:00-6:00", ("2027-11-22", "2027-11-23"), True, id="left_out"),
        pytest.param("mon 5:00-6:00", (), True, id="stops_in_days"),
    ],
)
async def test_hours_spare_the_question_while_a_stop_is_near(world, text, skipped, is_asked):
    """Hours prevent the question only if one of their stops comes within a day."""
    workspace = await left(world, asks_after_hours=4)
    await world.ask("i").run(use_cases.add, workspace.id, read_hours(text))
    if skipped:
        await world.ask("skip").run(use_cases.leave_out_days, workspace.id, skipped)
    await until(world, "16:55")
    assert asked(world) == is_asked


async def test_paused_hours_do_not_spare_the_question(world):
    workspace = await left(world, asks_after_hours=4)
    await world.ask("i").run(use_cases.add, workspace.id, read_hours("daily 7:00-18:00"))
    (rule,) = await world.store.read(hour_rows.list_rules, workspace.id)
    await world.store.engine.write(lambda tx: pause(tx, rule, "unused", notify=False))
    await until(world, "16:55")
    assert asked(world) == 1


async def test_question_names_a_planned_stop_that_is_days_away(world):
    """The owner is asked until the day of that stop, and nothing else is planned for the evening."""
    workspace = await left(world, asks_after_hours=4, stops_unanswered=True)
    await set_timer(world.store, workspace, PlannedStop(local("18:00", 24), "stop"))
    await until(world, "16:55")
    (question,) = [one for one in world.slack.messages if QUESTION in one["text"]]
    assert "Nothing will stop it before" in str(question["blocks"])
    assert (await world.store.read(workspace_rows.find_workspace, workspace.id)).stop_at == local("18:00", 24)
    await until(world, "16:55", 24)
    assert asked(world) == 2


@pytest.mark.parametrize(("ends_on", "is_asked"), [(22, False), (25, True)], ids=["today", "in_days"])
async def test_end_at_the_provider_counts_while_it_is_near(world, ends_on, is_asked):
    await left(world, asks_after_hours=4)
    world.provider.machines["r1"].ends_at = local("20:00", ends_on)
    await until(world, "16:55")
    assert asked(world) == is_asked


async def test_what_ran_before_its_list_was_read_is_asked_about(world):
    """The provider doesn't say when it started, so the time counts from when it was first found running."""
    world.clock.advance(local("7:00") - world.clock.now())
    await world.own(state=State.RUNNING)
    await until(world, "16:55")
    assert asked(world) == 0
    await until(world, "10:00", 23)
    assert asked(world) == 1
    await until(world, "10:00", 24)
    assert asked(world) == 2


async def test_what_is_in_an_unknown_state_is_not_asked_about(world):
    await left(world, asks_after_hours=4)
    world.provider.machines["r1"].state = State.UNKNOWN
    await until(world, "16:55")
    assert asked(world) == 0


async def test_unused_for_counts_where_the_last_use_is_told(world):
    await left(world, asks_after_hours=4)
    world.provider.machines["r1"].last_used_at = local("10:30")
    await until(world, "14:20")
    assert asked(world) == 0
    await until(world, "15:15")
    (question,) = [one for one in world.slack.messages if QUESTION in one["text"]]
    assert "hasn't been used since" in str(question["blocks"])


@pytest.mark.parametrize("stamped", ["19:00", "1:00"], ids=["ahead", "before its start"])
async def test_use_at_an_impossible_time_does_not_put_off_the_question(world, stamped):
    await left(world, asks_after_hours=4)
    machine = world.provider.machines["r1"]
    machine.started_at, machine.last_used_at = local("10:00"), local(stamped)
    await until(world, "14:45")
    assert asked(world) == 1


async def test_what_nobody_answers_about_is_stopped_in_the_evening(world):
    workspace = await left(world, asks_after_hours=4, stops_unanswered=True)
    await until(world, "12:00")
    assert asked(world) == 1
    assert (await world.store.read(workspace_rows.find_workspace, workspace.id)).stop_at == local("18:00")
    await until(world, "18:10", step=300.0)
    assert world.provider.accepted_stops == ["r1"]
    assert world.slack.sent_kinds().count("stop_warning") == 1


async def test_who_answers_keeps_it_in_the_evening_too(world):
    workspace = await left(world, asks_after_hours=4, stops_unanswered=True)
    await until(world, "12:00")
    await world.ask("i").run(confirm_needed, workspace.id, local("18:00"))
    await until(world, "19:00")
    assert world.provider.accepted_stops == []


@pytest.mark.parametrize("sets", ["operator", "person"])
async def test_what_a_stop_would_end_for_good_is_never_stopped(world, sets):
    """A workspace about which only its owner wants to be asked isn't stopped, either."""
    world.provider.ends_for_good = sets == "operator"
    own = {"asks_after_hours": 4.0 if sets == "operator" else 40.0, "stops_unanswered": True}
    workspace = await left(world, **own)
    await prefer(world.store, ALICE, Preferences(idle_prompt_after=4))
    await until(world, "12:00")
    assert asked(world) == 1
    assert (await world.store.read(workspace_rows.find_workspace, workspace.id)).stop_at is None
