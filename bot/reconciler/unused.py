"""Credentials that were made for a link which nobody finished: revoked, so that none is left behind."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from bot.errors import ProviderError, SecretError, TemporaryError
from bot.models import Account, Principal
from bot.reconciler.lists import Again

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.models import Task
    from bot.providers.base import Access
    from bot.reconciler.keys import Keys
    from bot.reconciler.lines import Line
    from bot.reconciler.ports import Numbers
    from bot.store.base import Store

log = structlog.get_logger(__name__)


class Unused:
    """Do the task that a checked token leaves behind where a provider gave one of our own for it."""

    def __init__(self, store: Store, lines: Mapping[str, Line], keys: Keys, numbers: Numbers) -> None:
        self._store = store
        self._lines = lines
        self._keys = keys
        self._numbers = numbers

    async def revoke(self, task: Task) -> None:
        """Revoke the payload's credential, unless an account has it; raises Again while nobody answers."""
        line = self._lines.get(str(task.payload["connection"]))
        if line is None or "revoke" not in line.provider.capabilities():
            return
        unused = _as_account(task)
        try:
            access = self._keys.open(unused)
        except SecretError:
            log.warning("an unused secret does not open", connection=line.name)
            return
        if await self._is_used(unused, access):
            return
        try:
            async with asyncio.timeout(self._numbers.call_seconds):
                await line.provider.revoke(access)
        except (TemporaryError, TimeoutError):
            raise Again(0.0) from None
        except ProviderError as error:
            log.warning("not revoked", connection=line.name, problem=type(error).__name__)

    async def _is_used(self, unused: Account, access: Access) -> bool:
        """Compare tokens, not what they are sealed as: that changes when keys do."""
        account = await self._store.account(unused.principal, unused.connection)
        if account is None or not account.secret:
            return False
        try:
            held = self._keys.open(account).credential.token
        except SecretError:
            return True  # Not to be told apart, so it is left alone.
        return held == access.credential.token


def _as_account(task: Task) -> Account:
    told = task.payload
    return Account(
        id=task.id,
        principal=Principal.from_key(str(told["principal"])),
        connection=str(told["connection"]),
        username=str(told["username"]),
        secret=str(told["secret"]),
        state="revoking",
        linked_at=task.created_at,
    )
