"""Faults planned by tests: errors in future calls, and faults of output streams."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class PlannedError:
    """An error with which the next ``times`` calls are answered. With ``after``, the server acts first."""

    method: str
    code: int
    message: str
    times: int = 1
    after: bool = False
    user: str | None = None
    status: int = 200


@dataclass(slots=True)
class StreamFault:
    """A fault of the next ``times`` output streams, once ``after_lines`` lines have been sent.

    ``kind`` is cut (in the middle of an object), close, pause (for ``seconds`` of the server's clock), error
    (an error object, after which the stream ends unless ``ends`` is false), or broken_utf8 (in the next
    line).
    """

    kind: str
    job_id: str | None = None
    after_lines: int = 0
    times: int = 1
    seconds: float = 60.0
    code: int = 100
    message: str = "Error reading the output of the job"
    ends: bool = True


@dataclass(slots=True)
class Plans:
    """The faults that tests have planned."""

    errors: list[PlannedError] = field(default_factory=list)
    streams: list[StreamFault] = field(default_factory=list)

    def take_error(self, method: str, user: str, *, after: bool) -> PlannedError | None:
        """Return the planned error for this call, or None, and count it as used."""
        for planned in self.errors:
            fits = planned.method == method and planned.after is after and planned.user in {None, user}
            if fits and planned.times > 0:
                planned.times -= 1
                return planned
        return None

    def stream_fault(self, job_id: str, seen: list[StreamFault]) -> StreamFault | None:
        """Return the next fault for a stream, not counting those that it has already had."""
        waiting = [
            fault
            for fault in self.streams
            if fault.times > 0 and fault.job_id in {None, job_id} and not any(one is fault for one in seen)
        ]
        return min(waiting, key=lambda fault: fault.after_lines, default=None)
