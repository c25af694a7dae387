"""People's preferences, which also determine whether a new notice is sent."""

from collections.abc import Callable

from bot.domain.notices import Mark, NewNotice, NoticeKind
from bot.domain.people import Principal
from bot.domain.preferences import Preferences, should_send
from bot.domain.runs import RunState
from bot.store.tables import PREFERENCES, make_parser
from bot.store.transaction import Row, Transaction

_WELL = frozenset({RunState.SUCCEEDED, RunState.CANCELLED})
_PREFERENCES: Callable[[Row], Preferences | None] = make_parser("q")


def preferences(tx: Transaction, principal: Principal) -> Preferences:
    """Return a person's preferences, or the defaults if the person has never changed any."""
    return PREFERENCES.one(tx, principal=principal) or Preferences()


def allows_assistant(tx: Transaction, principal: Principal, level: str) -> bool:
    """Return whether a person allows Slack's assistant to act at a given permission level."""
    return preferences(tx, principal).allows_assistant(level)


def save_preferences(tx: Transaction, principal: Principal, wanted: Preferences) -> None:
    """Set a person's preferences."""
    PREFERENCES.upsert(tx, wanted, principal=principal)


def should_send_notice(tx: Transaction, new: NewNotice) -> bool:
    """Return whether a person's preferences allow a new notice to be sent as a separate message."""
    kind = new.kind
    if kind.topic is None and (Mark.IN_CARD not in kind.marks or "becomes" in new.body):
        return True
    (row,) = tx.all("heard", **_make_delivery_params(new))
    is_of_run, wanted = kind is NoticeKind.JOB_ENDED, _PREFERENCES(row) or Preferences()
    is_unknown = kind.subject == "operation" and not row["is_operation"]
    if is_unknown or (is_of_run and row["run_state"] is None):
        return should_send(kind, wanted)
    chosen: bool | None = None
    if kind in {NoticeKind.READY, NoticeKind.STOPPED_ELSEWHERE}:
        chosen = row["notify_ready" if kind is NoticeKind.READY else "notify_stopped"]
    return should_send(
        kind,
        wanted,
        chosen=None if chosen is None else bool(chosen),
        is_failure=is_of_run and row["run_state"] not in _WELL,
        # A start planned by working hours has no card, but is treated as if it had one.
        has_card=bool(row["has_card"] or (row["planned_for"] is not None and kind.topic is not None)),
    )


def ask_delivery(tx: Transaction, new: NewNotice) -> None:
    """Prefetch what ``should_send_notice`` reads."""
    tx.ask("heard", **_make_delivery_params(new))


def _make_delivery_params(new: NewNotice) -> Row:
    return {"subject": new.subject, "workspace": new.body.get("workspace"), "principal": new.principal}
