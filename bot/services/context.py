"""What the parts of one process share, and who asks: a use case is one function in one transaction.

A use case is a plain function of a module of this package. It gets the transaction, who asks, and what is
asked for; whoever serves the person calls it with ``await asked.to(timers.keep, workspace_id)``::

    def keep(tx: Transaction, asked: Asked, workspace_id: str) -> Workspace:
        workspace = owned(tx, asked, "start", workspace_id)          # reads, and asks the policy
        if workspace.stop_at is not None and asked.is_new(tx):       # something is to do, for the first time
            rows.clear(tx, workspace.id)                             # the effect
            note(tx, asked, "workspace.timer", workspace, stops="never")   # the audit row
        return workspaces.current(tx, workspace.id)

In this order: read and decide (``check``, and whatever else refuses), then ask whether there is anything to
do, then ``is_new``, then write. It waits for nothing, changes nothing but the database, and may be run again
from the start. SQL stays in ``queries.sql``, and the functions of ``bot.store`` run it.

Whatever raises Refused, nothing of the use case is written. If it was the policy that refused, the audit row
is, once for an interaction however often it is repeated. That row has an inbox key of its own: the same
request can still be carried out once it is allowed, as when Slack has said who somebody is. Nobody is asked
within the transaction: where Slack's word on a person is missing or old, it ends without a trace, they are
looked up, and it is run once more.

A use case that returns a Refused has something to write all the same, such as an attempt that counts: that
stays, and the refusal is raised.

What one process owns for all on its database is here, too. Where it has the database to itself, it owns
everything and writes nothing.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Concatenate, Final, ParamSpec, Protocol, TypeVar

import structlog

from bot.domain import policy
from bot.domain.people import Account, AuditEntry, Installed, Person, Principal
from bot.domain.policy import AnyInstallation, Installation
from bot.messages.texts import problems
from bot.providers.base import Provider
from bot.store import accounts, inbox, people
from bot.store.audit import append_audit
from bot.store.owners import LEASE
from bot.store.store import Store
from bot.store.transaction import Transaction
from bot.support.clock import Clock, Ids
from bot.support.environment import command
from bot.support.errors import NotIdentified, NotLinked, Refused, SlackFailed, StoreError
from bot.support.vault import Vault

log = structlog.get_logger(__name__)
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


#: How often leases are renewed, in seconds: two attempts may fail.
RENEWED_EVERY: Final = 3.0
#: What the names of connections' starts begin with.
STARTS: Final = "starts:"
#: What the names of runs' followed outputs begin with.
OUTPUT: Final = "output:"
#: A lease counts for this long here, from before it was asked for: others take it over later than that.
SURE: Final = LEASE - 1.0
#: After so many seconds without a process that does the work, people are told; a restart is quicker.
MISSED: Final = 15.0


class Owners:
    """Own everything: no other process works on this database."""

    #: This process's name in the database; "" where it has none.
    name = ""

    @property
    def is_worked(self) -> bool:
        """Whether what people ask for is carried out: here, or by a process that was seen lately."""
        return True

    async def own(self, thing: str) -> float | None:
        """Return since when this process has owned something, monotonic; None if another one owns it."""
        return (await self.own_all([thing])).get(thing)

    async def own_all(self, things: Collection[str]) -> dict[str, float]:
        """Take what is free; return since when this process has owned each that it owns."""
        return dict.fromkeys(things, 0.0)

    def owns(self, thing: str, since: float) -> bool:  # noqa: ARG002 - for what others may take over
        """Return whether this process owns something for certain at this moment, and has since then."""
        return True

    async def disown(self, *things: str) -> None:
        """Leave something to others."""

    async def renew(self) -> None:
        """Keep what is owned; never raise."""

    async def end(self) -> None:
        """Own nothing more, and leave starts to others at once; never raise."""

    async def leave(self) -> None:
        """Leave everything to others, for good; never raise."""


class SharedOwners(Owners):
    """Own by leases in the database. ``presence`` says that this process lives, for whoever looks."""

    def __init__(self, store: Store, monotonic: Callable[[], float], name: str, presence: str) -> None:
        self.name = name
        self._store = store
        self._monotonic = monotonic
        self._presence = presence
        #: Since when each is owned, and until when that is sure.
        self._since: dict[str, float] = {}
        self._sure_until: dict[str, float] = {}
        self._asking = asyncio.Lock()
        self._has_ended = False
        self._worked_at = monotonic()

    @property
    def is_worked(self) -> bool:
        """Whether what people ask for is carried out: here, or by a process that was seen lately."""
        return self._monotonic() - self._worked_at < MISSED

    async def own_all(self, things: Collection[str]) -> dict[str, float]:
        """Take what is free; return since when this process has owned each that it owns."""
        if self._missing(things):
            async with self._asking:
                if missing := self._missing(things):
                    now = self._monotonic()
                    self._owns(await self._store.own(self.name, missing), now)
        now = self._monotonic()
        return {one: self._since[one] for one in things if self._sure_until.get(one, 0.0) > now}

    def owns(self, thing: str, since: float) -> bool:
        """Return whether this process owns something for certain at this moment, and has since then."""
        return self._since.get(thing) == since and self._sure_until[thing] > self._monotonic()

    def _missing(self, things: Collection[str]) -> list[str]:
        now = self._monotonic()
        return [] if self._has_ended else [one for one in things if self._sure_until.get(one, 0.0) <= now]

    def _owns(self, things: Collection[str], now: float) -> None:
        for one in things:
            if self._sure_until.get(one, 0.0) <= now:
                # Nobody knows who owned it since: it begins again.
                self._since[one] = now
            self._sure_until[one] = now + SURE

    async def disown(self, *things: str) -> None:
        """Leave something to others."""
        for one in things:
            self._since.pop(one, None)
            self._sure_until.pop(one, None)
        await self._store.disown(self.name, things)

    async def renew(self) -> None:
        """Keep what is owned; never raise."""
        async with self._asking:
            if self._has_ended:
                return
            now = self._monotonic()
            try:
                kept = set(await self._store.renew_owned(self.name))
                if self._presence not in kept:
                    await self._store.own(self.name, [self._presence])
                if await self._store.is_worked():
                    self._worked_at = now
                elif not self.is_worked:
                    log.error("no worker runs", advice=f"start {command('worker')}")
            except StoreError as error:
                log.warning("leases not renewed", problem=error)
                return
            for one in self._since.keys() - kept:
                log.info("no longer owned", thing=one)
                del self._since[one], self._sure_until[one]
            self._owns(kept & self._since.keys(), now)

    async def end(self) -> None:
        """Own nothing more, and leave starts to others at once; never raise."""
        async with self._asking:
            self._has_ended = True
        starts = [one for one in self._since if one.startswith(STARTS)]
        await self._handed_back(self.disown(*starts))

    async def leave(self) -> None:
        """Leave everything to others, for good; never raise."""
        async with self._asking:
            self._has_ended = True
        self._since.clear()
        self._sure_until.clear()
        await self._handed_back(self._store.disown_all(self.name))

    @staticmethod
    async def _handed_back(work: Awaitable[None]) -> None:
        try:
            await work
        except StoreError as error:
            log.warning("leases not handed back", problem=error)


def owners_of(store: Store, clock: Clock, ids: Ids, role: str) -> Owners:
    """Return how this process shares what one at a time has to do."""
    if not store.engine.is_shared:
        return Owners()
    name = ids.new(f"{socket.gethostname()}/{os.getpid()}")
    return SharedOwners(store, clock.monotonic, name, f"{role}:{name}")


class Wake(Protocol):
    """Ask the background work to check for something to do right away; cheap, and safe to call often.

    Whoever has just written something calls it: use cases, handlers, webhooks. The scheduler implements it.
    """

    def __call__(self) -> None:
        """Return at once, whether or not anything runs in the background."""
        ...


class PeopleBook(Protocol):
    """Know who people are. The policy's callers ask; ``bot.slack.people.People`` implements it."""

    async def look_up(self, principal: Principal) -> Person:
        """Look a person up in Slack, store and return them; raise SlackFailed if that isn't possible now."""
        ...

    async def sync(self) -> list[Person]:
        """Read everybody again, store and return them; raise SlackFailed."""
        ...

    async def is_let_in(self) -> bool:
        """Return whether Slack still takes the only token; raise SlackFailed if that isn't known now."""
        ...

    async def with_enterprise(self, principal: Principal) -> Principal:
        """Name the enterprise of somebody whose sign-in didn't, if it has installed us; raise SlackFailed."""
        ...


