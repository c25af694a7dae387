"""A person's actions, found by comparing the rows stored before and after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bot.domain.courses import ClassCard
from bot.domain.hours import HoursRule, Timetable
from bot.domain.people import Principal
from bot.domain.time_parsing import DAYS
from bot.store import accounts, audit, operations, runs, workspaces
from bot.store import courses as courses_store
from bot.store import hours as hours_store
from bot.store import waitlist as waitlist_store

#: Maximum difference between a planned time and the expected one. Time passes while people type.
NEAR = timedelta(minutes=2)
#: ``_IS_SO``: the state in which a verb has nothing left to do. ``_VERBS``: verbs of ``changes`` that acts
#: call by another name.
_IS_SO = {"start": "running", "resume": "running", "stop": "stopped"}
_VERBS = {"cancel": "stop", "force": "stop", "create": "make"}


@dataclass(frozen=True)
class Act:
    """One action, such as ``stop notebook@saturn @ 2027-01-15 17:00``."""

    verb: str
    name: str
    place: str = ""
    #: Further details, such as the skipped day, the hours or a cron line. ``at`` is the planned time.
    detail: str = ""
    at: str = ""

    def __str__(self) -> str:
        name = self.name if self.place in {"", "saturn"} else f"{self.name}@{self.place}"
        words = " ".join(word for word in (self.verb, name, self.detail) if word)
        return f"{words} @ {self.at}" if self.at else words

    def is_meant(self, wanted: str) -> bool:
        """Return whether this is the act that an item's text describes."""
        head, _, at = wanted.casefold().partition(" @ ")
        verb, _, rest = head.partition(" ")
        names = (f"{self.name}@{self.place}".casefold(), self.name.casefold())
        name = next((one for one in names if rest == one or rest.startswith(f"{one} ")), None)
        if verb != self.verb or name is None:
            return False
        detail = rest.removeprefix(name).strip()
        is_same = detail in {"any", self.detail} or bool(detail and self.detail.startswith(f"{detail} "))
        return _is_near(self.at, at) and (is_same or self._is_pause(detail))

    def takes_back(self, former: Act) -> bool:
        """Return whether this act cancels a former plan, or a former skip of a day."""
        is_plan = self.verb == "unplan" and bool(former.at)
        is_day = self.detail.startswith("unskip") and former.detail == self.detail.removeprefix("un")
        return self.name == former.name and (is_plan or is_day)

    def _is_pause(self, detail: str) -> bool:
        """Return whether a skipped day belongs to a pause, which may have a first and a last day."""
        word, *days = detail.replace(" to ", " ").split() or [""]
        skipped = self.detail.removeprefix("skip ")
        return (word, skipped != self.detail) == ("pause", True) and (
            not days or days[0] <= skipped <= days[-1]
        )


def _is_near(one: str, other: str) -> bool:
    if not (one and other):
        return one == other
    return abs(datetime.fromisoformat(one) - datetime.fromisoformat(other)) <= NEAR


