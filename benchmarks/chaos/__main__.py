"""``python -m benchmarks.chaos``: cause failures, wait until all work is done, and check every promise.

Half of the people have hours that start a workspace during the storm of failures; the others have hours that
stop one. These are the modes of failure, which ``--only`` selects:

- ``kills``: ``kill -9`` every 2–5 s
- ``clock``: like ``kills``, with the clock up to 240 s ahead or behind; needs ``cc`` to compile a library
- ``posts``: the response to posting a message hangs, whether or not the message was posted; the process that
  sent it is killed, and starts again up to 8 s later
- ``cuts``: all connections to the database are cut, twice within 5 s, or a SQLite file can't be written for
  1–8 s
- ``lines``: connections to PostgreSQL are slow, stall for up to 6 s, or are cut in the middle of a message;
  only in a cluster
- ``half``: a worker loses its writing connection, and can't open another one for 8–25 s; only in a cluster
- ``failover``: the primary is lost along with its last 4 s, and a standby is promoted; only in a cluster, and
  only if named
- ``stopped``: a worker is suspended with SIGSTOP for 90 s, then resumed; only in a cluster, and only if named
- ``slack_away``: Slack is down for 5½ minutes; only if named, and with ``--seconds 420``
- ``slack``: calls that send or look up messages get a 429, a 5xx, or a cut or slow response, before or after
  Slack has acted
- ``provider``: the same for reads and calls to the provider, which may also get garbled responses
- ``late``: the provider acts 20–60 s after it was called, whether it responded immediately or not at all
- ``refused``, ``refused_all``: a single 401; a 401 for everybody, for 5–15 s
- ``limited``: 429 with a ``Retry-After`` of 20–65 s for reads, lists and logs, always for the same two people
- ``odd``: a malformed entry in a list; one status read is refused with 302, 400, 403 or 404
- ``repeats``: messages are delivered again under other event ids

The last line of output is one JSON object, and the exit status is 0 if all promises were kept (``"holds":
true``). These figures must be 0: ``lost``, ``repeated`` (requested once, done twice), ``told_twice`` (two
messages said the same thing or reported the same outcome, even if one was deleted later), ``unseen``
(running, but shown as down), ``untrue``, ``astray`` (shown to the wrong person), ``hours_lost``,
``hours_doubled``, ``hours_ended``, ``unwarned``, ``unlinked``, ``false_alarms``, ``beyond_limits``, ``dead``,
``leaks`` and ``exceptions``. Each ``most_…`` may be at most 1, and ``smallest_gap_s`` must be at least 10.
``asked`` counts the people who were asked what to do because the outcome of a call couldn't be determined.
Gaps and limits are judged by when requests arrive, so if the machine is too busy, a good run can look bad:
``longest_stall_s`` says how long a process had to wait for a processor.
"""

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
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from benchmarks.chaos.clocks import WallClock
from benchmarks.chaos.cluster import (
    FAILOVER,
    PAUSE,
    WEBS,
    WORKERS,
    balancer,
    fail_over,
    halve,
    members,
    trouble,
)
from benchmarks.chaos.crowd import Crowd
from benchmarks.chaos.cuts import CUTS, cut_off
from benchmarks.chaos.keeper import Keeper, Member, NotReadyError
from benchmarks.chaos.lines import LINES, Lines
from benchmarks.chaos.rows import unsettled
from benchmarks.chaos.stage import Stage, stage
from benchmarks.chaos.stalls import Stalls
from benchmarks.chaos.verdict import Verdict
from benchmarks.chaos.weather import MODES, Weather
from benchmarks.chaos.witness import Witness
from benchmarks.postgres import Database, database
from handlers.loading import load
from playground.faults import Fault

#: The gate's rule, in seconds.
SMALLEST_GAP = 10.0
#: The maximum number of problems of each kind that are printed.
SHOWN = 10
#: Kinds of problems that are counted in the result, and also printed in words.
PROBLEMS = (
    "hours_lost",
    "hours_doubled",
    "hours_ended",
    "unwarned",
    "lost",
    "repeated",
    "told_twice",
    "astray",
    "unseen",
    "untrue",
    "unlinked",
    "dead",
    "leaks",
    "exceptions",
)
#: The longest that a start may wait for a read and for its turn, in seconds, if the person wasn't told to
#: wait.
LONGEST_HOLD = 40.0
#: Seconds within which other processes must take over the work of a suspended worker.
LONGEST_TAKEOVER = 60.0
#: The shortest storm, in seconds, in which every mode is sure to affect some request.
LEAST_SECONDS = 180.0
#: Seconds between two kills if there is only one process.
ALONE = (2.0, 5.0)
#: What can go wrong.
STOPPED = "stopped"
ALL = ("kills", "clock", CUTS, LINES, "half", "repeats", *MODES, FAILOVER, STOPPED)
#: The modes of a run without ``--only``. Left out are those that last longer than a usual storm, and a
#: failover: only the processes remember what they answered during the seconds that it loses, so they mustn't
#: be killed.
USUAL = tuple(mode for mode in ALL if mode not in {"slack_away", FAILOVER, STOPPED})
#: The file in a run's folder that contains the output of the bot's processes.
LOG = "usher.log"
#: Seconds between two progress lines about the work that is left.
SAID_EVERY = 10.0


