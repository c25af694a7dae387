"""A store in memory for tests of other parts, and functions that write its rows."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from bot.domain.accounts import Account, Link, LinkSource
from bot.domain.audit import AuditEntry
from bot.domain.browsers import BrowserSession
from bot.domain.forms import Spec
from bot.domain.holds import hold_by_cause
from bot.domain.notices import NewNotice, Notice, NoticeKind
from bot.domain.observations import Observed
from bot.domain.operations import Operation, OperationVerb
from bot.domain.people import Person, Principal
from bot.domain.preferences import Preferences
from bot.domain.reads import ReadResult, Unconfirmed
from bot.domain.runs import Run, StopKind
from bot.domain.stops import PlannedStop
from bot.domain.tasks import TaskKind
from bot.domain.work_items import Call
from bot.domain.workspaces import State, Workspace
from bot.providers import base, facets
from bot.services import accounts
from bot.services.caller import Caller
from bot.store import accounts as account_rows
from bot.store import (
    browsers,
    cards,
    creations,
    discovered,
    fan_out,
    gates,
    inbox,
    open_store,
    operations,
    refusals,
    runs,
    schema,
    timers,
    work_items,
    workspaces,
)
from bot.store import notices as notice_rows
from bot.store import preferences as preferences_store
from bot.store import tasks as task_rows
from bot.store.audit import append_audit
from bot.store.discovered import ListedWorkspace
from bot.store.notices import add_notices
from bot.store.operations import Accepted
from bot.store.store import Store
from bot.store.tables import BROWSER_SESSIONS, LINKS, OPERATIONS, RUNS
from bot.store.transaction import Priority, Transaction
from bot.support.clock import Clock, Ids, SystemClock, SystemIds
from tests.rigs.clock import CountingIds, FakeClock
from tests.rigs.context import context
from tests.rigs.engine import EngineWithoutThread

#: An action by a person. Backups only start once there is one.
ACTION = AuditEntry("T1:U1", "account.linked", "T1:U1/saturn", "ok")

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

ALICE = Principal(None, "T1", "UALICE")
BOB = Principal("E1", "T1", "UBOB")

#: The interval between reads of a resource and the margin that these tests use for claims.
INTERVAL, MARGIN = 10.0, 0.5


_LINKED = count(1)


class MemoryStore(Store):
    """A store in memory whose engine is accessible to tests."""

    engine: EngineWithoutThread


@asynccontextmanager
async def memory_store(clock: Clock | None = None, ids: Ids | None = None) -> AsyncIterator[MemoryStore]:
    """Open a migrated store in memory whose work runs at once."""
    engine = EngineWithoutThread(":memory:", clock or FakeClock(), ids or CountingIds())
    await engine.open()
    store = MemoryStore(engine)
    try:
        await serve_new(store)
        yield store
    finally:
        await store.close()


async def make_used_database(url: str) -> None:
    """Create a database that contains a person's action, for a process that is to back it up."""
    store = await open_store(url, SystemClock(), SystemIds())
    try:
        await store.migrate()
        await store.write(append_audit, [ACTION])
    finally:
        await store.close()


async def within(
    store: Store,
    work: Callable[Concatenate[Transaction, Arguments], Result],
    *arguments: Arguments.args,
    **named: Arguments.kwargs,
) -> Result:
    """Run a function of the store in its own transaction, as a use case would."""
    return await store.carry_out(lambda tx: work(tx, *arguments, **named))


async def run_pragma(store: Store, pragma: str) -> None:
    """Run a PRAGMA on a SQLite store's connection."""

    def run(tx: Any) -> None:
        tx._connection.execute(f"PRAGMA {pragma}").fetchall()

    await store.engine.read(run, Priority.URGENT)


async def serve_new(store: Store) -> None:
    """Begin serving a new database, which has no stored times to repair."""
    await store.perform(schema.write_heartbeat)
    if not store.engine.is_shared:
        store.engine.serves()


def gate_key(connection: str, remote_id: str) -> str:
    """Return the gate key that a provider at one address would use."""
    return f"https://{connection}.example.org|{remote_id}"


@dataclass(frozen=True)
class Linked:
    """A linked account and its workspaces, in the order in which the test named them."""

    account: Account
    workspaces: tuple[Workspace, ...]


