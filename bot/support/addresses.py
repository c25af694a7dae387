"""Which addresses may be trusted with a secret; what a database's says: its engine, its file, its secrets."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit


def is_safe_origin(scheme: str, host: str | None) -> bool:
    """Return whether what is sent there can't be read on the way: https, or http on this machine."""
    return bool(host) and (scheme == "https" or (scheme == "http" and is_loopback(host or "")))


def is_loopback(host: str) -> bool:
    """Return whether a host can only be this machine: localhost and what is below it, 127.0.0.0/8 or ::1."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


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
