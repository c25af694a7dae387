"""The wording of this server's refusals: all guesses about error codes are here."""

from __future__ import annotations

#: Published: 401 with 1, 400 with 10. Of the others only the statuses are usual, their codes are a guess.
ERROR_CODES = {400: 10, 401: 1, 402: 20, 403: 30, 404: 40, 405: 41, 409: 50, 429: 60, 503: 70}


def error_body(status: int, message: str) -> dict[str, object]:
    """Return the JSON values of a refusal."""
    return {"message": message, "error_code": ERROR_CODES.get(status, status)}