class Removals(Protocol):
    """Know whether Slack still lets an installation in, and forget it if not: ``InstalledSlack``."""

    async def installation(self, enterprise_id: str | None, team_id: str | None) -> Installation | None:
        """Return the installation that a team belongs to, as of a few seconds ago; never raise."""
        ...

    async def is_gone(self, installation: Installation) -> Installed | None:
        """Return the row whose token Slack takes no more; None if it takes it. Raises SlackFailed."""
        ...

    async def forget(self, gone: Installed) -> None:
        """Forget its token, unless it was replaced meanwhile."""
        ...


def nobody() -> None:
    """Wake nothing, for commands that run no background work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Hold the outside world (store, providers, people, clock), where Usher is installed, and the settings.

    A constructor takes the context, and otherwise only what nobody else needs.
    """

    store: Store
    connections: Mapping[str, Provider]
    people: PeopleBook
    installation: AnyInstallation
    vault: Vault
    clock: Clock
    ids: Ids
    wake: Wake = nobody
    #: What this process does for all processes on its database; usually all of it.
    owners: Owners = field(default_factory=Owners)
    #: How long an operation may take before its person is told, in seconds.
    deadline_seconds: float = 1800.0
    #: The origin that browsers reach, or None.
    public_url: str | None = None
    #: The slash commands for workspaces and for jobs.
    command: str = "/workspace"
    job_command: str = "/job"
    #: Whether Sign in with Slack proves who somebody is; otherwise a code is typed back.
    sign_in: bool = False
    #: Only where Usher is installed by OAuth.
    removals: Removals | None = None

    def need(self, connection: str) -> Provider:
        """Return a connection's provider; raises Refused (``connection.gone``) if there is none."""
        if connection not in self.connections:
            raise Refused("connection.gone", problems.sentence("connection_gone", connection))
        return self.connections[connection]

    def title(self, connection: str) -> str:
        """Return what people call a connection; its own name if it was removed."""
        provider = self.connections.get(connection)
        return provider.settings.title if provider is not None else connection


