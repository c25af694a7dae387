"""The reconciler's work that isn't an operation: usernames, schedules, offers, commands, revocations."""

import math
from collections.abc import Coroutine, Sequence
from functools import partial
from typing import Any, Final, TypeVar

import structlog

from bot.domain.accounts import Account
from bot.domain.audit import AuditEntry
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.people import Principal
from bot.domain.plan import backoff
from bot.domain.policy import is_current
from bot.domain.snapshots import Snapshot
from bot.domain.tasks import Task, TaskKind
from bot.providers import base
from bot.reconciler.ask import LIMITED, Done, Refused
from bot.reconciler.context import EngineContext, EnginePart
from bot.reconciler.lists import (
    DISCOVER_SECONDS,
    Again,
    Busy,
    Lists,
    not_yet,
    settled,
    slot,
    waiting_commands,
)
from bot.reconciler.renewals import Renewals
from bot.reconciler.revocations import Revocations
from bot.reconciler.runtimes import Replay
from bot.services.accounts import let_go
from bot.services.approvals import fail_approved, link_approved, note_address, proceed
from bot.services.asked import Asked, decided
from bot.services.snapshots import TEMPLATES, payload_of
from bot.store.tasks import NewTask
from bot.support.errors import CredentialRefused, NotFound, SlackFailed, SlackLimited, StoreError, Untrusted
from bot.support.pool import Pool, contained, pool_room, run_all

log = structlog.get_logger(__name__)


#: How often a failing task is tried, with growing waits; a command less often, as its person is waiting.
#: What is owed has an end of its own.
TRIES = 10
TRIES_OF: Final = {TaskKind.REPLAY: 3, TaskKind.REVOCATION: math.inf, TaskKind.FOLLOW: math.inf}
#: For this long after its creation, times when nothing could be tried don't count towards a task's attempts.
BUSY_FOR = 900.0
#: Nobody waits longer than this for something that can't be read without being told why.
PATIENCE = 5.0
#: The policy's verb for tasks that do more for a person than show a list.
_VERBS: Final = {TaskKind.APPROVE: "link", TaskKind.SCHEDULE: "schedule"}
_Found = TypeVar("_Found")


