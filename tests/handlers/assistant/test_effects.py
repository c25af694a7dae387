"""The effect of a request decides whether Slack's assistant may carry it out or the person is asked."""

import json
from datetime import UTC, datetime

import pytest

from bot.domain.observations import Observed
from bot.domain.preferences import Preferences
from bot.domain.tasks import TaskKind
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.store import operations, tasks, timers, workspaces
from bot.store.preferences import save_preferences
from bot.store.tables import OPERATIONS, WORKSPACES
from handlers.assistant.tools import TOOLS
from handlers.assistant.tools import run_tool as asked_for
from tests.handlers.assistant.calls import BURST, ON, called, lets, who
from tests.handlers.rig import rig
from tests.rigs.scenario import world
from tests.rigs.store import ALICE, observe

MINUTE = "for 1 minute"


@pytest.fixture
async def scene(tmp_path):
    async with world(tmp_path, settings=ON) as ready:
        await ready.alice.has_linked("alice")
        await lets(ready, "start")
        yield ready


def is_asked(facts):
    return "done" not in facts and "Usher is asking the person" in facts["asked"]


async def planned(scene, name):
    rows = await scene.bot.store.perform(workspaces.read_workspaces, scene.principal())
    return next(one.stop_at for one in rows if one.title == name)


async def test_who_may_only_start_stops_nothing_that_runs(scene):
    async with called(scene) as slackbot:
        assert is_asked(await slackbot.finds(who(scene), "start", name="report", until=MINUTE))
        await scene.pass_time(900, step=30)
    assert (scene.calls("POST .*/stop"), await planned(scene, "report")) == (0, None)
    asked = scene.alice.only("assistant_question")
    assert asked.text.startswith("Slackbot asked me to: “start")
    assert "Your settings don't let Slackbot do that by itself" in asked.text
    await scene.alice.presses(asked, "Do it now")
    await scene.pass_time(120)
    assert scene.calls("POST .*/stop") == 1


async def test_who_may_only_start_moves_no_stop_and_takes_none_back(scene):
    await scene.alice.types("stop report in 1 hour")
    at = await planned(scene, "report")
    async with called(scene) as slackbot:
        assert is_asked(await slackbot.finds(who(scene), "start", name="report", until="for 312 hours"))
        assert await planned(scene, "report") == at
        # A start of hers without an end time stays without one, and a workspace that she is stopping goes
        # down.
        scene.resource("training").start_seconds = scene.resource("report").stop_seconds = 100
        await scene.alice.types("start training")
        await scene.alice.types("stop report")
        await scene.pass_time(15)
        # Alice is asked at most one question a minute; the other requests aren't carried out either.
        for given in ({"name": "training", "until": MINUTE}, {"name": "report"}):
            assert "hasn't asked this" in (await slackbot.finds(who(scene), "start", **given))["says"]
    await scene.pass_time(400, step=10)
    assert (await planned(scene, "training"), scene.resource("training").status(scene.clock.now())) == (
        None,
        "running",
    )
    assert scene.resource("report").status(scene.clock.now()) == "stopped"


async def test_it_may_end_what_it_starts_with_a_warning(scene):
    async with called(scene) as slackbot:
        began = await slackbot.finds(who(scene), "start", name="notebook", until=MINUTE)
        ends = datetime.fromisoformat(began["done"][0]["until"]).timestamp()
        assert began["workspaces"][0]["stops_at"] == began["done"][0]["until"]
        assert f"stopped at {began['done'][0]['until']}, later than asked" in began["says"]
        await scene.pass_time(10)
        warning = scene.alice.only("stop_warning")
        assert warning.text.startswith("*notebook* stops in 5 minutes")
        assert f"{datetime.fromtimestamp(ends, UTC):%H:%M}" in warning.text, warning.text
        assert "Slackbot asked me to." in warning.text
        await scene.pass_time(ends - scene.clock.now() - 5, step=5)
        assert scene.calls("POST .*/stop") == 0
        await scene.pass_time(10, step=5)
        assert scene.calls("POST .*/stop") == 1
        await scene.pass_time(60)
    assert "This stop was planned." in scene.alice.only("stopped").text


async def test_what_was_running_without_being_seen_goes_on(scene):
    await scene.pass_time(60)
    scene.resource("notebook").force("running", scene.clock.now())
    async with called(scene) as slackbot:
        began = await slackbot.finds(who(scene), "start", name="notebook", until="for 20 minutes")
        assert began["done"]
        await scene.pass_time(60)
        ready = scene.alice.only("ready")
        assert (await planned(scene, "notebook"), "Stop later…" in ready.labels) == (None, True)
        assert "is already running" in ready.text
        assert "I'll stop it" not in ready.text
        # If the person lets it stop workspaces, it stops the one that it started when the time is up.
        await lets(scene, "stop")
        await slackbot.finds(who(scene), "start", name="report", until="for 20 minutes")
        await scene.pass_time(1300, step=10)
    assert scene.calls("POST .*/stop") == 1


async def test_hours_go_before_an_end_that_it_sets(scene):
    async with called(scene) as slackbot:
        await slackbot.finds(who(scene), "start", name="notebook", until="for 300 hours")
        await scene.pass_time(60)
        at = await planned(scene, "notebook")
        await scene.alice.types("hours notebook every day -23:00")
        await scene.pass_time(86_400, step=240)
    assert at > scene.clock.now()
    assert await planned(scene, "notebook") is None
    assert scene.resource("notebook").status(scene.clock.now()) == "stopped"


