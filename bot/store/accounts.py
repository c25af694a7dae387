"""Linked accounts: saving them, marking them as refused, ending them, and updating what depends on them."""

from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import replace
from functools import partial
from typing import Final

from bot.domain.accounts import Account, compare_remote_ids, is_unique, plan_first_reminder
from bot.domain.holds import Hold
from bot.domain.people import Principal
from bot.domain.tasks import TaskKind
from bot.domain.work_items import Outcome
from bot.store import (
    cards,
    courses,
    gates,
    homes,
    hours,
    operations,
    runs,
    timers,
    usage,
    waitlist,
    work_items,
)
from bot.store.engine import Engine
from bot.store.fan_out import (
    OF_ACCOUNT,
    read_batches,
    register_fan_out,
    select_some,
    start_fan_out,
    take_batch,
)
from bot.store.links import expire
from bot.store.queues import Queue, declare_queue
from bot.store.revocations import enqueue_revocation
from bot.store.tables import (
    ACCEPTED_REQUESTS,
    ACCOUNTS,
    FORM_VALUES,
    OPERATIONS,
    RUNS,
    SNAPSHOTS,
    TASKS,
    UNDECRYPTABLE_SECRETS,
    WORKSPACES,
)
from bot.store.tasks import take_over
from bot.store.transaction import Priority, Row, Transaction, concerns, prioritize


def find_account(tx: Transaction, principal: Principal, connection: str) -> Account | None:
    """Return a person's account on a connection or, if there is none, one that is being revoked."""
    return ACCOUNTS.first(tx, "account", principal=principal.key, connection=connection)


def find_account_by_id(tx: Transaction, account_id: str) -> Account | None:
    """Return an account by its id, in any state."""
    return ACCOUNTS.one(tx, id=account_id)


def list_accounts(tx: Transaction, principal: Principal) -> list[Account]:
    """Return a principal's accounts, sorted by connection, except those being revoked."""
    return ACCOUNTS.query(tx, "accounts", principal=principal.key)


def list_account_states(tx: Transaction, principal: Principal) -> dict[str, str]:
    """Map each connection to the state of the principal's account. Skip accounts that are being revoked."""
    return {one.connection: one.state for one in list_accounts(tx, principal)}


def is_introduced(tx: Transaction, principal: Principal) -> bool:
    """Return whether Usher has introduced itself to a person, or met them through a class card."""
    return tx.one("introduction", principal=principal) is not None


# Don't lock the person, because steps of an operation that they have just started may be locking them.
@prioritize(Priority.URGENT)
@concerns(lambda principal: [f"greeting {principal.key}"])
def note_introduction(tx: Transaction, principal: Principal) -> dict[str, str] | None:
    """Record that a person is being introduced to Usher, and return the states of their accounts.

    Return None if they have already been introduced, or if their first contact with Usher was pressing the
    button on a class card.
    """
    tx.ask("accounts", principal=principal.key)
    if not tx.count("note_introduction", principal=principal, now=tx.now()):
        return None
    return list_account_states(tx, principal)


async def list_active_accounts(engine: Engine) -> list[Account]:
    """Return all active accounts, with their secrets, sorted by id."""
    return [one for one in await list_active_and_resting_accounts(engine) if one.state == "active"]


async def list_active_and_resting_accounts(engine: Engine) -> list[Account]:
    """Return all active accounts and all suspended (*resting*) accounts, sorted by id."""
    batches = read_batches(engine, "some_active_and_resting_accounts", after_id="")
    return [account async for rows in batches for account in ACCOUNTS.parse_all(rows)]


def find_accounts_by_username(tx: Transaction, connection: str, username: str) -> list[Account]:
    """Return the accounts with a given username on a connection. For the username "", return none."""
    return ACCOUNTS.query(tx, "accounts_of_username", connection=connection, username=username)


