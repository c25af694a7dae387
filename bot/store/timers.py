"""Timers of workspaces, set by their owner and due; and the episodes that end them.

An episode counts how often a workspace was brought up: a button drawn in an earlier one is recognised by
that.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bot.domain import errands, operations, timers, workspaces
from bot.domain.classes import REST
from bot.domain.notices import NewNotice, NoticeKind, NoticeState
from bot.store import cards, warnings
from bot.store.notices import add_notices
from bot.store.schema import setting
from bot.store.tables import CARDS, NOTICES, OPERATIONS, WORKSPACES, principal_of, word
from bot.store.transaction import Row, Transaction

#: What a workspace's row holds without a timer.
NONE: Final[Mapping[str, Any]] = {
    "stop_at": None,
    "stop_mode": None,
    "stop_agreed": False,
    "stop_warned": False,
    "stop_warning": None,
    "stop_look_at": None,
    "stop_card": None,
    "stop_rule": None,
    "stop_via": "",
    "stop_start": "",
}
#: How often it is looked whether a warning was delivered, once the end would come too early.
_LOOKS_EVERY: Final = 30.0


def put(tx: Transaction, workspace_id: str, timer: timers.Timer, via: str = "", start: str = "") -> None:
    """Set a workspace's timer, instead of an earlier one; a person's own takes a class's back.

    If its person has just named the time, what is still to be started is good until then. ``via`` is through
    what they asked for it, ``start`` the operation that has to bring the workspace up for it to hold.
    """
    # Who has just named a near end needs no warning, unless it was something else that named it.
    needs_warning = timer.needs_warning(tx.now()) or bool(via)
    if (row := WORKSPACES.row(tx, id=workspace_id)) is not None:
        warnings.drop(tx, row["stop_warning"])
        if not timer.card:
            _withdraw(tx, row)
    WORKSPACES.change(
        tx,
        {"id": workspace_id},
        stop_at=timer.at,
        stop_mode=timer.mode,
        stop_agreed=timer.agreed,
        stop_warned=not needs_warning,
        stop_warning=None,
        stop_look_at=timer.at - timers.warned_before(timer.card) if needs_warning else timer.at,
        stop_card=timer.card or None,
        stop_rule=timer.rule or None,
        stop_via=via,
        stop_start=start,
    )
    if not timer.warns:
        tx.run("limit_start", workspace_id=workspace_id, at=timer.at)
    cards.owe_about(tx, workspace_id, changed=True)


def clear(tx: Transaction, workspace_id: str) -> None:
    """Take a workspace's timer back; of a class's, that withdraws the consent."""
    row = WORKSPACES.row(tx, id=workspace_id)
    if row is not None and row["stop_at"] is not None:
        _withdraw(tx, row)
        WORKSPACES.change(tx, {"id": workspace_id}, **NONE)
        cards.owe_about(tx, workspace_id, changed=True)


def _withdraw(tx: Transaction, workspace: Row) -> None:
    """Withdraw its person's consent to the class that has set a workspace's timer, if one has."""
    if workspace["stop_card"] is not None:
        withdraw(tx, workspace["stop_card"], workspace["principal"])


def withdraw(tx: Transaction, card_id: str, principal_key: str) -> None:
    """Withdraw a person's consent to the end of a class."""
    tx.run("withdraw_consent", card_id=card_id, principal=principal_key, now=tx.now())
    tx.run("look_at_class", id=card_id, now=tx.now(), rest=REST)


def looked_for(now: float) -> dict[str, float]:
    """Return what the claim of timers chooses by besides the time."""
    return {"heard": now - timers.LEAST_TIMER_WARNING_SECONDS}


def claim_timers(
    tx: Transaction, limit: int, lease: float, waits: float = warnings.WAITS
) -> list[workspaces.Workspace]:
    """Return the workspaces whose timers are due; they come again after ``lease`` seconds.

    One that nobody has looked at for long when it was due counts as not warned of, and so does one whose
    warning wasn't delivered, for ``waits`` seconds and unless it never can be. What wasn't due after all is
    looked at when it is.
    """
    now = tx.now()
    found = WORKSPACES.found(
        tx,
        "claim_timers",
        now=now,
        until=now + lease,
        absent=now - timers.ABSENT_SECONDS,
        **looked_for(now),
        waited=now - waits,
        limit=limit,
    )
    early = [one for one in found if now < timers.due_at(one)]
    for one in early:
        look_at_timer(tx, one.id, one.stop_at or 0.0, timers.due_at(one))
    return sorted((one for one in found if one not in early), key=lambda one: (one.stop_at or 0.0, one.id))


def look_at_timer(
    tx: Transaction, workspace_id: str, stop_at: float, at: float, *, unwarned: bool = False
) -> None:
    """Set when a timer is checked next, and that its person must be warned again, if it is still the same."""
    again = {"stop_warned": False} if unwarned else {}
    WORKSPACES.change(tx, {"id": workspace_id, "stop_at": stop_at}, stop_look_at=at, **again)


