"""Data for messages: the rows, titles, names and URLs needed to render cards and notices."""

import asyncio
import math
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from bot.domain.accounts import SAME_REST_SECONDS, Account
from bot.domain.courses import ClassCard
from bot.domain.feasibility import find_access_obstacle, find_stop_obstacle
from bot.domain.hours import HoursRule
from bot.domain.message_context import ClassFacts, Facts, HeldFacts, RequestFacts, RunFacts, WorkspaceFacts
from bot.domain.notices import Card, EndState, Mark, Notice, NoticeKind
from bot.domain.operations import Operation
from bot.domain.people import Named, People, Principal
from bot.domain.runs import Run
from bot.domain.stops import NO_EFFECTS
from bot.domain.time_parsing import load_zone
from bot.domain.time_parsing.days import Window, find_week
from bot.domain.transcript import Board
from bot.domain.upgrades import LOST_OF_COURSES, DescribedLoss, UpgradeFacts
from bot.domain.usage import UsageFacts
from bot.domain.workspaces import NOT_UP_STATES, State, Workspace
from bot.providers import base, facets
from bot.services.context import Context
from bot.services.feasibility import predict_class_effects
from bot.store import account_ids as account_id_rows
from bot.store import accounts as account_rows
from bot.store import approvals, cards, courses, handovers, hours, notices, operations, waitlist
from bot.store import runs as run_rows
from bot.store import usage as usage_rows
from bot.store import workspaces as workspace_rows
from bot.store.transaction import from_json

#: Path prefix of Usher's own pages for workspaces. It is followed by Usher's id for the workspace.
IDE_PATH: Final = "/ide"

Message = Notice | Card
#: Number of rows whose data is gathered before other tasks may run.
CONTEXT_BATCH_SIZE: Final = 20
Item = TypeVar("Item")


