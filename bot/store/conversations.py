"""Conversations: what "it" refers to, given what a person last said and did in the same channel."""

import json
from collections.abc import Mapping
from typing import Any, Final

from bot.domain.conversations import Referents
from bot.domain.people import Principal
from bot.store import tables
from bot.store.transaction import Priority, Transaction, prioritize

#: How long after an answer words like "it" still refer to what the answer was about, in seconds.
RETENTION_SECONDS: Final = 900.0


@prioritize(Priority.URGENT)
def save_referents(
    tx: Transaction, principal: Principal, channel_id: str, thread_ts: str | None, about: Mapping[str, Any]
) -> None:
    """Save what an answer referred to, replacing the earlier referents in the same channel or thread."""
    key = {"principal": principal.key, "channel_id": channel_id, "thread_ts": thread_ts or ""}
    tables.CONVERSATIONS.upsert(tx, **key, about=dict(about), updated_at=tx.now())


def find_referents(
    tx: Transaction, principal: Principal, channel_id: str, thread_ts: str | None
) -> Referents:
    """Return what the last answer in a channel was about; in a card's thread, return the card's subject.

    A later action that was answered only by its card takes precedence.
    """
    since = tx.now() - RETENTION_SECONDS
    place = {"principal": principal.key, "channel_id": channel_id}
    row = next(iter(tx.all("spoken", **place, thread_ts=thread_ts or "", since=since)), None)
    if thread_ts:
        card = tx.one("card_of_thread", **place, thread_ts=thread_ts)
        if card is not None:
            return _refer_to(card["about"], is_run=str(card["kind"]).startswith("job_"))
        if row is not None and row["thread_ts"] == thread_ts:
            return _parse_referents(row["about"])
    done = tx.one("done_since", **place, since=since if row is None else row["updated_at"])
    if done is not None:
        return _refer_to(done["subject"], is_run=str(done["kind"]).startswith("job."))
    return Referents() if row is None else _parse_referents(row["about"])


def _refer_to(key: str, *, is_run: bool) -> Referents:
    return Referents(runs=(key,)) if is_run else Referents((key,))


def _parse_referents(text: str) -> Referents:
    kept: dict[str, Any] = json.loads(text)
    return Referents(tuple(kept.get("workspaces", ())), tuple(kept.get("runs", ())))
