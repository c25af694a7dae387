"""Notice that a database was restored from a backup, which brings back links that were ended since.

The database itself can't know that. A small file next to it, which belongs to no backup, records how far the
audit had come when this machine last saw it: a database that is behind that, or has a different history,
is an older one put in its place.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

import structlog

from bot.domain.models import AuditEntry, NewNotice, NoticeKind
from bot.providers.base import Provider
from bot.store.store import Store

log = structlog.get_logger(__name__)


class Witness:
    """Remember, in a file next to the database, how far the audit had come; without a path, do nothing."""

    def __init__(self, database: Path | None) -> None:
        self._path = None if database is None else database.with_name(f"{database.name}.seen")
        self._written: tuple[int, str] | None = None

    async def note(self, store: Store) -> None:
        """Write down how far the audit has come, if that changed. Raises StoreError."""
        head = await store.audit_head()
        if self._path is not None and head != self._written:
            try:
                await asyncio.to_thread(_write, self._path, head)
            except OSError as error:
                log.warning("how far the record has come is not written down", problem=error.strerror)
            else:
                self._written = head

    async def contradicts(self, store: Store) -> bool:
        """Return whether this machine has seen more of the audit, or a different one. Raises StoreError."""
        known = None if self._path is None else await asyncio.to_thread(_read, self._path)
        if known is None or known[0] == 0:
            return False
        archived, hash_ = await store.audit_anchor()
        if known[0] <= archived:
            # Of what lies before the anchor nothing is left to compare.
            return known[0] == archived and known[1] != hash_
        rows = await store.audit_entries(after=known[0] - 1, limit=1)
        return not rows or rows[0]["hash"] != known[1]


async def tell_restored(store: Store, connections: Mapping[str, Provider]) -> int:
    """Tell everybody with a link that one they ended may be back; return how many. Raises StoreError."""
    length, last = await store.audit_head()
    # Connections without user accounts have nothing to unlink.
    apart = {name for name, provider in connections.items() if not provider.links_by("none")}
    accounts = [account for account in await store.active_accounts() if account.connection in apart]
    notices = []
    for account in accounts:
        body = {"connection": account.connection}
        occasion = f"restored:{length}:{last[:12]}"
        notices.append(NewNotice(account.id, NoticeKind.RESTORED, occasion, account.principal, body))
    await store.add_notices(notices)
    detail = {"accounts": len(accounts), "length": length}
    await store.append_audit([AuditEntry("operator", "store.restored", "database", "ok", detail)])
    log.warning("the database was restored from a backup", accounts=len(accounts))
    return len(accounts)


def _read(path: Path) -> tuple[int, str] | None:
    try:
        noted = json.loads(path.read_text(encoding="utf-8"))
        return int(noted["length"]), str(noted["hash"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(path: Path, head: tuple[int, str]) -> None:
    """Replace the whole file: a crash leaves either the old one or the new one."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_text(json.dumps({"length": head[0], "hash": head[1]}), encoding="utf-8")
    fresh.replace(path)
