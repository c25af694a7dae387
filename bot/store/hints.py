"""PostgreSQL's NOTIFY, a hint to look for work now rather than at the next tick; the rows say what is due."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, cast

import psycopg
import structlog
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from bot.store.postgres_session import CONNECTING
from bot.store.postgres_transaction import PostgresTransaction
from bot.store.transaction import Transaction

log = structlog.get_logger(__name__)

#: Between two attempts to connect again, in seconds: until then, ticks do.
RETRY_SECONDS: Final = 1.0


def send(tx: Transaction) -> None:
    """Give a hint when the open transaction ends; one that only reads may do so, too."""
    cast("PostgresTransaction", tx).notify()


async def listen(url: str, wake: Callable[[], None]) -> None:
    """Call ``wake`` for each hint, until cancelled; connect again when the connection is lost."""
    given = {name: str(value) for name, value in conninfo_to_dict(url).items()}
    conninfo = make_conninfo(**CONNECTING | given)
    is_lost = False
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
                await connection.execute("LISTEN usher")
                is_lost = False
                # What came while nobody listened.
                wake()
                async for _ in connection.notifies():
                    wake()
        except psycopg.Error as error:
            if is_lost:
                await asyncio.sleep(RETRY_SECONDS)
            else:
                log.info("no hints from other processes", problem=error)
            is_lost = True
