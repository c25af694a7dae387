"""Facts for messages: the rows, titles, names and URLs from which cards and notices are rendered."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from zoneinfo import ZoneInfo

from bot.domain.accounts import Account
from bot.domain.courses import ClassCard
from bot.domain.feasibility import find_access_obstacle, find_stop_obstacle
from bot.domain.message_context import ClassFacts, Facts, HeldFacts, RequestFacts, RunFacts, WorkspaceFacts
from bot.domain.notices import Card, EndState, Mark, Notice, NoticeKind
from bot.domain.operations import Operation, OperationVerb
from bot.domain.people import Named, People, Principal
from bot.domain.runs import Run
from bot.domain.stops import NO_EFFECTS
from bot.domain.time_parsing import load_zone
from bot.domain.transcript import Board
from bot.domain.workspaces import State, Workspace
from bot.providers import base, facets
from bot.services.context import Context
from bot.services.feasibility import predict_class_effects
from bot.services.plan_facts import add_plans, yield_in_batches
from bot.store import accounts as account_rows
from bot.store import courses, handovers, notices, operations
from bot.store import runs as run_rows
from bot.store import workspaces as workspace_rows
from bot.support.declarations import Registry
from bot.support.guards import guards

#: Path of Usher's own pages for workspaces, followed by Usher's id of the workspace.
IDE_PATH: Final = "/ide"

Message = Notice | Card
Added = Callable[["Gatherer", Message, Facts], Awaitable[Facts]]
#: Maps kinds of messages to the functions that add facts that only that kind needs.
kind_extensions: Registry[Added] = Registry()


class Gatherer:
    """Gathers the facts for messages, checking each IDE URL against the connection's allowed hosts."""

    def __init__(self, context: Context, board: Board | None = None) -> None:
        self.store = context.store
        self.connections, self.title = context.connections, context.title
        self._find_absence = context.find_absence
        self._public_url, self._link_page_prefix = context.public_url, context.link_page_prefix
        self.board = board
        self._installation = context.installation

    async def describe_workspace(
        self, workspace: Workspace, operation: Operation | None = None
    ) -> WorkspaceFacts:
        """Return the facts about a workspace and, if given, about an ``operation`` on it."""
        account = await self.store.read(account_rows.find_account, workspace.principal, workspace.connection)
        now, zone = await self.store.now(), await self.store.known_zone(workspace.principal)
        facts = self.build_workspace_context(
            now, zone, workspace.connection, account, operation=operation, workspace=workspace
        )
        return (await add_plans(self.store, workspace.principal, [facts]))[0]

    async def extend(self, facts: Facts) -> Facts:
        """Add hours, lessons and the waitlist entry to the facts about a workspace."""
        if not isinstance(facts, WorkspaceFacts) or facts.workspace is None:
            return facts
        return (await add_plans(self.store, facts.workspace.principal, [facts]))[0]

    async def describe_workspaces(
        self,
        principal: Principal,
        workspaces: Sequence[Workspace],
        under_way: Mapping[str, Operation] | None = None,
    ) -> list[WorkspaceFacts]:
        """Return the facts about some of a person's workspaces, leaving out those on removed connections.

        ``under_way`` maps workspaces to their open operations, if the list is to show them.
        """
        accounts = await self._read_accounts(principal)
        now, zone = await self.store.now(), await self.store.known_zone(principal)
        found = []
        async for one in yield_in_batches(workspaces):
            if one.connection in self.connections:
                account, operation = accounts.get(one.connection), (under_way or {}).get(one.id)
                found.append(
                    self.build_workspace_context(
                        now, zone, one.connection, account, workspace=one, operation=operation
                    )
                )
        return await add_plans(self.store, principal, found)

    async def _read_accounts(self, principal: Principal) -> dict[str, Account]:
        found = await self.store.read(account_rows.list_accounts, principal)
        return {account.connection: account for account in found}

    async def describe_run(self, run: Run) -> RunFacts:
        """Describe a run, without its output."""
        account = await self.store.read(account_rows.find_account, run.principal, run.connection)
        zone = await self.store.known_zone(run.principal)
        return self._build_run_context(await self.store.now(), zone, run, account)

    async def describe_runs(self, principal: Principal, runs: Sequence[Run]) -> list[RunFacts]:
        """Describe several runs that all belong to the same person."""
        if not runs:
            return []
        accounts = await self._read_accounts(principal)
        now, zone = await self.store.now(), await self.store.known_zone(principal)
        return [
            self._build_run_context(now, zone, run, accounts.get(run.connection))
            async for run in yield_in_batches(runs)
        ]

    async def describe_card(self, kind: NoticeKind, subject: str) -> Facts | None:
        """Describe a card, given its kind and its subject's id; return None if the subject's row is gone."""
        match kind.subject:
            case "operation":
                return await self._describe_operation(subject)
            case "job":
                return await self._describe_followed_run(subject)
        card = await self.store.read(courses.find_card, subject)
        # The readers of the card are in the Slack workspace of the person who posted it.
        return None if card is None else await self.describe_class(card, card.principal)

    async def _describe_operation(self, operation_id: str) -> Facts | None:
        found = await self.store.read(operations.find_operation_view, operation_id)
        if found is None:
            return None
        operation = found.operation
        return self.build_workspace_context(
            await self.store.now(),
            load_zone(found.time_zone) if found.time_zone else None,
            operation.connection,
            found.account,
            operation=operation,
            workspace=found.workspace,
            is_superseded=found.is_superseded,
            end_state=found.end_state,
        )

    async def _describe_followed_run(self, run_id: str) -> Facts | None:
        """Describe a run, including as much of its output as this process has read so far."""
        run = await self.store.read(run_rows.find_run, run_id)
        if run is None:
            return None
        facts = await self.describe_run(run)
        shown = self.board.find_tail(run_id) if self.board is not None else None
        return replace(facts, output=None if facts.is_resting else shown)

    async def describe_class(
        self,
        card: ClassCard,
        reader: Principal,
        body: Mapping[str, Any] | None = None,
        *,
        zone: ZoneInfo | None = None,
    ) -> ClassFacts:
        """Describe a class: its counts, its connection's title, and the effects of the stop at its end.

        ``zone`` is the reader's time zone, or None if several people read the card.
        """
        stopper = [Principal.from_key(card.stopped_by)] if card.stopped_by else []
        return ClassFacts(
            **self.describe_common(await self.store.now(), zone, card.connection, None, body),
            card=card,
            counts=await self.store.read(courses.read_shown_counts, card.id),
            effects=predict_class_effects(self.connections.get(card.connection), card),
            people=await self.find_names(reader, card.principal, *stopper),
            is_stopper=card.stopper == reader.key,
        )

    async def describe_message(self, card: Card) -> Facts | None:
        """Return the facts for redrawing a message, or None if the row that it shows is gone."""
        if Mark.CARD in card.kind.marks:
            facts = await self.describe_card(card.kind, card.subject)
            if facts is not None and card.kind is NoticeKind.CARD and card.kind in kind_extensions:
                facts = await kind_extensions[card.kind](self, card, facts)
            if isinstance(facts, RunFacts):
                facts = self._without_shared_output(facts, card)
        else:
            facts = await self.describe_notice(card, workspace_id=card.about)
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

    async def describe_offer(self, card: Card) -> WorkspaceFacts | RunFacts | None:
        """Describe the workspace or run that an answer's buttons act on; return None if it is gone."""
        if (workspace := await self._own_workspace(card, card.about)) is not None:
            return await self.describe_workspace(workspace)
        run = await self.store.read(run_rows.find_run, card.about)
        return None if run is None else await self.describe_run(run)

    async def list_linked(self, principal: Principal) -> list[str]:
        """Return the connections on which the person has linked an account that the provider accepts."""
        accounts = await self.store.read(account_rows.list_accounts, principal)
        return [account.connection for account in accounts if not (account.is_refused or account.is_resting)]

    async def read_end_state(self, message: Message, facts: Facts | None) -> EndState:
        """Return the state of the message that reports how the operation or run on a card ended."""
        if message.kind is NoticeKind.CARD and isinstance(facts, WorkspaceFacts):
            return facts.end_state
        return await self.store.read(notices.end_state, message.subject)

    async def is_under_way(self, work_item_id: str) -> bool:
        """Return whether an id belongs to an open operation or run."""
        operation = await self.store.read(operations.find_operation, work_item_id)
        run = None if operation is not None else await self.store.read(run_rows.find_run, work_item_id)
        return any(one is not None and one.is_open for one in (operation, run))

    @guards("Output is read again, not remembered")
    def _without_shared_output(self, facts: RunFacts, card: Card) -> RunFacts:
        """Remove a run's output from a card that others can read; ids of direct messages begin with D."""
        return facts if (card.channel_id or "").startswith("D") else replace(facts, output=None)

    async def _is_superseded(self, facts: WorkspaceFacts, card: Card) -> bool:
        """Return whether a workspace has had a newer operation than the one that a message concerns."""
        newest = (
            await self.store.read(operations.find_latest_operation, facts.workspace.id)
            if facts.workspace
            else None
        )
        return newest is not None and newest.created_at > card.created_at

    async def describe_notice(self, notice: Message, workspace_id: str | None = None) -> Facts:
        """Describe a notice from the operation or run that it concerns, or else from its body.

        The operation or run must belong to the recipient of the notice.
        """
        is_work = notice.kind.subject in ("operation", "job")
        found = await self.describe_card(notice.kind, notice.subject) if is_work else None
        match found:
            case RunFacts(run=own) | WorkspaceFacts(operation=Operation() as own):
                found = found if own.principal == notice.principal else None
            case _:
                found = None
        found = found or await self._describe_body(notice, workspace_id)
        facts = replace(found, body=notice.body, written_at=notice.created_at)
        add = kind_extensions.get(notice.kind)
        return facts if add is None else await add(self, notice, facts)

    async def _describe_body(self, notice: Message, workspace_id: str | None) -> Facts:
        kind, body = notice.kind, notice.body
        workspace = await self._own_workspace(notice, workspace_id or "")
        workspace = workspace or await self._own_workspace(notice, str(body.get("workspace") or ""))
        connection = str(body.get("connection") or (workspace.connection if workspace else ""))
        account = (
            await self.store.read(account_rows.find_account, notice.principal, connection)
            if connection
            else None
        )
        now, zone = await self.store.now(), await self.store.known_zone(notice.principal)
        if workspace is not None or kind.offers == "workspace" or kind.subject == "operation":
            return self.build_workspace_context(
                now, zone, connection, account, workspace=workspace, body=body
            )
        common = self.describe_common(now, zone, connection, account, body)
        if Mark.PEOPLE not in kind.marks:
            return Facts(**common)
        people = await self.name_people(notice.principal, body.get("person"), body.get("owner"))
        return RequestFacts(**common, people=people)

    def find_provider_page(self, described: Mapping[str, Any]) -> str | None:
        """Return the provider's page about a workspace whose row is gone, but never a URL that opens it."""
        provider = self.connections.get(described["connection"])
        return None if provider is None else provider.allowed_url(provider.page_url(described["remote_id"]))

    async def name_people(self, reader: Principal, *keys: str | None) -> People:
        """Map people's keys to the names that a reader should see."""
        # Messages from the time when there was only one Slack workspace contain a user id instead of a key.
        found = [Principal.from_key(key) for key in sorted({*filter(None, keys)}) if ":" in key]
        return await self.find_names(reader, *found, in_full=True)

    async def find_names(self, reader: Principal, *people: Principal, in_full: bool = False) -> People:
        """Map people's keys to the names that a reader should see.

        ``in_full`` is for administrators' decisions: it includes names even if a mention would otherwise
        suffice, and each person's Slack workspace if there are several.
        """
        return {one.key: await self._name(reader, one, in_full=in_full) for one in people}

    async def _name(self, reader: Principal, one: Principal, *, in_full: bool) -> Named:
        is_here = self._installation.are_together(reader, one)
        if is_here and not in_full:
            return Named(one.user_id)
        person = await self.store.person(one)
        return Named(
            one.user_id if is_here else "",
            person.name if person is not None else "",
            self._installation.find_for(one).team_name if self._installation.is_several else "",
            person if in_full else None,
        )

    async def _own_workspace(self, notice: Message, key: str) -> Workspace | None:
        workspace = await self.store.read(workspace_rows.find_workspace, key) if key else None
        return workspace if workspace is not None and workspace.principal == notice.principal else None

    def _build_run_context(
        self, now: float, zone: ZoneInfo | None, run: Run, account: Account | None
    ) -> RunFacts:
        return RunFacts(
            **self.describe_common(now, zone, run.connection, account),
            run=run,
            page_url=_get_run_page_url(self.connections.get(run.connection), run),
        )

    def build_workspace_context(
        self,
        now: float,
        zone: ZoneInfo | None,
        connection: str,
        account: Account | None,
        *,
        operation: Operation | None = None,
        workspace: Workspace | None = None,
        body: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> WorkspaceFacts:
        """Build the facts about a workspace from its rows."""
        provider = self.connections.get(connection)
        shared = self.describe_common(now, zone, connection, account, body)
        if account is not None and account.is_resting and workspace is not None:
            # These facts may concern a workspace of another account.
            workspace = replace(
                workspace, verified_at=None, url=None, detail=None, reason=None, event_message=None
            )
        effects = provider.stop_effects(workspace) if provider and workspace else NO_EFFECTS
        if workspace is not None and workspace.stop_mode is not None:
            shared["obstacle"] = shared["obstacle"] or find_stop_obstacle(
                workspace, effects, workspace.stop_mode
            )
        page_url: str | None = None
        is_theirs = account is None or not account.is_resting
        if provider is not None and workspace is not None and is_theirs and not workspace.is_provisional:
            page_url = provider.allowed_url(provider.page_url(workspace.remote_id))
        return WorkspaceFacts(
            **shared,
            operation=operation,
            workspace=workspace,
            ide_url=get_ide_url(provider, workspace, self._public_url),
            opens_in_page=isinstance(provider, facets.EmbeddedPage),
            page_url=page_url,
            effects=effects,
            **more,
        )

    def describe_common(
        self,
        now: float,
        zone: ZoneInfo | None,
        connection: str,
        account: Account | None,
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the fields common to all facts; ``zone`` is the reader's time zone, if there is just one."""
        provider, body, prefix = self.connections.get(connection), body or {}, self._link_page_prefix
        return {
            "now": now,
            "zone": zone,
            "connection": connection,
            "connection_title": self.title(connection),
            "has_public_url": self._public_url is not None,
            "username": account.username if account is not None else str(body.get("username") or ""),
            "capabilities": provider.facets() | provider.settings.abilities if provider else frozenset(),
            "linking": frozenset(provider.settings.linking if provider is not None else ()),
            "link_pages": {connection: f"{prefix}{connection}"} if prefix else {},
            "is_linked": account is not None,
            "is_refused": account is not None and account.is_refused,
            "is_resting": account is not None and account.is_resting,
            "obstacle": self._find_absence(connection) or find_access_obstacle(account, now),
            "link_expires_at": account.expires_at if account is not None else None,
            "body": body,
        }


@kind_extensions(NoticeKind.READY_LINK)
async def _add_is_url_shown(gatherer: Gatherer, notice: Message, facts: Facts) -> Facts:
    """Add to a message's facts whether another message about the same start already shows the IDE's URL."""
    if not isinstance(facts, WorkspaceFacts) or facts.ide_url is None:
        return facts
    shown = await gatherer.store.read(handovers.is_address_shown, notice.subject, facts.ide_url, notice.id)
    return replace(facts, is_url_shown=shown)


@kind_extensions(NoticeKind.TURNED_OUT)
async def _add_is_superseded(gatherer: Gatherer, notice: Message, facts: Facts) -> Facts:
    """Add to a correction's facts whether the workspace has had a newer operation than the corrected one."""
    if not isinstance(facts, WorkspaceFacts) or facts.workspace is None:
        return facts
    newest = await gatherer.store.read(operations.find_latest_operation, facts.workspace.id)
    known = notice.body.get("operation")
    return replace(facts, is_superseded=newest is not None and newest.id != known)


@kind_extensions(NoticeKind.HOURS_PAUSED, NoticeKind.LESSON)
async def _add_plans(gatherer: Gatherer, _notice: Message, facts: Facts) -> Facts:
    """Add the workspace's hours, lessons and waitlist entry to a message's facts."""
    return await gatherer.extend(facts)


@kind_extensions(NoticeKind.SUMMARY, NoticeKind.RESULTS)
async def _add_combined(gatherer: Gatherer, notice: Message, facts: Facts) -> HeldFacts:
    """Add the notices that a message combines to its facts: of those with the same subject, the newest."""
    newest: dict[str, tuple[NoticeKind, Facts]] = {}
    for one in await gatherer.store.read(notices.list_combined_notices, notice.id):
        found = await gatherer.describe_notice(one)
        workspace = found.workspace if isinstance(found, WorkspaceFacts) else None
        about = workspace.id if workspace is not None else one.subject
        newest.pop(about, None)
        newest[about] = (one.kind, found)
    return HeldFacts(**facts.common(), held=tuple(newest.values()))


def get_ide_url(
    provider: base.Provider | None, workspace: Workspace | None, public_url: str | None = None
) -> str | None:
    """Return the URL of a workspace's IDE for its owner, or None if it can't be shown.

    A read must have confirmed that the workspace belongs to the owner. The URL must be on a host that the
    connection allows, or be that of Usher's own page, which reveals only that the row exists. The rule is in
    ``docs/internals/rules.md``, "An IDE's address reaches only the owner".
    """
    if provider is None or workspace is None or workspace.verified_at is None or workspace.is_unusable:
        return None
    if not isinstance(provider, facets.EmbeddedPage):
        return provider.allowed_url(workspace.url)
    if public_url is None or workspace.state is not State.RUNNING or not workspace.allows("open"):
        return None
    return f"{public_url.rstrip('/')}{IDE_PATH}/{workspace.id}"


def _get_run_page_url(provider: base.Provider | None, run: Run) -> str | None:
    """Return the URL of the provider's page for a run, if it is on an allowed host."""
    if provider is None or not isinstance(provider, facets.Runs):
        return None
    return provider.allowed_url(provider.run_page_url(run))


def rank_workspace(workspace: Workspace, under_way: Mapping[str, Operation]) -> tuple[int, str, str]:
    """Return a sort key that puts workspaces that run or have an open operation first, and gone ones last."""
    operation = under_way.get(workspace.id)
    is_busy = not workspace.is_down or (operation is not None and operation.verb is not OperationVerb.REMOVE)
    place = 0 if is_busy else 2 if workspace.state is State.GONE else 1
    return place, workspace.title.casefold(), workspace.id


#: Maximum number of stopped workspaces in a short list.
MAX_STOPPED_WORKSPACES: Final = 5


def shorten_list(ranked: Sequence[Workspace], under_way: Mapping[str, Operation]) -> list[Workspace]:
    """Return the workspaces that run or have an open operation, and a few stopped ones used recently."""
    down = sorted(
        (one for one in ranked if rank_workspace(one, under_way)[0] == 1), key=_get_last_use, reverse=True
    )
    return [one for one in ranked if rank_workspace(one, under_way)[0] == 0] + down[:MAX_STOPPED_WORKSPACES]


def _get_last_use(one: Workspace) -> float:
    """Return when a workspace was last requested, used at its provider, or seen up, whichever is latest."""
    return max(at or 0.0 for at in (one.last_request_at, one.last_used_at, one.up_at, one.down_at))
