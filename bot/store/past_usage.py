"""Usage from before Usher began to record it, reconstructed from the remaining runs and the audit log.

A task added by migration 0074 reads both in batches after the new release has started. Each audit entry
updates its workspace's last *life* (period of running). If no entry shows when a life ended, it may have
ended at any time after the last sign that the workspace was running.
"""

from typing import Final

from bot.domain.operations import BRINGING_UP, OperationVerb
from bot.domain.usage import Known
from bot.domain.work_items import Outcome
from bot.store import usage
from bot.store.fan_out import register_fan_out
from bot.store.tables import LIVES
from bot.store.transaction import Row, Transaction, from_json

#: Maximum time between two reads of a run, in seconds. A run therefore ended at most this long before its end
#: was recorded.
_READ_SECONDS: Final = 600.0
_BRINGING_DOWN: Final = frozenset(OperationVerb) - BRINGING_UP


def _add_run(tx: Transaction, row: Row, _said: Row) -> None:
    if LIVES.row(tx, id=row["id"]) is None:
        usage.note_run(tx, None, row)


def _follow_entry(tx: Transaction, entry: Row, _said: Row) -> None:
    """Update the periods of running of the workspace or run that an audit entry is about."""
    family, _, verb = entry["action"].partition(".")
    detail, at, result = from_json(entry["detail"]) or {}, entry["at"], entry["result"]
    if "job" in detail:
        _follow_run(tx, entry, detail)
    elif family == "workspace" and "workspace" in detail:
        name = entry["target"].partition("/")[2]
        tx.run("name_past_lives", workspace_id=detail["workspace"], name=name)
    elif family == "call" and result == "accepted" and verb in BRINGING_UP:
        keys = {"workspace_id": entry["target"], "connection": detail.get("connection", "")}
        tx.run("begin_past_life", id=f"past_{entry['id']}", **keys, principal=entry["actor"], at=at)
    elif family == "call" and result == "accepted" and verb in _BRINGING_DOWN:
        _end(tx, entry["target"], at, at, Known.ASKED)
    elif family == "operation" and verb in BRINGING_UP:
        _come_up(tx, entry["target"], at, is_up=result == Outcome.FULFILLED)
    elif family == "operation" and verb in _BRINGING_DOWN:
        _go_down(tx, entry["target"], at, is_down=result == Outcome.FULFILLED)


def _come_up(tx: Transaction, workspace_id: str, at: float, *, is_up: bool) -> None:
    life = tx.one("last_past_life", workspace_id=workspace_id)
    if life is None or life["last_seen_at"] > life["began_earliest"] or life["ended_known"] != Known.UNKNOWN:
        return
    began = {"began_earliest": life["began_earliest"], "workspace_id": workspace_id}
    if not is_up or tx.count("tell_running_life", **began, at=at):
        LIVES.delete(tx, id=life["id"])
        return
    seen = {"ended_earliest": at, "ended_latest": at, "last_seen_at": at}
    LIVES.change(tx, {"id": life["id"]}, began_latest=at, **seen)


def _end(tx: Transaction, workspace_id: str, earliest: float, latest: float, known: Known) -> None:
    life = tx.one("last_past_life", workspace_id=workspace_id)
    if life is not None and life["ended_known"] == Known.UNKNOWN:
        ended = {"ended_earliest": max(earliest, life["last_seen_at"]), "ended_latest": latest}
        LIVES.change(tx, {"id": life["id"]}, **ended, ended_known=known)


def _go_down(tx: Transaction, workspace_id: str, at: float, *, is_down: bool) -> None:
    """Record whether a stop brought the workspace down.

    If it didn't, it is unknown when the workspace went down.
    """
    life = tx.one("last_past_life", workspace_id=workspace_id)
    if life is None:
        return
    if is_down and life["ended_known"] == Known.UNKNOWN:
        _end(tx, workspace_id, life["last_seen_at"], at, Known.SEEN)
    elif is_down and life["ended_latest"] == life["ended_earliest"]:
        LIVES.change(tx, {"id": life["id"]}, ended_latest=at)
    elif not is_down:
        LIVES.change(tx, {"id": life["id"]}, ended_known=Known.UNKNOWN)


def _follow_run(tx: Transaction, entry: Row, detail: Row) -> None:
    life, at = LIVES.row(tx, id=detail["job"]), entry["at"]
    if entry["action"] == "call.launch" and entry["result"] == "accepted" and life is None:
        keys = {"id": detail["job"], "principal": entry["actor"], "connection": detail.get("connection", "")}
        tx.run("begin_past_run", **keys, name=entry["target"], at=at)
    elif entry["action"] == "job.end" and life is not None and life["ended_known"] == Known.UNKNOWN:
        earliest = max(life["began_latest"], at - _READ_SECONDS)
        ended = {"ended_earliest": earliest, "ended_latest": at, "ended_known": Known.SEEN}
        LIVES.change(tx, {"id": life["id"]}, **ended, last_seen_at=earliest)


register_fan_out(
    "past_lives",
    ("some_past_runs", _add_run),
    ("some_past_entries", _follow_entry),
)
