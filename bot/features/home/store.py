"""Rows of Homes: those due to be published, and those to check again."""

from dataclasses import asdict
from typing import Final

from bot.domain.people import Principal
from bot.domain.row_times import SEND
from bot.features.home.model import OPEN_SECONDS, REDRAW_SECONDS, Home, HomeUse
from bot.store.queues import Queue, declare_queue
from bot.store.slack_rate_limits import UNLIMITED, CallQuota
from bot.store.tables import Table, register_table
from bot.store.transaction import Transaction

# ``Timing.lease`` and Slack's *Retry-After*; ``REDRAW_SECONDS``.
HOMES = register_table(Table("homes", Home, "principal", leased_until=SEND, next_check_at=SEND))


WANTED_HOME_QUEUE: Final = declare_queue(
    Queue(
        name="wanted_homes",
        kind="homes",
        table="homes",
        due="requested_at",
        only="leased_until <= :now",
        changes="leased_until = :until",
        key="principal",
        limit="{room}",
    )
)
#: Homes that nobody waits for, which may show what isn't so any more.
OPEN_HOME_QUEUE: Final = declare_queue(
    Queue(
        name="open_homes",
        kind="homes",
        table="homes",
        due="next_check_at",
        where="next_check_at IS NOT NULL AND requested_at IS NULL",
        key="principal",
        limit="{room}",
    )
)


def use_home(tx: Transaction, principal: Principal, used: HomeUse) -> None:
    """Note that a person opened their Home or pressed something in it: they wait for a view from now on."""
    tx.run("use_home", principal=principal, now=tx.now(), **asdict(used))


def request_redraw(tx: Transaction, principal: Principal) -> None:
    """Queue an open Home to be rendered at once, after its person did something elsewhere."""
    now = tx.now()
    tx.run("want_home", principal=principal.key, now=now, since=now - OPEN_SECONDS)


def claim_wanted_homes(tx: Transaction, limit: int, lease: float, room: CallQuota = UNLIMITED) -> list[Home]:
    """Lease the Homes that people wait for and there is ``room`` for, those who have waited longest first."""
    claimed = HOMES.parse_all(WANTED_HOME_QUEUE.take(tx, lease, limit, **room.within(tx.now())))
    return sorted(claimed, key=lambda home: (home.requested_at or 0.0, home.principal.key))


def claim_open_homes(
    tx: Transaction, limit: int, room: CallQuota = UNLIMITED, share: float = 1.0
) -> list[Home]:
    """Return open Homes that nobody waits for, and set the next check of each.

    As many as there is ``room`` for within a share of it.

    They aren't leased: a view drawn for one carries the version that it replaces, so Slack refuses it if the
    person's own view came first.
    """
    open_homes = HOMES.parse_all(
        OPEN_HOME_QUEUE.take(tx, REDRAW_SECONDS, limit, **room.within(tx.now(), share))
    )
    return sorted(open_homes, key=lambda home: (home.used_at, home.principal.key))


def record_published(tx: Transaction, home: Home, rendered_digest: str, view_hash: str) -> None:
    """Record the view that Slack was sent for a claimed Home; a later use of it stays pending."""
    now = tx.now()
    tx.run(
        "home_published",
        principal=home.principal.key,
        uses=home.uses,
        is_wanted=home.requested_at is not None,
        rendered_digest=rendered_digest,
        view_hash=view_hash,
        next_check_at=now + REDRAW_SECONDS,
    )


def schedule_retry(tx: Transaction, home: Home, due_in: float) -> None:
    """Release a wanted Home to be sent again later, or look at another one again then."""
    column = "next_check_at" if home.requested_at is None else "leased_until"
    HOMES.change(tx, {"principal": home.principal}, **{column: tx.now() + due_in})


def stop_redrawing(tx: Transaction, home: Home) -> None:
    """Stop redrawing a Home until its person uses it again, which may have happened since the claim."""
    rested = {
        "next_check_at": None,
        "requested_at": None,
        "leased_until": 0,
        "answer": None,
        "answered_at": None,
    }
    HOMES.change(tx, {"principal": home.principal, "uses": home.uses}, **rested)
