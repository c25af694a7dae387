"""What ids of Workbench look like."""

from __future__ import annotations

import re
from typing import Final

from bot.support.errors import NotFound

#: Ids are joined by commas in a request, so that nothing but these may stand in one.
SESSION_ID: Final = r"^[0-9A-Za-z_-]{1,100}$"
_JOB_ID = re.compile(r"[0-9A-Za-z_.:+/=@-]{1,200}")


def session_id(text: str) -> str:
    """Return a session's id; raise NotFound for what can be none."""
    if not is_session_id(text):
        raise NotFound("there is no such session")
    return text


def job_id(text: str) -> str:
    """Return a job's id; raise NotFound for what can be none."""
    if not _JOB_ID.fullmatch(text) or set(text) == {"."}:
        raise NotFound("there is no such job")
    return text


def is_session_id(text: str) -> bool:
    """Say whether a text may be a session's id."""
    return re.fullmatch(SESSION_ID, text) is not None
