"""The store, which runs functions on a database. Engines differ, but the schema and the statements don't.

The module for each kind of row has the functions that read or write it. They are passed to ``read``,
``write``, ``claim`` or ``perform``, as in ``store.read(links.find_link, nonce)``. ``perform`` may run the
function in several transactions, and the others run it in one. Each transaction is atomic, and durable on
return. A function that needs an unusual priority declares it (``transaction.prioritize``).

All four raise StoreBusy if they couldn't commit in time (2 s for work that a person is waiting for, 10 s for
all other work). In that case, the work was rolled back and has no effect. They raise StoreUnavailable if the
database can't be used. ``interaction`` is the inbox key of a person's action ("" for none). The row for this
key is written in the same transaction. If the row already exists, the action was handled before, so the
function changes nothing and returns a result that says so.
"""

from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Concatenate, ParamSpec, TypeVar
from zoneinfo import ZoneInfo

from bot.domain.people import Person, Principal
from bot.store import maintenance, people, schema, transaction
from bot.store.engine import Engine, run_write
from bot.store.transaction import Priority, Transaction, Work
from bot.support.errors import StoreNotMigrated

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class Store:
    """The data that must outlive the process, kept in an engine's database."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._people = people.PeopleCache(engine.now)

    # -- functions of the store's modules --------------------------------------------------------------------

    async def read(
        self,
        work: Callable[Concatenate[Transaction, Arguments], Result],
        /,
        *arguments: Arguments.args,
        **named: Arguments.kwargs,
    ) -> Result:
        """Run a read-only function on one snapshot of the database."""
        priority = transaction.get_priority(work, Priority.URGENT)
        return await self.engine.read(lambda tx: work(tx, *arguments, **named), priority)

    async def write(
        self,
        work: Callable[Concatenate[Transaction, Arguments], Result],
        /,
        *arguments: Arguments.args,
        **named: Arguments.kwargs,
    ) -> Result:
        """Run a function that writes, in one transaction. Its changes are durable when this returns."""
        priority = transaction.get_priority(work, Priority.STEADY)
        subjects = transaction.find_subjects(work, *arguments, **named)
        return await run_write(self.engine, lambda tx: work(tx, *arguments, **named), priority, subjects)

    async def claim(
        self,
        work: Callable[Concatenate[Transaction, Arguments], Result],
        /,
        *arguments: Arguments.args,
        **named: Arguments.kwargs,
    ) -> Result:
        """Run a function that claims due rows, in one transaction. Claims of more urgent work run first."""
        return await self.engine.write(lambda tx: work(tx, *arguments, **named), Priority.CLAIMS)

    async def perform(
        self,
        work: Callable[Concatenate[Engine, Arguments], Coroutine[Any, Any, Result]],
        /,
        *arguments: Arguments.args,
        **named: Arguments.kwargs,
    ) -> Result:
        """Run a function that uses several transactions. Each of them is durable on its own."""
        return await work(self.engine, *arguments, **named)

    async def carry_out(self, work: Work[Result], subjects: Sequence[str] = ()) -> Result:
        """Run a person's request (``bot.services.caller``) in one transaction while the person waits."""
        return await run_write(self.engine, work, Priority.URGENT, subjects)

    # -- the process -----------------------------------------------------------------------------------------

    async def migrate(self) -> list[str]:
        """Bring the schema up to date, and return the migrations that ran.

        This may raise the engine's errors.
        """
        return await self.engine.migrate()

    async def list_missing_migrations(self, name: str) -> list[str] | None:
        """Return the migrations that have yet to run, or None if the database is empty. Change nothing.

        This may raise the same errors as ``migrate``. ``name`` is the database's name in their messages.
        """
        try:
            applied = await self.read(schema.list_migrations)
        except StoreNotMigrated:
            return None
        # Databases of release 0.1.0 don't have this table.
        with suppress(StoreNotMigrated):
            applied |= await self.read(schema.list_schema_changes)
        return schema.find_missing_migrations(applied, schema.read_migrations(), name)

    async def begin_serving(self) -> list[str]:
        """Begin serving, and return the migrations that ran.

        This may raise StoreOutdated and the same errors as ``migrate``.
        """
        return await schema.begin_serving(self.engine, maintenance.refuse_outdated)

    async def now(self) -> float:
        """Return the store's time, in epoch seconds. Within a process, it never goes back."""
        return self.engine.now()

    async def close(self) -> None:
        """Finish the queued work and close the database."""
        await self.engine.close()

    # -- inbox, people, audit, outages -----------------------------------------------------------------------

    async def person(self, principal: Principal) -> Person | None:
        """Return the stored data about a person, from the cache or the database."""
        found = self._people.find(principal)
        if found is None:
            mark = self._people.mark
            found = await self.engine.read(lambda tx: people.find_person(tx, principal))
            self._people.keep(found, mark)
        return found

    async def zone(self, principal: Principal) -> ZoneInfo:
        """Return the time zone set in a person's Slack profile, or the default if it isn't known."""
        return people.choose_zone(await self.person(principal))

    async def known_zone(self, principal: Principal) -> ZoneInfo | None:
        """Return the time zone set in a person's Slack profile, or None if Slack hasn't given one."""
        found = await self.person(principal)
        return None if found is None or found.time_zone is None else people.choose_zone(found)

    async def save_people(self, people_: Sequence[Person]) -> None:
        """Save people. For each person, the data with the newest ``seen_at`` is kept."""
        try:
            for first in range(0, len(people_), people.SAVE_BATCH_SIZE):
                await self.write(people.save, people_[first : first + people.SAVE_BATCH_SIZE])
        finally:
            self._people.forget()
