"""What one process knows of the outputs that it follows: written by who reads them, read by who shows them.

Nothing here survives the process, and nothing need: an output is read from its beginning again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bot.domain.models import Shown
from bot.output.spool import Room, Spool
from bot.output.transcript import Transcript

if TYPE_CHECKING:
    from collections.abc import Callable

#: A message is updated no more often than this, in seconds; and so many updates a second are made of all
#: messages together: just less than Slack takes (50 a minute), so that cards get through, too.
EVERY: Final = 3.0
PER_SECOND: Final = 0.72
#: An output counts as busy for so long after something came.
BUSY_SECONDS: Final = 60.0
#: So many last lines are told with the end of a run.
LAST_LINES: Final = 5


@dataclass(slots=True, eq=False)
class Entry:
    """Follow one run's output. Times are monotonic seconds.

    ``is_over``: nothing more will be read. ``is_done``: nothing more is to be shown either.
    """

    run_id: str
    transcript: Transcript = field(default_factory=Transcript)
    is_over: bool = False
    is_done: bool = False
    over_at: float = 0.0
    done_at: float = 0.0
    changed_at: float = float("-inf")
    updated_at: float = float("-inf")
    #: The version of the transcript that the message shows; a last drawing says that it is over.
    shown_version: int = -1
    shown_over: bool = False
    #: The message is gone: it is not drawn any more.
    is_lost: bool = False
    #: Nothing is tried before this time, after so many failed deliveries of the file.
    deliver_after: float = 0.0
    deliveries: int = 0
    is_delivering: bool = False

    @property
    def is_dirty(self) -> bool:
        """Say whether the message shows less than is known."""
        if self.is_lost or self.is_done:
            return False
        return self.shown_version != self.transcript.version or self.shown_over != self.is_over

    def over(self, now: float) -> None:
        """Note that nothing more will be read."""
        self.is_over, self.over_at = True, now

    def done(self, now: float) -> None:
        """Note that all was shown and sent; what was spooled is let go of."""
        self.is_done, self.done_at = True, now
        self.transcript.spool.close()


class Board:
    """Hold the outputs that are followed, by the ids of their runs."""

    def __init__(self, monotonic: Callable[[], float], room: Room | None = None) -> None:
        self.monotonic = monotonic
        #: What their spools take together.
        self.room = room or Room()
        self.entries: dict[str, Entry] = {}

    def add(self, run_id: str) -> Entry:
        """Begin to follow an output."""
        entry = self.entries[run_id] = Entry(run_id, Transcript(Spool(room=self.room)))
        return entry

    def drop(self, run_id: str) -> None:
        """Follow an output no more."""
        entry = self.entries.pop(run_id, None)
        if entry is not None:
            entry.transcript.spool.close()

    def close(self) -> None:
        """Follow nothing any more."""
        for run_id in list(self.entries):
            self.drop(run_id)

    @property
    def every(self) -> float:
        """Return the seconds between two updates of one message: they share what Slack takes."""
        since = self.monotonic() - BUSY_SECONDS
        busy = sum(entry.changed_at >= since and not entry.is_done for entry in self.entries.values())
        return max(EVERY, float(round(busy / PER_SECOND)))

    def shown(self, run_id: str) -> Shown | None:
        """Return what is to be shown of a run's output; None when it is not followed here."""
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
        """Note what the message about an output says now."""
        entry = self.entries.get(run_id)
        if entry is not None:
            entry.shown_version, entry.shown_over = shown.version, shown.is_over
            entry.updated_at = self.monotonic()

    def due(self) -> list[Entry]:
        """Return the outputs whose message is to be drawn now, the one that waits longest first.

        What has ended does not wait for its turn's time, only for the others' turns.
        """
        now, every = self.monotonic(), self.every
        dirty = [entry for entry in self.entries.values() if entry.is_dirty]
        due = [e for e in dirty if now - e.updated_at >= (EVERY if e.is_over else every)]
        return sorted(due, key=lambda entry: entry.updated_at)
