"""What a process does with its store as a whole: a part of the Protocol in ``bot.store.base``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


class ProcessStore(Protocol):
    """Open, serve, count, sweep, close."""

    async def migrate(self) -> list[str]:
        """Bring the schema up to date; return what ran. Raises StoreTooNew; StoreInUse beside who serves."""

    async def begin_serving(self) -> list[str]:
        """Be the one process that serves from this database, until it is closed: migrate, heal times.

        Raises as ``migrate`` does.
        """

    async def beat(self) -> None:
        """Write that the serving process lives and how its clock stands: a tiny write."""

    def seconds_since_write(self) -> float:
        """Return how long ago this process last wrote something that was committed."""
        ...

    async def did_daily(self, work: str) -> None:
        """Note that daily work is done."""

    async def last_did(self, work: str) -> float | None:
        """Return when daily work was last done, None when it never was."""

    async def now(self) -> float:
        """Return the store's epoch seconds, never going back within a process."""

    async def close(self) -> None:
        """Finish what is queued and let go of the database."""

    async def statistics(self) -> Mapping[str, int]:
        """Count what doctor, metrics and readiness show.

        Keys: open_wishes, open_jobs, pending_notices, dead_notices, accounts, workspaces, tasks, people.
        """

    async def sweep(self) -> None:
        """Delete what is past its use, in short transactions.

        Inbox rows and links after a day, browser sessions at their end, sent notices after 30 days, dead
        ones after 7, ended wishes beyond the 50 newest of a workspace, ended runs beyond the 50 newest of a
        person or after 30 days, decided requests after 30 days, classes with their presses after 30 days,
        gates that nobody watches after a day. A card goes with its wish, run or class.
        """
