"""Links in progress, from when a person begins to link an account until the link is completed or expires."""

from typing import Any

from bot.domain.accounts import Link
from bot.domain.people import Principal
from bot.store.engine import Engine
from bot.store.fan_out import FAN_OUT_BATCH_SIZE, repeat_until_done
from bot.store.tables import LINKS
from bot.store.transaction import Transaction, from_json


def expire(tx: Transaction, principal_key: str, connection: str) -> None:
    """Expire a person's unused links on a connection, and delete the secrets they contain."""
    tx.run("expire_links", principal=principal_key, connection=connection, now=tx.now())


def list_deferred_commands(tx: Transaction, principal: Principal, connection: str) -> list[dict[str, Any]]:
    """Return the commands that are waiting for a person to complete a link on a connection, oldest first."""
    about = {"principal": principal.key, "connection": connection, "now": tx.now()}
    return [from_json(row["deferred_command"]) for row in tx.all("deferred_commands_of_links", **about)]


async def clear_ended_links(engine: Engine) -> int:
    """Clear the contents of links that have ended, and return how many were cleared.

    The emptied links themselves are kept for a day.
    """
    return await repeat_until_done(
        engine, lambda tx: tx.count("empty_links", now=tx.now(), limit=FAN_OUT_BATCH_SIZE)
    )


def find_link(tx: Transaction, nonce_hash: str) -> Link | None:
    """Return a link, even one that was used or expired within the last day.

    The link's page can then say what happened to it.
    """
    return LINKS.one(tx, nonce_hash=nonce_hash)


def find_open_link(tx: Transaction, principal: Principal, stage: str, connection: str = "") -> Link | None:
    """Return a person's newest unexpired link at a given stage, on any connection unless one is given."""
    about = {"stage": stage, "connection": connection}
    return LINKS.first(tx, "open_link_of", principal=principal.key, now=tx.now(), **about)
