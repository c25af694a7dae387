"""What a database URL says: which engine, which file, and what in it is secret."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit


def is_postgres(url: str) -> bool:
    """Return whether a database URL names a PostgreSQL database."""
    return url.startswith(("postgresql://", "postgres://"))


def database_file(url: str) -> Path | None:
    """Return the SQLite file of a database URL; None for one in memory or on a server."""
    path = url.removeprefix("sqlite:///")
    return None if path == ":memory:" or is_postgres(url) else Path(path)


def passwords_of(url: str) -> list[str]:
    """Return what a database URL gives away, as it is written and decoded."""
    if not is_postgres(url):
        return []
    parts = urlsplit(url)
    written = [parts.password or "", *re.findall(r"(?:^|&)password=([^&]*)", parts.query)]
    return [form for password in written if password for form in (password, unquote(password))]
