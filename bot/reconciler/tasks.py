"""Tasks: the reconciler's work that isn't an operation, whatever it is; who does a kind of them says how."""

from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol, TypeVar

import structlog

from bot.domain.people import Principal
from bot.domain.plan import backoff
from bot.domain.policy import is_current
from bot.domain.tasks import Task, TaskKind
from bot.reconciler.context import EngineContext, EnginePart
from bot.reconciler.provider_calls import (
    HELD,
    LIMITED,
    CallResult,
    OutcomeUnknown,
    Rejected,
    RetryLater,
    Succeeded,
)
from bot.reconciler.runtimes import LISTS_SHARE, Runtime
from bot.services.caller import decided
from bot.store import accounts
from bot.store import tasks as task_rows
from bot.store.tasks import NewTask
from bot.support.errors import SlackFailed, SlackLimited, StoreError
from bot.support.pool import Pool, contained, pool_room, run_all

log = structlog.get_logger(__name__)
_Found = TypeVar("_Found")


#: How often a failing task is tried, with growing waits, unless its kind says otherwise.
TRIES: Final = 10
#: For this long after its creation, times when nothing could be tried don't count towards a task's attempts.
BUSY_FOR = 900.0
#: Nobody waits longer than this for something that can't be read without being told why.
PATIENCE = 5.0

#: All lists of a connection share its slots under this name; no principal's key looks like it.
LISTS = "lists"


class Again(Exception):
    """Request that a task be retried after some seconds.

    ``problem`` is the cause (``bot.messages.texts.problems``), "" if nothing went wrong.
    """

    def __init__(self, seconds: float, problem: str = "") -> None:
        super().__init__(seconds)
        self.seconds = seconds
        self.problem = problem


class Busy(Again):
    """Request a retry because nothing could be tried now, which doesn't count as a failure."""


