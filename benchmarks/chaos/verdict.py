"""The checks after the storm, based on what people saw, the provider did and the database contains."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.chaos.crowd import Acknowledged
from benchmarks.chaos.rows import rows, waits_for_answer
from benchmarks.chaos.stage import SPOKEN_JOB, Person, Stage
from benchmarks.chaos.truth import Truth
from bot.domain.hours import HoursRule
from bot.domain.notices import Mark, NoticeKind
from bot.domain.people import Principal
from bot.store import audit, open_store
from bot.store.tables import RULES
from bot.support.clock import SystemClock, SystemIds
from tests.rigs.endings import find_ending

#: Part of the key of each message which says that a failover has lost records.
_OF_LOSS = f"/{NoticeKind.WRITES_LOST}/"
#: The kind of message that reports each outcome. A replaced operation is reported by the answer to its
#: replacement, and by the replacement's card.
TOLD = {"failed": "failed", "refused": "refused", "cancelled": "failed", "unknown": "failed"}


_RULED = (
    "SELECT rules.principal, workspaces.name FROM rules JOIN workspaces ON workspaces.id = rules.workspace_id"
)
#: Notices that were combined into a summary, which was then sent.
_TOLD_TOGETHER = (
    "SELECT n.principal, n.subject, n.kind, n.occasion, s.occasion AS together FROM notices n"
    " JOIN notices s ON s.id = n.combined_into WHERE s.kind = 'summary' AND s.state = 'sent'"
)


@dataclass(slots=True)
class Shown:
    """When a message began to say something, and when it disappeared, or None if it is still there."""

    since: float
    until: float | None

    def __str__(self) -> str:
        return "it stays" if self.until is None else f"{self.until - self.since:.1f} s"


class Verdict:
    """The comparison of what Usher promised with what happened."""

    def __init__(
        self,
        stage: Stage,
        acknowledged: list[Acknowledged],
        log: Path,
        asked: Mapping[str, float] | None = None,
        hours_set: Sequence[Acknowledged] = (),
    ) -> None:
        """Compare; ``asked`` has the earliest time of each operation if the bot's own clock was changed.

        ``hours_set`` lists the hours that the bot confirmed as set.
        """
        self._stage = stage
        self._acknowledged = acknowledged
        self._log = log
        self._asked = asked or {}
        self._hours_set = hours_set
        #: The time at which all work was done.
        self._end = stage.slack_harness.clock.now()
        self.operations = rows(
            stage.database,
            "SELECT operations.*, workspaces.name, workspaces.remote_id FROM operations"
            " JOIN workspaces ON workspaces.id = operations.workspace_id ORDER BY operations.rowid",
        )
        self._messages = self._direct_messages()
        told = {key: min(one.since for one in shown.values()) for key, shown in self._messages.items()}
        self.truth = Truth(stage, self.operations, told, self._asked)
        for one in self.unwritten():
            self.truth.lost.setdefault((one.who.name, one.workspace, one.verb), []).append(one.sent_at)

    def _direct_messages(self) -> dict[tuple[str, str], dict[str, Shown]]:
        """Return all direct messages, even deleted ones, by person and notice key, and then by ts.

        Once a card says how its operation ended, it also counts as the message about that. A warning that was
        turned into the card of the stop keeps the key under which Slack knows it.
        """
        placed = rows(self._stage.database, "SELECT id, principal, message_ts FROM cards WHERE kind = 'card'")
        cards = {(row["principal"], row["message_ts"]): row["id"] for row in placed}
        found: dict[tuple[str, str], dict[str, Shown]] = defaultdict(dict)
        for slack, history in zip(self._stage.slacks, self._stage.histories, strict=True):
            for reading in history.readings:
                channel = slack.state.channels[reading.channel]
                if channel.kind != "im" or not reading.key:
                    continue
                reader = Principal(None, slack.state.team.id, str(channel.user)).key
                keys, (subject, _, kind) = [reading.key], reading.key.partition("/")
                if not kind.startswith("card/"):
                    subject = cards.get((reader, reading.ts), "")
                if subject and (ending := find_ending(reading.text)):
                    keys.append(f"{subject}/{ending}/end")
                for key in keys:
                    shown = found[reader, key].setdefault(reading.ts, Shown(reading.since, None))
                    shown.until = reading.until
        # Notices that were combined into one message after an outage arrived with that message.
        for row in rows(self._stage.database, _TOLD_TOGETHER):
            reader, key = row["principal"], f"{row['subject']}/{row['kind']}/{row['occasion']}"
            found[reader, key] |= found.get((reader, f"{reader}/summary/{row['together']}"), {})
        return {key: shown for key, shown in found.items() if shown}

    def _is_read(self, reader: str, key: str) -> bool:
        """Return whether the person can still see the message."""
        return any(shown.until is None for shown in self._messages.get((reader, key), {}).values())

    def lost(self) -> list[str]:
        """Describe acknowledged requests without an operation or run, an outcome, or a message about it."""
        unwritten = [one for one in self.unwritten() if not self._hears_of_loss(one)]
        found = [
            f"{one.verb} of {one.who.name}'s {one.workspace}: acknowledged, and not written"
            for one in unwritten
        ]
        found += [problem for operation in self.operations if (problem := self._untold(operation))]
        return found + [problem for run in self.truth.runs if (problem := self._untold_run(run))]

    def unwritten(self) -> list[Acknowledged]:
        """Return the acknowledged requests that have no row."""
        by_place = defaultdict(list)
        for operation in self.operations:
            by_place[operation["principal"], operation["name"], operation["verb"]].append(
                self._since(operation)
            )
        once = {"run": self.truth.runs, "create": self.truth.created}
        for verb, made in once.items():
            for row in made:
                by_place[row["principal"], row["name"], verb].append(row["created_at"])
        found = []
        for one in self._acknowledged:
            mine = by_place[one.who.principal.key, one.workspace, one.verb]
            # If a request joined an operation, the operation is older; otherwise, it was created between the
            # request and the answer. Runs and creations are requested only once, so their name is enough, and
            # their time doesn't matter.
            since = one.sent_at - 0.5 if one.is_new else 0.0
            if not any(one.verb in once or since <= at <= one.answered_at + 0.5 for at in mine):
                found.append(one)
        return found

    def _since(self, operation: dict[str, Any]) -> float:
        return self._asked.get(operation["id"], float(operation["created_at"]))

    def _untold_run(self, run: dict[str, Any]) -> str | None:
        name = f"run {run['id']} of {run['name']}"
        if run["outcome"] is None:
            return None if waits_for_answer(run) else f"{name}: has not ended"
        user = run["principal"]
        told = any(self._is_read(user, f"{run['id']}/{kind}/end") for kind in ("job_ended", "job_failed"))
        return None if told else f"{name}: ended as {run['outcome']}, and {user} doesn't read it"

    def _untold(self, operation: dict[str, Any]) -> str | None:
        name = f"{operation['verb']} {operation['id']}"
        if operation["outcome"] is None:
            return None if waits_for_answer(operation) else f"{name}: has not ended"
        if operation["outcome"] == "replaced":
            later = [w for w in self.operations if w["workspace_id"] == operation["workspace_id"]]
            return None if later[-1]["id"] != operation["id"] else f"{name}: replaced by nothing"
        if self._is_tried_again(operation):
            return None
        kind = TOLD.get(operation["outcome"]) or ("stopped" if operation["verb"] == "stop" else "ready")
        user = operation["principal"]
        if not self._is_read(user, f"{operation['id']}/{kind}/end"):
            return f"{name}: ended as {operation['outcome']}, and {user} doesn't read it"
        return None

    def _is_tried_again(self, operation: Mapping[str, Any]) -> bool:
        """Return whether a failed start was followed by one for the same time, which reports the outcome."""
        return operation["outcome"] == "failed" and any(
            later["planned_for"] == operation["planned_for"]
            and later["workspace_id"] == operation["workspace_id"]
            and later["verb"] == "start"
            and later["created_at"] >= operation["ended_at"]
            for later in self.operations
            if later["planned_for"] is not None
        )

    def hours_lost(self) -> list[str]:
        """Describe hours that weren't stored, and hours whose start or stop didn't happen or went wrong."""
        database = self._stage.database
        ruled = {(row["principal"], row["name"]) for row in rows(database, _RULED)}
        found = [
            f"hours of {one.who.name}'s {one.workspace}: acknowledged, and not written"
            for one in self._hours_set
            if (one.who.principal.key, one.workspace) not in ruled and not self._hears_of_loss(one)
        ]
        known = {(row["rule_id"], row["at"]): row for row in rows(database, "SELECT * FROM occurrences")}
        # If the clock was set back, starts and stops become due later.
        seen = max([row["seen_at"] for row in rows(database, "SELECT * FROM serving")], default=self._end)
        told = {key.split("/")[0] for _, key in self._messages if "/hours_missed/" in key}
        # When each workspace's hours were set, by the bot's clock at that time.
        was_set = {
            json.loads(row["detail"])["workspace"]: row["at"]
            for row in rows(database, "SELECT at, detail FROM audit WHERE action = 'workspace.hours'")
        }
        for rule in map(RULES.parse, rows(database, "SELECT * FROM rules")):
            first = rule.after(was_set[rule.workspace_id])
            settled = known.get((rule.id, first.at)) if first is not None else None
            if first is None or settled is None:
                late = first is not None and first.due_at < min(seen, self._end) - 60.0
                found += [f"hours {rule.id}: nothing became of their {first.side}"] if first and late else []
            elif settled["result"] == "started" and not self._planned(rule, "start", first.at):
                found.append(f"hours {rule.id}: their start was not begun")
            elif settled["result"] == "timer" and not self._is_stopped(rule):
                found.append(f"hours {rule.id}: their stop was not carried out")
            elif settled["result"] == "missed" and rule.workspace_id not in told:
                found.append(f"hours {rule.id}: missed, and not told")
        return found

    def _planned(self, rule: HoursRule, verb: str, at: float | None = None) -> list[dict[str, Any]]:
        """Return the operations that hours requested for a rule's workspace, at one scheduled time or any."""
        return [
            row
            for row in self.operations
            if row["workspace_id"] == rule.workspace_id
            and row["verb"] == verb
            and row["planned_for"] is not None
            and at in {None, row["planned_for"]}
        ]

    def _is_stopped(self, rule: HoursRule) -> bool:
        """Return whether a stop happened, or wasn't needed: the workspace is down or was used again."""
        up = rows(self._stage.database, "SELECT id FROM workspaces WHERE state IN ('running', 'starting')")
        done = [row for row in self.operations if row["workspace_id"] == rule.workspace_id]
        is_up = rule.workspace_id in {row["id"] for row in up}
        # The first operation is the start that came before the hours were set.
        return bool(self._planned(rule, "stop")) or not is_up or len(done) > 1

    def hours_doubled(self) -> list[str]:
        """Describe starts by hours that happened twice, and rules with more stops than were planned.

        A start that failed for a temporary reason may be repeated.
        """
        begun = Counter(
            (row["workspace_id"], row["planned_for"])
            for row in self.operations
            if row["planned_for"] is not None and row["verb"] == "start" and not self._is_tried_again(row)
        )
        found = [f"start of {about} for {at}: {count}" for (about, at), count in begun.items() if count > 1]
        database = self._stage.database
        timers = rows(database, "SELECT rule_id FROM occurrences WHERE result = 'timer'")
        planned = Counter(row["rule_id"] for row in timers)
        for rule in map(RULES.parse, rows(database, "SELECT * FROM rules")):
            stops = len(self._planned(rule, "stop"))
            found += [f"hours {rule.id}: {stops} stops"] if stops > planned[rule.id] else []
        return found

    def unwarned(self) -> list[str]:
        """Describe stops by hours without a warning that reached the owner before the stop.

        Only the order is checked, since five minutes may be shorter if the clock was changed.
        """
        found = []
        for row in self.operations:
            if row["planned_for"] is None or row["verb"] == "start":
                continue
            warning = f"{row['workspace_id']}/stop_warning/"
            reached = [
                one.since
                for (who, key), shown in self._messages.items()
                if who == row["principal"] and key.startswith(warning)
                for one in shown.values()
            ]
            stops = [
                one.at for one in self._stage.calls if (one.resource, one.verb) == (row["remote_id"], "stop")
            ]
            if not reached or max(stops, default=self._end) < min(reached):
                found.append(f"{row['name']} of {row['principal']}")
        return found

    def hours_ended(self) -> list[str]:
        """Describe workspaces with hours that no longer exist at the provider."""
        held = {one.id for one in self._stage.saturn.state.resources.values()}
        query = "SELECT w.* FROM workspaces w JOIN rules r ON r.workspace_id = w.id"
        found = rows(self._stage.database, query)
        return [f"{row['name']} of {row['principal']}" for row in found if row["remote_id"] not in held]

    def hours(self) -> Counter[str]:
        """Count the results of the starts and stops that hours scheduled."""
        found = rows(self._stage.database, "SELECT side, result FROM occurrences")
        return Counter(f"{row['side']}: {row['result']}" for row in found)

    def repeated(self) -> list[str]:
        """Describe the people whose single message led to more than one run."""
        done = Counter(row["principal"] for row in self.truth.runs if row["name"] == SPOKEN_JOB)
        return [f"{SPOKEN_JOB} of {user}: {count} runs" for user, count in done.items() if count > 1]

    def told_twice(self) -> list[str]:
        """Describe what people were told twice: two messages with one key, or two about how one thing ended.

        A failover loses Usher's record of the last few seconds. Usher may therefore undo an edit made in
        those seconds, and may later report a different ending. Neither is counted here. But if a message from
        those seconds is still shown, Usher must not have sent it again.
        """
        failovers = rows(self._stage.database, "SELECT * FROM database_timeline WHERE lost_since IS NOT NULL")
        lost = {
            (ts, one.since)
            for shown in self._messages.values()
            for ts, one in shown.items()
            if any(row["lost_since"] <= one.since <= row["detected_at"] for row in failovers)
        }
        read: dict[tuple[str, str], dict[str, Shown]] = defaultdict(dict)
        ends = {kind for kind in NoticeKind if Mark.END in kind.marks}
        for (user, key), shown in self._messages.items():
            subject, kind, _ = key.rsplit("/", 2)
            known = {ts: one for ts, one in shown.items() if (ts, one.since) not in lost}
            if kind in ends:
                read[user, f"the end of {subject}"] |= known
            read[user, key] |= known | {ts: one for ts, one in shown.items() if one.until is None}
        found: dict[tuple[str, ...], str] = {}
        for (user, what), shown in read.items():
            stays = ", ".join(f"{ts} {one}" for ts, one in shown.items())
            found.setdefault((user, *shown), f"{what} to {user}: {stays}")
        return [said for (_, *messages), said in found.items() if len(messages) > 1]

    def told_of_loss(self) -> int:
        """Count the messages which told people that records of their requests were lost."""
        return sum(_OF_LOSS in key for _, key in self._messages)

    def _hears_of_loss(self, one: Acknowledged) -> bool:
        """Return whether the person was told, after this request was acknowledged, that records are lost."""
        return any(
            user == one.who.principal.key and _OF_LOSS in key and max(shown) > f"{one.answered_at:.6f}"
            for (user, key), shown in self._messages.items()
        )

    def astray(self) -> list[str]:
        """Describe messages, Homes and forms that showed one person's work or workspace to somebody else.

        In a message, the key names the work or workspace; in a Home or form, the id may be anywhere.
        """
        workspaces = rows(self._stage.database, "SELECT id, principal FROM workspaces")
        whose = {row["id"]: row["principal"] for row in (*self.operations, *self.truth.runs, *workspaces)}
        told = [(reader, key.partition("/")[0], key) for reader, key in self._messages]
        for reader, text in self._views():
            told += [(reader, one, f"{one} in a view") for one in whose.keys() & re.findall(r"\w+", text)]
        return [f"{what} to {reader}" for reader, about, what in told if whose.get(about, reader) != reader]

    def _views(self) -> list[tuple[str, str]]:
        """Return everybody's Home and open forms, as pairs of the person's key and the content."""
        return [
            (Principal(None, slack.state.team.id, view.user).key, str(view.definition))
            for slack in self._stage.slacks
            for view in slack.state.views.values()
        ]

    def asked(self) -> int:
        """Count the operations and runs for which a person was asked about a call of unknown outcome."""
        return sum(map(waits_for_answer, (*self.operations, *self.truth.runs)))

    def unlinked(self) -> list[str]:
        """Return the people whose link has ended, although all credentials are valid and nobody unlinked."""
        active = rows(self._stage.database, "SELECT principal FROM accounts WHERE state = 'active'")
        held = {row["principal"] for row in active}
        return [one.name for one in self._stage.people if one.principal.key not in held]

    def alarms(self) -> int:
        """Count the messages which told an administrator that the connection is away."""
        found = rows(
            self._stage.database,
            "SELECT 1 FROM notices WHERE subject LIKE 'outage:%' AND occasion LIKE 'away:%'",
        )
        return len(found)

    def longest_hold(self, limited: Collection[Person]) -> float:
        """Return the longest wait of a start for its call, ignoring people whose requests were limited."""
        calls: dict[str, list[float]] = defaultdict(list)
        for call in self._stage.calls:
            if call.verb == "start":
                calls[call.resource].append(call.at)
        ids = {(one.owner, one.name): one.id for one in self._stage.saturn.state.resources.values()}
        held = [0.0]
        for one in self._acknowledged:
            if one.verb == "start" and one.text.startswith("Starting") and one.who not in limited:
                after = [at for at in calls[ids[one.who.name, one.workspace]] if at >= one.sent_at]
                held += [min(after) - one.answered_at] if after else []
        return round(max(held), 1)

    def leaks(self) -> list[str]:
        """Return the places (the log, Slack channels, Homes and forms) that contain a secret."""
        sinks: Iterable[tuple[str, str]] = [
            ("log", self._log.read_text(encoding="utf-8", errors="replace")),
            *(
                (place, str([message.to_json() for message in messages]))
                for slack in self._stage.slacks
                for place, messages in slack.state.messages.items()
            ),
            *self._views(),
        ]
        return [place for place, text in sinks if any(secret in text for secret in self._stage.secrets())]

    def exceptions(self) -> list[str]:
        """Return the errors that the bot logged with a traceback, unless the database was away or busy."""
        text = self._log.read_text(encoding="utf-8", errors="replace")
        found = [
            line for line in text.splitlines() if "Traceback (most recent" in line or '"where": [' in line
        ]
        return [line for line in found if '"error": "StoreBusy"' not in line]

    async def audit(self) -> str:
        """Return "whole" if the audit log's hash chain is intact; otherwise say where it is broken."""
        store = await open_store(self._stage.database, SystemClock(), SystemIds())
        try:
            bad = await store.perform(audit.verify_audit)
        finally:
            await store.close()
        return "whole" if bad is None else f"broken at row {bad}"

    def dead(self) -> list[str]:
        """Describe the notices that Usher gave up on, except expired replies and replaced warnings."""
        query = "SELECT kind, error FROM notices WHERE state = 'dead' AND error <> 'superseded'"
        found = rows(self._stage.database, query)
        return [f"{row['kind']}: {row['error']}" for row in found if row["kind"] != "reply"]
