"""What the store keeps of runs of jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.models import AuditEntry, FoundJob, Job, JobStep, JobUpdate, NewJob, NewNotice, Principal


class JobStore(Protocol):
    """Keep runs; a part of ``Store``. Claims and leases as for wishes."""

    async def accept_job(
        self,
        new: NewJob,
        *,
        interaction: str,
        notices: Sequence[NewNotice] = (),
        audit: Sequence[AuditEntry] = (),
    ) -> tuple[Job, bool]:
        """Write a run with its card, notices (subject "" becomes its id), audit and inbox row; due at once.

        The second value says that the interaction was seen before: then it is the first one's run. With a
        ``remote_id`` that the person has a row for, that one is watched and returned. A JOB_CARD notice with
        the subject "" is left out where the run has a card.
        """

    async def want_job_stop(
        self, job_id: str, *, force: bool, interaction: str, audit: Sequence[AuditEntry] = ()
    ) -> Job | None:
        """Ask for the end of an open run, or for a forced one after a plain one; None when it is over.

        A new ask sets ``stop_call`` to NONE and makes the run due; what a plain stop under way brings then
        does not count for the forced one.
        """

    async def keep_job_waiting(self, job_id: str, deadline_seconds: float, interaction: str) -> Job | None:
        """Set a new deadline (number + 1) for an open run; None when it is over."""

    async def launch_another(self, job_id: str, interaction: str, audit: Sequence[AuditEntry] = ()) -> bool:
        """Let a run that its person is asked about be launched once more; False when it is not asked."""

    async def unexplained_runs(self, job: Job, remote_ids: Sequence[str]) -> list[str]:
        """Return the ids that no other run has; none while another lost launch may have them."""

    async def watch_job(
        self,
        job_id: str,
        interaction: str = "",
        *,
        notices: Sequence[NewNotice] = (),
        audit: Sequence[AuditEntry] = (),
    ) -> Job | None:
        """Show a run's output from now on: ``is_watched``. One that a list found gets its card by this.

        A JOB_CARD notice with the subject "" is left out where the run has a card already. None when there is
        no such run, or its account was unlinked.
        """

    async def job(self, job_id: str) -> Job | None:
        """Return one run."""

    async def jobs(self, principal: Principal, *, limit: int = 50) -> list[Job]:
        """Return a person's runs, newest first, without those of accounts that were unlinked."""

    async def job_by_remote(self, principal: Principal, connection: str, remote_id: str) -> Job | None:
        """Return a person's run by its id at the provider."""

    async def merge_jobs(self, account_id: str, found: Sequence[FoundJob]) -> int:
        """Merge a list of runs, in pieces; return how many were new. An unlink between two pieces ends it.

        New ones are written without card or notices and not watched; open ones are followed to their end all
        the same. What a list says of known open ones counts as a read; a step ends them. Ended ones are new
        only as far as the sweep would keep them. The listing's start is the claim of the account's LIST_JOBS
        task.
        """

    async def claim_jobs(self, limit: int, lease: float) -> list[JobStep]:
        """Lease due open runs, oldest first."""

    async def claim_jobs_of(self, account_id: str, limit: int, lease: float) -> list[JobStep]:
        """Lease open, launched runs of one active account that are due within 2 s, to be read together."""

    async def save_job_step(self, update: JobUpdate) -> bool:
        """Write a step's result and release the lease; False when it ended or is held by another step.

        While a call is under way (CALLING) the lease is kept for ``next_in``. An unknown state keeps the last
        one, and one that is over stays. A row that a list brought in for the same ``remote_id`` is
        this one from then on. A card is owed when anything visible changed; ``audit`` is appended always.
        """

    async def watched_jobs(self) -> list[Job]:
        """Return launched runs whose output is to be shown and whose file was not sent yet, oldest first."""

    async def output_placed(self, job_id: str, message_ts: str) -> None:
        """Write where the message stands that shows a run's output; sending a JOB_OUTPUT notice does too."""

    async def output_done(self, job_id: str) -> None:
        """Note that the whole output was sent; it is no more watched."""
