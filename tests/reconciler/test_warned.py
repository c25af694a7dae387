"""No stop comes before its promised warning was delivered: timers, working hours, questions, classes."""

import re

import pytest

from bot.domain.time_parsing import read_hours
from bot.domain.workspaces import State
from bot.messages.blocks import kit
from bot.services import hours as hours_use_cases
from bot.services.timers import cancel_timer, plan_timer, set_timer
from bot.store import workspaces as workspace_rows
from bot.store.tables import PEOPLE
from bot.support.errors import SlackPermanent, SlackUnknownOutcome
from tests.reconciler.classroom import post, press
from tests.reconciler.hours import local
from tests.reconciler.slack_outages import cut_off, mend, unreachable
from tests.rigs.providers import fake_settings
from tests.rigs.store import ALICE, BOB

MINUTE = 60.0
HOUR = 60 * MINUTE
POST = "chat.postMessage"
#: The time of the stop, for every kind of stop here.
END = local("18:00")


async def running(world, at="17:30", **settings):
    """Give Alice a workspace that has been running since the morning, and name an administrator."""
    world.unwarned_seconds = 2 * HOUR
    world.administered_by("UBOB")
    await world.know(BOB)
    world.provider.settings = fake_settings(**settings)
    world.clock.advance(local(at) - world.clock.now())
    workspace = await world.own(state=State.RUNNING)
    world.provider.machines["r1"].started_at = local("7:00")
    await world.know(time_zone="Europe/Berlin")
    await world.pass_time(60, step=20)
    return workspace


async def timer(world):
    workspace = await running(world)
    made = plan_timer(world.asking, workspace, END, agreed=world.provider.ends_for_good)
    await world.ask("set").run(set_timer, workspace.id, made)


async def by_hours(world):
    workspace = await running(world)
    wanted = read_hours("every day -18:00")
    await world.ask("set").run(hours_use_cases.add, workspace.id, wanted, agreed=world.provider.ends_for_good)


async def unanswered(world):
    await running(world, "16:30", asks_after_hours=4, stops_unanswered=True)
    await until(world, local("17:00"))
    assert world.slack.kinds() == ["idle_prompt"]


async def class_end(world):
    await running(world)
    card = await post(world, stops_at=END)
    await press(world, card, ALICE)


ENDS = [timer, by_hours, unanswered, class_end]


async def until(world, at, step=60.0):
    """Let time pass until this moment, in steps too short to count as an absence."""
    while (rest := at - world.clock.now()) > 0:
        await world.pass_time(min(rest, 3 * step), step=step, longest=step)


def warnings(world):
    """Return the messages that warned of a stop."""
    return [
        one
        for one, kind in zip(world.slack.messages, world.slack.kinds(), strict=True)
        if kind in {"stop_warning", "class_stop_warning"}
    ]


async def warned(world):
    """Let time pass until there is a warning, and return it."""
    while not warnings(world):
        await until(world, world.clock.now() + 5, step=5)
    (warning,) = warnings(world)
    return warning


def told(world, principal):
    """Return the kinds of messages that a person got."""
    channel = f"D{principal.user_id}"
    kinds = zip(world.slack.messages, world.slack.kinds(), strict=True)
    return [kind for one, kind in kinds if one["channel"] == channel]


def is_up(world):
    machines = world.provider.machines
    return "r1" in machines and world.provider._moved("r1").state is State.RUNNING


def named(message):
    """Return the last moment that a message mentions."""
    return float(re.findall(r"<!date\^(\d+)", str(message["blocks"]))[-1])