def find_former_candidates(
    tx: Transaction, principal: Principal, connections: Collection[str]
) -> set[Principal]:
    """Return other principals under which the same person may have used Usher before.

    They have the same user id in another Slack workspace, or the same confirmed e-mail address.
    """
    anywhere = f"%:{principal.user_id}"
    rows = [
        row
        for connection in connections
        for row in tx.all("accounts_of_user_id", connection=connection, anywhere=anywhere)
    ]
    rows += tx.all("people_of_same_email", principal=principal.key)
    places = {Principal(row["enterprise_id"], row["id"], principal.user_id) for row in tx.all("places")}
    return ({Principal.from_key(row["principal"]) for row in rows} | places) - {principal}


def find_keys_of_user(tx: Transaction, principal: Principal) -> list[Principal]:
    """Return a person's principal, followed by any principals in other enterprises that are linked to it."""
    rows = tx.all("accounts_at", place=f"%:{principal.team_id}:{principal.user_id}")
    return list(dict.fromkeys([principal, *(Principal.from_key(row["principal"]) for row in rows)]))


def has_had_link(tx: Transaction, principal: Principal, connections: Collection[str]) -> bool:
    """Return whether a principal has a link on any of these connections, or ever had one."""
    return any(
        find_account(tx, principal, connection) is not None
        or tx.one("was_unlinked", target=f"{principal.key}/{connection}") is not None
        for connection in connections
    )


def end(tx: Transaction, ending: Account, *, can_revoke: bool, notify: bool) -> None:
    """End an account and everything that depends on it.

    If ``can_revoke`` is true, the account's row and secret are kept until the provider has revoked the secret
    (see ``enqueue_revocation``). Otherwise, the row is deleted. Open operations and runs end as cancelled,
    and their cards are redrawn. Workspaces, unfinished links, lists, snapshots and remembered form values are
    deleted, in batches if there are many. Set ``notify`` if the person can still receive messages. If so,
    they also get a JOB_FAILED notice for each open run that has a card.
    """
    cards.queue_messages(tx, cards.make_link_key(**ending.pair), changed=True)
    SNAPSHOTS.delete(tx, connection=ending.connection, owner=ending.id)
    UNDECRYPTABLE_SECRETS.delete(tx, account_id=ending.id)
    FORM_VALUES.delete(tx, **ending.pair)
    # A refused account's secret is already deleted, so there is nothing to revoke.
    if can_revoke and ending.secret:
        enqueue_revocation(tx, ending, notify=notify)
    else:
        ACCOUNTS.delete(tx, id=ending.id)
    for kind in (TaskKind.DISCOVER, TaskKind.LIST_RUNS):
        TASKS.delete(tx, kind=kind, subject=ending.id)
    expire(tx, ending.principal.key, ending.connection)
    start_fan_out(tx, "revoking", **ending.pair, notify=notify)


def _delete_workspace(tx: Transaction, workspace: Row, *, notify: bool) -> None:
    """Delete a workspace. If ``notify`` is true, also tell its owner which plans are being cancelled."""
    cards.close_about(tx, workspace)
    for operation in OPERATIONS.rows(tx, workspace_id=workspace["id"], outcome=None):
        operations.end(tx, operation["id"], Outcome.CANCELLED, "unlinked")
    hours.unlink(tx, workspace, notify)
    courses.leave_with(tx, workspace)
    waitlist.unlink(tx, workspace, notify)
    if notify:
        timers.unlink(tx, workspace)
    usage.lose(tx, workspace)
    WORKSPACES.delete(tx, id=workspace["id"])
    OPERATIONS.change(tx, {"workspace_id": workspace["id"]}, is_orphan=True)
    tx.run("rest_gate_without_reader", gate_key=workspace["gate_key"])


def delete_former_work(tx: Transaction, former: Account) -> None:
    """Delete a link's workspaces and work, because the link now belongs to a different account."""
    FORM_VALUES.delete(tx, **former.pair)
    start_fan_out(tx, "another", **former.pair, notify=True, before=tx.now())