class Tasks(EnginePart):
    """Do due tasks; a failing task is retried a limited number of times."""

    def __init__(self, engine: EngineContext, lists: Lists, replay: Replay) -> None:
        super().__init__(engine)
        self._lists = lists
        self._approved = Approved(engine)
        self._people = engine.people
        self._replay = replay
        self._jitter = engine.jitter
        self._snapshots = Snapshots(engine)
        self._schedules = Schedules(engine)
        self._revocations = Revocations(engine)
        self._renewals = Renewals(engine)

    async def step(self, pool: Pool | None = None) -> int:
        """Claim what is due and do it all concurrently; return how many there were."""
        most = pool_room(pool, self._numbers.batch)
        if most <= 0:
            return 0
        tasks = await self._store.claim_tasks(most, self._numbers.lease, self._owners.name)
        await run_all([self._guarded(task) for task in tasks], pool)
        return len(tasks)

    async def _guarded(self, task: Task) -> None:
        # Doing it again from the beginning does no harm.
        back = partial(self._store.task_retry, task, 0.0, counts=False)
        async with contained("task", self._ids, back=back, task=task.id):
            await self._one(task)

    async def _one(self, task: Task) -> None:
        tries = TRIES_OF.get(task.kind, TRIES)
        wait, counts, problem = backoff(task.attempts + 1, self._jitter()), True, "internal"
        try:
            then = await self._do(task)
        except Again as again:
            wait, problem = max(wait, again.seconds), again.problem
            is_late = await self._store.now() - task.created_at > BUSY_FOR
            counts = is_late or not isinstance(again, Busy)
        except StoreError:
            raise
        except Exception:  # docs/rules.md, "Where errors end"
            reference = self._ids.reference()
            log.exception("task failed", task=task.id, kind=str(task.kind), reference=reference)
        else:
            await self._store.task_done(task, then=then)
            return
        if not counts or task.attempts + 1 < tries:
            # The task is retried; people waiting for it are told of the failure once it takes too long.
            waited = await self._store.now() + wait - task.created_at
            hears_of_it = problem and (counts or problem == LIMITED) and waited > PATIENCE
            waiting = waiting_commands(task, problem=problem) if hears_of_it else []
            await self._store.task_retry(task, wait, counts=counts, then=waiting)
            return
        log.warning("task given up", task=task.id, kind=str(task.kind))
        if task.kind is TaskKind.APPROVE:
            await self._approved.give_up(task)
        if task.kind is TaskKind.SCHEDULE:
            await self._schedules.give_up(task)
        if task.kind is TaskKind.RENEWAL:
            await self._renewals.give_up(task)
        # Commands waiting for a list run without it: their answer says what is missing.
        await self._store.task_done(task, then=waiting_commands(task, problem=problem or "busy"))

    async def _do(self, task: Task) -> Sequence[NewTask]:
        because = await self._refusal(task)
        if because:
            return await self._refused(task, because)
        match task.kind:
            case TaskKind.DISCOVER | TaskKind.LIST_JOBS:
                return await self._lists.read(task)
            case TaskKind.SCHEDULE:
                return await self._schedules.set(task)
            case TaskKind.SNAPSHOT:
                return await self._snapshots.read(task)
            case TaskKind.APPROVE | TaskKind.LOOK_UP_USER | TaskKind.OPEN_APPROVAL:
                return await self._approved.work(task)
            case TaskKind.REPLAY:
                principal = Principal.from_key(str(task.payload["principal"]))
                # The task's id distinguishes a retry of the same command from a second command.
                await self._replay(principal, {**task.payload["command"], "task": task.id})
            case TaskKind.REVOKE:
                return [NewTask(TaskKind.REVOCATION, task.subject)]
            case TaskKind.REVOCATION | TaskKind.REVOKE_UNUSED:
                await self._revocations.revoke(task)
            case TaskKind.RENEWAL:
                await self._renewals.renew(task)
            case TaskKind.LOOK_UP_PERSON:
                principal = Principal.from_key(task.subject)
                await self._slack(self._people.look_up(principal))
                return waiting_commands(task, principal)
            case TaskKind.SYNC_PEOPLE | TaskKind.FOLLOW:
                await self._many(task)
        return ()

    # -- whom it is done for ---------------------------------------------------------------------------------

    async def _refusal(self, task: Task) -> str:
        """Return the policy rule that forbids asking a provider for this person, or "".

        Raise Again while Slack doesn't say who they are.
        """
        owner = await self._owner(task)
        if owner is None:
            return ""
        verb = _VERBS.get(task.kind, "list")
        person = await self._store.person(owner)
        if not is_current(person, verb, await self._store.now()):
            person = await self._slack(self._people.look_up(owner))
        decision = await decided(self._context, owner, verb, None, person)
        return "" if decision.allowed else decision.rule

    async def _owner(self, task: Task) -> Principal | None:
        """Return the person for whom a task asks a provider, or None."""
        match task.kind:
            case TaskKind.APPROVE | TaskKind.LOOK_UP_USER:
                approval = await self._store.approval(task.subject)
                return approval.principal if approval is not None else None
            case (
                TaskKind.DISCOVER
                | TaskKind.LIST_JOBS
                | TaskKind.SCHEDULE
                | TaskKind.SNAPSHOT
                | TaskKind.RENEWAL
            ):
                account = await self._store.account_by_id(task.subject.partition("/")[0])
                return account.principal if account is not None else None
        return None

    async def _refused(self, task: Task, rule: str) -> Sequence[NewTask]:
        log.info("not done for this person", kind=str(task.kind), rule=rule)
        if task.kind is TaskKind.APPROVE:
            await self._approved.give_up(task, "not_allowed")
        if task.kind is TaskKind.SCHEDULE:
            await self._schedules.give_up(task, rule.removeprefix("policy."))
        # Waiting commands run anyway: their answer says why it wasn't done.
        return waiting_commands(task)

    # -- many rows -------------------------------------------------------------------------------------------

    async def _many(self, task: Task) -> None:
        if task.kind is TaskKind.FOLLOW:
            await self._store.go_on(task)
        else:
            await self._sync_people()

    async def _sync_people(self) -> None:
        people = {person.principal: person for person in await self._slack(self._people.sync())}
        for principal in people.keys() & await self._store.holders():
            ended = await Asked(self._context, principal).to(let_go, people[principal], actor="usher")
            if ended:
                log.info("links ended", principal=principal.key, count=len(ended))
        await self._store.did_daily(TaskKind.SYNC_PEOPLE)

    async def _slack(self, asking: Coroutine[Any, Any, _Found]) -> _Found:
        try:
            return await asking
        except SlackLimited as error:
            raise Busy(error.retry_after) from None
        except SlackFailed as error:
            log.info("people not read", problem=str(error))
            raise Again(0.0) from None


