"""People's Homes, which are projections of rows like cards."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Literal

import structlog

from bot.domain import policy
from bot.domain.accounts import Account
from bot.domain.message_context import RunFacts, WorkspaceFacts
from bot.domain.operations import Operation
from bot.domain.people import Principal
from bot.domain.runs import Run
from bot.domain.snapshots import Snapshot
from bot.domain.tasks import TaskKind
from bot.domain.timeouts import SLOW_SECONDS
from bot.domain.workspaces import State
from bot.features.home import store
from bot.features.home.model import (
    ConnectionFacts,
    Home,
    HomeFacts,
    HomeUse,
    LinkFacts,
    LinkState,
    MakerFacts,
    Question,
    TotalsFacts,
)
from bot.providers import base, facets
from bot.services import snapshots
from bot.services.caller import Caller
from bot.services.context import Context
from bot.services.creation import TEMPLATE_FIELD, PersonalOffer
from bot.services.home_sections import MAX_QUESTIONS, QUESTION_READERS, SECTION_READERS, HomeOwner
from bot.services.hooks import UseCaseHooks
from bot.services.message_context import Gatherer, PeopleNames, rank_workspace
from bot.store import accounts as account_rows
from bot.store import counts as count_rows
from bot.store import gates, links, operations
from bot.store import runs as run_rows
from bot.store import snapshots as snapshot_rows
from bot.store import workspaces as workspace_rows
from bot.store.counts import Totals
from bot.store.snapshots import find_snapshot
from bot.store.transaction import Transaction
from bot.support.errors import StoreError

log = structlog.get_logger(__name__)


#: Workspaces on one page, runs and failures: what fits into a view of 100 blocks.
PAGE_SIZE: Final = 15
MAX_RUNS: Final = 5
#: How many slow starts and how many failures administrators see.
MAX_OUTSTANDING: Final = 8
DAY_SECONDS: Final = 86_400.0
#: How many accounts' templates are remembered as people read them.
MAX_CACHED_TEMPLATES: Final = 2_000
policy.declare(policy.AccessRule(shows=True), "home")
policy.declare(policy.AccessRule("administrators"), "totals")


class HomeGatherer:
    """The reader of rows for Homes; the policy has decided before.

    In memory: templates, found by when they were read, so they are always right. Restart: read again.
    """

    def __init__(self, context: Context, gatherer: Gatherer) -> None:
        self._context = context
        self._store = context.store
        self._connections = context.connections
        self._names = PeopleNames(context)
        self._gatherer = gatherer
        #: By account and time of reading; None for what can't be read.
        self._templates: dict[tuple[str, float], tuple[str, ...] | None] = {}

    async def own(self, home: Home) -> HomeFacts:
        """Load the content of a person's own Home: their rows alone, and their open questions."""
        principal, now = home.principal, await self._store.now()
        accounts = {
            one.connection: one for one in await self._store.read(account_rows.list_accounts, principal)
        }
        whose, under_way, runs = await self._load_own_rows(principal)
        workspaces = whose.workspaces
        pages = max((len(workspaces) + PAGE_SIZE - 1) // PAGE_SIZE, 1)
        page = min(max(home.page, 1), pages)
        rows = await self._gatherer.describe_workspaces(
            principal, workspaces[(page - 1) * PAGE_SIZE : page * PAGE_SIZE], under_way
        )
        return HomeFacts(
            now=now,
            command=self._context.command,
            job_command=self._context.job_command,
            runs_jobs=any(isinstance(one, facets.Runs) for one in self._connections.values()),
            rows=rows,
            page=page,
            pages=pages,
            count=len(workspaces),
            running=sum(one.state is State.RUNNING for one in workspaces),
            runs=await self._gatherer.describe_runs(principal, runs[:MAX_RUNS]),
            more_runs=len(runs[MAX_RUNS:]),
            questions=await self._load_questions(whose, under_way, runs),
            has_code=await self._store.read(links.find_open_link, principal, "code") is not None,
            links=await self._load_links(whose, accounts),
            makers=await self._load_makers(principal, accounts),
            parts={name: await gather(whose) for name, gather in SECTION_READERS.items()},
            is_administrator=self._context.installation.reach(principal) is not None,
            answer=home.shown_answer(now),
            answered_at=home.answered_at or now,
        )

    async def _load_own_rows(
        self, principal: Principal
    ) -> tuple[HomeOwner, Mapping[str, Operation], Sequence[Run]]:
        """Return a person's workspaces, their open operations by workspace, and their runs."""
        workspaces = [
            one
            for one in await self._store.perform(workspace_rows.read_workspaces, principal)
            if one.connection in self._connections
        ]
        under_way = {
            one.workspace_id: one for one in await self._store.read(operations.open_operations, principal)
        }
        workspaces.sort(key=lambda one: rank_workspace(one, under_way))
        runs = [
            run
            for run in await self._store.read(run_rows.list_runs, principal)
            if run.connection in self._connections
        ]
        runs.sort(key=lambda run: not run.is_going)
        return HomeOwner(self._context, self._gatherer, principal, workspaces, self._names), under_way, runs

    async def totals(self, home: Home) -> TotalsFacts:
        """Load the totals for an administrator: of everybody, or of their own Slack workspace."""
        reader, place = home.principal, self._context.installation
        reach = place.reach(reader)
        found: Totals = await self._store.perform(
            count_rows.count_totals,
            sorted(
                name for name, one in self._connections.items() if not reach or one.is_available_to(reader)
            ),
            slow_unless_known=SLOW_SECONDS,
            failed_within=DAY_SECONDS,
            limit=MAX_OUTSTANDING,
            place=reach or "",
        )
        now = await self._store.now()
        asked_for = [one.principal for one in (*found.slow, *found.failed)]
        named = [*asked_for, *(run.principal for run in found.lost_runs)]
        return TotalsFacts(
            now=now,
            place=place.find_for(reader).team_name if reach else "",
            people=await self._names.find_names(reader, *named),
            connections=[
                ConnectionFacts(
                    self._context.title(name),
                    found.reached[name].silent_since if name in found.reached else None,
                    counts,
                    has_links=not self._connections[name].has_link_method("none"),
                )
                for name, counts in found.at.items()
            ],
            starting=found.starting,
            open_runs=found.open_runs,
            dead_notices=found.dead_notices,
            failed_runs=found.failed_runs,
            slow=[self._hide_workspace(now, one) for one in found.slow],
            failed=[self._hide_workspace(now, one) for one in found.failed],
            lost_runs=[
                RunFacts(
                    now=now,
                    connection=one.connection,
                    connection_title=self._context.title(one.connection),
                    run=one,
                )
                for one in found.lost_runs
            ],
            questions=await self._load_questions(*await self._load_own_rows(reader)),
            answer=home.shown_answer(now),
            answered_at=home.answered_at or now,
        )

    def _hide_workspace(self, now: float, operation: Operation) -> WorkspaceFacts:
        """Return the facts of somebody's operation, without the workspace: its name is theirs."""
        connection = operation.connection
        title = self._context.title(connection)
        return WorkspaceFacts(now=now, connection=connection, connection_title=title, operation=operation)

    def _sort_by_title(self, principal: Principal) -> list[tuple[str, base.Provider]]:
        served = [one for one in self._connections.items() if one[1].is_available_to(principal)]
        return sorted(served, key=lambda one: one[1].settings.title.casefold())

    async def _load_questions(
        self, whose: HomeOwner, under_way: Mapping[str, Operation], runs: Sequence[Run]
    ) -> list[Question]:
        """Return the questions that wait for the person, the oldest first of each kind."""
        asked = [
            one
            for one in whose.workspaces
            if one.id in under_way and under_way[one.id].question_since is not None
        ]
        asked_runs = [run for run in runs if run.is_open and run.question_since is not None]
        of_all = await self._gatherer.describe_workspaces(whose.principal, asked[:MAX_QUESTIONS], under_way)
        of_runs = await self._gatherer.describe_runs(whose.principal, asked_runs[:MAX_QUESTIONS])
        found = [*(Question("operation", one) for one in of_all), *(Question("run", one) for one in of_runs)]
        for kind, gather in QUESTION_READERS.items():
            if len(found) < MAX_QUESTIONS:
                found += [Question(kind, one) for one in await gather(whose)]
        return found[:MAX_QUESTIONS]

    async def _load_links(self, whose: HomeOwner, accounts: Mapping[str, Account]) -> list[LinkFacts]:
        requested = dict[str, str]()
        for hooks in UseCaseHooks.list_subscribers():
            requested |= await hooks.find_requested_usernames(whose)
        found = []
        for name, provider in self._sort_by_title(whose.principal):
            title, account = provider.settings.title, accounts.get(name)
            if provider.has_link_method("none"):
                found.append(LinkFacts(name, title, "needless"))
                continue
            link = LinkFacts(name, title, "none", _get_link_method(provider))
            if account is not None:
                state: LinkState = "held" if account.refused_since else "linked"
                if account.state == "refused":
                    state = "resting" if account.is_resting else "refused"
                link = replace(link, state=state, username=account.username, since=account.refused_since)
            elif name in requested:
                link = replace(link, state="requested", username=requested[name])
            found.append(link)
        return found

    async def _load_makers(self, principal: Principal, accounts: Mapping[str, Account]) -> list[MakerFacts]:
        found = []
        for name, provider in self._sort_by_title(principal):
            account = accounts.get(name)
            may = account is not None and account.state == "active"
            if not isinstance(provider, facets.Creation) or not (may or provider.has_link_method("none")):
                continue
            templates = await self._read_templates(principal, account) if account is not None else ()
            found.append(MakerFacts(name, provider.settings.title, templates))
        return found

    async def _read_templates(self, principal: Principal, account: Account) -> tuple[str, ...] | None:
        """Return the names of an account's templates, as last read; None: unreadable."""
        kept = await self._store.read(
            snapshot_rows.find_snapshot, account.connection, account.id, snapshots.TEMPLATES_KIND
        )
        if kept is None:
            return ()
        key = account.id, kept.read_at
        if key not in self._templates:
            # Reading the offer in its provider's own type costs more than the rest of a Home.
            try:
                snapshot = await snapshots.load_templates(self._context, account)
                named = (
                    () if snapshot is None else self._list_choices(account.connection, snapshot, principal)
                )
            except StoreError:
                raise
            except Exception:
                # One provider's mistake costs its line, not the Home: docs/internals/rules.md, "Where errors
                # end".
                log.exception("templates not read", connection=account.connection, account=account.id)
                named = None
            self._templates[key] = named
            if len(self._templates) > MAX_CACHED_TEMPLATES:
                del self._templates[next(iter(self._templates))]
        return self._templates[key]

    def _list_choices(
        self, connection: str, snapshot: Snapshot[Any], principal: Principal
    ) -> tuple[str, ...]:
        """Return the choices of the field that the rest of a form depends on."""
        form = PersonalOffer(self._connections[connection], snapshot, "workspace", principal).form({})
        asked = form.field(TEMPLATE_FIELD) or next((one for one in form.fields if one.choices), None)
        return tuple(one.label for one in asked.choices if one.value) if asked is not None else ()


def _get_link_method(provider: base.Provider) -> Literal["token", "admin", "both"]:
    if not provider.has_link_method("token"):
        return "admin"
    return "both" if provider.has_link_method("admin") else "token"


#: How many workspaces are read one by one for a Home.
MAX_READS: Final = 10


def record_use(tx: Transaction, caller: Caller, used: HomeUse) -> None:
    """Queue a person's Home to be rendered again, because they opened it or pressed something in it."""
    if caller.context.installation.has_team(caller.principal.enterprise_id, caller.principal.team_id):
        store.use_home(tx, caller.principal, used)


def request_redraw(tx: Transaction, caller: Caller) -> None:
    """Queue a person's open Home to be rendered again, because a form that they submitted shows in it."""
    store.request_redraw(tx, caller.principal)


def read_lists(tx: Transaction, caller: Caller) -> None:
    """Request reads of old lists, of running workspaces without a list, and of templates never read."""
    for kind in (TaskKind.DISCOVER, TaskKind.LIST_RUNS):
        snapshots.request_lists(tx, caller, kind, snapshots.list_stale(tx, caller, kind))
    connections = caller.context.connections
    for account in account_rows.list_accounts(tx, caller.principal):
        is_able = account.state == "active" and isinstance(
            connections.get(account.connection), facets.Creation
        )
        if is_able and find_snapshot(tx, account.connection, account.id, snapshots.TEMPLATES_KIND) is None:
            snapshots.request_templates(tx, caller, account)
    unlisted = {name for name, provider in connections.items() if not provider.has_lists}
    up = [
        one
        for one in workspace_rows.list_workspaces(tx, caller.principal)
        if one.connection in unlisted and not one.is_down
    ]
    for one in up[:MAX_READS]:
        gates.want(tx, one.id)