def timer_warned(
    tx: Transaction,
    workspace_id: str,
    stop_at: float,
    moved_to: float,
    notice: NewNotice,
    *,
    again: bool = False,
) -> None:
    """Write the warning, and the time of the stop that it names, if the timer is still the same.

    While one is on its way, the stop only moves, and not after it was drawn. ``again``: they were warned of
    it before.
    """
    row = WORKSPACES.row(tx, id=workspace_id, stop_at=stop_at, stop_warned=again)
    if row is None:
        return
    now, least = tx.now(), timers.LEAST_TIMER_WARNING_SECONDS
    warning_id, former = row["stop_warning"], None if again else warnings.of(tx, row["stop_warning"])
    look_at = max(moved_to - least, now + _LOOKS_EVERY)
    if former is not None and warnings.is_on_its_way(former) and stop_at > now:
        is_drawn = former["state"] == NoticeState.LEASED
        moved_to = stop_at if is_drawn else max(stop_at, now + least + _LOOKS_EVERY)
        for table in (NOTICES, CARDS):
            table.change(tx, {"id": warning_id}, body=notice.body | {"stop_at": moved_to})
    else:
        warning_id = warnings.write(tx, notice, warning_id)
    moved = {"stop_at": moved_to, "stop_look_at": look_at, "stop_warning": warning_id}
    WORKSPACES.change(tx, {"id": workspace_id}, stop_warned=True, **moved)
    cards.owe_about(tx, workspace_id, changed=True)


def is_warned(tx: Transaction, workspace_id: str) -> bool:
    """Return whether the warning of a workspace's timer was delivered, or none was needed."""
    row = WORKSPACES.row(tx, id=workspace_id)
    return row is None or warnings.is_delivered(tx, row["stop_warning"])


def end_timer(tx: Transaction, workspace_id: str, stop_at: float, notices: Sequence[NewNotice] = ()) -> bool:
    """Clear a timer that is carried out or can't be, with the message to its person; False if it changed."""
    if not WORKSPACES.change(tx, {"id": workspace_id, "stop_at": stop_at}, **NONE):
        return False
    add_notices(tx, notices)
    cards.owe_about(tx, workspace_id, changed=True)
    return True


def settle_timer(tx: Transaction, workspace_id: str) -> bool:
    """Clear the timer of a workspace that is down without anybody bringing it up; return whether it was.

    So is one that holds only for what a start brings up, once that has ended without doing anything.
    """
    return tx.run(setting("settle_timer", *NONE), id=workspace_id, now=tx.now(), **NONE) > 0


#: What a later release's verb does isn't known here: it is in neither.
_BRING_DOWN: Final = frozenset(verb.value for verb in operations.OperationVerb if verb.brings_down)
_BRING_UP: Final = frozenset(operations.OperationVerb) - _BRING_DOWN
#: Whoever goes down from one of these was of use until then.
_IN_USE: Final = frozenset({workspaces.State.RUNNING, workspaces.State.STOPPING})


def note(
    tx: Transaction,
    workspace_id: str,
    before: str,
    after: workspaces.State,
    seen_at: float,
    *,
    came_up_again: bool = False,
) -> None:
    """Note what a read or a list found: that a workspace came up by itself, or that it went down.

    ``came_up_again``: it was down in between, without being seen. A timer is for what was up when it was set:
    it ends with that.
    """
    if after in workspaces.NOT_UP:
        settle_timer(tx, workspace_id)
        if word(workspaces.State, before) in _IN_USE:
            _went_down(tx, workspace_id, seen_at)
    elif after in workspaces.UP and (came_up_again or word(workspaces.State, before) in workspaces.NOT_UP):
        # An open operation's episode began when that was accepted.
        operation = OPERATIONS.row(tx, workspace_id=workspace_id, outcome=None)
        if operation is None or operation["verb"] in _BRING_DOWN:
            tx.run("next_episode", id=workspace_id)
            WORKSPACES.change(tx, {"id": workspace_id}, **NONE)


def _went_down(tx: Transaction, workspace_id: str, seen_at: float) -> None:
    """Tell its owner if nobody asked for it: no operation on it is open or was cut short.

    The notice (STOPPED_ELSEWHERE; subject: the workspace; occasion: when it was seen) is written once each
    time. Whether it is told is for its owner to say (``bot.domain.notices``).
    """
    row = tx.one("stop_watch", id=workspace_id)
    if row is None or row["open_operation"] is not None:
        return
    operation = tx.one("latest_operation", workspace_id=workspace_id)
    # A stop that wasn't seen to finish may be what stopped it; one that was has long been over.
    is_ours = (
        operation is not None
        and operation["verb"] not in _BRING_UP
        and operation["outcome"] != errands.Outcome.FULFILLED
    )
    if is_ours:
        return
    body = {"workspace": workspace_id, "connection": row["connection"]}
    principal = principal_of(row["principal"])
    occasion = f"{seen_at:.3f}"
    add_notices(tx, [NewNotice(workspace_id, NoticeKind.STOPPED_ELSEWHERE, occasion, principal, body)])
