"""A local Slack: ``python -m playground slack --port N [--seed FILE] [--request-url URL] [--no-limits]``.

It follows Slack's documentation and ``docs/internals/slack.md``.
"""

from __future__ import annotations

import asyncio
import json
import os
from argparse import ArgumentParser, Namespace
from pathlib import Path

from playground.harness import serve_until_stopped
from playground.slack import manifest
from playground.slack.server import SlackServer, build
from playground.slack.several import SlackWorkspaces

__all__ = ["SlackServer", "SlackWorkspaces", "add_arguments", "build", "run"]

FIXED = (
    "SLACK_BOT_TOKEN",
    "SLACK_APP_TOKEN",
    "SLACK_SIGNING_SECRET",
    "SLACK_CLIENT_ID",
    "SLACK_CLIENT_SECRET",
)


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options that only this server has."""
    parser.add_argument("--request-url", help="where commands, interactivity and events are posted to")
    parser.add_argument(
        "--redirect-url",
        action="append",
        default=[],
        help="an address to which sign-ins may return (repeatable)",
    )
    parser.add_argument("--manifest", help="the app's manifest: grants, sends and enables only what it names")
    parser.add_argument("--no-limits", action="store_true", help="enforce no rate budgets")


async def run(arguments: Namespace) -> None:
    """Serve until SIGTERM, SIGINT or cancellation. Credentials may be set in the environment (SLACK_*)."""
    seed = None
    if arguments.seed:
        seed = json.loads(await asyncio.to_thread(Path(arguments.seed).read_text, "utf-8"))
    environment = {name: os.environ[name] for name in FIXED if os.environ.get(name)}
    server = build(seed=seed, limits=not arguments.no_limits, environment=environment)
    if arguments.manifest:
        text = await asyncio.to_thread(Path(arguments.manifest).read_text, "utf-8")
        manifest.apply(server.state, manifest.read(text))
    server.state.app.request_url = arguments.request_url or server.state.app.request_url
    server.state.app.redirect_urls += arguments.redirect_url
    await serve_until_stopped(server.app, arguments.port, server.credentials_at)
