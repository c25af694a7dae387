"""A real JupyterHub on loopback: ``python -m playground jupyterhub --port N [--light] [--seed FILE]``.

Faults and statistics (``/_playground``) are served at the URL of the hub's API. They also cover the requests
to people's servers there. ``advance`` moves only the clock of the statistics, because a real hub runs in real
time. The facts are in ``docs/internals/providers/jupyterhub.md``.
"""

from __future__ import annotations

import asyncio
import os
from argparse import ArgumentParser, Namespace
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

from playground.harness import announce, on_signals
from playground.jupyterhub.launcher import Hub, HubError, running
from playground.jupyterhub.options import Options, load, parse

__all__ = ["Hub", "HubError", "Options", "add_arguments", "run", "start"]

_FROM_ARGUMENTS = (
    "light",
    "subdomains",
    "pause_seconds",
    "named_server_limit",
    "concurrent_spawn_limit",
    "active_server_limit",
    "oauth_redirect_uri",
    "account",
)


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options that only this server has. The seed supplies the values that aren't given."""
    parser.add_argument(
        "--light", action="store_true", default=None, help="a tiny server instead of JupyterLab"
    )
    parser.add_argument(
        "--subdomains", action="store_true", default=None, help="a host of their own for everybody's servers"
    )
    parser.add_argument("--pause-seconds", type=float, help="how long every start stays pending at least")
    parser.add_argument("--named-server-limit", type=int, help="named servers per person, 0 for no limit")
    parser.add_argument("--concurrent-spawn-limit", type=int, help="starts at the same time, 0 for no limit")
    parser.add_argument("--active-server-limit", type=int, help="running servers, 0 for no limit")
    parser.add_argument("--oauth-redirect-uri", help="make an OAuth client with this exact redirect address")
    parser.add_argument(
        "--account", help="whom to run people's servers as when this is root (default: nobody)"
    )
    parser.add_argument(
        "--die-with-parent", action="store_true", help="end when the starting process has gone"
    )


def start(
    *, light: bool = True, seed: dict[str, Any] | None = None, port: int = 0, **changes: Any
) -> AbstractAsyncContextManager[Hub]:
    """Return a context in which a hub runs; ``changes`` override Options. Raises HubError or SeedError."""
    options = load() if seed is None else parse(seed)
    return running(replace(options, light=light, **changes), port)


async def run(arguments: Namespace) -> None:
    """Serve until SIGTERM, SIGINT or cancellation. Print the ready line once the hub responds."""
    options = load(Path(arguments.seed) if arguments.seed else None)
    given = {name: getattr(arguments, name) for name in _FROM_ARGUMENTS}
    options = replace(options, **{name: value for name, value in given.items() if value is not None})
    serving = asyncio.ensure_future(_serve(options, arguments.port, watch_parent=arguments.die_with_parent))
    stopping = False

    def stop() -> None:
        nonlocal stopping
        if not stopping:  # a second signal must not break off the clearing up
            stopping = True
            serving.cancel()

    with on_signals(stop):
        try:
            await serving
        except asyncio.CancelledError:
            if not stopping:
                raise


async def _serve(options: Options, port: int, *, watch_parent: bool) -> None:
    parent = os.getppid()
    async with running(options, port) as hub:
        announce(hub.url, hub.credentials)
        ended = asyncio.ensure_future(hub.process.wait())
        while not ended.done() and not (watch_parent and os.getppid() != parent):
            await asyncio.wait([ended], timeout=0.5)
        if ended.done():
            raise HubError("the hub ended by itself")
        ended.cancel()