def _limit_to_former(
    do: Callable[[Transaction, Row, Row], object], column: str = "created_at"
) -> Callable[[Transaction, Row, Row], None]:
    """Make a cleanup stage skip rows that were added after the link was replaced with another account."""

    def run_stage(tx: Transaction, row: Row, body: Row) -> None:
        if row[column] is None or row[column] <= body["before"]:
            do(tx, row, body)

    return run_stage


async def find_holders(engine: Engine) -> AsyncIterator[set[Principal]]:
    """Yield everyone with an account or working hours, in batches. Anyone with both is yielded twice."""
    for query in ("some_linked_people", "some_people_with_hours"):
        async for rows in read_batches(engine, query, after_principal=""):
            yield {Principal.from_key(row["principal"]) for row in rows}


def refuse(tx: Transaction, account: Account, block_reason: Hold) -> bool:
    """Mark an active account as refused. Return False if its state or secret has changed in the meantime.

    Its secret is deleted, its open operations and runs get ``block_reason``, and its workspaces are no longer
    read.
    """
    active = {"id": account.id, "state": "active", "secret": account.secret}
    if not ACCOUNTS.count_changed(tx, active, state="refused", secret=""):
        return False
    tx.run("hurry_tasks_of_account", account_id=account.id, now=tx.now())
    start_fan_out(tx, "refused", **account.pair, block_reason=block_reason)
    return True


def find_username_holder(tx: Transaction, account: Account, username: str | None = None) -> Account | None:
    """Return another person's account with the same username on the connection.

    The username "" never matches.
    """
    name = account.username if username is None else username
    return ACCOUNTS.first(tx, "holder_of_username", username=name, **account.pair)


def save(
    tx: Transaction, account: Account, moved: Callable[[str, str], tuple[str, str]] | None = None
) -> None:
    """Write an account, replacing the person's earlier one on the connection, and resume waiting work.

    ``moved`` is called if the account was renamed. It takes a workspace's remote id and the account's earlier
    username, and returns the workspace's remote id and gate key under the new username.
    """
    former = tx.one("replace_account", **account.pair)
    if former is not None:
        SNAPSHOTS.delete(tx, connection=account.connection, owner=former["id"])
        UNDECRYPTABLE_SECRETS.delete(tx, account_id=former["id"])
        take_over(tx, former["id"], account.id)
        former_id, new_id = former["remote_id"], account.remote_id
        is_same = is_unique(former_id) and compare_remote_ids(former_id or "", new_id or "") == "same"
        is_renamed = former["renamed_to"] == account.username or (
            is_same and former["username"] != account.username
        )
        if is_renamed and moved is not None:
            move_workspaces(tx, moved, former["username"], account.pair)
    ACCOUNTS.add(tx, replace(account, remind_at=plan_first_reminder(account.linked_at, account.expires_at)))
    # Access that was verified for the former account proves nothing about a different one.
    is_other = former is None or former["username"] != account.username or not account.username
    resume(tx, account.pair, is_other=is_other)


def move_workspaces(
    tx: Transaction, moved: Callable[[str, str], tuple[str, str]], former: str, pair: dict[str, str]
) -> None:
    """Change workspaces' remote ids to match their owner's new username.

    A workspace that is already listed under its new id keeps the listed row. If there are too many workspaces
    for one transaction, the next list adds the remaining ones as new.
    """
    found = WORKSPACES.rows(tx, **pair)
    taken = {row["remote_id"] for row in found}
    for row in take_batch(tx, found):
        remote_id, gate_key = moved(row["remote_id"], former)
        if remote_id in taken:
            continue
        gates.add_gate(tx, gate_key, pair["connection"], remote_id)
        WORKSPACES.change(tx, {"id": row["id"]}, remote_id=remote_id, gate_key=gate_key)
        tx.run("rest_gate_without_reader", gate_key=row["gate_key"])


def resume(tx: Transaction, pair: dict[str, str], *, is_other: bool = False) -> None:
    """Resume work that waited for an account, which may be a different one than before (``is_other``)."""
    cards.queue_messages(tx, cards.make_link_key(**pair), changed=True)
    start_fan_out(tx, "active", **pair, is_other=is_other)


