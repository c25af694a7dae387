"""The commands that start the server."""

import argparse
import asyncio
import gc
import os

from bot.app import Role
from bot.app import serve as serve_as
from bot.commands import load

#: How much lower a worker's CPU priority is than that of other processes, as with ``nice -n``. A web process
#: on the same machine has three seconds to answer Slack, and a worker's work can wait.
WORKER_NICENESS = 5


def serve(arguments: argparse.Namespace) -> int:
    """Run the server until it is told to stop."""
    role = Role(arguments.role)
    if role is Role.WORKER:
        os.nice(WORKER_NICENESS)
    settings, connections = load(is_split=role is not Role.SERVE)
    # Exempt imported objects from garbage collection, and collect less often. Reference counting already
    # frees the memory that requests and polls use, and the search for cycles took a twelfth of the start-up
    # time.
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    asyncio.run(serve_as(settings, connections, role))
    return 0
