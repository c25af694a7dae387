"""People's Homes: who used theirs when, who waits for a view, and what Slack was last sent."""

from __future__ import annotations

from bot.domain.people import OPEN_SECONDS, REDRAW_SECONDS, Home, HomeUse, Principal
from bot.store.tables import HOMES
from bot.store.text import as_json
from bot.store.transaction import Transaction


def use(tx: Transaction, principal: Principal, used: HomeUse) -> None:
    """Note that a person opened their Home or pressed something in it: they wait for a view from now on."""
    tx.run(
        "use_home",
        principal=principal.key,
        now=tx.now(),
        page=used.page,
        is_totals=used.is_totals,
        answer=None if used.answer is None else as_json(used.answer),
        seen=used.seen,
    )


def want(tx: Transaction, principal: Principal) -> None:
    """Have an open Home drawn at once, because its person did something elsewhere that shows in it."""
    now = tx.now()
    tx.run("want_home", principal=principal.key, now=now, since=now - OPEN_SECONDS)


def claim_wanted(tx: Transaction, limit: int, lease: float) -> list[Home]:
    """Lease the Homes that people wait for, those who have waited longest first."""
    now = tx.now()
    claimed = [HOMES.of(row) for row in tx.all("claim_wanted_homes", now=now, until=now + lease, limit=limit)]
    return sorted(claimed, key=lambda home: (home.wanted_at or 0.0, home.principal.key))


def claim_looks(tx: Transaction, limit: int) -> list[Home]:
    """Return the Homes to look at although nobody waits for them, and set when to look at each again.

    They aren't leased: a view drawn for one carries the version that it replaces, so Slack refuses it if the
    person's own view came first.
    """
    now = tx.now()
    found = tx.all("claim_homes_to_look_at", now=now, again=now + REDRAW_SECONDS, limit=limit)
    return sorted((HOMES.of(row) for row in found), key=lambda home: (home.used_at, home.principal.key))


def published(tx: Transaction, home: Home, drawn: str, view_hash: str) -> None:
    """Note what Slack was sent for a claimed Home; a later use of it stays wanted."""
    now = tx.now()
    tx.run(
        "home_published",
        principal=home.principal.key,
        uses=home.uses,
        is_wanted=home.wanted_at is not None,
        drawn=drawn,
        view_hash=view_hash,
        look_at=now + REDRAW_SECONDS,
    )


def retry(tx: Transaction, home: Home, due_in: float) -> None:
    """Release a wanted Home to be sent again later, or look at another one again then."""
    column = "look_at" if home.wanted_at is None else "leased_until"
    HOMES.change(tx, {"principal": home.principal}, **{column: tx.now() + due_in})


def rest(tx: Transaction, home: Home) -> None:
    """Stop redrawing a Home until its person uses it again, which may have happened since the claim."""
    rested = {"look_at": None, "wanted_at": None, "leased_until": 0, "answer": None, "answered_at": None}
    HOMES.change(tx, {"principal": home.principal, "uses": home.uses}, **rested)


def is_news_waiting(tx: Transaction, *, notices: bool, cards: bool) -> bool:
    """Return whether a notice, or a card whose state changed, is due: whichever of them is asked about."""
    now = tx.now()
    if notices and tx.one("due_notice", now=now) is not None:
        return True
    return cards and tx.one("due_card", now=now) is not None
