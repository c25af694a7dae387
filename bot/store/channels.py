"""Slack channels whose ids have changed: a record of each change, and the rows to update."""

from collections.abc import Mapping
from functools import partial

from bot.store import cards
from bot.store.engine import Engine
from bot.store.fan_out import FAN_OUT_BATCH_SIZE, repeat_until_done
from bot.store.tables import CARDS, CHANNEL_IDS, TABLES
from bot.store.transaction import Row, Transaction, from_json


def note_channel_change(tx: Transaction, place: str, old: str, new: str, at: float) -> list[list[str]]:
    """Record a channel's new id.

    For each earlier id that rows still use, return a list that begins with this id and contains all later
    ones. Slack may report changes late and out of order. If the same id has changed twice, the later change
    is kept.
    """
    kept = CHANNEL_IDS.row(tx, place=place, id=old)
    if kept is None or kept["changed_at"] <= at:
        CHANNEL_IDS.upsert(tx, place=place, id=old, new_id=new, changed_at=at)
    changes = {row["id"]: row["new_id"] for row in CHANNEL_IDS.rows(tx, place=place)}
    chains = [_list_ids(changes, channel) for channel in changes]
    return [one for one in chains if old in one and _find_rows(tx, place, one[0], 1)]


def _list_ids(changes: Mapping[str, str], channel: str) -> list[str]:
    """Return a channel's ids in order, beginning with ``channel``. A channel may return to an earlier id."""
    ids = [channel]
    while (following := changes.get(ids[-1], channel)) not in ids:
        ids.append(following)
    return ids


def find_message_in_channel(tx: Transaction, channel: str) -> str | None:
    """Return the ``ts`` of any message in a channel that a row refers to, or None if there isn't one."""
    row = tx.one("message_in_channel", channel=channel)
    return None if row is None else str(row["message_ts"])


async def replace_channel_id(engine: Engine, place: str, old: str, new: str) -> int:
    """Replace a channel's id in all rows, in batches. Return how many rows were changed."""
    return await repeat_until_done(engine, partial(_replace_id, place=place, old=old, new=new))


def _replace_id(tx: Transaction, place: str, old: str, new: str) -> int:
    rows = _find_rows(tx, place, old, FAN_OUT_BATCH_SIZE)
    for row in rows:
        table, key = TABLES[row["holder"]], row["id"]
        if row["said"]:
            said = from_json(row["said"].replace(f'"{old}"', f'"{new}"'))
            table.change(tx, {table.keys[0][0]: key}, **{row["holds"]: said})
        else:
            table.change(tx, {"id": key}, channel_id=new)
        if table is CARDS:
            cards.queue_messages(tx, key, changed=True)
    return len(rows)


def _find_rows(tx: Transaction, place: str, channel: str, limit: int) -> list[Row]:
    """Return the rows that refer to a channel, each with its table, key, JSON column and content."""
    # Match any enterprise id, because the keys of some people may contain a different one.
    within = f"%:{place.split(':')[1]}:%"
    given = {"within": within, "theirs": within, "holding": f'%"{channel}"%'}
    return tx.all("rows_of_channel", channel=channel, limit=limit, **given)
