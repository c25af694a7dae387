"""Many people at a Workbench: in how many requests their sessions are read, and twenty outputs at once."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from benchmarks.crowd import Crowd, Deployment, settle
from benchmarks.figures import Figure
from benchmarks.load import send
from benchmarks.machine import BenchmarkError, cores, memory_mb, running
from benchmarks.sizes import Sizes
from benchmarks.stage import Bot, Stage, forget, note, noted, stage
from bot.domain.workspaces import State
from playground.processes import Child

_NAME = "wb"
_LOOK_EVERY = 0.25
_LINE = "step {n} of a run that writes as much as it can"
#: Runs write so many lines a second each, after so many seconds in which all of them are launched.
_RATE = 1_000
_SILENT = 15.0


async def measure_posit(sizes: Sizes) -> list[Figure]:
    """Measure in how many requests the pending sessions of one account are read, each time around."""
    crowd = Crowd(sizes.posit_people, sizes.posit_sessions // sizes.posit_people)
    async with _scene(crowd, pending=True) as (_, bot, workbench):
        await asyncio.sleep(sizes.settle_seconds)
        await forget(workbench)
        await asyncio.sleep(sizes.watch_seconds)
        bot.child.must_live()
        told = await noted(workbench)
    if len(told["accounts"]) < crowd.people or min(rounds for _, rounds in told["accounts"]) < 2:
        raise BenchmarkError("not everybody's sessions were read twice")
    shares = [requests / rounds for requests, rounds in told["accounts"]]
    rounds = sum(rounds for _, rounds in told["accounts"]) / crowd.people
    note(
        f"{crowd.people * crowd.each} sessions, {sum(sent for sent, _ in told['accounts'])} requests, "
        f"{rounds:.1f} rounds of {sizes.watch_seconds / rounds:.2f} s, {sum(shares) / len(shares):.2f} "
        f"requests each on average, smallest gap {told['smallest']:.2f} s"
    )
    sound = not told["violations"] and not told["refused"] and told["smallest"] >= 2.0
    detail = "" if sound else f"{told['refused']} refused, smallest gap {told['smallest']:.2f} s"
    return [Figure("posit_requests", max(shares), sound=sound, note=detail)]


async def measure_jobs(sizes: Sizes) -> list[Figure]:
    """Measure what is lost of outputs that come at once, and the memory; Slack's limits are on."""
    crowd = Crowd(sizes.streams, 0)
    async with _scene(crowd, limits=True) as (scene, bot, workbench):
        # What a form offers is asked for by the first run; the memory of an idle bot is that after it.
        await _run(bot, crowd, "print-lines lines=1", "first")
        await _wait_for_runs(scene, bot, crowd.people, sizes.patience)
        idle = memory_mb(bot.pid)
        words = f"print-lines lines={sizes.stream_lines} rate={_RATE} silent={_SILENT} text='{_LINE}'"
        began = time.perf_counter()
        await _run(bot, crowd, words, "loud")
        most, slack = await _wait_for_runs(scene, bot, 2 * crowd.people, sizes.patience)
        took = time.perf_counter() - began
        streams = (await noted(workbench))["most_open"]
    whole = "".join(f"{_LINE}\n".replace("{n}", str(number)) for number in range(1, sizes.stream_lines + 1))
    digest = hashlib.sha256(whole.encode()).hexdigest()
    loud = [one for one in slack["files"] if one["name"].startswith("loud")]
    lost = abs(crowd.people - len(loud)) * sizes.stream_lines
    lost += sum(abs(one["lines"] - sizes.stream_lines) or (one["sha256"] != digest) for one in loud)
    ends = sum("/job_ended/" in key for _, _, key in slack["posts"])
    note(
        f"{len(loud)} files of {sizes.stream_lines} lines, {streams} streams at once, all told after "
        f"{took:.0f} s ({_SILENT:.0f} s of it silent); idle {idle:.0f} MB, most {most:.0f} MB; "
        f"limits overstepped {slack['limits_broken']} times"
    )
    sound = ends == 2 * crowd.people and not slack["limits_broken"] and streams >= crowd.people
    detail = (
        "" if sound else f"{slack['limits_broken']} times beyond Slack's limits, {streams} streams at once"
    )
    return [
        Figure("job_streams_lost", lost, sound=sound, note=detail),
        Figure("job_streams_memory", max(most - idle, 0.0), sound=sound, note=detail),
    ]


@asynccontextmanager
async def _scene(
    crowd: Crowd, *, pending: bool = False, limits: bool = False
) -> AsyncIterator[tuple[Stage, Bot, Child]]:
    """Bring up a Workbench beside the rest, with everybody linked there."""
    async with stage(Crowd(crowd.people, 0), limits=limits) as scene:
        words = ["--people", str(crowd.people), "--each", str(crowd.each)]
        starting = running("workbench", ["benchmarks.workbench_peer", *words], scene.folder, cores()[1])
        async with starting as workbench:
            users = workbench.ready["credentials"]["users"]
            ids = {
                (person, workspace): users[crowd.username(person)]["sessions"][crowd.workspace(workspace)]
                for person, workspace in crowd.pairs()
            }
            place = Deployment(scene.place.database_url, scene.place.key, workbench.url, _NAME, ids)
            await settle(crowd, place, State.STARTING, pending=pending)
            connection = (
                f'[connections.{_NAME}]\nprovider = "posit"\ntitle = "Workbench"\nlinking = ["token"]\n'
                f"base_url = {json.dumps(workbench.url)}\n"
            )
            async with scene.bot(connection) as bot:
                yield scene, bot, workbench


async def _run(bot: Bot, crowd: Crowd, words: str, name: str) -> None:
    """Have everybody type a run in one line."""
    text = f"run {_NAME} --cluster Local --name {name} -- {words}"
    requests = (
        bot.target.request(crowd.user(number), text, number, "/job") for number in range(crowd.people)
    )
    outcome = await send(bot.target.url, requests, min(crowd.people, 10), lambda body: b"Workbench" in body)
    if outcome.wrong:
        raise BenchmarkError(f"a run was not taken: {outcome.wrong[0]}")


async def _wait_for_runs(scene: Stage, bot: Bot, files: int, patience: float) -> tuple[float, dict[str, Any]]:
    """Wait until so many runs have ended and sent their files; return the most memory, and the notes."""
    until, most = time.perf_counter() + patience, 0.0
    slack: dict[str, Any] = {}
    while time.perf_counter() < until:
        await asyncio.sleep(_LOOK_EVERY)
        bot.child.must_live()
        most = max(most, memory_mb(bot.pid))
        slack = await noted(scene.slack)
        ends = sum("/job_ended/" in key for _, _, key in slack["posts"])
        if ends >= files and len(slack["files"]) >= files:
            break
    return most, slack
