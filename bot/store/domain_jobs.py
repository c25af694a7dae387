"""The store over any engine: runs of jobs."""
# ruff: noqa: D102 - the Protocol describes the methods

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bot.models import TaskKind
from bot.store import found_jobs, job_steps, jobs, workspaces
from bot.store.domain_trade import Trade
from bot.store.transaction import Lane

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.models import AuditEntry, FoundJob, Job, JobStep, JobUpdate, NewJob, NewNotice, Principal


class JobsTrade(Trade):
    """Keep runs of jobs."""

    async def accept_job(
        self,
        new: NewJob,
        *,
        interaction: str,
        notices: Sequence[NewNotice] = (),
        audit: Sequence[AuditEntry] = (),
    ) -> tuple[Job, bool]:
        return await self.engine.write(
            lambda tx: jobs.accept(tx, new, interaction, notices, audit), Lane.URGENT
        )

    async def want_job_stop(
        self, job_id: str, *, force: bool, interaction: str, audit: Sequence[AuditEntry] = ()
    ) -> Job | None:
        return await self.engine.write(
            lambda tx: jobs.want_stop(tx, job_id, interaction, audit, force=force), Lane.URGENT
        )

    async def keep_job_waiting(self, job_id: str, deadline_seconds: float, interaction: str) -> Job | None:
        return await self.engine.write(
            lambda tx: jobs.keep_waiting(tx, job_id, deadline_seconds, interaction), Lane.URGENT
        )

    async def launch_another(self, job_id: str, interaction: str, audit: Sequence[AuditEntry] = ()) -> bool:
        return await self.engine.write(
            lambda tx: jobs.launch_another(tx, job_id, interaction, audit), Lane.URGENT
        )

    async def unexplained_runs(self, job: Job, remote_ids: Sequence[str]) -> list[str]:
        return await self.engine.read(lambda tx: jobs.unexplained(tx, job, remote_ids))

    async def watch_job(
        self,
        job_id: str,
        interaction: str = "",
        *,
        notices: Sequence[NewNotice] = (),
        audit: Sequence[AuditEntry] = (),
    ) -> Job | None:
        return await self.engine.write(
            lambda tx: jobs.watch(tx, job_id, interaction, notices, audit), Lane.URGENT
        )

    async def job(self, job_id: str) -> Job | None:
        return await self.engine.read(lambda tx: jobs.job(tx, job_id))

    async def jobs(self, principal: Principal, *, limit: int = 50) -> list[Job]:
        return await self.engine.read(lambda tx: jobs.all_of(tx, principal, limit))

    async def job_by_remote(self, principal: Principal, connection: str, remote_id: str) -> Job | None:
        return await self.engine.read(lambda tx: jobs.by_remote(tx, principal, connection, remote_id))

    async def merge_jobs(self, account_id: str, found: Sequence[FoundJob]) -> int:
        start = await self.engine.read(
            lambda tx: workspaces.listing_start(tx, TaskKind.LIST_JOBS, account_id), Lane.STEADY
        )
        unknown: list[FoundJob] = []
        for piece in _pieces(found):
            read = partial(found_jobs.read_known, account_id=account_id, piece=piece, start=start)
            left = await self.engine.write(read, rows=len(piece))
            if left is None:
                return 0
            unknown += left
        kept = found_jobs.worth_keeping(unknown, self.engine.now())
        new = 0
        for piece in _pieces(kept):
            add = partial(found_jobs.add, account_id=account_id, piece=piece, start=start)
            new += await self.engine.write(add, rows=len(piece))
        return new

    async def claim_jobs(self, limit: int, lease: float) -> list[JobStep]:
        return await self.engine.write(lambda tx: job_steps.claim(tx, limit, lease))

    async def claim_jobs_of(self, account_id: str, limit: int, lease: float) -> list[JobStep]:
        return await self.engine.write(lambda tx: job_steps.claim_of(tx, account_id, limit, lease))

    async def save_job_step(self, update: JobUpdate) -> bool:
        return await self.engine.write(lambda tx: job_steps.save(tx, update))

    async def watched_jobs(self) -> list[Job]:
        return await self.engine.read(jobs.watched, Lane.STEADY)

    async def output_placed(self, job_id: str, message_ts: str) -> None:
        await self.engine.write(lambda tx: jobs.place_output(tx, job_id, message_ts))

    async def output_done(self, job_id: str) -> None:
        await self.engine.write(lambda tx: jobs.output_done(tx, job_id))


def _pieces(found: Sequence[FoundJob]) -> Iterator[Sequence[FoundJob]]:
    return (found[at : at + workspaces.PIECE] for at in range(0, len(found), workspaces.PIECE))
