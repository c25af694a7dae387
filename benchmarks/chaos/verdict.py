"""The invariants after the storm: from what people saw, what the provider did, what the database holds."""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.clock import SystemClock, SystemIds
from bot.models import Principal
from bot.store import open_store
from bot.store.audit import verify_audit

if TYPE_CHECKING:
    from benchmarks.chaos.crowd import Acknowledged
    from benchmarks.chaos.stage import Stage

#: How each outcome is told; what was replaced is told by the answer to what replaced it, and by its card.
TOLD = {"failed": "failed", "refused": "refused", "cancelled": "failed"}


def rows(database: Path, query: str) -> list[dict[str, Any]]:
    """Return rows of the bot's database, read beside it."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(query)]


def unsettled(database: Path) -> tuple[int, int]:
    """Return how many wishes are open and how many notices are still to be sent."""
    (found,) = rows(
        database,
        "SELECT (SELECT count(*) FROM wishes WHERE outcome IS NULL) AS wishes,"
        " (SELECT count(*) FROM notices WHERE state NOT IN ('sent', 'dead')) AS notices",
    )
    return found["wishes"], found["notices"]


class Verdict:
    """Compare what was promised with what came true."""

    def __init__(self, stage: Stage, acknowledged: list[Acknowledged], log: Path) -> None:
        self._stage = stage
        self._acknowledged = acknowledged
        self._log = log
        self.wishes = rows(
            stage.database,
            "SELECT wishes.*, workspaces.name, workspaces.remote_id FROM wishes"
            " JOIN workspaces ON workspaces.id = wishes.workspace_id ORDER BY wishes.created_at",
        )
        self._messages = self._direct_messages()

    def _direct_messages(self) -> Counter[tuple[str, str]]:
        """Count the messages that arrived, by person and key."""
        state = self._stage.slack.state
        found: Counter[tuple[str, str]] = Counter()
        for channel in state.channels.values():
            if channel.kind != "im":
                continue
            for message in state.messages[channel.id]:
                key = str(((message.metadata or {}).get("event_payload") or {}).get("key") or "")
                if key:
                    found[str(channel.user), key] += 1
        return found

    def lost(self) -> list[str]:
        """Return what was acknowledged and has no wish, no end, or no message about its end."""
        by_place = defaultdict(list)
        for wish in self.wishes:
            by_place[wish["principal"], wish["name"], wish["verb"]].append(wish)
        found = []
        for one in self._acknowledged:
            key = self._stage.principal(one.user).key
            mine = by_place[key, one.workspace, one.verb]
            # A joined wish was made before; a new one between the request and its answer.
            since = one.sent_at - 0.5 if one.is_new else 0.0
            if not any(since <= wish["created_at"] <= one.answered_at + 0.5 for wish in mine):
                found.append(f"{one.verb} of {one.user}'s {one.workspace}: acknowledged, and not written")
        return found + [problem for wish in self.wishes if (problem := self._untold(wish))]

    def _untold(self, wish: dict[str, Any]) -> str | None:
        name = f"{wish['verb']} {wish['id']}"
        if wish["outcome"] is None:
            return f"{name}: has not ended"
        if wish["outcome"] == "replaced":
            later = [w for w in self.wishes if w["workspace_id"] == wish["workspace_id"]]
            return None if later[-1]["id"] != wish["id"] else f"{name}: replaced by nothing"
        kind = TOLD.get(wish["outcome"]) or ("stopped" if wish["verb"] == "stop" else "ready")
        user = Principal.from_key(wish["principal"]).user_id
        if not self._messages[user, f"{wish['id']}/{kind}/end"]:
            return f"{name}: ended as {wish['outcome']}, and {user} was not told"
        return None

    def doubled(self) -> list[str]:
        """Return the keys that arrived more than once."""
        return [f"{key} to {user}" for (user, key), count in self._messages.items() if count > 1]

    def most_starts(self) -> int:
        """Return the most starts that the provider began for one wish."""
        asked: dict[str, list[float]] = defaultdict(list)
        for wish in self.wishes:
            if wish["verb"] != "stop":
                asked[wish["remote_id"]].append(wish["created_at"])
        counted: Counter[tuple[str, int]] = Counter()
        for resource in self._stage.saturn.state.resources.values():
            for run in resource.runs:
                number = bisect_right(asked[resource.id], run.created_at)
                # One that no wish had asked for before counts as two: it is one too many.
                counted[resource.id, number] += 1 if number else 2
        return max(counted.values(), default=0)

    def leaks(self) -> list[str]:
        """Return where a secret stands that must not stand there."""
        state = self._stage.slack.state
        sinks: Iterable[tuple[str, str]] = [
            ("log", self._log.read_text(encoding="utf-8", errors="replace")),
            *((c, str([m.to_json() for m in messages])) for c, messages in state.messages.items()),
        ]
        return [place for place, text in sinks if any(secret in text for secret in self._stage.secrets())]

    def exceptions(self) -> int:
        """Return how often the bot logged an error with a trace."""
        text = self._log.read_text(encoding="utf-8", errors="replace")
        return sum('"exception"' in line for line in text.splitlines())

    async def audit(self) -> str:
        """Say whether the audit's chain is whole."""
        store = await open_store(f"sqlite:///{self._stage.database}", SystemClock(), SystemIds())
        try:
            bad = await verify_audit(store)
        finally:
            await store.close()
        return "whole" if bad is None else f"broken at row {bad}"

    def dead(self) -> list[str]:
        """Return the notices that were given up; replies may expire, nothing else may."""
        found = rows(self._stage.database, "SELECT kind, error FROM notices WHERE state = 'dead'")
        return [f"{row['kind']}: {row['error']}" for row in found if row["kind"] != "reply"]
