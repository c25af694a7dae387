"""The hub's command for its proxy: runs the Python proxy, and ends it together with the hub.

A hub with ``subdomain_host`` passes an option for routing by host, which is ignored.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from configurable_http_proxy.cli import main  # type: ignore[import-untyped] # it brings no types
from configurable_http_proxy.handlers import ProxyHandler  # type: ignore[import-untyped] # the same

from playground.jupyterhub.bound import binder

_BY_HOST = "--host-routing"


class _ByHost:
    """The proxy for one request: looks up each path together with the request's host."""

    def __init__(self, proxy: Any, host: str) -> None:
        self._proxy, self._host = proxy, host

    def __getattr__(self, name: str) -> Any:
        return getattr(self._proxy, name)

    def target_for_req(self, _host: None, path: str) -> Any:
        """Return the target of a path on this request's host."""
        return self._proxy.target_for_req(None, f"/{self._host}/{path}")


def _route_by_host() -> None:
    by_path = ProxyHandler.get_target_url

    async def by_host(handler: Any, path: str) -> Any:
        handler.proxy = _ByHost(handler.proxy, handler.request.host_name)
        return await by_path(handler, path)

    ProxyHandler.get_target_url = by_host


if __name__ == "__main__":
    binder(os.getppid())()
    if _BY_HOST in sys.argv:
        sys.argv[sys.argv.index(_BY_HOST)] = f"{_BY_HOST}=yes"  # it insists on a value
        _route_by_host()
    main()
