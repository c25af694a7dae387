"""The outputs that one process follows: written by whoever reads them, read by whoever displays them.

Nothing here survives the process, and nothing has to: an output can be read again from its beginning.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from bot.domain.models import Shown
from bot.output.spool import Room, Spool
from bot.output.transcript import Transcript

#: The minimum seconds between two updates of a message, and the maximum updates per second of all messages
#: together: just below Slack's limit (50 a minute), to leave room for cards.
EVERY: Final = 3.0
PER_SECOND: Final = 0.72
#: An output counts as busy for this long after its last change.
BUSY_SECONDS: Final = 60.0
#: How many of the last lines are shown when a run ends.
LAST_LINES: Final = 5


@dataclass(slots=True, eq=False)
class Entry:
    """Follow one run's output. Times are monotonic seconds.

    ``is_over``: nothing more will be read. ``is_done``: nothing more will be shown either.
    """

    run_id: str
    transcript: Transcript = field(default_factory=Transcript)
    is_over: bool = False
    is_done: bool = False
    over_at: float = 0.0
    done_at: float = 0.0
    changed_at: float = float("-inf")
    updated_at: float = float("-inf")
    #: The version of the transcript that the message shows; the final update says that the run is over.
    #: Before anything is read, it stays as it is: what it showed earlier is more than nothing.
    shown_version: int = 0
    shown_over: bool = False
    #: No message is updated any more: it was deleted, or the run was over before there was one.
    is_lost: bool = False
    #: No delivery of the file before this time, after this many failures.
    deliver_after: float = 0.0
    deliveries: int = 0
    is_delivering: bool = False

    @property
    def is_dirty(self) -> bool:
        """Return whether the message shows less than is known."""
        if self.is_lost or self.is_done:
            return False
        return self.shown_version != self.transcript.version or self.shown_over != self.is_over

    def over(self, now: float) -> None:
        """Note that nothing more will be read."""
        self.is_over, self.over_at = True, now

    def done(self, now: float) -> None:
        """Note that everything was shown and sent, and release the spool."""
        self.is_done, self.done_at = True, now
        self.transcript.spool.close()


class Board:
    """Hold the outputs that are followed, by the ids of their runs."""

    def __init__(self, monotonic: Callable[[], float], room: Room | None = None) -> None:
        self.monotonic = monotonic
        #: How much disk space their spools share.
        self.room = room or Room()
        self.entries: dict[str, Entry] = {}

    def add(self, run_id: str) -> Entry:
        """Start following an output."""
        entry = self.entries[run_id] = Entry(run_id, Transcript(Spool(room=self.room)))
        return entry

    def drop(self, run_id: str) -> None:
        """Stop following an output."""
        entry = self.entries.pop(run_id, None)
        if entry is not None:
            entry.transcript.spool.close()

    def close(self) -> None:
        """Stop following all outputs."""
        for run_id in list(self.entries):
            self.drop(run_id)

    @property
    def every(self) -> float:
        """Return the seconds between two updates of one message: all of them share Slack's limit."""
        since = self.monotonic() - BUSY_SECONDS
        busy = sum(entry.changed_at >= since and not entry.is_done for entry in self.entries.values())
        return max(EVERY, float(round(busy / PER_SECOND)))

    def shown(self, run_id: str) -> Shown | None:
        """Return what to show of a run's output; None if it isn't followed here."""
        entry = self.entries.get(run_id)
        if entry is None:
            return None
        transcript = entry.transcript
        return Shown(
            tail=transcript.tail,
            lines=transcript.line_count,
            every=self.every,
            is_over=entry.is_over,
            last_lines=tuple(transcript.last_lines(LAST_LINES)),
            version=transcript.version,
        )

    def drawn(self, run_id: str, shown: Shown) -> None:
        """Record what the message about an output shows now."""
        entry = self.entries.get(run_id)
        if entry is not None:
            entry.shown_version, entry.shown_over = shown.version, shown.is_over
            entry.updated_at = self.monotonic()

    def due(self) -> list[Entry]:
        """Return the outputs whose message is due for an update, longest waiting first.

        Once an output has ended, it only waits for the shortest interval.
        """
        now, every = self.monotonic(), self.every
        dirty = [entry for entry in self.entries.values() if entry.is_dirty]
        due = [e for e in dirty if now - e.updated_at >= (EVERY if e.is_over else every)]
        return sorted(due, key=lambda entry: entry.updated_at)
