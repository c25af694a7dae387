"""Gather the facts that cards and notices are drawn from: rows, titles, names, addresses to show."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from bot.domain.accounts import Account
from bot.domain.feasibility import find_access_obstacle, find_stop_obstacle
from bot.domain.message_context import ActFacts, Facts, HeldFacts, RequestFacts, RunFacts, WorkspaceFacts
from bot.domain.message_kinds import AnyKind, Mark
from bot.domain.notices import Card, EndState, Notice, NoticeKind
from bot.domain.operations import Operation, OperationVerb
from bot.domain.people import Named, People, Principal
from bot.domain.runs import Run
from bot.domain.stops import NO_EFFECTS
from bot.domain.transcript import Board
from bot.domain.workspaces import State, Workspace
from bot.providers import base
from bot.services.context import Context
from bot.services.hooks import UseCaseHooks
from bot.store import accounts as account_rows
from bot.store import handovers, notices, operations, undoable_actions
from bot.store import runs as run_rows
from bot.store import workspaces as workspace_rows
from bot.store.operations import OperationView
from bot.support.declarations import Registry
from bot.support.guards import guards

#: The path of the pages in which workspaces open; our own ids follow it.
IDE_PATH: Final = "/ide"
#: Facts of so many rows are put together in one piece: others work in the meantime.
TOGETHER: Final = 20

Message = Notice | Card
Added = Callable[["Gatherer", Message, Facts], Awaitable[Facts]]
#: The functions that gather the facts of a row, None if it is gone, by the subject of kinds of messages.
gathers: Registry[Callable[["Gatherer", str], Awaitable[Facts | None]]] = Registry()
#: The functions that add to the facts that every message has, by its kind.
adds: Registry[Added] = Registry()
Item = TypeVar("Item")


async def yield_in_batches(items: Iterable[Item]) -> AsyncIterator[Item]:
    """Yield items; other work comes between two batches."""
    for number, item in enumerate(items, 1):
        if number % TOGETHER == 0:
            await asyncio.sleep(0)
        yield item


class Gatherer:
    """Read rows for drawing. An IDE URL is checked against its connection's hosts each time it is shown.

    ``public_url`` is the origin that browsers reach us at, for workspaces that open in our own page.
    """

    def __init__(self, context: Context, board: Board | None = None) -> None:
        self.store = context.store
        self.connections, self._title = context.connections, context.title
        self._public_url = context.public_url
        self.board = board
        self.names = PeopleNames(context)

    async def of_workspace(self, workspace: Workspace, operation: Operation | None = None) -> WorkspaceFacts:
        """Gather facts for a workspace's row, and for the card of ``operation`` if there is one."""
        account = await self.store.read(account_rows.find_account, workspace.principal, workspace.connection)
        now = await self.store.now()
        facts = self._of_workspace(
            now, workspace.connection, account, operation=operation, workspace=workspace
        )
        return (await self._extend(workspace.principal, [facts]))[0]

    async def extend(self, facts: Facts) -> Facts:
        """Add the facts of features to those of a workspace."""
        if not isinstance(facts, WorkspaceFacts) or facts.workspace is None:
            return facts
        return (await self._extend(facts.workspace.principal, [facts]))[0]

    async def _extend(self, principal: Principal, found: list[WorkspaceFacts]) -> list[WorkspaceFacts]:
        for hooks in UseCaseHooks.list_subscribers():
            found = [*await hooks.extend_facts(self, principal, found)]
        return found

    async def of_all(
        self,
        principal: Principal,
        workspaces: Sequence[Workspace],
        under_way: Mapping[str, Operation] | None = None,
    ) -> list[WorkspaceFacts]:
        """Gather facts for a list of one person's workspaces; those of a lost connection are left out.

        ``under_way`` holds their open operations by workspace, where the list shows them.
        """
        accounts = {
            account.connection: account
            for account in await self.store.read(account_rows.list_accounts, principal)
        }
        now = await self.store.now()
        found = []
        async for one in yield_in_batches(workspaces):
            if one.connection in self.connections:
                account, operation = accounts.get(one.connection), (under_way or {}).get(one.id)
                found.append(
                    self._of_workspace(now, one.connection, account, workspace=one, operation=operation)
                )
        return await self._extend(principal, found)

    async def of_run(self, run: Run) -> RunFacts:
        """Gather facts for a run, without its output."""
        account = await self.store.read(account_rows.find_account, run.principal, run.connection)
        return self._of_run(await self.store.now(), run, account)

    async def of_runs(self, principal: Principal, runs: Sequence[Run]) -> list[RunFacts]:
        """Gather facts for a list of one person's runs."""
        if not runs:
            return []
        accounts = {
            account.connection: account
            for account in await self.store.read(account_rows.list_accounts, principal)
        }
        now = await self.store.now()
        return [self._of_run(now, run, accounts.get(run.connection)) async for run in yield_in_batches(runs)]

    async def of_card(self, kind: AnyKind, subject: str) -> Facts | None:
        """Gather facts for a card by the subject that its kind names; return None if its row is gone."""
        return await gathers[kind.subject](self, subject)

    async def of_message(self, card: Card) -> Facts | None:
        """Gather facts for redrawing a message; return None if the row that it shows is gone."""
        if Mark.CARD in card.kind.marks:
            facts = await self.of_card(card.kind, card.subject)
            if facts is not None and card.kind is NoticeKind.CARD and card.kind in adds:
                facts = await adds[card.kind](self, card, facts)
            if isinstance(facts, RunFacts):
                facts = self._for_its_person(facts, card)
        else:
            facts = await self.of_notice(card, workspace_id=card.about)
        is_gone, more = card.kind.subject == "job" and not isinstance(facts, RunFacts), dict[str, Any]()
        if isinstance(facts, WorkspaceFacts):
            is_gone = card.kind.subject == "operation" and facts.operation is None
            if facts.operation is None and Mark.STANDS not in card.kind.marks:
                more["is_superseded"] = await self._is_superseded(facts, card)
            more |= {"former_name": card.name, "body": facts.body or card.body}
        if facts is None or is_gone:
            return None
        if card.stage != "live":
            more["is_superseded"] = True
        return replace(facts, written_at=card.created_at, **more)

    async def of_offer(self, card: Card) -> WorkspaceFacts | RunFacts | None:
        """Gather facts for what an answer offers; None if its workspace or run is gone."""
        if (workspace := await self._own_workspace(card, card.about)) is not None:
            return await self.of_workspace(workspace)
        run = await self.store.read(run_rows.find_run, card.about)
        return None if run is None else await self.of_run(run)

    async def end_state(self, message: Message, facts: Facts | None) -> EndState:
        """Return the state of the message about the end of a card's subject."""
        if message.kind is NoticeKind.CARD and isinstance(facts, WorkspaceFacts):
            return facts.end_state
        return await self.store.read(notices.end_state, message.subject)

    async def of_act(self, act: str) -> ActFacts | None:
        """Gather facts for an act as it stands; None if nobody knows it any more."""
        found = await self.store.read(undoable_actions.find_act_facts, act)
        return found and replace(found, connection_title=self._title(found.act.connection))

    @guards("Output is read again, not remembered")
    def _for_its_person(self, facts: RunFacts, card: Card) -> RunFacts:
        """Leave the output out of a card that others may read: a direct message's id begins with D."""
        return facts if (card.channel_id or "").startswith("D") else replace(facts, output=None)

    async def read_pending(self, notice: Notice) -> Facts:
        """Gather facts for a pending notice: its rows as they are, and whether newer ones tell it."""
        facts = await self.of_notice(notice)
        return replace(facts, written_at=notice.created_at)

    async def _is_superseded(self, facts: WorkspaceFacts, card: Card) -> bool:
        """Return whether something newer was asked for since a message that is about no operation."""
        newest = (
            await self.store.read(operations.find_latest_operation, facts.workspace.id)
            if facts.workspace
            else None
        )
        return newest is not None and newest.created_at > card.created_at

    async def of_notice(self, notice: Message, workspace_id: str | None = None) -> Facts:
        """Gather facts for a notice: by the subject that its kind names, else by the keys of its body."""
        facts = await self._of_row(notice) or await self._of_body(notice, workspace_id)
        add = adds.get(notice.kind)
        return facts if add is None else await add(self, notice, facts)

    async def _of_row(self, notice: Message) -> Facts | None:
        """Gather facts for a notice about an operation or a run that is its person's."""
        if notice.kind.subject in ("operation", "job"):
            found = await self.of_card(notice.kind, notice.subject)
            match found:
                case RunFacts(run=own) | WorkspaceFacts(operation=Operation() as own):
                    return replace(found, body=notice.body) if own.principal == notice.principal else None
        return None

    async def _of_body(self, notice: Message, workspace_id: str | None) -> Facts:
        kind, body = notice.kind, notice.body
        workspace = await self._own_workspace(notice, workspace_id or "")
        workspace = workspace or await self._own_workspace(notice, str(body.get("workspace") or ""))
        connection = str(body.get("connection") or (workspace.connection if workspace else ""))
        account = (
            await self.store.read(account_rows.find_account, notice.principal, connection)
            if connection
            else None
        )
        now = await self.store.now()
        if workspace is not None or kind.offers == "workspace" or kind.subject == "operation":
            return self._of_workspace(now, connection, account, workspace=workspace, body=body)
        common = self.of_account(now, connection, account, body)
        if Mark.PEOPLE not in kind.marks:
            return Facts(**common)
        people = await self.named(notice.principal, body.get("person"), body.get("owner"))
        return RequestFacts(**common, people=people)

    def title(self, connection: str) -> str:
        """Return the title of a connection."""
        return self._title(connection)

    def page_of(self, described: Mapping[str, Any]) -> str | None:
        """Return the page at its provider of a workspace whose row is gone; never where it opens."""
        provider = self.connections.get(described["connection"])
        return None if provider is None else provider.allowed_url(provider.page_url(described["remote_id"]))

    async def named(self, reader: Principal, *keys: str | None) -> People:
        """Return how people are named to a reader, by their keys."""
        # Messages that were written before several Slack workspaces were told apart have a user's id alone.
        found = [Principal.from_key(key) for key in sorted({*filter(None, keys)}) if ":" in key]
        return await self.names.of(reader, *found, in_full=True)

    async def _own_workspace(self, notice: Message, key: str) -> Workspace | None:
        workspace = await self.store.read(workspace_rows.find_workspace, key) if key else None
        return workspace if workspace is not None and workspace.principal == notice.principal else None

    def _of_run(self, now: float, run: Run, account: Account | None) -> RunFacts:
        return RunFacts(
            **self.of_account(now, run.connection, account),
            run=run,
            page_url=_job_page(self.connections.get(run.connection), run),
        )

    def of_operation(self, now: float, found: OperationView) -> WorkspaceFacts:
        """Gather facts for an operation that was read with what is shown of it."""
        operation, workspace, account = found.operation, found.workspace, found.account
        more: dict[str, Any] = {"is_superseded": found.is_superseded, "end_state": found.end_state}
        return self._of_workspace(
            now, operation.connection, account, operation=operation, workspace=workspace, **more
        )

    def _of_workspace(
        self,
        now: float,
        connection: str,
        account: Account | None,
        *,
        operation: Operation | None = None,
        workspace: Workspace | None = None,
        body: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> WorkspaceFacts:
        provider, shared = self.connections.get(connection), self.of_account(now, connection, account, body)
        effects = provider.stop_effects(workspace) if provider and workspace else NO_EFFECTS
        if workspace is not None and workspace.stop_mode is not None:
            shared["obstacle"] = shared["obstacle"] or find_stop_obstacle(
                workspace, effects, workspace.stop_mode
            )
        return WorkspaceFacts(
            **shared,
            operation=operation,
            workspace=workspace,
            ide_url=shown_url(provider, workspace, self._public_url),
            opens_in_page=isinstance(provider, base.EmbeddedPage),
            page_url=_page_url(provider, workspace),
            effects=effects,
            **more,
        )

    def of_account(
        self, now: float, connection: str, account: Account | None, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return what all facts have."""
        provider, body = self.connections.get(connection), body or {}
        return {
            "now": now,
            "connection": connection,
            "connection_title": self._title(connection),
            "has_public_url": self._public_url is not None,
            "username": account.username if account is not None else str(body.get("username") or ""),
            "capabilities": provider.facets() | provider.settings.abilities if provider else frozenset(),
            "linking": frozenset(provider.settings.linking if provider is not None else ()),
            "is_linked": account is not None,
            "is_refused": account is not None and account.is_refused,
            "obstacle": find_access_obstacle(account, now, is_connected=provider is not None),
            "link_ends_at": account.ends_at if account is not None else None,
            "body": body,
        }


@gathers("job")
async def _of_run(gatherer: Gatherer, run_id: str) -> Facts | None:
    """Gather facts for a run, with as much of its output as this process has read."""
    run = await gatherer.store.read(run_rows.find_run, run_id)
    shown = gatherer.board.shown(run_id) if gatherer.board is not None else None
    return None if run is None else replace(await gatherer.of_run(run), output=shown)


@gathers("operation")
async def _of_operation(gatherer: Gatherer, operation_id: str) -> Facts | None:
    found = await gatherer.store.read(operations.find_operation_view, operation_id)
    return None if found is None else gatherer.of_operation(await gatherer.store.now(), found)


@adds(NoticeKind.READY_LINK)
async def _of_link(gatherer: Gatherer, notice: Message, facts: Facts) -> Facts:
    """Add whether another message of the same start shows the address."""
    if not isinstance(facts, WorkspaceFacts) or facts.ide_url is None:
        return facts
    shown = await gatherer.store.read(handovers.is_address_shown, notice.subject, facts.ide_url, notice.id)
    return replace(facts, is_url_shown=shown)


async def add_features(gatherer: Gatherer, _notice: Message, facts: Facts) -> Facts:
    """Add the facts of features to those of a message's workspace."""
    return await gatherer.extend(facts)


@adds(NoticeKind.SUMMARY, NoticeKind.RESULTS)
async def _of_held(gatherer: Gatherer, notice: Message, facts: Facts) -> HeldFacts:
    """Gather what was held; of several about the same, the newest."""
    newest: dict[str, tuple[AnyKind, Facts]] = {}
    for one in await gatherer.store.read(notices.list_combined_notices, notice.id):
        found = await gatherer.read_pending(one)
        workspace = found.workspace if isinstance(found, WorkspaceFacts) else None
        about = workspace.id if workspace is not None else one.subject
        newest.pop(about, None)
        newest[about] = (one.kind, found)
    return HeldFacts(**facts.common(), held=tuple(newest.values()))


def shown_url(
    provider: base.Provider | None, workspace: Workspace | None, public_url: str | None = None
) -> str | None:
    """Return a workspace's IDE URL for its owner, else None.

    It was verified by a read of its own and is on a host that the connection allows, or it is our own page,
    whose address reveals only that such a row exists. The rule is in ``docs/internals/rules.md``, "An IDE's
    address reaches only the owner".
    """
    if provider is None or workspace is None or workspace.verified_at is None or workspace.is_unusable:
        return None
    if not isinstance(provider, base.EmbeddedPage):
        return provider.allowed_url(workspace.url)
    if public_url is None or workspace.state is not State.RUNNING or not workspace.allows("open"):
        return None
    return f"{public_url.rstrip('/')}{IDE_PATH}/{workspace.id}"


def _page_url(provider: base.Provider | None, workspace: Workspace | None) -> str | None:
    if provider is None or workspace is None or workspace.is_provisional:
        return None
    return provider.allowed_url(provider.page_url(workspace.remote_id))


def _job_page(provider: base.Provider | None, run: Run) -> str | None:
    """Return the page that shows a run at its provider, if there is one on an allowed host."""
    if provider is None or not isinstance(provider, base.Runs):
        return None
    return provider.allowed_url(provider.run_page_url(run))


class PeopleNames:
    """Look up what drawings need to name people."""

    def __init__(self, context: Context) -> None:
        self.store = context.store
        self._installation = context.installation

    async def of(self, reader: Principal, *people: Principal, in_full: bool = False) -> People:
        """Return how these people are named to a reader, by their keys.

        ``in_full`` is for what administrators decide: name and, with several Slack workspaces, the workspace
        of everybody, beside the mention where there is one.
        """
        return {one.key: await self._named(reader, one, in_full=in_full) for one in people}

    async def _named(self, reader: Principal, one: Principal, *, in_full: bool) -> Named:
        is_here = self._installation.are_together(reader, one)
        if is_here and not in_full:
            return Named(one.user_id)
        person = await self.store.person(one)
        return Named(
            one.user_id if is_here else "",
            person.name if person is not None else "",
            self._installation.at(one).team_name if self._installation.is_several else "",
            person if in_full else None,
        )


def rank(workspace: Workspace, under_way: Mapping[str, Operation]) -> tuple[int, str, str]:
    """Put first what is under way or costs money, last what no longer exists."""
    operation = under_way.get(workspace.id)
    is_busy = not workspace.is_down or (operation is not None and operation.verb is not OperationVerb.REMOVE)
    place = 0 if is_busy else 2 if workspace.state is State.GONE else 1
    return place, workspace.title.casefold(), workspace.id


#: How many of those that don't run a list begins with.
LAST_USED: Final = 5


def in_short(ranked: Sequence[Workspace], under_way: Mapping[str, Operation]) -> list[Workspace]:
    """Return what is under way or costs money, and what was used last of what is still there."""
    down = sorted((one for one in ranked if rank(one, under_way)[0] == 1), key=_used_at, reverse=True)
    return [one for one in ranked if rank(one, under_way)[0] == 0] + down[:LAST_USED]


def _used_at(one: Workspace) -> float:
    """Return when it was last used, as far as is known: by its person, as its provider says, or up at all."""
    return max(at or 0.0 for at in (one.asked_at, one.last_used_at, one.up_at, one.down_at))
