"""Runs of jobs: launched, followed and stopped by their people. Nothing here waits for a provider."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from bot.domain.forms import Spec
from bot.domain.policy import Target
from bot.domain.runs import Run, StopKind
from bot.domain.steps import Update
from bot.domain.tasks import TaskKind
from bot.domain.undoable_actions import NO_CHANGE
from bot.domain.work_items import Call, Outcome
from bot.messages.texts import problems
from bot.providers import base, facets
from bot.services.caller import Caller
from bot.services.creation import check_offered
from bot.store import inbox, refusals, runs, work_items
from bot.store.tables import RUNS
from bot.store.tasks import NewTask, add_tasks
from bot.store.transaction import Transaction
from bot.store.undoable_actions import compare_rows
from bot.support.errors import Refused, StoreError


def launch_run(tx: Transaction, caller: Caller, connection: str, spec: Spec) -> Run:
    """Accept a run with its first card; raises Refused."""
    caller.check(tx, "run")
    check_offered(_require_facet(caller, connection), spec, caller.principal, "job")
    account = caller.require_account(tx, connection)
    if not caller.is_first_delivery(tx):
        before = runs.find_run(tx, inbox.find_result(tx, caller.interaction))
        if before is None or before.principal != caller.principal:
            raise StoreError("this interaction was something else before")
        return before
    refusals.try_at_once(tx, account)
    now = tx.now()
    run = Run(
        id=tx.ids.new("job"),
        principal=caller.principal,
        connection=connection,
        name=spec.name or "job",
        spec=spec,
        created_at=now,
        reference=caller.reference,
        channel_id=caller.channel_id,
        blocked_since=now,
        deadline_at=now + caller.context.deadline_seconds,
    )
    runs.insert(tx, run)
    inbox.save_result(tx, caller.interaction, run.id)
    runs.show(tx, run, caller.channel_id, is_answered=caller.is_answered)
    caller.record(tx, "job.run", run, NO_CHANGE.add_work_item(run, back="job_stop"), reference=run.reference)
    return run


def add_variables(provider: facets.Runs[Any], spec: Spec, variables: Sequence[str]) -> Spec:
    """Return a run's spec with more variables, each ``NAME=value``, in place of those of their names."""
    key = provider.variables_key
    found = {one.partition("=")[0]: one for one in (*spec.texts(key), *variables)}
    return replace(spec, chosen={**spec.chosen, key: tuple(found.values())})


def stop_run(tx: Transaction, caller: Caller, run_id: str, *, force: bool) -> tuple[Run, bool]:
    """Request the stop of a run; return the run, and False if it was already over."""
    run = _require_usable(tx, caller, "stop", run_id)
    if run.is_open and caller.is_first_delivery(tx, "stop"):
        wanted: StopKind = "force" if force else "stop"
        runs.request_stop(tx, run, wanted)
        now = runs.find_run(tx, run.id) or run
        caller.record(tx, f"job.{wanted}", run, compare_rows((run, now)).add_work_item(run))
        return now, True
    return run, run.is_open


def extend_deadline(tx: Transaction, caller: Caller, run_id: str) -> tuple[Run, bool]:
    """Set a new deadline for a run that hasn't begun or can't be read; return it, and False if it is over."""
    run = require_run(tx, caller, "keep_waiting", run_id)
    if run.is_open and caller.is_first_delivery(tx):
        work_items.keep_waiting(tx, RUNS, run.id, caller.context.deadline_seconds)
    return run, run.is_open


def unfollow_run(tx: Transaction, caller: Caller, run_id: str) -> Run:
    """Stop following a run: cancelled if it was never launched, otherwise of unknown outcome.

    Return it as it was.
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
    """Read the provider's list again right away, for a run that a launch may have created."""
    run = require_run(tx, caller, "look_again", run_id)
    runs.save_run_step(tx, Update(run.id, 0.0, keeps_waiting=True))
    return run


def repeat_launch(tx: Transaction, caller: Caller, run_id: str) -> tuple[Run, bool]:
    """Repeat a launch whose outcome is unknown; False if it is known by now."""
    run = _require_usable(tx, caller, "run", run_id)
    check_offered(caller.context.need(run.connection), run.spec, caller.principal, "job")
    if not run.is_asked or not caller.is_first_delivery(tx):
        return run, False
    is_asked = work_items.repeat(tx, RUNS, run.id, caller.context.deadline_seconds)
    if is_asked:
        caller.record(tx, "job.start_another", run)
    return run, is_asked


def follow_output(tx: Transaction, caller: Caller, run_id: str) -> Run:
    """Follow a run's output from now on; a run without a card gets one."""
    run = _require_usable(tx, caller, "logs", run_id)
    if not caller.is_first_delivery(tx, "show"):
        return run
    watched = runs.watch(tx, run.id, caller.channel_id)
    if watched is None:
        # The account was unlinked since, so nobody reads this run any more.
        raise _refuse_unknown()
    caller.record(tx, "job.logs", run, None)
    return watched


