"""The setup of a benchmark: a bot in a separate process, the servers around it, and a database.

The bot and the servers run on different cores, if there are any, and all of them are ended afterwards.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import aiohttp
from cryptography.fernet import Fernet

from benchmarks.crowd import Crowd, Deployment, settle
from benchmarks.load import Target
from benchmarks.machine import BenchmarkError, cores, running
from benchmarks.postgres import Database, database
from bot.domain.workspaces import State
from playground.processes import HOME, READY_SECONDS, Child, bot_environment, reserved_port

#: Packages that structlog and aiohttp load if they find them. Only a development environment has them.
_ABSENT: Final = ("rich", "aiodns")
#: A program that fills a database, using the code in the folder where it runs.
_FILL: Final = """
import asyncio, json, sys
from benchmarks.crowd import Crowd, Deployment, settle
from bot.domain.workspaces import State
try:  # A release before 0.5; an editable install would give it this folder's other module, too.
    from bot.features.feature import load
except ImportError:
    from handlers.loading import load
load()
crowd, place, state, pending = json.loads(sys.argv[1])
asyncio.run(settle(Crowd(**crowd), Deployment(**place), State(state), pending=pending))
"""


@dataclass(slots=True)
class Stage:
    """The servers and the database, and methods that start a bot (``bot``) or a baseline with them."""

    crowd: Crowd
    slack: Child
    saturn: Child
    folder: Path
    place: Deployment
    #: The state of everybody's workspaces, and whether each has an accepted start.
    state: State
    pending: bool
    #: The database server, if the database is on PostgreSQL.
    server: Database | None = None

    @asynccontextmanager
    async def bot(
        self,
        connections: str = "",
        *,
        role: str = "serve",
        port: int = 0,
        program: Sequence[str] = (),
        home: Path = HOME,
        **variables: str,
    ) -> AsyncIterator[Bot]:
        """Run a process of the bot for a block, and wait until it is ready.

        ``connections`` is TOML that is added to its connections file, and ``variables`` are added to its
        environment. ``program`` is the module to run, with the code in ``home``. On PostgreSQL, it may use
        all cores, since it shares them with the server.
        """
        port = port or reserved_port()
        environment = self._environment(port, connections) | variables
        # The other revision may be an earlier release, which has a setting for what ``unlimited`` does.
        if home != HOME:
            environment["USHER_PERSON_BURST"] = "1000000"
        program = program or (("benchmarks.unlimited",) if home == HOME else ("bot",))
        measured, others = cores()
        on = measured if self.server is None else measured | others
        began = time.perf_counter()
        started = running(
            "bot",
            [*program, role],
            self.folder,
            on,
            environment=environment,
            announces=False,
            home=home,
        )
        async with started as child:
            url = f"http://127.0.0.1:{port}"
            await _until_ready(child, port)
            took = time.perf_counter() - began
            secret = self.slack.ready["credentials"]["signing_secret"]
            note(f"bot {child.pid} ready after {took:.2f} s")
            yield Bot(child, Target(f"{url}/slack/events", secret, f"{self.slack.url}/_answers"), took, port)

    @asynccontextmanager
    async def bare_bolt(self) -> AsyncIterator[Bot]:
        """Within a block, run the baseline with which requests are compared."""
        given = self.slack.ready["credentials"]
        words = [given["api_url"], given["bot_token"], given["signing_secret"]]
        async with self._baseline("bare_bolt", words) as bot:
            yield bot

    @asynccontextmanager
    async def minimum(self) -> AsyncIterator[Bot]:
        """Within a block, run the baseline with which starts are compared."""
        given, database = self.slack.ready["credentials"], self.place.database_url.removeprefix("sqlite:///")
        words = [given["api_url"], given["bot_token"], given["signing_secret"], database, self.place.key]
        async with self._baseline("minimum", [*words, self.saturn.url]) as bot:
            yield bot

    @asynccontextmanager
    async def _baseline(self, name: str, words: Sequence[str]) -> AsyncIterator[Bot]:
        words = [f"benchmarks.{name}", *words]
        async with running(name, words, self.folder, cores()[0]) as child:
            secret = self.slack.ready["credentials"]["signing_secret"]
            yield Bot(child, Target(f"{child.url}/slack/events", secret, f"{self.slack.url}/_answers"), 0.0)

    async def beside(self, name: str, home: Path = HOME) -> Stage:
        """Return a copy of this stage with its own database, filled by the code in ``home``.

        If this code is the same and the database is a file, the file is copied, so no process may be using
        this stage's database.
        """
        file, server = self.database(name), self.server
        is_copy = home == HOME and server is None
        if is_copy:
            shutil.copytree(self.folder / "data", file.parent)
        else:
            file.parent.mkdir(mode=0o700, parents=True)
        if server is not None:
            server = await asyncio.to_thread(server.add_database, name)
        place = replace(self.place, database_url=f"sqlite:///{file}" if server is None else server.url)
        beside = replace(self, folder=self.folder / name, place=place, server=server)
        if not is_copy:
            await asyncio.to_thread(beside._fill, home)
        return beside

    def database(self, name: str) -> Path:
        """Return the path of the database file of a stage made by ``beside``."""
        return self.folder / name / "data" / "usher.db"

    def _fill(self, home: Path) -> None:
        given = json.dumps([asdict(self.crowd), asdict(self.place), self.state, self.pending])
        words = [sys.executable, "-c", _FILL, given]
        done = subprocess.run(words, check=False, cwd=home, capture_output=True, text=True)  # noqa: S603 - our own
        if done.returncode:
            raise BenchmarkError(f"the code in {home} can't fill a database: {done.stderr[-2000:]}")

    def _environment(self, port: int, more: str) -> dict[str, str]:
        given = self.slack.ready["credentials"]
        connections = self.folder / "connections.toml"
        connections.write_text(
            '[connections.saturn]\nprovider = "saturn"\ntitle = "Saturn Cloud"\nlinking = ["token"]\n'
            f"base_url = {json.dumps(self.saturn.url)}\n{more}",
            encoding="utf-8",
        )
        connections.chmod(0o600)
        return bot_environment(given, port, self.place.database_url, self.place.key, connections) | {
            "USHER_ADMINS": "",
            "PYTHONPATH": str(self._hide_packages()),
        }

    def _hide_packages(self) -> Path:
        """Write modules that make some packages look absent, as in an installed Usher. Return the folder."""
        folder = self.folder / "absent"
        folder.mkdir(exist_ok=True)
        for name in _ABSENT:
            (folder / f"{name}.py").write_text(f'raise ImportError("no module named {name}")\n')
        return folder


@dataclass(slots=True)
class Bot:
    """A running server, the address for its commands, and how many seconds it took to become ready."""

    child: Child
    target: Target
    took: float
    port: int = 0

    @property
    def pid(self) -> int:
        """Return its process id."""
        return self.child.pid


@asynccontextmanager
async def stage(
    crowd: Crowd,
    *,
    state: State = State.STOPPED,
    pending: bool = False,
    limits: bool = False,
    saturn: Sequence[str] = (),
    shared: bool = False,
) -> AsyncIterator[Stage]:
    """Start a local Slack and a local Saturn Cloud, and create a database where everybody is already linked.

    With ``shared``, the database is on PostgreSQL.
    """
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="usher-benchmark-")))
        data = folder / "data"
        data.mkdir(mode=0o700)
        measured, others = cores()
        others = measured | others if shared else others
        people = ["--people", str(crowd.people)]
        slack_words = ["benchmarks.peers", "slack", *people, *(["--limits"] if limits else [])]
        saturn_words = ["benchmarks.peers", "saturn", *people, "--each", str(crowd.each), *saturn]
        peers = [
            await stack.enter_async_context(running(name, words, folder, others))
            for name, words in (("slack", slack_words), ("saturn", saturn_words))
        ]
        server = await asyncio.to_thread(stack.enter_context, database(folder)) if shared else None
        url = f"sqlite:///{data / 'usher.db'}" if server is None else server.url
        place = Deployment(url, Fernet.generate_key().decode(), peers[1].url)
        await settle(crowd, place, state, pending=pending)
        yield Stage(crowd, peers[0], peers[1], folder, place, state, pending, server)


async def noted(peer: Child) -> dict[str, Any]:
    """Return what a server of the playground has recorded."""
    async with aiohttp.ClientSession() as session, session.get(f"{peer.url}/_noted") as answer:
        return dict(await answer.json())


async def forget(peer: Child) -> None:
    """Make a server of the playground clear its records."""
    async with aiohttp.ClientSession() as session, session.post(f"{peer.url}/_noted") as answer:
        answer.raise_for_status()


def note(line: str) -> None:
    """Print progress to standard error; only the figures go to standard output."""
    sys.stderr.write(f"# {line}\n")
    sys.stderr.flush()


async def _until_ready(child: Child, port: int) -> None:
    """Check every few milliseconds whether the bot is ready, on a new connection each time."""
    until = time.perf_counter() + READY_SECONDS
    while time.perf_counter() < until:
        child.must_live()
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = await reader.read()
            writer.close()
        except OSError:
            answer = b""
        if answer.startswith(b"HTTP/1.1 200"):
            return
        await asyncio.sleep(0.01)
    raise BenchmarkError(f"the bot was not ready in time: {child.last_words()}")
