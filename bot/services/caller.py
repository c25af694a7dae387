"""The caller of a use case, which is one function in one transaction.

A use case is a plain function of a module of this package. It gets the transaction, its caller, and what is
asked for; whoever serves the person calls it with ``await caller.run(cancel_timer, workspace_id)``::

    def cancel_timer(tx: Transaction, caller: Caller, workspace_id: str) -> Workspace:
        workspace = require_workspace(tx, caller, "start", workspace_id)     # reads, and asks the policy
        if workspace.stop_at is not None and caller.is_first_delivery(tx):   # there is something to do
            timers.clear_stops(tx, workspace.id)                     # the effect
            caller.record(tx, "workspace.timer", workspace, stops="never")   # the audit row, and the action
        return workspaces.find_workspace(tx, workspace.id) or workspace

In this order: read and decide (``check``, and whatever else refuses), then ask whether there is anything to
do, then ``is_first_delivery``, then write. It waits for nothing, changes nothing but the database, and may be
run again from the start. SQL stays in ``bot.store``, whose functions run it.

Whatever raises Refused, nothing of the use case is written. If it was the policy that refused, the audit row
is, once for an interaction however often it is repeated. That row has an inbox key of its own: the same
request can still be carried out once it is allowed, as when Slack has said who somebody is. Nobody is asked
within the transaction: where Slack's word on a person is missing or old, it ends without a trace, they are
looked up, and it is run once more.

A use case that returns a Refused has something to write all the same, such as an attempt that counts: that
stays, and the refusal is raised.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Concatenate, Final, ParamSpec, TypeVar

from bot.domain import policy
from bot.domain.accounts import Account
from bot.domain.audit import AuditEntry, AuditSubject
from bot.domain.feasibility import find_access_obstacle
from bot.domain.people import Person, Principal
from bot.domain.runs import Run
from bot.domain.undoable_actions import NO_CHANGE, Change, UndoableAction
from bot.domain.workspaces import Workspace
from bot.providers.base import Provider
from bot.services.context import Context
from bot.store import accounts, inbox, people, preferences, transaction
from bot.store import undoable_actions as rows
from bot.store.audit import append_audit
from bot.store.homes import HOME_PLACE
from bot.store.tables import UNDOABLE_ACTIONS
from bot.store.transaction import Transaction
from bot.support.errors import NotIdentified, NotLinked, Refused, SlackFailed

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

#: How long Slack may take to identify somebody, within the 3 s for an ack.
LOOK_UP_TIMEOUT_SECONDS: Final = 1.0
#: What the inbox key of a refusal ends in.
_REFUSAL_SUFFIX: Final = "/refused"
#: What was said longer ago than this many seconds changes nothing by itself: the world has gone on since.
MAX_REQUEST_AGE_SECONDS: Final = 300.0


def is_stale(sent_at: float | None, now: float) -> bool:
    """Return whether a request is so old that its person has to confirm it."""
    return sent_at is not None and now - sent_at > MAX_REQUEST_AGE_SECONDS


class ConfirmationRequired(Exception):
    """Old words, or words of somebody or something else, would change something.

    Nothing was written.
    """


class _NotIdentifiedYet(Refused):
    """Slack has to be asked about the person first; ``rule`` is the verb that they requested."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of use cases: a person, their interaction ("" for none), and where an answer reaches them.

    ``drawing`` is the reference of the request, or what draws it as a string when somebody needs it.
    """

    context: Context
    principal: Principal
    interaction: str = ""
    drawing: object = ""
    channel_id: str | None = None
    thread_ts: str | None = None
    #: When it was said, where that may be long ago.
    sent_at: float | None = None
    #: Whether the words look like a quotation.
    is_quoted: bool = False
    #: Through what they ask: it is in the audit, and in the memory of what was done.
    via: str = ""
    #: Slack can't be asked, and what the rows say of the person has to do.
    uses_stored_identity: bool = False
    #: Whether an answer says what begins, so that a card need not say it at once.
    is_answered: bool = False
    #: Whether it is about several workspaces: one message says how all of them end.
    is_about_several: bool = False
    #: Whether they pressed something in their Home, which is published again when that ends.
    is_in_home: bool = False
    #: Whether Slack was asked about this person for this request.
    _has_looked: bool = False
    #: What is done for the request, by action and what it is about.
    actions: dict[tuple[str, str], UndoableAction] = field(default_factory=dict)

    @property
    def reference(self) -> str:
        """Return the id that the answer and the log show."""
        return str(self.drawing)

    @property
    def _via(self) -> dict[str, str]:
        return {"via": self.via} if self.via else {}

    async def run(
        self,
        work: Callable[Concatenate[Transaction, Caller, Arguments], Result | Refused],
        *arguments: Arguments.args,
        **named: Arguments.kwargs,
    ) -> Result:
        """Carry a use case out in one transaction.

        Raises what it raises: Refused, with nothing written but the policy's audit row, and StoreError.
        """
        subjects = transaction.find_subjects(work, self, *arguments, **named)
        done = await self._run_with_lookup(
            lambda tx, caller: work(tx, caller, *arguments, **named), subjects=subjects
        )
        for action in (self.actions or {}).values():
            self.context.recent_commits.add(action, action.done_at)
        return done

    async def read(
        self,
        work: Callable[Concatenate[Transaction, Caller, Arguments], Result],
        *arguments: Arguments.args,
        **named: Arguments.kwargs,
    ) -> Result:
        """Run a use case that only reads, on one snapshot, in parallel with writers; raises as ``run``."""
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
        """Run a use case; where Slack has to be asked first, look the person up and run it again."""
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
        actions: dict[tuple[str, str], UndoableAction] = {}
        caller = replace(self, actions=actions)

        def work_with_audit(tx: Transaction) -> Result | Refused:
            before = tx.changes
            actions.clear()
            try:
                return work(tx, caller)
            except Refused as refusal:
                if tx.changes > before:
                    # Only what ends in an error is rolled back; others may share the transaction.
                    raise
                return refusal if is_read else self._audit_refusal(tx, refusal)

        try:
            done = await (
                store.engine.read(work_with_audit) if is_read else store.carry_out(work_with_audit, subjects)
            )
        except Refused as refusal:
            done, is_read = refusal, True
        # Not what was rolled back.
        self.actions.update(actions)
        if is_read and isinstance(done, Refused) and done.denied is not None:
            return await store.carry_out(partial(self._audit_refusal, refusal=done))
        return done

    def _audit_refusal(self, tx: Transaction, refusal: Refused) -> Refused:
        """Write the audit row of a refusal by the policy, once."""
        key = self.interaction and f"{self.interaction}{_REFUSAL_SUFFIX}"
        if refusal.denied is not None and inbox.add_interaction(tx, key):
            verb, target, rule = refusal.denied
            detail = {"rule": rule, **self._via}
            append_audit(tx, [AuditEntry(self.principal.key, verb, target, "refused", detail)])
        return refusal

    # -- before anything is read or done ---------------------------------------------------------------------

    async def authorise(self, verb: str) -> None:
        """Return if the policy allows it; otherwise audit the refusal and raise it as ``check`` does."""
        decision = await self.decide(verb)
        if not decision.allowed:
            refusal = build_refusal(decision, verb)
            await self.context.store.carry_out(partial(self._audit_refusal, refusal=refusal))
            raise refusal

    async def decide(self, verb: str, target: policy.Target | None = None) -> policy.Decision:
        """Return the policy's decision, unaudited; look a person up whose row is missing or old."""
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
        """Ask the policy about the person as the rows know them; raises Refused, or NotIdentified.

        ``hidden_as`` is what they are told instead if the target is somebody else's.
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
        """Ask the policy as ``check`` does, about the person as their row was just read."""
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
        """Return the person's account on a connection; raises NotLinked unless it is usable."""
        return require_usable(
            self.context.need(connection), accounts.find_account(tx, self.principal, connection)
        )

    def check_plan(self, tx: Transaction, connection: str) -> None:
        """Raise NotLinked if something planned on a connection couldn't be carried out as things are."""
        account = self.require_account(tx, connection)
        if find_access_obstacle(account, tx.now(), is_connected=True):
            raise NotLinked(connection, account.refusal, self.context.title(connection), is_refused=True)

    def needs_no_confirmation(self, now: float) -> bool:
        """Return whether a request needs no confirmation: it is recent, and in the person's own words."""
        return not (self.is_quoted or is_stale(self.sent_at, now))

    def has_assistant_level(self, tx: Transaction, level: str) -> bool:
        """Return whether the person's assistant is allowed a level; "" is for the person alone."""
        if not self.via:
            return True
        return preferences.allows_assistant(tx, self.principal, level)

    def is_first_delivery(self, tx: Transaction, level: str = "", result: str = "") -> bool:
        """Write the inbox row; return whether this interaction is carried out for the first time.

        It is asked once in a use case, and only when something is to do. ``level`` is what that needs of
        whoever asks for the person, by its effect; ``result`` the id of the row that is created. Raises
        ConfirmationRequired if it needs a confirmation.
        """
        is_confirmed = self.needs_no_confirmation(tx.now()) and self.has_assistant_level(tx, level)
        if not is_confirmed and not inbox.was_seen(tx, self.interaction):
            raise ConfirmationRequired
        is_first = inbox.add_interaction(tx, self.interaction, self.sent_at, result)
        if not is_first:
            known = rows.list_actions_of(tx, self.principal, self.interaction)
            self.actions.update({(one.kind, one.subject): one for one in known})
        return is_first

    def record(
        self,
        tx: Transaction,
        action: str,
        about: Workspace | Run | AuditSubject | str,
        change: Change = NO_CHANGE,
        /,
        result: str = "accepted",
        **detail: str,
    ) -> None:
        """Write the audit row and the action; ``about`` is the subject as it was before, or a name."""
        target, keys = _describe_target(about)
        detail = {**keys, **detail, **self._via}
        append_audit(tx, [AuditEntry(self.principal.key, action, target, result, detail)])
        self.record_action(tx, action, "" if isinstance(about, str) else about, change)

    def record_action(
        self,
        tx: Transaction,
        kind: str,
        about: Workspace | Run | AuditSubject | str,
        change: Change = NO_CHANGE,
    ) -> None:
        """Write an action, which says who asked last; ``about`` may be a connection."""
        action = UndoableAction(
            id=tx.ids.new("act"),
            principal=self.principal,
            kind=kind,
            done_at=tx.now(),
            subject="" if isinstance(about, str) else about.id,
            connection=about if isinstance(about, str) else about.connection,
            name="" if isinstance(about, str) else about.name if isinstance(about, Run) else about.title,
            channel_id=HOME_PLACE if self.is_in_home else self.channel_id or "",
            thread_ts=self.thread_ts or "",
            interaction=self.interaction,
            via=self.via,
            **{name: getattr(change, name) for name in NO_CHANGE.__slots__},
        )
        UNDOABLE_ACTIONS.add(tx, action)
        self.actions[kind, action.subject] = action