async def link_account(
    store: Store,
    principal: Principal = ALICE,
    connection: str = "saturn",
    *,
    username: str | None = None,
    secret: str | None = None,
    account_id: str | None = None,
    expires_at: float | None = None,
    link_source: LinkSource = "token",
) -> Account:
    """Link an account without the follow-up work.

    It replaces an account of the same person and connection.
    """
    now = await store.now()
    name = username if username is not None else principal.user_id.lower()
    account = Account(
        id=account_id or f"account_{next(_LINKED)}",
        principal=principal,
        connection=connection,
        username=name,
        secret=secret if secret is not None else f"sealed-{name}",
        state="active",
        linked_at=now,
        expires_at=expires_at,
        link_source=link_source,
    )
    await put_account(store, account)
    return account


async def put_account(store: Store, account: Account, *moved: Any) -> None:
    """Store an account, replacing one of the same person and connection."""
    await store.carry_out(lambda tx: account_rows.save(tx, account, *moved))


async def put_link(store: Store, link: Link) -> None:
    """Store a link."""
    await store.carry_out(lambda tx: LINKS.add(tx, link))


async def linked(
    store: Store,
    principal: Principal = ALICE,
    names: Sequence[str] = ("notebook",),
    *,
    connection: str = "saturn",
    state: State = State.STOPPED,
    username: str | None = None,
) -> Linked:
    """Link an account for a person, and store its workspaces. Their remote ids are ``<user>-<name>``."""
    account = await link_account(store, principal, connection, username=username)
    found = [found_workspace(name, principal, connection, state) for name in names]
    await store.perform(discovered.merge_discovered, account.id, found)
    await store.save_people([Person(principal, principal.user_id.title(), seen_at=await store.now())])
    by_name = {
        row.name: row
        for row in await store.perform(workspaces.read_workspaces, principal, connection=connection)
    }
    return Linked(account, tuple(by_name[name] for name in names))


class _Revoking(facets.Revocation):
    """Declares that a provider can revoke credentials. Fails if it is asked to."""

    def can_revoke(self, credential: base.Credential) -> bool:
        return True

    async def revoke(self, access: base.Access) -> None:
        raise AssertionError("the engine revokes")


async def unlink(
    store: Store,
    principal: Principal = ALICE,
    connection: str | None = None,
    *,
    revocable: Sequence[str] = (),
    notify: bool = True,
    says: bool = False,
) -> list[Account]:
    """Unlink a person's accounts. With ``says``, the person is told.

    At the ``revocable`` connections, the accounts' secrets are revoked first.
    """
    caller = Caller(context(store, {name: _Revoking() for name in revocable}), principal)
    connections = None if connection is None else [connection]
    return await caller.run(
        accounts.end_accounts,
        principal,
        connections,
        actor="test",
        cause="person",
        notify=notify,
        is_answered=not says,
    )


async def follow(store: Store) -> int:
    """Finish the pending fan-out tasks, as the engine does. Return how many there were."""
    tasks = [
        one for one in await store.claim(task_rows.claim_tasks, 100, 60.0) if one.kind is TaskKind.FAN_OUT
    ]
    for task in tasks:
        await store.perform(fan_out.finish_fan_out, task)
        await store.write(task_rows.finish_task, task)
    return len(tasks)


async def hold(store: Store, account: Account, renamed_to: str | None = None) -> Account | None:
    """Put an account on hold because its provider refuses its secret."""
    return await store.carry_out(lambda tx: refusals.hold(tx, account, renamed_to))


async def refuse(store: Store, account: Account) -> bool:
    """Mark an account as refused, without sending the message. Its operations wait for a new link."""
    return await store.carry_out(
        lambda tx: account_rows.refuse(tx, account, hold_by_cause("credential_refused"))
    )


async def begin_session(store: Store, session: BrowserSession) -> None:
    """Store a browser's session."""
    user_id = session.principal.user_id
    await store.carry_out(lambda tx: BROWSER_SESSIONS.add(tx, session, user_id=user_id))


