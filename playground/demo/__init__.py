"""The demo: a local Slack, local providers, a real JupyterHub and the bot, running until Ctrl+C."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Awaitable, Callable

from playground.demo import ports
from playground.demo.stage import Stage, say, stage
from playground.demo.welcome import welcome
from playground.harness import on_signals
from playground.processes import StageError, StoppedError


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command-line arguments of the demos. ``--port`` is the port of the local Slack."""
    parser.epilog = (
        f"The local Slack's page is at --port, {ports.FIRST} by default; the other servers follow in steps "
        f"of {ports.STEP}. A port that is in use is named, and the next one used."
    )
    parser.add_argument("--light", action="store_true", help="tiny IDEs at the hub instead of JupyterLab")
    parser.add_argument(
        "--with",
        dest="packages",
        action="append",
        default=[],
        metavar="PACKAGE",
        help="an installed package that brings a provider and its local server, such as usher-coder",
    )


async def on_stage(arguments: Namespace, play: Callable[[Stage, asyncio.Event], Awaitable[int]]) -> int:
    """Start everything, then call ``play`` with an event set by SIGTERM or SIGINT; return the exit status."""
    stop = asyncio.Event()
    with on_signals(stop.set):
        try:
            async with stage(
                light=arguments.light,
                slack_port=arguments.port,
                packages=arguments.packages,
                tell=say,
                stop=stop,
            ) as running:
                return await play(running, stop)
        except StoppedError:
            say("Stopped before everything was running.")
            return 130
        except StageError as error:
            print(f"The demo couldn't start: {error}", file=sys.stderr)  # noqa: T201 - a command line speaks
            return 1


async def run(arguments: Namespace) -> int:
    """Keep everything running until SIGTERM or SIGINT; return 1 if a process ends by itself."""

    async def keep(running: Stage, stop: asyncio.Event) -> int:
        say(welcome(running, light=arguments.light))
        while not stop.is_set() and running.ended() is None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 1.0)
        gone = running.ended()
        if gone is not None and not stop.is_set():
            say(f"{gone.name} has ended by itself:\n{gone.last_words()}")
            return 1
        say("\nStopping everything …")
        return 0

    status = await on_stage(arguments, keep)
    if status == 0:
        say("Everything has been stopped and removed.")
    return status
