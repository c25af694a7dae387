"""``python -m benchmarks.cluster_demo``: a class on a cluster whose workers are killed; ends with Ctrl+C."""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import sys
import tempfile
from pathlib import Path

from benchmarks.cluster_demo.lesson import Lesson
from benchmarks.cluster_demo.stage import Stage, stage
from benchmarks.workspaces import TEAMS
from handlers.loading import load
from playground.demo.stage import say
from playground.harness import on_signals
from playground.processes import StageError

#: Seconds between two progress lines.
_SAID_EVERY = 10.0
_LOOK_EVERY = 1.0
#: How many checks in a row must find that everybody has been told before the lesson counts as over.
_LAST_LOOKS = 2


async def _kill_now_and_then(made: Stage, every: float) -> None:
    chance = random.Random()  # noqa: S311 - it chooses whom to kill, it protects nothing
    while True:
        await asyncio.sleep(every)
        made.supervisor.kill("worker", chance)


async def _tell(lesson: Lesson) -> None:
    """Report progress until everybody has been told, then check again, as duplicates would arrive soon."""
    loop = asyncio.get_running_loop()
    said, looks = loop.time(), 0
    while looks < _LAST_LOOKS:
        await asyncio.sleep(_LOOK_EVERY)
        seen = await asyncio.to_thread(lesson.look)
        looks = looks + 1 if seen.is_over else 0
        if loop.time() - said >= _SAID_EVERY:
            said = loop.time()
            say(f"   {seen.line()}")


async def _give(made: Stage, options: argparse.Namespace) -> int:
    """Run the lesson; return 0 if every promise was kept."""
    pages = "\n".join(f"    {page}   {name}" for page, name in zip(made.pages, TEAMS.values(), strict=True))
    say(
        f"\nWatch it in your browser, as Tara or as anybody of the class:\n\n{pages}\n\n"
        f"A worker is killed every {options.kill_every:g} s. Logs: {made.folder}. Ctrl+C ends everything.\n"
    )
    lesson = Lesson(made)
    killing = asyncio.create_task(_kill_now_and_then(made, options.kill_every))
    try:
        await lesson.post()
        pressing = asyncio.create_task(lesson.all_press(options.press_within))
        try:
            await _tell(lesson)
        finally:
            pressing.cancel()
        say((await asyncio.to_thread(lesson.look)).summary())
        if not options.once:
            say("\nEverything keeps running, and a worker is killed now and then. Ctrl+C ends it.")
            await asyncio.Event().wait()
    finally:
        killing.cancel()
        seen = await asyncio.to_thread(lesson.look)
        if not seen.is_over or not options.once:
            say(seen.summary())
    return 0 if seen.holds() else 1


async def run(folder: Path, options: argparse.Namespace) -> int:
    """Run the demonstration until it is over or stopped; return the exit status."""
    begun = asyncio.Event()

    async def play() -> int:
        async with stage(folder, options, say) as made:
            begun.set()
            try:
                return await _give(made, options)
            finally:
                say("\nStopping everything …")

    playing = asyncio.ensure_future(play())
    # A second Ctrl+C must not interrupt the shutdown.
    with on_signals(lambda: playing.cancelling() or playing.cancel()):
        try:
            status = await playing
        except asyncio.CancelledError:
            if not begun.is_set():
                say("Stopped before everything was running.")
                return 130
            status = 0
        except StageError as error:
            sys.stderr.write(f"The demo couldn't go on: {error}\n")
            return 1
    say("Everything has been stopped and removed.")
    return status


def main() -> int:
    """Run the command; return the exit status."""
    load()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cluster_demo", description=__doc__)
    parser.add_argument("--people", type=int, default=500)
    parser.add_argument("--kill-every", type=float, default=60.0, metavar="SECONDS")
    parser.add_argument("--press-within", type=float, default=20.0, metavar="SECONDS")
    parser.add_argument("--starts", type=int, default=3, help="how many Saturn Cloud takes a second")
    parser.add_argument("--soonest", type=float, default=5.0, help="seconds until one is ready, at least")
    parser.add_argument("--latest", type=float, default=25.0, help="seconds until one is ready, at most")
    parser.add_argument("--port", type=int, default=0, help="of the first page; the second has the next")
    parser.add_argument("--once", action="store_true", help="end when everybody was told")
    options = parser.parse_args()
    # Kills cut off requests on purpose, so the local servers needn't log each of them.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="usher-demo-") as folder:
        return asyncio.run(run(Path(folder), options))


if __name__ == "__main__":
    sys.exit(main())