async def launched(
    store: Store,
    principal: Principal = ALICE,
    connection: str = "posit",
    name: str = "train",
    *,
    shows: bool = False,
    deadline_seconds: float | None = None,
    **fields: Any,
) -> Run:
    """Store a run with its card. If it ``shows``, also add the notice that posts the card."""

    def write(tx: Transaction) -> Run:
        now = tx.now()
        whose = {"principal": principal, "connection": connection}
        kept = {"spec": Spec(name), "reference": "R-1", "created_at": now, **whose, **fields}
        if "remote_id" in fields:
            kept.setdefault("start_call", Call.ACCEPTED)
        if deadline_seconds is not None:
            kept |= {"blocked_since": now, "deadline_at": now + deadline_seconds}
        run = Run(id=tx.ids.new("job"), name=name, **kept)
        assert runs.insert(tx, run), "another run has this remote id"
        if shows:
            runs.show(tx, run, run.channel_id)
        else:
            cards.add(tx, NoticeKind.JOB_CARD, run.id, principal.key)
        written = runs.find_run(tx, run.id)
        assert written is not None
        return written

    return await store.carry_out(write)


async def want_stop(store: Store, run_id: str, wanted: StopKind = "stop") -> Run:
    """Request the stop of an open run, and return the run."""

    def write(tx: Transaction) -> Run:
        run = runs.find_run(tx, run_id)
        assert run is not None
        runs.request_stop(tx, run, wanted)
        return runs.find_run(tx, run_id) or run

    return await store.carry_out(write)


async def watch_run(store: Store, run_id: str) -> Run | None:
    """Show a run's output. A run without a card gets one."""
    return await store.carry_out(lambda tx: runs.watch(tx, run_id))


async def deliver(store: Store, kind: NoticeKind) -> list[Notice]:
    """Mark the due notices of a kind as sent, and return them."""
    found = [one for one in await store.perform(notice_rows.claim_notices, 100, 60.0) if one.kind is kind]
    for one in found:
        await store.write(notice_rows.mark_notice_sent, one, f"D{one.principal.user_id}", "1.0")
    return found


async def set_timer(store: Store, workspace: Workspace, timer: PlannedStop | None) -> None:
    """Set the planned stop of a workspace, or remove it if ``timer`` is None."""
    if timer is None:
        await store.carry_out(lambda tx: timers.clear_stops(tx, workspace.id))
    else:
        await store.carry_out(lambda tx: timers.plan_stop(tx, workspace.id, timer))


async def add_workspace(store: Store, workspace: Workspace) -> Workspace:
    """Add a workspace to a person's list."""
    return await store.carry_out(lambda tx: workspaces.add(tx, workspace))


async def name_workspace(store: Store, workspace_id: str, alias: str | None) -> None:
    """Give a workspace an alias, or remove it."""
    await store.carry_out(lambda tx: workspaces.name(tx, workspace_id, alias))


async def hide_workspace(store: Store, workspace_id: str) -> None:
    """Hide a workspace from its person's list."""
    await store.carry_out(lambda tx: workspaces.hide(tx, workspace_id))


async def notify(store: Store, workspace_id: str, *, ready: bool | None, stopped: bool | None) -> None:
    """Set which messages are sent about a workspace."""
    await store.carry_out(lambda tx: workspaces.notify(tx, workspace_id, ready=ready, stopped=stopped))


async def want_read(store: Store, workspace_id: str) -> None:
    """Request a read of a workspace as soon as its gate opens."""
    await store.carry_out(lambda tx: gates.want(tx, workspace_id))


async def browser_session(store: Store, id_hash: str, idle: float) -> BrowserSession | None:
    """Return a browser's session if it is valid."""
    return await store.engine.read(lambda tx: browsers.find_session(tx, id_hash, idle))


def hurry(store: Store, seconds: float) -> None:
    """Set the timeout of all waiting and future work in the store's queue to this many seconds."""
    queue = store.engine._write_queue
    cast("dict[Priority, float]", queue._patience).update(dict.fromkeys(Priority, seconds))
    queue._look_in(0.0)


async def first_sight(store: Store, interaction: str) -> bool:
    """Add an interaction to the inbox, and return whether it is new."""
    return await store.carry_out(lambda tx: inbox.add_interaction(tx, interaction))


async def run_by_remote(store: Store, principal: Principal, connection: str, remote_id: str) -> Run | None:
    """Return a person's run by its id at the provider."""
    key = {"principal": principal, "connection": connection, "remote_id": remote_id}
    return await store.engine.read(lambda tx: RUNS.one(tx, **key, is_orphan=False))


async def prefer(store: Store, principal: Principal, wanted: Preferences) -> None:
    """Set a person's preferences."""
    await store.carry_out(lambda tx: preferences_store.save_preferences(tx, principal, wanted))


