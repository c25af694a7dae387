"""A local Sphere Engine Containers: ``python -m playground sphere --port N [--seed FILE]``.

It follows ``docs/internals/providers/sphere.md``.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from playground.harness import serve_until_stopped
from playground.sphere.seed import load
from playground.sphere.server import SphereServer, build

__all__ = ["SphereServer", "add_arguments", "build", "run"]


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options that only this server has."""
    parser.add_argument("--webhook-url", help="where finished scenarios are told")
    parser.add_argument("--webhook-secret", help="what the webhooks are signed with")


async def run(arguments: Namespace) -> None:
    """Serve until SIGTERM, SIGINT or cancellation."""
    server = build(seed=load(Path(arguments.seed) if arguments.seed else None))
    state = server.state
    state.webhook_url = arguments.webhook_url or state.webhook_url
    state.webhook_secret = arguments.webhook_secret or state.webhook_secret
    await serve_until_stopped(server.app, arguments.port, server.ready_credentials)
