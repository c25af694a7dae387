"""The stories that are played with a fault at every call. Each one cleans up after itself."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.faults.outlets import Fuse
from tests.faults.workbench import JobsWorld, SessionsWorld
from tests.faults.world import BreakingWorld

#: Seconds for everything to settle. The leases of a killed process expire within a minute. From then on its
#: unfinished calls, and its messages of unknown outcome, settle for the next process and are repeated once.
SETTLES = 180.0

Act = Callable[[Any], Awaitable[None]]


@dataclass(frozen=True)
class Story:
    """A story: what comes before it, what happens, and what must result. ``after`` cleans up."""

    before: Act
    act: Act
    comes_true: Act
    after: Act
    options: dict[str, Any]
    world: type[BreakingWorld] = BreakingWorld
    #: Seconds in which it may settle, and seconds between checks.
    settles: float = SETTLES
    step: float = 15.0
    #: The number of calls between faults, if not every call gets one.
    apart: int = 13


async def nothing(_world: BreakingWorld) -> None:
    """Leave it."""


async def linked(world: BreakingWorld) -> None:
    if not world.rows("SELECT 1 FROM accounts WHERE state = 'active'"):
        await world.alice.links("alice")
    await world.time(5)


async def unlinked(world: BreakingWorld) -> None:
    await world.alice.types("unlink saturn --yes")
    await world.time(10)


async def links(world: BreakingWorld) -> None:
    await world.links()
    await world.time(5)


async def is_linked(world: BreakingWorld) -> None:
    (account,) = world.rows("SELECT * FROM accounts")
    assert (account["state"], account["username"]) == ("active", "alice")
    linkings = world.rows("SELECT * FROM audit WHERE action = 'account.linked' AND result = 'ok'")
    assert len(world.alice.told("linked")) == len(linkings)
    assert [row["name"] for row in world.rows("SELECT name FROM workspaces WHERE name = 'training'")]


async def running(world: BreakingWorld) -> None:
    await linked(world)
    await world.alice.types("start training")
    await world.time(30)


async def stopped(world: BreakingWorld) -> None:
    await world.alice.types("stop training")
    await world.time(30)


async def starts(world: BreakingWorld) -> None:
    await world.commands("start training")
    await world.time(25)


async def stops(world: BreakingWorld) -> None:
    await world.commands("stop training")
    await world.time(15)


async def is_up(world: BreakingWorld) -> None:
    assert world.resource("training").status(world.clock.now()) == "running"
    (operation,) = world.rows("SELECT * FROM operations ORDER BY created_at DESC LIMIT 1")
    assert (operation["verb"], operation["outcome"]) == ("start", "fulfilled")


async def is_down(world: BreakingWorld) -> None:
    assert world.resource("training").status(world.clock.now()) == "stopped"
    (operation,) = world.rows("SELECT * FROM operations ORDER BY created_at DESC LIMIT 1")
    assert (operation["verb"], operation["outcome"]) == ("stop", "fulfilled")


async def stops_later(world: BreakingWorld) -> None:
    """Plan a stop, and wait for its warning and the stop itself."""
    await world.plans("stop training in 12 min")
    await world.time(150, step=30)
    await world.time(600, step=60)
    await world.time(30)


async def is_down_as_planned(world: BreakingWorld) -> None:
    await is_down(world)
    (operation,) = world.rows("SELECT * FROM operations ORDER BY created_at DESC LIMIT 1")
    assert operation["planned_for"] is not None
    assert operation["created_at"] >= operation["planned_for"]
    assert world.rows("SELECT stop_at FROM workspaces WHERE stop_at IS NOT NULL") == []
    same = "FROM operations WHERE planned_for IS NOT NULL"
    (done,) = world.rows(f"SELECT COUNT(*) AS count, COUNT(DISTINCT planned_for) AS ends {same}")
    warned = world.alice.told("stop_warning")
    assert len(warned) == done["count"] == done["ends"], "each end has one warning and one stop"


async def unlinks(world: BreakingWorld) -> None:
    """Unlink during a start."""
    await world.unlinks()
    await world.time(10)


async def starting(world: BreakingWorld) -> None:
    await linked(world)
    await world.alice.types("start notebook")
    await world.time(5)


async def is_unlinked(world: BreakingWorld) -> None:
    world.check_unlinked()
    # The answer is where the command was typed. If it was lost, the next answer says that nothing is linked.
    assert world.alice.told("unlinked") == []


async def notebook_down(world: BreakingWorld) -> None:
    """Stop the notebook at the provider, as the unlinked bot has left it running."""
    world.resource("notebook").force("stopped", world.clock.now())


async def runs(world: JobsWorld) -> None:
    await world.runs()
    await world.time(30, step=2)


async def makes(world: SessionsWorld) -> None:
    await world.makes()
    await world.time(30)


STORIES = {
    "link-code": Story(nothing, links, is_linked, unlinked, {"sign_in": False}),
    "link-sign-in": Story(nothing, links, is_linked, unlinked, {"sign_in": True}),
    "start": Story(linked, starts, is_up, stopped, {}),
    "stop": Story(running, stops, is_down, nothing, {}),
    "stop-later": Story(running, stops_later, is_down_as_planned, nothing, {}, apart=21),
    "unlink": Story(starting, unlinks, is_unlinked, notebook_down, {}),
    # Streams are restarted. A launch of unknown outcome is searched for over two minutes after its lease has
    # expired.
    "run": Story(nothing, runs, JobsWorld.is_whole, nothing, {}, JobsWorld, 240.0, apart=16),
    # A session from a lost launch is either found by its name, or certainly doesn't exist.
    "make": Story(
        nothing, makes, SessionsWorld.is_whole, SessionsWorld.clears_up, {}, SessionsWorld, 240.0, 10.0, 19
    ),
}


async def with_trouble(world: BreakingWorld, story: Story, fuse: Fuse) -> None:
    """Play a story with a fuse, let everything settle, check all invariants, and clean up."""
    await story.before(world)
    world.learn_places()
    world.breaker.fuse = fuse
    await story.act(world)
    if fuse.is_dead and world.breaker.fuse is fuse:
        await world.reborn()
    world.breaker.fuse = Fuse()
    await world.until_over(story.settles, story.step)
    await story.comes_true(world)
    await world.check()
    await story.after(world)
