"""People who leave: their planned stops still happen, administrators learn of the rest, and links end."""

from __future__ import annotations

import pytest

from bot.domain.people import Person, Principal
from bot.domain.stops import PlannedStop
from bot.domain.tasks import TaskKind
from bot.domain.time_parsing import read_hours
from bot.domain.workspaces import State
from bot.services import accounts, departures
from bot.services import hours as hours_use_cases
from bot.store import accounts as account_rows
from bot.store import hours as hour_rows
from bot.store import tasks as task_rows
from bot.store import workspaces
from bot.store.tasks import NewTask
from bot.support.errors import CredentialRefused, Forbidden, ServerFailed, SlackFailed, SlackPermanent
from tests.reconciler.fuse import Fuse
from tests.rigs.store import ALICE, BOB, set_timer

HOUR = 3600.0
SLACK_FLAGS = {"is_deleted": "deleted", "is_guest": "is_restricted"}
ADMIN = Principal(None, "T1", "UADMIN")


@pytest.fixture
def leaver_world(world):
    world.administered_by(ADMIN.user_id)
    return world


async def leave(leaver_world, who=ALICE, **flags):
    """Make Slack report a person as deactivated, or with these ``flags`` instead."""
    flags = flags or {"is_deleted": True}
    leaver_world.slack.add_user(who.user_id, who.team_id, **{SLACK_FLAGS[name]: True for name in flags})
    person = Person(who, who.user_id, seen_at=await leaver_world.store.now(), **flags)
    await leaver_world.store.save_people([person])
    await leaver_world.ask(principal=who).run(departures.end_departed, person, actor="slack")


async def runs(leaver_world, remote_id="r1", who=ALICE, *, is_planned=True):
    """Give a person a running workspace that will be stopped in five hours."""
    await leaver_world.know(ADMIN)
    workspace = await leaver_world.own(who, remote_id, State.RUNNING)
    if is_planned:
        await set_timer(
            leaver_world.store, workspace, PlannedStop(leaver_world.clock.now() + 5 * HOUR, "stop")
        )
    return workspace


def told(leaver_world):
    """Return the messages to the administrator about people who left."""
    return [str(one["blocks"]) for one in leaver_world.slack.messages if "still running" in one["text"]]


async def is_linked(leaver_world, who=ALICE):
    account = await leaver_world.store.read(account_rows.find_account, who, "cloud")
    return account is not None and account.state == "active"


@pytest.mark.parametrize("flags", [{}, {"is_guest": True}], ids=["deactivated", "guest"])
async def test_what_a_plan_was_to_stop_is_stopped_before_the_link_ends(leaver_world, flags):
    await runs(leaver_world)
    await leave(leaver_world, **flags)
    assert await is_linked(leaver_world)
    await leaver_world.pass_time(120)
    assert leaver_world.provider.accepted_stops == ["r1"]
    assert not await is_linked(leaver_world)
    assert told(leaver_world) == []


async def test_hours_are_a_plan(leaver_world):
    workspace = await runs(leaver_world, is_planned=False)
    await leaver_world.ask("hours").run(hours_use_cases.add, workspace.id, read_hours("daily 0:00-23:59"))
    await leave(leaver_world)
    await leaver_world.pass_time(120)
    assert (
        leaver_world.provider.accepted_stops,
        await leaver_world.store.read(hour_rows.list_rules_of_person, ALICE),
    ) == (
        ["r1"],
        [],
    )
    assert not await is_linked(leaver_world)


async def test_administrators_hear_once_of_what_no_plan_stops(leaver_world):
    """Administrators are told once, however often Slack reports a person, and not of stopped workspaces."""
    await runs(leaver_world)
    await runs(leaver_world, "r2", is_planned=False)
    await leave(leaver_world)
    await leave(leaver_world)
    await leaver_world.pass_time(240)
    await leave(leaver_world)
    await leaver_world.pass_time(240)
    (text,) = told(leaver_world)
    assert ("*name-r2*" in text, "r1" in text, ALICE.user_id in text) == (True, False, True)
    assert leaver_world.provider.accepted_stops == ["r1"]
    assert not await is_linked(leaver_world)