async def read_kept(store: Any, who: Principal) -> dict[str, Any]:
    """Return all of a person's rows that they can change, grouped by kind."""
    rows = await store.perform(workspaces.read_workspaces, who, hidden=True)
    latest = {one.id: await store.read(operations.find_latest_operation, one.id) for one in rows}
    return {
        "rows": {one.id: one for one in rows},
        "operations": {key: one for key, one in latest.items() if one is not None},
        "runs": {run.id: run for run in await store.read(runs.list_runs, who)},
        "accounts": {
            one.connection for one in await store.read(accounts.list_accounts, who) if one.state == "active"
        },
        "rules": {one.id: one for one in await store.read(hours_store.list_rules_of_person, who)},
        "cards": {one.id: one for one in await store.read(courses_store.list_courses)},
        "waits": {one.workspace_id for one in await store.read(waitlist_store.list_entries, who)},
        "planned": Counter(
            row["target"] for row in await store.read(audit.read_audit) if row["action"] == "workspace.timer"
        ),
    }


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return the changes between two results of ``read_kept``, each as a verb, a name and a connection."""
    found: list[tuple[str, str, str]] = []
    for key, row in after["rows"].items():
        was = before["rows"].get(key)
        at = (row.title, row.connection)
        operation, former = after["operations"].get(key), before["operations"].get(key)
        if operation is not None and (former is None or former.id != operation.id):
            verb = str(operation.asked_verb)
            is_cancelling = former is not None and former.is_open and verb == "stop"
            if operation.planned_for is None:
                found.append(("cancel" if is_cancelling else verb, *at))
        if was is None:
            found += [("make", *at)]
            continue
        if row.stop_at != was.stop_at:
            is_over = row.stop_at is None and operation is not None and operation.planned_for is not None
            verb = "timer" if row.stop_at is not None else "untimer"
            found += [] if is_over or ("stop", *at) in found else [(verb, *at)]
        if (row.hidden, row.alias) != (was.hidden, was.alias):
            found.append(("forget" if row.hidden else "alias", *at))
    for key, run in after["runs"].items():
        was = before["runs"].get(key)
        if was is None:
            found.append(("run", run.name, run.connection))
        elif run.requested_stop and not was.requested_stop:
            found.append(("stop", run.name, run.connection))
    found += [("unlink", name, name) for name in before["accounts"] - after["accounts"]]
    return found


def acts_of(before: Mapping[str, Any], after: Mapping[str, Any], now: float) -> list[Act]:
    """Return the changes between two results of ``read_kept``, as acts."""
    found = [
        *_of_operations(before, after, now),
        *_of_rows(before, after),
        *_of_jobs(before, after),
        *_of_rules(before, after),
        *_of_cards(before, after),
    ]
    return sorted(found, key=str)


def _of_operations(before: Mapping[str, Any], after: Mapping[str, Any], now: float) -> Iterable[Act]:
    keys = {(one.title, one.connection): key for key, one in after["rows"].items()}
    for verb, name, place in changes({**before, "runs": {}}, {**after, "runs": {}}):
        key = keys.get((name, place), "")
        row, was, operation = (
            after["rows"].get(key),
            before["rows"].get(key),
            after["operations"].get(key),
        )
        is_over = operation is not None and not operation.is_open and not operation.has_called
        if verb in {"timer", "untimer"}:
            planned = row if verb == "timer" else was
            timer = planned.planned_stops.counts
            if timer is None or not (timer.rule or timer.card):
                at = _local(row.stop_at) if verb == "timer" else ""
                yield Act("stop" if at else "unplan", name, place, at=at)
        elif not (is_over and row.state.value == _IS_SO.get(verb)):
            yield Act(_VERBS.get(verb, verb), name, place)
            if verb in {"start", "resume", "restart"} and operation.run_seconds and row.stop_at is None:
                yield Act("stop", name, place, at=_local(now + operation.run_seconds))


def _of_rows(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterable[Act]:
    for key, row in after["rows"].items():
        was = before["rows"].get(key, row)
        told, former = (row.notify_ready, row.notify_stopped), (was.notify_ready, was.notify_stopped)
        if told != former:
            yield Act("mute" if False in told else "unmute", row.title, row.connection)
        # A plan that was cancelled and made again for the same time doesn't count as a change.
        target, is_same = f"{row.connection}/{row.remote_id}", row.stop_at is not None
        is_same = is_same and row.stop_at == was.stop_at
        if is_same and after["planned"][target] > before["planned"][target]:
            yield Act("stop", row.title, row.connection, at=_local(row.stop_at))
        if (key in after["waits"]) != (key in before["waits"]):
            yield Act("queue" if key in after["waits"] else "unqueue", row.title, row.connection)


def _of_jobs(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterable[Act]:
    for key, run in after["runs"].items():
        was = before["runs"].get(key)
        if was is None or (run.requested_stop and not was.requested_stop):
            yield Act("run" if was is None else "stop-run", run.name, run.connection)
    for (place, name), cron in after.get("schedules", {}).items():
        if cron != before["schedules"].get((place, name), ""):
            yield Act("schedule", name, place, cron or "off")


def _clock(minute: int | None) -> str:
    return "" if minute is None else f"{minute // 60 % 24:02d}:{minute % 60:02d}"


def _local(at: float) -> str:
    """Format a time as items do: in London, which is on UTC in winter."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")


def _of_rules(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterable[Act]:
    """Yield the changes to a person's hours and to the lessons of courses that they joined."""
    was, now = before["rules"], after["rules"]
    rows = {**before["rows"], **after["rows"]}
    written: set[tuple[str, bool]] = set()
    for key, rule in now.items():
        name = rows[rule.workspace_id].title
        former = was.get(key)
        if former is None or former.wanted != rule.wanted:
            written.add((rule.workspace_id, _is_once(rule)))
            yield from _as_acts(rule, name)
            continue
        yield from _left_out("hours", name, former, rule)
        if bool(rule.paused) != bool(former.paused):
            yield Act("hours", name, rule.connection, "pause" if rule.paused else "on")
    for rule in (one for key, one in was.items() if key not in now):
        if (rule.workspace_id, _is_once(rule)) not in written:
            written.add((rule.workspace_id, _is_once(rule)))
            name = rows[rule.workspace_id].title
            yield Act("unplan", name, rule.connection) if _is_once(rule) else Act("hours", name, detail="off")


def _is_once(rule: HoursRule) -> bool:
    return not rule.days & {*DAYS}


def _as_acts(rule: HoursRule, name: str) -> Iterable[Act]:
    if not _is_once(rule):
        days = ",".join(day for day in DAYS if day in rule.days)
        until = "" if rule.stops is None else f"-{_clock(rule.stops)}"
        yield Act("hours", name, rule.connection, f"{days} {_clock(rule.starts)}{until}")
        return
    for day in sorted(rule.days):
        for verb, minute in (("start", rule.starts), ("stop", rule.stops)):
            if minute is not None:
                is_next = verb == "stop" and rule.starts is not None and minute <= rule.starts
                at = date.fromisoformat(day) + timedelta(days=is_next)
                yield Act(verb, name, rule.connection, at=f"{at} {_clock(minute)}")


def _left_out(verb: str, name: str, former: Timetable, now: Timetable) -> Iterable[Act]:
    """Yield the days that were newly skipped or no longer are, if something was planned for them."""
    for day in sorted(former.off ^ now.off):
        if day in now.off and former.on(date.fromisoformat(day)):
            yield Act(verb, name, detail=f"skip {day}")
        elif day in former.off and now.on(date.fromisoformat(day)):
            yield Act(verb, name, detail=f"unskip {day}")


def _of_cards(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterable[Act]:
    for key, card in after["cards"].items():
        was: ClassCard | None = before["cards"].get(key)
        if was is None:
            yield Act("card", card.title, card.connection)
            continue
        if card.closed_at is not None and was.closed_at is None:
            yield Act("course", card.title, detail="end")
        else:
            yield from _left_out("course", card.title, was, card)
            if card.wanted != was.wanted or card.last_day != was.last_day:
                yield Act("course", card.title, detail="hours")
    for key, was in before["cards"].items():
        if key not in after["cards"]:
            yield Act("course", was.title, detail="end")
