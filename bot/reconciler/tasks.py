"""The reconciler's work that isn't an operation: lists, waiting commands, revocations, people."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from functools import partial
from typing import Any, Final, TypeVar

import structlog

from bot.domain.people import Principal, Task, TaskKind
from bot.domain.plan import backoff
from bot.domain.policy import is_current
from bot.providers import base
from bot.reconciler.approvals import Approved
from bot.reconciler.ask import LIMITED
from bot.reconciler.context import EngineContext, EnginePart
from bot.reconciler.lists import Again, Busy, Lists, waiting_commands
from bot.reconciler.ports import Replay
from bot.reconciler.schedules import Schedules
from bot.reconciler.snapshots import Snapshots
from bot.reconciler.unfinished_links import UnfinishedLinks
from bot.services.accounts import Accounts
from bot.services.authority import decided
from bot.store.records import NewTask
from bot.support.errors import SlackFailed, SlackLimited, StoreError
from bot.support.pool import Pool, contained, pool_room, run_all

log = structlog.get_logger(__name__)

#: How often a failing task is tried, with growing waits; a command less often, as its person is waiting.
TRIES = 10
REPLAY_TRIES = 3
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
        self._context = engine
        self._lists = lists
        self._approved = Approved(engine)
        self._people = engine.people
        self._accounts = Accounts(engine)
        self._replay = replay
        self._jitter = engine.jitter
        self._snapshots = Snapshots(engine)
        self._schedules = Schedules(engine)
        self._unused = UnfinishedLinks(engine)

    async def step(self, pool: Pool | None) -> int:
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
        tries = REPLAY_TRIES if task.kind is TaskKind.REPLAY else TRIES
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
            case TaskKind.APPROVE:
                await self._approved.link(task)
            case TaskKind.REPLAY:
                await self._run_waiting(task)
            case TaskKind.REVOKE:
                await self._revoke(task)
            case TaskKind.REVOKE_UNUSED:
                await self._unused.revoke(task)
            case TaskKind.LOOK_UP_PERSON:
                principal = Principal.from_key(task.subject)
                await self._slack(self._people.look_up(principal))
                return waiting_commands(task, principal)
            case TaskKind.SYNC_PEOPLE:
                await self._sync_people()
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
            case TaskKind.APPROVE:
                approval = await self._store.approval(task.subject)
                return approval.principal if approval is not None else None
            case TaskKind.DISCOVER | TaskKind.LIST_JOBS | TaskKind.SCHEDULE | TaskKind.SNAPSHOT:
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

    # -- waiting commands, revocations, people ---------------------------------------------------------------

    async def _run_waiting(self, task: Task) -> None:
        principal = Principal.from_key(str(task.payload["principal"]))
        # The task's id distinguishes a retry of the same command from a second command.
        await self._replay(principal, {**task.payload["command"], "task": task.id})

    async def _revoke(self, task: Task) -> None:
        """Try once to revoke, within the seconds for which the secret may still be used; then delete it."""
        account = await self._store.account_by_id(task.subject)
        if account is None or account.state != "revoking":
            return
        passed = await self._store.now() - (account.unlinked_at or 0.0)
        left = self._numbers.revoke_within - passed
        runtime = self._runtimes.get(account.connection)
        if (
            task.attempts == 0
            and left > 0
            and runtime is not None
            and isinstance(runtime.provider, base.Revocation)
        ):
            await self._asker.ask(runtime, account, "revoke", runtime.provider.revoke, seconds=left)
        await self._store.drop_account(account.id)

    async def _sync_people(self) -> None:
        left = {person.principal for person in await self._slack(self._people.sync()) if person.is_deleted}
        linked = {account.principal for account in await self._store.active_accounts()}
        for principal in left & linked:
            # Nothing can be sent to deactivated people.
            ended = await self._accounts.unlink(principal, actor="usher", cause="left", tell=False)
            log.info("links ended", cause="left", count=len(ended))
        await self._store.did_daily(TaskKind.SYNC_PEOPLE)

    async def _slack(self, asking: Coroutine[Any, Any, _Found]) -> _Found:
        try:
            return await asking
        except SlackLimited as error:
            raise Busy(error.retry_after) from None
        except SlackFailed as error:
            log.info("people not read", problem=str(error))
            raise Again(0.0) from None
