"""The caller of a use case, which is one function in one transaction.

A use case is a plain function of a module of this package. It gets the transaction, its caller, and what is
asked for; whoever serves the person calls it with ``await caller.run(cancel_timer, workspace_id)``::

    def cancel_timer(tx: Transaction, caller: Caller, workspace_id: str) -> Workspace:
        workspace = require_workspace(tx, caller, "start", workspace_id)     # reads, and asks the policy
        if workspace.stop_at is not None and caller.is_first_delivery(tx):   # there is something to do
            timers.clear(tx, workspace.id)                           # the effect
            caller.record(tx, "workspace.timer", workspace, stops="never")   # the audit row, and the act
        return workspaces.workspace(tx, workspace.id) or workspace

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
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from bot.domain import policy
from bot.domain.accounts import Account
from bot.domain.audit import AuditEntry, AuditSubject
from bot.domain.feasibility import find_access_obstacle
from bot.domain.people import Person, Principal
from bot.domain.runs import Run
from bot.domain.undoable_actions import NO_CHANGE, Act, Change
from bot.domain.workspaces import Workspace
from bot.messages.texts import problems
from bot.providers.base import Provider
from bot.services.context import Context
from bot.store import accounts, inbox, people, workspaces
from bot.store import undoable_actions as rows
from bot.store.audit import append_audit
from bot.store.hooks import StoreHooks
from bot.store.tables import ACTS
from bot.store.transaction import Transaction
from bot.support.errors import NotIdentified, NotLinked, Refused, SlackFailed

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

#: How long Slack may take to identify somebody, within the 3 s for an ack.
LOOK_UP_SECONDS: Final = 1.0
#: What the inbox key of a refusal ends in.
_REFUSAL: Final = "/refused"
#: What was said longer ago than this many seconds changes nothing by itself: the world has gone on since.
OLD_SECONDS: Final = 300.0


def is_old(said_at: float | None, now: float) -> bool:
    """Return whether something was said so long ago that its person is asked first."""
    return said_at is not None and now - said_at > OLD_SECONDS


class ConfirmationRequired(Exception):
    """Signal that words from the past, or of somebody or something else, would change something.

    Nothing was written.
    """


class _Unknown(Refused):
    """Signal that Slack has to be asked about somebody first; ``rule`` is the verb that they asked for."""


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
    said_at: float | None = None
    #: Whether the words look like a quotation.
    is_quoted: bool = False
    #: Through what they ask: it is in the audit, and in the memory of what was done.
    via: str = ""
    #: Slack can't be asked, and what the rows say of the person has to do.
    goes_by_rows: bool = False
    #: Whether an answer says what begins, so that a card need not say it at once.
    is_answered: bool = False
    #: Whether it is about several workspaces: one message says how all of them end.
    is_about_several: bool = False
    #: Whether Slack was asked about this person for this request.
    _has_looked: bool = False
    #: What is done for the request, by action and what it is about.
    acts: dict[tuple[str, str], Act] = field(default_factory=dict)

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
        done = await self._done(lambda tx, caller: work(tx, caller, *arguments, **named))
        for act in (self.acts or {}).values():
            self.context.memory.keep(act, act.done_at)
        return done

    async def read(
        self,
        work: Callable[Concatenate[Transaction, Caller, Arguments], Result],
        *arguments: Arguments.args,
        **named: Arguments.kwargs,
    ) -> Result:
        """Run what only reads, on one snapshot and beside those who write; raises as ``run``."""
        return await self._done(lambda tx, caller: work(tx, caller, *arguments, **named), is_read=True)

    async def _done(
        self, work: Callable[[Transaction, Caller], Result | Refused], *, is_read: bool = False
    ) -> Result:
        """Try; where Slack has to be asked first, look the person up and try again."""
        done = await self._tried(work, is_read=is_read)
        if isinstance(done, _Unknown):
            await self.decide(done.rule)
            done = await replace(self, _has_looked=True)._tried(work, is_read=is_read)
        if isinstance(done, Refused):
            raise done
        return done

    async def _tried(
        self, work: Callable[[Transaction, Caller], Result | Refused], *, is_read: bool
    ) -> Result | Refused:
        store = self.context.store
        acts: dict[tuple[str, str], Act] = {}
        caller = replace(self, acts=acts)

        def whole(tx: Transaction) -> Result | Refused:
            before = tx.changes
            acts.clear()
            try:
                return work(tx, caller)
            except Refused as refusal:
                if tx.changes > before:
                    # Only what ends in an error is rolled back; others may share the transaction.
                    raise
                return refusal if is_read else self._refused(tx, refusal)

        try:
            done = await (store.engine.read(whole) if is_read else store.carry_out(whole))
        except Refused as refusal:
            done, is_read = refusal, True
        # Not what was rolled back.
        self.acts.update(acts)
        if is_read and isinstance(done, Refused) and done.denied is not None:
            return await store.carry_out(partial(self._refused, refusal=done))
        return done

    def _refused(self, tx: Transaction, refusal: Refused) -> Refused:
        """Write the audit row of what the policy refused, once."""
        key = self.interaction and f"{self.interaction}{_REFUSAL}"
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
            refusal = refused(decision, verb)
            await self.context.store.carry_out(partial(self._refused, refusal=refusal))
            raise refusal

    async def decide(self, verb: str, target: policy.Target | None = None) -> policy.Decision:
        """Return what the policy decides, which isn't audited; who isn't known well enough is looked up."""
        context, principal = self.context, self.principal
        person = await context.store.person(principal)
        known = await decided(context, principal, verb, target, person)
        if known.rule == policy.FOREIGN_TEAM or policy.is_current(person, verb, await context.store.now()):
            return known
        try:
            async with asyncio.timeout(LOOK_UP_SECONDS):
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
        is_current = self.goes_by_rows or policy.is_current(person, verb, tx.now())
        installation = self.context.installation
        decision = policy.decide(self.principal, verb, target, installation, person if is_current else None)
        if not self._has_looked and (decision.rule == policy.FOREIGN_TEAM or not is_current):
            raise _Unknown(verb, "")
        if decision.allowed:
            return
        is_hidden = decision.rule == "policy.not_owner" and hidden_as is not None
        raise refused(decision, verb, target, hidden_as if is_hidden else None)

    def account(self, tx: Transaction, connection: str) -> Account:
        """Return the person's account on a connection; raises NotLinked unless it is usable."""
        return usable(self.context.need(connection), accounts.find_account(tx, self.principal, connection))

    def check_plan(self, tx: Transaction, connection: str) -> None:
        """Raise NotLinked if something planned on a connection couldn't be carried out as things are."""
        account = self.account(tx, connection)
        if find_access_obstacle(account, tx.now(), is_connected=True):
            sentence = problems.sentence(account.refusal, self.context.title(connection))
            raise NotLinked(connection, sentence, is_refused=True)

    def needs_no_confirmation(self, now: float) -> bool:
        """Return whether it needs no confirmation: it was said just now, and in the person's own words."""
        return not (self.is_quoted or is_old(self.said_at, now))

    def has_assistant_level(self, tx: Transaction, level: str) -> bool:
        """Return whether its person lets whatever asks for them do what needs a level; "" is for themself."""
        if not self.via:
            return True
        subscribers = StoreHooks.list_subscribers()
        return any(hooks.is_assistant_allowed(tx, self.principal, level) for hooks in subscribers)

    def is_first_delivery(self, tx: Transaction, level: str = "") -> bool:
        """Write the inbox row; return whether this interaction is carried out for the first time.

        It is asked once in a use case, and only when something is to do. ``level`` is what that needs of
        whoever asks for the person, by its effect. Raises ConfirmationRequired if it needs a confirmation.
        """
        is_confirmed = self.needs_no_confirmation(tx.now()) and self.has_assistant_level(tx, level)
        if not is_confirmed and not inbox.was_seen(tx, self.interaction):
            raise ConfirmationRequired
        is_first = inbox.add_interaction(tx, self.interaction, self.said_at)
        if not is_first:
            known = rows.list_recent_acts(tx, self.principal)
            self.acts.update(
                {(one.action, one.subject): one for one in known if one.interaction == self.interaction}
            )
        return is_first

    def record(
        self,
        tx: Transaction,
        action: str,
        about: Workspace | Run | AuditSubject | str,
        change: Change | Sequence[tuple[Any, Any]] | None = (),
        /,
        result: str = "accepted",
        **detail: str,
    ) -> None:
        """Write the audit row and the act of what is done; ``about`` is as it was before, or a name.

        ``change`` is what rows said before and say since, besides those of a workspace, which are found; None
        for what is no act.
        """
        target, keys = _target(about)
        detail = {**keys, **detail, **self._via}
        append_audit(tx, [AuditEntry(self.principal.key, action, target, result, detail)])
        if change is not None and not isinstance(change, Change):
            now = [(about, workspaces.find_workspace(tx, about.id))] if isinstance(about, Workspace) else []
            change = rows.compare_rows(*change, *now)
        if change is not None:
            self.record_action(tx, action, "" if isinstance(about, str) else about, change)
        if change is None or not change.work_item_id:
            follow_request(tx, self.principal)

    def record_action(
        self,
        tx: Transaction,
        action: str,
        about: Workspace | Run | AuditSubject | str,
        change: Change = NO_CHANGE,
    ) -> None:
        """Write an act, by which it can be told of and taken back; ``about`` may be a connection."""
        act = Act(
            id=tx.ids.new("act"),
            principal=self.principal,
            action=action,
            done_at=tx.now(),
            subject="" if isinstance(about, str) else about.id,
            connection=about if isinstance(about, str) else about.connection,
            name="" if isinstance(about, str) else about.name if isinstance(about, Run) else about.title,
            channel_id=self.channel_id or "",
            thread_ts=self.thread_ts or "",
            interaction=self.interaction,
            via=self.via,
            **{name: getattr(change, name) for name in NO_CHANGE.__slots__},
        )
        ACTS.add(tx, act)
        self.acts[action, act.subject] = act