async def play(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Perform one run, and return its figures."""
    chance = random.Random(options.seed)  # noqa: S311 - it chooses moments and faults, it protects nothing
    loop = asyncio.get_running_loop()
    modes = set(options.only or USUAL)
    if not options.cluster or FAILOVER in modes:
        # They lead to one server.
        modes.discard(LINES)
    clock = WallClock(folder) if "clock" in modes else None
    if clock is not None and not await clock.make():
        sys.stderr.write("no C compiler here: the clocks stay as they are\n")
        modes, clock = modes - {"clock"}, None
    line_cuts = Counter[str]()
    async with _raise_stage(folder, options, modes, chance, clock, line_cuts) as (
        made,
        keeper,
        server,
        lines,
    ):
        wanted = options.operations, options.seconds, chance, options.rules
        crowd = Crowd(made, *wanted, speaks="repeats" in modes)
        longest = 20.0 + 40.0 * min(1.0, options.seconds / 180.0)
        weather = Weather(made, chance, modes, longest)
        harness = made.slack_harness
        witness = Witness(made.database, harness.clock.now)
        stalls = Stalls(keeper.pids, harness.clock.now)
        harness.on_violation = stalls.violated
        _follow_faults(made, weather, keeper)
        await keeper.start()
        tasks: list[asyncio.Task[None]] = []
        calm, rested = loop.time(), False
        try:
            await keeper.ready()
            await made.install()
            people = asyncio.create_task(crowd.live())
            tasks = [people, *(asyncio.create_task(one.watch()) for one in (witness, stalls))]
            await asyncio.gather(*_storms(made, keeper, server, lines, weather, options.seconds))
            weather.clear()
            calm = loop.time()
            await keeper.ready()
            async with asyncio.timeout(options.settle):
                await people
                await _wait_until_settled(made, made.slack_harness.clock.now() + options.settle)
            rested = True
        except TimeoutError:
            sys.stderr.write("it did not come to rest in time\n")
        except NotReadyError as late:
            sys.stderr.write(f"{late}\n")
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            drained = await keeper.stop()
        settled = loop.time() - calm
        asked = witness.asked if clock is not None else {}
        verdict = Verdict(made, crowd.acknowledged, folder / LOG, asked, crowd.hours_set)
        return {**await _figures(made, verdict, crowd, keeper, weather), "drained": drained} | {
            "rested": rested,
            "bursts": sum(weather.bursts.values()),
            "met": dict(weather.met),
            "cuts": weather.bursts[CUTS],
            "line_cuts": line_cuts[LINES],
            "halved": weather.bursts["half"],
            "stopped": keeper.stops,
            "repeats": weather.bursts["repeats"],
            "clock_moves": clock.moves if clock is not None else 0,
            "processes": len(keeper.members),
            "slack_workspaces": len(made.slacks),
            "beyond_limits": stalls.beyond_limits,
            "beyond_limits_while_slack_stood_still": stalls.late,
            "longest_stall_s": round(stalls.longest, 2),
            "longest_stall_of_slack_s": round(stalls.longest_here, 2),
            "settle_s": round(settled, 1),
            "seconds": options.seconds,
            "people": options.people,
            "seed": options.seed,
            "modes": sorted(modes),
        }


def _follow_faults(made: Stage, weather: Weather, keeper: Keeper) -> None:
    """Count the requests that meet a fault, and tell the keeper, which kills a process if a post hangs."""

    def note_fault(request: web.Request, fault: Fault) -> None:
        weather.note_fault(fault)
        keeper.on_fault(request, fault)

    made.slack_harness.on_fault = note_fault
    made.saturn.harness.on_fault = lambda _request, fault: weather.note_fault(fault)


def _storms(
    made: Stage,
    keeper: Keeper,
    server: Database | None,
    lines: Lines | None,
    weather: Weather,
    seconds: float,
) -> Iterator[Coroutine[Any, Any, None]]:
    """Yield the coroutines that cause the failures. They run concurrently."""
    modes, chance, count = weather.modes, weather.chance, weather.bursts
    yield weather.storm(seconds)
    if "repeats" in modes:
        yield weather.repeat(seconds)
    if "kills" in modes or "clock" in modes:
        yield keeper.kill_now_and_then(seconds)
    if "posts" in modes:
        yield keeper.kill_while_posting(seconds)
    if STOPPED in modes:
        yield keeper.stop_worker_for_a_while(seconds)
    if CUTS in modes:
        yield cut_off(made.database, server, seconds, chance, count)
    if lines is not None:
        yield lines.storm(seconds)
    if server is not None:
        if FAILOVER in modes:
            yield fail_over(server, seconds)
        elif STOPPED not in modes:
            yield trouble(server, seconds)
        if "half" in modes:
            yield halve(server, seconds, chance, count)


@asynccontextmanager
async def _raise_stage(
    folder: Path,
    options: argparse.Namespace,
    modes: set[str],
    chance: random.Random,
    clock: WallClock | None,
    line_cuts: Counter[str],
) -> AsyncIterator[tuple[Stage, Keeper, Database | None, Lines | None]]:
    """Start the local servers and the keeper and, in a cluster, PostgreSQL behind a proxy."""
    async with AsyncExitStack() as stack:
        running = database(folder, has_standby=FAILOVER in (options.only or ()))
        server = await asyncio.to_thread(stack.enter_context, running) if options.cluster else None
        url = server.url if server is not None else ""
        made = await stack.enter_async_context(stage(folder, options.people, chance, url))
        lines = None
        if server is None:
            pause = (options.kill_every,) * 2 if options.kill_every else ALONE
            keeper = Keeper([Member(made.environment(), made.bot_url)], folder / LOG, chance, clock, pause)
        else:
            half = server.half_url() if "half" in modes else ""
            environment = made.environment()
            if LINES in modes:
                lines = Lines(url, chance, line_cuts)
                await stack.enter_async_context(lines.run())
                environment |= {"USHER_DATABASE_URL": lines.address(url)}
                half = half and lines.address(half)
            processes = members(environment, clock, options.workers, half)
            await stack.enter_async_context(balancer(made.port, (web.url for web in processes[:WEBS])))
            pause = (options.kill_every or PAUSE,) * 2
            keeper = Keeper(processes, folder / LOG, chance, None, pause)
        yield made, keeper, server, lines


async def _wait_until_settled(made: Stage, until: float) -> None:
    """Wait until all operations and runs have ended, all notices are sent, and all late actions are done.

    Stops that are planned for after ``until`` (epoch seconds) don't count.
    """
    loop = asyncio.get_running_loop()
    said = loop.time() - SAID_EVERY

    async def unfinished() -> tuple[int, ...]:
        return *await asyncio.to_thread(unsettled, made.database, until), made.saturn.harness.coming

    while any(left := await unfinished()):
        if loop.time() - said >= SAID_EVERY:
            said = loop.time()
            open_ones = f"{left[0]} operations and {left[1]} runs open"
            coming = f"{left[2]} notices and cards to send, {left[3]} stops and {left[4]} acts to come"
            sys.stderr.write(f"{open_ones}, {coming}\n")
        await asyncio.sleep(0.5)


async def _figures(
    made: Stage, verdict: Verdict, crowd: Crowd, keeper: Keeper, weather: Weather
) -> dict[str, Any]:
    truth, harness = verdict.truth, made.slack_harness
    starts = truth.starts()
    for words in [words for words, count in starts.items() if count > 1][:SHOWN]:
        sys.stderr.write(f"started again: {words}\n")
    told: dict[str, Any] = {
        "operations": len(verdict.operations),
        "runs": len(truth.runs),
        "acknowledged": len(crowd.acknowledged),
        "kills": keeper.kills,
        "kills_before_listening": keeper.early_kills,
        "kills_in_posts": keeper.kills_in_posts,
        "hours": verdict.hours(),
        "hours_lost": verdict.hours_lost(),
        "hours_doubled": verdict.hours_doubled(),
        "hours_ended": verdict.hours_ended(),
        "unwarned": verdict.unwarned(),
        "lost": verdict.lost(),
        "repeated": verdict.repeated(),
        "told_twice": verdict.told_twice(),
        "told_of_loss": verdict.told_of_loss(),
        "unseen": truth.unseen(),
        "untrue": truth.untrue(),
        "unlinked": verdict.unlinked(),
        "asked": verdict.asked(),
        "smallest_gap_s": made.saturn.harness.statistics()["smallest_gap_s"],
        "most_starts_per_operation": max(starts.values(), default=0),
        "most_runs_per_request": truth.most_runs(),
        "most_creations_per_request": truth.most_creations(),
        "astray": verdict.astray(),
        "alarms": verdict.alarms(),
        "false_alarms": 0 if weather.was_away or keeper.kills else verdict.alarms(),
        "longest_hold_s": verdict.longest_hold(weather.limited),
        "dead": verdict.dead(),
        "leaks": verdict.leaks(),
        "exceptions": verdict.exceptions(),
        "audit": await verdict.audit(),
        "outcomes": Counter(str(operation["outcome"]) for operation in verdict.operations),
        "run_outcomes": Counter(str(run["outcome"]) for run in truth.runs),
        "failed_requests": crowd.failed,
        "clicks": crowd.clicks,
        "messages": harness.requests["POST /api/chat.postMessage"],
        "look_ups": harness.requests["POST /api/conversations.history"],
        "violations": Counter(
            violation["rule"] for server in (harness, made.saturn.harness) for violation in server.violations
        ),
        "ended_by_itself": keeper.ended,
    }
    for kind in PROBLEMS:
        for problem in told[kind][:SHOWN]:
            sys.stderr.write(f"{kind}: {problem}\n")
        told[kind] = len(told[kind])
    return told


def _is_every_mode_met(told: dict[str, Any]) -> bool:
    """Return whether each chosen mode affected at least one request."""
    # The mode ``half`` exists only in a cluster, and the clock changes only if there is a single process.
    own = ("half", told["halved"]) if told["processes"] > 1 else ("clock", told["clock_moves"])
    counts = dict.fromkeys(MODES, 0) | told["met"] | {"repeats": told["repeats"]} | dict([own])
    return all(count > 0 for mode, count in counts.items() if mode in told["modes"])


def holds(told: dict[str, Any], options: argparse.Namespace) -> bool:
    """Return whether all promises were kept and, in a run of full length, each mode affected some request."""
    gap, modes, is_whole = told["smallest_gap_s"], set(told["modes"]), told["seconds"] >= LEAST_SECONDS
    none = (*PROBLEMS, "false_alarms", "ended_by_itself")
    most = ("most_starts_per_operation", "most_runs_per_request", "most_creations_per_request")
    return (
        not any(told[kind] for kind in none)
        and told["beyond_limits"] == told["beyond_limits_while_slack_stood_still"]
        and told["acknowledged"] == options.operations
        # A failover may lose the record that a start ended. Usher then finds the start open and the workspace
        # down, and starts it once more.
        and all(told[one] <= 1 + (FAILOVER in modes and one == most[0]) for one in most)
        and (gap >= SMALLEST_GAP if gap is not None else not is_whole)
        # A 429 for one person mustn't delay others. If other modes are active, starts may wait for other
        # reasons.
        and (modes != {"limited"} or told["longest_hold_s"] <= LONGEST_HOLD)
        and told["audit"] == "whole"
        and told["drained"]
        and told["rested"]
        and (not is_whole or _is_every_mode_met(told))
        and (told["kills"] > told["kills_in_posts"] or not modes & {"kills", "clock"})
        and (told["kills_in_posts"] > 0 or "posts" not in modes)
        and (told["cuts"] > 0 or CUTS not in modes)
        and (told["line_cuts"] > 0 or LINES not in modes)
        # While the worker was suspended, other processes must have taken over its work.
        and (STOPPED not in modes or (told["stopped"] > 0 and told["longest_hold_s"] <= LONGEST_TAKEOVER))
    )


def main() -> int:
    """Run the command; return exit status 0 if all promises were kept, and 1 otherwise."""
    load()
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.chaos",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seconds", type=float, help="how long the storm lasts; 180, or 300 in a cluster")
    parser.add_argument("--operations", type=int, help="1000, or 2000 in a cluster")
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument(
        "--rules", type=int, default=200, help="people with hours that start or stop a workspace in the storm"
    )
    parser.add_argument("--settle", type=float, default=900.0, help="how long the calm may take at most")
    parser.add_argument(
        "--cluster", action="store_true", help="webs and workers for two Slack workspaces, on PostgreSQL"
    )
    parser.add_argument("--workers", type=int, default=WORKERS, help="of a cluster")
    parser.add_argument("--kill-every", type=float, metavar="SECONDS", help="2 to 5, or 2 in a cluster")
    parser.add_argument("--only", action="append", choices=ALL, metavar="MODE", help=f"of {', '.join(ALL)}")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31))
    parser.add_argument("--keep", type=Path, help="a folder that keeps the database and the log")
    options = parser.parse_args()
    if {FAILOVER, STOPPED} & set(options.only or ()) and not options.cluster:
        parser.error("a failover, or a worker that stands still, takes a --cluster")
    usual = (300.0, 2000) if options.cluster else (180.0, 1000)
    options.seconds, options.operations = options.seconds or usual[0], options.operations or usual[1]
    # Kills cut off requests on purpose, so the local servers needn't log each of them.
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
