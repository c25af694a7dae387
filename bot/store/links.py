"""Links: on their way to an account, until used or expired."""

from typing import Final

from bot.domain.accounts import Link
from bot.domain.people import Principal
from bot.store.fan_out import FAN_OUT_BATCH_SIZE, repeat_until_done
from bot.store.statements import sql
from bot.store.tables import LINKS
from bot.store.transaction import Engine, Transaction

_EXPIRE_LINKS: Final = sql("""
    UPDATE links SET expires_at = :now, secret = NULL, code_hash = NULL, deferred_command = NULL
    WHERE principal = :principal AND connection = :connection AND stage <> 'used' AND expires_at > :now
""")


def expire(tx: Transaction, principal_key: str, connection: str) -> None:
    """Expire the unused links of a pair, and delete the secrets they hold."""
    tx.run(_EXPIRE_LINKS, principal=principal_key, connection=connection, now=tx.now())


_EMPTY_LINKS: Final = sql("""
    UPDATE links SET secret = NULL, code_hash = NULL, deferred_command = NULL
    WHERE nonce_hash IN (
        SELECT nonce_hash FROM links
        WHERE expires_at <= :now AND (secret IS NOT NULL OR code_hash IS NOT NULL OR deferred_command IS NOT NULL)
        ORDER BY expires_at LIMIT :limit
    )
""")


async def clear_ended_links(engine: Engine) -> int:
    """Delete the contents of ended links, and return their number; the links stay for a day."""
    return await repeat_until_done(
        engine, lambda tx: tx.run(_EMPTY_LINKS, now=tx.now(), limit=FAN_OUT_BATCH_SIZE)
    )


def find_link(tx: Transaction, nonce_hash: str) -> Link | None:
    """Return a link, used or expired ones too (they are kept for a day, for honest answers)."""
    return LINKS.one(tx, nonce_hash=nonce_hash)


_OPEN_LINK_OF: Final = sql("""
    SELECT * FROM links WHERE principal = :principal AND stage = :stage AND expires_at > :now
    ORDER BY created_at DESC, nonce_hash LIMIT 1
""")


def find_open_link(tx: Transaction, principal: Principal, stage: str) -> Link | None:
    """Return the newest unexpired link of a principal in a stage (for the code typed back)."""
    return LINKS.first(tx, _OPEN_LINK_OF, principal=principal.key, stage=stage, now=tx.now())