#: After a hint the next one waits this long, in seconds: each makes every loop of every worker look.
TOGETHER: Final = 0.2


class Hints:
    """Pass wake-ups on through the database; losing one costs a tick."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sending: asyncio.Task[None] | None = None
        self._is_wanted = False

    def wake(self) -> None:
        """Let other processes look for work soon."""
        self._is_wanted = True
        if self._sending is None:
            self._sending = asyncio.create_task(self._send())

    async def _send(self) -> None:
        try:
            while self._is_wanted:
                self._is_wanted = False
                await self._store.engine.hint()
                await asyncio.sleep(TOGETHER)
        except StoreError as error:
            log.info("no hint given", problem=error)
        finally:
            self._sending = None

    async def close(self) -> None:
        """Give no more hints."""
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)


#: How long Slack may take to identify somebody, within the 3 s for an ack.
LOOK_UP_SECONDS: Final = 1.0
#: What the inbox key of a refusal ends in.
_REFUSAL: Final = "/refused"


#: What was said longer ago than this many seconds changes nothing by itself: the world has gone on since.
OLD_SECONDS: Final = 300.0


def is_old(said_at: float | None, now: float) -> bool:
    """Return whether something was said so long ago that its person is asked first."""
    return said_at is not None and now - said_at > OLD_SECONDS


class AskFirst(Exception):
    """Signal that words from the past, or somebody's, would change something: nothing was written."""