def _describe_target(about: Workspace | Run | AuditSubject | str) -> tuple[str, dict[str, str]]:
    """Return the audit's name and keys of the subject of a request."""
    if isinstance(about, str):
        return about, {}
    if isinstance(about, Workspace):
        return f"{about.connection}/{about.remote_id}", {"workspace": about.id}
    if isinstance(about, Run):
        return f"{about.connection}/{about.remote_id or about.name}", {"run": about.id}
    return f"{about.connection}/{about.title}", dict(about.keys)


def build_refusal(
    decision: policy.Decision, verb: str, target: policy.Target | None = None, as_: Refused | None = None
) -> Refused:
    """Build the refusal of a request that the policy denies, or use ``as_``, with its audit details."""
    kind = NotIdentified if decision.rule == "policy.unknown_person" else Refused
    refusal = as_ or kind(decision.rule)
    refusal.denied = (verb, f"{target.kind}/{target.id}" if target is not None else "usher", decision.rule)
    return refusal


async def decide_installed(
    context: Context, principal: Principal, verb: str, target: policy.Target | None, person: Person | None
) -> policy.Decision:
    """Ask the policy; for an unknown Slack workspace, read the installations again first.

    Another process may have written that a moment ago.
    """
    decision = policy.decide(principal, verb, target, context.installation, person)
    if decision.rule == policy.FOREIGN_TEAM:
        await context.tenants.installation(principal.enterprise_id, principal.team_id)
        decision = policy.decide(principal, verb, target, context.installation, person)
    return decision


def require_usable(provider: Provider, account: Account | None) -> Account:
    """Return the account; raises NotLinked unless it is usable."""
    name, title = provider.settings.name, provider.settings.title
    if account is None or account.state == "revoking":
        raise NotLinked(name, "unlinked", title)
    if account.state == "refused":
        raise NotLinked(name, account.refusal, title, is_refused=True)
    return account


def _find_person(caller: Caller, *_: object, **__: object) -> list[str]:
    return [caller.principal.key]


#: Declares that a use case is about its person's rows alone.
concerns_caller: Final = transaction.concerns(_find_person)
