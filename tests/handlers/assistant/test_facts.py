"""What a model learns about refused sign-ins, several questions, runs, hours, and the tools themselves."""

import json

import pytest

from bot.domain.hours import HoursRule
from bot.domain.notices import NoticeKind
from bot.domain.observations import Observed
from bot.domain.people import Person
from bot.domain.preferences import Preferences
from bot.domain.runs import RunState
from bot.domain.time_parsing import WEEKDAYS
from bot.domain.usage import Known, Moment
from bot.domain.workspaces import State
from bot.messages.texts import assistant as words
from bot.store import accounts, notices, operations
from bot.store import hours as hours_store
from bot.store.preferences import save_preferences
from bot.store.tables import ACCOUNTS, RUNS, WORKSPACES, name_columns
from bot.support.errors import StoreAway, StoreBusy, StoreUnsure
from handlers.assistant import tools
from handlers.assistant.tools import TOOLS, run_tool
from tests.handlers.rig import rig
from tests.handlers.run_rig import going, run_rig
from tests.rigs.lives import keep, make_life
from tests.rigs.store import ALICE, observe, refuse

WHO = {"user_id": ALICE.user_id, "team_id": ALICE.team_id, "enterprise_id": ALICE.enterprise_id}


async def call(bot, tool, **given):
    """Call a tool and return its result."""
    bot.count += 1
    return json.loads(await run_tool(bot.services, WHO, TOOLS[tool], given, f"signed-{bot.count}"))


async def lets_stop(bot):
    await bot.store.carry_out(lambda tx: save_preferences(tx, ALICE, Preferences(assistant="stop")))


@pytest.fixture
async def two():
    """A bot whose user has accounts at two connections; Saturn Cloud refuses the sign-in."""
    async with rig() as bot:
        for connection, name in (("saturn", "notebook"), ("hub", "analysis")):
            row = (await bot.link(names=(name,), connection=connection)).workspaces[0]
            await observe(bot.store, bot.clock, row, Observed(State.RUNNING))
        held = await bot.store.read(accounts.list_accounts, ALICE)
        await refuse(bot.store, next(one for one in held if one.connection == "saturn"))
        await lets_stop(bot)
        yield bot


@pytest.mark.parametrize(
    ("tool", "given", "names"),
    [
        ("my_workspaces", {}, ["analysis", "notebook"]),
        ("status", {"name": "notebook"}, ["notebook"]),
        ("status", {"name": "analysis"}, ["analysis"]),
        ("hours", {}, None),
        ("help", {}, None),
    ],
)
async def test_tool_that_shows_answers_with_facts_though_a_sign_in_is_refused(two, tool, given, names):
    """A refused connection is one fact among others, and no message about it is sent."""
    result = await call(two, tool, **given)
    assert "asked" not in result
    assert "asked me to" not in result.get("says", "")
    if names is not None:
        assert sorted(one["name"] for one in result["workspaces"]) == names
        is_said = "Saturn Cloud refuses the person's sign-in" in result["says"]
        assert is_said == ("notebook" in names)
    assert await two.notices(NoticeKind.ASSISTANT_QUESTION) == []


@pytest.mark.parametrize(
    ("tool", "given", "is_said"),
    [
        ("my_workspaces", {}, True),
        ("status", {"name": "notebook"}, True),
        ("status", {"name": "analysis"}, False),
        ("hours", {}, True),
        ("my_runs", {}, True),
    ],
)
async def test_link_that_rests_is_named_where_its_things_may_be_missing(two, tool, given, is_said):
    held = await two.store.read(accounts.list_accounts, ALICE)
    (saturn,) = [one for one in held if one.connection == "saturn"]
    rested = {"resting_since": two.clock.now()}
    await two.store.carry_out(lambda tx: ACCOUNTS.change(tx, {"id": saturn.id}, **rested))
    result = await call(two, tool, **given)
    assert ("is another account" in result["says"]) == is_said
    assert "refuses the person's sign-in" not in result["says"]
    assert "notebook" not in [one["name"] for one in result.get("workspaces", ())]


