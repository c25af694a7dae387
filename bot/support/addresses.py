"""Addresses: which are safe to send to, which are this machine's, and the proxy for each.

One rule for the proxy holds for all that Usher sends: Slack's library and aiohttp (``trust_env``) read the
environment in different ways. One knows no NO_PROXY, the other takes passwords from ``~/.netrc``, and sends
to the proxy, in clear, what is for this machine.
"""

import ipaddress
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from yarl import URL


def is_safe_origin(scheme: str, host: str | None) -> bool:
    """Return whether nobody can read requests on the way there: https, or http on this machine."""
    return bool(host) and (scheme == "https" or (scheme == "http" and is_loopback(host or "")))


@lru_cache(maxsize=1024)
def is_loopback(host: str) -> bool:
    """Return whether a host can only be this machine: localhost and what is below it, 127.0.0.0/8 or ::1."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_every_ipv6_address(host: str) -> bool:
    """Return whether a host to listen on stands for all IPv6 addresses of this machine."""
    try:
        return ipaddress.IPv6Address(host).is_unspecified
    except ValueError:
        return False


def find_local_origin(host: str, port: int) -> str:
    """Return the origin at which this machine reaches what listens on a host; of all addresses, loopback."""
    with suppress(ValueError):
        address = ipaddress.ip_address(host)
        if address.is_unspecified:
            host = "127.0.0.1" if address.version == 4 else "::1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


#: Where Usher proves that it answers at its public address (``Vault.prove``): below what is forwarded anyway.
PROOF_PATH: Final = "/link/here"
#: What is proven with a nonce at the host name where pages show IDEs.
PAGE_PROOF: Final = "@pages"


def public_origin(url: str) -> str:
    """Return the origin that people's browsers use, in lower case; raise ValueError if it can't be one."""
    parts = urlsplit(url)
    is_plain = not (parts.query or parts.fragment or parts.username or parts.password)
    is_safe = is_safe_origin(parts.scheme, parts.hostname)
    if not (is_safe and is_plain) or any(c.isspace() for c in url):
        raise ValueError("needs the https address that people's browsers use (http only for this machine)")
    if parts.path not in ("", "/"):
        raise ValueError("needs an address without a path")
    return f"{parts.scheme}://{parts.netloc}".lower()


_BY_TUNNEL = frozenset({"https", "wss"})


@dataclass(frozen=True, slots=True)
class Proxy:
    """The proxy's address, empty for none, and the hosts that are reached without it."""

    address: str = ""
    without: str = ""

    def of(self, url: URL) -> URL | None:
        """Return the proxy for an address, None if it is reached directly; this machine always is."""
        host = (url.host or "").lower().removesuffix(".")
        if not self.address or url.scheme not in _BY_TUNNEL or is_loopback(host):
            return None
        exempt = any(
            _matches_entry(entry.strip().lower(), host, url.port) for entry in self.without.split(",")
        )
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


def _matches_entry(entry: str, host: str, port: int | None) -> bool:
    """Return whether an entry of NO_PROXY is for a host: its name, a name above it, or ``*``."""
    name, _, wanted = entry.partition(":")
    name = name.removeprefix("*").removeprefix(".")
    if wanted not in ("", str(port)):
        return False
    return entry == "*" or (bool(name) and (host == name or host.endswith(f".{name}")))


DIRECT = Proxy()
