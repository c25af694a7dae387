"""Everything that people could read in a workspace: each version of each message, even of deleted ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from playground.slack.records import Json, Message
from playground.slack.state import State


@dataclass(slots=True)
class Reading:
    """One version of a message, and when it was visible. ``until`` is None if it still is."""

    channel: str
    ts: str
    text: str
    metadata: Json
    since: float
    until: float | None = None

    @property
    def key(self) -> str:
        """Return the key that the app put into the message's metadata."""
        return str((self.metadata.get("event_payload") or {}).get("key") or "")


class History:
    """The versions of all messages in a workspace, in the order in which they appeared."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.readings: list[Reading] = []
        self._now = now
        self._shown: dict[tuple[str, str], Reading] = {}

    @classmethod
    def of(cls, state: State) -> Self:
        """Start recording the history of a workspace."""
        history = cls(state.clock.now)

        def note(what: str, message: Message, _before: Json | None) -> None:
            history.note(what, message.channel, message.ts, message.text, message.metadata)

        state.listeners.append(note)
        return history

    def note(self, what: str, channel: str, ts: str, text: str, metadata: Json | None) -> None:
        """Record that a message was posted, changed or deleted."""
        former = self._shown.pop((channel, ts), None)
        if former is not None:
            former.until = self._now()
        if what != "deleted":
            shown = Reading(channel, ts, text, metadata or {}, self._now())
            self._shown[channel, ts] = shown
            self.readings.append(shown)