async def accept_operation(
    store: Store,
    workspace: Workspace,
    verb: OperationVerb = OperationVerb.START,
    *,
    interaction: str = "",
    reference: str = "R",
    deadline_seconds: float = 60.0,
    channel_id: str | None = None,
    notices: Sequence[NewNotice] = (),
    audit: Sequence[AuditEntry] = (),
    **more: Any,
) -> Accepted:
    """Begin an operation, or join one, as a use case does.

    A notice with subject "" is about the operation.
    """

    def write(tx: Transaction) -> Accepted:
        row = workspaces.find_workspace(tx, workspace.id)
        assert row is not None
        accepted = operations.accept(tx, row, verb, deadline_seconds, reference, channel_id, **more)
        kept = [one for one in notices if not accepted.joined or one.kind is not NoticeKind.CARD]
        return _said(tx, accepted, interaction, kept, audit)

    return await _once(store, interaction, write)


async def accept_creation(
    store: Store,
    workspace: Workspace,
    *,
    interaction: str = "",
    channel_id: str | None = None,
    notices: Sequence[NewNotice] = (),
    audit: Sequence[AuditEntry] = (),
) -> Accepted:
    """Store a provisional workspace and the operation that creates it, as a use case does."""

    def write(tx: Transaction) -> Accepted:
        creations.insert_provisional(tx, workspace)
        made = operations.add(tx, workspace, OperationVerb.CREATE, 1800.0, "R-1", channel_id)
        return _said(tx, Accepted(made), interaction, notices, audit)

    return await _once(store, interaction, write)


async def _once(store: Store, interaction: str, write: Callable[[Transaction], Accepted]) -> Accepted:
    def once(tx: Transaction) -> Accepted:
        if inbox.add_interaction(tx, interaction):
            return write(tx)
        first = operations.find_operation(tx, inbox.find_result(tx, interaction))
        assert first is not None
        return Accepted(first, repeated=True)

    return await store.carry_out(once)


def _said(
    tx: Transaction,
    accepted: Accepted,
    interaction: str,
    notices: Sequence[NewNotice],
    audit: Sequence[AuditEntry],
) -> Accepted:
    inbox.save_result(tx, interaction, accepted.operation.id)
    add_notices(tx, notices, accepted.operation.id)
    append_audit(tx, audit)
    return accepted


async def keep_waiting(store: Store, operation_id: str, seconds: float = 60.0) -> Operation | None:
    """Set a new deadline for an operation. Return the operation, or None if it has ended."""
    return await store.carry_out(lambda tx: operations.keep_waiting(tx, operation_id, seconds))


async def make_another(store: Store, operation_id: str) -> bool:
    """Answer the question about a creation by creating another one. Return whether there was a question."""
    return await store.carry_out(lambda tx: work_items.repeat(tx, OPERATIONS, operation_id, 60.0))


def found_workspace(
    name: str, principal: Principal = ALICE, connection: str = "saturn", state: State = State.STOPPED
) -> ListedWorkspace:
    """Return a workspace as a listing contains it."""
    remote_id = f"{principal.user_id.lower()}-{name}"
    return listed_workspace(remote_id, gate_key(connection, remote_id), name, state)


def listed_workspace(
    remote_id: str,
    key: str,
    name: str,
    state: State,
    url: str | None = None,
    detail: str | None = None,
    **more: Any,
) -> ListedWorkspace:
    """Return a listed workspace with the given state and details."""
    return ListedWorkspace(remote_id, key, name, Observed(state, url, detail, **more))


async def observe(
    store: Store,
    clock: FakeClock,
    workspace: Workspace,
    observed: Observed,
    next_in: float | None = None,
    unconfirmed: Unconfirmed | None = None,
) -> None:
    """Advance the clock until the poll gate allows a read of the workspace, and record the read's result."""
    await want_read(store, workspace.id)
    for _ in range(2):
        claims = await store.claim(gates.claim_reads, workspace.connection, 1000, INTERVAL, MARGIN)
        for claim in claims:
            if claim.gate_key == workspace.gate_key:
                result = ReadResult(
                    claim.gate_key,
                    claim.workspace_ids,
                    observed,
                    next_in,
                    granted_at=claim.granted_at,
                    unconfirmed=unconfirmed,
                )
                await store.perform(gates.record_reads, [result])
                return
        clock.advance(INTERVAL + MARGIN)
    raise AssertionError("the gate did not open")
