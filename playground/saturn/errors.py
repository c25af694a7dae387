"""The one way in which this server refuses."""

from __future__ import annotations


class Refusal(Exception):
    """Carry the status and the message of an answer ``{"message": …}`` (``saturn.md``, "Transport")."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