async def test_nobody_is_told_where_nothing_runs(leaver_world):
    await leaver_world.know(ADMIN)
    await leaver_world.own(state=State.STOPPED)
    await leave(leaver_world)
    assert not await is_linked(leaver_world)
    await leaver_world.pass_time(240)
    assert leaver_world.slack.messages == []


async def test_administrators_read_of_a_class_that_leaves_in_one_message(leaver_world):
    people = [Principal(None, "T1", f"U{number:03}") for number in range(12)]
    for number, one in enumerate(people):
        await runs(leaver_world, f"r{number}", one, is_planned=False)
    for one in people:
        await leave(leaver_world, one)
    await leaver_world.pass_time(400)
    (text,) = told(leaver_world)
    assert [one.user_id for one in people if one.user_id not in text] == []


@pytest.mark.parametrize("trouble", ["refused", "forbidden", "away"])
async def test_what_cannot_be_stopped_is_told_and_the_link_ends(leaver_world, trouble):
    await runs(leaver_world)
    errors = {"refused": CredentialRefused("no", status=401), "forbidden": Forbidden("no", status=403)}
    if trouble == "away":
        leaver_world.provider.fail("stop", ServerFailed("away", status=503), times=10_000)
    else:
        leaver_world.provider.fail("stop", errors[trouble], times=10_000)
        leaver_world.provider.fail("discover", errors[trouble], times=10_000)
    await leave(leaver_world)
    most = departures.MAX_STOPPING_SECONDS if trouble == "away" else 0.0
    await leaver_world.pass_time(most + HOUR, step=60.0)
    (text,) = told(leaver_world)
    assert "It should have been stopped, but I couldn't." in text
    assert not await is_linked(leaver_world)
    assert leaver_world.provider.machines["r1"].state is State.RUNNING


async def test_stop_is_sent_once_the_provider_answers_again(leaver_world):
    """The link is kept for these two hours, and only for this stop."""
    await runs(leaver_world)
    leaver_world.provider.fail("stop", ServerFailed("away", status=503), times=10_000)
    await leave(leaver_world)
    await leaver_world.pass_time(2 * HOUR, step=60.0)
    assert await is_linked(leaver_world)
    leaver_world.provider.heal()
    await leaver_world.pass_time(900, step=20.0)
    assert leaver_world.provider.accepted_stops == ["r1"]
    assert not await is_linked(leaver_world)
    assert told(leaver_world) == []


async def test_who_is_back_meanwhile_keeps_the_plan_and_the_link(leaver_world):
    """Slack's report was a mistake, or has been superseded by a later one."""
    workspace = await runs(leaver_world)
    await leave(leaver_world)
    await leaver_world.know(ALICE)
    await leaver_world.pass_time(240)
    assert leaver_world.provider.accepted_stops == []
    assert await is_linked(leaver_world)
    (row,) = await leaver_world.store.perform(workspaces.read_workspaces, ALICE, connection="cloud")
    assert (row.id, row.stop_at is not None) == (workspace.id, True)
    assert told(leaver_world) == leaver_world.slack.messages == []


async def test_who_is_back_after_the_stop_keeps_the_link(leaver_world):
    await runs(leaver_world)
    await runs(leaver_world, "r2")
    leaver_world.provider.fail("stop", ServerFailed("away", status=503), times=10_000)
    await leave(leaver_world)
    await leaver_world.pass_time(60)
    await leaver_world.know(ALICE)
    leaver_world.provider.heal()
    await leaver_world.pass_time(900, step=20.0)
    assert await is_linked(leaver_world)
    assert told(leaver_world) == []


@pytest.mark.parametrize("error", ["fatal_error", "service_unavailable"])
async def test_nothing_ends_while_slack_does_not_say_whether_they_left(leaver_world, error):
    await runs(leaver_world)
    leaver_world.slack.fail("users.info", SlackFailed("users.info", error), times=10_000)
    await leave(leaver_world)
    await leaver_world.pass_time(600, step=10.0)
    assert (leaver_world.provider.accepted_stops, await is_linked(leaver_world)) == ([], True)
    leaver_world.slack._faults.clear()
    await leaver_world.pass_time(900, step=20.0)
    assert (leaver_world.provider.accepted_stops, await is_linked(leaver_world)) == (["r1"], False)


