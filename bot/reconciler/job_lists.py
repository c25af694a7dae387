"""Lists of people's runs: read when somebody asks, so that those launched elsewhere are known too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bot.errors import NotFound
from bot.reconciler.ask import Done, Refused
from bot.reconciler.lists import DISCOVER_SECONDS, settled, slot, waiting_commands, while_active

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.models import Account, Task
    from bot.reconciler.ask import Asker
    from bot.reconciler.lines import Line
    from bot.reconciler.ports import Numbers
    from bot.store.records import NewTask
    from bot.store.store import Store

log = structlog.get_logger(__name__)


class JobLists:
    """Read an account's runs and merge them into what is known."""

    def __init__(self, store: Store, lines: Mapping[str, Line], asker: Asker, numbers: Numbers) -> None:
        self._store = store
        self._lines = lines
        self._asker = asker
        self._numbers = numbers

    async def read(self, task: Task) -> Sequence[NewTask]:
        """Read the list that a task asks for; return the commands that waited for it. Raises Again."""
        account = await self._store.account_by_id(task.subject)
        if account is None or account.state == "revoking":
            return ()
        line = self._lines.get(account.connection)
        able = line is not None and "jobs" in line.provider.capabilities()
        if line is None or not able or account.state != "active":
            return waiting_commands(task, account.principal)
        with slot(line):
            problem = await self._read(task, account, line)
        return waiting_commands(task, account.principal, problem)

    async def _read(self, task: Task, account: Account, line: Line) -> str:
        """Read and merge; return the cause when nothing comes of it, for whoever waits. Raises Again."""
        answer = await self._asker.ask(
            line,
            account,
            "list runs",
            lambda access: while_active(
                self._store, account, line.provider.jobs(access), self._numbers.watch
            ),
            attempts=task.attempts,
            seconds=DISCOVER_SECONDS,
        )
        match settled(answer):
            case Done(found):
                if found is not None:
                    new = await self._store.merge_jobs(account.id, found)
                    log.info(
                        "runs listed", connection=line.name, account=account.id, found=len(found), new=new
                    )
                return ""
            case Refused(error=NotFound()):  # A server without lists of runs.
                return ""
            case Refused(cause=cause):
                return cause
