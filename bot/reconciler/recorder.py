"""Results of reads on their way into the store: those arriving during a write form the next batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bot.support.errors import StoreBusy, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.domain.models import ReadResult
    from bot.reconciler.context import News
    from bot.store.store import Store
    from bot.support.clock import Ids
    from bot.support.pool import Pool

log = structlog.get_logger(__name__)


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
            log.warning("reads not written", count=len(results), problem=type(error).__name__)
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
