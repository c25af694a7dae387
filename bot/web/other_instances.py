"""Detects another Usher that uses the same Slack app but a different database.

Slack distributes requests over all of an app's connections. So each Usher receives only some of the requests,
and can't see what is in the other's database. None of this causes an error. However, whenever a connection
opens, Slack reports how many connections the app has. If the processes on this database hold fewer, the rest
belong to another Usher. This Usher keeps working, because there is no way to tell which of the two is the
right one.
"""

import socket
from typing import Final

import structlog

from bot.domain.notices import NewNotice, NoticeKind
from bot.services.context import Context
from bot.store import outages, owners, refusals
from bot.store.outages import TWICE
from bot.support.errors import StoreError
from bot.web.socket import Count, SocketSide

log = structlog.get_logger(__name__)

#: How often, in seconds, Usher compares Slack's count of the app's connections with its own. A higher count
#: is reported only once it has lasted for ``CONFIRM_SECONDS``. Until then, it may have a harmless cause:
#: Slack takes time to notice that a process was killed, and processes replace their connections from time to
#: time.
LOOKS_EVERY: Final = 30.0
CONFIRM_SECONDS: Final = 300.0
#: Slack counts the app's connections whenever one opens, so Usher gets a new count by replacing a connection.
#: The time between counts, in seconds, is ``_IN_DOUBT`` while Slack's count is too high, but not for long
#: enough to be sure that there is another Usher. It is ``_NOTICE_SECONDS`` while another Usher is known, and
#: ``_RECOUNT_SECONDS`` otherwise.
_IN_DOUBT: Final = 60.0
_NOTICE_SECONDS: Final = 600.0
_RECOUNT_SECONDS: Final = 3600.0
#: Maximum number of web processes that hold two connections each, so that one works while the other is
#: renewed. If there are more processes, each holds only one, because Slack allows ten in total.
_MAX_WEBS_OF_TWO: Final = 4
#: Roles of the processes that hold connections to Slack.
_LISTENING: Final = frozenset({"serve", "web"})


def choose_connections(webs: int) -> int:
    """Return how many connections each web process should hold, given the number of web processes."""
    return 2 if webs <= _MAX_WEBS_OF_TWO else 1


class OtherInstances:
    """Detects another Usher that uses the same Slack app, and notifies administrators.

    Slack's last count of connections is kept in memory, because Slack counts again after a restart. When
    another Usher is first noticed, a row is stored, which tells all processes.
    """

    def __init__(self, context: Context, side: SocketSide) -> None:
        self._context = context
        self._store = context.store
        self._side = side
        #: Time at which Slack's count began to exceed ours (by the store's clock), or None while it doesn't.
        self._since: float | None = None

    async def step(self) -> None:
        """Compare Slack's last count of connections with the number held by the processes on this database.

        If the count is old, replace a connection, so that Slack counts again. Also set how many connections
        this process should hold, which depends on how many processes there are. This method never raises
        StoreError.
        """
        try:
            self._side.hold_connections(choose_connections(await self._count_other_webs() + 1))
            if self._side.count is None:
                return
            wait = await self._compare(self._side.count)
        except StoreError as error:
            log.info("connections not compared", problem=error)
            return
        if self._context.clock.monotonic() - self._side.count.at >= wait:
            self._side.replace_connection()

    async def excess(self) -> int:
        """Return by how much Slack's count exceeds the connections that this database's processes hold.

        The result is never negative.
        """
        return 0 if self._side.count is None else max(await self._excess(self._side.count), 0)

    async def _excess(self, count: Count) -> int:
        others = await self._count_other_webs()
        return count.counted - count.held - others * choose_connections(others + 1)

    async def _compare(self, count: Count) -> float:
        """Record whether there is another Usher.

        Return how many seconds to wait before Slack should count again.
        """
        clock = self._context.clock
        counted_at = clock.now() - (clock.monotonic() - count.at)
        began = (await self._store.read(outages.list_outages)).get(TWICE)
        if await self._excess(count) <= 0:
            self._since = None
            if began is not None and counted_at > began:
                log.info("no other Usher any more")
                await self._store.write(
                    refusals.end_outage, TWICE, self._messages("alone", began, clock.now())
                )
                began = None
            return _RECOUNT_SECONDS if began is None else _NOTICE_SECONDS
        self._since = min(self._since or counted_at, counted_at)
        if began is None and counted_at - self._since >= CONFIRM_SECONDS:
            log.warning("another Usher has the same app", counted=count.counted, held=count.held)
            began = clock.now()
            await self._store.write(outages.begin_outage, TWICE, began, self._messages("twice", began))
        return _IN_DOUBT if began is None else _NOTICE_SECONDS

    async def _count_other_webs(self) -> int:
        if not self._store.engine.is_shared:
            return 0
        running = await self._store.read(owners.list_ownerships)
        return max(sum(one.role in _LISTENING for one in running) - 1, 0)

    def _messages(self, what: str, since: float, until: float | None = None) -> list[NewNotice]:
        body = {"connection": "", "what": what, "since": since, "until": until, "place": socket.gethostname()}
        return [
            NewNotice(f"{TWICE}:{one.key}", NoticeKind.OUTAGE, f"{what}:{since:.3f}", one, body)
            for one in self._context.installation.list_administrators()
        ]
