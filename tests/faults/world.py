"""A world whose bot breaks on demand and whose people try again, with checks of what must hold afterwards."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any, Self

import aiohttp
from aiohttp.test_utils import TestServer

from benchmarks.chaos.crowd import ACCEPTED
from bot.app import Process, StartError
from bot.slack.manifest import SIGN_IN_REDIRECT_PATH
from bot.store import audit
from bot.support.errors import StoreError
from playground.slack.errors import SlackError
from tests.faults.outlets import Breaker, Fuse
from tests.reconciler.fuse import Killed
from tests.rigs.scenario import World

#: The errors that a person meets when the bot breaks: no answer, no message, or a page or form that says so.
TROUBLE = (
    Killed,
    AssertionError,
    LookupError,
    ValueError,
    RuntimeError,
    StoreError,
    SlackError,
    aiohttp.ClientError,
)
TRIES = 8
#: What isn't over yet.
OPEN = """
SELECT 1 FROM operations WHERE outcome IS NULL
UNION ALL SELECT 1 FROM runs WHERE outcome IS NULL OR is_watched = 1
UNION ALL SELECT 1 FROM cards WHERE is_dirty = 1 AND message_ts IS NOT NULL
UNION ALL SELECT 1 FROM notices WHERE state IN ('pending', 'retry', 'leased')
UNION ALL SELECT 1 FROM tasks
UNION ALL SELECT 1 FROM workspaces WHERE stop_at IS NOT NULL
"""


class BreakingWorld(World):
    """A world with a fuse.

    If the fuse killed the bot, the next action finds this and starts the bot again.
    """

    def __init__(self, folder: Any, options: Any) -> None:
        super().__init__(folder, options)
        self.breaker = Breaker(options.get("patience"))
        self.places: dict[str, str] = {}
        self.had_runs = {key: len(resource.runs) for key, resource in self.saturn.state.resources.items()}

    async def start_bot(self) -> None:
        self.bot = Process(
            self.settings(),
            self.connections(),
            self._bot_stack,
            clock=self.clock,
            start_pauses=(0.0, 0.0),
            outlets=self.breaker.outlets(),
        )
        await self.bot.start(loops=False)
        app, address = self.slack.state.app, f"http://127.0.0.1:{self.bot.port}"
        app.request_url = f"{address}/slack/events"
        app.redirect_urls = [address + SIGN_IN_REDIRECT_PATH]

    async def reborn(self) -> None:
        """Drop the killed process, so that nothing it still holds gets out, and start another."""
        await self._drop()
        while True:
            self._bot_stack = AsyncExitStack()
            if self.breaker.fuse.is_dead:
                self.breaker.fuse = Fuse()
            try:
                await self.start_bot()
            except (Killed, StoreError, StartError):
                await self._drop()
            else:
                return

    async def _drop(self) -> None:
        # A killed process doesn't write what it would write at a normal end.
        with suppress(Killed):
            await self._bot_stack.aclose()

    async def time(self, seconds: float, step: float = 5.0) -> None:
        """Let time pass. If the bot is killed meanwhile, start it again, as a supervisor would."""
        left = seconds
        while left > 0:
            self.clock.advance(min(step, left))
            left -= step
            await self.work()

    async def until_over(self, most: float, step: float = 15.0) -> None:
        """Let time pass until nothing is open or unsent, and for two more steps."""
        left = most
        while left > 0:
            await self.time(step, step)
            left = left - step if self.rows(OPEN) else min(left - step, 2 * step)

    async def work(self) -> None:
        """Do the work that is due, as the loops do. An error ends a round, but not the process."""
        for _ in range(3):
            try:
                await self.settle()
            except Killed:
                await self.reborn()
            except StoreError:
                continue
            else:
                return

    async def persists(self, act: Callable[[], Awaitable[bool]]) -> None:
        """Repeat an action until it works, as a person would."""
        for _ in range(TRIES):
            worked = False
            with suppress(*TROUBLE):
                worked = await act()
            if self.breaker.fuse.is_dead:
                await self.reborn()
            if worked:
                return
            await self.time(5)
        raise AssertionError(f"it does not work, whatever one tries (after {self.breaker.fuse.what})")

    # -- what people want ----------------------------------------------------------------------------------

    async def commands(self, text: str) -> None:
        """Type a command for a workspace until it is accepted."""

        async def act() -> bool:
            shown = await self.alice.types(text, then_settle=False)
            await self.work()
            return bool(ACCEPTED.search(shown.text.replace("*", "")))

        await self.persists(act)

    async def plans(self, text: str) -> None:
        """Type a command that plans a stop until it is accepted."""

        async def act() -> bool:
            shown = await self.alice.types(text, then_settle=False)
            await self.work()
            return re.search(r" stops in |I.ll stop ", shown.text) is not None

        await self.persists(act)

    async def links(self) -> None:
        """Link Alice's account, from the command to the confirmation."""

        async def act() -> bool:
            page = await self.alice.links("alice")
            return not self.has_sign_in or "is linked as alice" in page.text

        await self.persists(act)

    async def unlinks(self) -> None:
        """Type *unlink* until nothing is linked any more."""

        async def act() -> bool:
            shown = await self.alice.types("unlink saturn --yes", then_settle=False)
            await self.work()
            return any(
                word in shown.text
                for word in ("unlinked from", "haven't linked an account", "no account linked")
            )

        await self.persists(act)

    # -- what must be true -----------------------------------------------------------------------------------

    def rows(self, query: str) -> list[Any]:
        with closing(sqlite3.connect(f"file:{self.folder / 'usher.db'}?mode=ro", uri=True)) as database:
            database.row_factory = sqlite3.Row
            return list(database.execute(query))

    async def check(self) -> None:
        """Check all invariants, once everything has had time to settle."""
        told = Counter(shown.key for shown in self.alice.sees() if shown.key)
        assert [key for key, count in told.items() if count > 1] == []
        for operation in self.rows("SELECT * FROM operations"):
            assert operation["outcome"] is not None, dict(operation)
            if operation["outcome"] in ("fulfilled", "failed", "refused"):
                # One message reports the end: its own, or a stop's card, which is deleted if there is another
                # message. The warning of a planned stop becomes the report of that stop.
                says_end = rf"{operation['id']}/(\w+/end|card/1)"
                if operation["planned_for"] is not None:
                    says_end += f"|{operation['workspace_id']}/stop_warning/{operation['planned_for']:.0f}"
                ends = [key for key in told if re.fullmatch(says_end, key)]
                assert len(ends) == 1, (dict(operation), told)
                is_down = operation["outcome"] == "fulfilled" and operation["verb"] == "stop"
                stopped = {shown.key for shown in self.alice.told("stopped")}
                assert ends[0].endswith("/end") or (is_down and ends[0] in stopped), (dict(operation), told)
        left = self.rows("SELECT kind, state, error FROM notices WHERE state != 'sent'")
        # A result that contradicts an earlier one is read again before it is reported, which may take
        # minutes.
        may_stay = {("reply", "dead"), ("turned_out", "pending")}
        unsent = [tuple(row) for row in left if (row["kind"], row["state"]) not in may_stay]
        assert unsent == [], unsent
        assert [tuple(row) for row in self.rows("SELECT kind, subject FROM tasks")] == []
        self._check_starts()
        assert [v for v in self.saturn.harness.violations if "per 10 s" in v["rule"]] == []
        assert await self.bot.store.perform(audit.verify_audit) is None
        held = self.stored()
        self.watch.learn(self.saturn)
        assert not [secret for secret in self.watch.secrets if secret.encode() in held]

    def _check_starts(self) -> None:
        """Check that each start on the provider belongs to one operation, and no operation has two."""
        self.learn_places()
        asked = self.rows("SELECT * FROM operations WHERE verb != 'stop' ORDER BY created_at")
        counted: Counter[str] = Counter()
        for resource in self.saturn.state.resources.values():
            for run in resource.runs[self.had_runs[resource.id] :]:
                mine = [
                    operation["id"]
                    for operation in asked
                    if self.places.get(operation["workspace_id"]) == resource.id
                    and operation["created_at"] <= run.created_at
                ]
                assert mine, f"nobody asked for a start of {resource.name}"
                counted[mine[-1]] += 1
        assert max(counted.values(), default=1) == 1, counted

    def learn_places(self) -> None:
        """Remember which row is which workspace, since unlinking deletes the rows, but not the operations."""
        for row in self.rows("SELECT id, remote_id FROM workspaces"):
            self.places[row["id"]] = row["remote_id"]

    def check_unlinked(self) -> None:
        """Check that no account is left, and that no link holds a secret."""
        assert self.rows("SELECT * FROM accounts") == []
        assert self.rows("SELECT * FROM links WHERE secret IS NOT NULL AND stage != 'used'") == []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Run everything for a block. Slack's rules that a kill may break aren't checked."""
        async with AsyncExitStack() as stack:
            self.slack_url = await stack.enter_async_context(self.slack.running())
            listening_at = await stack.enter_async_context(TestServer(self.saturn.app, host="127.0.0.1"))
            self.saturn_url = str(listening_at.make_url("")).rstrip("/")
            self.watch.learn(self.saturn)
            self.watch.secrets.add(self._keys)
            stack.push_async_callback(self.stop_bot)
            await self.start_bot()
            await self.know_everybody()
            yield self


def breaking_world(folder: Path, **options: Any) -> AbstractAsyncContextManager[BreakingWorld]:
    """Return a running world with a fuse that doesn't blow."""
    return BreakingWorld(folder, options).running()