CHECK_SECONDS = 20.0


class Approved(EnginePart):
    """Link people as the usernames approved for them."""

    async def work(self, task: Task) -> Sequence[NewTask]:
        """Do a task about a request; raise Again while the provider doesn't answer."""
        if task.kind is TaskKind.OPEN_APPROVAL:
            return await self._store.carry_out(lambda tx: proceed(tx, self._context, task.subject))
        await (self.link(task) if task.kind is TaskKind.APPROVE else self.look_up(task))
        return ()

    async def link(self, task: Task) -> None:
        """Check an approved username and link its person; raise Again while the provider doesn't answer."""
        approval = await self._store.approval(task.subject)
        if approval is None or approval.state != "approved":
            return
        runtime = self._runtimes.get(approval.connection)
        is_served = runtime is not None and runtime.provider.serves(approval.principal)
        if runtime is None or not is_served or not runtime.provider.links_by("admin"):
            # The operator has changed the connections file since the approval.
            await self.give_up(task, "not_set_up")
            return
        answer = await self._asker.ask(
            runtime,
            None,
            "check a username",
            lambda _own: runtime.provider.need(base.Behalf).check_username(approval.username),
            attempts=task.attempts,
            seconds=CHECK_SECONDS,
        )
        match answer:
            case Done(identity):
                await Asked(self._context, approval.principal).to(link_approved, approval.id, identity)
            case Refused(error=NotFound()):
                await self.give_up(task, "not_found")
            case Refused(error=CredentialRefused()):
                await self.give_up(task, "credential_refused")
            case Refused(error=Untrusted() as error):
                await self.give_up(task, "untrusted", error.message)
            case Refused():
                await self.give_up(task, "forbidden")
            case _:
                raise not_yet(answer)

    async def look_up(self, task: Task) -> None:
        """Learn whose address a wanted user has, for who decides; raise Again while there is no answer."""
        approval = await self._store.approval(task.subject)
        runtime = self._runtimes.get(approval.connection) if approval is not None else None
        if approval is None or approval.state != "asked" or runtime is None:
            return
        if not isinstance(runtime.provider, base.Addresses):
            return
        answer = await self._asker.ask(
            runtime,
            None,
            "look up a user",
            lambda _own: runtime.provider.need(base.Addresses).email_of(approval.username),
            attempts=task.attempts,
        )
        match answer:
            case Done(str(email)):
                await Asked(self._context, approval.principal).to(note_address, approval, email)
            case Done() | Refused():
                log.info("address not told", connection=approval.connection)
            case _:
                raise not_yet(answer)

    async def give_up(self, task: Task, because: str = "gave_up", said: str = "") -> None:
        """Tell the person and the administrator why it failed, usually since the provider never answered."""
        approval = await self._store.approval(task.subject)
        if approval is not None:
            asked = Asked(self._context, approval.principal)
            await asked.to(fail_approved, approval.id, because, said=said)


#: How soon, in seconds, to look again whether an earlier request about the same job has ended.
SOON = 1.0


