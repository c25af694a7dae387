"""Encryption keys: checking whether they can decrypt the stored secrets, and rotating to the newest key."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, NamedTuple

from bot.domain.accounts import Account
from bot.domain.audit import AuditEntry
from bot.providers.base import Credential
from bot.services.accounts import refuse_account
from bot.store import accounts as account_rows
from bot.store import credentials, installations, revocations
from bot.store.audit import append_audit
from bot.store.store import Store
from bot.store.tables import ACCOUNTS
from bot.store.transaction import Transaction
from bot.support.environment import command
from bot.support.errors import SecretError
from bot.support.vault import Vault, row_key

#: Maximum number of people named in one line of a check's result.
_MAX_PEOPLE_IN_LINE: Final = 20
_OLD_KEY: Final = "Put the old key back into USHER_ENCRYPTION_KEYS, after the new one"


class SecretCheck(NamedTuple):
    """The number of stored secrets, and the accounts whose secrets no key can decrypt."""

    total: int
    closed: Sequence[Account]

    @property
    def is_hopeless(self) -> bool:
        """Return whether none of the stored secrets can be decrypted. If so, the keys are wrong."""
        return 0 < self.total == len(self.closed)

    @property
    def found(self) -> str:
        """Describe in a sentence how many secrets can be decrypted, and whose secrets can't."""
        if not self.closed:
            return f"{self.total} stored, and all open"
        if self.is_hopeless:
            return f"USHER_ENCRYPTION_KEYS opens none of the {self.total} stored secrets"
        more = (
            f" and {len(self.closed) - _MAX_PEOPLE_IN_LINE} more"
            if len(self.closed) > _MAX_PEOPLE_IN_LINE
            else ""
        )
        whose = ", ".join(map(_format_owner, self.closed[:_MAX_PEOPLE_IN_LINE]))
        return f"no key opens {len(self.closed)} of the {self.total} stored secrets: {whose}{more}"

    @property
    def advice(self) -> str:
        """Return advice for the operator, or "" if all secrets can be decrypted."""
        if not self.closed:
            return ""
        forget = f"{command('keys rotate --forget')} ends these links and asks their people to link again."
        if self.is_hopeless:
            return f"{_OLD_KEY}. If it is lost, {forget}"
        return f"These people have to link again. {_OLD_KEY}, if you have it. Otherwise {forget}"


async def try_secrets(store: Store, vault: Vault) -> SecretCheck:
    """Try to decrypt every account's secret. Raises StoreError."""
    accounts = await store.perform(account_rows.list_active_accounts)
    # Run this in a thread, because decrypting thousands of secrets takes a second.
    closed = await asyncio.to_thread(lambda: [one for one in accounts if not _can_open(vault, one)])
    closed.sort(key=_get_sort_key)
    return SecretCheck(len(accounts), closed)


def _can_open(vault: Vault, account: Account) -> bool:
    try:
        vault.open(_get_row_key(account), account.secret)
    except SecretError:
        return False
    return True


def _get_sort_key(account: Account) -> tuple[str, float, str]:
    return account.connection, account.linked_at, account.id


def _get_row_key(account: Account) -> str:
    return row_key(account.principal.key, account.connection)


def _format_owner(account: Account) -> str:
    return f"{account.principal.user_id} on {account.connection}"


