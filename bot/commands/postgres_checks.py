"""Checks of processes that share a database: whether every kind of process that Usher needs is running."""

from collections.abc import Collection

from bot.services.checks import Check
from bot.store import owners
from bot.store.owners import ROLES
from bot.store.store import Store
from bot.support.environment import command
from bot.support.settings import Settings
from bot.support.vault import Vault


async def check_processes(store: Store, settings: Settings) -> list[Check]:
    """Check that the processes sharing a database serve requests and do background work.

    This may raise StoreError.
    """
    if not store.engine.is_shared:
        return []
    owned = await store.read(owners.list_ownerships)
    by_role = {role: [one for one in owned if one.role == role] for role in ROLES}
    found = ", ".join(
        f"{len(processes)} {role} on {', '.join(sorted({one.owner.partition('/')[0] for one in processes}))}"
        for role, processes in by_role.items()
        if processes
    )
    keys = _compare_keys(owners.list_announced(owned, owners.KEY_PREFIX), settings)
    if not found or by_role["serve"] or (by_role["web"] and by_role["worker"]):
        return [Check("processes", True, found or "none is running"), *keys]
    missing = "worker" if by_role["web"] else "web"
    lost = "Slack's requests aren't answered" if missing == "web" else "nothing is done or sent"
    found += f", but no {missing}, so {lost}"
    return [Check("processes", False, found, f"Start {command(missing)}."), *keys]


def _compare_keys(in_use: Collection[str], settings: Settings) -> list[Check]:
    """Warn if running processes have different encryption keys and can't read each other's secrets."""
    own = Vault(settings.keys()).fingerprints
    if not in_use or own == in_use:
        return []
    found = "the keys here aren't those of all running processes"
    advice = "Give all processes the same USHER_ENCRYPTION_KEYS, and restart them: requests wait for that."
    return [Check("keys of processes", False, found, advice)]
