"""The processes around a local Slack: assigns their ports and settings, starts them, and ends them."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import errno
import json
import os
import signal
import socket
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: The folder that contains the packages. Processes run in it so that ``python -m`` finds the packages.
HOME = Path(__file__).resolve().parents[1]
READY_SECONDS = 90.0
STOP_SECONDS = 12.0
#: Number of ports kept reserved. A port is released once this many more have been reserved; by then, its
#: server holds it.
RESERVED = 200
_reserved: deque[socket.socket] = deque()


class StageError(Exception):
    """Raised if a process doesn't start or ends early. The message includes the end of its log."""


class PortInUseError(StageError):
    """Raised if another program is using a port."""


class StoppedError(Exception):
    """Raised if the user stops the demo before everything is running."""


@dataclass(slots=True)
class Child:
    """A running process, its log file, and its ready line if it printed one."""

    name: str
    process: asyncio.subprocess.Process
    log: Path
    ready: dict[str, Any] = field(default_factory=dict)
    #: Whether the process was ended on purpose and is being restarted.
    is_restarting: bool = False

    @property
    def pid(self) -> int:
        """Return the process id."""
        return self.process.pid

    @property
    def url(self) -> str:
        """Return the URL in the server's ready line."""
        return str(self.ready["url"])

    @property
    def has_ended(self) -> bool:
        """Return whether the process has ended by itself."""
        return self.process.returncode is not None and not self.is_restarting

    def must_live(self) -> None:
        """Raise StageError if the process has ended."""
        if self.process.returncode is not None:
            raise StageError(f"{self.name} has ended:\n{self.last_words()}")

    def last_words(self) -> str:
        """Return the end of the process's log, for an error message."""
        text = self.log.read_text(encoding="utf-8", errors="replace").strip()
        return text[-1500:] or "It said nothing."

    async def stop(self) -> None:
        """End the process and its children, killing those that don't end in time."""
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), STOP_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.wait()


async def start_child(
    name: str,
    words: Sequence[str],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    *,
    announces: bool = True,
    home: Path = HOME,
) -> Child:
    """Start ``python -m …`` in a process group of its own. All output except the ready line goes to a log.

    ``home`` is the folder that contains the package to run.
    """
    log = folder / f"{name}.log"
    with log.open("ab") as sink:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE if announces else sink,
            stderr=sink,
            cwd=home,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
            limit=2**24,
        )
    return Child(name, process, log)


async def ready_line(child: Child) -> dict[str, Any]:
    """Wait for the server's ready line; raise StageError if the process ends or takes too long."""
    assert child.process.stdout is not None
    try:
        line = await asyncio.wait_for(child.process.stdout.readline(), READY_SECONDS)
        values = json.loads(line)
    except TimeoutError:
        raise StageError(f"{child.name} was not ready after {READY_SECONDS:.0f} s") from None
    except ValueError:
        raise StageError(f"{child.name} ended before it was ready:\n{child.last_words()}") from None
    if not isinstance(values, dict) or not values.get("ready"):
        raise StageError(f"{child.name} is not ready:\n{child.last_words()}")
    child.ready = values
    return child.ready


def reserved_port() -> int:
    """Reserve a port on 127.0.0.1 for a server that is about to start, and return it.

    On Linux, the port stays bound in this process, so the system doesn't assign it to other programs or to
    outgoing connections. The server can listen on it even so, because both sockets set SO_REUSEADDR. Until it
    does, connections are refused. On other systems, where two sockets can't share an address, the port is
    only free at the time of the call.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    port = int(held.getsockname()[1])
    _reserved.append(held)
    while len(_reserved) > (RESERVED if sys.platform == "linux" else 0):
        _reserved.popleft().close()
    return port


@atexit.register
def _let_go() -> None:
    while _reserved:
        _reserved.popleft().close()


def free_port(wanted: int) -> int:
    """Return the port; raise StageError if it can't be used."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError as error:
            kind = PortInUseError if error.errno == errno.EADDRINUSE else StageError
            raise kind(f"port {wanted} can't be used here ({error.strerror}): name another") from None
        return wanted


def bot_environment(
    slack: Mapping[str, Any], port: int, database: str, keys: str, connections: Path
) -> dict[str, str]:
    """Return the environment of a bot that uses the local Slack but doesn't have *Sign in with Slack*."""
    return {
        "SLACK_BOT_TOKEN": slack["bot_token"],
        "SLACK_SIGNING_SECRET": slack["signing_secret"],
        "SLACK_APP_TOKEN": "",
        "SLACK_CLIENT_ID": "",
        "SLACK_CLIENT_SECRET": "",
        "PORT": str(port),
        "USHER_HOST": "127.0.0.1",
        "USHER_SLACK_API_URL": slack["api_url"],
        "USHER_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "USHER_DATABASE_URL": database,
        "USHER_ENCRYPTION_KEYS": keys,
        "USHER_CONNECTIONS": str(connections),
    }
