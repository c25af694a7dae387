"""Processes around a local Slack: given ports and settings, started, awaited, ended with their children."""

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

#: The folder that holds the packages, so that ``python -m`` finds them wherever this was started.
HOME = Path(__file__).resolve().parents[1]
READY_SECONDS = 90.0
STOP_SECONDS = 12.0
#: A port is let go of after so many others: a server that listens keeps its own itself.
RESERVED = 200
_reserved: deque[socket.socket] = deque()


class StageError(Exception):
    """Say which part did not come up, or ended early, with what it said last."""


class PortInUseError(StageError):
    """Say that another program has a port."""


class StoppedError(Exception):
    """Say that the person stopped the demonstration before it was ready."""


@dataclass(slots=True)
class Child:
    """Hold one running process, the file that takes what it says, and its ready line where it printed one."""

    name: str
    process: asyncio.subprocess.Process
    log: Path
    ready: dict[str, Any] = field(default_factory=dict)
    #: It was ended on purpose and is started again: its end is no news.
    is_restarting: bool = False

    @property
    def pid(self) -> int:
        """Return the process id."""
        return self.process.pid

    @property
    def url(self) -> str:
        """Return the address of a server that printed it."""
        return str(self.ready["url"])

    @property
    def has_ended(self) -> bool:
        """Say whether it has ended by itself."""
        return self.process.returncode is not None and not self.is_restarting

    def must_live(self) -> None:
        """Raise StageError when it has ended."""
        if self.process.returncode is not None:
            raise StageError(f"{self.name} has ended:\n{self.last_words()}")

    def last_words(self) -> str:
        """Return the end of what the process wrote, for an error message."""
        text = self.log.read_text(encoding="utf-8", errors="replace").strip()
        return text[-1500:] or "It said nothing."

    async def stop(self) -> None:
        """End the process and its children; kill what does not go in time."""
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
    """Start ``python -m …`` in a process group of its own; a log takes what it says, but a ready line.

    ``home`` holds the packages that it runs.
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
    """Wait for the one line that says a server is ready; raise StageError when it ends or takes too long."""
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
    """Return a port of 127.0.0.1 for a server to be started, which nobody else gets until then.

    On Linux it stays bound here: the system gives it to nobody else who asks for any, and to no connection. A
    server may listen at it all the same, as both reuse addresses: servers do, so that they can be started
    again. Until one listens, connections are refused. Elsewhere it is only a free one: no address is shared.
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
    """Return a port; raise StageError when it is in use."""
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
    """Return the settings of a bot beside a local Slack with these credentials, no Sign in with Slack."""
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
