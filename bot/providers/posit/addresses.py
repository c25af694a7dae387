"""What ids look like; addresses of sessions, and the sessions in pasted addresses; pure.

A server says where a session is by a path from its own root, which a proxy may have moved: the
configured address goes in front with its own path, and another host is never believed.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from bot.providers.hosts import is_dots, path_below
from bot.support.errors import NotFound

#: Ids are joined by commas in a request, so that nothing but these may stand in one.
SESSION_ID: Final = r"^[0-9A-Za-z_-]{1,100}$"
_JOB_ID = re.compile(r"[0-9A-Za-z_.:+/=@-]{1,200}")
#: A session's path ends with the project's id and the session's, 8 characters each.
_LINK = re.compile(r"/s/[0-9a-f]{5,}([0-9a-f]{8})(?:/.*)?")
_BARE = re.compile(r"[0-9a-f]{8}")


def session_url(address: str, base_url: str) -> str | None:
    """Return a session's address at the configured server, None for what is none.

    An address on another host comes back as it is: the connection's own list of hosts decides on it.
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
    if any(is_dots(part) for part in parts.path.split("/")):
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


def reference(text: str, base_url: str) -> str | None:
    """Return the session's id in a pasted address of this server, or the bare id; None for anything else."""
    text = text.strip()
    if _BARE.fullmatch(text):
        return text
    path = path_below(text, base_url)
    link = _LINK.fullmatch(path) if path is not None else None
    return link[1] if link is not None else None


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
    """Return whether a text may be a session's id."""
    return re.fullmatch(SESSION_ID, text) is not None
