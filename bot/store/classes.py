"""Class cards: what a press does in one transaction, and what the end of a class stops."""

from collections.abc import Sequence

from bot.domain.audit import AuditEntry
from bot.domain.classes import CLASS_WARNING_SECONDS, ClassCard, ClassCounts, ClassProblem, Participant
from bot.domain.notices import NewNotice
from bot.domain.operations import OperationVerb
from bot.domain.people import Principal
from bot.domain.stops import Consent
from bot.domain.timers import ABSENT_SECONDS
from bot.domain.workspaces import NOT_UP, Workspace
from bot.store import cards, operations, warnings, workspaces
from bot.store.audit import append_audit
from bot.store.notices import add_notices
from bot.store.tables import CLASS_CARDS, OPERATIONS, PARTICIPANTS
from bot.store.transaction import Transaction, as_json
from bot.support.guards import guards

#: The least seconds between two redraws of a card: how long a press may wait to be counted.
REST = 3.0
#: The due time when nothing is due: a press, or ending the class, makes it due.
NEVER = 1e12
#: A card is next checked after this share of the time since its last change.
_SLOWER = 0.1
#: What brings a workspace up.
UP = frozenset({OperationVerb.START, OperationVerb.RESTART, OperationVerb.CREATE})


def class_card(tx: Transaction, card_id: str) -> ClassCard | None:
    """Return a card."""
    return CLASS_CARDS.one(tx, id=card_id)


def participant(tx: Transaction, card_id: str, principal: Principal) -> Participant | None:
    """Return a person's press of a card."""
    return PARTICIPANTS.one(tx, card_id=card_id, principal=principal)


def class_counts(tx: Transaction, card_id: str) -> ClassCounts:
    """Count a card's presses."""
    row = tx.one("class_counts", card_id=card_id)
    return ClassCounts(**row) if row else ClassCounts()


def problems(tx: Transaction, card_id: str, limit: int = 100) -> list[ClassProblem]:
    """Return who isn't ready, in the order of their presses."""
    found = []
    for row in tx.all("class_problems", card_id=card_id, limit=limit):
        one = PARTICIPANTS.of(row)
        operation = operations.operation(tx, row["newest_operation"]) if row["newest_operation"] else None
        workspace = workspaces.workspace(tx, one.workspace_id) if one.workspace_id else None
        found.append(ClassProblem(one, operation, workspace))
    return found


def claim_class_cards(tx: Transaction, limit: int, rest: float) -> list[ClassCard]:
    """Lease the cards whose counts, warnings or end are due, for ``rest`` seconds.

    Of one that nobody has looked at for long when it was due, everybody is to be warned again.
    """
    now = tx.now()
    tx.run("void_class_warnings", absent=now - ABSENT_SECONDS)
    return CLASS_CARDS.found(tx, "claim_class_cards", now=now, until=now + rest, limit=limit)


def class_counted(tx: Transaction, card_id: str, counts: ClassCounts, *, rest: float, longest: float) -> None:
    """Mark the card dirty if its counts differ from those shown; set when to look at it again.

    While anything is in progress that is after ``rest`` seconds, or later if nothing has changed for long
    (at most ``longest``); otherwise when the class ends or somebody presses.
    """
    row = CLASS_CARDS.row(tx, id=card_id)
    if row is None:
        return
    now, numbers = tx.now(), as_json([getattr(counts, name) for name in ClassCounts.__slots__])
    has_changed = numbers != row["counted"]
    since = 0.0 if has_changed else now - row["changed_at"]
    wait = rest if since * _SLOWER < rest else min(since * _SLOWER, longest)
    look_at = now + wait if counts.going or counts.stopping else NEVER
    if row["stops_at"] is not None:
        warns_at = row["stops_at"] - CLASS_WARNING_SECONDS
        due = warns_at if warns_at > now else row["stops_at"]
        look_at = min(look_at, due if due > now else now + rest)
    if row["look_at"] <= now:
        # Somebody pressed since these were counted.
        look_at = min(look_at, now + rest)
    tx.run("class_counted", id=card_id, counted=numbers, now=now, look_at=look_at)
    if has_changed:
        cards.owe_about(tx, card_id, changed=True)


def presses_to_warn(tx: Transaction, card_id: str, limit: int) -> list[Participant]:
    """Return who consented and hasn't been warned yet that the class is ending."""
    return PARTICIPANTS.found(tx, "presses_to_warn", card_id=card_id, limit=limit)


