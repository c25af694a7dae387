"""Entries, the secrets that open workspaces from Usher's page: sealed for the owner when they change."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import structlog

from bot.support.errors import StoreError
from bot.support.vault import entry_key

if TYPE_CHECKING:
    from bot.domain.models import Observed, ReadClaim
    from bot.reconciler.context import EngineContext

log = structlog.get_logger(__name__)

#: How many stored entries are remembered; beyond that, unchanged ones are written again.
REMEMBERED = 10_000


class Entries:
    """Store new entries only: a read every few seconds returns the same one."""

    def __init__(self, engine: EngineContext) -> None:
        self._store = engine.store
        self._keys = engine.keys
        #: A digest of each stored entry, by row.
        self._kept: dict[str, bytes] = {}

    async def keep(self, claim: ReadClaim, observed: Observed | None) -> None:
        """Store the entry from a read in the row whose account read it; a failure leaves the old one."""
        if observed is None or observed.entry is None:
            return
        workspace_id = claim.workspace_ids[0]
        digest = sha256(f"{claim.gate_key}\n{observed.entry}".encode()).digest()
        if self._kept.get(workspace_id) == digest:
            return
        row = entry_key(claim.account.principal.key, claim.connection, claim.remote_id)
        try:
            await self._store.save_entry(
                workspace_id, claim.gate_key, self._keys.seal(row, {"entry": observed.entry})
            )
        except StoreError as error:
            log.warning("entry not written", workspace=workspace_id, problem=type(error).__name__)
            return
        if len(self._kept) >= REMEMBERED:
            self._kept.clear()
        self._kept[workspace_id] = digest
