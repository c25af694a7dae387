"""A local Sphere Engine Containers: ``python -m playground sphere --port N [--seed FILE]``.

It obeys ``docs/providers/sphere.md``.
"""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from playground.harness import serve
from playground.sphere.seed import load
from playground.sphere.server import SphereServer, build

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

__all__ = ["SphereServer", "add_arguments", "build", "run"]


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what only this server understands."""
    parser.add_argument("--webhook-url", help="where finished scenarios are told")
    parser.add_argument("--webhook-secret", help="what the webhooks are signed with")


async def run(arguments: Namespace) -> None:
    """Serve until SIGTERM, SIGINT or cancellation."""
    server = build(seed=load(Path(arguments.seed) if arguments.seed else None))
    state = server.state
    state.webhook_url = arguments.webhook_url or state.webhook_url
    state.webhook_secret = arguments.webhook_secret or state.webhook_secret
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    runner = await serve(server.app, arguments.port, server.told)
    try:
        await stopped.wait()
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
        await runner.cleanup()
