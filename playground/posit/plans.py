"""Faults that a test has planned: errors of future calls, and faults of output streams."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class PlannedError:
    """Say which call is answered with an error, so many times; ``after`` lets the server act first."""

    method: str
    code: int
    message: str
    times: int = 1
    after: bool = False
    user: str | None = None
    status: int = 200


@dataclass(slots=True)
class StreamFault:
    """Say what happens to an output stream once ``after_lines`` lines have been sent, so many times.

    ``kind``: cut (in the middle of an object), close, pause (for ``seconds`` of the server's clock), error
    (an error object, and the end unless ``ends`` is false), broken_utf8 (in the next line).
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
    """Hold what a test wants to go wrong."""

    errors: list[PlannedError] = field(default_factory=list)
    streams: list[StreamFault] = field(default_factory=list)

    def take_error(self, method: str, user: str, *, after: bool) -> PlannedError | None:
        """Return the error that this call gets, once less from now on."""
        for planned in self.errors:
            fits = planned.method == method and planned.after is after and planned.user in {None, user}
            if fits and planned.times > 0:
                planned.times -= 1
                return planned
        return None

    def stream_fault(self, job_id: str, seen: list[StreamFault]) -> StreamFault | None:
        """Return the fault that waits next for a stream that has met those seen."""
        waiting = [
            fault
            for fault in self.streams
            if fault.times > 0 and fault.job_id in {None, job_id} and not any(one is fault for one in seen)
        ]
        return min(waiting, key=lambda fault: fault.after_lines, default=None)