@guards("Nobody acts through another's account")
def class_warned(
    tx: Transaction, card_id: str, warned_of: Sequence[tuple[Principal, NewNotice | None]]
) -> None:
    """Write the warnings, and that people were warned; not those who have withdrawn their consent since."""
    for principal, notice in warned_of:
        key = {"card_id": card_id, "principal": principal, "withdrawn_at": None}
        row = PARTICIPANTS.changed(tx, key, warned_at=tx.now())
        if row is not None:
            warning = None if notice is None else warnings.write(tx, notice, row["warning"])
            PARTICIPANTS.change(tx, key, warning=warning)


def presses_to_stop(
    tx: Transaction, card_id: str, limit: int, warned_for: float, waits: float = warnings.WAITS
) -> list[Participant]:
    """Return who consented, hasn't withdrawn it, and hasn't been processed by the end yet.

    Only those whose warning was delivered at least ``warned_for`` seconds ago, never can be, or couldn't for
    ``waits`` seconds.
    """
    now = tx.now()
    times = {"heard": now - warned_for, "waited": now - waits}
    return PARTICIPANTS.found(tx, "presses_to_stop", card_id=card_id, limit=limit, **times)


def ends(tx: Transaction, workspace: Workspace) -> bool:
    """Return whether a workspace is to be stopped at the end of a class, as its person agreed."""
    return tx.one("class_to_end", id=workspace.id, principal=workspace.principal.key) is not None


@guards("Nobody acts through another's account")
def stop_for_class(
    tx: Transaction,
    press: Participant,
    verb: OperationVerb | None = None,
    deadline_seconds: float = 0.0,
    reference: str = "",
    *,
    agreed: Consent = Consent.NONE,
    audit: Sequence[AuditEntry] = (),
    is_final: bool = False,
    unwarned: Sequence[NewNotice] = (),
) -> bool:
    """Write the stop of a consented workspace as its owner's own operation; no verb if nothing is to stop.

    ``unwarned`` is for whom to tell where its owner couldn't be warned; then nothing ends for good
    (``is_final``). Return False, nothing written, if the consent was withdrawn meanwhile or the workspace is
    no longer theirs. A workspace that is already down, or being stopped by its owner, gets no operation.
    """
    key = {"card_id": press.card_id, "principal": press.principal}
    existing = PARTICIPANTS.row(tx, **key)
    if existing is None or existing["ended_at"] is not None or existing["withdrawn_at"] is not None:
        return False
    workspace_id, stop_operation_id, is_theirs = existing["workspace_id"], None, False
    if verb is not None and not warnings.is_delivered(tx, existing["warning"]):
        add_notices(tx, unwarned)
        verb = None if is_final else verb
    if verb is not None and workspace_id is not None and workspace_id == press.workspace_id:
        workspace = workspaces.workspace(tx, workspace_id)
        is_theirs = workspace is not None and workspace.principal == press.principal
        if workspace is not None and is_theirs and _is_up(tx, workspace):
            stopped = operations.accept(tx, workspace, verb, deadline_seconds, reference, agreed=agreed)
            stop_operation_id = stopped.operation.id
            append_audit(tx, audit)
    PARTICIPANTS.change(tx, key, ended_at=tx.now(), stop_operation_id=stop_operation_id)
    if workspace_id is not None:
        # Its person gets no card for it: those before show what becomes of the workspace.
        cards.owe_about(tx, workspace_id, changed=True)
    return is_theirs


def _is_up(tx: Transaction, workspace: Workspace) -> bool:
    """Return whether a workspace is up or coming up, and isn't being brought down by its owner."""
    row = OPERATIONS.row(tx, workspace_id=workspace.id, outcome=None)
    return workspace.state not in NOT_UP if row is None else row["verb"] in UP


def finish_class(
    tx: Transaction, card_id: str, notices: Sequence[NewNotice], audit: Sequence[AuditEntry] = ()
) -> bool:
    """End a card for good, with the summary; return False if it had already ended."""
    if not CLASS_CARDS.change(tx, {"id": card_id, "done_at": None}, done_at=tx.now()):
        return False
    cards.owe_about(tx, card_id, changed=True)
    add_notices(tx, notices, card_id)
    append_audit(tx, audit)
    return True


def class_of_stop(tx: Transaction, operation_id: str) -> ClassCard | None:
    """Return the card whose end caused a stop."""
    return CLASS_CARDS.first(tx, "class_of_stop", operation_id=operation_id)
