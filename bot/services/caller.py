"""Use cases and their callers.

A use case is a plain function in a module of this package that runs in one transaction. Its arguments are the
transaction, the caller, and the values from the request. A handler runs the use case with
``await caller.run(cancel_timer, workspace_id)``::

    def cancel_timer(tx: Transaction, caller: Caller, workspace_id: str) -> Workspace:
        workspace = require_workspace(tx, caller, "start", workspace_id)     # reads, and checks the policy
        if workspace.stop_at is not None and caller.is_first_delivery(tx):   # there is something to do
            timers.clear_stops(tx, workspace.id)                             # the effect
            caller.record(tx, "workspace.timer", workspace, stops="never")   # the audit row, and who asked
        return workspaces.find_workspace(tx, workspace.id) or workspace

A use case first reads rows and makes every check that could refuse the request, such as the policy's
(``Caller.check``). If there is anything to do, it calls ``is_first_delivery``, which notes the request in the
inbox, and writes only if the request is new. A use case never waits, changes nothing but the database, and
may be rerun from the start. All SQL is in ``bot.store``, whose functions the use cases call.

If a use case raises Refused, none of its writes are kept. If it returns a Refused, they are kept, such as the
count of an attempt, and ``run`` raises the refusal.

If the policy refuses a request, the refusal is recorded in the audit log, once per interaction, even if Slack
delivers the interaction again. Because the refusal is noted in the inbox under a key of its own, the request
itself still counts as new, and can be carried out if the policy later allows it.

Slack is never called within a transaction. If a person's details are missing or old, the use case ends
without writing anything, the person is looked up in Slack, and the use case runs once more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Concatenate, Final, ParamSpec, TypeVar

from bot.domain import policy
from bot.domain.accepted_requests import DELIVERY_SECONDS, AcceptedRequest
from bot.domain.accounts import Account
from bot.domain.audit import AuditEntry
from bot.domain.courses import ClassCard
from bot.domain.feasibility import find_access_obstacle
from bot.domain.people import Person, Principal
from bot.domain.runs import Run
from bot.domain.workspaces import Workspace
from bot.providers.base import Provider
from bot.services.context import Context
from bot.store import accepted_requests as rows
from bot.store import accounts, inbox, people, preferences, transaction
from bot.store.audit import append_audit
from bot.store.homes import HOME_PLACE
from bot.store.tables import ACCEPTED_REQUESTS
from bot.store.transaction import Transaction
from bot.support.errors import NotIdentified, NotLinked, Refused, SlackFailed

#: The types of rows that a request may be about.
AuditedRow = Workspace | Run | ClassCard
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

#: Seconds to wait for Slack to identify a person. The wait must be short, because Slack expects Usher's
#: answer to a request within three seconds.
LOOK_UP_TIMEOUT_SECONDS: Final = 1.0
#: Suffix of an inbox key that marks the request as refused.
_REFUSAL_SUFFIX: Final = "/refused"
#: A request older than this, in seconds, needs confirmation, because a lot may have changed since it was
#: sent.
MAX_REQUEST_AGE_SECONDS: Final = 300.0


def is_stale(sent_at: float | None, now: float) -> bool:
    """Return whether a request is so old that the person must confirm it."""
    return sent_at is not None and now - sent_at > MAX_REQUEST_AGE_SECONDS


class ConfirmationRequired(Exception):
    """Raised if a request must be confirmed before it changes anything. Nothing has been written yet.

    Confirmation is required if the request is old, quoted, overtaken by a later one, or beyond the powers of
    the person's assistant.
    """


class _NotIdentifiedYet(Refused):
    """Raised if the person must first be looked up in Slack. ``rule`` is the requested verb."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of use cases: a person, their interaction ("" if there is none), and where to answer them.

    ``reference`` is the id shown in the answer and in the log.
    """

    context: Context
    principal: Principal
    interaction: str = ""
    reference: str = ""
    channel_id: str | None = None
    thread_ts: str | None = None
    #: Time when the request was sent. Set only for requests that may be old.
    sent_at: float | None = None
    #: Whether the request's text looks like a quotation rather than the person's own words.
    is_quoted: bool = False
    #: The intermediary that passed on the person's request, such as an assistant, or "" if there was none. It
    #: is recorded with the request and in the audit log.
    via: str = ""
    #: Whether to accept a person's stored details, however old they are, because Slack can't be reached.
    uses_stored_identity: bool = False
    #: Whether a reply has already told the person what was started. If so, a card is sent only if the work
    #: takes a long time.
    is_answered: bool = False
    #: Whether the request concerns several workspaces. If so, one message reports all outcomes.
    is_about_several: bool = False
    #: Whether the request came from the user's Home tab. If so, the tab is published again afterwards.
    is_in_home: bool = False
    #: Whether this person has already been looked up in Slack for this request.
    _has_looked: bool = False
    #: The ids of the workspaces that the request concerns.
    reached: set[str] = field(default_factory=set)
    #: The requests accepted so far, by kind and subject. There can be several, because one interaction can
    #: change several rows.
    accepted: dict[tuple[str, str], AcceptedRequest] = field(default_factory=dict)

    @property
    def _via(self) -> dict[str, str]:
        return {"via": self.via} if self.via else {}

    async def run(
        self,
        work: Callable[Concatenate[Transaction, Caller, Arguments], Result | Refused],
        *arguments: Arguments.args,
        **named: Arguments.kwargs,
    ) -> Result:
        """Run a use case in one transaction.

        Raises StoreError, and anything that the use case raises. If the use case raises Refused, only the
        policy's row in the audit log is kept.
        """
        subjects = transaction.find_subjects(work, self, *arguments, **named)
        done = await self._run_with_lookup(
            lambda tx, caller: work(tx, caller, *arguments, **named), subjects=subjects
        )
        for request in self.accepted.values():
            self.context.recent_commits.add(request, request.done_at)
        return done

    async def read(
        self,
        work: Callable[Concatenate[Transaction, Caller, Arguments], Result],
        *arguments: Arguments.args,
        **named: Arguments.kwargs,
    ) -> Result:
        """Run a read-only use case like ``run``, but on a snapshot and in parallel with writers."""
        return await self._run_with_lookup(
            lambda tx, caller: work(tx, caller, *arguments, **named), is_read=True
        )

    async def _run_with_lookup(
        self,
        work: Callable[[Transaction, Caller], Result | Refused],
        *,
        is_read: bool = False,
        subjects: Sequence[str] = (),
    ) -> Result:
        """Run a use case. If the person has to be looked up in Slack first, do that and run it again."""
        done = await self._run_once(work, subjects, is_read=is_read)
        if isinstance(done, _NotIdentifiedYet):
            await self.decide(done.rule)
            done = await replace(self, _has_looked=True)._run_once(work, subjects, is_read=is_read)
        if isinstance(done, Refused):
            raise done
        return done

    async def _run_once(
        self,
        work: Callable[[Transaction, Caller], Result | Refused],
        subjects: Sequence[str],
        *,
        is_read: bool,
    ) -> Result | Refused:
        store = self.context.store
        accepted: dict[tuple[str, str], AcceptedRequest] = {}
        caller = replace(self, accepted=accepted)

        def work_with_audit(tx: Transaction) -> Result | Refused:
            before = tx.changes
            accepted.clear()
            try:
                return work(tx, caller)
            except Refused as refusal:
                if tx.changes > before:
                    # Others may share this transaction, so only an error undoes the writes of this use case.
                    raise
                return refusal if is_read else self._audit_refusal(tx, refusal)

        try:
            done = await (
                store.engine.read(work_with_audit) if is_read else store.carry_out(work_with_audit, subjects)
            )
        except Refused as refusal:
            done, is_read = refusal, True
        # These are added only after the commit, so that an attempt that was rolled back adds nothing.
        self.accepted.update(accepted)
        if is_read and isinstance(done, Refused) and done.denied is not None:
            return await store.carry_out(partial(self._audit_refusal, refusal=done))
        return done

    def _audit_refusal(self, tx: Transaction, refusal: Refused) -> Refused:
        """Record a refusal by the policy in the audit log, once per interaction. Return the refusal."""
        key = self.interaction and f"{self.interaction}{_REFUSAL_SUFFIX}"
        if refusal.denied is not None and inbox.add_interaction(tx, key):
            verb, target, rule = refusal.denied
            detail = {"rule": rule, **self._via}
            append_audit(tx, [AuditEntry(self.principal.key, verb, target, "refused", detail)])
        return refusal

    # -- before anything is read or done ---------------------------------------------------------------------

    async def authorise(self, verb: str) -> None:
        """Check that the policy allows a verb. If it doesn't, audit the refusal and raise it."""
        decision = await self.decide(verb)
        if not decision.allowed:
            refusal = build_refusal(decision, verb)
            await self.context.store.carry_out(partial(self._audit_refusal, refusal=refusal))
            raise refusal

    async def decide(self, verb: str, target: policy.Target | None = None) -> policy.Decision:
        """Return the policy's decision without auditing it. Look the person up if their row is too old."""
        context, principal = self.context, self.principal
        person = await context.store.person(principal)
        known = await decide_installed(context, principal, verb, target, person)
        if known.rule == policy.FOREIGN_TEAM or policy.is_current(person, verb, await context.store.now()):
            return known
        try:
            async with asyncio.timeout(LOOK_UP_TIMEOUT_SECONDS):
                person = await context.people.look_up(principal)
        except (SlackFailed, TimeoutError):
            person = None
        return policy.decide(principal, verb, target, context.installation, person)

    # -- within the transaction ------------------------------------------------------------------------------

    def check(
        self,
        tx: Transaction,
        verb: str,
        target: policy.Target | None = None,
        *,
        hidden_as: Refused | None = None,
    ) -> None:
        """Apply the policy, using the person's stored details. Raise Refused or NotIdentified if it refuses.

        If the target belongs to someone else, ``hidden_as`` is raised instead, so that its existence isn't
        revealed.
        """
        self.check_as(tx, people.find_person(tx, self.principal), verb, target, hidden_as=hidden_as)

    def check_as(
        self,
        tx: Transaction,
        person: Person | None,
        verb: str,
        target: policy.Target | None = None,
        *,
        hidden_as: Refused | None = None,
    ) -> None:
        """Apply the policy like ``check``, but with the person's row, which has already been read."""
        is_current = self.uses_stored_identity or policy.is_current(person, verb, tx.now())
        installation = self.context.installation
        decision = policy.decide(self.principal, verb, target, installation, person if is_current else None)
        if not self._has_looked and (decision.rule == policy.FOREIGN_TEAM or not is_current):
            raise _NotIdentifiedYet(verb)
        if decision.allowed:
            return
        is_hidden = decision.rule == "policy.not_owner" and hidden_as is not None
        raise build_refusal(decision, verb, target, hidden_as if is_hidden else None)

    def require_account(self, tx: Transaction, connection: str) -> Account:
        """Return the person's account on a connection. Raises NotLinked if it can't be used."""
        return require_usable(
            self.context.need(connection), accounts.find_account(tx, self.principal, connection)
        )

    def check_plan(self, tx: Transaction, connection: str) -> None:
        """Raise NotLinked if the account's state would prevent a plan from being carried out."""
        account = self.require_account(tx, connection)
        if find_access_obstacle(account, tx.now()):
            raise NotLinked(connection, account.refusal, self.context.title(connection), is_refused=True)

    def needs_no_confirmation(self, now: float) -> bool:
        """Return whether a request is recent and in the person's own words, and so needs no confirmation."""
        return not (self.is_quoted or is_stale(self.sent_at, now))

    def has_assistant_level(self, tx: Transaction, level: str) -> bool:
        """Return whether the person's assistant may act at this level, or True if no assistant is involved.

        No assistant may act at the level "", which is reserved for the person.
        """
        if not self.via:
            return True
        return preferences.allows_assistant(tx, self.principal, level)

    def _is_overtaken(self, tx: Transaction) -> bool:
        """Return whether the person has since made a later request for the same workspace."""
        sent_at = self.sent_at
        if sent_at is None or tx.now() - sent_at <= DELIVERY_SECONDS:
            return False
        return any(
            rows.was_overtaken(tx, self.principal, one, self.interaction, sent_at) for one in self.reached
        )

    def is_first_delivery(self, tx: Transaction, level: str = "", result: str = "") -> bool:
        """Write the inbox row. Return whether this is the interaction's first delivery.

        Call this once per use case, and only if there is something to do. ``level`` is the level that an
        assistant needs for it, and ``result`` is the id of the row being created. Raises ConfirmationRequired
        if the person must confirm the request first.
        """
        is_confirmed = self.needs_no_confirmation(tx.now()) and not self._is_overtaken(tx)
        is_confirmed = is_confirmed and self.has_assistant_level(tx, level)
        if not is_confirmed and not inbox.was_seen(tx, self.interaction):
            raise ConfirmationRequired
        is_first = inbox.add_interaction(tx, self.interaction, self.sent_at, result)
        if not is_first:
            known = rows.list_requests_of(tx, self.principal, self.interaction)
            self.accepted.update({(one.kind, one.subject): one for one in known})
        return is_first

    def record(
        self,
        tx: Transaction,
        action: str,
        about: AuditedRow | str,
        /,
        result: str = "accepted",
        *,
        began: str = "",
        initiator: str = "",
        **detail: str,
    ) -> None:
        """Record the request, and add an entry to the audit log.

        ``about`` is the subject before the change, or a name. ``began`` is the id of the work item that the
        request began. ``initiator`` names whatever acted on the person's behalf.
        """
        target, keys = _describe_target(about)
        detail = {**keys, **detail, **self._via}
        append_audit(tx, [AuditEntry(self.principal.key, action, target, result, detail)])
        about = "" if isinstance(about, str) else about
        self.record_request(tx, action, about, began=began, initiator=initiator)

    def record_request(
        self,
        tx: Transaction,
        kind: str,
        about: AuditedRow | str,
        *,
        began: str = "",
        initiator: str = "",
    ) -> None:
        """Record who requested a change. ``about`` may be just the name of a connection."""
        request = AcceptedRequest(
            id=tx.ids.new("act"),
            principal=self.principal,
            kind=kind,
            done_at=tx.now(),
            subject="" if isinstance(about, str) else about.id,
            connection=about if isinstance(about, str) else about.connection,
            name="" if isinstance(about, str) else about.title,
            channel_id=HOME_PLACE if self.is_in_home else self.channel_id or "",
            thread_ts=self.thread_ts or "",
            interaction=self.interaction,
            via=self.via,
            work_item_id=began,
            initiator=initiator,
        )
        ACCEPTED_REQUESTS.add(tx, request)
        self.accepted[kind, request.subject] = request