class _Unknown(Refused):
    """Signal that Slack has to be asked about somebody first; ``rule`` is the verb that they asked for."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Say who asks, by which interaction ("" for none), and where an answer reaches them.

    ``drawing`` is the reference of the request, or what draws it as a string when somebody needs it.
    """

    context: Context
    principal: Principal
    interaction: str = ""
    drawing: object = ""
    channel_id: str | None = None
    #: When it was said, where that may be long ago.
    said_at: float | None = None
    #: Whether the words look like a quotation.
    is_quoted: bool = False
    #: Slack can't be asked, and what the rows say of the person has to do.
    goes_by_rows: bool = False
    #: Whether Slack was asked about this person for this request.
    _has_looked: bool = False

    @property
    def reference(self) -> str:
        """Return the id that the answer and the log show."""
        return str(self.drawing)

    async def to(
        self,
        work: Callable[Concatenate[Transaction, Asked, Arguments], Result | Refused],
        *arguments: Arguments.args,
        **named: Arguments.kwargs,
    ) -> Result:
        """Carry a use case out in one transaction, and wake the background work.

        Raises what it raises: Refused, with nothing written but the policy's audit row, and StoreError.
        """
        done = await self._done(lambda tx, asked: work(tx, asked, *arguments, **named))
        self.context.wake()
        return done

    async def see(
        self,
        work: Callable[Concatenate[Transaction, Asked, Arguments], Result],
        *arguments: Arguments.args,
        **named: Arguments.kwargs,
    ) -> Result:
        """Run what only reads, on one snapshot and beside those who write; raises as ``to``."""
        return await self._done(lambda tx, asked: work(tx, asked, *arguments, **named), is_read=True)

    async def _done(
        self, work: Callable[[Transaction, Asked], Result | Refused], *, is_read: bool = False
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
        self, work: Callable[[Transaction, Asked], Result | Refused], *, is_read: bool
    ) -> Result | Refused:
        store = self.context.store

        def whole(tx: Transaction) -> Result | Refused:
            before = tx.changes
            try:
                return work(tx, self)
            except Refused as refusal:
                if tx.changes > before:
                    # Only what ends in an error is rolled back; others may share the transaction.
                    raise
                return refusal if is_read else self._refused(tx, refusal)

        try:
            done = await (store.engine.read(whole) if is_read else store.carry_out(whole))
        except Refused as refusal:
            done, is_read = refusal, True
        if is_read and isinstance(done, Refused) and done.denied is not None:
            return await store.carry_out(partial(self._refused, refusal=done))
        return done

    def _refused(self, tx: Transaction, refusal: Refused) -> Refused:
        """Write the audit row of what the policy refused, once."""
        key = self.interaction and f"{self.interaction}{_REFUSAL}"
        if refusal.denied is not None and inbox.first_sight(tx, key):
            verb, target, rule = refusal.denied
            append_audit(tx, [AuditEntry(self.principal.key, verb, target, "refused", {"rule": rule})])
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
        person = people.person(tx, self.principal)
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
        return usable(self.context.need(connection), accounts.account(tx, self.principal, connection))

    def acts_unasked(self, now: float) -> bool:
        """Return whether it is carried out unasked: it was said just now, and in the person's own words."""
        return not (self.is_quoted or is_old(self.said_at, now))

    def is_new(self, tx: Transaction) -> bool:
        """Write the inbox row; return whether this interaction is carried out for the first time.

        It is asked once in a use case, and only when something is to do. Raises AskFirst if it isn't carried
        out unasked.
        """
        if not self.acts_unasked(tx.now()) and not inbox.was_seen(tx, self.interaction):
            raise AskFirst
        return inbox.first_sight(tx, self.interaction, self.said_at)

    def note(
        self, tx: Transaction, action: str, target: str, result: str = "accepted", **detail: str
    ) -> None:
        """Write the audit row of what is done."""
        append_audit(tx, [AuditEntry(self.principal.key, action, target, result, detail)])


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
    if decision.rule == policy.FOREIGN_TEAM and context.removals is not None:
        await context.removals.installation(principal.enterprise_id, principal.team_id)
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