def _reschedule_checks(tx: Transaction, workspace: Row, said: Row) -> None:
    if said["is_other"]:
        WORKSPACES.change(tx, {"id": workspace["id"]}, verified_at=None, attempted_at=None)
    if not workspace["hidden"]:
        gates.request_read_now(tx, workspace["id"])
    if workspace["stop_at"] is not None:
        redraw_plan(tx, workspace)
        WORKSPACES.change(tx, {"id": workspace["id"]}, stop_check_at=tx.now())


def redraw_plan(tx: Transaction, workspace: Row) -> None:
    """Redraw the messages that say when a workspace will be stopped."""
    if workspace["stop_at"] is not None:
        cards.queue_messages(tx, workspace["id"], changed=True)


def _is_current(tx: Transaction, said: Row) -> bool:
    row = tx.one("account", **said)
    return ("revoking" if row is None else str(row["state"])) == str(said["what"])


SOME_WORKSPACES: Final = select_some("workspaces", OF_ACCOUNT)
SOME_OPEN_RUNS: Final = select_some("runs", f"{OF_ACCOUNT} AND outcome IS NULL")
_RUNS: Final = select_some("runs", f"{OF_ACCOUNT} AND is_orphan = 0")
_REQUESTS: Final = select_some("undoable_actions", OF_ACCOUNT)
_OPEN_OPERATIONS: Final = select_some("operations", f"{OF_ACCOUNT} AND outcome IS NULL")
register_fan_out(
    "revoking",
    (SOME_WORKSPACES, lambda tx, row, _: _delete_workspace(tx, row, notify=False)),
    (_RUNS, runs.end_orphaned),
    (_REQUESTS, lambda tx, row, _: ACCEPTED_REQUESTS.delete(tx, id=row["id"])),
    homes.STAGE,
    holds=_is_current,
)
register_fan_out(
    "another",
    (
        SOME_WORKSPACES,
        _limit_to_former(lambda tx, row, _: _delete_workspace(tx, row, notify=True)),
    ),
    (_RUNS, _limit_to_former(runs.end_orphaned)),
    (
        _REQUESTS,
        _limit_to_former(lambda tx, row, _: ACCEPTED_REQUESTS.delete(tx, id=row["id"]), "done_at"),
    ),
    homes.STAGE,
)
register_fan_out(
    "refused",
    (_OPEN_OPERATIONS, partial(work_items.hold, OPERATIONS)),
    (SOME_OPEN_RUNS, partial(work_items.hold, RUNS)),
    (SOME_WORKSPACES, lambda tx, row, _: tx.run("rest_gate_without_reader", gate_key=row["gate_key"])),
    homes.STAGE,
    holds=_is_current,
)
register_fan_out(
    "active",
    (_OPEN_OPERATIONS, partial(work_items.resume, OPERATIONS)),
    (SOME_OPEN_RUNS, partial(work_items.resume, RUNS)),
    hours.RESUME_STAGE,
    (SOME_WORKSPACES, _reschedule_checks),
    homes.STAGE,
    holds=_is_current,
)


def resume_now(tx: Transaction, account: Account) -> None:
    """Resume an account's operations, runs, reads and tasks immediately."""
    resume(tx, account.pair)
    tx.run("hurry_tasks_of_account", account_id=account.id, now=tx.now())


REMINDER_QUEUE: Final = declare_queue(
    Queue(
        name="reminders",
        kind="reminder",
        is_scheduled=True,
        table="accounts",
        due="remind_at",
        where="remind_at IS NOT NULL AND state = 'active'",
    )
)


def schedule_reminder(tx: Transaction, account: Account, next_at: float | None) -> bool:
    """Set the time of the next reminder. Return False if the link or its reminder time has changed."""
    if not ACCOUNTS.count_changed(
        tx, {"id": account.id, "remind_at": account.remind_at, "state": "active"}, remind_at=next_at
    ):
        return False
    cards.queue_messages(tx, cards.make_link_key(**account.pair), changed=True)
    return True
