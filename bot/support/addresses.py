"""Which addresses may be trusted with a secret: https ones, and those of this machine."""

from __future__ import annotations

import ipaddress


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
