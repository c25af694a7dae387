"""The errors with which this server refuses calls.

The codes are in ``docs/internals/providers/posit.md``, "Transport".
"""

from __future__ import annotations

from playground.faults import Refused

UNAUTHORISED = 3
PARSE_ERROR = 5
INVALID_REQUEST = 6
METHOD_NOT_FOUND = 7
MISSING = 8
WRONG_TYPE = 9
INVALID = 10
UNKNOWN_SESSION = 14
LICENSE_SESSIONS = 15
LICENSE_USERS = 16
LAUNCH_PARAMETERS = 17
PROFILE_SESSIONS = 20


class CallError(Refused):
    """A refusal that is answered with ``{"error": {"code", "message"}}``, by default with HTTP status 200.

    ``rule`` is the documented rule that the client broke, if any, for the statistics.
    """

    def __init__(self, code: int, message: str, *, status: int = 200, rule: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.rule = rule

    def body(self) -> dict[str, object]:
        """Return the envelope."""
        return {"error": {"code": self.code, "message": self.message}}


class DenialError(Exception):
    """Raised if a token is valid but lacks the required rights. The switches set the format of the answer."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class SignInError(Exception):
    """Raised if a request doesn't identify anyone. The switches set the format of the answer."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def missing(name: str) -> CallError:
    """Return the error for a missing required parameter."""
    return CallError(MISSING, f"Parameter missing: {name}", rule="required parameters are present")


def wrong_type(name: str, kind: str) -> CallError:
    """Return the error for a parameter whose type isn't the documented one."""
    return CallError(
        WRONG_TYPE, f"Parameter type mismatch: {name} must be {kind}", rule="parameters have their type"
    )


def invalid(message: str) -> CallError:
    """Return the error for a value that this server doesn't know or allow."""
    return CallError(INVALID, message)


def unknown_session(identifier: str) -> CallError:
    """Return the error for an id that doesn't belong to a session."""
    return CallError(UNKNOWN_SESSION, f"Invalid session: {identifier}")