class Gatherer:
    """Gathers the facts for messages, and checks IDE URLs against the hosts that connections allow."""

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
        """Return the facts about a workspace and, if given, about an ``operation`` on that workspace."""
        account = await self.store.read(account_rows.find_account, workspace.principal, workspace.connection)
        now, zone = await self.store.now(), await self.store.known_zone(workspace.principal)
        facts = self.build_workspace_context(
            now, zone, workspace.connection, account, operation=operation, workspace=workspace
        )
        return (await self._add_plans(workspace.principal, [facts]))[0]

    async def describe_workspaces(
        self,
        principal: Principal,
        workspaces: Sequence[Workspace],
        under_way: Mapping[str, Operation] | None = None,
    ) -> list[WorkspaceFacts]:
        """Return the facts about some of a person's workspaces. Those on removed connections are left out.

        ``under_way`` maps workspaces to their open operations, if the list is to show them.
        """
        accounts = await self._read_accounts(principal)
        now, zone = await self.store.now(), await self.store.known_zone(principal)
        found = []
        async for one in _yield_in_batches(workspaces):
            if one.connection in self.connections:
                account, operation = accounts.get(one.connection), (under_way or {}).get(one.id)
                found.append(
                    self.build_workspace_context(
                        now, zone, one.connection, account, workspace=one, operation=operation
                    )
                )
        return await self._add_plans(principal, found)

    async def _add_plans(self, principal: Principal, every: Sequence[WorkspaceFacts]) -> list[WorkspaceFacts]:
        keys = [facts.workspace.id if facts.workspace is not None else "" for facts in every]
        if not keys:
            return []
        rules, lessons = dict[str, list[HoursRule]](), dict[str, list[ClassCard]]()
        for rule in (
            await self.store.read(hours.list_rules, keys[0])
            if len(keys) == 1
            else await self.store.read(hours.list_rules_of_person, principal)
        ):
            rules.setdefault(rule.workspace_id, []).append(rule)
        for one in await self.store.read(courses.list_memberships, principal):
            card = await self.store.read(courses.find_card, one.card_id)
            if card is not None and not card.is_over(every[0].now):
                lessons.setdefault(one.workspace_id or "", []).append(card)
        # A workspace that is up is no longer waiting for capacity.
        is_any_down = any(facts.state in NOT_UP_STATES for facts in every)
        entries = await self.store.read(waitlist.list_entries, principal) if is_any_down else []
        waits = {one.workspace_id: one for one in entries}
        return [
            replace(
                facts,
                rules=tuple(rules.get(key, ())),
                lessons=tuple(lessons.get(key, ())),
                waitlist_entry=waits.get(key) if facts.state in NOT_UP_STATES else None,
            )
            for key, facts in zip(keys, every, strict=True)
        ]

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
            async for run in _yield_in_batches(runs)
        ]

    async def describe_card(self, kind: NoticeKind, subject: str) -> Facts | None:
        """Describe a card, given its kind and its subject's id. Return None if the row was deleted."""
        if kind.subject == "job":
            return await self._describe_followed_run(subject)
        if kind.subject == "class":
            card = await self.store.read(courses.find_card, subject)
            # The card's readers are in the same Slack workspace as the person who posted it.
            return None if card is None else await self.describe_class(card, card.principal)
        found = await self.store.read(operations.find_operation_view, subject)
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
        """Describe a class: its counts, its connection's title, and what the stop at its end will do.

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

    async def describe_courses(
        self, reader: Principal, own: Sequence[tuple[ClassCard, bool]]
    ) -> list[ClassFacts]:
        """Describe courses. ``own`` says whether the reader teaches each. Teachers get up-to-date counts."""
        every, found = await self.store.read(courses.list_memberships, reader), []
        joined = {one.card_id: one.workspace_id or "" for one in every}
        pending = await self.store.read(courses.list_pending_courses, reader)
        zone = await self.store.known_zone(reader)
        for card, is_teacher in own:
            facts = replace(await self.describe_class(card, reader, zone=zone), is_teacher=is_teacher)
            if card.id in joined:
                mine = await self.store.read(workspace_rows.find_workspace, joined[card.id])
                theirs = None if mine is None else await self.describe_workspace(mine)
                facts = replace(facts, workspace=theirs)
            elif card.id in pending:
                # The reader has enrolled, but still needs a link or a workspace.
                account = await self.store.read(account_rows.find_account, reader, card.connection)
                common = self.describe_common(facts.now, zone, card.connection, account)
                member = await self.store.read(courses.find_member, card.id, reader)
                facts = replace(facts, **common, pending=member)
            if is_teacher:
                facts = replace(facts, counts=await self.store.read(courses.count_members, card.id))
            found.append(facts)
        return found

    async def describe_message(self, card: Card) -> Facts | None:
        """Return the facts for redrawing a message. Return None if the row that it shows was deleted."""
        if Mark.CARD in card.kind.marks:
            facts = await self.describe_card(card.kind, card.subject)
            if isinstance(facts, WorkspaceFacts):
                facts = await self._add_to_workspace(card, facts)
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
        """Describe the workspace or run that an answer's buttons act on, or return None if it was deleted."""
        if (workspace := await self._own_workspace(card, card.about)) is not None:
            return await self.describe_workspace(workspace)
        run = await self.store.read(run_rows.find_run, card.about)
        return None if run is None else await self.describe_run(run)

    async def list_linked(self, principal: Principal) -> list[str]:
        """Return the connections on which the person has a linked account that the provider accepts."""
        accounts = await self.store.read(account_rows.list_accounts, principal)
        return [account.connection for account in accounts if not (account.is_refused or account.is_resting)]

    async def read_end_state(self, message: Message, facts: Facts | None) -> EndState:
        """Return the state of the message that reports how the operation or run on a card ended."""
        if message.kind is NoticeKind.CARD and isinstance(facts, WorkspaceFacts):
            return facts.end_state
        return await self.store.read(notices.end_state, message.subject)

    async def has_later_card(self, answer: Card) -> bool:
        """Return whether the card of the operation that an answer announced was sent after the answer."""
        shown = await self.store.read(cards.find_card, answer.subject)
        if shown is None or shown.kind is not NoticeKind.CARD:
            return False
        return (shown.message_ts or "") > (answer.message_ts or "")

    async def is_under_way(self, work_item_id: str) -> bool:
        """Return whether an id belongs to an open operation or run."""
        operation = await self.store.read(operations.find_operation, work_item_id)
        run = None if operation is not None else await self.store.read(run_rows.find_run, work_item_id)
        return any(one is not None and one.is_open for one in (operation, run))

    # guards: After a crash, output is read again from the beginning
    def _without_shared_output(self, facts: RunFacts, card: Card) -> RunFacts:
        """Remove a run's output from a card that others can read. Ids of direct messages begin with D."""
        return facts if (card.channel_id or "").startswith("D") else replace(facts, output=None)

    async def _is_superseded(self, facts: WorkspaceFacts, card: Card) -> bool:
        """Return whether a workspace has had another operation since the one that a message is about."""
        newest = (
            await self.store.read(operations.find_latest_operation, facts.workspace.id)
            if facts.workspace
            else None
        )
        return newest is not None and newest.created_at > card.created_at

    async def describe_notice(self, notice: Message, workspace_id: str | None = None) -> Facts:
        """Describe a notice, based on the operation or run that it is about, or else on its body.

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
        if isinstance(facts, WorkspaceFacts) and notice.kind.subject != "class":
            return await self._add_to_workspace(notice, facts)
        return await self._add_facts_of_kind(notice, facts)

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

    async def _add_facts_of_kind(self, message: Message, facts: Facts) -> Facts:
        kind = message.kind
        if kind.subject == "class":
            return await self._add_class(message, facts)
        match kind:
            case NoticeKind.APPROVAL_REQUEST | NoticeKind.ACCOUNT_QUESTION | NoticeKind.APPROVAL_ENDED:
                return await self._add_request(message, facts)
            case NoticeKind.LEFT_RUNNING:
                return await self._add_leavers(message, facts)
            case NoticeKind.LINKS_RESTING:
                return await self._add_resting(message, facts)
            case NoticeKind.SUMMARY | NoticeKind.RESULTS:
                return await self._add_combined(message, facts)
            case NoticeKind.UPGRADE_LOSSES:
                found = [await self._describe_loss(*one) for one in message.body.get("losses", ())]
                return UpgradeFacts(**facts.common(), losses=tuple(one for one in found if one is not None))
            case NoticeKind.WEEK:
                # This message may be read later, when that week is no longer "last week".
                week = find_week(facts.time("amid"), await self.store.zone(message.principal))
                usage = await self.describe_usage(message.principal, week._replace(name=""))
                return replace(usage, **facts.common())
        return facts

    async def _add_to_workspace(self, message: Message, facts: WorkspaceFacts) -> WorkspaceFacts:
        match message.kind:
            case NoticeKind.CARD | NoticeKind.STOPPED | NoticeKind.FAILED:
                if facts.operation is not None and facts.operation.verb.brings_down:
                    card = await self.store.read(courses.find_class_of_stop, facts.operation.id)
                    return await self._add_stopping_class(message, facts, card)
            case NoticeKind.READY_LINK if facts.ide_url is not None:
                shown = await self.store.read(
                    handovers.is_address_shown, message.subject, facts.ide_url, message.id
                )
                return replace(facts, is_url_shown=shown)
            case NoticeKind.TURNED_OUT if facts.workspace is not None:
                newest = await self.store.read(operations.find_latest_operation, facts.workspace.id)
                known = message.body.get("operation")
                return replace(facts, is_superseded=newest is not None and newest.id != known)
            case NoticeKind.STOP_WARNING if facts.workspace is not None:
                newest = await self.store.read(operations.find_latest_operation, facts.workspace.id)
                is_stopped = newest is not None and newest.is_open and newest.verb.brings_down
                card = await self.store.read(courses.find_card, facts.workspace.stop_card or "")
                return await self._add_stopping_class(message, replace(facts, is_superseded=is_stopped), card)
            case NoticeKind.HOURS_PAUSED | NoticeKind.LESSON if facts.workspace is not None:
                return (await self._add_plans(facts.workspace.principal, [facts]))[0]
            case NoticeKind.PLANNED_STOP_FAILED if message.body.get("is_due"):
                return await self._add_others(message, facts)
            case NoticeKind.WAITLIST_PLACE:
                provider = self.connections.get(facts.connection)
                allowed = provider.settings.failures_allowed if provider is not None else math.inf
                title = facts.connection_title
                wait = await self.store.read(waitlist.describe_wait, message.subject, title, allowed)
                return replace(facts, wait=wait)
        return facts

    async def _add_class(self, message: Message, facts: Facts) -> Facts:
        store, kind = self.store, message.kind
        card = await store.read(courses.find_card, message.subject)
        if card is None:
            return facts
        zone = None if kind is NoticeKind.CLASS_CARD else facts.zone
        of = await self.describe_class(card, message.principal, message.body, zone=zone)
        if kind in (NoticeKind.LESSON_REPORT, NoticeKind.CLASS_OVER):
            of = replace(of, counts=await store.read(courses.count_members, card.id))
        if kind is NoticeKind.LESSON_REPORT:
            of = replace(of, problems=await store.read(courses.list_problems, card.id))
        if kind is NoticeKind.LESSON_NOT_READY:
            mine = await store.read(courses.find_member, card.id, message.principal)
            of = replace(of, **facts.common(), problems=[mine] if mine else [])
        if kind is NoticeKind.COURSE_LEFT:
            member = await store.read(courses.find_participant, card.id, message.principal)
            of = replace(of, is_superseded=member is not None)
        if kind is NoticeKind.CLASS_POSTED and isinstance(message, Card):
            posted = await store.read(cards.find_card, card.id)
            of = replace(of, is_superseded=posted is not None and posted.message_ts is not None)
        return replace(facts, stopping_class=of) if isinstance(facts, WorkspaceFacts) else of

    async def _add_stopping_class(
        self, message: Message, facts: WorkspaceFacts, card: ClassCard | None
    ) -> WorkspaceFacts:
        if card is None:
            return facts
        of = await self.describe_class(card, message.principal, message.body, zone=facts.zone)
        return replace(facts, stopping_class=of)

    async def _add_others(self, message: Message, facts: WorkspaceFacts) -> WorkspaceFacts:
        """Add the other workspaces that are due to be stopped at the same time as the message's workspace."""
        at = facts.time("stop_at")
        own = await self.store.perform(workspace_rows.read_workspaces, message.principal)
        others = [one for one in own if one.connection == facts.connection and one.stops_at(at)]
        others = [one for one in others if one.id != facts.body.get("workspace") and not one.is_down]
        return replace(facts, others=tuple(await self.describe_workspaces(message.principal, others)))

    async def _add_request(self, message: Message, facts: Facts) -> Facts:
        approval = await self.store.read(approvals.find_request, message.subject)
        if approval is None or not isinstance(facts, RequestFacts):
            return facts
        named = (approval.principal.key, approval.decided_by, *(approval.similar_users or ()))
        people = {**facts.people, **await self.name_people(message.principal, *named)}
        return replace(facts, approval=approval, people=people)

    async def _add_leavers(self, message: Message, facts: Facts) -> RequestFacts:
        left = []
        for one in message.body.get("left", ()):
            provider = self.connections.get(one["connection"])
            # If a workspace's row was deleted, keep the address of its page at the provider, but never a URL
            # that opens the workspace.
            page = None if provider is None else provider.allowed_url(provider.page_url(one["remote_id"]))
            left.append({**one, "title": self.title(one["connection"]), "page": page})
        named = await self.name_people(message.principal, *(one["person"] for one in left))
        return RequestFacts(**facts.common() | {"body": {"left": left}}, people=named)

    async def _add_resting(self, message: Message, facts: Facts) -> RequestFacts:
        since = facts.now - SAME_REST_SECONDS
        current = await self.store.read(account_id_rows.list_resting, facts.connection, since)
        account_ids, is_several = facts.body.get("accounts", ()), facts.body.get("is_several")
        resting = tuple(account for account in current if is_several or account.id in account_ids)
        people = await self.name_people(message.principal, *(account.principal.key for account in resting))
        return RequestFacts(**facts.common(), people=people, resting=resting)

    async def _add_combined(self, message: Message, facts: Facts) -> HeldFacts:
        """Add the notices that a message combines. Of those with the same subject, add only the newest."""
        newest: dict[str, tuple[NoticeKind, Facts]] = {}
        for one in await self.store.read(notices.list_combined_notices, message.id):
            found = await self.describe_notice(one)
            workspace = found.workspace if isinstance(found, WorkspaceFacts) else None
            about = workspace.id if workspace is not None else one.subject
            newest.pop(about, None)
            newest[about] = (one.kind, found)
        return HeldFacts(**facts.common(), held=tuple(newest.values()))

    async def _describe_loss(self, what: str, subject: str, detail: str) -> DescribedLoss | None:
        """Describe a loss caused by an upgrade. Return None if the thing that was lost no longer exists."""
        if what in LOST_OF_COURSES:
            card = await self.store.read(courses.find_card, subject)
            return (
                None if card is None else DescribedLoss(what, card.title, card=card, detail=from_json(detail))
            )
        if what == "default_template":
            return DescribedLoss(what, detail, self.title(subject))
        if what == "scheduled":
            asked: dict[str, Any] = from_json(detail)
            return DescribedLoss(what, asked["name"], self.title(asked["connection"]))
        if what == "hours_moved":
            return DescribedLoss(what, detail=from_json(detail))
        said: dict[str, Any] = from_json(detail) if what in {"hours_unused", "limit_answer"} else {}
        workspace = await self.store.read(workspace_rows.find_workspace, said.get("workspace", subject))
        if workspace is not None:
            return DescribedLoss(what, workspace.title, self.title(workspace.connection), detail=said)
        # If the workspace was unlinked, the detail for its hours is the workspace's name.
        return DescribedLoss(what, detail) if what == "hours_wait" and detail else None

    async def describe_usage(self, principal: Principal, window: Window) -> UsageFacts:
        """Describe everything that a person ran within a period of time, and which of it is still running."""
        store = self.store
        known = await store.read(usage_rows.read_usage, principal, window.since, window.until)
        still = {one.workspace_id for one in known.lines if one.is_open}
        own = await store.perform(workspace_rows.read_workspaces, principal) if still else []
        running = [one for one in own if one.id in still and not one.is_down]
        return UsageFacts(
            now=await store.now(),
            connection="",
            connection_title="",
            zone=await store.known_zone(principal),
            window=window,
            usage=known,
            titles={one: self.title(one) for one in self.connections}
            | {one.connection: self.title(one.connection) for one in known.lines},
            running=tuple(await self.describe_workspaces(principal, running)),
            is_weekly=await store.read(usage_rows.is_weekly, principal),
        )

    async def name_people(self, reader: Principal, *keys: str | None) -> People:
        """Map people's keys to the names that a reader should see."""
        # Messages from the time when Usher served only one Slack workspace contain a user id instead of a
        # key.
        found = [Principal.from_key(key) for key in sorted({*filter(None, keys)}) if ":" in key]
        return await self.find_names(reader, *found, in_full=True)

    async def find_names(self, reader: Principal, *people: Principal, in_full: bool = False) -> People:
        """Map people's keys to the names that a reader should see.

        ``in_full`` is for administrators' decisions. It adds names even if a mention would suffice, and each
        person's Slack workspace if there are several.
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
        provider, page_url = self.connections.get(run.connection), None
        if provider is not None and isinstance(provider, facets.Runs):
            page_url = provider.allowed_url(provider.run_page_url(run))
        common = self.describe_common(now, zone, run.connection, account)
        return RunFacts(**common, run=run, page_url=page_url)

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
            # These facts may be about a workspace of another account.
            workspace = replace(
                workspace, verified_at=None, url=None, detail=None, reason=None, event_message=None
            )
        effects = provider.stop_effects(workspace) if provider and workspace else NO_EFFECTS
        if workspace is not None and workspace.stop_at is not None:
            mode = workspace.stop_mode or "stop"
            shared["obstacle"] = shared["obstacle"] or find_stop_obstacle(workspace, effects, mode)
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
        """Return the fields common to all facts. ``zone`` is None if the message has several readers."""
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


async def _yield_in_batches(items: Iterable[Item]) -> AsyncIterator[Item]:
    """Yield items one by one, and let other tasks run after every ``CONTEXT_BATCH_SIZE`` items."""
    for number, item in enumerate(items, 1):
        if number % CONTEXT_BATCH_SIZE == 0:
            await asyncio.sleep(0)
        yield item


def get_ide_url(
    provider: base.Provider | None, workspace: Workspace | None, public_url: str | None = None
) -> str | None:
    """Return the URL of a workspace's IDE for its owner, or None if it can't be shown.

    A read must have confirmed that the workspace belongs to the owner. The URL must be on a host that the
    connection allows, or be the URL of Usher's own page, which reveals only that the row exists. The rule is
    in ``docs/internals/rules.md``, "An IDE's address reaches only the owner".
    """
    if provider is None or workspace is None or workspace.verified_at is None or workspace.is_unusable:
        return None
    if not isinstance(provider, facets.EmbeddedPage):
        return provider.allowed_url(workspace.url)
    if public_url is None or workspace.state is not State.RUNNING or not workspace.allows("open"):
        return None
    return f"{public_url.rstrip('/')}{IDE_PATH}/{workspace.id}"
