"""Failovers: telling people which of their confirmed actions the database has lost (ADR 76).

Lost actions leave no row behind. So each process remembers the actions that it confirmed, and compares them
with the rows. No process remembers workspaces that were started on a provider's own page, but they are found
again when the provider's lists are read.
"""

from functools import partial
from typing import Final

from bot.domain.notices import NewNotice, NoticeKind
from bot.services.context import Context
from bot.services.recent_commits import RECENT_COMMIT_SECONDS, RecentCommit
from bot.store import gates, maintenance, notices
from bot.store.maintenance import FAILOVER_CONFIRM_SECONDS
from bot.store.notices import add_notices
from bot.store.tables import TABLES
from bot.store.transaction import Row, Transaction
from bot.support.pool import contain_errors

#: Delay of the message about a lost action, in seconds, so that the workspace can be read again first.
READ_TIMEOUT_SECONDS: Final = 12.0


class Failovers:
    """After a failover, notifies administrators, and the people whose confirmed requests were lost."""

    def __init__(self, context: Context) -> None:
        self._context, self._last, self._told = context, Row(), ""

    async def step(self) -> None:
        """After a failover, notify people once things have settled. Never raises."""
        context, store = self._context, self._context.store
        async with contain_errors("failover", context.ids):
            await self._tell_of_two_primaries()
            found, now = await store.read(maintenance.find_failover), await store.now()
            if (
                found is None
                or found == self._last
                or not FAILOVER_CONFIRM_SECONDS < now - found["detected_at"] < RECENT_COMMIT_SECONDS
            ):
                return
            occasion, body = f"{found['detected_at']:.0f}", {"what": "failover", "since": found["lost_since"]}
            for who in context.installation.list_administrators():
                message = NewNotice(f"failover:{who.key}", NoticeKind.OUTAGE, occasion, who, body)
                await store.write(notices.add_notices, [message])
            for one in context.recent_commits.list_since(found["lost_since"]):
                await store.carry_out(partial(_notify, one=one, found=found))
            self._last = found

    async def _tell_of_two_primaries(self) -> None:
        """Tell administrators, at most once a day, that there are two primary databases."""
        context, store = self._context, self._context.store
        said = store.engine.warning
        if said and said != self._told:
            occasion, body = f"{await store.now() // 86_400:.0f}", {"what": "primaries", "place": said}
            for who in context.installation.list_administrators():
                message = NewNotice(f"primaries:{who.key}", NoticeKind.OUTAGE, occasion, who, body)
                await store.write(notices.add_notices, [message])
        self._told = said


def _notify(tx: Transaction, one: RecentCommit, found: Row) -> None:
    """If a commit's row was lost, notify the person once the workspace has had time to be read again."""
    table = next(table for table in TABLES.values() if table.model is type(one))
    if table.row(tx, id=one.id) is not None:
        return
    about = str(getattr(one, "workspace_id", None) or getattr(one, "subject", ""))
    gates.want(tx, about, by_itself=True)
    body = {"workspace": about, "connection": one.connection, "name": getattr(one, "name", ""), **found}
    occasion, subject = f"{found['detected_at']:.0f}", about or one.id
    add_notices(
        tx,
        [
            NewNotice(
                subject, NoticeKind.WRITES_LOST, occasion, one.principal, body, due_in=READ_TIMEOUT_SECONDS
            )
        ],
    )
