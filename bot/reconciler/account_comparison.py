"""Checks, before calls that name an account, that the name still belongs to the linked account."""

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

#: The result of comparing accounts. ``changed``: the account's row has a new name; repeat the call with that
#: name. ``resting``: the name now belongs to another account, so the link isn't used. ``unclear``: the
#: provider's answer proves nothing, so a call that names the account has to wait.
Verdict = Literal["usable", "changed", "resting", "unclear"]
#: Calls that list what an account has, and so might reveal what belongs to someone else.
_LISTS: Final = frozenset({"list", "list runs"})
#: Time limit for comparing an account before a call, in seconds.
COMPARE_SECONDS: Final = 10.0
#: Maximum number of accounts without a known id for which we remember when their id was last requested.
MAX_REMEMBERED: Final = 10_000


class AccountComparer:
    """Compare the account that a call names with the account that was linked.

    In memory: when the provider was last asked for each unknown account id. After a restart, and in each
    process, it is asked again.
    """

    def __init__(self, store: Store, keys: Keys, monotonic: Callable[[], float]) -> None:
        self._store = store
        self._keys = keys
        self._monotonic = monotonic
        self._learning_at: dict[str, float] = {}

    async def compare(
        self, provider: Provider, account: Account, what: str, access: Access, *, now: bool
    ) -> Verdict | errors.ProviderError:
        """Compare an account before a call; return the error if the provider didn't answer.

        If a call names its account, the comparison is valid for ten minutes; before a list, or with ``now``,
        the account is always compared again. An account id that isn't known yet is requested and saved. If
        the provider doesn't answer, only calls that name an account with a known id have to wait, because a
        person's own token can't open another account.
        """
        is_by_name = provider.is_made_by_name(access, what)
        if account.remote_id is not None and not is_by_name:
            return "usable"
        if not provider.has_account_ids or (account.remote_id is None and not self._may_learn(account)):
            return "usable"
        is_recent = account.remote_id is not None and not (now or what in _LISTS)
        if is_recent and account.was_compared(await self._store.now()):
            return "usable"
        # Without a known id there is nothing to compare, so the call doesn't have to wait.
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
        """Compare the account that has the linked name now, update the link's row, and return the verdict."""
        is_learned = False
        if account.remote_id:
            match account_ids.compare_account(account, current):
                case "another" if current is not None:
                    await self._keys.rest(account, current.account_id)
                    return "resting"
                case "unclear":
                    log.info("account not told", connection=account.connection, account=account.id)
                    return "unclear"
        elif is_learned := current is None or bool(current.account_id):
            await self._keys.learn_id(account, current, is_own_token=access.credential.owner == "person")
        if current is not None and account.username and current.username != account.username:
            # This is the linked account under another name, so it was renamed.
            return "changed" if await self._keys.follow_rename(account, current.username) else "unclear"
        # An id is saved along with the time of the comparison.
        if not is_learned:
            with suppress(errors.StoreError):
                await self._store.write(rows.note_compared, account)
        return "usable"

    def _may_learn(self, account: Account) -> bool:
        """Return whether an account's id may be requested again: at most once every ten minutes."""
        now = self._monotonic()
        if self._learning_at.get(account.id, -math.inf) > now - MAX_COMPARED_SECONDS:
            return False
        if len(self._learning_at) >= MAX_REMEMBERED:
            self._learning_at.clear()
        self._learning_at[account.id] = now
        return True
