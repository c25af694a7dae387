"""``python -m benchmarks.chaos``: play the storm, wait for the calm, look at every promise."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import random
import secrets
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.chaos.crowd import Crowd
from benchmarks.chaos.keeper import Keeper, NotReadyError
from benchmarks.chaos.stage import Stage, stage
from benchmarks.chaos.verdict import Verdict, unsettled
from benchmarks.chaos.weather import Weather

#: The gate's rule, in seconds.
SMALLEST_GAP = 10.0
#: How many problems are printed of each kind.
SHOWN = 10
#: Seconds between two lines about what is still to come.
SAID_EVERY = 10.0


async def play(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Play one run; return the figures."""
    chance = random.Random(options.seed)  # noqa: S311 - it chooses moments and faults, it protects nothing
    loop = asyncio.get_running_loop()
    async with stage(folder, options.people, chance) as made:
        log = folder / "usher.log"
        keeper = Keeper(made.environment(), made.bot_url, log, chance)
        crowd = Crowd(made, options.wishes, options.seconds, chance)
        weather = Weather(made, chance)
        await keeper.start()
        people: asyncio.Task[None] | None = None
        calm = loop.time()
        try:
            await keeper.ready()
            people = asyncio.create_task(crowd.live())
            await asyncio.gather(keeper.kill_now_and_then(options.seconds), weather.storm(options.seconds))
            weather.clear()
            calm = loop.time()
            await keeper.ready()
            async with asyncio.timeout(options.settle):
                await people
                await _settled(made)
        except TimeoutError:
            sys.stderr.write("it did not come to rest in time\n")
        except NotReadyError as late:
            sys.stderr.write(f"{late}\n")
        finally:
            if people is not None:
                people.cancel()
            drained = await keeper.stop()
        settled = loop.time() - calm
        return {**await _figures(made, crowd, keeper, log), "drained": drained} | {
            "bursts": sum(weather.bursts.values()),
            "settle_s": round(settled, 1),
            "seconds": options.seconds,
            "people": options.people,
            "seed": options.seed,
        }


async def _settled(made: Stage) -> None:
    """Wait until every wish has ended and every notice was sent."""
    loop = asyncio.get_running_loop()
    said = loop.time() - SAID_EVERY
    while any(left := await asyncio.to_thread(unsettled, made.database)):
        if loop.time() - said >= SAID_EVERY:
            said = loop.time()
            sys.stderr.write(f"{left[0]} wishes open, {left[1]} notices to send\n")
        await asyncio.sleep(0.5)


async def _figures(made: Stage, crowd: Crowd, keeper: Keeper, log: Path) -> dict[str, Any]:
    verdict = Verdict(made, crowd.acknowledged, log)
    told: dict[str, Any] = {
        "wishes": len(verdict.wishes),
        "acknowledged": len(crowd.acknowledged),
        "kills": keeper.kills,
        "kills_before_listening": keeper.early_kills,
        "lost": verdict.lost(),
        "doubled": verdict.doubled(),
        "smallest_gap_s": made.saturn.harness.statistics()["smallest_gap_s"],
        "most_starts_per_wish": verdict.most_starts(),
        "dead": verdict.dead(),
        "leaks": verdict.leaks(),
        "exceptions": verdict.exceptions(),
        "audit": await verdict.audit(),
        "outcomes": Counter(str(wish["outcome"]) for wish in verdict.wishes),
        "failed_requests": crowd.failed,
        "clicks": crowd.clicks,
        "messages": made.slack.harness.requests["POST /api/chat.postMessage"],
        "look_ups": made.slack.harness.requests["POST /api/conversations.history"],
        "violations": Counter(
            violation["rule"]
            for server in (made.slack, made.saturn)
            for violation in server.harness.violations
        ),
        "ended_by_itself": keeper.ended,
    }
    for kind in ("lost", "doubled", "dead", "leaks"):
        for problem in told[kind][:SHOWN]:
            sys.stderr.write(f"{kind}: {problem}\n")
        told[kind] = len(told[kind])
    return told


def holds(told: dict[str, Any], options: argparse.Namespace) -> bool:
    """Say whether every promise was kept."""
    gap = told["smallest_gap_s"]
    return (
        not any(told[kind] for kind in ("lost", "doubled", "dead", "leaks", "exceptions", "ended_by_itself"))
        and told["acknowledged"] == options.wishes
        and told["most_starts_per_wish"] <= 1
        and (gap is None or gap >= SMALLEST_GAP)
        and told["audit"] == "whole"
        and told["drained"]
        and told["kills"] > 0
    )


def main() -> int:
    """Run it; return the exit status: 0 when every promise was kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=180.0, help="how long the storm lasts")
    parser.add_argument("--wishes", type=int, default=1000)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--settle", type=float, default=900.0, help="how long the calm may take at most")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31))
    parser.add_argument("--keep", type=Path, help="a folder that keeps the database and the log")
    options = parser.parse_args()
    # Requests that a kill cuts off are what this is about; the local servers need not tell of each.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    if options.keep is not None:
        options.keep.mkdir(parents=True, exist_ok=True)
        told = asyncio.run(play(options.keep.resolve(), options))
    else:
        with tempfile.TemporaryDirectory(prefix="usher-chaos-") as folder:
            told = asyncio.run(play(Path(folder), options))
    good = holds(told, options)
    sys.stdout.write(json.dumps({**told, "holds": good}) + "\n")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
