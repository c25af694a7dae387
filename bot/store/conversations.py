"""Conversations: what a person's last words and actions in a place were about ("it", "the second one")."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from bot.domain.conversations import Referents
from bot.domain.people import Principal
from bot.store import tables
from bot.store.transaction import Priority, Transaction, prioritize

#: Seconds for which words like "it" still refer to the last answer.
RETENTION_SECONDS: Final = 900.0
#: Seconds for which the next message may answer a question.
ANSWER_SECONDS: Final = 300.0
_MIN_LIST_LENGTH: Final = 2


@prioritize(Priority.URGENT)
def save_referents(
    tx: Transaction, principal: Principal, channel_id: str, thread_ts: str | None, about: Mapping[str, Any]
) -> None:
    """Save what an answer was about, replacing the earlier referents in the same place."""
    key = {"principal": principal.key, "channel_id": channel_id, "thread_ts": thread_ts or ""}
    several = about.get("workspaces", ())
    if len(several) < _MIN_LIST_LENGTH:
        # Keep the list that was answered last; actions since then don't change it.
        former = find_referents(tx, principal, channel_id, thread_ts, has_begun=False)
        about = {
            **about,
            "listed": former.listed,
            "says_english": about.get("says_english") or former.says_english,
        }
    else:
        about = {**about, "listed": several}
    tables.CONVERSATIONS.upsert(tx, **key, about=dict(about), updated_at=tx.now())


def find_referents(
    tx: Transaction, principal: Principal, channel_id: str, thread_ts: str | None, *, has_begun: bool = True
) -> Referents:
    """Return what the last answer in a place was about; in a thread below a card, what the card is about.

    An action since then, whose only answer is its card, takes precedence, unless ``has_begun`` is False.
    """
    since = tx.now() - RETENTION_SECONDS
    place = {"principal": principal.key, "channel_id": channel_id}
    rows = tx.all("spoken", **place, thread_ts=thread_ts or "", since=since)
    row = next(iter(rows), None)
    about = _parse_referents(row["about"]) if row is not None else Referents()
    done = tx.one("done_since", **place, since=since if row is None else row["updated_at"])
    if done is not None:
        # A question is no longer open once its button was pressed, or something else was done.
        about = replace(about, ask="", takes_press=False)
    if row is not None and row["updated_at"] < tx.now() - ANSWER_SECONDS and (about.ask or about.takes_press):
        about = replace(about, ask="", takes_press=False, what="")
    if thread_ts:
        card = tx.one("card_of_thread", **place, thread_ts=thread_ts)
        if card is not None:
            is_there = row is not None and row["thread_ts"] == thread_ts
            is_run = str(card["kind"]).startswith("job_")
            named = {"runs": (card["about"],)} if is_run else {"workspaces": (card["about"],)}
            return replace(about, **named) if is_there else Referents(**named)  # type: ignore[arg-type]
        if row is not None and row["thread_ts"] == thread_ts:
            return about
    if done is None or not has_begun:
        return about
    folder, _, verb = done["kind"].partition(".")
    key = (done["subject"],)
    of: dict[str, Any] = {"runs": key} if folder == "job" else {"workspaces": key}
    return Referents(listed=about.listed, what=verb, says_english=about.says_english, **of)


def _parse_referents(text: str) -> Referents:
    kept: dict[str, Any] = json.loads(text)
    kept |= {key: tuple(value) for key, value in kept.items() if isinstance(value, list)}
    return Referents(**kept)