@contextmanager
def slot(runtime: Runtime) -> Iterator[None]:
    """Hold one of the connection's slots for lists and similar reads. Raise Again if none is free."""
    if runtime.health.pause > 0:
        # A requested pause isn't the task's failure; a connection that is down is.
        if runtime.health.since is None:
            raise Busy(runtime.health.pause, LIMITED)
        raise Again(runtime.health.pause, "unreachable")
    if runtime.is_probed or not runtime.slots.take_for(LISTS, LISTS_SHARE):
        raise Busy(1.0)
    try:
        yield
    finally:
        runtime.slots.give_from(LISTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Say how a kind of task is done.

    ``do`` returns the tasks that follow, or None, and raises Again to be repeated. ``person`` is for whom a
    provider is asked, ``verb`` what the policy is asked about them. ``give_up`` follows the last of ``tries``
    attempts, ``refuse`` the policy's refusal, with the rule.
    """

    do: Callable[[Task], Awaitable[Sequence[NewTask] | None]]
    person: Callable[[Task], Awaitable[Principal | None]] | None = None
    verb: str = "list"
    give_up: Callable[[Task], Awaitable[None]] | None = None
    refuse: Callable[[Task, str], Awaitable[None]] | None = None
    tries: float = TRIES


class BaseTaskWorker(EnginePart):
    """Hold what those who do tasks use of the engine's context."""

    async def _holder(self, task: Task) -> Principal | None:
        """Return whose account a task's subject begins with."""
        account = await self._store.read(accounts.account_by_id, task.subject.partition("/")[0])
        return account.principal if account is not None else None


class TaskWorker(Protocol):
    """Does tasks of some kinds."""

    def works(self) -> Mapping[TaskKind, Work]:
        """Return the work of each kind."""
        ...


class Tasks(EnginePart):
    """Do due tasks; a failing task is retried a limited number of times."""

    def __init__(self, engine: EngineContext, works: Mapping[TaskKind, Work]) -> None:
        super().__init__(engine)
        #: How each kind is done.
        self.works = works
        self._people = engine.people
        self._jitter = engine.jitter

    async def step(self, pool: Pool | None = None) -> int:
        """Claim what is due and do it all concurrently; return how many there were."""
        most = pool_room(pool, self._numbers.batch)
        if most <= 0:
            return 0
        tasks = await self._store.claim(
            task_rows.claim_tasks, most, self._numbers.lease, self._owners.name, self.works
        )
        await run_all([self._guarded(task) for task in tasks], pool)
        return len(tasks)

    async def _guarded(self, task: Task) -> None:
        # Doing it again from the beginning does no harm.
        back = partial(self._store.write, task_rows.task_retry, task, 0.0, counts=False)
        async with contained("task", self._ids, back=back, task=task.id):
            await self._one(task)

    async def _one(self, task: Task) -> None:
        work = self.works[task.kind]
        wait, counts, problem = backoff(task.attempts + 1, self._jitter()), True, "internal"
        try:
            then = await self._do(task, work)
        except Again as again:
            wait, problem = max(wait, again.seconds), again.problem
            is_late = await self._store.now() - task.created_at > BUSY_FOR
            counts = is_late or not isinstance(again, Busy)
        except StoreError:
            raise
        except Exception:  # docs/internals/rules.md, "Where errors end"
            reference = self._ids.reference()
            log.exception("task failed", task=task.id, kind=str(task.kind), reference=reference)
        else:
            await self._store.write(task_rows.task_done, task, then=then)
            return
        if not counts or task.attempts + 1 < work.tries:
            # The task is retried; people waiting for it are told of the failure once it takes too long.
            waited = await self._store.now() + wait - task.created_at
            hears_of_it = problem and (counts or problem == LIMITED) and waited > PATIENCE
            waiting = waiting_commands(task, problem=problem) if hears_of_it else []
            await self._store.write(task_rows.task_retry, task, wait, counts=counts, then=waiting)
            return
        log.warning("task given up", task=task.id, kind=str(task.kind))
        if work.give_up is not None:
            await work.give_up(task)
        # Commands waiting for a list run without it: their answer says what is missing.
        await self._store.write(
            task_rows.task_done, task, then=waiting_commands(task, problem=problem or "busy")
        )

    async def _do(self, task: Task, work: Work) -> Sequence[NewTask]:
        because = await self._refusal(task, work)
        if not because:
            return await work.do(task) or ()
        log.info("not done for this person", kind=str(task.kind), rule=because)
        if work.refuse is not None:
            await work.refuse(task, because)
        # Waiting commands run anyway: their answer says why it wasn't done.
        return waiting_commands(task)

    async def _refusal(self, task: Task, work: Work) -> str:
        """Return the policy rule that forbids asking a provider for this person, or "".

        Raise Again while Slack doesn't say who they are.
        """
        owner = None if work.person is None else await work.person(task)
        if owner is None:
            return ""
        person = await self._store.person(owner)
        if not is_current(person, work.verb, await self._store.now()):
            person = await asked_of_slack(self._people.look_up(owner))
        decision = await decided(self._context, owner, work.verb, None, person)
        return "" if decision.allowed else decision.rule


async def asked_of_slack(asking: Coroutine[Any, Any, _Found]) -> _Found:
    """Return what Slack says; raise Again while it doesn't."""
    try:
        return await asking
    except SlackLimited as error:
        raise Busy(error.retry_after) from None
    except SlackFailed as error:
        log.info("people not read", problem=str(error))
        raise Again(0.0) from None


def settled(answer: CallResult[_Found]) -> Succeeded[_Found] | Rejected:
    """Return an answer that a task can end with; raise Again for any other.

    A refusal of the connection's own secret isn't the person's to fix, so the task keeps waiting.
    """
    if isinstance(answer, (RetryLater, OutcomeUnknown)):
        raise not_yet(answer)
    if isinstance(answer, Rejected) and answer.cause == "connection_refused":
        raise Again(0.0, answer.cause)
    return answer


def not_yet(answer: RetryLater | OutcomeUnknown) -> Again:
    """Return how to retry a task that wasn't done; what limits or holds everything isn't its own failure."""
    return (Busy if answer.cause in {LIMITED, *HELD} else Again)(answer.wait, answer.cause)


def waiting_commands(task: Task, principal: Principal | None = None, problem: str = "") -> list[NewTask]:
    """Return the commands that waited for a task as tasks of their own; the subject makes each one unique.

    They run as ``principal``, the owner of the task's account, or as whoever gave them. ``problem`` is the
    cause if what they waited for failed.
    """
    return [
        NewTask(
            TaskKind.REPLAY,
            f"{task.id}/{task.due_at:.3f}.{number}",
            {
                "principal": principal.key if principal else waiting["principal"],
                # The first problem is the one that is reported.
                "command": {"problem": problem, **waiting} if problem else waiting,
            },
        )
        for number, waiting in enumerate(task.payload.get("then") or [])
    ]