async def test_question_that_was_not_sent_is_not_called_one(two):
    """Of several misspelt names in a minute, only the first is asked about, and only its result says so."""
    results = [await call(two, "stop", name=name) for name in ("analysiss", "analysys", "anlysis")]
    sent = await two.notices(NoticeKind.ASSISTANT_QUESTION)
    assert [one.get("asked") is not None for one in results] == [True, False, False]
    assert len(sent) == 1
    for one in results[1:]:
        assert "hasn't asked this" in one["says"]
        assert one["again_at"]
    two.clock.advance(60)
    assert "asked" in await call(two, "stop", name="anlysis")


async def test_result_of_runs_says_how_they_went_and_where_the_output_goes():
    async with run_rig() as bot:
        run = await going(bot, "nightly", state=RunState.RUNNING)
        await lets_stop(bot)
        now = bot.clock.now()
        over = {"state": RunState.FAILED, "started_at": now - 200, "finished_at": now - 60, "exit_code": 3}
        await bot.store.carry_out(lambda tx: RUNS.change(tx, {"id": run.id}, **over))
        (listed,) = (await call(bot, "my_runs"))["runs"]
        assert (listed["exit_code"], listed["took_seconds"]) == (3, 140)
        sent = await call(bot, "output", name="nightly")
        assert "I'll send the full output" in sent["says"]
        assert "direct messages" in sent["says"]
        (account,) = await bot.store.read(accounts.list_accounts, ALICE)
        await refuse(bot.store, account)
        assert "Posit Workbench refuses the person's sign-in" in (await call(bot, "my_runs"))["says"]


async def test_old_list_is_read_anew_without_asking_for_a_press(two):
    two.clock.advance(3600)
    said = (await call(two, "my_workspaces"))["says"]
    assert "I'm checking Hub for changes." in said
    assert "Refresh" not in said


async def test_result_of_hours_has_days_of_the_week_in_order_and_what_comes_next(two):
    row = await two.workspace()
    zone = {"zone": "Europe/Berlin", "processed_until": two.clock.now()}
    rule = HoursRule(
        "own", ALICE, row.connection, row.id, days=WEEKDAYS | {"sun"}, starts=540, stops=1080, **zone
    )
    await two.store.carry_out(lambda tx: hours_store.save_rule(tx, rule))
    (hours,) = (await call(two, "hours"))["hours"]
    assert hours["days"] == ["mon", "tue", "wed", "thu", "fri", "sun"]
    assert hours["next_stops_at"] == "2027-01-15T17:00:00+00:00"
    (status,) = (await call(two, "status", name=row.title))["workspaces"]
    assert status["stops_at"] == hours["next_stops_at"]


@pytest.mark.parametrize(
    ("paused", "starts_at"), [("", "2027-01-18T08:00:00+00:00"), ("person", None)], ids=["active", "paused"]
)
async def test_status_has_no_start_of_paused_hours(two, paused, starts_at):
    row = await two.workspace()
    known = {"zone": "Europe/Berlin", "processed_until": two.clock.now(), "paused": paused}
    rule = HoursRule("own", ALICE, row.connection, row.id, days=frozenset({"mon"}), starts=540, **known)
    await two.store.carry_out(lambda tx: hours_store.save_rule(tx, rule))
    (status,) = (await call(two, "status", name=row.title))["workspaces"]
    assert status.get("starts_at") == starts_at


@pytest.mark.parametrize("name", TOOLS)
def test_description_says_whether_a_tool_changes_anything(name):
    """Several client libraries pass on only the description."""
    tool, said = TOOLS[name], words.DESCRIPTIONS[name]
    assert ("Changes nothing" in said) is tool.only_shows
    assert said.startswith(words.TITLES[name].split()[0])


