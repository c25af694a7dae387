"""What providers offer and tell of themselves: read in the background, for forms and for administrators."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

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
from bot.models import Snapshot
from bot.reconciler.lines import LISTS_SHARE
from bot.reconciler.lists import LISTS, Again, waiting_commands, while_active
from bot.words import problems

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping, Sequence

    from bot.models import Account, Principal, Task
    from bot.providers.base import About
    from bot.reconciler.keys import Keys
    from bot.reconciler.lines import Line
    from bot.reconciler.ports import Numbers
    from bot.store.base import NewTask, Store

log = structlog.get_logger(__name__)

#: How the subject of a task about a server itself begins; that of another is ``ACCOUNT/KIND``.
_CONNECTION: Final = "connection:"


class Snapshots:
    """Read what forms are made from with people's accounts, and what servers tell of themselves with ours."""

    def __init__(self, store: Store, lines: Mapping[str, Line], keys: Keys, numbers: Numbers) -> None:
        self._store = store
        self._lines = lines
        self._keys = keys
        self._numbers = numbers

    async def read(self, task: Task) -> Sequence[NewTask]:
        """Read what a task names and keep it; return the commands that waited for it. Raises Again."""
        owner, _, kind = task.subject.rpartition("/")
        account: Account | None = None
        connection = owner.removeprefix(_CONNECTION)
        if not owner.startswith(_CONNECTION):
            account = await self._store.account_by_id(owner)
            if account is None or account.state == "revoking":
                return ()
            if account.state == "refused":
                return waiting_commands(task, account.principal, "credential_refused")
            connection = account.connection
        line = self._lines.get(connection)
        if line is None:
            return waiting_commands(task, _person(account), "connection_gone")
        if line.health.pause > 0:
            raise Again(line.health.pause)
        if line.is_probed or not line.slots.take_for(LISTS, LISTS_SHARE):
            raise Again(1.0)
        try:
            problem = await self._read(line, account, kind)
        finally:
            line.slots.give_from(LISTS)
        return waiting_commands(task, _person(account), problem)

    async def _read(self, line: Line, account: Account | None, kind: str) -> str:
        """Read and keep it; return the cause when nothing comes of it, for whoever waits. Raises Again."""
        try:
            payload = await self._ask(line, account, kind)
        except NotImplementedError:
            return "not_found" if account is not None else "no_about"
        except CredentialRefused as error:
            line.health.worked(error)
            if account is None:
                self._keys.locked_out(line.name)
                return "connection_refused"
            became = await self._keys.refused(account, line)
            if self._keys.hold(account, became, line.title) is None:
                raise Again(0.0) from None  # There is another one now, or may be soon.
            return "credential_refused" if became == "refused" else "connection_refused"
        except TemporaryError as error:
            self._failed(line, error)
            raise Again(error.retry_after or 0.0) from None
        except (PermanentError, SecretError) as error:
            if isinstance(error, ProviderError):
                line.health.worked(error)
            log.warning("snapshot refused", connection=line.name, kind=kind, problem=type(error).__name__)
            return problems.cause_of(error)
        line.health.worked()
        if payload is not None:
            owner = account.id if account is not None else ""
            now = await self._store.now()
            await self._store.save_snapshot(Snapshot(line.name, owner, kind, payload, now))
            log.info("snapshot read", connection=line.name, kind=kind)
        return ""

    async def _ask(self, line: Line, account: Account | None, kind: str) -> Any:
        if account is None:
            return _as_json(await self._bounded(line.provider.about()))
        if kind != "templates":
            raise NotFound(f"nothing called {kind}")
        access = self._keys.open(account)
        payload = await while_active(
            self._store, account, line.provider.templates(access), self._numbers.watch
        )
        self._keys.worked(account)
        return payload

    async def _bounded(self, asking: Coroutine[Any, Any, About]) -> About:
        try:
            async with asyncio.timeout(self._numbers.call_seconds):
                return await asking
        except TimeoutError:
            raise TemporaryError("it took too long") from None

    @staticmethod
    def _failed(line: Line, error: TemporaryError) -> None:
        if isinstance(error, RateLimited):
            line.health.worked(error)
        else:
            line.health.failed(error)


def _person(account: Account | None) -> Principal | None:
    return account.principal if account is not None else None


def _as_json(about: About) -> dict[str, Any]:
    return {
        "facts": [list(fact) for fact in about.facts],
        "users": [asdict(user) for user in about.users],
    }
