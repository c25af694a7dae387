"""A local Saturn Cloud: ``python -m playground saturn --port N [--seed FILE]``.

It follows ``docs/internals/providers/saturn.md``, in one of the two dialects described there.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path

from playground.harness import serve_until_stopped
from playground.saturn.seed import DIALECTS, load
from playground.saturn.server import SaturnServer, build

__all__ = ["SaturnServer", "add_arguments", "build", "run"]


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options that only this server has."""
    parser.add_argument("--dialect", choices=DIALECTS, help="speak the guides, or the document of 2026")
    parser.add_argument(
        "--seeds-only", action="store_true", help="speak the published guides' endpoints only"
    )
    parser.add_argument(
        "--admin-only", action="store_true", help="let workspaces be driven by an admin token only"
    )


async def run(arguments: Namespace) -> None:
    """Serve until SIGTERM, SIGINT or cancellation."""
    seed = load(Path(arguments.seed) if arguments.seed else None)
    server = build(seed=replace(seed, dialect=arguments.dialect) if arguments.dialect else seed)
    server.state.seeds_only = arguments.seeds_only
    server.state.admin_only = arguments.admin_only
    await serve_until_stopped(server.app, arguments.port, server.credentials)