@dataclass(slots=True)
class Rotation:
    """The result of encrypting the stored secrets again.

    ``accounts`` and ``workspaces`` list the people and the Slack workspaces whose secrets no key can decrypt.
    """

    done: int = 0
    #: Number of secrets that another process replaced while they were being re-encrypted.
    changed: int = 0
    #: Number of links that were ended because no key can decrypt their secrets. ``recalled`` is the number of
    #: links that were restored because a key can decrypt their secrets again.
    forgotten: int = 0
    recalled: int = 0
    #: The number of links whose secrets no key can decrypt, and the number of all links. Set only if Usher
    #: refused the operator's request to end the undecryptable links, because there were too many of them or
    #: not as many as the operator had said.
    spared: tuple[int, int] | None = None
    accounts: list[str] = field(default_factory=list)
    workspaces: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Return whether every secret is now encrypted with the newest key."""
        return not (self.accounts or self.workspaces or self.changed)

    def count(self, was_written: bool) -> None:
        """Count a secret as encrypted again or, if not ``was_written``, as changed by another process."""
        self.done += was_written
        self.changed += not was_written

    def problems(self) -> list[str]:
        """Return the problems for the operator to solve, one per line."""
        lines = []
        if self.spared is not None:
            closed, linked = self.spared
            way = command(f"keys rotate --forget {closed}")
            lines.append(f"No key opens {closed} of the {linked} links' secrets, so none was ended.")
            lines.append(f"{_OLD_KEY}. If it is lost for good, {way} ends them.")
        elif self.accounts:
            opens = "doesn't open" if len(self.accounts) == 1 else "don't open"
            people = "This person has" if len(self.accounts) == 1 else "These people have"
            lines += [f"{len(self.accounts)} {opens} with any of the keys. {people} to link again:"]
            lines += [f"  {name}" for name in self.accounts]
        if self.workspaces:
            lines += ["Usher has to be installed again in these Slack workspaces: no key opens the token."]
            lines += [f"  {name}" for name in self.workspaces]
        if self.changed:
            lines += [f"{format_secret_count(self.changed)} changed in the meantime. Run this again."]
        return lines


async def rotate(
    store: Store, vault: Vault, *, forget: int | None = None, unlinked: Collection[str] = ()
) -> Rotation:
    """Encrypt every secret that can be decrypted with the newest key. Raises StoreError.

    Unless ``forget`` is None, links whose secrets no key can decrypt are ended, and their owners are asked to
    link again. ``forget`` is the number of these links that the operator expects, or 0 if no number was
    given. No link is ended if that number is wrong. If no number was given, none is ended if more than a
    tenth of all links are affected, because then the keys are probably wrong. The encrypted secrets are kept
    for a week, and a link resumes if a key can decrypt its secret within that time. The connections in
    ``unlinked`` need no linking, so their secrets are empty. If they can't be decrypted, they are simply
    created again.
    """
    rotation = Rotation()
    accounts = sorted(await store.perform(account_rows.list_active_accounts), key=_get_sort_key)
    installed = await store.read(installations.list_installations)
    for place in installed:
        sealed = _rotate_secret(vault, place.secret)
        if sealed is None:
            rotation.workspaces.append(f"{place.team_name} ({place.id})")
        else:
            rotation.count(
                await store.write(installations.reseal_installation, place.id, place.secret, sealed)
            )
    linked = [one for one in accounts if one.connection not in unlinked]
    closed = {one.id for one in linked if _rotate_secret(vault, one.secret) is None}
    is_unexpected = forget != len(closed) and (forget or 10 * len(closed) > len(linked))
    if forget is not None and closed and is_unexpected:
        rotation.spared, forget = (len(closed), len(linked)), None
    for account in [*accounts, *await store.read(revocations.list_pending_revocations)]:
        sealed = _rotate_secret(vault, account.secret)
        if sealed is None and account.state == "revoking":
            continue  # Doctor counts it, and it lapses in time.
        if sealed is None and forget is None:
            rotation.accounts.append(_format_owner(account))
            continue
        if account.id in closed:
            rotation.forgotten += await store.carry_out(partial(_forget_account, account=account))
            continue
        if sealed is None:
            sealed = vault.seal(_get_row_key(account), Credential.for_connection("none").as_mapping())
        resealed = {"id": account.id, "secret": account.secret}
        rotation.count(await store.write(ACCOUNTS.count_changed, resealed, secret=sealed) == 1)
    for account in await store.read(credentials.list_undecryptable_accounts):
        sealed = _rotate_secret(vault, account.secret)
        if sealed is not None:
            recalling = partial(_recall_account, account=account, secret=sealed)
            rotation.recalled += await store.carry_out(recalling)
    return rotation


def _rotate_secret(vault: Vault, sealed: str) -> str | None:
    try:
        return vault.rotate(sealed)
    except SecretError:
        return None


def _forget_account(tx: Transaction, account: Account) -> bool:
    if not refuse_account(tx, account, "secret", actor="operator"):
        return False
    credentials.set_secret_aside(tx, account.id, account.secret)
    return True


def _recall_account(tx: Transaction, account: Account, secret: str) -> bool:
    if not credentials.restore_secret(tx, account.id, secret):
        return False
    about = {"connection": account.connection, "username": account.username}
    append_audit(tx, [AuditEntry("operator", "account.secret_restored", account.id, "ok", about)])
    return True


def format_secret_count(count: int) -> str:
    """Format a number of secrets with its verb: "1 secret is", "2 secrets are"."""
    return "1 secret is" if count == 1 else f"{count} secrets are"
