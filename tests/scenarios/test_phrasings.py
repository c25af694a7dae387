"""What people write, as they write it, through the whole bot: the tables of phrasings."""

import sqlite3
from contextlib import closing

import pytest
import pytest_asyncio

from bot.domain.steps import Update
from bot.domain.work_items import Outcome
from bot.store import operations, workspaces
from tests.rigs.scenario import SEED
from tests.rigs.scenario.cloud import SEED as CLOUD
from tests.rigs.scenario.cloud import cloud_world
from tests.scenarios.phrasings import MENTIONED, TYPED, WRITTEN
from tests.scenarios.phrasings_odd import ODD

NAMES = ("deep thought", "list")
WORKSPACES = [
    *(one for one in SEED["workspaces"] if one["name"] != "broken"),
    *({"owner": "alice", "name": name, "id": f"{number:032x}"} for number, name in enumerate(NAMES, 50)),
    {"owner": "alice", "name": "survey", "id": f"{60:032x}", "status": "running"},
]


@pytest_asyncio.fixture
async def office(tmp_path):
    """A world in which Olivia has six workspaces, two of them running."""
    async with cloud_world(tmp_path, saturn_seed={**CLOUD, "workspaces": WORKSPACES}) as ready:
        await ready.alice.has_linked("alice")
        await ready.pass_time(15)
        yield ready


async def begun(world):
    """Return the operations that are open, as ``VERB NAME``, and end them: nothing of them was sent."""
    store = world.bot.store
    found = []
    for operation in await store.read(operations.open_operations, world.principal()):
        workspace = await store.read(workspaces.find_workspace, operation.workspace_id)
        found.append(f"{operation.verb} {workspace.title}")
        await store.write(
            operations.save_step, Update(operation.id, 0.0, outcome=Outcome.CANCELLED, cause="replaced")
        )
    return found


async def wrong_with(world, shown, expected):
    """Return what is wrong with an answer, or ""."""
    kind, _, what = expected.partition(" ")
    done = await begun(world)
    said = "\n".join(one.read for one in shown)
    if done != ([what] if kind == "does" else []):
        return f"did {done}: {said}"
    match kind:
        case "does":
            return ""
        case "offers":
            is_right = any(label.startswith(what) for one in shown for label in one.labels)
        case "shows":
            is_right = said.startswith(f"*{what}* · Saturn Cloud") and "Stopped" in said
        case _:
            is_right = what in said
    return "" if is_right and len(shown) == 1 else f"{len(shown)} answers: {said}"


async def failures(world, rows, say):
    found = []
    for number, (text, expected) in enumerate(rows):
        world.clock.advance(2)
        with closing(sqlite3.connect(world.folder / "usher.db")) as file:
            # Each is the first that is said: what refers to something before has its dialogues.
            for table in ("conversations", "undoable_actions"):
                file.execute(f"DELETE FROM {table}")
            file.commit()
        if number % 25 == 0:
            # Read again, so that no name has to be looked for first.
            world.clock.advance(61)
            await world.alice.types("list")
            await world.alice.types("status report")
            world.clock.advance(2)
        problem = await wrong_with(world, await say(text), expected)
        found += [f"{text!r} must {expected}, but {problem}"] if problem else []
    return found


@pytest.mark.parametrize("rows", [TYPED, ODD], ids=["usual", "odd"])
async def test_each_phrase_does_what_it_must_and_nothing_else(office, rows):
    async def say(text):
        return [await office.alice.types(text, then_settle=False)]

    found = await failures(office, rows, say)
    assert not found, "\n\n".join(found)


async def test_phrases_are_understood_in_direct_messages_and_after_a_mention(office):
    seen = set()

    async def write(text):
        # What was answered before may lose its buttons now.
        shown = [one for one in await office.alice.writes(text) if one.ts not in seen]
        seen.update(one.ts for one in shown)
        return shown

    found = await failures(office, WRITTEN, write)
    found += await failures(office, MENTIONED, office.alice.mentions)
    assert not found, "\n\n".join(found)


def test_the_table_is_large_and_most_of_what_it_has_only_answers():
    rows = [*TYPED, *ODD, *WRITTEN, *MENTIONED]
    assert len({*TYPED, *ODD}) == len([*TYPED, *ODD]) >= 420
    assert sum(expected.startswith(("says ", "shows ")) for _, expected in rows) >= 40
