"""Errors from posting to a ``response_url``, the URL that Slack sends with a command or a click."""

import json
import re
from typing import Final

from bot.slack.errors import Meaning, classify_code
from bot.slack.methods import RESPONSE_URL
from bot.support.errors import SlackFailed, SlackLimited, SlackPermanent, SlackUnknownOutcome

_CODE_PATTERN: Final = re.compile(r"[a-z]+(?:_[a-z]+)+")
_MAX_CODE_LENGTH: Final = 80
#: HTTP status that a proxy may send without knowing whether the request reached Slack.
_REQUEST_TIMEOUT: Final = 408
_TOO_MANY: Final = 429


def to_slack_error(status: int, body: bytes | str | None, *, pause: float = 1.0) -> SlackFailed | None:
    """Return the error from a post, or None if Slack accepted the post.

    ``pause`` is how long to wait after too many posts. Only a 4xx status or ``"ok": false`` is a refusal.
    After any other error, the message may have been shown.
    """
    code = _read_error_code(body)
    if status < 300 and not code:
        return None
    if status == _TOO_MANY or classify_code(code) is Meaning.LIMITED:
        return SlackLimited(RESPONSE_URL, pause)
    is_answered = status < 300 or (400 <= status < 500 and status != _REQUEST_TIMEOUT)
    if is_answered and classify_code(code) is not Meaning.UNSURE:
        return SlackPermanent(RESPONSE_URL, code or f"status_{status}")
    return SlackUnknownOutcome(RESPONSE_URL, code or f"status_{status}")


def _read_error_code(body: bytes | str | None) -> str:
    text = body.decode(errors="replace") if isinstance(body, bytes) else body or ""
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        answer = text.strip()
    if isinstance(answer, dict):
        return str(answer.get("error") or "unknown")[:_MAX_CODE_LENGTH] if answer.get("ok") is False else ""
    return (
        answer
        if isinstance(answer, str) and len(answer) <= _MAX_CODE_LENGTH and _CODE_PATTERN.fullmatch(answer)
        else ""
    )