def set_schedule(
    tx: Transaction, caller: Caller, connection: str, job: facets.ScheduledJob, cron: str
) -> None:
    """Set a job's schedule, or switch it off with ""; the result is sent as a message."""
    caller.check(tx, "schedule")
    _require_facet(caller, connection, facets.Schedules)
    account = caller.require_account(tx, connection)
    if not caller.is_first_delivery(tx):
        return
    payload = {
        "account": account.id,
        "principal": caller.principal.key,
        "connection": connection,
        "job": job.job_id,
        "name": job.name,
        "cron": cron,
    }
    # Each request is a task of its own: a second one is a new operation, not a repetition of the first.
    subject = f"{account.id}/{job.job_id}/{caller.interaction}"
    add_tasks(tx, [NewTask(TaskKind.SCHEDULE, subject, payload)])
    caller.record(tx, "job.schedule", f"{connection}/{job.job_id}", cron=cron)


def require_run(tx: Transaction, caller: Caller, verb: str, run_id: str) -> Run:
    """Return a run of this person; raises Refused, the same for *none* and *not yours*."""
    run = runs.find_run(tx, run_id)
    if run is None:
        raise _refuse_unknown()
    caller.check(tx, verb, Target("job", run.id, run.principal), hidden_as=_refuse_unknown())
    return run


def _require_usable(tx: Transaction, caller: Caller, verb: str, run_id: str) -> Run:
    """Return a run of this person at a provider that runs jobs, with an account that works."""
    run = require_run(tx, caller, verb, run_id)
    _require_facet(caller, run.connection)
    caller.require_account(tx, run.connection)
    return run


def _require_facet(caller: Caller, connection: str, facet: type[facets.Facet] = facets.Runs) -> base.Provider:
    provider = caller.context.need(connection)
    if not isinstance(provider, facet):
        raise Refused("job.impossible", problems.explain_cause("cannot", provider.settings.title))
    return provider


def _refuse_unknown() -> Refused:
    return Refused("job.unknown", problems.explain_cause("no_job"))


#: Minute, hour, day of the month, month, day of the week: the smallest and largest number of each.
_RANGES: Final = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
#: The most days that each month can have.
_MAX_DAYS_OF_MONTH: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DAYS: Final = frozenset(["sun", "mon", "tue", "wed", "thu", "fri", "sat"])
_FIELD_NAMES: Final = (frozenset[str](), frozenset[str](), frozenset[str](), frozenset(_MONTHS), _DAYS)
_PART_PATTERN: Final = re.compile(r"(?:\*|([0-9a-z]+)(?:-([0-9a-z]+))?)(?:/(\d{1,2}))?", re.IGNORECASE)


def is_cron(text: str) -> bool:
    """Return whether a text is a cron expression: five fields of numbers, names, ranges, lists and steps."""
    fields = text.split()
    return len(fields) == 5 and all(_is_field(field, place) for place, field in enumerate(fields))


def can_fire(cron: str) -> bool:
    """Return whether an expression can ever fire: of days of the month alone, one must exist.

    If days of the week are given too, matching either is enough.
    """
    _minute, _hour, days, months, weekdays = cron.split()
    if weekdays[0] != "*":
        return True
    longest = max(_MAX_DAYS_OF_MONTH[month - 1] for month in _expand_field(months, 3))
    return min(_expand_field(days, 2)) <= longest


def _expand_field(field: str, place: int) -> set[int]:
    """Return all numbers of a field."""
    least, greatest = _RANGES[place]
    named: set[int] = set()
    for part in field.casefold().split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        begin = least if first == "*" else _parse_number(first)
        # A single number with a step runs to the end of its range.
        end = _parse_number(last) if last else greatest if first == "*" or step else begin
        # Such as November to February: the range wraps around the end of the year.
        end += greatest if end < begin else 0
        named.update((number - 1) % greatest + 1 for number in range(begin, end + 1, int(step or 1)))
    return named


def _parse_number(word: str) -> int:
    return int(word) if word.isdecimal() else _MONTHS.index(word) + 1


def is_probably_cron(text: str) -> bool:
    """Return whether a text was meant as a cron expression, valid or not: no name is five words like that."""
    return bool(re.fullmatch(r"[\d*/,a-zA-Z-]+(?:\s+[\d*/,a-zA-Z-]+){3,6}", text)) and any(
        character in text for character in "*0123456789"
    )


def _is_field(field: str, place: int) -> bool:
    return all(_is_part(part, place) for part in field.split(","))


def _is_part(part: str, place: int) -> bool:
    found = _PART_PATTERN.fullmatch(part)
    if found is None or (found[3] is not None and int(found[3]) == 0):
        return False
    parts = [value for value in (found[1], found[2]) if value is not None]
    numbers = [int(value) for value in parts if value.isdecimal()]
    least, greatest = _RANGES[place]
    words = [value.casefold() for value in parts if not value.isdecimal()]
    in_range = all(least <= number <= greatest for number in numbers)
    return in_range and set(words) <= _FIELD_NAMES[place] and numbers == sorted(numbers)
