"""Tasks: pieces of work to be done once, and soon, by whichever process claims them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from bot.domain.tasks import Task, TaskKind
from bot.store.queues import Queue, declare_queue
from bot.store.tables import TASKS
from bot.store.transaction import Priority, Row, Transaction, as_json, from_json, prioritize

TASK_QUEUE: Final = declare_queue(
    Queue(
        name="tasks",
        kind="tasks",
        table="tasks",
        due="due_at",
        where="COALESCE(kind, '') IN (SELECT wanted.key FROM json_each(:served) wanted)",
        only="{people_here}",
        changes="is_leased = 1, claims = claims + 1, claimed_at = :now, due_at = :until",
    )
)


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task to be added. If a task of the same kind and subject is open, the new task joins it.

    The open task then keeps its payload, but the new task's waiting commands (the list ``then``) are appended
    to its own. If the open task is already running, it runs again afterwards with the new payload, so that no
    waiting command is lost.
    """

    kind: TaskKind
    subject: str
    payload: dict[str, Any] = field(default_factory=dict)
    due_in: float = 0.0


@prioritize(Priority.URGENT)
def add_tasks(tx: Transaction, tasks: Sequence[NewTask]) -> None:
    """Add tasks. If a task of the same kind and subject is open, join it instead (see ``NewTask``)."""
    for new in tasks:
        now, task_id = tx.now(), tx.ids.new("task")
        task = Task(task_id, new.kind, new.subject, new.payload, created_at=now, due_at=now + new.due_in)
        written = TASKS.add_new(tx, task)
        existing = None if written else TASKS.row(tx, kind=new.kind, subject=new.subject)
        if existing is not None:
            _join(tx, existing, new, now)


def take_over(tx: Transaction, former: str, account: str) -> None:
    """Move a former account's tasks that read lists and offers to its successor, even if they are running."""
    for row in tx.all("reads_of_account", account_id=former):
        TASKS.delete(tx, id=row["id"])
        payload = _merge_payload(from_json(row["payload"]), from_json(row["joined"]) or {})
        add_tasks(
            tx, [NewTask(TaskKind(row["kind"]), account + row["subject"].removeprefix(former), payload)]
        )


def _join(tx: Transaction, existing: Row, new: NewTask, now: float) -> None:
    if not existing["is_leased"]:
        payload = _merge_payload(from_json(existing["payload"]), new.payload)
        due_at = min(existing["due_at"], now + new.due_in)
        TASKS.change(tx, {"id": existing["id"]}, payload=payload, due_at=due_at)
        return
    # The worker has already read the payload, so anything added is used when the task runs again.
    joined = from_json(existing["joined"])
    if joined is None:
        joined = {**from_json(existing["payload"]), **new.payload}
        joined.pop("then", None)
    TASKS.change(tx, {"id": existing["id"]}, joined=_merge_payload(joined, new.payload))


def _merge_payload(payload: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    then = [*(payload.get("then") or []), *(more.get("then") or [])]
    return {**payload, "then": then} if then else payload


def _take_joined(payload: dict[str, Any], joined: dict[str, Any]) -> dict[str, Any]:
    """Merge the payload of joining tasks into a task's payload.

    Their values replace the task's, but all waiting commands are kept.
    """
    newer = {name: value for name, value in joined.items() if name != "then"}
    return _merge_payload(payload | newer, joined)


def claim_tasks(
    tx: Transaction,
    limit: int,
    lease: float,
    owner: str = "",
    served: Iterable[TaskKind] = tuple(TaskKind),
) -> list[Task]:
    """Claim due tasks of the ``served`` kinds, oldest first.

    If a task was being done by a process that died, tasks that have joined it since are merged into it. The
    task that reads all people from Slack is left to the process that has begun it.
    """
    claimed: list[Task] = []
    kinds = as_json(dict.fromkeys(served, 1))
    for row in TASK_QUEUE.take(tx, lease, limit, owner=owner, served=kinds):
        if row["joined"] is not None:
            row["payload"] = as_json(_take_joined(from_json(row["payload"]), from_json(row["joined"])))
            TASKS.change(tx, {"id": row["id"]}, payload=row["payload"], joined=None)
        claimed.append(TASKS.parse(row))
    return sorted(claimed, key=lambda task: (task.created_at, task.id))


def _find_claimed(tx: Transaction, task: Task) -> Row | None:
    row = TASKS.row(tx, id=task.id)
    return row if row is not None and row["claims"] == task.claims else None


def finish_task(tx: Transaction, task: Task, *, then: Sequence[NewTask] = ()) -> None:
    """Close a task and add its follow-up tasks. If other tasks have joined it, it runs again instead.

    If the task was closed or claimed again in the meantime, nothing is done.
    """
    row = _find_claimed(tx, task)
    if row is None:
        return
    if row["joined"] is None:
        TASKS.delete(tx, id=task.id)
    else:
        _requeue(tx, task, from_json(row["joined"]), 0, tx.now())
    add_tasks(tx, then)


def retry_task(
    tx: Transaction, task: Task, due_in: float, *, counts: bool = True, then: Sequence[NewTask] = ()
) -> None:
    """Retry a task later. If ``counts`` is false, the failed attempt isn't counted.

    ``then`` holds the commands that were waiting for the task. They no longer wait for it, and are added as
    tasks now. If the task was closed or claimed again in the meantime, nothing is done.
    """
    row = _find_claimed(tx, task)
    if row is None:
        return
    payload = from_json(row["payload"])
    if then:
        payload.pop("then", None)
    if row["joined"] is not None:
        payload = _take_joined(payload, from_json(row["joined"]))
    _requeue(tx, task, payload, row["attempts"] + counts, tx.now() + due_in)
    add_tasks(tx, then)


def _requeue(tx: Transaction, task: Task, payload: dict[str, Any], attempts: int, due_at: float) -> None:
    again = {"payload": payload, "attempts": attempts, "due_at": due_at}
    TASKS.change(tx, {"id": task.id}, **again, joined=None, is_leased=False)
