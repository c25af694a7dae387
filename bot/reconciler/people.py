"""Tasks about people: looking them up in Slack, and ending the links of people who have left."""

from collections.abc import Sequence
from typing import Final

import structlog

from bot.domain.people import Person, Principal
from bot.domain.policy import find_flaw
from bot.domain.tasks import Task, TaskKind
from bot.reconciler.context import EngineContext
from bot.reconciler.tasks import TaskBusy, ask_slack, build_replays, make_task_retry
from bot.services.caller import Caller
from bot.services.departures import Progress, advance, end_departed, is_leaver
from bot.slack.errors import is_about_person
from bot.store import accounts, maintenance
from bot.store.tasks import NewTask
from bot.support.errors import SlackFailed

log = structlog.get_logger(__name__)

#: Interval, in seconds, at which to check whether a departed person's workspaces are down.
LEAVER_CHECK_SECONDS: Final = 5.0


async def look_up(engine: EngineContext, task: Task) -> Sequence[NewTask]:
    """Look up a person in Slack, and return tasks that run the commands waiting for the answer.

    Raise TaskRetry if Slack doesn't respond.
    """
    principal = Principal.from_key(task.subject)
    try:
        await engine.people.look_up(principal)
    except SlackFailed as error:
        if not is_about_person(error):
            raise make_task_retry(error) from None
        # Slack responded, but didn't describe this person. The replies to the waiting commands say so.
        log.info("person not described", principal=principal.key, problem=error.code)
    return build_replays(task, principal)


async def release(engine: EngineContext, task: Task) -> None:
    """Stop a leaver's workspaces as planned, then end their links. Raise TaskBusy until all of it is done.

    The person is looked up in Slack again before each of these steps. If they have come back, nothing more is
    stopped or ended.
    """
    leaver = Principal.from_key(task.subject)
    caller = Caller(engine, leaver)
    progress = await caller.run(advance, task)
    if progress is Progress.UNCONFIRMED:
        person = await _look_again(engine, leaver)
        if person is not None and not is_leaver(person):
            log.info("back again", principal=leaver.key)
            return
        cause = (person and find_flaw(person)) or str(task.payload["cause"])
        progress = await caller.run(advance, task, confirmed=cause)
    if progress is not Progress.ENDED:
        raise TaskBusy(LEAVER_CHECK_SECONDS)
    log.info("links ended", principal=leaver.key)


async def _look_again(engine: EngineContext, principal: Principal) -> Person | None:
    """Return the person as Slack describes them now, or as stored if Slack no longer knows them."""
    try:
        return await engine.people.look_up(principal)
    except SlackFailed as error:
        if not is_about_person(error):
            raise make_task_retry(error) from None
        return await engine.store.person(principal)


async def sync(engine: EngineContext, _task: Task) -> None:
    """Read everyone from Slack again, and end leavers' links. Raise TaskRetry if Slack doesn't respond."""
    leavers = {
        person.principal: person for person in await ask_slack(engine.people.sync()) if is_leaver(person)
    }
    resolve = engine.installation.resolve_principal
    async for holders in accounts.find_holders(engine.store.engine):
        for principal in leavers.keys() & {resolve(holder) for holder in holders}:
            # Reading everyone from Slack takes a while, so this person may have returned in the meantime.
            person = await _look_again(engine, principal)
            leaver = leavers.pop(principal)
            ended = await Caller(engine, principal).run(end_departed, person or leaver, actor="usher")
            if ended:
                log.info("links ended", principal=principal.key, count=len(ended))
    await engine.store.write(maintenance.note_daily_work, TaskKind.SYNC_PEOPLE)