@pytest.mark.parametrize("end", ENDS)
async def test_what_ends_while_slack_is_away_ends_five_minutes_after_its_warning(world, end):
    await end(world)
    await until(world, END - 20 * MINUTE)
    cut_off(world, unreachable)
    await until(world, END + 40 * MINUTE)
    assert is_up(world)
    mend(world)
    warning = await warned(world)
    sent = float(warning["ts"])
    assert sent > END + 40 * MINUTE
    assert is_up(world)
    # What it says is so.
    least = 270.0 if end is class_end else 300.0
    assert sent + least - 2 <= named(warning) <= sent + 7 * MINUTE
    await until(world, named(warning) - 10, step=5)
    assert is_up(world)
    await until(world, named(warning) + MINUTE, step=5)
    assert not is_up(world)
    assert "stop" in [one.method for one in world.provider.calls]
    await world.pass_time(2 * MINUTE)
    (past,) = warnings(world)
    said = re.search(r"I warned you at <!date\^(\d+)", past["text"] + str(past["blocks"]))
    assert said is None or float(said[1]) == int(sent)


@pytest.mark.parametrize("end", [timer, by_hours, unanswered])
async def test_the_buttons_of_a_late_warning_are_for_the_end_that_it_names(world, end):
    await end(world)
    await until(world, END - 20 * MINUTE)
    cut_off(world, unreachable)
    await until(world, END + 40 * MINUTE)
    mend(world)
    warning = await warned(world)
    row = (await world.store.perform(workspace_rows.read_workspaces, ALICE))[0]
    assert abs(row.stop_at - named(warning)) < 1
    labels = [one["text"]["text"] for one in kit.iterate_buttons(warning["blocks"])]
    assert "Keep running" in labels
    await world.ask("keep").run(cancel_timer, row.id)
    await until(world, END + 90 * MINUTE)
    assert is_up(world)


async def test_without_its_hours_a_stop_that_waits_for_its_warning_is_off(world):
    await by_hours(world)
    await until(world, END - 20 * MINUTE)
    cut_off(world, unreachable)
    await until(world, END + 40 * MINUTE)
    (row,) = await world.store.perform(workspace_rows.read_workspaces, ALICE)
    assert row.stop_at > END + 40 * MINUTE
    await world.ask("off").run(hours_use_cases.end, row.id)
    (row,) = await world.store.perform(workspace_rows.read_workspaces, ALICE)
    assert row.stop_at is None


async def test_warning_whose_sending_was_cut_off_goes_with_its_end(world):
    await timer(world)
    world.slack.fail(POST, SlackUnknownOutcome(POST, "no_answer"), after=True)
    await until(world, END - 10 * MINUTE)
    await world.pass_time(10.0)
    assert len(warnings(world)) == 1
    (row,) = await world.store.perform(workspace_rows.read_workspaces, ALICE)
    await world.ask("later").run(set_timer, row.id, plan_timer(world.asking, row, END + HOUR))
    await world.pass_time(2 * MINUTE, step=5)
    assert warnings(world) == []


@pytest.mark.parametrize("end", ENDS)
async def test_a_warning_that_slack_is_slow_to_take_counts_from_then_on(world, end):
    """Less than five minutes are left when it is delivered."""
    await end(world)
    await until(world, END - 20 * MINUTE)
    cut_off(world, unreachable)
    await until(world, END - 2 * MINUTE, step=5)
    mend(world)
    warning = await warned(world)
    least = 270.0 if end is class_end else 300.0
    await until(world, float(warning["ts"]) + least - 2, step=1)
    assert is_up(world)
    await until(world, float(warning["ts"]) + least + 2 * MINUTE, step=5)
    assert not is_up(world)
    assert len(warnings(world)) == 1


@pytest.mark.parametrize("end", ENDS)
async def test_who_can_not_be_written_to_is_stopped_and_administrators_are_told(world, end):
    await end(world)
    world.slack.fail_in("UALICE", SlackPermanent(POST, "messages_tab_disabled"))
    await until(world, END - MINUTE)
    assert is_up(world)
    await until(world, END + 5 * MINUTE)
    assert not is_up(world)
    assert told(world, BOB) == ["warning_undelivered"]
    (message,) = [one for one in world.slack.messages if one["channel"] == "DUBOB"]
    assert "before stopping name-r1 on Fake Cloud as planned. It can be started again." in message["text"]


