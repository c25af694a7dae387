"""Parses URLs and hosts, checks that they are safe, recognises this machine, and chooses the proxy to use.

URLs are compared by their parsed parts, never by prefix (``docs/internals/security.md``, row 15). Hosts are
first normalised: lower case, no trailing dot, IDNA.

``Proxy`` chooses the proxy for all requests that Usher sends, because each library reads the environment
differently. Slack's library ignores NO_PROXY. aiohttp with ``trust_env`` reads passwords from ``~/.netrc``,
and sends requests to this machine through the proxy, unencrypted.
"""

import ipaddress
import re
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit

import aiohttp
from yarl import URL


@lru_cache(maxsize=1024)
def is_loopback(host: str) -> bool:
    """Return whether a host always means this machine: localhost or a subdomain, 127.0.0.0/8, or ::1."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_every_ipv6_address(host: str) -> bool:
    """Return whether a host stands for all of this machine's IPv6 addresses, when listening."""
    try:
        return ipaddress.IPv6Address(host).is_unspecified
    except ValueError:
        return False


def find_local_origin(host: str, port: int) -> str:
    """Return the origin at which this machine reaches its own server, even if it listens on all addresses."""
    with suppress(ValueError):
        address = ipaddress.ip_address(host)
        if address.is_unspecified:
            host = "127.0.0.1" if address.version == 4 else "::1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


#: Maximum length, in characters, of the URL of a Slack button.
MAX_URL_LENGTH = 3000
DEFAULT_PORTS = {"https": 443, "http": 80}
_LABEL_PATTERN = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
SAFE_CHARACTERS = "%/:?#[]@!$&'()*+,;=-._~"


@dataclass(frozen=True, slots=True)
class Origin:
    """A URL's scheme, host and port, normalised for comparison. IPv6 hosts have no brackets."""

    scheme: str
    host: str
    port: int

    @property
    def shown_host(self) -> str:
        """Return the host in the form used in a URL."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def netloc(self) -> str:
        """Return the host and port in the form used in a URL, leaving out the default port."""
        host = self.shown_host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Return whether the host always means this machine."""
        return is_loopback(self.host)


def normalise_base_url(text: str) -> str:
    """Return a URL with its host normalised and without a trailing slash.

    The scheme must be https or, on loopback, http, because a token must not be sent unencrypted. The URL may
    have a path, such as a hub's prefix. If the URL is invalid, raise ValueError with a message to show the
    user.
    """
    origin, parts = split_address(text)
    if parts.query or parts.fragment or text.rstrip("/").endswith(("?", "#")):
        raise ValueError("the address must not contain ? or #")
    if origin.scheme == "http" and not origin.is_loopback:
        raise ValueError("the address must begin with https:// (http:// only for this machine)")
    if any(re.fullmatch(r"(\.|%2e){1,2}", one, re.IGNORECASE) for one in parts.path.split("/")):
        raise ValueError("the address must not have . or .. in its path")
    path = quote(parts.path, safe=SAFE_CHARACTERS).rstrip("/")
    return f"{origin.scheme}://{origin.netloc}{path}"


def parse_origin(url: str) -> Origin:
    """Return a URL's scheme, host and port.

    If the URL is invalid, raise ValueError with a message to show the user.
    """
    return split_address(url)[0]


@lru_cache(maxsize=256)
def split_address(url: str) -> tuple[Origin, SplitResult]:
    """Return a URL's origin and its parts.

    If the URL is invalid, raise ValueError with a message to show the user.
    """
    if not url or len(url) > MAX_URL_LENGTH:
        raise ValueError("an address is needed, such as https://app.example.org")
    if "\\" in url or " " in url or not url.isprintable():
        raise ValueError("the address must not contain spaces, backslashes or invisible characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("the address can't be read") from None
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise ValueError("the address must begin with https:// and name a host")
    if "@" in parts.netloc:
        raise ValueError("the address must not contain a name or password")
    if parts.netloc.endswith(":") or port == 0:
        raise ValueError("the address has an invalid port")
    host = normalise_host(parts.hostname)
    return Origin(parts.scheme, host, port or DEFAULT_PORTS[parts.scheme]), parts


@lru_cache(maxsize=1024)
def normalise_host(text: str) -> str:
    """Normalise a host for comparison. If it is invalid, raise ValueError with a message to show the user."""
    if is_ip_address(text):
        return str(ipaddress.ip_address(text))
    try:
        if not text or set("/?#@:[]") & set(text):
            raise ValueError(text)
        host = (URL(f"https://{text}/").raw_host or "").lower().removesuffix(".")
    except ValueError:
        raise ValueError("the address has an invalid host") from None
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL_PATTERN.fullmatch(label) for label in labels):
        raise ValueError("the address has an invalid host")
    # Browsers take 127.1, 0x7f.1 and 2130706433 for IPv4 addresses, so reject hosts of this kind.
    if re.fullmatch(r"\d+|0x[0-9a-f]*", labels[-1]):
        raise ValueError("the address has an invalid host")
    return host


def is_ip_address(host: str) -> bool:
    """Return whether a host is an IP address without a zone id."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host


#: The path that ``doctor`` requests to check that Usher's public URL leads back to Usher (``Vault.prove``).
#: It is below /link, which proxies are already set up to forward.
PROOF_PATH: Final = "/link/here"
#: Suffix added to the nonce when ``doctor`` checks that the host name for IDE pages leads back to Usher.
PAGE_PROOF: Final = "@pages"


def public_origin(url: str) -> str:
    """Return a public URL's normalised origin. Raise ValueError if the URL is invalid or has a path."""
    origin = normalise_base_url(url)
    if urlsplit(origin).path:
        raise ValueError("needs an address without a path")
    return origin


_BY_TUNNEL = frozenset({"https", "wss"})


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy's URL ("" if there is none) and the hosts that are reached without the proxy."""

    address: str = ""
    without: str = ""

    def of(self, url: URL) -> URL | None:
        """Return the proxy for a URL, or None to connect directly. Requests to this machine use no proxy."""
        if not self.address or url.scheme not in _BY_TUNNEL:
            return None
        host = (url.host or "").lower().removesuffix(".")
        if is_loopback(host):
            return None
        entries = (entry.strip().lower() for entry in self.without.split(","))
        exempt = any(_matches_entry(entry, host, url.port) for entry in entries)
        return None if exempt else URL(self.address)

    def text_of(self, url: str) -> str | None:
        """Return the proxy for a URL as a string, or None to connect directly."""
        found = self.of(URL(url))
        return None if found is None else str(found)

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Set the proxy of a request. As session middleware, this overrides a proxy from the environment."""
        request.update_proxy(self.of(request.url), None, None)
        return await handler(request)


def _matches_entry(entry: str, host: str, port: int | None) -> bool:
    """Return whether a NO_PROXY entry (a host name, a parent domain or ``*``) matches a host and port.

    An entry may also be an IP address or a range of them (10.0.0.0/8). An IPv6 address with a port needs
    brackets.
    """
    with suppress(ValueError):
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry.strip("[]"), strict=False)
    name, _, wanted = entry.rpartition(":") if ":" in entry else (entry, "", "")
    name = name.strip("[]").removeprefix("*").removeprefix(".")
    if wanted not in ("", str(port)):
        return False
    return entry == "*" or (bool(name) and (host == name or host.endswith(f".{name}")))


DIRECT = Proxy()
