"""What people do with runs of jobs: launch, look, follow, stop. Nothing here waits for a provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from bot.domain.models import AuditEntry, Call, Job, NewJob, NewNotice, NoticeKind, TaskKind, Update
from bot.domain.policy import Target
from bot.messages.texts import problems
from bot.providers import facets
from bot.services.authority import Authority
from bot.services.making import check_account
from bot.store.records import NewTask
from bot.support.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.domain.models import Account, Principal, Spec
    from bot.providers.base import Scheduled
    from bot.services.context import Context

#: A list of runs that was asked for within so many seconds is not asked for again.
LOOK_SECONDS: Final = 15.0
#: So many accounts are remembered with the time of their last look.
_REMEMBERED: Final = 10_000


class Jobs:
    """Write what people want with runs into the store; ``wake`` tells the background work."""

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._connections = context.connections
        self._provider = context.provider
        self._authority = Authority(context)
        #: Kept in memory only, as it spares a request and nothing depends on it.
        self._looked_at: dict[str, float] = {}
        self._clock = context.clock
        self._wake = context.wake
        self.deadline_seconds = context.deadline_seconds

    async def launch(
        self,
        principal: Principal,
        connection: str,
        spec: Spec,
        *,
        interaction: str,
        reference: str,
        channel_id: str | None = None,
    ) -> Job:
        """Accept a run with its first card and audit row, in one transaction; raises Refused."""
        await self._authority.check(principal, "run")
        self._able(connection)
        provider = self._connections[connection]
        if provider.withholds(spec, principal):
            raise Refused("job.withheld", problems.sentence("withheld", provider.settings.title))
        await self._account(principal, connection)
        new = NewJob(
            principal=principal,
            connection=connection,
            name=spec.name or "job",
            spec=spec,
            reference=reference,
            channel_id=channel_id,
            deadline_seconds=self.deadline_seconds,
        )
        job, _ = await self._store.accept_job(
            new,
            interaction=interaction,
            notices=[_card(principal, channel_id)],
            audit=[_entry(principal, "job.run", f"{connection}/{new.name}", reference=reference)],
        )
        self._wake()
        return job

    async def stop(
        self, principal: Principal, job_id: str, *, force: bool, interaction: str
    ) -> tuple[Job, bool]:
        """Ask for the end of a run; return it, and False when it was over already."""
        job = await self.owned(principal, "stop", job_id)
        self._able(job.connection)
        await self._account(principal, job.connection)
        audit = [_entry(principal, "job.force" if force else "job.stop", _target(job), job=job.id)]
        changed = await self._store.want_job_stop(job.id, force=force, interaction=interaction, audit=audit)
        self._wake()
        return changed or job, changed is not None

    async def keep_waiting(self, principal: Principal, job_id: str, *, interaction: str) -> Job | None:
        """Set a new deadline for a run that has not begun or can't be looked at; None when it is over."""
        job = await self.owned(principal, "keep_waiting", job_id)
        kept = await self._store.keep_job_waiting(job.id, self.deadline_seconds, interaction)
        self._wake()
        return kept

    async def let_go(self, principal: Principal, job_id: str) -> Job:
        """Stop following a run: cancelled if it was never launched, otherwise of unknown outcome."""
        job = await self.owned(principal, "stop", job_id)
        is_launched = job.remote_id is not None or job.launch_call is not Call.NONE
        outcome: Literal["failed", "cancelled"] = "failed" if is_launched else "cancelled"
        cause = "let_go" if is_launched else "cancelled"
        audit = (_entry(principal, "job.let_go", _target(job), job=job.id),)
        await self._store.save_job_step(
            Update(job.id, 0.0, outcome=outcome, cause=cause, card_dirty=True, audit=audit)
        )
        self._wake()
        return job

    async def look_again(self, principal: Principal, job_id: str) -> Job:
        """Look at once for what a launch may have made."""
        job = await self.owned(principal, "look_again", job_id)
        await self._store.save_job_step(Update(job.id, 0.0, looks_again=True))
        self._wake()
        return job

    async def start_another(self, principal: Principal, job_id: str, *, interaction: str) -> tuple[Job, bool]:
        """Launch another run where nobody can tell of the first; False when that isn't asked any more."""
        job = await self.owned(principal, "run", job_id)
        self._able(job.connection)
        provider = self._connections[job.connection]
        if job.spec is not None and provider.withholds(job.spec, principal):
            raise Refused("job.withheld", problems.sentence("withheld", provider.settings.title))
        await self._account(principal, job.connection)
        audit = [_entry(principal, "job.another", _target(job), job=job.id)]
        is_asked = await self._store.launch_another(job.id, interaction, audit)
        self._wake()
        return job, is_asked

    async def watch(
        self, principal: Principal, job_id: str, *, interaction: str, channel_id: str | None = None
    ) -> Job:
        """Show a run's output from now on, in the thread of its card; one that a list found gets a card."""
        job = await self.owned(principal, "logs", job_id)
        self._able(job.connection)
        await self._account(principal, job.connection)
        watched = await self._store.watch_job(
            job.id,
            interaction,
            notices=[_card(principal, channel_id)],
            audit=[_entry(principal, "job.logs", _target(job), job=job.id)],
        )
        if watched is None:
            # Of an account that was unlinked since: nobody reads it any more.
            raise Refused("job.unknown", problems.sentence("no_job"))
        self._wake()
        return watched

    async def schedule(
        self, principal: Principal, connection: str, job: Scheduled, cron: str, *, interaction: str
    ) -> None:
        """Have a job's schedule set, or switched off with ""; a message tells what came of it."""
        await self._authority.check(principal, "schedule")
        self._able(connection, facets.Schedules)
        account = await self._account(principal, connection)
        payload = {
            "account": account.id,
            "principal": principal.key,
            "connection": connection,
            "job": job.job_id,
            "name": job.name,
            "cron": cron,
        }
        await self._store.append_audit(
            [_entry(principal, "job.schedule", f"{connection}/{job.job_id}", cron=cron)]
        )
        # Each is a task of its own: a second one is another operation, and not the same once more.
        task = NewTask(TaskKind.SCHEDULE, f"{account.id}/{job.job_id}/{interaction}", payload)
        await self._store.add_tasks([task], interaction)
        self._wake()

    async def owned(self, principal: Principal, verb: str, job_id: str) -> Job:
        """Return a run of this person; raises Refused, in the same words for *none* and *not yours*."""
        job = await self._store.job(job_id)
        if job is None:
            raise Refused("job.unknown", problems.sentence("no_job"))
        try:
            await self._authority.check(principal, verb, Target("job", job.id, job.principal))
        except Refused as refusal:
            if refusal.rule == "policy.not_owner":
                raise Refused("job.unknown", problems.sentence("no_job")) from None
            raise
        return job

    async def stale(self, principal: Principal, besides: Sequence[str] = ()) -> list[Account]:
        """Return the active accounts whose runs can be listed and were not just now.

        What was asked for and has not come yet says nothing of what there is.
        """
        oldest = self._clock.monotonic() - LOOK_SECONDS
        return [
            account
            for account in await self._store.accounts(principal)
            if account.state == "active"
            and account.id not in besides
            and (
                self._looked_at.get(account.id, oldest - 1.0) < oldest
                or await self._store.is_task_open(TaskKind.LIST_JOBS, account.id)
            )
            and account.connection in self._connections
            and isinstance(self._connections[account.connection], facets.Runs)
        ]

    async def look(
        self, accounts: Sequence[Account], *, then: Mapping[str, Any] | None = None, interaction: str = ""
    ) -> None:
        """List the runs of accounts again; ``then`` is the command that waits, and it runs once."""
        await self._store.add_tasks(NewTask.lists(TaskKind.LIST_JOBS, accounts, then), interaction)
        if len(self._looked_at) > _REMEMBERED:
            self._looked_at.clear()
        self._looked_at.update((account.id, self._clock.monotonic()) for account in accounts)
        self._wake()

    def _able(self, connection: str, facet: type[facets.Facet] = facets.Runs) -> None:
        provider = self._provider(connection)
        if not isinstance(provider, facet):
            raise Refused("job.impossible", problems.sentence("cannot", provider.settings.title))

    async def _account(self, principal: Principal, connection: str) -> Account:
        return check_account(self._connections[connection], await self._store.account(principal, connection))


def _card(principal: Principal, channel_id: str | None) -> NewNotice:
    return NewNotice("", NoticeKind.JOB_CARD, "1", principal, {"channel_id": channel_id})


def _target(job: Job) -> str:
    return f"{job.connection}/{job.remote_id or job.id}"


def _entry(principal: Principal, action: str, target: str, **detail: str) -> AuditEntry:
    return AuditEntry(actor=principal.key, action=action, target=target, result="accepted", detail=detail)
