"""What people want to hear: their preferences, and how each notice is sent because of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

from bot.domain.moments import zone_of
from bot.domain.notices import Mark, NewNotice, NoticeKind
from bot.domain.people import AuditEntry, Preferences, Principal
from bot.domain.runs import RunState
from bot.domain.telling import NOW, News, Telling, quiet_until, tell
from bot.store import people
from bot.store.audit import append_audit
from bot.store.tables import OPERATIONS, PREFERENCES, RUNS, WORKSPACES
from bot.store.transaction import Transaction

#: How a run ends that didn't fail.
_WELL = frozenset({RunState.SUCCEEDED, RunState.CANCELLED})


def of(tx: Transaction, principal: Principal) -> Preferences:
    """Return a person's preferences; what they are at first if they never changed them."""
    return PREFERENCES.one(tx, principal=principal) or Preferences()


def save(
    tx: Transaction,
    principal: Principal,
    wanted: Preferences,
    audit: Sequence[AuditEntry] = (),
    interaction: str = "",
) -> None:
    """Set a person's preferences; a repeated interaction changes nothing."""
    if people.first_sight(tx, interaction):
        PREFERENCES.put(tx, wanted, principal=principal)
        append_audit(tx, audit)


def choose(
    tx: Transaction,
    workspace_id: str,
    *,
    ready: bool | None,
    stopped: bool | None,
    audit: Sequence[AuditEntry] = (),
    interaction: str = "",
) -> None:
    """Set what is sent about one workspace; None: as for all of them."""
    if people.first_sight(tx, interaction):
        WORKSPACES.change(tx, {"id": workspace_id}, tells_ready=ready, tells_stopped=stopped)
        append_audit(tx, audit)


def quiet(tx: Transaction, principal: Principal) -> float | None:
    """Return when the quiet hours that a person is in end; None outside of them."""
    return quiet_until(of(tx, principal), tx.now(), _zone(tx, principal))


def telling(tx: Transaction, new: NewNotice) -> Telling:
    """Return how a new notice is sent, by its person's preferences."""
    if Mark.CAN_WAIT not in new.kind.marks:
        return NOW
    wanted = of(tx, new.principal)
    zone = _zone(tx, new.principal) if wanted.quiet_from is not None else zone_of(None)
    return tell(_news(tx, new), wanted, tx.now(), zone)


def _news(tx: Transaction, new: NewNotice) -> News:
    news, workspace_id = News(new.kind), new.body.get("workspace")
    if new.kind.subject == "operation":
        operation = OPERATIONS.row(tx, id=new.subject)
        if operation is None:
            return news
        workspace_id = operation["workspace_id"]
        # The end of a class or of a timer isn't asked for just now; its operation is the person's own.
        is_asked = operation["planned_for"] is None
        is_asked = is_asked and tx.one("class_of_stop", operation_id=new.subject) is None
        news = replace(news, asked_at=operation["created_at"] if is_asked else None)
    elif new.kind is NoticeKind.JOB_ENDED:
        run = RUNS.row(tx, id=new.subject)
        if run is None:
            return news
        news = replace(news, asked_at=run["created_at"], is_failure=run["state"] not in _WELL)
    row = WORKSPACES.row(tx, id=workspace_id) if workspace_id else None
    if row is not None and new.kind in {NoticeKind.READY, NoticeKind.STOPPED_ELSEWHERE}:
        chosen = row["tells_ready" if new.kind is NoticeKind.READY else "tells_stopped"]
        news = replace(news, chosen=None if chosen is None else bool(chosen))
    return replace(news, has_card=tx.one("has_card", subject=new.subject) is not None)


def _zone(tx: Transaction, principal: Principal) -> ZoneInfo:
    person = people.person(tx, principal)
    return zone_of(person.time_zone if person is not None else None)