def _target(about: Workspace | Run | AuditSubject | str) -> tuple[str, dict[str, str]]:
    """Return what the audit calls what somebody asks about, and its keys."""
    if isinstance(about, str):
        return about, {}
    if isinstance(about, Workspace):
        return f"{about.connection}/{about.remote_id}", {"workspace": about.id}
    if isinstance(about, Run):
        return f"{about.connection}/{about.remote_id or about.name}", {"run": about.id}
    return f"{about.connection}/{about.title}", dict(about.keys)


def refused(
    decision: policy.Decision, verb: str, target: policy.Target | None = None, as_: Refused | None = None
) -> Refused:
    """Return the refusal of what the policy doesn't allow, or ``as_``, with what its audit row says."""
    kind = NotIdentified if decision.rule == "policy.unknown_person" else Refused
    refusal = as_ or kind(decision.rule, problems.sentence(decision.rule))
    refusal.denied = (verb, f"{target.kind}/{target.id}" if target is not None else "usher", decision.rule)
    return refusal


async def decided(
    context: Context, principal: Principal, verb: str, target: policy.Target | None, person: Person | None
) -> policy.Decision:
    """Ask the policy; where a Slack workspace isn't known, after looking whether Usher was installed there.

    Another process may have written that a moment ago.
    """
    decision = policy.decide(principal, verb, target, context.installation, person)
    if decision.rule == policy.FOREIGN_TEAM:
        await context.tenants.installation(principal.enterprise_id, principal.team_id)
        decision = policy.decide(principal, verb, target, context.installation, person)
    return decision


def usable(provider: Provider, account: Account | None) -> Account:
    """Return the account; raises NotLinked unless it is usable."""
    name, title = provider.settings.name, provider.settings.title
    if account is None or account.state == "revoking":
        raise NotLinked(name, problems.sentence("unlinked", title))
    if account.state == "refused":
        raise NotLinked(name, problems.sentence(account.refusal, title), is_refused=True)
    return account


def follow_request(tx: Transaction, principal: Principal) -> None:
    """Have features act on a request that was done, besides what an operation or a run shows."""
    for hooks in StoreHooks.list_subscribers():
        hooks.on_request_done(tx, principal)
