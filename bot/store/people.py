"""The inbox (one effect per interaction) and the table of people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.domain.policy import is_current
from bot.store import rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.domain.models import Person, Principal
    from bot.store.transaction import Transaction


def first_sight(tx: Transaction, interaction: str) -> bool:
    """Write an inbox row; return whether it was new. An empty interaction is always new."""
    return not interaction or tx.run("see_interaction", key=interaction, now=tx.now()) == 1


def result_of(tx: Transaction, interaction: str) -> str:
    """Return the id of what an interaction created, "" if none was kept."""
    row = tx.one("interaction_result", key=interaction)
    return str(row["result"]) if row else ""


def keep_result(tx: Transaction, interaction: str, result: str) -> None:
    """Keep the id of what an interaction created, for repeated deliveries."""
    if interaction:
        tx.run("set_interaction_result", key=interaction, result=result)


def person(tx: Transaction, principal: Principal) -> Person | None:
    """Return what is known about a person."""
    row = tx.one("person", principal=principal.key)
    return rows.person(row) if row else None


def current(tx: Transaction, principal: str) -> Person | None:
    """Return what is known about a person before changing anything for them; None to ask Slack first."""
    row = tx.one("person", principal=principal)
    found = rows.person(row) if row else None
    return found if is_current(found, "change", tx.now()) else None


def has_met(tx: Transaction, principal: Principal) -> bool:
    """Return whether a person was introduced to Usher."""
    return tx.one("has_met", principal=principal.key) is not None


def meet(tx: Transaction, principal: Principal) -> bool:
    """Note that a person is introduced to Usher; return whether it is the first time."""
    return tx.run("meet", principal=principal.key, now=tx.now()) == 1


def save(tx: Transaction, people: Sequence[Person]) -> None:
    """Write people; the newer ``seen_at`` wins unless it is in the future."""
    now = tx.now()
    for one in people:
        tx.run("save_person", **rows.columns(one), now=now)