class Schedules(EnginePart):
    """Set and clear schedules. Doing it twice does no harm, so an interrupted task is repeated.

    A delayed task is dropped once a later one for the same job was asked for, whichever process has it: its
    schedule is outdated. The later one waits while the earlier one may be on its way.
    """

    async def set(self, task: Task) -> Sequence[NewTask]:
        """Set the schedule of a task and have the jobs read again. Raise Again to retry."""
        if (is_next := await self._store.task_turn(task)) is None:
            await self.give_up(task, "replaced")
            return ()
        if not is_next:
            raise Busy(SOON)
        asked = task.payload
        account = await self._store.account_by_id(str(asked["account"]))
        runtime = self._runtimes.get(str(asked["connection"]))
        if account is None or account.state != "active" or runtime is None:
            because = "unlinked" if account is None or account.state == "revoking" else "credential_refused"
            await self.give_up(task, because if runtime is not None else "connection_gone")
            return ()
        job, cron = str(asked["job"]), asked["cron"] or None
        with slot(runtime):
            answer = await self._asker.ask(
                runtime,
                account,
                "schedule",
                lambda access: runtime.provider.need(base.Schedules).schedule(access, job, cron),
                attempts=task.attempts,
            )
            refusal = settled(answer)
        if isinstance(refusal, Refused):
            await self.give_up(task, refusal.cause)
            return ()
        await self._tell(task, "ok")
        return [NewTask(TaskKind.SNAPSHOT, f"{account.id}/{TEMPLATES}", {"then": []})]

    async def give_up(self, task: Task, because: str = "gave_up") -> None:
        """Tell the person that it wasn't set; by default because no attempt worked."""
        await self._tell(task, "refused", cause=because)

    async def _tell(self, task: Task, result: str, **cause: str) -> None:
        asked = task.payload
        principal = Principal.from_key(str(asked["principal"]))
        detail = {"connection": asked["connection"], "cron": asked["cron"], **cause}
        body = {"name": asked["name"], **detail}
        await self._store.add_notices([NewNotice(task.id, NoticeKind.SCHEDULED, "schedule", principal, body)])
        target = f"{asked['connection']}/{asked['job']}"
        await self._store.append_audit([AuditEntry(principal.key, "call.schedule", target, result, detail)])


#: The prefix of a task's subject that is about a server itself; any other is ``ACCOUNT/KIND``.
_CONNECTION: Final = "connection:"


class Snapshots(EnginePart):
    """Read what forms are built from with people's accounts, facts about servers with Usher's own secret."""

    async def read(self, task: Task) -> Sequence[NewTask]:
        """Read and store a task's snapshot; return the commands that waited for it. Raise Again to retry."""
        owner, _, kind = task.subject.rpartition("/")
        account: Account | None = None
        connection = owner.removeprefix(_CONNECTION)
        if not owner.startswith(_CONNECTION):
            account = await self._store.account_by_id(owner)
            if account is None or account.state == "revoking":
                return ()
            if account.state == "refused":
                return waiting_commands(task, account.principal, "credential_refused")
            connection = account.connection
        principal = account.principal if account is not None else None
        return waiting_commands(task, principal, await self._read(task, connection, account, kind))

    async def _read(self, task: Task, connection: str, account: Account | None, kind: str) -> str:
        """Read and store it; return the cause of failure, for those who wait, or "". Raise Again to retry."""
        runtime = self._runtimes.get(connection)
        if runtime is None:
            return "connection_gone"
        provider = runtime.provider
        if account is None and not isinstance(provider, base.Overview):
            return "no_about"
        if account is not None and not (kind == TEMPLATES and isinstance(provider, base.Forms)):
            return "not_found"

        async def send(access: base.Access) -> Any:
            if account is None:
                return await provider.need(base.Overview).about()
            return await provider.need(base.Forms).templates(access)

        seconds, attempts = None if account is None else DISCOVER_SECONDS, task.attempts
        with slot(runtime):
            answer = await self._asker.ask(runtime, account, kind, send, attempts=attempts, seconds=seconds)
            match answer:
                case Done(offer):
                    owner, now = account.id if account is not None else "", await self._store.now()
                    read = Snapshot(connection, owner, kind, payload_of(offer), now)
                    await self._store.save_snapshot(read)
                    log.info("snapshot read", connection=connection, kind=kind)
                    return ""
                case Refused(cause=cause):
                    return cause
                case _:
                    raise not_yet(answer)
