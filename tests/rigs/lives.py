"""Lives of workspaces and runs (from start to end), made up for tests."""

from collections.abc import Iterable
from dataclasses import fields
from decimal import Decimal
from typing import Any

from bot.domain.people import Principal
from bot.domain.prices import Price
from bot.domain.usage import Hours, Known, Life, Moment, Sum
from bot.store.tables import LIVES
from bot.store.transaction import Transaction
from tests.rigs.store import ALICE


def exact(at: float, known: Known = Known.ASKED) -> Moment:
    """Return a moment whose time is known exactly."""
    return Moment(at, at, known)


def best(moment: Moment) -> float:
    """Return the likeliest time: the middle if it happened between two reads, otherwise the earliest."""
    return (moment.earliest + moment.latest) / 2 if moment.known is Known.SEEN else moment.earliest


def measure(life: Life, since: float, until: float, now: float) -> Hours:
    """Return the hours that fall within a window, calculated independently of the store's SQL."""
    until = min(until, now)
    ended = life.ended or Moment(life.last_seen_at, now, Known.ASKED)
    is_unknown = ended.known is Known.UNKNOWN

    def overlap(begin: float, end: float) -> float:
        return max(0.0, min(until, end) - max(since, begin)) / 3600.0

    return Hours(
        overlap(best(life.began), best(ended)),
        overlap(life.began.latest, ended.earliest),
        overlap(life.began.earliest, ended.earliest if is_unknown else ended.latest),
        int(is_unknown and since <= ended.earliest < until),
    )


def make_life(
    began: float | Moment,
    ended: float | Moment | None,
    name: str = "notebook",
    *,
    price: str = "",
    principal: Principal = ALICE,
    **more: Any,
) -> Life:
    """Return the life of a workspace at Saturn Cloud, or of a run. ``price`` is text like ``0.40 USD``."""
    began = began if isinstance(began, Moment) else exact(began)
    ended = ended if isinstance(ended, Moment) or ended is None else exact(ended)
    amount, _, currency = price.partition(" ")
    subject = more.pop("subject", f"saturn/{name}")
    last_seen_at = began.latest if ended is None else ended.earliest
    given: dict[str, Any] = {
        "id": f"life_{principal.user_id}_{name}_{began.earliest:.0f}_{more.get('connection', '')}",
        "kind": "workspace",
        "connection": "saturn",
        "runs_from": best(began),
        "hours": Hours(),
        "workspace_id": None,
        "last_seen_at": last_seen_at,
        "price": Price(Decimal(amount), currency) if price else None,
    }
    given |= more
    kind = given["kind"]
    line = kind, f"{given['connection']}/{name}" if kind == "run" else subject
    given["runs_until"] = given["last_seen_at"] if ended is None else best(ended)
    return Life(line=line, subject=subject, principal=principal, name=name, began=began, ended=ended, **given)


async def keep(store: Any, *lives: Life) -> None:
    """Replace all stored lives by these."""
    rows = [_make_row(one) for one in lives]

    def write(tx: Transaction) -> None:
        tx.run("DELETE FROM lives")
        for row in rows:
            LIVES.add(tx, **row)

    await store.carry_out(write)


def _make_row(life: Life) -> dict[str, Any]:
    made_up = {"line", "runs_from", "runs_until", "hours"}
    row = {one.name: getattr(life, one.name) for one in fields(Life) if one.name not in made_up}
    price, began, ended = row.pop("price"), row.pop("began"), row.pop("ended")
    row |= {"principal": life.principal.key, "price": price and str(price.amount)}
    row |= {"currency": price and price.currency}
    row |= {f"began_{name}": getattr(began, name) for name in ("earliest", "latest", "known")}
    return row | {f"ended_{name}": ended and getattr(ended, name) for name in ("earliest", "latest", "known")}


def sum_up(lives: Iterable[Life], by: str, since: float, until: float, now: float) -> dict[str, Sum]:
    """Sum up lives within a window by workspace, person, connection or template."""
    sums: dict[str, Sum] = {}
    for life in lives:
        keys = {"workspace": life.subject, "person": life.principal.key, "connection": life.connection}
        total = sums.setdefault(keys.get(by, life.template or ""), Sum())
        total.add(measure(life, since, until, now), life.price)
    return sums
