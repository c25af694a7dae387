"""Background tasks: the reconciler's work other than operations and runs. Each kind has a handler."""

from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

import structlog

from bot.domain.people import Principal
from bot.domain.policy import is_current
from bot.domain.tasks import Task, TaskKind
from bot.reconciler.call_results import CallResult, OutcomeUnknown, Rejected, RetryLater, Succeeded
from bot.reconciler.context import EngineContext, EnginePart
from bot.reconciler.provider_calls import KEYS_CAUSE, RATE_LIMITED_CAUSE, REFUSED_SIGN_IN_CAUSES
from bot.reconciler.runtimes import LISTS_SHARE, Runtime
from bot.services.caller import decide_installed
from bot.store import accounts
from bot.store import tasks as task_rows
from bot.store.tasks import NewTask
from bot.support.errors import SlackFailed, SlackLimited, StoreError
from bot.support.pool import Pool, contain_errors, count_free_slots, run_all

log = structlog.get_logger(__name__)
_T = TypeVar("_T")


#: Maximum number of attempts at a task, unless its handler sets another limit. The waits between attempts
#: grow.
MAX_TASK_ATTEMPTS: Final = 10
#: Until a task is this many seconds old, postponing it (``TaskBusy``) doesn't count as an attempt. Postponing
#: it for lack of an encryption key never counts.
MAX_BUSY_SECONDS = 900.0
#: If a list can't be read for more than this many seconds, the people who are waiting for it are told why.
MAX_SILENT_WAIT_SECONDS = 5.0

#: Holder of the request slots for all reads of a connection's lists, so that they share one limit. Other
#: holders are people's keys, none of which is this word.
LISTS_HOLDER = "lists"


class TaskRetry(Exception):
    """Raised to retry a task after some time.

    ``problem`` is the cause (a key in ``bot.messages.texts.problems``), or "" if nothing went wrong.
    """

    def __init__(self, seconds: float, problem: str = "") -> None:
        super().__init__(seconds)
        self.seconds = seconds
        self.problem = problem


class TaskBusy(TaskRetry):
    """Raised to retry a task that couldn't be tried yet. This doesn't count as a failure."""


@contextmanager
def hold_slot(runtime: Runtime) -> Iterator[None]:
    """Hold one of a connection's slots for a list or similar read. Raise TaskRetry if none is free."""
    if runtime.health.pause > 0:
        # If the provider requested a pause, the task hasn't failed. If the connection isn't responding, it
        # has.
        if runtime.health.since is None:
            raise TaskBusy(runtime.health.pause, RATE_LIMITED_CAUSE)
        raise TaskRetry(runtime.health.pause, "unreachable")
    if runtime.is_probed or not runtime.slots.take_share(LISTS_HOLDER, LISTS_SHARE):
        raise TaskBusy(1.0)
    try:
        yield
    finally:
        runtime.slots.give_share(LISTS_HOLDER)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskHandler:
    """The handler for one kind of task.

    ``do`` performs the task and returns any follow-up tasks, or None. If it raises TaskRetry, it is called
    again later. ``person`` returns the person for whom a provider is called, and the policy must allow that
    person ``verb``. ``give_up`` is called after the last of ``tries`` attempts. ``refuse`` is called with the
    policy rule that refused the person.
    """

    do: Callable[[EngineContext, Task], Coroutine[Any, Any, Sequence[NewTask] | None]]
    person: Callable[[EngineContext, Task], Coroutine[Any, Any, Principal | None]] | None = None
    verb: str = "list"
    give_up: Callable[[EngineContext, Task], Coroutine[Any, Any, None]] | None = None
    refuse: Callable[[EngineContext, Task, str], Coroutine[Any, Any, None]] | None = None
    tries: float = MAX_TASK_ATTEMPTS


async def find_holder(engine: EngineContext, task: Task) -> Principal | None:
    """Return the owner of the account that a task is about, or None if the account was unlinked."""
    account = await engine.store.read(accounts.find_account_by_id, task.subject.partition("/")[0])
    return account.principal if account is not None else None


