"""What a workspace's page may load: its vendor's hosts, nothing else (``docs/security.md``, row 14)."""

from __future__ import annotations

from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.providers.base import Embedding


@lru_cache(maxsize=64)
def headers(embedding: Embedding) -> Mapping[str, str]:
    """Return the headers that let one page show an IDE; the rest are those of every page."""
    secure = "s" if embedding.is_https else ""
    sdk = f"http{secure}://{embedding.sdk_host}"
    sockets = f"ws{secure}://{embedding.sdk_host}"
    endpoint = embedding.endpoint
    hosts = " ".join(dict.fromkeys((sdk, endpoint)))
    talks = " ".join(dict.fromkeys((sdk, sockets, endpoint, endpoint.replace("http", "ws", 1))))
    quoted = " ".join(f'"{host}"' for host in dict.fromkeys((sdk, endpoint)))
    values = {
        "Content-Security-Policy": (
            f"default-src 'none'; script-src 'self' {sdk}; style-src 'self' {sdk}; img-src 'self' {sdk}; "
            f"font-src {sdk}; connect-src 'self' {talks}; frame-src {hosts}; form-action 'self'; "
            "base-uri 'none'; frame-ancestors 'none'"
        ),
        "Permissions-Policy": (
            f"camera=(), geolocation=(), microphone=(), payment=(), usb=(), fullscreen=(self {quoted}), "
            f"clipboard-read=(self {quoted}), clipboard-write=(self {quoted})"
        ),
    }
    return MappingProxyType(values)
