"""What reads found, on its way into the store: results in batches, and entries, sealed for the owner.

Results that arrive during a write form the next batch. An entry is the secret that opens a workspace from
Usher's page; only a new one is stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import structlog

from bot.domain.workspaces import Observed, ReadClaim, ReadResult
from bot.reconciler.context import EngineContext
from bot.reconciler.ports import News
from bot.store.store import Store
from bot.support.clock import Ids
from bot.support.errors import SecretError, StoreBusy, StoreError, StoreUnavailable
from bot.support.pool import Pool
from bot.support.vault import entry_key

log = structlog.get_logger(__name__)
#: How many stored entries are remembered; beyond that, they are opened again.
REMEMBERED = 10_000


class Recorder:
    """Write results in batches: a transaction for each would cost as much as the read itself.

    ``news`` is notified when a write gives other loops work.
    """

    def __init__(self, store: Store, ids: Ids, news: News) -> None:
        self._news = news
        #: The gates of the reads that are in flight or still to be written.
        self.open: set[str] = set()
        self._store = store
        self._ids = ids
        self._waiting: list[ReadResult] = []
        self._is_writing = False

    def put(self, results: Sequence[ReadResult], pool: Pool | None) -> None:
        """Queue results to be written by the pool; without a pool they wait for ``write``."""
        self._waiting += results
        if pool is not None and not self._is_writing:
            self._is_writing = True
            pool.add(self.write())

    async def write(self) -> None:
        """Write everything queued, including what arrives meanwhile."""
        self._is_writing = True
        try:
            while self._waiting:
                some, self._waiting = self._waiting, []
                await self._write(some)
                self.open.difference_update(result.gate_key for result in some)
        finally:
            self._is_writing = False

    async def _write(self, results: Sequence[ReadResult]) -> None:
        try:
            is_news = await self._store.record_reads(results)
        except (StoreBusy, StoreUnavailable) as error:
            # The gates keep their due times, so all of these are read again after the interval.
            log.warning("reads not written", count=len(results), problem=error)
        except Exception:  # docs/rules.md, "Where errors end"
            if len(results) > 1:
                # One result that can't be written must not hold up the others.
                for result in results:
                    await self._write([result])
                return
            log.exception("read not written", reference=self._ids.reference())
        else:
            # A failed read also affects the connection's health, which other loops look at.
            if is_news or any(result.observed is None for result in results):
                self._news.work_left()


class Entries:
    """Store new entries only: a read every few seconds returns the same one.

    What is in the row decides, as another process may have written it; what it says is remembered.
    """

    def __init__(self, engine: EngineContext) -> None:
        self._store = engine.store
        self._vault = engine.vault
        #: A row's entry as it is stored, and a digest of what that says.
        self._stored: dict[str, tuple[str, bytes]] = {}

    async def keep(self, claim: ReadClaim, observed: Observed | None) -> None:
        """Store the entry from a read in the row whose account read it; a failure leaves the old one."""
        if observed is None or observed.entry is None:
            return
        workspace_id = claim.workspace_ids[0]
        row, sealed = entry_key(claim.account.principal.key, claim.connection, claim.remote_id), claim.entry
        digest = _digest(row, observed.entry)
        if sealed is not None and self._stored.get(workspace_id) == (sealed, digest):
            return
        if sealed is None or self._said(row, sealed) != digest:
            sealed = self._vault.seal(row, {"entry": observed.entry})
            try:
                await self._store.save_entry(workspace_id, claim.gate_key, sealed)
            except StoreError as error:
                log.warning("entry not written", workspace=workspace_id, problem=error)
                return
        if len(self._stored) >= REMEMBERED:
            self._stored.clear()
        self._stored[workspace_id] = (sealed, digest)

    def _said(self, row: str, sealed: str) -> bytes | None:
        try:
            return _digest(row, self._vault.open(row, sealed).get("entry", ""))
        except SecretError:
            return None


def _digest(row: str, entry: str) -> bytes:
    return sha256(f"{row}\n{entry}".encode()).digest()
