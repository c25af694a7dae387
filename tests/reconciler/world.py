"""Everything that the engine's tests need, on one clock that stands still until it is moved."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

from cryptography.fernet import Fernet
from pydantic import SecretStr

from bot.domain.accounts import Account
from bot.domain.forms import Spec
from bot.domain.installations import Installation, Installations
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.operations import OperationVerb
from bot.domain.people import Person, Principal
from bot.domain.transcript import Board
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State, Workspace
from bot.messages.texts.runs import explain_missing
from bot.providers.base import Credential
from bot.reconciler import Numbers, Reconciler
from bot.reconciler.streams import MAX_STREAMS
from bot.services.caller import Caller
from bot.services.context import Context
from bot.services.operation_requests import create_workspace
from bot.services.owners import Owners
from bot.slack.calls import Budget, PacedSlack
from bot.slack.notifier import Notifier, Timing
from bot.slack.people import PeopleDirectory
from bot.store import accounts, counts, discovered, operations, workspaces
from bot.store.store import Store
from bot.support.errors import SlackUnknownOutcome, StoreBusy, UnknownOutcome
from bot.support.pool import Pool
from bot.support.responses import Response
from bot.support.vault import Vault, row_key
from tests.reconciler.fuse import Fuse, Fused, Killed
from tests.rigs.clock import CountingIds, FakeClock
from tests.rigs.due_times import check_due_times
from tests.rigs.installed import Token
from tests.rigs.listeners import Unobserved
from tests.rigs.providers import FakeProvider
from tests.rigs.slack import FakeSlack
from tests.rigs.steps import Looks, Steps, until_idle
from tests.rigs.store import ALICE, accept_operation, link_account, listed_workspace, memory_store

DEADLINE = 1800.0
#: Messages that are waiting to be updated or deleted.
_DIRTY = "SELECT id FROM cards WHERE is_dirty = 1 AND message_ts IS NOT NULL"
KEY = Fernet.generate_key().decode()


class FakeHttp:
    """A stand-in for the addresses that replies are posted to.

    It keeps the posts, and answers with ``status`` or raises ``error``. ``refusals`` has the statuses and
    bodies of the first answers.
    """

    def __init__(self) -> None:
        self.posts: list[tuple[str, dict[str, Any]]] = []
        self.status = 200
        self.headers: dict[str, str] = {}
        self.error: Exception | None = None
        self.refusals: list[tuple[int, bytes]] = []

    async def request(self, _method: str, url: str, *, json_body: dict[str, Any], **_keys: Any) -> Response:
        self.posts.append((url, json_body))
        if self.error is not None:
            raise self.error
        status, body = self.refusals.pop(0) if self.refusals else (self.status, b"ok")
        return Response(status, self.headers, body)  # a plain dict will do


class World:
    """All parts of the engine. ``reborn`` replaces a killed process: it makes new parts on the same store."""

    #: How long a stop may wait for its warning, in seconds.
    unwarned_seconds = 12 * 3600.0
    #: Usher's public address, for workspaces that open through one of Usher's own pages.
    public_url: str | None = None

    def __init__(self, store: Store, clock: FakeClock, ids: CountingIds, provider: FakeProvider) -> None:
        self.store = store
        self.clock = clock
        self.ids = ids
        self.provider = provider
        self.slack = FakeSlack(clock)
        self.http = FakeHttp()
        self.vault = Vault([KEY])
        self.replayed: list[tuple[Principal, dict[str, Any]]] = []
        #: The Home tabs that were published, each with what a press added to it.
        self.homes: list[tuple[Principal, dict[str, Any]]] = []
        self.installation = Installation("T1")
        #: Set if Usher is installed in more Slack workspaces than that one.
        self.several: Installations | None = None
        self.numbers = Numbers()
        self.timing = Timing()
        self.owners = Owners()
        self.streams_at_once = MAX_STREAMS
        #: The streams and output boards of each process so far.
        self.lives: list[tuple[Pool, Board]] = []
        self.reborn()

    def reborn(self, fuse: Fuse | None = None, *, connections: dict[str, Any] | None = None) -> None:
        """Create the parts again, as after a restart. With a fuse, all their calls pass through it."""

        def through(part: Any, error: Exception) -> Any:
            return Fused(part, fuse, error) if fuse else part

        store = through(self.store, StoreBusy("not committed in time"))
        slack = through(self.slack, SlackUnknownOutcome("some.method", "no_answer"))
        if connections is None:
            connections = {"cloud": through(self.provider, UnknownOutcome("no answer in time"))}
        self.streams, self.board = (
            Pool(self.streams_at_once, lambda: None),
            Board(self.clock.monotonic, explain_missing=explain_missing),
        )
        self.lives.append((self.streams, self.board))
        self.line = PacedSlack(slack, Budget(store, self.installation), self.clock)
        self.people = PeopleDirectory(store, self.line)
        self.context = Context(
            store=store,
            connections=connections,
            people=self.people,
            installation=self.several or self.installation,
            tenants=Token(),
            vault=self.vault,
            clock=self.clock,
            ids=self.ids,
            public_url=self.public_url,
            owners=self.owners,
            unwarned_seconds=self.unwarned_seconds,
        )
        self.reconciler = Reconciler(
            self.context, self.numbers, self.board, self.replay, self.publish_home, Unobserved(), lambda: 0.0
        )
        self.notifier = Notifier(
            self.context,
            self.line,
            self.http,  # as much of it as replies need
            self.board,
            self.timing,
        )
        self.looks = Looks.of(self.store, self.clock, self.ids, self.reconciler, self.notifier)

    async def restart(self) -> None:
        """Restart a killed process, which then serves from its file as the only one."""
        await self.store.begin_serving()
        self.reborn()

    def administered_by(self, *names: str) -> None:
        """Name administrators, as ``USHER_ADMINS`` does, and restart."""
        self.installation = replace(self.installation, administrators=frozenset(names))
        self.reborn()

    async def replay(self, principal: Principal, command: dict[str, Any]) -> None:
        self.replayed.append((principal, command))

    async def publish_home(self, principal: Principal, shown: dict[str, Any]) -> None:
        self.homes.append((principal, shown))

    # -- what people have done before ----------------------------------------------------------------------

    def seal(self, principal: Principal, token: str = "token-1", refresh: str | None = None) -> str:
        credential = Credential(SecretStr(token), SecretStr(refresh) if refresh else None)
        return self.vault.seal(row_key(principal.key, "cloud"), credential.as_mapping())

    async def link(
        self,
        principal: Principal = ALICE,
        token: str = "token-1",
        refresh: str | None = None,
        *,
        is_known: bool = True,
        **keys: Any,
    ) -> Account:
        if is_known:
            await self.know(principal)
        secret = self.seal(principal, token, refresh)
        return await link_account(self.store, principal, "cloud", secret=secret, **keys)

    async def know(self, principal: Principal = ALICE, **keys: Any) -> None:
        person = Person(principal, principal.user_id.title(), seen_at=await self.store.now(), **keys)
        await self.store.save_people([person])
        teams = {"enterprise_id": principal.enterprise_id, "teams": [principal.team_id]}
        own = {"enterprise_user": teams} if principal.enterprise_id else {}
        if isinstance(self.slack, FakeSlack):
            self.slack.add_user(principal.user_id, principal.team_id, **own)

    async def own(
        self,
        principal: Principal = ALICE,
        remote_id: str = "r1",
        state: State = State.STOPPED,
        *,
        is_known: bool = True,
    ) -> Workspace:
        """Give a person a linked account, if they have none, and a workspace that exists at the provider."""
        account = await self.store.read(accounts.find_account, principal, "cloud")
        account = account or await self.link(principal, is_known=is_known)
        self.provider.put(remote_id, state)
        known = await self.store.perform(workspaces.read_workspaces, principal, connection="cloud")
        found = [listed_workspace(row.remote_id, row.gate_key, row.name, row.state) for row in known]
        fresh = listed_workspace(remote_id, self.provider.gate_key(remote_id), f"name-{remote_id}", state)
        await self.store.perform(discovered.merge_discovered, account.id, [*found, fresh])
        rows = await self.store.perform(workspaces.read_workspaces, principal, connection="cloud")
        self.clock.advance(15.0)  # What the list said is too old for any operation.
        return next(row for row in rows if row.remote_id == remote_id)

    async def begin(
        self,
        workspace: Workspace,
        verb: OperationVerb = OperationVerb.START,
        key: str = "",
        *,
        agreed: bool = False,
    ) -> str:
        reference = self.ids.reference()
        accepted = await accept_operation(
            self.store,
            workspace,
            verb,
            interaction=key or reference,
            notices=[NewNotice("", NoticeKind.CARD, "1", workspace.principal)],
            deadline_seconds=DEADLINE,
            reference=reference,
            agreed=agreed,
        )
        return accepted.operation.id

    @property
    def asking(self) -> Context:
        """The context of people's requests, which don't pass through the fuse."""
        return replace(self.context, store=self.store, connections={"cloud": self.provider})

    async def make(
        self, principal: Principal = ALICE, name: str = "lab", key: str = "", *, stem: str = ""
    ) -> str:
        """Request a new workspace for a person, linking their account if needed.

        Return the operation's id. With ``stem``, Usher chooses the name.
        """
        if await self.store.read(accounts.find_account, principal, "cloud") is None:
            await self.link(principal)
        await self.know(principal)
        reference = self.ids.reference()
        caller = Caller(self.asking, principal, key or reference, reference)
        accepted = await caller.run(create_workspace, "cloud", Spec("" if stem else name, {}, stem))
        return accepted.operation.id

    def hang(self, called: str) -> asyncio.Event:
        """Let calls of this provider method hang. Return an event that is set once one has begun."""
        began = asyncio.Event()

        async def hang(method: str) -> None:
            if method == called:
                began.set()
                await asyncio.Event().wait()

        self.provider.during = hang
        return began

    def ask(self, interaction: str = "", principal: Principal = ALICE) -> Caller:
        """Return a caller who acts for a person."""
        return Caller(self.asking, principal, interaction)

    async def workspace_of(self, operation_id: str) -> Workspace:
        """Return the current row of the workspace that an operation is for."""
        operation = await self.store.read(operations.find_operation, operation_id)
        assert operation is not None
        workspace = await self.store.read(workspaces.find_workspace, operation.workspace_id)
        assert workspace is not None
        return workspace

    # -- time ----------------------------------------------------------------------------------------------

    async def work(self) -> bool:
        """Do all work that is due now, and return whether there was any."""
        steps: Steps = {
            "operations": self.reconciler.operations.step,
            "reads": self.reconciler.reads.step,
            "outages": self.reconciler.outages.step,
            "tasks": self.reconciler.tasks.step,
            "jobs": self.reconciler.runs.step,
            "scheduled_work": self.looks.timed(self.reconciler),
            "streams": self._streams,
            "notices": self.notifier.step_notices,
            "cards": self.notifier.step_cards,
            "outputs": self.notifier.step_outputs,
        }
        was_busy = await until_idle(steps, self.looks)
        await check_due_times(self.store)
        return was_busy

    async def _streams(self) -> int:
        """Begin the streams that are due, and let all open ones read what is available."""
        begun = await self.reconciler.streams.step(self.streams)
        if any(streams.room < self.streams_at_once for streams, _ in self.lives):
            for _ in range(30):
                await asyncio.sleep(0)
        return begun

    async def pass_time(self, seconds: float, step: float = 1.0, longest: float | None = None) -> None:
        """Let time pass in steps, working after each.

        While nothing happens, steps grow to ``longest``. By default, they grow to four times ``step``, or to
        a hundredth of the time left.
        """
        await self.work()
        left, pause = seconds, step
        while left > 0:
            self.clock.advance(min(pause, left))
            left -= pause
            is_busy = await self.work()
            pause = step if is_busy else min(2 * pause, longest or max(4 * step, left / 100))

    def done(self) -> tuple[int, int]:
        """Return how many writes and provider calls there have been."""
        engine: Any = self.store.engine
        return engine.changes, len(self.provider.calls)

    async def until_trouble(self) -> None:
        """Let time pass until the process dies, or all requests have ended, and a little longer.

        From then on, the calls of idle loops all repeat the ones before.
        """
        with suppress(Killed, StoreBusy):
            await self.until_settled(60, 1.0)

    async def until_settled(self, most: int = 70, step: float = 5.0) -> None:
        """Let time pass until nothing is open or unsent, and five steps more, but at most ``most`` steps.

        Messages that are waiting to be updated or deleted count as unsent.
        """
        left = most
        while left > 0:
            await self.work()
            self.clock.advance(step)
            known = await self.store.perform(counts.count_rows)
            dirty = await self.store.engine.read(lambda tx: tx.all(_DIRTY))
            open_or_owed = known["open_operations"] + known["open_runs"] + known["pending_notices"]
            is_over = not open_or_owed + len(dirty)
            left = min(left - 1, 5) if is_over else left - 1

    async def until_ended(self, operation_id: str, most: float = 300.0) -> Outcome:
        """Let time pass until an operation has ended, and return its outcome."""
        operation = None
        for _ in range(round(most)):
            await self.work()
            operation = await self.store.read(operations.find_operation, operation_id)
            assert operation is not None
            if operation.outcome is not None:
                await self.pass_time(3, longest=1.0)
                return operation.outcome
            self.clock.advance(1.0)
        raise AssertionError(f"the operation is still open: {operation}")


@asynccontextmanager
async def new_world(
    provider: Callable[[FakeClock], FakeProvider] = FakeProvider,
) -> AsyncIterator[World]:
    clock, ids = FakeClock(), CountingIds()
    async with memory_store(clock, ids) as store:
        world = World(store, clock, ids, provider(clock))
        try:
            yield world
        finally:
            for streams, board in world.lives:
                await streams.drain(0.0)
                board.close()
