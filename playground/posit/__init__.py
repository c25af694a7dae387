"""A local Posit Workbench: ``python -m playground posit --port N [--seed FILE] [--dialect live]``.

It follows ``docs/internals/providers/posit.md``. Wherever live servers differ from the reference named there,
a switch selects the behaviour.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from playground.harness import serve_until_stopped
from playground.posit.seed import load
from playground.posit.server import PositServer, build
from playground.posit.settings import DIALECTS

__all__ = ["PositServer", "add_arguments", "build", "run"]


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options that only this server has."""
    parser.add_argument(
        "--dialect",
        choices=sorted(DIALECTS),
        help="accept the spellings of live servers, or of the reference, only; both unless told",
    )


async def run(arguments: Namespace) -> None:
    """Serve until SIGTERM, SIGINT or cancellation."""
    server = build(seed=load(Path(arguments.seed) if arguments.seed else None))
    if arguments.dialect:
        server.state.settings.change({"dialect": arguments.dialect})
    await serve_until_stopped(server.app, arguments.port, server.credentials)
