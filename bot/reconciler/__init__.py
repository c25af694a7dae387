"""The reconciler: the only part of Usher that asks providers to do work (``docs/internals/rules.md``)."""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from functools import partial
from typing import Any, Final

import structlog

from bot.domain.people import Principal
from bot.domain.tasks import Task, TaskKind
from bot.domain.transcript import Board
from bot.reconciler import approvals, extensions, lists, people, renewals, revocations, snapshots
from bot.reconciler.context import EngineContext
from bot.reconciler.keys import Keys
from bot.reconciler.operations import OperationStepper
from bot.reconciler.outages import Outages
from bot.reconciler.provider_calls import ProviderCaller
from bot.reconciler.reads import Reads
from bot.reconciler.runs import RunStepper
from bot.reconciler.runtimes import Numbers, Observer, PublishHome, Replay, Runtime
from bot.reconciler.scheduled_work import ScheduledWorkRunner
from bot.reconciler.streams import Streams
from bot.reconciler.tasks import TaskHandler, TaskRetry, Tasks, find_holder
from bot.services.approvals import ask_owners, follow_up
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


#: How long, in seconds, Usher keeps trying to publish a Home tab while Slack is failing.
MAX_HOME_SECONDS: Final = 7 * 86_400.0
#: Kinds of rows that become due at a set time, in processing order. Each due row triggers a use case.
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


async def _replay_command(replay: Replay, _engine: EngineContext, task: Task) -> None:
    principal = Principal.from_key(str(task.payload["principal"]))
    # The task's id tells a retry of this command from a second, identical command that somebody gave.
    await replay(principal, {**task.payload["command"], "task": task.id})


async def _publish_home(publish: PublishHome, engine: EngineContext, task: Task) -> None:
    try:
        await publish(Principal.from_key(task.subject), task.payload.get("shown", {}))
    except SlackFailed as error:
        seconds = find_retry_delay(error, 0.0)
        is_over = await engine.store.now() - task.created_at > MAX_HOME_SECONDS
        if seconds is None or error.code == NOT_INSTALLED_CODE or is_over:
            log.info("home not published", principal=task.subject, problem=error.code)
            return
        raise TaskRetry(seconds) from None


#: Maps each kind of background task to its handler. ``Reconciler`` adds handlers for two more kinds, which
#: replay a deferred command or publish a Home tab.
TASK_HANDLERS: Final[Mapping[TaskKind, TaskHandler]] = {
    TaskKind.DISCOVER: TaskHandler(do=lists.read, person=find_holder),
    TaskKind.LIST_RUNS: TaskHandler(do=lists.read, person=find_holder),
    TaskKind.SNAPSHOT: TaskHandler(do=snapshots.read, person=find_holder),
    TaskKind.LOOK_UP_PERSON: TaskHandler(do=people.look_up),
    TaskKind.SYNC_PEOPLE: TaskHandler(do=people.sync),
    TaskKind.OFFBOARD: TaskHandler(do=people.release, tries=math.inf),
    TaskKind.REVOKE_CREDENTIAL: TaskHandler(do=revocations.revoke, tries=math.inf),
    TaskKind.REVOKE_UNUSED: TaskHandler(do=revocations.enqueue_unused),
    TaskKind.APPROVE: TaskHandler(
        do=approvals.link,
        person=approvals.find_requester,
        verb="link",
        give_up=approvals.give_up,
        refuse=lambda engine, task, _rule: approvals.give_up(engine, task, "not_allowed"),
    ),
    TaskKind.LOOK_UP_USER: TaskHandler(do=approvals.look_up, person=approvals.find_requester),
    TaskKind.ASK_ACCOUNT_OWNERS: TaskHandler(
        do=lambda engine, task: engine.store.carry_out(lambda tx: ask_owners(tx, engine, task.subject))
    ),
    TaskKind.FOLLOW_UP: TaskHandler(
        do=lambda engine, task: engine.store.carry_out(lambda tx: follow_up(tx, engine, task.subject))
    ),
    TaskKind.RENEW_CREDENTIAL: TaskHandler(do=renewals.renew, person=find_holder, give_up=renewals.give_up),
    TaskKind.EXTEND: TaskHandler(
        do=extensions.extend,
        person=find_holder,
        verb="start",
        give_up=lambda engine, task: extensions.note_result(engine, task, None, "gave_up"),
        refuse=lambda engine, task, rule: extensions.note_result(engine, task, None, rule),
    ),
    TaskKind.FAN_OUT: TaskHandler(
        do=lambda engine, task: engine.store.perform(fan_out.finish_fan_out, task), tries=math.inf
    ),
}


class Reconciler:
    """Brings the actual state closer to the requested one: claims due work, plans, calls providers and saves.

    A step returns once everything that it claimed has been done. If it is given a pool, it returns once
    everything has been started there. Slots, locks, health and outputs are kept in this process's memory and
    needn't survive a restart. The output of watched runs goes to the ``board``, from which the notifier reads
    it.
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
        engine = EngineContext(
            **{field.name: getattr(context, field.name) for field in fields(Context)},
            runtimes=runtimes,
            provider_caller=provider_caller,
            numbers=numbers,
            board=board,
        )
        self.engine = engine
        self.outages = Outages(engine, keys)
        upper = {
            TaskKind.REPLAY: TaskHandler(do=partial(_replay_command, replay), tries=3),
            TaskKind.HOME: TaskHandler(do=partial(_publish_home, publish_home), tries=math.inf),
        }
        self.tasks = Tasks(engine, {**TASK_HANDLERS, **upper})
        self.operations, self.runs = OperationStepper(engine), RunStepper(engine)
        self.reads = Reads(engine)
        self.streams = Streams(engine)
        self.scheduled_work = ScheduledWorkRunner(context, SCHEDULED_WORK)