@pytest.mark.parametrize("end", ENDS)
async def test_after_long_enough_without_slack_a_stop_goes_ahead(world, end):
    """Slack was last asked about the owner more than a day before."""
    await end(world)
    await until(world, END - 20 * MINUTE)
    cut_off(world, unreachable)
    await world.store.carry_out(lambda tx: PEOPLE.change(tx, {"principal": ALICE}, seen_at=END - 23 * HOUR))
    await until(world, END + 1.7 * HOUR, step=MINUTE)
    assert is_up(world)
    await until(world, END + 2.2 * HOUR, step=MINUTE)
    assert not is_up(world)
    mend(world)
    await world.pass_time(10 * MINUTE, step=20)
    assert "warning_undelivered" in told(world, BOB)


@pytest.mark.parametrize(
    ("end", "is_final"),
    [*((end, False) for end in ENDS), (timer, True), (by_hours, True), (class_end, True)],
    ids=lambda value: getattr(value, "__name__", "lost" if value is True else "returns"),
)
async def test_warned_stop_waits_for_slack_about_its_person_only_if_final(world, end, is_final):
    """Slack was last asked about the owner more than a day before, and fails after delivering the warning."""
    world.provider.ends_for_good = is_final
    await end(world)
    await warned(world)
    cut_off(world, unreachable)
    await world.store.carry_out(lambda tx: PEOPLE.change(tx, {"principal": ALICE}, seen_at=END - 25 * HOUR))
    await until(world, END + 10 * MINUTE, step=20)
    assert is_up(world) == is_final
    mend(world)
    await until(world, END + 20 * MINUTE, step=20)
    assert not is_up(world)


@pytest.mark.parametrize("end", [timer, class_end])
async def test_what_is_lost_by_its_end_waits_for_its_warning_for_ever(world, end):
    world.provider.ends_for_good = True
    await end(world)
    await until(world, END - 20 * MINUTE)
    cut_off(world, unreachable)
    await until(world, END + 3 * HOUR, step=MINUTE)
    assert is_up(world)
    mend(world)
    await until(world, END + (4 if end is class_end else 27) * HOUR, step=MINUTE)
    (warning,) = warnings(world)
    assert not is_up(world)
    assert float(warning["ts"]) > END + 3 * HOUR


@pytest.mark.parametrize("end", [timer, by_hours, class_end])
async def test_nobody_loses_anything_for_good_who_can_not_be_written_to(world, end):
    world.provider.ends_for_good = True
    await end(world)
    world.slack.fail_in("UALICE", SlackPermanent(POST, "messages_tab_disabled"))
    await until(world, END + 3 * HOUR, step=MINUTE)
    assert is_up(world)
    assert told(world, BOB) == ["warning_undelivered"]
    (message,) = [one for one in world.slack.messages if one["channel"] == "DUBOB"]
    assert "so I've left it running" in message["text"]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("slack", ["there", "away"])
async def test_after_a_weekend_without_usher_it_is_warned_of_again_and_ends(world, end, slack):
    """Nobody has to answer. Planned stops happen, and people warned before the weekend are warned again."""
    await end(world)
    await until(world, END - 20 * MINUTE)
    if slack == "away":
        cut_off(world, unreachable)
    await until(world, END - 3 * MINUTE)
    assert len(warnings(world)) == (slack == "there")
    world.clock.advance(62 * HOUR)
    world.reborn()
    mend(world)
    back = world.clock.now()
    await until(world, back + 4 * MINUTE, step=5)
    assert is_up(world)
    # The earlier warning is about a time that has passed.
    (warning,) = warnings(world)
    assert named(warning) > back + 4 * MINUTE
    await until(world, back + 10 * MINUTE, step=5)
    assert not is_up(world)


async def test_hours_that_go_take_their_stop_along_however_late_its_warning_was(world):
    await by_hours(world)
    cut_off(world, unreachable)
    await until(world, END + 20 * MINUTE)
    mend(world)
    await warned(world)
    (workspace,) = await world.store.perform(workspace_rows.read_workspaces, ALICE)
    assert workspace.stop_at > END + 20 * MINUTE
    await world.ask("off").run(hours_use_cases.end, workspace.id)
    await until(world, END + HOUR)
    assert world.provider.accepted_stops == []
