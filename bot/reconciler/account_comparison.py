"""Comparisons of linked accounts with those that have their names now, before calls that name them."""

import asyncio
import math
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Literal

import structlog

from bot.domain.accounts import MAX_COMPARED_SECONDS, Account
from bot.providers.access import RemoteAccount
from bot.providers.base import Access, Provider
from bot.reconciler.keys import Keys
from bot.services import account_ids
from bot.store import account_ids as rows
from bot.store.store import Store
from bot.support import errors

log = structlog.get_logger(__name__)

#: ``changed``: its row has changed, and the call is to be repeated with it. ``unclear``: nothing follows from
#: what the provider gave, so a call that names the account has to wait.
Verdict = Literal["usable", "changed", "resting", "unclear"]
#: The calls that list what an account has: they show what nobody knew yet.
_LISTS: Final = frozenset({"list", "list runs"})
#: The most seconds for comparing an account before a call.
COMPARE_SECONDS: Final = 10.0
#: How many accounts of unknown ids are remembered as asked.
MAX_REMEMBERED: Final = 10_000


class AccountComparer:
    """The comparison of the account that a call names with the one that was linked.

    In memory: when accounts of unknown ids were last asked for them. Restart, and several processes: they are
    asked again.
    """

    def __init__(self, store: Store, keys: Keys, monotonic: Callable[[], float]) -> None:
        self._store = store
        self._keys = keys
        self._monotonic = monotonic
        self._learning_at: dict[str, float] = {}

    async def compare(
        self, provider: Provider, account: Account, what: str, access: Access, *, now: bool
    ) -> Verdict | errors.ProviderError:
        """Compare an account before a call; return the error if the provider didn't tell.

        A call that names its account is made ten minutes after that at the latest, a list right after it;
        with ``now`` it is compared at once. An id that isn't known yet is learnt. Without an answer only a
        call waits that names an account with a known id: a person's own token opens no other one.
        """
        if not provider.has_account_ids:
            return "usable"
        is_by_name = provider.is_made_by_name(access, what)
        if account.remote_id is None:
            if not self._may_learn(account):
                return "usable"
        elif not is_by_name or (
            not (now or what in _LISTS) and account.was_compared(await self._store.now())
        ):
            return "usable"
        # As long as no id is known, there is none that a call could be wrong about.
        is_required = is_by_name and bool(account.remote_id)
        try:
            async with asyncio.timeout(COMPARE_SECONDS):
                current = await provider.read_account(access)
        except TimeoutError:
            return errors.UnknownOutcome("no answer in time") if is_required else "usable"
        except errors.ProviderError as error:
            log.info("account not compared", connection=account.connection, account=account.id, problem=error)
            return error if is_required else "usable"
        verdict = await self._judge(account, access, current)
        return "usable" if verdict == "unclear" and not is_by_name else verdict

    async def _judge(self, account: Account, access: Access, current: RemoteAccount | None) -> Verdict:
        """Act on the account that has a link's name now."""
        if account.remote_id:
            match account_ids.compare_account(account, current):
                case "another" if current is not None:
                    await self._keys.rest(account, current.account_id)
                    return "resting"
                case "unclear":
                    log.info("account not told", connection=account.connection, account=account.id)
                    return "unclear"
        elif current is None or current.account_id:
            await self._keys.learn_id(account, current, is_own_token=access.credential.owner == "person")
        if current is not None and account.username and current.username != account.username:
            # The account is the linked one, but is called something else by now.
            return "changed" if await self._keys.follow_rename(account, current.username) else "unclear"
        with suppress(errors.StoreError):
            await self._store.write(rows.note_compared, account)
        return "usable"

    def _may_learn(self, account: Account) -> bool:
        """Return whether an account's id may be asked for, which it is every ten minutes at most."""
        now = self._monotonic()
        if self._learning_at.get(account.id, -math.inf) > now - MAX_COMPARED_SECONDS:
            return False
        if len(self._learning_at) >= MAX_REMEMBERED:
            self._learning_at.clear()
        self._learning_at[account.id] = now
        return True
