"""The check of the processes that share a database."""

from bot.services.checks import STORE_CHECKS, Check
from bot.store import owners
from bot.store.owners import ROLES
from bot.store.store import Store
from bot.support.environment import command
from bot.support.http import Http
from bot.support.settings import Settings


async def check_processes(store: Store, _settings: Settings, _http: Http | None) -> list[Check]:
    """List the processes that serve from a shared database: requests and work need one each, or one for both.

    Raises StoreError.
    """
    if not store.engine.is_shared:
        return []
    owned = await store.read(owners.list_ownerships)
    by_role = {role: [one for one in owned if one.name.startswith(f"{role}:")] for role in ROLES}
    found = ", ".join(
        f"{len(processes)} {role} on {', '.join(sorted({one.owner.partition('/')[0] for one in processes}))}"
        for role, processes in by_role.items()
        if processes
    )
    if not found or by_role["serve"] or (by_role["web"] and by_role["worker"]):
        return [Check("processes", True, found or "none is running")]
    missing = "worker" if by_role["web"] else "web"
    lost = "Slack's requests aren't answered" if missing == "web" else "nothing is done or sent"
    return [Check("processes", False, f"{found}, but no {missing}, so {lost}", f"Start {command(missing)}.")]


STORE_CHECKS[10] = check_processes
