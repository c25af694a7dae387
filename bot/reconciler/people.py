"""People: who Slack says that they are, learned in the background."""

import math
from collections.abc import Sequence
from typing import Final

import structlog

from bot.domain.people import Principal
from bot.domain.tasks import Task, TaskKind
from bot.reconciler.context import EngineContext
from bot.reconciler.tasks import BaseTaskWorker, Busy, Work, asked_of_slack, waiting_commands
from bot.services.caller import Caller
from bot.services.departures import advance, is_leaver, let_go
from bot.store import accounts, maintenance
from bot.store.tasks import NewTask

log = structlog.get_logger(__name__)

#: How often it is looked whether what a leaver's plans were to stop is down, in seconds.
LEAVER_INTERVAL: Final = 5.0


class PeopleTasks(BaseTaskWorker):
    """Look people up, and end the links of those who have left."""

    def __init__(self, engine: EngineContext) -> None:
        super().__init__(engine)
        self._people = engine.people

    def works(self) -> dict[TaskKind, Work]:
        """Return how people are looked up."""
        return {
            TaskKind.LOOK_UP_PERSON: Work(do=self._look_up),
            TaskKind.SYNC_PEOPLE: Work(do=self._sync),
            TaskKind.LEAVER: Work(do=self._release, tries=math.inf),
        }

    async def _look_up(self, task: Task) -> Sequence[NewTask]:
        principal = Principal.from_key(task.subject)
        await asked_of_slack(self._people.look_up(principal))
        return waiting_commands(task, principal)

    async def _release(self, task: Task) -> None:
        """Carry out a leaver's planned stops, then end their links; raise Busy until that is done."""
        who = Principal.from_key(task.subject)
        if not await Caller(self._context, who).run(advance, task):
            raise Busy(LEAVER_INTERVAL)
        log.info("links ended", principal=who.key)

    async def _sync(self, _task: Task) -> None:
        leavers = {
            person.principal: person
            for person in await asked_of_slack(self._people.sync())
            if is_leaver(person)
        }
        resolve = self._context.installation.resolve_principal
        async for holders in accounts.find_holders(self._store.engine):
            for principal in leavers.keys() & {resolve(one) for one in holders}:
                ended = await Caller(self._context, principal).run(
                    let_go, leavers.pop(principal), actor="usher"
                )
                if ended:
                    log.info("links ended", principal=principal.key, count=len(ended))
        await self._store.write(maintenance.did_daily, TaskKind.SYNC_PEOPLE)
