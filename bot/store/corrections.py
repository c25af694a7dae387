"""Corrections: messages to owners when something that Usher reported turns out to be wrong.

For example, a start was reported as failed but the workspace is running, a stopped workspace is up again, or
a workspace reported as ready goes down within minutes.
"""

import math
from typing import Final

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.operations import Operation, OperationVerb
from bot.domain.work_items import Outcome
from bot.domain.workspaces import DOWN_STATES, NOT_UP_STATES, PROVISIONAL, State, Workspace
from bot.store.notices import add_notices, end_state
from bot.store.tables import OPERATIONS, WORKSPACES, parse_enum
from bot.store.transaction import Row, Transaction

#: Delay, in seconds, before a correction is sent, so that a second read can confirm it.
_DOUBT_SECONDS: Final = 30.0
#: How long, in seconds, Usher may still correct a message that said that a workspace was ready.
#: ``_DONE_SECONDS`` applies to messages about other successes, and ``_FAILED_SECONDS`` to messages about
#: failures. A later change was probably made by the owner outside Usher.
_READY_SECONDS: Final = 600.0
_DONE_SECONDS: Final = 3600.0
_FAILED_SECONDS: Final = 86_400.0
#: A provider may end a workspace up to this many seconds before the time that it announced. If the workspace
#: goes down at that point or later, Usher assumes that the provider ended it.
_EXPIRY_SLACK_SECONDS: Final = 60.0
_FAILURES: Final = frozenset({Outcome.FAILED, Outcome.UNKNOWN})


def note_contradiction(tx: Transaction, before: Row, after: State, seen_at: float) -> bool:
    """Notify an owner if a read or a list contradicts what they were told. Return whether it does.

    ``before`` is the workspace's row before the observation. The workspace is read again before the message
    is sent. Each operation leads to at most one such message.
    """
    workspace_id, was = before["id"], parse_enum(State, before["state"])
    last = OPERATIONS.first(tx, "latest_operation", workspace_id=workspace_id)
    if was is after or (last is not None and last.is_open):
        return False
    said = "" if last is None else _find_contradiction(tx, last, was, after, before["observed_at"] or 0.0)
    if not said and was is State.GONE and tx.one("told_as_gone", id=workspace_id) is not None:
        said = "gone"
    workspace = WORKSPACES.one(tx, id=workspace_id) if said else None
    if workspace is None:
        return False
    if said == "ready" and workspace.notify_stopped is not None:
        return False  # The owner has chosen whether to be told when it stops by itself.
    reason = explain_stop(tx, before, seen_at) if said == "ready" else {}
    _notify(tx, workspace, said, "" if last is None else last.id, seen_at, **reason)
    return True


def explain_stop(tx: Transaction, before: Row, seen_at: float) -> dict[str, str]:
    """Return the reason why a workspace stopped, as part of a message's body. Return {} if it isn't known.

    The reason is either that the provider had announced the stop, or that another person had requested it in
    Usher.
    """
    if is_end_due(before, seen_at):
        return {"expired": before["expiry_mode"]}
    others = tx.one("stopped_by_others", id=before["id"], since=seen_at - _READY_SECONDS)
    return {} if others is None else {"expired": "others"}


def is_end_due(before: Row, seen_at: float) -> bool:
    """Return whether the time that the provider announced for a workspace's end has come."""
    return before["expires_at"] is not None and before["expires_at"] <= seen_at + _EXPIRY_SLACK_SECONDS


def note_late_creations(tx: Transaction, principal: str, connection: str, seen_at: float) -> None:
    """Notify a person that a workspace is listed after all, although its creation seemed to have failed."""
    since = {"since": seen_at - _FAILED_SECONDS, "unmade": f"{PROVISIONAL}%"}
    for row in tx.all("made_after_all", principal=principal, connection=connection, **since):
        found = WORKSPACES.one(tx, id=row["workspace_id"])
        if found is not None and end_state(tx, row["operation_id"]) == "sent":
            _notify(tx, found, "not_made", row["operation_id"], seen_at)


def note_relisted(tx: Transaction, workspace: Workspace, seen_at: float) -> None:
    """Notify a person that a workspace is listed again, although they had removed it."""
    last = OPERATIONS.first(tx, "latest_operation", workspace_id=workspace.id)
    if last is not None and last.outcome is Outcome.FULFILLED and last.verb.brings_down:
        _notify(tx, workspace, "gone", last.id, seen_at)


def _find_contradiction(tx: Transaction, last: Operation, was: State, after: State, checked_at: float) -> str:
    """Find out whether the workspace's new state contradicts a message that was sent to the owner.

    Return a word for that message, or "" if no message is wrong. ``checked_at`` is when the previous state
    was last seen. A message that hasn't been sent yet will show the new state, so it isn't wrong.
    """
    told, since = end_state(tx, last.id), checked_at - (last.ended_at or 0.0)
    if told == "pending":
        return ""
    if last.outcome is Outcome.FULFILLED and not last.verb.brings_down:
        is_ready = not last.creates_stopped and since <= _READY_SECONDS
        return "ready" if is_ready and after in NOT_UP_STATES else ""
    is_failure = last.outcome in _FAILURES and told == "sent"
    if is_failure and last.verb.brings_down:
        is_done = after is State.GONE or (after in DOWN_STATES and last.verb is not OperationVerb.REMOVE)
        return "not_stopped" if is_done and since <= _FAILED_SECONDS else ""
    if not is_failure and last.outcome is not Outcome.FULFILLED:
        return ""
    if was is State.GONE:
        return "gone" if after is State.RUNNING or after in DOWN_STATES else ""
    is_recent = since <= (_FAILED_SECONDS if is_failure else _DONE_SECONDS)
    if after is not State.RUNNING or not is_recent:
        return ""
    return "not_started" if is_failure else "stopped"


def _notify(
    tx: Transaction, workspace: Workspace, said: str, operation_id: str, seen_at: float, **more: str
) -> None:
    if tx.one("was_corrected", subject=workspace.id, prefix=f"{operation_id}:%") is not None:
        return
    # Give the request a time just after that of the read that led here, so that the workspace is read again.
    tx.run("want_gate", id=workspace.id, unmade=f"{PROVISIONAL}%", now=math.nextafter(tx.now(), math.inf))
    body = {"workspace": workspace.id, "connection": workspace.connection}
    body |= {"said": said, "operation": operation_id, **more}
    occasion = f"{operation_id}:{seen_at:.3f}"
    kind, who = NoticeKind.TURNED_OUT, workspace.principal
    add_notices(tx, [NewNotice(workspace.id, kind, occasion, who, body, due_in=_DOUBT_SECONDS)])