@pytest.mark.parametrize("code", ["user_not_found", "user_not_visible"])
async def test_leaver_whom_slack_no_longer_knows_has_left(leaver_world, code):
    await runs(leaver_world)
    leaver_world.slack.fail("users.info", SlackPermanent("users.info", code), times=10_000)
    await leave(leaver_world)
    await leaver_world.pass_time(240)
    assert (leaver_world.provider.accepted_stops, await is_linked(leaver_world)) == (["r1"], False)


async def test_reading_everybody_ends_no_link_of_somebody_who_is_back(leaver_world, monkeypatch):
    """A person was still deactivated when the page that lists them was read."""
    await leaver_world.own(state=State.STOPPED)
    await leaver_world.know(ALICE)
    page = {"members": [{"id": ALICE.user_id, "team_id": ALICE.team_id, "deleted": True}]}
    monkeypatch.setattr(leaver_world.slack, "_users_list", lambda _arguments: page)
    await leaver_world.store.write(task_rows.add_tasks, [NewTask(TaskKind.SYNC_PEOPLE, "everybody")])
    await leaver_world.pass_time(30)
    assert leaver_world.slack.count("users.list") == 1
    assert await is_linked(leaver_world)


async def test_other_people_are_left_alone(leaver_world):
    await runs(leaver_world)
    await runs(leaver_world, "r2", BOB)
    await leave(leaver_world)
    await leaver_world.pass_time(240)
    assert leaver_world.provider.accepted_stops == ["r1"]
    assert await is_linked(leaver_world, BOB)


async def test_what_would_end_for_good_is_told_of_instead(leaver_world):
    """The workspace's owner never agreed to end it for good."""
    await runs(leaver_world)
    leaver_world.provider.ends_for_good = True
    await leave(leaver_world)
    await leaver_world.pass_time(400)
    assert leaver_world.provider.accepted_stops == []
    assert len(told(leaver_world)) == 1


async def test_what_is_coming_up_by_a_plan_goes_down_again(leaver_world):
    """The start was sent a moment ago, and no read has shown the workspace running yet."""
    workspace = await leaver_world.own()
    await leaver_world.know(ADMIN)
    await leaver_world.begin(workspace)
    await leaver_world.pass_time(2, step=1.0)
    await set_timer(leaver_world.store, workspace, PlannedStop(leaver_world.clock.now() + 5 * HOUR, "stop"))
    await leave(leaver_world)
    await leaver_world.pass_time(300)
    assert leaver_world.provider.machines["r1"].state is State.STOPPED
    assert (leaver_world.provider.accepted_starts, told(leaver_world)) == (["r1"], [])
    assert not await is_linked(leaver_world)


async def test_who_is_unlinked_reads_of_what_is_coming_up(leaver_world):
    """The start was just sent, no read has shown it running, and no plan of Usher's stops it any more."""
    workspace = await leaver_world.own()
    await leaver_world.begin(workspace)
    await leaver_world.pass_time(2, step=1.0)
    await leaver_world.ask().run(accounts.end_accounts, ALICE, ["cloud"], actor="operator", cause="retired")
    await leaver_world.pass_time(10)
    (blocks,) = [str(one["blocks"]) for one in leaver_world.slack.messages if "unlinked from" in one["text"]]
    assert "I won't stop what's running there: *name-r1*" in blocks


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, 30, 2), ids=str)
async def test_leaving_survives_a_kill_anywhere(leaver_world, at, after):
    """There must be one stop, one message, and no link."""
    await runs(leaver_world)
    await runs(leaver_world, "r2", is_planned=False)
    await leave(leaver_world)
    leaver_world.reborn(Fuse(at, after=after))
    await leaver_world.until_trouble()
    await leaver_world.restart()
    await leaver_world.pass_time(300)
    assert set(leaver_world.provider.accepted_stops) == {"r1"}
    assert (len(told(leaver_world)), await is_linked(leaver_world)) == (1, False)