class Tasks(EnginePart):
    """Runs tasks that are due. A failing task is retried a limited number of times."""

    def __init__(self, engine: EngineContext, handlers: Mapping[TaskKind, TaskHandler]) -> None:
        super().__init__(engine)
        self.handlers = dict(handlers)

    async def step(self, pool: Pool | None = None) -> int:
        """Claim the due tasks and run them concurrently. Return how many there were."""
        limit = count_free_slots(pool, self._numbers.batch)
        if limit <= 0:
            return 0
        tasks = await self._store.claim(
            task_rows.claim_tasks, limit, self._numbers.lease, self._owners.name, self.handlers
        )
        await run_all([self._isolate_errors(task) for task in tasks], pool, is_full=len(tasks) >= limit)
        return len(tasks)

    async def _isolate_errors(self, task: Task) -> None:
        # Running a task again from the beginning is harmless.
        back = partial(self._store.write, task_rows.retry_task, task, 0.0, counts=False)
        async with contain_errors("task", self._ids, back=back, task=task.id):
            await self._process(task)

    async def _process(self, task: Task) -> None:
        handler = self.handlers[task.kind]
        wait, counts, problem = self._provider_caller.compute_backoff(task.attempts + 1), True, "internal"
        is_late = False
        try:
            then = await self._run_handler(task, handler)
        except TaskRetry as again:
            wait, problem = max(wait, again.seconds), again.problem
            is_late = await self._store.now() - task.created_at > MAX_BUSY_SECONDS
            counts = not isinstance(again, TaskBusy) or (is_late and problem != KEYS_CAUSE)
        except StoreError:
            raise
        except Exception:  # docs/internals/rules.md, "Where errors end"
            reference = self._ids.reference()
            log.exception("task failed", task=task.id, kind=str(task.kind), reference=reference)
        else:
            await self._store.write(task_rows.finish_task, task, then=then)
            return
        if not counts or task.attempts + 1 < handler.tries:
            # The task will be retried. If that takes long, people whose commands are waiting for it are told
            # why.
            waited = await self._store.now() + wait - task.created_at
            is_told = counts or is_late or problem == RATE_LIMITED_CAUSE
            hears_of_it = problem and is_told and waited > MAX_SILENT_WAIT_SECONDS
            waiting = build_replays(task, problem=problem) if hears_of_it else []
            await self._store.write(task_rows.retry_task, task, wait, counts=counts, then=waiting)
            return
        log.warning("task given up", task=task.id, kind=str(task.kind))
        if handler.give_up is not None:
            await handler.give_up(self._context, task)
        # The commands that were waiting for a list are run without it, and their answers say what is missing.
        await self._store.write(
            task_rows.finish_task, task, then=build_replays(task, problem=problem or "busy")
        )

    async def _run_handler(self, task: Task, handler: TaskHandler) -> Sequence[NewTask]:
        because = await self._find_refusing_rule(task, handler)
        if not because:
            return await handler.do(self._context, task) or ()
        log.info("not done for this person", kind=str(task.kind), rule=because)
        if handler.refuse is not None:
            await handler.refuse(self._context, task, because)
        # The waiting commands are run anyway, and their answers say why the task wasn't done.
        return build_replays(task)

    async def _find_refusing_rule(self, task: Task, handler: TaskHandler) -> str:
        """Return the policy rule that forbids calling a provider for this person, or "" if it is allowed."""
        owner = None if handler.person is None else await handler.person(self._context, task)
        if owner is None:
            return ""
        person = await self._store.person(owner)
        if not is_current(person, handler.verb, await self._store.now()):
            person = await ask_slack(self._context.people.look_up(owner))
        decision = await decide_installed(self._context, owner, handler.verb, None, person)
        return "" if decision.allowed else decision.rule


async def ask_slack(asking: Coroutine[Any, Any, _T]) -> _T:
    """Return Slack's response. Raise TaskRetry if the call failed."""
    try:
        return await asking
    except SlackFailed as error:
        raise make_task_retry(error) from None


def make_task_retry(error: SlackFailed) -> TaskRetry:
    """Return the TaskRetry for a task whose call to Slack failed."""
    if isinstance(error, SlackLimited):
        return TaskBusy(error.retry_after)
    log.info("people not read", problem=str(error))
    return TaskRetry(0.0)


def require_result(answer: CallResult[_T]) -> Succeeded[_T] | Rejected:
    """Return a call's result if it can end the task, otherwise raise TaskRetry.

    If the provider refuses the connection's own secret, the task is retried, because the person can't do
    anything about it.
    """
    if isinstance(answer, (RetryLater, OutcomeUnknown)):
        raise to_task_retry(answer)
    if isinstance(answer, Rejected) and answer.cause == "connection_refused":
        raise TaskRetry(0.0, answer.cause)
    return answer


def to_task_retry(answer: RetryLater | OutcomeUnknown) -> TaskRetry:
    """Return the TaskRetry for a call's result. Rate limits and refused sign-ins don't count as failures."""
    is_busy = answer.cause in {KEYS_CAUSE, RATE_LIMITED_CAUSE, *REFUSED_SIGN_IN_CAUSES}
    return (TaskBusy if is_busy else TaskRetry)(answer.wait, answer.cause)


def build_replays(task: Task, principal: Principal | None = None, problem: str = "") -> list[NewTask]:
    """Return a task for each command that was waiting for this task. Each new task has a unique subject.

    They run as ``principal``, the owner of the task's account. If that is None, each runs as the person who
    gave the command. ``problem`` is the cause if the task failed.
    """
    return [
        NewTask(
            TaskKind.REPLAY,
            f"{task.id}/{task.due_at:.3f}.{number}",
            {
                "principal": principal.key if principal else waiting["principal"],
                # If the reads for a command had several problems, the first one is reported.
                "command": {"problem": problem, **waiting} if problem else waiting,
            },
        )
        for number, waiting in enumerate(task.payload.get("then") or [])
    ]
