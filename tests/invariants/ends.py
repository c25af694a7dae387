"""Checks of timers in a history: every change of one is recorded, and judged at the end."""

from collections import Counter
from typing import Any

from bot.domain.people import Principal
from bot.domain.timers import LEAST_TIMER_WARNING_SECONDS, SOONEST_SECONDS, TIMER_WARNING_SECONDS
from bot.store.stop_warnings import MAX_WARNING_DELAY_SECONDS
from bot.store.transaction import Priority
from playground.demo.person import buttons
from tests.invariants.life import PEOPLE, Life

_DOWN = ("stopped", "suspended", "failed", "gone")
#: What people do after a warning: its buttons, and commands.
ANSWERS = ("keep_running", "keep_running", "hour_more", "start {} for 40 min", "stop {}", "keep {}")
#: The answer if somebody keeps a workspace running in time.
_KEPT = "keeps running. No stop is planned."
_WATCH = (
    """
    CREATE TABLE seen_timers (
        id INTEGER PRIMARY KEY, workspace, before, after, needless, state, hidden, rising
    )
    """,
    """
    CREATE TRIGGER timer_changed AFTER UPDATE OF stop_at ON workspaces
    WHEN OLD.stop_at IS NOT NEW.stop_at BEGIN
        INSERT INTO seen_timers (workspace, before, after, needless, state, hidden, rising) VALUES (
            NEW.id, OLD.stop_at, NEW.stop_at, NEW.stop_warned AND NEW.stop_warning IS NULL, NEW.state,
            NEW.hidden, (
                SELECT COUNT(*) FROM operations
                WHERE workspace_id = NEW.id AND outcome IS NULL AND verb IN ('start', 'restart', 'create')
            )
        );
    END
    """,
    # If a workspace starts on its own, a timer that was set before isn't meant for it any more.
    """
    CREATE TRIGGER came_up AFTER UPDATE OF generation ON workspaces
    WHEN NOT EXISTS (
        SELECT 1 FROM operations
        WHERE workspace_id = NEW.id AND outcome IS NULL AND verb IN ('start', 'restart', 'create')
    ) BEGIN
        INSERT INTO seen_timers (workspace) VALUES (NEW.id);
    END
    """,
)


async def watch(life: Life) -> None:
    """Have the database record every change of a timer, with the state of its workspace at that moment."""

    def begin(transaction: Any) -> None:
        for statement in _WATCH:
            transaction._connection.execute(statement)

    await life.store.engine.write(begin, Priority.URGENT)


async def timers(life: Life) -> list[float]:
    """Return the times of all planned stops."""
    rows = await life.rows("SELECT stop_at FROM workspaces WHERE stop_at IS NOT NULL")
    return [row["stop_at"] for row in rows]


async def each_timer_came_to_one_end(life: Life) -> None:
    """Check how each timer ended.

    It has stopped its workspace once, and not too early, or its owner has cancelled it, or there was nothing
    to stop.
    """
    assert await timers(life) == [], "a timer stayed"
    operations = await life.rows("SELECT * FROM operations WHERE planned_for IS NOT NULL")
    done = Counter((row["workspace_id"], row["planned_for"]) for row in operations)
    assert all(count == 1 for count in done.values()), f"stopped twice for one timer: {done}"
    for row in operations:
        assert row["created_at"] >= row["planned_for"], f"stopped too soon: {row}"
    told = await life.rows("SELECT subject, kind, occasion FROM notices WHERE kind LIKE 'timer_%'")
    failed = {(row["subject"], row["occasion"]) for row in told if row["kind"] == "planned_stop_failed"}
    over: Counter[str] = Counter()
    came_up = ""
    changes = await life.rows("SELECT * FROM seen_timers ORDER BY id")
    # A timer of a workspace that went down may be set again, for the same time. Only the last can stop it.
    last = {(one["workspace"], one["before"]): one["id"] for one in changes if one["after"] is None}
    for change in changes:
        is_other, came_up = came_up == change["workspace"], ""
        if change["before"] is change["after"] is None:
            came_up = change["workspace"]
        if change["after"] is not None or change["before"] is None or change["hidden"]:
            continue
        about = change["workspace"], change["before"]
        has_stopped = last[about] == change["id"] and done.pop(about, 0)
        if has_stopped or (about[0], f"{about[1]:.0f}") in failed:
            continue
        is_settled = change["state"] in _DOWN and not change["rising"]
        over[about[0]] += not (is_settled or is_other)
    assert not done, f"stopped for a timer that wasn't set: {done}"
    await _taken_back(life, over)
    await _warned(life, operations)


