"""The one way in which this server refuses, and every guess about refusals in one place."""

from __future__ import annotations

from playground.faults import Refused

#: Published: 401 with 1, 400 with 10. Of the others only the statuses are usual, their codes are a guess.
ERROR_CODES = {400: 10, 401: 1, 402: 20, 403: 30, 404: 40, 405: 41, 409: 50, 429: 60, 503: 70}


class Refusal(Refused):
    """Carry the status and the message of an answer ``{"message", "error_code"}``."""

    def __init__(self, status: int, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.retry_after = retry_after

    @property
    def body(self) -> dict[str, object]:
        """Return the answer's JSON values."""
        return {"message": self.message, "error_code": ERROR_CODES.get(self.status, self.status)}
