"""Helpers that run the command line in its own process, with nothing but the given environment."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet

from tests.project.repository import ROOT
from tests.rigs.forked import Process, start

#: A working directory where no developer has an ``.env`` of their own.
ELSEWHERE = Path("/")
KEY = Fernet.generate_key().decode()
#: The variables that child processes inherit: those that coverage needs, and where to find programs.
PASSED_ON = ("PATH", "COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START", "HOME", "TMPDIR")


@dataclass(frozen=True)
class Ended:
    """The exit status and output of a command."""

    status: int
    out: str
    err: str


def environment(folder: Path, **changes: str | None) -> dict[str, str]:
    """Return valid settings, with a connections file in the folder.

    Passing None for a variable removes it.
    """
    connections = folder / "connections.toml"
    if not connections.exists():
        connections.write_text(
            '[connections.saturn]\nprovider = "saturn"\nbase_url = "https://app.acme.example"\n'
        )
        connections.chmod(0o600)
    good = {
        "SLACK_BOT_TOKEN": "xoxb-canary-bot-token",
        "SLACK_SIGNING_SECRET": "canary-signing-secret",
        "USHER_ENCRYPTION_KEYS": KEY,
        "USHER_CONNECTIONS": str(connections),
        "USHER_DATABASE_URL": f"sqlite:///{folder / 'usher.db'}",
        "USHER_PUBLIC_URL": "https://usher.example",
        "PORT": "0",
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def _process_environment(given: Mapping[str, str]) -> dict[str, str]:
    passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return {**passed, "PYTHONPATH": str(ROOT), **given}


async def run(*words: str, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Ended:
    """Run ``python -m bot …`` until it exits."""
    process = await start(words, _process_environment(env or {}), cwd or ELSEWHERE)
    try:
        async with asyncio.timeout(60):
            out, err = await process.communicate()
    finally:
        await process.end()
    return Ended(process.returncode, out.decode(), err.decode())


class Running:
    """A command that keeps running: tests read what it writes, and end it."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.lines: list[str] = []

    async def line_with(self, part: str) -> str:
        """Read lines until one contains the text. If none does, fail with everything that was written."""
        async with asyncio.timeout(60):
            while raw := await self._process.stderr.readline():
                self.lines.append(raw.decode())
                if part in self.lines[-1]:
                    return self.lines[-1]
        raise AssertionError(f"no line with {part}: {''.join(self.lines)}")

    async def end(self, number: signal.Signals = signal.SIGTERM) -> Ended:
        """Send it a signal, and wait for it to exit."""
        self._process.send_signal(number)
        async with asyncio.timeout(30):
            out, err = await self._process.communicate()
        return Ended(self._process.returncode, out.decode(), "".join(self.lines) + err.decode())


@asynccontextmanager
async def running(*words: str, env: Mapping[str, str], user: int | None = None) -> AsyncIterator[Running]:
    """Start ``python -m bot …``, as another user if one is given, and end it when the block is left."""
    process = await start(words, _process_environment(env), ELSEWHERE, user)
    try:
        yield Running(process)
    finally:
        await process.end()


def of_slack(local, **changes):
    given = local.credentials
    return {
        "SLACK_BOT_TOKEN": given["bot_token"],
        "SLACK_SIGNING_SECRET": given["signing_secret"],
        "USHER_SLACK_API_URL": given["api_url"],
        **changes,
    }
