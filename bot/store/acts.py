"""Acts: what each person had done lately, with what takes it back."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bot.domain.acts import HOURS, RECENT_SECONDS, TIMER, Act
from bot.domain.hours import Rule
from bot.domain.operations import Operation
from bot.domain.people import Principal
from bot.domain.workspaces import Workspace
from bot.store import preferences
from bot.store.tables import ACTS, PREFERENCES, RULES, RUNS, WORKSPACES
from bot.store.transaction import Transaction

#: What changes about a rule by itself, so that it says nothing about what its person wants.
_OF_RULES: Final = frozenset(
    {"settled_at", "look_at", "lesson_look_at", "lead", "seen_zone", "started_at", "unused"}
)


def act(tx: Transaction, key: str) -> Act | None:
    """Return an act, or the last one that began an errand."""
    return ACTS.one(tx, id=key) or next(iter(ACTS.all(tx, "done_at DESC", errand=key)), None)


def recent_acts(
    tx: Transaction, principal: Principal, channel_id: str = "", thread_ts: str = ""
) -> list[Act]:
    """Return a person's acts of two minutes that weren't taken back.

    Those of a thread come first, then those of its conversation; of each the newest.
    """
    since = tx.now() - RECENT_SECONDS
    place = {"channel_id": channel_id, "thread_ts": thread_ts}
    return ACTS.found(tx, "recent_acts", principal=principal.key, since=since, **place)


def acts_since(tx: Transaction, principal: Principal, since: float) -> list[Act]:
    """Return a person's acts from a moment on, the newest first."""
    return ACTS.found(tx, "acts_since", principal=principal.key, since=since)


def asker_of(tx: Transaction, operation: Operation) -> str:
    """Return what began an operation in its person's name, "" for themself; 0.1.0 began what is in no act."""
    found = ACTS.all(tx, "done_at", errand=operation.id)
    if found or operation.planned_for is None:
        return found[0].asker if found else ""
    return TIMER if operation.verb.brings_down else HOURS


def hours(tx: Transaction, rules: Sequence[Rule | str]) -> dict[str, Any]:
    """Return what rows say about hours, by the ids of their rules; those that are gone have no row."""
    ids = sorted({one if isinstance(one, str) else one.id for one in rules})
    return {"rules": {one: RULES.row(tx, id=one) for one in ids}}


def was_asked(tx: Transaction, workspace: Workspace, since: float) -> bool:
    """Return whether a workspace's person has done anything with it since then."""
    who = {"principal": workspace.principal.key, "subject": workspace.id}
    return tx.one("was_asked", **who, since=since) is not None


def by_now(tx: Transaction, act: Act) -> Mapping[str, Any] | None:
    """Return what rows say by now of what an act changed, as ``became`` has it; None if they are gone."""
    names = [name for name in act.became if name != "rules"]
    if act.action == "settings.save":
        return PREFERENCES.columns(preferences.preferences(tx, act.principal))
    row = (RUNS if act.action.startswith("job.") else WORKSPACES).row(tx, id=act.subject) if names else {}
    if row is None:
        return None
    said = {name: row[name] for name in names}
    if (rules := act.became.get("rules")) is not None:
        found = hours(tx, rules)["rules"]
        said["rules"] = {key: _alike(found[key], then) for key, then in rules.items()}
    return said


def _alike(row: Mapping[str, Any] | None, then: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    if row is None or then is None:
        return row
    return {name: then.get(name) if name in _OF_RULES else value for name, value in row.items()}