async def _taken_back(life: Life, over: Counter[str]) -> None:
    """Check that only the owner, or a stop in progress, cancelled the timer of a workspace that is up.

    If a start isn't sent in time, the timer that was requested with it is cancelled each time its owner is
    told so. The owner is then asked again.
    """
    for about, count in over.items():
        kept = await life.rows(
            "SELECT 1 FROM audit WHERE action = 'workspace.timer'"
            f" AND json_extract(detail, '$.workspace') = '{about}'"
            " AND json_extract(detail, '$.stops') = 'never'"
        )
        down = await life.rows(
            f"SELECT 1 FROM operations WHERE workspace_id = '{about}' AND planned_for IS NULL"
            " AND verb IN ('stop', 'suspend', 'force', 'remove')"
        )
        lapsed = await life.rows(
            f"SELECT id FROM operations WHERE workspace_id = '{about}' AND start_call = 'none'"
            " AND cause LIKE 'stale%' UNION ALL SELECT notices.id FROM notices"
            " JOIN operations ON operations.id = notices.subject AND notices.kind = 'waiting'"
            f" WHERE workspace_id = '{about}' AND verb IN ('start', 'restart', 'create')"
        )
        assert count <= len(kept) + len(down) + len(lapsed), f"{count} timers of {about} got lost"


async def _warned(life: Life, operations: list[dict[str, Any]]) -> None:
    """Check that nobody was stopped before a warning was delivered.

    No warning is needed if the person chose a time that was too near for one. For every other planned stop
    there is one warning, unless it can't be delivered.
    """
    set_near = {
        (row["workspace"], row["after"])
        for row in await life.rows("SELECT * FROM seen_timers WHERE after IS NOT NULL AND needless = 1")
    }
    # A warning that became the card of the stop has the operation as its subject, but its occasion is still
    # the planned time.
    warnings = await life.rows(
        "SELECT n.*, COALESCE(o.workspace_id, n.subject) AS workspace FROM notices n"
        " LEFT JOIN operations o ON o.id = n.subject WHERE n.kind = 'stop_warning'"
        " OR (n.kind = 'card' AND o.planned_for IS NOT NULL AND LENGTH(n.occasion) > 9)"
    )
    each = Counter((row["workspace"], row["occasion"]) for row in warnings)
    assert all(count == 1 for count in each.values()), f"warned twice: {each}"
    for row in operations:
        about = row["workspace_id"], row["planned_for"]
        latest = row["created_at"] - LEAST_TIMER_WARNING_SECONDS
        theirs = [one for one in warnings if one["workspace"] == about[0]]
        warned = any(one["message_ts"] and one["sent_at"] <= latest for one in theirs)
        lost = any(
            (one["state"] == "dead" and one["error"] != "superseded")
            or one["created_at"] < latest - MAX_WARNING_DELAY_SECONDS
            for one in theirs
        )
        assert warned or lost or about in set_near, f"stopped without a warning: {row}"
    soonest = min(LEAST_TIMER_WARNING_SECONDS, TIMER_WARNING_SECONDS + SOONEST_SECONDS)
    for row in warnings:
        # If a warning was given up and is written again, its occasion has a suffix after the time.
        at = float(row["occasion"].partition(":")[0])
        assert at - row["created_at"] >= soonest - 1.0, f"warned too late: {row}"


async def answers(life: Life, principal: Principal, answer: str, key: str) -> None:
    """Click a button of a person's newest warning, in time or late, or type a command.

    If the answer says that a workspace keeps running, check that no timer is stopping it or will do so.
    """
    channel = f"D{principal.user_id}"
    mine = [each for each in life.slack.messages if each["channel"] == channel]
    shown = [(each, message["ts"]) for message in mine for each in buttons(message)]
    wanted = [(each, ts) for each, ts in shown if each["action_id"].startswith(f"{answer}:")]
    said, about = None, answer.rpartition(" ")[2]
    if wanted:
        button, ts = wanted[-1]
        about = button["value"]
        said = await life.presses(principal, button["action_id"], about, key, ts)
    elif " " in answer:
        said = await life.types(principal, answer, key)
    if said is None or _KEPT not in said.text:
        return
    left = await life.rows(
        "SELECT planned_for, stop_at FROM workspaces LEFT JOIN operations"
        " ON workspace_id = workspaces.id AND outcome IS NULL"
        f" WHERE '{about}' IN (workspaces.id, remote_id) AND workspaces.principal = '{principal.key}'"
    )
    assert all(row["planned_for"] is row["stop_at"] is None for row in left), f"{said.text}, yet {left}"


async def stopped_for_their_owner(life: Life) -> None:
    """Check that every stop by a timer is made in the name of the workspace's owner."""
    keys = {principal.key for principal in PEOPLE.values()}
    for row in await life.rows("SELECT * FROM audit WHERE json_extract(detail, '$.because') = 'timer'"):
        assert row["actor"] in keys, row
