"""The results of sending messages. Usher stores them as soon as the database accepts writes."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final

import structlog

from bot.domain.notices import Notice, NoticeError
from bot.services.context import Context
from bot.slack.notifier.timing import Timing
from bot.store import notices as notice_rows
from bot.support.errors import StoreError

log = structlog.get_logger(__name__)

Write = Callable[[], Awaitable[object]]


class Results:
    """Writes the results of sending messages. If the database fails, retries each write until its lease ends.

    A restart loses the results that haven't been written. Once the leases expire, Usher searches for the
    messages that may have been sent.
    """

    def __init__(self, context: Context, timing: Timing) -> None:
        self._store = context.store
        self._monotonic: Final = context.clock.monotonic
        self._lease = timing.lease
        #: Maps message ids to the writes to retry, in order, each with the time at which to give up.
        self._waiting: dict[str, list[tuple[float, Write]]] = {}

    @property
    def is_waiting(self) -> bool:
        """Return whether results are still waiting to be written."""
        return bool(self._waiting)

    async def write_sent(self, notice: Notice, channel_id: str, message_ts: str, **more: Any) -> None:
        """Record that a notice was sent (see ``mark_notice_sent`` in the store)."""
        await self.write(
            notice.id,
            partial(self._store.write, notice_rows.mark_notice_sent, notice, channel_id, message_ts, **more),
        )

    async def retry(self, notice: Notice, due_in: float, **more: Any) -> None:
        """Record when to retry a notice (see ``retry_notice`` in the store)."""
        await self.write(
            notice.id, partial(self._store.write, notice_rows.retry_notice, notice, due_in, **more)
        )

    async def retry_as_text(self, notice: Notice, code: str) -> None:
        """Record that a notice must be sent as text immediately, without rereading its workspaces."""
        error = notice.error if notice.error == NoticeError.TO_BE_READ else code
        waits = {"read_since": notice.read_since, "tried_at": notice.tried_at}
        await self.retry(notice, 0.0, error=error, is_text=True, **waits)

    async def write_dead(self, notice: Notice, error: str) -> None:
        """Record that Usher has given up on a notice."""
        await self.write(notice.id, partial(self._store.write, notice_rows.give_up_notice, notice.id, error))

    async def write_not_sent(self, notices: Sequence[Notice]) -> None:
        """Record that some notices weren't sent, because a search of Slack didn't find them."""
        for notice in notices:
            await self.write(
                notice.id, partial(self._store.write, notice_rows.requeue_unsent_notices, [notice])
            )

    async def write(self, message_id: str, write: Write) -> None:
        """Write a message's result now or, if that fails, later. This never raises StoreError."""
        waiting = self._waiting.get(message_id, [])
        try:
            if not waiting:
                await write()
                return
        except StoreError as error:
            log.warning("result not written", message=message_id, problem=error)
        waiting.append((self._monotonic() + self._lease, write))
        self._waiting[message_id] = waiting

    async def repeat(self) -> None:
        """Write the waiting results, stopping as soon as the database fails."""
        for message_id, waiting in list(self._waiting.items()):
            while waiting:
                until, write = waiting[0]
                try:
                    if self._monotonic() < until:
                        await write()
                except StoreError:
                    # The database may be rejecting just this write, so start with another message next time.
                    self._waiting[message_id] = self._waiting.pop(message_id)
                    return
                del waiting[0]
            del self._waiting[message_id]
