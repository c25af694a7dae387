"""The local Slack's only exception: an answer with ``ok: false``."""

from __future__ import annotations

from typing import Any

from playground.faults import Refused


class SlackError(Refused):
    """A refusal with one of Slack's documented error codes.

    ``extra`` is added to the body (``needed``, ``provided``, ``response_metadata`` …).
    """

    def __init__(
        self, code: str, *, status: int = 200, headers: dict[str, str] | None = None, **extra: Any
    ) -> None:
        super().__init__(code)
        self.code = code
        self.status = status
        self.headers = headers or {}
        self.extra = extra

    def body(self) -> dict[str, Any]:
        """Return what the client reads."""
        return {"ok": False, "error": self.code, **self.extra}


def invalid_arguments(*messages: str) -> SlackError:
    """Return the error for missing or malformed arguments, with a line for each."""
    return SlackError("invalid_arguments", response_metadata={"messages": [f"[ERROR] {m}" for m in messages]})
