"""The format of this server's refusals. All guesses about error codes are in this module."""

from __future__ import annotations

#: Published are 401 with code 1 and 400 with code 10. The other statuses are common ones, and their codes are
#: guesses.
ERROR_CODES = {400: 10, 401: 1, 402: 20, 403: 30, 404: 40, 405: 41, 409: 50, 429: 60, 503: 70}


def error_body(status: int, message: str) -> dict[str, object]:
    """Return the body of a refusal."""
    return {"message": message, "error_code": ERROR_CODES.get(status, status)}
