"""Job runs: launching, following and stopping them. Nothing here waits for a provider."""

from bot.domain.forms import Spec
from bot.domain.policy import Target
from bot.domain.runs import Run, StopKind
from bot.domain.steps import Update
from bot.domain.work_items import DEADLINE_SECONDS, Call, Outcome
from bot.providers import base, facets
from bot.services.caller import Caller
from bot.services.creation import check_offered
from bot.store import inbox, refusals, runs, work_items
from bot.store.tables import RUNS
from bot.store.transaction import Transaction
from bot.support.errors import Refused, StoreError


def launch_run(tx: Transaction, caller: Caller, connection: str, spec: Spec) -> Run:
    """Accept a job run and queue its first card. Raise Refused if the run isn't possible or allowed."""
    caller.check(tx, "run")
    provider = _require_runs(caller, connection)
    check_offered(provider, spec, caller.principal, "job")
    account = caller.require_account(tx, connection)
    fresh = tx.ids.new("job")
    if not caller.is_first_delivery(tx, result=fresh):
        before = runs.find_run(tx, inbox.find_result(tx, caller.interaction))
        if before is None or before.principal != caller.principal:
            raise StoreError("this interaction was something else before")
        return before
    if account.is_held:
        refusals.try_at_once(tx, account)
    now = tx.now()
    run = Run(
        id=fresh,
        principal=caller.principal,
        connection=connection,
        name=spec.name or "job",
        spec=spec,
        created_at=now,
        reference=caller.reference,
        channel_id=caller.channel_id,
        blocked_since=now,
        deadline_at=now + DEADLINE_SECONDS,
        **provider.describe_machine(spec).to_columns(),
    )
    runs.insert(tx, run)
    runs.show(tx, run, caller.channel_id, is_answered=caller.is_answered)
    caller.record(tx, "job.run", run, began=run.id, reference=run.reference)
    return run


def stop_run(tx: Transaction, caller: Caller, run_id: str, *, force: bool) -> tuple[Run, bool]:
    """Ask for a run to be stopped. Return the run, and whether it was still open."""
    run = _require_usable(tx, caller, "stop", run_id)
    if run.is_open and caller.is_first_delivery(tx, "stop"):
        wanted: StopKind = "force" if force else "stop"
        runs.request_stop(tx, run, wanted)
        now = runs.find_run(tx, run.id) or run
        caller.record(tx, f"job.{wanted}", run, began=run.id)
        return now, True
    return run, run.is_open


def extend_deadline(tx: Transaction, caller: Caller, run_id: str) -> tuple[Run, bool]:
    """Set a new deadline for a run that hasn't begun or can't be read.

    Return the run, and whether it is still open.
    """
    run = require_run(tx, caller, "keep_waiting", run_id)
    if run.is_open and caller.is_first_delivery(tx):
        work_items.keep_waiting(tx, RUNS, run.id, DEADLINE_SECONDS)
    return run, run.is_open


def unfollow_run(tx: Transaction, caller: Caller, run_id: str) -> Run:
    """Stop following a run. It ends as failed (``let_go``) or, if it was never launched, as cancelled.

    Returns the run as it was before.
    """
    run = require_run(tx, caller, "stop", run_id)
    if run.is_open and caller.is_first_delivery(tx):
        is_launched = run.remote_id is not None or run.start_call is not Call.NONE
        outcome = Outcome.FAILED if is_launched else Outcome.CANCELLED
        cause = "let_go" if is_launched else "cancelled"
        runs.save_run_step(tx, Update(run.id, 0.0, outcome=outcome, cause=cause, card_dirty=True))
        caller.record(tx, "job.unfollow", run)
    return run


def find_launched_run(tx: Transaction, caller: Caller, run_id: str) -> Run:
    """Have the provider's list read now, to find a run that an earlier launch may have started."""
    run = require_run(tx, caller, "look_again", run_id)
    runs.save_run_step(tx, Update(run.id, 0.0, keeps_waiting=True))
    return run


def repeat_launch(tx: Transaction, caller: Caller, run_id: str) -> tuple[Run, bool]:
    """Repeat a launch whose outcome is unknown. Return the run, and whether it is launched again.

    Nothing is launched if the outcome is known by now.
    """
    run = _require_usable(tx, caller, "run", run_id)
    check_offered(caller.context.need(run.connection), run.spec, caller.principal, "job")
    if not run.is_asked or not caller.is_first_delivery(tx):
        return run, False
    is_asked = work_items.repeat(tx, RUNS, run.id, DEADLINE_SECONDS)
    if is_asked:
        caller.record(tx, "job.start_another", run)
    return run, is_asked


def follow_output(tx: Transaction, caller: Caller, run_id: str) -> Run:
    """Follow a run's output from now on. If the run has no card, give it one."""
    run = _require_usable(tx, caller, "logs", run_id)
    if not caller.is_first_delivery(tx, "show"):
        return run
    watched = runs.watch(tx, run.id, caller.channel_id)
    if watched is None:
        # The account has since been unlinked, so this run is no longer read.
        raise _refuse_unknown()
    caller.record(tx, "job.logs", run)
    return watched


def require_run(tx: Transaction, caller: Caller, verb: str, run_id: str) -> Run:
    """Return a person's run. Raise the same Refused whether it doesn't exist or belongs to someone else."""
    run = runs.find_run(tx, run_id)
    if run is None:
        raise _refuse_unknown()
    caller.check(tx, verb, Target("job", run.id, run.principal), hidden_as=_refuse_unknown())
    return run


def _require_usable(tx: Transaction, caller: Caller, verb: str, run_id: str) -> Run:
    """Return a person's run if its provider can run jobs and their account is usable."""
    run = require_run(tx, caller, verb, run_id)
    _require_runs(caller, run.connection)
    caller.require_account(tx, run.connection)
    return run


def _require_runs(caller: Caller, connection: str) -> base.Provider:
    provider = caller.context.need(connection)
    if not isinstance(provider, facets.Runs):
        raise Refused("job.impossible", cause="cannot", title=provider.settings.title)
    return provider


def _refuse_unknown() -> Refused:
    return Refused("job.unknown", cause="no_job")
