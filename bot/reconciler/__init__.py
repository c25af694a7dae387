"""The reconciler: the only part of Usher that asks providers to do work.

Why: ``docs/internals/rules.md``, "Only the reconciler asks providers for work".
"""

import math
import random
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

import structlog

from bot.domain.people import Principal
from bot.domain.tasks import Task, TaskKind
from bot.domain.transcript import Board
from bot.reconciler.approvals import Approvals
from bot.reconciler.context import EngineContext
from bot.reconciler.extensions import Extensions
from bot.reconciler.keys import Keys
from bot.reconciler.lists import ListReader
from bot.reconciler.operations import OperationStepper
from bot.reconciler.outages import Outages
from bot.reconciler.pauses import Pauses
from bot.reconciler.people import PeopleTasks
from bot.reconciler.provider_calls import ProviderCaller
from bot.reconciler.reads import Reads
from bot.reconciler.renewals import Renewals
from bot.reconciler.revocations import Revocations
from bot.reconciler.runs import RunStepper
from bot.reconciler.runtimes import Numbers, Observer, PublishHome, Replay, Runtime
from bot.reconciler.scheduled_work import ScheduledWorkRunner
from bot.reconciler.snapshots import Snapshots
from bot.reconciler.streams import Streams
from bot.reconciler.tasks import TaskHandler, TaskRetry, Tasks, TaskWorker
from bot.services.context import Context
from bot.services.courses import CLASS_WORK
from bot.services.due_lessons import LESSON_WORK
from bot.services.due_timers import TIMER_WORK
from bot.services.expiries import EXPIRIES
from bot.services.expiry_reminders import REMINDERS
from bot.services.hours import HOURS_WORK, IDLE_PROMPT_WORK
from bot.services.scheduled_work import ScheduledWork
from bot.services.upgrades import UPGRADE_WORK
from bot.services.usage import WEEKLY_WORK
from bot.services.waitlist import WAITLIST_WORK
from bot.slack.calls import NOT_INSTALLED_CODE
from bot.slack.errors import find_retry_delay
from bot.store import fan_out
from bot.support.errors import SlackFailed

log = structlog.get_logger(__name__)
__all__ = ["Numbers", "Reconciler"]


#: How long to retry publishing a person's Home tab if Slack fails, in seconds.
MAX_HOME_SECONDS: Final = 7 * 86_400.0
#: Kinds of rows that come due at a given time and then run a use case, in the order in which they are
#: processed.
SCHEDULED_WORK: Final[Sequence[ScheduledWork[Any]]] = (
    UPGRADE_WORK,
    CLASS_WORK,
    HOURS_WORK,
    LESSON_WORK,
    TIMER_WORK,
    EXPIRIES,
    REMINDERS,
    IDLE_PROMPT_WORK,
    WAITLIST_WORK,
    WEEKLY_WORK,
)
#: The classes of task workers, which handle background tasks.
WORKERS: Final[Sequence[Callable[[EngineContext], TaskWorker]]] = (
    Snapshots,
    PeopleTasks,
    Revocations,
    Approvals,
    Renewals,
    Extensions,
)


class Reconciler:
    """The controller that moves the actual state towards the requested one: claim, plan, call, write.

    A step returns once everything that it claimed is done or, given a pool, has been started in the pool.
    Nothing that the reconciler keeps in memory has to survive a restart: slots, locks, health and outputs
    belong to this process. It puts the outputs that it follows on the ``board``, from which the notifier
    shows them.
    """

    def __init__(
        self,
        context: Context,
        numbers: Numbers,
        board: Board,
        replay: Replay,
        publish_home: PublishHome,
        observer: Observer,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        runtimes = {
            name: Runtime(name, provider, context.clock, jitter, observer)
            for name, provider in context.connections.items()
        }
        keys = Keys(context)
        provider_caller = ProviderCaller(context.store, keys, numbers, jitter, context.clock.monotonic)
        engine = EngineContext.extend(
            context,
            runtimes=runtimes,
            keys=keys,
            provider_caller=provider_caller,
            numbers=numbers,
            jitter=jitter,
            board=board,
        )
        self.engine = engine
        self.lists = ListReader(engine)
        self.outages = Outages(engine)
        self._pauses = Pauses(engine)
        workers: list[TaskWorker] = [self.lists, *(make(engine) for make in WORKERS)]
        handlers = {kind: work for worker in workers for kind, work in worker.list_handlers().items()}
        self._replay = replay
        handlers[TaskKind.REPLAY] = TaskHandler(do=self._replay_command, tries=3)
        self._publish = publish_home
        handlers[TaskKind.HOME] = TaskHandler(do=self._publish_home, tries=math.inf)
        handlers[TaskKind.FAN_OUT] = TaskHandler(
            do=lambda task: engine.store.perform(fan_out.finish_fan_out, task), tries=math.inf
        )
        self.tasks = Tasks(engine, handlers)
        # The step method of each of these two returns the number of items that it found.
        self.operations, self.runs = OperationStepper(engine), RunStepper(engine)
        self.reads = Reads(engine)
        self.streams = Streams(engine)
        self.scheduled_work = ScheduledWorkRunner(context, SCHEDULED_WORK)

    async def _replay_command(self, task: Task) -> None:
        principal = Principal.from_key(str(task.payload["principal"]))
        # The task's id tells a retry of this command from a second, identical command.
        await self._replay(principal, {**task.payload["command"], "task": task.id})

    async def _publish_home(self, task: Task) -> None:
        try:
            await self._publish(Principal.from_key(task.subject), task.payload["shown"])
        except SlackFailed as error:
            seconds = find_retry_delay(error, 0.0)
            is_over = await self.engine.store.now() - task.created_at > MAX_HOME_SECONDS
            if seconds is None or error.code == NOT_INSTALLED_CODE or is_over:
                log.info("home not published", principal=task.subject, problem=error.code)
                return
            raise TaskRetry(seconds) from None

    async def step_outages(self, due: Collection[str] = ("outages",)) -> int:
        """Apply the stored pauses and report outages; return the number of changes.

        Only rows that are due are read.
        """
        if "outages" in due:
            await self._pauses.step()
        return await self.outages.step(reads="outages" in due)
