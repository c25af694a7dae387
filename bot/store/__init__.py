"""The store: ``open_store`` chooses the engine by the database's URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.store.sqlite import SqliteEngine
from bot.store.store import Store
from bot.support.errors import StoreUnavailable

if TYPE_CHECKING:
    from bot.support.clock import Clock, Ids

_SQLITE = "sqlite:///"


async def open_store(url: str, clock: Clock, ids: Ids) -> Store:
    """Open the database of a URL: ``sqlite:///relative.db``, ``sqlite:////absolute.db``, ``sqlite:///:memory:``.

    A new file gets mode 0600; its folder must exist. The schema is brought up by ``migrate``. Raises
    StoreUnavailable with the cause.
    """
    if not url.startswith(_SQLITE) or url == _SQLITE:
        scheme = url.partition("://")[0]
        if scheme.startswith("postgres"):
            raise StoreUnavailable(
                "this release keeps its data in SQLite: set a URL that begins with sqlite:///"
            )
        raise StoreUnavailable(
            "the database's URL is not understood: it begins with sqlite:/// and names a file"
        )
    engine = SqliteEngine(url.removeprefix(_SQLITE), clock, ids)
    await engine.open()
    return Store(engine)
