"""A Home's events and buttons, as Slack sends them."""

import pytest
from structlog.testing import capture_logs

from bot.domain.installations import Installation
from bot.domain.snapshots import Snapshot
from bot.domain.surfaces import Where
from bot.domain.tasks import TaskKind
from bot.domain.workspaces import State
from bot.features.home import store
from bot.features.home.model import Home
from bot.features.home.use_cases import HomeGatherer, read_lists
from bot.services.snapshots import RUNS_KIND
from bot.store import accounts, snapshots, tasks
from handlers.payload import parse_button_surface
from tests.handlers.run_rig import run_rig
from tests.handlers.slack import LittleSlack, bolt_for, event, send
from tests.rigs.store import ALICE, accept_operation


@pytest.fixture
def app(bot):
    return bolt_for(bot.services, LittleSlack())


def opened(event_id="Ev1", tab="home"):
    return event("app_home_opened", event_id, user=ALICE.user_id, channel="D1", tab=tab)


def pressed(action_id, value):
    return {
        "type": "block_actions",
        "user": {"id": ALICE.user_id, "team_id": ALICE.team_id},
        "team": {"id": ALICE.team_id},
        "container": {"type": "view", "view_id": "V1"},
        "view": {"id": "V1", "type": "home", "hash": "h"},
        "trigger_id": "1.1",
        "actions": [{"action_id": action_id, "value": value, "action_ts": "1.1", "type": "button"}],
    }


async def wanted(bot):
    return await bot.store.claim(store.claim_wanted_homes, 10, 60.0)


async def test_opening_the_home_tab_is_written_and_other_tabs_are_not(bot, app):
    await send(app, opened(tab="messages", event_id="Ev1"))
    assert await wanted(bot) == []
    assert (await send(app, opened(event_id="Ev2"))).status == 200
    (home,) = await wanted(bot)
    assert (home.principal, home.page) == (ALICE, 1)


@pytest.mark.parametrize(
    ("view", "taken"), [({"type": "home", "team_id": "T1"}, "event.view.team_id"), (None, "team_id")]
)
async def test_a_home_opens_where_slack_leaves_out_whether_the_channel_is_shared(bot, app, view, taken):
    payload = opened()
    del payload["is_ext_shared_channel"]
    payload["event"]["view"] = view
    with capture_logs() as logged:
        assert (await send(app, payload)).status == 200
    (home,) = await wanted(bot)
    assert home.principal == ALICE
    (line,) = [one for one in logged if one["event"] == "field missing"]
    assert (line["field"], line["taken"]) == ("is_ext_shared_channel", taken)


@pytest.mark.parametrize("view", [None, {"type": "home", "team_id": "T9"}])
async def test_a_home_of_whoever_is_of_another_team_or_none_is_ignored(bot, app, view):
    payload = opened() | {"is_ext_shared_channel": True}
    payload["event"]["view"] = view
    with capture_logs() as logged:
        assert (await send(app, payload)).status == 200
    assert await wanted(bot) == []
    assert ("event.team" in [one.get("field") for one in logged]) is (view is None)


async def test_a_foreign_key_in_a_home_is_refused_like_anywhere(bot, app):
    await send(app, pressed("start", "workspace_of_bob"))
    (home,) = await wanted(bot)
    assert home.answer["text"] == (
        "I can't find that workspace on your list. Type /workspace list to see what you have."
    )


async def test_turning_pages_takes_numbers_alone(bot, app):
    for value, page in (("page 3", 3), ("page x", 1), ("page 1234567", 1), ("totals", 1), ("", 1)):
        await send(app, pressed("home:next", value))
        (home,) = await wanted(bot)
        assert (home.page, home.is_totals, home.answer) == (page, value == "totals", None)
        await bot.store.write(store.record_published, home, "", "")


def test_a_home_has_no_way_back_but_the_next_view():
    payload = pressed("start", "x")
    surface = parse_button_surface(payload, payload["actions"][0])
    assert (surface.kind, surface.where, surface.view_id) == ("button", Where.HOME, None)
    assert (surface.channel_id, surface.response_url) == (None, None)
    assert "V1" in surface.interaction


@pytest.mark.parametrize(
    ("reach", "shown"),
    [("", ["Hub", "Saturn Cloud"]), (ALICE.place, ["Hub"])],
    ids=["of all", "of one place"],
)
async def test_totals_leave_out_a_connection_of_other_places(bot, monkeypatch, reach, shown):
    saturn = bot.connections["saturn"]
    monkeypatch.setattr(Installation, "reach", lambda self, who: reach)
    monkeypatch.setattr(type(saturn), "is_available_to", lambda self, who: self is not saturn)
    gatherer = HomeGatherer(bot.services.context, bot.services.gatherer)
    totals = await gatherer.totals(Home(ALICE, bot.clock.now()))
    assert sorted(one.title for one in totals.connections) == shown


async def test_incomparable_start_stands_out_after_five_minutes(bot):
    await bot.link(state=State.STOPPED)
    await accept_operation(bot.store, await bot.workspace())
    gatherer = HomeGatherer(bot.services.context, bot.services.gatherer)
    seen = []
    for seconds in (299.9, 0.1):
        bot.clock.advance(seconds)
        seen.append(len((await gatherer.totals(Home(ALICE, bot.clock.now()))).slow))
    assert seen == [0, 1]


async def test_a_list_of_runs_that_was_just_read_is_not_read_again_for_a_home():
    async with run_rig() as bot:
        await bot.say("job list")
        (task,) = await bot.store.claim(tasks.claim_tasks, 10, 60.0)
        assert task.kind is TaskKind.LIST_RUNS
        await bot.store.write(tasks.finish_task, task)
        account = await bot.store.read(accounts.find_account_by_id, task.subject)
        listed = Snapshot(account.connection, account.id, RUNS_KIND, None, bot.clock.now())
        await bot.store.write(snapshots.save_snapshot, listed)
        await bot.services.create_caller(ALICE).run(read_lists)
        assert TaskKind.LIST_RUNS not in [
            task.kind for task in await bot.store.claim(tasks.claim_tasks, 10, 60.0)
        ]
