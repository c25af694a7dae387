"""What a restored backup had planned may have been done or cancelled since, and nobody here knows.

So nothing of it is done before its person was asked.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from bot.domain.audit import AuditEntry
from bot.domain.errands import Outcome
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.operations import Operation
from bot.domain.runs import Run, Update
from bot.messages.texts import problems
from bot.store import cards, hours, operations, runs, timers, upkeep
from bot.store.audit import append_audit
from bot.store.notices import add_notices
from bot.store.tables import OPERATIONS, RULES, RUNS, WORKSPACES, principal_of
from bot.store.transaction import Transaction

#: The cause of what is paused and of what isn't carried out.
RESTORED: Final = "restored"


def restore(tx: Transaction, administrators: Iterable[str], links: int) -> tuple[float, Mapping[str, int]]:
    """Put everything that is planned on hold, ask its people, and tell the administrators that are known.

    They are ``U…`` or ``T…:U…``. ``links``: how many people are told that a link may be back. Return when the
    backup was made, and how much was held, by kind. From now on the database may be served from.
    """
    backup_at = upkeep.made_at(tx)
    tx.run("seek_notices", since=backup_at)
    held = _hold(tx, backup_at)
    occasion = f"{RESTORED}:{tx.now():.0f}"
    body = {"what": RESTORED, "since": backup_at, "place": said(held)}
    for name in administrators:
        for row in tx.all("people_named", ending=f"%:{name}"):
            who = principal_of(row["principal"])
            add_notices(tx, [NewNotice(f"{RESTORED}:{who.key}", NoticeKind.OUTAGE, occasion, who, body)])
    detail = {"accounts": links, "backup_at": backup_at, **held}
    append_audit(tx, [AuditEntry("operator", "store.restored", "database", "ok", detail)])
    upkeep.unmark(tx, "moved", "copied")
    return backup_at, held


def said(held: Mapping[str, int]) -> str:
    """Say how much was held, by kind."""
    return ", ".join(f"{kind}: {number}" for kind, number in held.items() if number) or "nothing"


def _hold(tx: Transaction, backup_at: float) -> Mapping[str, int]:
    held = Counter[str]()
    for operation in OPERATIONS.found(tx, "all_open_operations"):
        held["requests"] += operations.save_step(tx, _ended(tx, operation, backup_at)) is not None
    for run in RUNS.found(tx, "all_unseen_runs"):
        held["runs"] += runs.save_run_step(tx, _ended(tx, run, backup_at)) is not None
    for workspace in WORKSPACES.found(tx, "all_timers"):
        assert workspace.stop_at is not None, "it is found by that"
        body = {"workspace": workspace.id, "connection": workspace.connection, "stop_at": workspace.stop_at}
        body |= {"cause": RESTORED, "mode": workspace.stop_mode, "backup_at": backup_at}
        occasion = f"{RESTORED}:{workspace.stop_at:.0f}"
        asked = NewNotice(workspace.id, NoticeKind.TIMER_FAILED, occasion, workspace.principal, body)
        held["stops"] += timers.end_timer(tx, workspace.id, workspace.stop_at, [asked])
    for rule in RULES.found(tx, "all_rules"):
        hours.pause(tx, rule, RESTORED)
        held["hours"] += 1
    for row in tx.all("hold_classes", now=tx.now()):
        cards.owe(tx, row["id"], changed=True)
        held["classes"] += 1
    return held


def _ended(tx: Transaction, errand: Operation | Run, backup_at: float) -> Update:
    """Return its end: what was sent may have had its effect, what wasn't isn't sent any more."""
    cause = problems.restored(backup_at)
    body = {"connection": errand.connection, "cause": cause}
    outcome, hides = Outcome.FAILED, False
    if isinstance(errand, Operation):
        workspace = WORKSPACES.one(tx, id=errand.workspace_id)
        hides = workspace is not None and workspace.is_provisional
        outcome = Outcome.UNKNOWN if errand.has_called else outcome
        kind, body = NoticeKind.FAILED, body | {"operation": errand.id, "workspace": errand.workspace_id}
    else:
        kind, body = NoticeKind.JOB_FAILED, body | {"job": errand.id}
    return Update(
        errand.id,
        0.0,
        outcome=outcome,
        cause=cause,
        card_dirty=True,
        hides=hides,
        notices=[NewNotice(errand.id, kind, "end", errand.principal, body)],
        asked_at=errand.asked_at,
    )
