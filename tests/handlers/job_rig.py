"""A bot whose people run jobs: a Workbench beside a hub that runs none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from bot.domain.models import (
    Call,
    FoundJob,
    Job,
    JobState,
    NewJob,
    ObservedJob,
    Principal,
    Snapshot,
    Spec,
    Update,
)
from tests.handlers.rig import Hub, Rig, activate, rig
from tests.support.clock import FakeClock
from tests.support.forms import JOB_OFFER, Workbench
from tests.support.providers import fake_settings
from tests.support.store import ALICE

SPEC = Spec("train.R", {"command": "Rscript train.R", "cluster": "Local"})


@asynccontextmanager
async def job_rig(
    *more: str, linked: bool = True, offer: Any = JOB_OFFER, kind: type[Workbench] = Workbench
) -> AsyncIterator[Rig]:
    """Put a bot together; ``more`` are connections that run jobs, too."""
    clock = FakeClock()
    titles = {"posit": "Posit Workbench", **{name: name.title() for name in more}}
    benches = {name: kind(clock, fake_settings(name, title=title)) for name, title in titles.items()}
    hub = Hub(clock, fake_settings("hub", title="Hub", base_url="https://hub.example.test"))
    async with rig(connections={**benches, "hub": hub}) as bot:
        for name in titles if linked else ():
            account = await activate(bot.store, ALICE, name)
            if offer is not None:
                snapshot = Snapshot(name, account.id, "templates", offer, await bot.store.now())
                await bot.store.save_snapshot(snapshot)
        yield bot


async def run(bot: Rig, name: str = "train.R", who: Principal = ALICE, **keys: Any) -> Job:
    """Write a run down, as if it had been launched before."""
    given = {"connection": "posit", "spec": replace(SPEC, name=name), "reference": "REF-1"} | keys
    job, _ = await bot.store.accept_job(
        NewJob(principal=who, name=name, **given), interaction=f"seed:{name}:{bot.count}"
    )
    bot.count += 1
    bot.clock.advance(1)
    return job


async def going(bot: Rig, name: str = "train.R", state: JobState = JobState.RUNNING, **keys: Any) -> Job:
    """Write a run down that its provider has."""
    job = await run(bot, name, **keys)
    return await step(
        bot, job, remote_id=f"r-{job.id}", launch_call=Call.ACCEPTED, observed=_seen(bot, state)
    )


async def over(bot: Rig, name: str = "train.R", state: JobState = JobState.SUCCEEDED, code: int = 0) -> Job:
    """Write a run down that has ended."""
    job = await going(bot, name)
    bot.clock.advance(65)
    return await step(bot, job, observed=_seen(bot, state, code), outcome="ended")


async def step(bot: Rig, job: Job, **keys: Any) -> Job:
    """Write what a step learned."""
    assert await bot.store.save_job_step(Update(job.id, next_in=5.0, **keys))
    return await bot.store.job(job.id)


async def found(bot: Rig, *names: str) -> list[Job]:
    """Have a list bring runs that were launched elsewhere."""
    account = await bot.store.account(ALICE, "posit")
    listed = [FoundJob(f"elsewhere-{name}", name, _seen(bot, JobState.RUNNING)) for name in names]
    await bot.store.merge_jobs(account.id, listed)
    return [job for job in await bot.store.jobs(ALICE) if job.name in names]


def _seen(bot: Rig, state: JobState, code: int | None = None) -> ObservedJob:
    now = bot.clock.now()
    ended = now if state.is_over else None
    return ObservedJob(state, code, started_at=None if ended else now, ended_at=ended)
