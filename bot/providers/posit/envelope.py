"""The envelope of the Workbench API: a result inside its wrappers, or an error.

``POST {server}/api/{method}`` with a bearer token (``docs/internals/providers/posit.md``, "Transport").
Servers report errors with HTTP 200 as well as with 4xx, and as JSON, plain text or an HTML page.
"""

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

from bot.providers.answers import read_words, to_error
from bot.providers.requests import bad_answer_as_unknown_outcome
from bot.support import errors
from bot.support.responses import Response

#: launch_job is wrapped twice in the reference's example.
MAX_WRAPPINGS = 3
#: The service couldn't be reached, is unavailable or offline. (client: the method wasn't executed)
_UNREACHABLE = frozenset({1, 2, 13})
_UNAUTHORISED = frozenset({3, 401, 403})
_GONE = frozenset({14, 404})
#: The sessions and the users of the licence, which all share; and the sessions of a person's own profile.
_SHARED = frozenset({15, 16})
_OWN_SESSIONS = 20
_PARAMETERS_MISSING = 17
_EXECUTION = 100
_TRANSMISSION = 200


def unwrap(response: Response, *, changes: bool) -> Any:
    """Return the result of a response; raise the ProviderError that it represents.

    ``changes``: the request changes something, so an unreadable response leaves its outcome open,
    and an empty one means that it was accepted.
    """
    answer = _json(response)
    error = answer.get("error") if isinstance(answer, dict) else None
    if isinstance(error, dict) and not 300 <= response.status < 400:
        raise error_in(error, response.status, changes=changes)
    if not 200 <= response.status < 300:
        raise to_error(response, changes=changes)
    if answer is None and not (changes and not response.body.strip()):
        with bad_answer_as_unknown_outcome() if changes else nullcontext():
            response.json()
        if not changes:
            # For a change ``null`` is accepted.
            raise errors.BadAnswer("the answer is null", status=response.status)
    return inner(answer)


def inner(answer: Any) -> Any:
    """Return what is inside ``{"result": …}``, once or twice; a bare response is its own result."""
    for _ in range(MAX_WRAPPINGS):
        if not (isinstance(answer, dict) and "result" in answer):
            break
        answer = answer["result"]
    return answer


def error_in(error: Mapping[str, Any], status: int | None, *, changes: bool) -> errors.ProviderError:
    """Return the error for ``{"code", "message"}``; the server's words are cleaned and cut."""
    code = _code(error.get("code"))
    words = read_words(error) if (status or 0) < 500 else ""
    if code in _UNREACHABLE:
        return errors.ServerFailed(words or f"error {code}", status=status, did_nothing=True)
    return _kind(code, changes=changes)(words or f"error {code}", status=status)


def _kind(code: int | None, *, changes: bool) -> type[errors.ProviderError]:
    if code in _UNAUTHORISED:
        # Either the token or its level is refused; ``acting`` finds out which, knowing what was asked for.
        return errors.Forbidden
    if code in _GONE:
        return errors.NotFound
    if code in _SHARED:
        return errors.NoCapacity
    if code == _OWN_SESSIONS:
        return errors.LimitReached
    if code == _PARAMETERS_MISSING or (code == _EXECUTION and changes):
        return errors.Misconfigured
    if code == _TRANSMISSION:
        return errors.UnknownOutcome if changes else errors.ServerFailed
    if code == _EXECUTION:
        return errors.ServerFailed
    # Codes 5 to 11, and unknown ones: the message says what is wrong.
    return errors.InvalidRequest


def _code(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return None
    try:
        return int(value)
    except ValueError:
        return None


def _json(response: Response) -> Any:
    """Return the body as JSON; None if it isn't JSON, or is null."""
    try:
        return response.json()
    except errors.BadAnswer:
        return None