def _describe_target(about: AuditedRow | str) -> tuple[str, dict[str, str]]:
    """Return a request's target as the audit log records it: its name, and the ids that belong to it."""
    if isinstance(about, str):
        return about, {}
    if isinstance(about, Workspace):
        return f"{about.connection}/{about.remote_id}", {"workspace": about.id}
    if isinstance(about, Run):
        return f"{about.connection}/{about.remote_id or about.name}", {"run": about.id}
    return f"{about.connection}/{about.title}", {"card": about.id, "teacher": about.principal.key}


def build_refusal(
    decision: policy.Decision, verb: str, target: policy.Target | None = None, as_: Refused | None = None
) -> Refused:
    """Return the refusal of a denied request, with audit details. ``as_`` replaces the usual refusal."""
    kind = NotIdentified if decision.rule == "policy.unknown_person" else Refused
    refusal = as_ or kind(decision.rule)
    refusal.denied = (verb, f"{target.kind}/{target.id}" if target is not None else "usher", decision.rule)
    return refusal


async def decide_installed(
    context: Context, principal: Principal, verb: str, target: policy.Target | None, person: Person | None
) -> policy.Decision:
    """Apply the policy. If the Slack workspace is unknown, reload the installations and try again.

    Another process may have added the installation just now.
    """
    decision = policy.decide(principal, verb, target, context.installation, person)
    if decision.rule == policy.FOREIGN_TEAM:
        await context.tenants.installation(principal.enterprise_id, principal.team_id)
        decision = policy.decide(principal, verb, target, context.installation, person)
    return decision


def require_usable(provider: Provider, account: Account | None) -> Account:
    """Return the account, or raise NotLinked if it isn't usable."""
    name, title = provider.settings.name, provider.settings.title
    if account is None or account.state == "revoking":
        raise NotLinked(name, "unlinked", title)
    if account.state == "refused":
        raise NotLinked(name, account.refusal, title, is_refused=True)
    return account


#: A decorator for use cases that read and write only their caller's rows. On PostgreSQL, use cases of
#: different people can then run at the same time.
concerns_caller: Final = transaction.concerns(lambda caller, *_, **__: [caller.principal.key])
