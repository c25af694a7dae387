"""What people do with runs of jobs: launch, view, follow, stop. Nothing here waits for a provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from bot.domain.models import (
    Account,
    AuditEntry,
    Call,
    NewNotice,
    NewRun,
    NoticeKind,
    Principal,
    Run,
    Spec,
    TaskKind,
    Update,
)
from bot.domain.policy import Target
from bot.messages.texts import problems
from bot.providers import base
from bot.providers.base import Scheduled
from bot.services.authority import Authority
from bot.services.context import Context, Part
from bot.services.making import check_account, check_offered
from bot.store.records import NewTask
from bot.support.errors import Refused

#: A list of runs requested within this many seconds is not requested again.
LOOK_SECONDS: Final = 15.0
#: How many accounts are remembered with the time of their last look.
_REMEMBERED: Final = 10_000


class Runs(Part):
    """Write what people ask for into the store; ``wake`` notifies the background work."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._authority = Authority(context)
        #: Kept in memory only: it saves a request, and nothing depends on it.
        self._looked_at: dict[str, float] = {}
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
    ) -> Run:
        """Accept a run with its first card and audit row, in one transaction; raises Refused."""
        await self._authority.check(principal, "run")
        self._able(connection)
        check_offered(self._connections[connection], spec, principal, "job")
        await self._account(principal, connection)
        new = NewRun(
            principal=principal,
            connection=connection,
            name=spec.name or "job",
            spec=spec,
            reference=reference,
            channel_id=channel_id,
            deadline_seconds=self.deadline_seconds,
        )
        run, _ = await self._store.accept_run(
            new,
            interaction=interaction,
            notices=[_card(principal, channel_id)],
            audit=[_entry(principal, "job.run", f"{connection}/{new.name}", reference=reference)],
        )
        self._wake()
        return run

    async def stop(
        self, principal: Principal, run_id: str, *, force: bool, interaction: str
    ) -> tuple[Run, bool]:
        """Ask for a run to be stopped; return it, and False if it was already over."""
        run = await self.owned(principal, "stop", run_id)
        self._able(run.connection)
        await self._account(principal, run.connection)
        audit = [_entry(principal, "job.force" if force else "job.stop", _target(run), run=run.id)]
        changed = await self._store.want_run_stop(run.id, force=force, interaction=interaction, audit=audit)
        self._wake()
        return changed or run, changed is not None

    async def keep_waiting(self, principal: Principal, run_id: str, *, interaction: str) -> Run | None:
        """Set a new deadline for a run that hasn't begun or can't be read; return None if it is over."""
        run = await self.owned(principal, "keep_waiting", run_id)
        kept = await self._store.keep_run_waiting(run.id, self.deadline_seconds, interaction)
        self._wake()
        return kept

    async def let_go(self, principal: Principal, run_id: str) -> Run:
        """Stop following a run: cancelled if it was never launched, otherwise of unknown outcome."""
        run = await self.owned(principal, "stop", run_id)
        is_launched = run.remote_id is not None or run.launch_call is not Call.NONE
        outcome: Literal["failed", "cancelled"] = "failed" if is_launched else "cancelled"
        cause = "let_go" if is_launched else "cancelled"
        audit = (_entry(principal, "job.let_go", _target(run), run=run.id),)
        await self._store.save_run_step(
            Update(run.id, 0.0, outcome=outcome, cause=cause, card_dirty=True, audit=audit)
        )
        self._wake()
        return run

    async def look_again(self, principal: Principal, run_id: str) -> Run:
        """Check again right away for what a launch may have created."""
        run = await self.owned(principal, "look_again", run_id)
        await self._store.save_run_step(Update(run.id, 0.0, looks_again=True))
        self._wake()
        return run

    async def start_another(self, principal: Principal, run_id: str, *, interaction: str) -> tuple[Run, bool]:
        """Launch another run if nobody knows what became of the first; False if that is settled by now."""
        run = await self.owned(principal, "run", run_id)
        self._able(run.connection)
        check_offered(self._connections[run.connection], run.spec, principal, "job")
        await self._account(principal, run.connection)
        audit = [_entry(principal, "job.another", _target(run), run=run.id)]
        is_asked = await self._store.launch_another(run.id, interaction, audit)
        self._wake()
        return run, is_asked

    async def watch(
        self, principal: Principal, run_id: str, *, interaction: str, channel_id: str | None = None
    ) -> Run:
        """Show a run's output from now on, in its card's thread; a run without a card gets one."""
        run = await self.owned(principal, "logs", run_id)
        self._able(run.connection)
        await self._account(principal, run.connection)
        watched = await self._store.watch_run(
            run.id,
            interaction,
            notices=[_card(principal, channel_id)],
            audit=[_entry(principal, "job.logs", _target(run), run=run.id)],
        )
        if watched is None:
            # The account was unlinked since, so nobody reads this run any more.
            raise Refused("job.unknown", problems.sentence("no_job"))
        self._wake()
        return watched

    async def schedule(
        self, principal: Principal, connection: str, run: Scheduled, cron: str, *, interaction: str
    ) -> None:
        """Set a job's schedule, or switch it off with ""; the result is sent as a message."""
        await self._authority.check(principal, "schedule")
        self._able(connection, base.Schedules)
        account = await self._account(principal, connection)
        payload = {
            "account": account.id,
            "principal": principal.key,
            "connection": connection,
            "job": run.job_id,
            "name": run.name,
            "cron": cron,
        }
        await self._store.append_audit(
            [_entry(principal, "job.schedule", f"{connection}/{run.job_id}", cron=cron)]
        )
        # Each request is a task of its own: a second one is a new operation, not a repetition of the first.
        task = NewTask(TaskKind.SCHEDULE, f"{account.id}/{run.job_id}/{interaction}", payload)
        await self._store.add_tasks([task], interaction)
        self._wake()

    async def owned(self, principal: Principal, verb: str, run_id: str) -> Run:
        """Return a run of this person; raises Refused, the same for *none* and *not yours*."""
        run = await self._store.run(run_id)
        if run is None:
            raise Refused("job.unknown", problems.sentence("no_job"))
        try:
            await self._authority.check(principal, verb, Target("job", run.id, run.principal))
        except Refused as refusal:
            if refusal.rule == "policy.not_owner":
                raise Refused("job.unknown", problems.sentence("no_job")) from None
            raise
        return run

    async def stale(self, principal: Principal, besides: Sequence[str] = ()) -> list[Account]:
        """Return the active accounts whose runs can be listed and weren't a moment ago.

        A list that is still being read doesn't count: it says nothing yet about what exists.
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
            and isinstance(self._connections[account.connection], base.Runs)
        ]

    async def look(
        self, accounts: Sequence[Account], *, then: Mapping[str, Any] | None = None, interaction: str = ""
    ) -> None:
        """List the runs of accounts again; ``then`` is the command waiting for it, which runs once."""
        await self._store.add_tasks(NewTask.lists(TaskKind.LIST_JOBS, accounts, then), interaction)
        if len(self._looked_at) > _REMEMBERED:
            self._looked_at.clear()
        self._looked_at.update((account.id, self._clock.monotonic()) for account in accounts)
        self._wake()

    def _able(self, connection: str, facet: type[base.Facet] = base.Runs) -> None:
        provider = self._provider(connection)
        if not isinstance(provider, facet):
            raise Refused("job.impossible", problems.sentence("cannot", provider.settings.title))

    async def _account(self, principal: Principal, connection: str) -> Account:
        return check_account(self._connections[connection], await self._store.account(principal, connection))


def _card(principal: Principal, channel_id: str | None) -> NewNotice:
    return NewNotice("", NoticeKind.JOB_CARD, "1", principal, {"channel_id": channel_id})


def _target(run: Run) -> str:
    return f"{run.connection}/{run.remote_id or run.id}"


def _entry(principal: Principal, action: str, target: str, **detail: str) -> AuditEntry:
    return AuditEntry(actor=principal.key, action=action, target=target, result="accepted", detail=detail)
