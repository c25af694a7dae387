"""The ways in which this server refuses.

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
    """Carry an answer ``{"error": {"code", "message"}}``: HTTP 200 unless told otherwise.

    ``rule`` names the documented rule that the client broke, for the statistics.
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
    """Say that the token is a good one, but of too low a level; its form is a switch."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class SignInError(Exception):
    """Say that nobody is known by this request; its form is a switch."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def missing(name: str) -> CallError:
    """Return the refusal of a call without a parameter that it must have."""
    return CallError(MISSING, f"Parameter missing: {name}", rule="required parameters are present")


def wrong_type(name: str, kind: str) -> CallError:
    """Return the refusal of a parameter of another type than the documented one."""
    return CallError(
        WRONG_TYPE, f"Parameter type mismatch: {name} must be {kind}", rule="parameters have their type"
    )


def invalid(message: str) -> CallError:
    """Return the refusal of a value that this server does not have or allow."""
    return CallError(INVALID, message)


def unknown_session(identifier: str) -> CallError:
    """Return the refusal of an id that means no session now."""
    return CallError(UNKNOWN_SESSION, f"Invalid session: {identifier}")