async def test_result_of_usage_has_all_figures_and_its_times_once(two):
    await two.store.save_people([Person(ALICE, "", time_zone="Pacific/Auckland", seen_at=two.clock.now())])
    ended = two.clock.now() - 86_400.0
    lost = Moment(ended, ended + 60.0, Known.UNKNOWN)
    await keep(two.store, make_life(ended - 7200.0, lost, price="0.50 USD"))
    result = await call(two, "usage", when="last 10 days")
    (one,) = result["usage"]["of"]
    assert (one["name"], one["hours"], one["money"]) == ("notebook", 2.0, {"USD": "1.00"})
    assert f"unknown after {one['unknown_after']}" in result["says"]
    refused = await call(two, "usage", when="last night")
    assert refused["usage"] is None
    assert "I add up whole days" in refused["says"]


@pytest.mark.parametrize("when", ["--yes", "this week --yes", "\u2014yes"])
async def test_flag_as_the_days_of_usage_is_called_unreadable_days(two, when):
    refused = await call(two, "usage", when=when)
    assert refused["usage"] is None
    assert f"I can't read `{when}` as a time" in refused["says"]


@pytest.mark.parametrize(
    "name",
    ["Olivia’s notebook", "R&D <draft>", "“final” run", "Olivia’s “final” run", "5\u2032 disk", "a\u2010b"],
)
async def test_name_in_a_result_is_found_when_it_is_given_back(two, name):
    row = await two.workspace("analysis")
    await two.store.carry_out(lambda tx: WORKSPACES.change(tx, {"id": row.id}, **name_columns(name)))
    (shown,) = [one for one in (await call(two, "my_workspaces"))["workspaces"] if one["on"] == "Hub"]
    assert shown["name"] == name
    assert [one["name"] for one in (await call(two, "status", name=name))["workspaces"]] == [name]
    assert [one["did"] for one in (await call(two, "stop", name=name))["done"]] == ["stop"]


async def test_name_of_a_run_is_not_called_unknown():
    async with run_rig() as bot:
        await bot.link(connection="hub")
        await going(bot, "nightly", state=RunState.RUNNING)
        said = (await call(bot, "status", name="nightly"))["says"]
        assert "No workspace is called that" in said
        assert "run" not in said
        assert "No run is called that" in (await call(bot, "output", name="notebook"))["says"]
        # What a run that is over shows is no question, and may have its output.
        await going(bot, "weekly", state=RunState.SUCCEEDED)
        await lets_stop(bot)
        stopped = await call(bot, "stop", name="weekly")
        assert "asked" not in stopped
        assert "No workspace is called that" in stopped["says"]
        assert await bot.notices(NoticeKind.ASSISTANT_QUESTION) == []


async def test_usage_takes_no_arguments_as_this_week(two):
    result = json.loads(await run_tool(two.services, WHO, TOOLS["usage"], None, "signed"))
    assert result["usage"] is not None


async def test_result_does_not_deny_what_was_accepted_before_the_store_failed(two, monkeypatch):
    async def fail(*_given, **_named):
        raise StoreBusy("busy")

    monkeypatch.setattr(tools._Call, "_collect_results", fail)
    result = await call(two, "stop", name="analysis")
    (stop,) = await two.store.read(operations.open_operations, ALICE)
    assert stop.verb == "stop"
    assert result["says"].startswith("I can't tell yet whether that went through. I'll message you.")
    assert "done" not in result
    monkeypatch.undo()
    await two.services.outcome_pool.drain(60.0)


@pytest.mark.parametrize("error", [StoreBusy, StoreUnsure, StoreAway])
async def test_result_says_that_nothing_was_done_if_the_question_could_not_be_written(monkeypatch, error):
    async with rig() as bot:
        write = bot.store.write

        async def fail(work, *given, **named):
            if work is notices.ask_once:
                raise error("no")
            return await write(work, *given, **named)

        await lets_stop(bot)
        monkeypatch.setattr(bot.store, "write", fail)
        result = await call(bot, "start", name="notebook")
        assert "I haven't" in result["says"]
        assert "asked" not in result


@pytest.mark.parametrize("tool", ["my_workspaces", "my_runs"])
async def test_refusal_by_the_settings_names_a_command_that_there_is(two, tool):
    await two.store.carry_out(lambda tx: save_preferences(tx, ALICE, Preferences(assistant="nothing")))
    assert "`/workspace settings`" in (await call(two, tool))["says"]
