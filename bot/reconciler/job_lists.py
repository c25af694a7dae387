"""Lists of people's runs: read when somebody asks, so that those launched elsewhere are known too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bot.errors import (
    CredentialRefused,
    NotFound,
    PermanentError,
    ProviderError,
    RateLimited,
    SecretError,
    TemporaryError,
)
from bot.reconciler.lines import LISTS_SHARE
from bot.reconciler.lists import LISTS, Again, waiting_commands, while_active

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.models import Account, Task
    from bot.reconciler.keys import Keys
    from bot.reconciler.lines import Line
    from bot.reconciler.ports import Numbers
    from bot.store.base import NewTask, Store

log = structlog.get_logger(__name__)


class JobLists:
    """Read an account's runs and merge them into what is known."""

    def __init__(self, store: Store, lines: Mapping[str, Line], keys: Keys, numbers: Numbers) -> None:
        self._store = store
        self._lines = lines
        self._keys = keys
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
        if line.health.pause > 0:
            raise Again(line.health.pause)
        if line.is_probed or not line.slots.take_for(LISTS, LISTS_SHARE):
            raise Again(1.0)
        try:
            await self._read(account, line)
        finally:
            line.slots.give_from(LISTS)
        return waiting_commands(task, account.principal)

    async def _read(self, account: Account, line: Line) -> None:
        """Read and merge; what cannot be read for good leaves what is known as it is. Raises Again."""
        try:
            listing = line.provider.jobs(self._keys.open(account))
            found = await while_active(self._store, account, listing, self._numbers.watch)
        except CredentialRefused as error:
            line.health.worked(error)
            if await self._keys.refused(account, line) == "refused":
                return
            raise Again(0.0) from None
        except TemporaryError as error:
            if isinstance(error, RateLimited):
                line.health.worked(error)
            else:
                line.health.failed(error)
            raise Again(error.retry_after or 0.0) from None
        except (NotFound, PermanentError, SecretError) as error:
            if isinstance(error, ProviderError):
                line.health.worked(error)
            log.warning("runs not listed", connection=line.name, problem=type(error).__name__)
            return
        line.health.worked()
        self._keys.worked(account)
        if found is not None:
            new = await self._store.merge_jobs(account.id, found)
            log.info("runs listed", connection=line.name, account=account.id, found=len(found), new=new)
