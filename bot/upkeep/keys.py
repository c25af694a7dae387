"""Encrypting every secret in the database with the newest key."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.support.errors import SecretError

if TYPE_CHECKING:
    from bot.store.store import Store
    from bot.support.vault import Vault


@dataclass(slots=True)
class Rotation:
    """Count what was encrypted, and name what no key opens: people's accounts, and Slack workspaces."""

    done: int = 0
    #: Replaced by somebody else between reading and writing.
    changed: int = 0
    accounts: list[str] = field(default_factory=list)
    workspaces: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Return whether everything is encrypted with the newest key."""
        return not (self.accounts or self.workspaces or self.changed)

    def count(self, was_written: bool) -> None:
        """Count a secret that was encrypted again."""
        self.done += was_written
        self.changed += not was_written

    def problems(self) -> list[str]:
        """Return what there is to do by hand, one line each."""
        lines = []
        if self.accounts:
            opens = "doesn't open" if len(self.accounts) == 1 else "don't open"
            people = "This person has" if len(self.accounts) == 1 else "These people have"
            lines += [f"{len(self.accounts)} {opens} with any of the keys. {people} to link again:"]
            lines += [f"  {name}" for name in self.accounts]
        if self.workspaces:
            lines += ["Usher has to be installed again in these Slack workspaces: no key opens the token."]
            lines += [f"  {name}" for name in self.workspaces]
        if self.changed:
            lines += [f"{secrets(self.changed)} changed in the meantime. Run this again."]
        return lines


async def rotate(store: Store, vault: Vault) -> Rotation:
    """Encrypt every secret with the newest key, as far as a key opens it. Raises StoreError."""
    rotation = Rotation()
    accounts, installed = await store.active_accounts(), await store.installations()
    for place in installed:
        try:
            sealed = vault.rotate(place.secret)
        except SecretError:
            rotation.workspaces.append(f"{place.team_name} ({place.id})")
        else:
            rotation.count(await store.reseal_installation(place.id, place.secret, sealed))
    for account in accounts:
        try:
            sealed = vault.rotate(account.secret)
        except SecretError:
            rotation.accounts.append(f"{account.principal.user_id} on {account.connection}")
        else:
            rotation.count(await store.save_secret(account.id, account.secret, sealed))
    return rotation


def secrets(count: int) -> str:
    """Say how many secrets."""
    return "1 secret is" if count == 1 else f"{count} secrets are"
