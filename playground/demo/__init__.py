"""The demonstration: a local Slack, local providers, a real JupyterHub and the bot, until Ctrl+C."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import TYPE_CHECKING

from playground.demo.processes import StageError, StoppedError
from playground.demo.stage import say, stage
from playground.demo.welcome import welcome

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what only this command understands; ``--port`` is the local Slack's."""
    parser.add_argument("--light", action="store_true", help="tiny IDEs at the hub instead of JupyterLab")


async def run(arguments: Namespace) -> int:
    """Keep everything running until SIGTERM or SIGINT; return 1 when a part ends by itself."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        async with stage(light=arguments.light, slack_port=arguments.port, tell=say, stop=stop) as running:
            say(welcome(running, light=arguments.light))
            while not stop.is_set() and running.ended() is None:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), 1.0)
            gone = running.ended()
            if gone is not None and not stop.is_set():
                say(f"{gone.name} has ended by itself:\n{gone.last_words()}")
                return 1
            say("\nStopping everything …")
    except StoppedError:
        say("Stopped before everything was up.")
        return 130
    except StageError as error:
        say(f"The demonstration could not start: {error}")
        return 1
    say("Everything is stopped and removed.")
    return 0