async def test_one_question_of_its_is_live_and_one_a_minute_asked(scene):
    alice = scene.alice
    async with called(scene) as slackbot:
        for until in (MINUTE, MINUTE):
            assert is_asked(await slackbot.finds(who(scene), "start", name="report", until=until))
            await scene.settle()
        # If no question is sent, the result doesn't claim one, and says when to call again.
        other = await slackbot.finds(who(scene), "start", name="report", until="for 3 hours")
        assert "hasn't asked this" in other["says"]
        assert 0 < datetime.fromisoformat(other["again_at"]).timestamp() - scene.clock.now() <= 60
        assert [one.labels for one in alice.told("assistant_question")] == [["Do it now", "Leave it"]]
        await scene.pass_time(60)
        await slackbot.finds(who(scene), "start", name="report", until="for 2 minutes")
        await scene.pass_time(10)
    former, live = alice.told("assistant_question")
    assert (former.labels, live.labels) == ([], ["Do it now", "Leave it"])
    assert former.text.startswith("Slackbot asked me to: “start")
    await alice.presses(live, "Leave it")
    await scene.pass_time(60)
    assert scene.calls("POST .*/stop") == 0


async def test_its_calls_count_apart_from_its_persons(scene):
    async with called(scene) as slackbot:
        for _ in range(2 * BURST):
            await slackbot.calls(who(scene), "my_workspaces")
        assert "too quickly" in slackbot.told[-1]
    await scene.alice.types("stop report")
    await scene.pass_time(30)
    assert scene.calls("POST .*/stop") == 1


async def test_linking_carries_out_nothing_that_it_asked_for(scene):
    await scene.alice.types("unlink saturn --yes")
    await scene.settle()
    async with called(scene) as slackbot:
        assert is_asked(await slackbot.finds(who(scene), "start", name="notebook"))
        await scene.settle()
    asked = scene.alice.only("assistant_question")
    assert asked.text.startswith("Slackbot asked me to: “start")
    await scene.alice.links("alice", asked=asked)
    await scene.pass_time(60)
    assert scene.calls("POST .*/start") == 0


@pytest.fixture
async def bot():
    async with rig() as made:
        await made.link()
        lets_start = Preferences(assistant="start")
        await made.store.carry_out(lambda tx: save_preferences(tx, ALICE, lets_start))
        yield made


async def starts(bot, **given):
    """Start Alice's notebook through Slack's assistant, and return the tool's result."""
    slack = {"user_id": ALICE.user_id, "team_id": ALICE.team_id, "enterprise_id": ALICE.enterprise_id}
    bot.count += 1
    given = {"name": "notebook", **given}
    return json.loads(await asked_for(bot.services, slack, TOOLS["start"], given, f"signed-{bot.count}"))


#: For each state: whether a start is no more than a start, without and with an end time.
STARTS = {
    State.STOPPED: (True, True),
    State.SUSPENDED: (True, True),
    State.FAILED: (True, True),
    State.STARTING: (True, False),
    State.RUNNING: (True, False),
    State.STOPPING: (True, False),
    State.GONE: (False, False),
}


async def taken_back(bot):
    """End the open operations and remove the planned stop, as if nobody had asked for them."""
    row = await bot.workspace()

    def take_back(tx):
        for begun in OPERATIONS.rows(tx, workspace_id=row.id, outcome=None):
            operations.end(tx, begun["id"], Outcome.CANCELLED, "cancelled")
        WORKSPACES.change(tx, {"id": row.id}, **timers.NO_TIMER)

    await bot.store.carry_out(take_back)


@pytest.mark.parametrize("state", STARTS)
async def test_state_decides_whether_a_start_is_one(bot, state):
    for given, is_start in zip(({"until": MINUTE}, {}), reversed(STARTS[state]), strict=True):
        row = await bot.workspace()
        await observe(bot.store, bot.clock, row, Observed(state))
        assert is_asked(await starts(bot, **given)) is not is_start
        assert ((await bot.workspace()).stop_at is not None) is (is_start and bool(given))
        await taken_back(bot)
        bot.clock.advance(120)


async def test_what_its_person_is_just_starting_gets_no_end(bot):
    await observe(bot.store, bot.clock, await bot.workspace(), Observed(State.STOPPED))
    await bot.say("start notebook")
    assert is_asked(await starts(bot, until=MINUTE))
    assert (await bot.workspace()).stop_at is None
    # A workspace that the assistant starts itself gets an end time.
    await taken_back(bot)
    assert (await starts(bot, until=MINUTE))["done"][0]["until"]


async def test_the_audit_says_who_agreed(scene):
    async with called(scene) as slackbot:
        await slackbot.finds(who(scene), "start", name="report", until=MINUTE)
        await scene.settle()
        assert await scene.audit("workspace.start") == []
        await scene.alice.presses(scene.alice.only("assistant_question"), "Do it now")
    (agreed,) = await scene.audit("workspace.start")
    assert "via" not in json.loads(agreed["detail"])


async def test_nothing_that_it_asks_waits_for_a_list(bot):
    bot.clock.advance(3600)
    said = await starts(bot, name="new one")
    assert "Something created just now can take a minute" in said["says"]
    # The list is read again, but no command waits for it.
    (task,) = await bot.store.claim(tasks.claim_tasks, 10, 60.0)
    assert (task.kind, task.payload["then"]) == (TaskKind.DISCOVER, [])
