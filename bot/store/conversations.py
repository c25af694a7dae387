"""Conversations: what was last spoken of where a person writes."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from bot.domain.notices import Spoken
from bot.domain.people import Principal
from bot.store import tables
from bot.store.transaction import Transaction

#: For so many seconds people remember what they spoke of.
KEPT_SECONDS: Final = 900.0
_SEVERAL: Final = 2


def speak(
    tx: Transaction, principal: Principal, channel_id: str, thread_ts: str | None, about: Mapping[str, Any]
) -> None:
    """Remember what an answer is about, in place of what was spoken of there before."""
    key = {"principal": principal.key, "channel_id": channel_id, "thread_ts": thread_ts or ""}
    several = about.get("workspaces", ())
    if len(several) < _SEVERAL:
        # What began since without another answer doesn't change what is kept of it.
        former = spoken(tx, principal, channel_id, thread_ts, has_begun=False)
        about = {
            **about,
            "listed": former.listed,
            "says_english": about.get("says_english") or former.says_english,
        }
    else:
        about = {**about, "listed": several}
    tables.CONVERSATIONS.put(tx, **key, about=dict(about), spoken_at=tx.now())


def spoken(
    tx: Transaction, principal: Principal, channel_id: str, thread_ts: str | None, *, has_begun: bool = True
) -> Spoken:
    """Return what was last spoken of there: in a thread below a card, what the card is about.

    What began since without another answer is spoken of, too, unless ``has_begun`` is False: its card is the
    answer.
    """
    since = tx.now() - KEPT_SECONDS
    place = {"principal": principal.key, "channel_id": channel_id}
    rows = tx.all("spoken", **place, thread_ts=thread_ts or "", since=since)
    row = next(iter(rows), None)
    about = _about(row["about"]) if row is not None else Spoken()
    is_asking = row is not None and (about.ask or about.takes_press)
    if row is not None and is_asking and tx.one("act_since", **place, since=row["spoken_at"]) is not None:
        # Its button was pressed, or something else was done in its place.
        about = replace(about, ask="", takes_press=False)
    if thread_ts:
        card = tx.one("card_of_thread", **place, thread_ts=thread_ts)
        if card is not None:
            is_there = row is not None and row["thread_ts"] == thread_ts
            is_run = str(card["kind"]).startswith("job_")
            named = {"runs": (card["about"],)} if is_run else {"workspaces": (card["about"],)}
            return replace(about, **named) if is_there else Spoken(**named)  # type: ignore[arg-type]
        if row is not None and row["thread_ts"] == thread_ts:
            return about
    if not has_begun:
        return about
    since = row["spoken_at"] if row is not None else since
    begun = tx.one("begun_since", **place, since=since)
    if begun is not None:
        return Spoken(
            (begun["workspace_id"],), listed=about.listed, what=begun["verb"], says_english=about.says_english
        )
    run = tx.one("run_since", **place, since=since)
    return Spoken(runs=(run["id"],), listed=about.listed, what="run") if run is not None else about


def _about(text: str) -> Spoken:
    kept: dict[str, Any] = json.loads(text)
    kept |= {key: tuple(value) for key, value in kept.items() if isinstance(value, list)}
    return Spoken(**kept)
