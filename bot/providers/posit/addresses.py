"""URLs and ids of sessions and jobs. Pure functions.

A server reports a session's URL as a path from the server's root. A proxy may have moved the root to a path
of its own. If the configured URL contains that path and the session's path lacks it, Usher puts it in front.
"""

import re
from typing import Final
from urllib.parse import urlsplit

from bot.providers.connection import path_below
from bot.support.errors import NotFound

#: Matches session ids. They can't contain commas, because a request joins several ids with commas.
SESSION_ID_PATTERN: Final = r"^[0-9A-Za-z_-]{1,100}$"
_JOB_ID_PATTERN = re.compile(r"[0-9A-Za-z_.:+/=@-]{1,200}")
#: Matches a session's path: ``/s/``, the project's id, and the session's id (8 characters).
_LINK_PATTERN = re.compile(r"/s/[0-9a-f]{5,}([0-9a-f]{8})(?:/.*)?")
#: Matches the path segments ``.`` and ``..``, however they are encoded.
_DOT_SEGMENT_PATTERN = re.compile(r"(\.|%2e){1,2}", re.IGNORECASE)
_BARE_ID_PATTERN = re.compile(r"[0-9a-f]{8}")


def to_session_url(address: str, base_url: str) -> str | None:
    """Return a session's URL on the configured server, or None if the address isn't a URL.

    A URL on another host is returned unchanged; ``Provider.allowed_url`` decides whether it may be shown.
    """
    if not address or "\\" in address:
        return None
    base = urlsplit(base_url)
    try:
        parts = urlsplit(f"{base.scheme}:{address}" if address.startswith("//") else address)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme and parts.scheme not in {"http", "https"}:
        return None
    if any(_DOT_SEGMENT_PATTERN.fullmatch(part) for part in parts.path.split("/")):
        return None
    if parts.scheme and (host or "").rstrip(".") != (base.hostname or ""):
        return parts.geturl()
    if not parts.path.startswith("/"):
        return None
    rest = f"?{parts.query}" if parts.query else ""
    rest += f"#{parts.fragment}" if parts.fragment else ""
    prefix = base.path.rstrip("/")
    path = parts.path
    is_below = not prefix or path == prefix or path.startswith(f"{prefix}/")
    return f"{base.scheme}://{base.netloc}{path if is_below else prefix + path}{rest}"


def parse_reference(text: str, base_url: str) -> str | None:
    """Return the session id from a URL of this server or from a bare id; None for anything else."""
    text = text.strip()
    if _BARE_ID_PATTERN.fullmatch(text):
        return text
    path = path_below(text, base_url)
    link = _LINK_PATTERN.fullmatch(path) if path is not None else None
    return link[1] if link is not None else None


def check_session_id(text: str) -> str:
    """Return a session's id; raise NotFound if it is malformed."""
    if not is_session_id(text):
        raise NotFound("there is no such session")
    return text


def check_job_id(text: str) -> str:
    """Return a job's id; raise NotFound if it is malformed."""
    if not _JOB_ID_PATTERN.fullmatch(text) or set(text) == {"."}:
        raise NotFound("there is no such job")
    return text


def is_session_id(text: str) -> bool:
    """Return whether a string may be a session's id."""
    return re.fullmatch(SESSION_ID_PATTERN, text) is not None
