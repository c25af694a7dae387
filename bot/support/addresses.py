"""Which addresses may be trusted with a secret, what a database's says, and the proxy on the way to others.

One rule for the proxy holds for all that Usher sends: Slack's library and aiohttp (``trust_env``) read the
environment in different ways. One knows no NO_PROXY, the other takes passwords from ``~/.netrc``, and sends
to the proxy, in clear, what is for this machine.
"""

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import aiohttp
from yarl import URL

#: What libpq reads as user and password.
_CREDENTIALS = re.compile(r"\w+://([^@/]*)@")


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


def wrong_database(url: str) -> str:
    """Return what is wrong with the form of a database URL, without its values; empty if nothing is."""
    if not is_postgres(url):
        is_file = url.startswith("sqlite:///") and len(url) > len("sqlite:///")
        form = "needs the form sqlite:///PATH or postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
        return "" if is_file else form
    # libpq takes the rest of such a password for the host, and its messages name hosts.
    if "@" in _CREDENTIALS.sub("", url).partition("?")[0]:
        return "percent-encode the password (@ is %40, / is %2F)"
    return ""


def passwords_of(url: str) -> list[str]:
    """Return what a database URL gives away, as it is written and decoded."""
    if not is_postgres(url):
        return []
    credentials = _CREDENTIALS.match(url)
    password = credentials[1].partition(":")[2] if credentials else ""
    written = [password, *re.findall(r"[?&]password=([^&]*)", url)]
    return [form for password in written if password for form in (password, unquote(password))]


_BY_TUNNEL = frozenset({"https", "wss"})


@dataclass(frozen=True, slots=True)
class Proxy:
    """Hold the proxy's address, empty for none, and the hosts that are reached without it."""

    address: str = ""
    without: str = ""

    def of(self, url: URL) -> URL | None:
        """Return the proxy for an address, None if it is reached directly; this machine always is."""
        host = (url.host or "").lower().removesuffix(".")
        if not self.address or url.scheme not in _BY_TUNNEL or is_loopback(host):
            return None
        exempt = any(_names(entry.strip().lower(), host, url.port) for entry in self.without.split(","))
        return None if exempt else URL(self.address)

    def text_of(self, url: str) -> str | None:
        """Return the same as text, for a library that is told the proxy of one address."""
        found = self.of(URL(url))
        return None if found is None else str(found)

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Act as a session's middleware; what a library found in the environment doesn't count."""
        request.update_proxy(self.of(request.url), None, None)
        return await handler(request)


def _names(entry: str, host: str, port: int | None) -> bool:
    """Return whether an entry of NO_PROXY is for a host: its name, a name above it, or ``*``."""
    name, _, wanted = entry.partition(":")
    name = name.removeprefix("*").removeprefix(".")
    if wanted not in ("", str(port)):
        return False
    return entry == "*" or (bool(name) and (host == name or host.endswith(f".{name}")))


DIRECT = Proxy()
