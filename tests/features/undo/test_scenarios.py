"""Taking back where it counts: what the store and the local providers hold, and what those were asked."""

import re
from contextlib import asynccontextmanager

import pytest

from bot.messages.verb import Effect, list_verbs
from bot.store import workspaces
from tests.features.undo.everything import everything as everything_of
from tests.rigs.scenario.workbench import TOKENS, WorkbenchWorld

SATURN = {
    "users": [{"name": "alice", "token": "a11ce" * 8}],
    "workspaces": [
        {"owner": "alice", "name": "notebook", "start_seconds": 25},
        {"owner": "alice", "name": "report", "status": "running"},
    ],
    "jobs": [{"owner": "alice", "name": "nightly", "command": "papermill it", "run_seconds": 900}],
}
POSIT = {
    "users": [{"name": "alice", "token": TOKENS["alice"]}],
    "sessions": [
        {"owner": "alice", "name": "lab"},
        {"owner": "alice", "name": "asleep", "state": "suspended"},
    ],
}
HOURS = "hours notebook weekdays 9:00-18:00"
#: By verb: what is said to change something, after what was said before it.
SAID = {
    "start": ["start notebook", "start notebook for 2h", "start notebook until 23:00"],
    "resume": ["resume asleep"],
    "stop": ["stop report", "stop report at 23:00", "stop report at 22:00 > stop report at 23:00"],
    "suspend": ["suspend lab", "suspend lab at 23:00"],
    "restart": ["restart report"],
    "keep": ["stop report at 23:00 > keep report", "keep report until 23:00"],
    "hours": [HOURS, f"{HOURS} > hours notebook off", f"{HOURS} > hours notebook skip tomorrow"],
    "add": ["forget notebook > add notebook"],
    "alias": ["alias notebook thesis", "alias notebook thesis > alias thesis --clear"],
    "notify": ["notify notebook off"],
    "forget": ["forget report"],
    "job run": ["job run saturn no-such > job run saturn nightly"],
    "job stop": ["job run saturn no-such > job run saturn nightly > job stop nightly"],
}
#: They end something for good or make something, open a form, ask, or answer a button.
OTHERS = {"cancel", "card", "new", "press", "queue", "unlink", "unqueue", "remove", "job schedule"}


def held(world):
    """Return what the providers hold, and how often each was asked to change something."""
    now = world.clock.now()
    world.posit.state.settle()
    cloud = {
        one.name: (one.status(now), [run.status for run in one.runs])
        for one in world.saturn.state.resources.values()
    }
    sessions = {one.name: one.state for one in world.posit.state.sessions.values()}
    lines = (*world.saturn.harness.requests.items(), *world.posit.harness.requests.items())
    calls = {line: count for line, count in lines if not re.search(r"^GET|/api/get_", line)}
    return cloud, sessions, calls


async def everything(world):
    return await everything_of(world.bot.store, world.principal())


async def says(world, text):
    """Say something, and let the engine do nothing yet."""
    world.clock.advance(1)
    command, _, rest = text.partition(" ") if text.startswith("job ") else ("workspace", "", text)
    return await world.alice.types(rest, command=f"/{command}", then_settle=False)


@asynccontextmanager
async def linked_world(folder):
    async with WorkbenchWorld(folder, {"saturn_seed": SATURN, "posit_seed": POSIT}).running() as world:
        await world.alice.has_linked("alice")
        await world.alice.has_linked("alice", "wb")
        await world.pass_time(30, step=10)
        yield world


@pytest.mark.parametrize("said", [one for many in SAID.values() for one in many])
async def test_what_is_taken_back_leaves_store_and_provider_as_they_were(said, tmp_path):
    *before, last = said.split(" > ")
    async with linked_world(tmp_path) as world:
        for text in before:
            await says(world, text)
            await world.pass_time(30, step=10)
        was, there = await everything(world), held(world)
        # Once while nothing was sent: whatever time does then, it is as if it had never been said.
        await says(world, last)
        assert await everything(world) != was
        answer = await says(world, "undo")
        assert await everything(world) == was, answer.text
        await world.pass_time(120, step=10)
        assert (await everything(world), held(world)) == (was, there)
        # Once it has been done: rows are taken back, and of what was sent nothing is changed.
        await says(world, last)
        await world.pass_time(60, step=10)
        done, there_then = await everything(world), held(world)
        answer = await says(world, "undo")
        is_sent = there_then != there
        assert await everything(world) == (done if is_sent else was), answer.text
        assert (" already " in answer.text) is is_sent, answer.text
        await world.pass_time(30, step=10)
        assert held(world)[2] == there_then[2]


@pytest.mark.parametrize("seconds", [0, 1, 30], ids=["at_once", "after_the_call", "when_done"])
@pytest.mark.parametrize(
    ("said", "was"),
    [
        pytest.param("stop report", "running", id="stop"),
        pytest.param("start notebook", "stopped", id="start"),
        pytest.param("suspend lab", "running", id="suspend"),
    ],
)
async def test_undo_button_works_whenever_it_is_pressed(tmp_path, said, was, seconds):
    """A press comes before the call, while it is under way, and after it, on providers of both kinds."""
    name = said.split()[1]
    async with linked_world(tmp_path) as world:
        answer = await says(world, said)
        assert answer.labels == ["Undo"], answer.text
        if seconds:
            await world.pass_time(seconds, step=1)
        await world.alice.presses(answer, "Undo")
        await world.pass_time(120, step=5)
        rows = {
            one.name: one.state
            for one in await world.bot.store.perform(workspaces.read_workspaces, world.principal())
        }
        assert rows[name] == was
        assert (await everything(world))["operations"] == {}


@pytest.mark.parametrize(
    "said", ["restart report", "resume asleep", SAID["job stop"][0]], ids=["restart", "resume", "job-stop"]
)
async def test_undo_button_is_missing_where_nothing_leads_back(tmp_path, said):
    *before, last = said.split(" > ")
    async with linked_world(tmp_path) as world:
        for text in before:
            await says(world, text)
            await world.pass_time(30, step=10)
        assert "Undo" not in (await says(world, last)).labels


def test_every_verb_that_changes_something_is_tried():
    own = {name for name, verb in list_verbs("workspace").items() if verb.effect is not Effect.SHOWS}
    of_jobs = {f"job {name}" for name, verb in list_verbs("job").items() if verb.effect is not Effect.SHOWS}
    assert own | of_jobs == SAID.keys() | OTHERS | {"undo"}


async def test_answers_of_undo_while_something_is_under_way(tmp_path):
    stops = "POST /api/workspaces/.*/stop$"
    async with linked_world(tmp_path) as world:
        await says(world, "stop report")
        assert "I've cancelled the stop of *report*." in (await says(world, "undo")).text
        await world.pass_time(30, step=10)
        assert world.calls(stops) == 0
        await says(world, "stop report")
        await world.pass_time(1)
        assert world.calls(stops) == 1
        under_way = await says(world, "undo")
        assert "I'm already stopping *report*." in under_way.text
        await world.pass_time(30, step=10)
        assert "I've already stopped *report*." in (await says(world, "undo")).text
        assert world.alice.only("stopped")
        # What leads back is a request of its own.
        await world.alice.presses(under_way, "Start it again")
        await world.pass_time(1)
        assert "I'm already starting *report*." in (await says(world, "undo")).text
        await world.pass_time(200, step=10)
        assert (
            "There's nothing recent to undo, and nothing of yours is under way."
            in (await says(world, "undo")).text
        )
        assert world.calls(stops) == 1
        assert (await everything(world))["operations"] == {}
