"""The one way in which this server refuses."""

from __future__ import annotations

from playground.faults import Refused


class Refusal(Refused):
    """Carry the status and the message of an answer ``{"message": …}``."""

    def __init__(self, status: int, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
