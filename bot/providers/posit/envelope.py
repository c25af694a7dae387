"""The envelope of Workbench API responses, which contain either a result inside wrappers or an error.

Servers report errors with HTTP 200 as well as 4xx, as JSON, plain text or an HTML page
(``docs/internals/providers/posit.md``, "Transport").
"""

import json
import re
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from typing import Any

from bot.providers.answers import to_error
from bot.providers.requests import bad_answer_as_unknown_outcome
from bot.providers.words import clean_words, read_words
from bot.support import errors
from bot.support.responses import Response

#: JSON Pointer to the server's message in an error response.
MESSAGE_POINTER = "/error/message"
#: Maximum number of nested wrappers around a result. The API reference's example for launch_job has two.
MAX_WRAPPINGS = 3
#: Error codes for a service that is unreachable, unavailable or offline. They imply that nothing was done.
_UNREACHABLE_CODES = frozenset({1, 2, 13})
#: Maps most of Workbench's error codes to Usher's errors. ``to_provider_error`` handles the others. For
#: example, the error for a failed execution depends on whether the request was meant to change something.
_ERROR_CLASSES: Mapping[int, type[errors.ProviderError]] = {
    # Either the token is bad, or its level is too low. ``Workbench._explain_refusals`` finds out which.
    **dict.fromkeys((3, 401, 403), errors.Forbidden),
    **dict.fromkeys(range(5, 12), errors.InvalidRequest),
    **dict.fromkeys((14, 404), errors.NotFound),
    # The limits on the total number of sessions and of licensed users; 20 limits one user's sessions.
    **dict.fromkeys((15, 16), errors.NoCapacity),
    17: errors.Misconfigured,  # Launch parameters are required.
    20: errors.LimitReached,
}
_EXECUTION_CODE = 100
#: The message of every error for a failed execution.
_EXECUTION_WORDS = "error occurred while executing method"
_TRANSMISSION_CODE = 200
_BEARER_PATTERN = re.compile(r"\s*bearer\b", re.IGNORECASE)
#: HTTP statuses for temporary refusals: the same request may succeed later.
_LATER_STATUSES = frozenset({408, 409, 423, 425, 429})


def unwrap(response: Response, *, changes: bool) -> Any:
    """Return the result in a response, or raise the ProviderError that the response represents.

    ``changes`` says whether the request was meant to change something. After such a request, an unreadable
    response raises UnknownOutcome, while an empty response means that the server accepted the change.
    """
    answer = None
    with suppress(errors.BadAnswer):
        answer = unwrap_result(response.json())
    error = answer.get("error") if isinstance(answer, dict) else None
    if error and (response.status < 300 or (response.status >= 400 and isinstance(error, dict))):
        error = error if isinstance(error, dict) else {"message": error}
        raise to_provider_error(error, response, changes=changes)
    if not 200 <= response.status < 300:
        # Servers may refuse a token in plain text, with a 401 whose challenge, if any, is for a bearer token.
        challenge = response.headers.get("WWW-Authenticate", "Bearer")
        is_plain = response.status == 401 and not response.body.lstrip().startswith((b"{", b"["))
        is_plain = is_plain and _BEARER_PATTERN.match(challenge) is not None
        raise to_error(response, changes=changes, message_pointer=MESSAGE_POINTER, is_plain=is_plain)
    if answer is None and not (changes and not response.body.strip()):
        with bad_answer_as_unknown_outcome() if changes else nullcontext():
            response.json()
        if not changes:
            # Only a change may be answered with ``null``.
            raise errors.BadAnswer("the answer is null", status=response.status)
    return answer


def unwrap_result(answer: Any) -> Any:
    """Return the content of ``{"result": …}``, which may be nested; a bare response is its own result.

    An object with an error is returned unchanged.
    """
    for _ in range(MAX_WRAPPINGS):
        if not (isinstance(answer, dict) and "result" in answer) or answer.get("error"):
            break
        answer = answer["result"]
    return answer


def to_provider_error(
    error: Mapping[str, Any], response: Response | None, *, changes: bool
) -> errors.ProviderError:
    """Return the error for ``{"code", "message"}``, with the server's message cleaned and shortened."""
    code, status = _parse_code(error.get("code")), None if response is None else response.status
    words = _read_reason(error) or f"error {code}"
    if code in _UNREACHABLE_CODES:
        return errors.ServerFailed(words, status=status, did_nothing=True)
    kind = None if code is None else _ERROR_CLASSES.get(code)
    if code == _EXECUTION_CODE:
        kind = errors.Misconfigured if changes else errors.ServerFailed
    elif code == _TRANSMISSION_CODE:
        kind = errors.UnknownOutcome if changes else errors.ServerFailed
    if kind is None and response is not None:
        # If the code is unknown, it may be an HTTP status. Otherwise, the response's own status decides.
        for said in (code, response.status):
            is_later = said in _LATER_STATUSES or 500 <= (said or 0) < 600
            if is_later or (code is None and (said or 0) >= 400):
                answer = Response(int(said or 0), response.headers, json.dumps(dict(error)).encode())
                return to_error(answer, changes=changes)
    return (kind or errors.InvalidRequest)(words, status=status)


def _read_reason(error: Mapping[str, Any]) -> str:
    """Return the message of an error; for a failed execution, the actual reason.

    The message of such an error is always the same. The reason is in the text for the client or in the error
    that caused it.
    """
    words = read_words(error)
    if words and words.casefold() != _EXECUTION_WORDS:
        return words
    info, inner = error.get("client_info"), error.get("error")
    reason = clean_words(info) if isinstance(info, str) else ""
    return reason or (read_words(inner) if isinstance(inner, dict) else "") or words


def _parse_code(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return int(number) if number.is_integer() else None
