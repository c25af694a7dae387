"""People's accounts on connections: creating, suspending and ending their links.

Every refusal is a ``Refused`` whose message is shown to the person. Each change is written in the same
transaction as its row in the audit log.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from bot.domain.accounts import (
    APPROVED_SECONDS,
    Account,
    LinkSource,
    RemoteIdSource,
    compare_remote_ids,
    is_unique,
    list_deferred,
)
from bot.domain.audit import AuditEntry
from bot.domain.holds import hold_by_cause
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.operations import Operation
from bot.domain.people import Principal
from bot.domain.policy import Target
from bot.domain.surfaces import Where
from bot.domain.tasks import TaskKind
from bot.domain.waitlist import WaitlistState
from bot.domain.workspaces import UP_STATES, Workspace
from bot.providers import base
from bot.services import account_ids
from bot.services.caller import Caller
from bot.services.context import Context
from bot.services.revocations import classify_remaining_secret
from bot.store import account_ids as stored_ids
from bot.store import accounts as rows
from bot.store import (
    approvals,
    browsers,
    cards,
    courses,
    hours,
    operations,
    refusals,
    revocations,
    waitlist,
    workspaces,
)
from bot.store.audit import append_audit
from bot.store.notices import add_notices, is_written
from bot.store.tables import RUNS, WORKSPACES
from bot.store.tasks import NewTask, add_tasks
from bot.store.transaction import Transaction
from bot.support.errors import Refused
from bot.support.vault import row_key


async def find_account(caller: Caller, connection: str) -> Account | None:
    """Return a person's account on a connection, or None. Create it if the connection needs no linking."""
    account = await caller.read(_find_usable, connection)
    provider = caller.context.connections.get(connection)
    if account is not None or provider is None or not provider.has_link_method("none"):
        return account
    return await caller.run(find_or_open_account, connection)


def has_former_link(tx: Transaction, caller: Caller, connections: Collection[str]) -> bool:
    """Return whether this person may have had a link under a key that is no longer in use.

    Such a key belongs to a former Slack workspace, or to another user id in the same workspace. Both users
    have the same e-mail address, which only one member can have at a time. The old link is only mentioned in
    messages. It is never taken over, because a link is valid only for the key for which it was proven.
    """
    former = _find_former_keys(tx, caller, connections)
    return any(rows.has_had_link(tx, other, connections) for other in former)


def _find_former_keys(tx: Transaction, caller: Caller, connections: Collection[str]) -> set[Principal]:
    here = caller.context.installation
    candidates = rows.find_former_candidates(tx, caller.principal, connections)
    return {one for one in candidates if one.place == caller.principal.place or not here.is_current(one)}


def refuse_unknown_connection(context: Context, name: str, there: Collection[str]) -> Refused:
    """Return the refusal for an unknown connection. It lists the connections that the person may link."""
    if context.find_absence(name) == "connection_coming":
        return Refused("connection_coming", title=context.title(name))
    known = ", ".join(map(context.title, there)) or "none"
    return Refused("link.unknown_connection", name=name, known=known)


def find_or_open_account(tx: Transaction, caller: Caller, connection: str) -> Account | None:
    """Return a person's account on a connection, or None.

    If the provider has no user accounts (linking ``none``), the row is created when it is first needed.
    Workspaces that a person creates on such a connection still belong to that person alone.
    """
    account, provider = _find_usable(tx, caller, connection), caller.context.connections.get(connection)
    is_open = (
        provider is not None
        and provider.has_link_method("none")
        and provider.is_available_to(caller.principal)
    )
    if account is not None or not is_open:
        return account
    credential = base.Credential.for_connection("none")
    fresh = _build_account(tx, caller, connection, "", seal_credential(caller, connection, credential))
    rows.save(tx, fresh)
    target = f"{caller.principal.key}/{connection}"
    caller.record(tx, "account.created", target, result="ok", account=fresh.id)
    return fresh


def _find_usable(tx: Transaction, caller: Caller, connection: str) -> Account | None:
    provider = caller.context.connections.get(connection)
    if provider is not None and not provider.is_available_to(caller.principal):
        return None
    account = rows.find_account(tx, caller.principal, connection)
    return account if account is not None and account.state != "revoking" else None


def link_account(
    tx: Transaction,
    caller: Caller,
    connection: str,
    username: str,
    secret: str,
    expires_at: float | None = None,
    *,
    actor: str,
    proof: str,
    link_source: LinkSource,
    remote_id: str = "",
    deferred_command: dict[str, Any] | None = None,
    more: Mapping[str, str] = {},
) -> Account | None:
    """Save a person's account, notify them, and request its lists.

    Return None if someone else has the account. The person's old link on the connection is replaced. If the
    account was only renamed, its workspaces are kept. If it is a different account, the workspaces found
    through the old link are deleted. Another link to the same account ends if it was only approved and this
    one is proven, or if it belongs to this person under an old key. It is suspended if its account has a
    different id (``remote_id``). The commands in ``deferred_command`` run once the lists have been read.
    ``actor``, ``proof`` (of the person's identity) and ``more`` are recorded in the audit log.
    """
    account = _build_account(tx, caller, connection, username, secret, expires_at, link_source)
    source: RemoteIdSource = "link" if remote_id else ""
    known_at = tx.now() if remote_id else None
    account = replace(
        account, remote_id=remote_id, remote_id_source=source, remote_id_at=known_at, compared_at=known_at
    )
    if (holder := _find_holder(tx, caller, account)) is not None:
        is_former = holder.principal in _find_former_keys(tx, caller, [connection])
        if not account.is_proven or (holder.is_proven and not is_former):
            return None
        if is_former:
            _end_account(tx, caller, holder, actor=actor, cause="moved", notify=False)
        else:
            _replace_approved(tx, caller, holder, actor)
    if account.is_proven:
        approvals.withdraw(tx, caller.principal, [connection])
    provider = caller.context.connections[connection]

    def moved(remote_id: str, former: str) -> tuple[str, str]:
        by_name = provider.id_after_rename(remote_id, former, username)
        return by_name, provider.gate_key(by_name)

    former = rows.find_account(tx, caller.principal, connection)
    if former is not None and _is_another(former, account):
        rows.delete_former_work(tx, former)
    rows.save(tx, account, moved)
    cards.queue_messages(tx, cards.make_link_key(caller.principal.key), changed=True)
    if former is not None and classify_remaining_secret(caller.context, former, secret) == "owed":
        revocations.enqueue_revocation(tx, former, notify=False)
    body = {"connection": connection, "username": username, "account": account.id}
    if deferred_command and deferred_command.get("where") == Where.DIRECT:
        # This message replaces the one that contained the link page's URL.
        body["becomes"] = deferred_command.get("interaction", "")
    add_notices(tx, [NewNotice(account.id, NoticeKind.LINKED, "linked", caller.principal, body)])
    # The commands that were waiting for the link: the deferred one, and button presses on class and course
    # cards.
    key = caller.principal.key
    waits: dict[str, Any] = {
        text: {"principal": key, "text": text}
        for text in courses.find_waiting_texts(tx, caller.principal, connection)
    }
    waits |= {
        command.get("text", ""): command | {"principal": key}
        for command in list_deferred(deferred_command)
        if command.get("text") or "becomes" not in body
    }
    add_tasks(tx, [NewTask(TaskKind.DISCOVER, account.id, {"then": list(waits.values())})])
    detail = {"account": account.id, "username": username, "proof": proof, "link_source": link_source, **more}
    detail |= {"remote_id": remote_id} if remote_id else {}
    detail |= {"rested": former.id} if former is not None and former.is_resting else {}
    target = f"{caller.principal.key}/{connection}"
    append_audit(tx, [AuditEntry(actor, "account.linked", target, "ok", detail)])
    caller.record_request(tx, "account.linked", connection)
    return account


def _find_holder(tx: Transaction, caller: Caller, account: Account) -> Account | None:
    """Return someone else's link to an account that is being linked, or None.

    If a link has the same username but a different id, its account no longer has that username, so the link
    is suspended.
    """
    if (holder := stored_ids.find_id_holder(tx, account)) is not None:
        return holder
    holder = rows.find_username_holder(tx, account)
    if holder is None or holder.is_resting:
        return None
    holder_id, new_id = holder.remote_id, account.remote_id
    if holder_id and new_id and compare_remote_ids(holder_id, new_id) == "another":
        account_ids.rest_account(tx, caller.context, holder, new_id)
        return None
    return holder


def _is_another(former: Account, account: Account) -> bool:
    """Return whether the person's old link was to a different account.

    If the ids can't be compared, assume that a suspended old link was to a different account.
    """
    if former.state == "revoking":
        return False
    former_id, new_id = former.remote_id, account.remote_id
    has_same_name = former.username == account.username
    if former_id and new_id and (has_same_name or is_unique(former_id)):
        return compare_remote_ids(former_id, new_id) != "same"
    return former.is_resting


def rest_if_another(tx: Transaction, caller: Caller, connection: str, remote_id: str, username: str) -> bool:
    """If a relinked username now belongs to another account, suspend the link and return True.

    Approving or importing the same username would just prolong the link, and nobody would notice that the
    username now belongs to another account. If the link is already suspended, it is replaced instead.
    """
    former = rows.find_account(tx, caller.principal, connection)
    if former is None or former.state != "active" or former.username != username:
        return False
    if not former.remote_id or not remote_id:
        return False
    if compare_remote_ids(former.remote_id, remote_id) != "another":
        return False
    account_ids.rest_account(tx, caller.context, former, remote_id)
    return True


def seal_credential(caller: Caller, connection: str, credential: base.Credential) -> str:
    """Encrypt a credential for storage in the row of the caller's account."""
    row = row_key(caller.principal.key, connection)
    return caller.context.vault.seal(row, credential.as_mapping())


def _build_account(
    tx: Transaction,
    caller: Caller,
    connection: str,
    username: str,
    secret: str,
    expires_at: float | None = None,
    link_source: LinkSource = "",
) -> Account:
    account = Account(
        id=caller.context.ids.new("account"),
        principal=caller.principal,
        connection=connection,
        username=username,
        secret=secret,
        state="active",
        linked_at=tx.now(),
        expires_at=expires_at,
        link_source=link_source,
    )
    return replace(account, expires_at=tx.now() + APPROVED_SECONDS) if account.is_approved else account


def _replace_approved(tx: Transaction, caller: Caller, holder: Account, actor: str) -> None:
    """End an approved link to an account that someone else has since proven to be theirs.

    Both users, and the administrators of both, are notified.
    """
    place, both = caller.context.installation, (caller.principal, holder.principal)
    approvals.withdraw(tx, holder.principal, [holder.connection])
    browsers.end_sessions_of(tx, holder.principal)
    _end_account(tx, caller, holder, actor=actor, cause="proven")
    body = {
        "connection": holder.connection,
        "username": holder.username,
        "person": holder.principal.key,
        "owner": caller.principal.key,
    }
    others = place.filter_administrators(lambda one: any(place.are_together(one, each) for each in both))
    readers = [caller.principal, *(one for one in others if one not in both)]
    kind = NoticeKind.LINK_PROVEN
    add_notices(
        tx,
        [
            NewNotice(holder.id, kind, f"proven:{one.key}", one, {**body, "is_own": one == caller.principal})
            for one in readers
        ],
    )


def warn_holders(
    tx: Transaction,
    connection: str,
    username: str,
    who: Principal,
    occasion: str,
    *,
    is_approved: bool = False,
) -> None:
    """Warn an account's owner that someone else has tried to link it, once per ``occasion``.

    ``is_approved`` means that an administrator had approved the attempt. Otherwise, a token was used.
    """
    body = {
        "connection": connection,
        "username": username,
        "person": who.key,
        "is_approved": is_approved,
    }
    add_notices(
        tx,
        [
            NewNotice(holder.id, NoticeKind.LINK_ATTEMPTED, f"tried:{occasion}", holder.principal, body)
            for holder in rows.find_accounts_by_username(tx, connection, username)
            if holder.principal != who
        ],
    )


def unlink(
    tx: Transaction, caller: Caller, connections: Collection[str], *, is_answered: bool = False
) -> list[Account]:
    """End the caller's links on the given connections. See ``end_accounts``."""
    caller.check(tx, "unlink")
    who = caller.principal
    return end_accounts(tx, caller, who, connections, actor=who.key, cause="person", is_answered=is_answered)


def unlink_other(tx: Transaction, caller: Caller, other: Principal, connection: str | None) -> list[Account]:
    """As an administrator, end a colleague's links on one or all connections. See ``end_accounts``."""
    linked = [one.connection for one in list_accounts_of_other(tx, caller, other)]
    connections = [name for name in linked if connection in {None, name}]
    who = caller.principal.key
    ended = end_accounts(tx, caller, other, connections, actor=who, cause="administrator")
    if ended and connection is None:
        withdraw_requests(tx, other)
    return ended


def list_accounts_of_other(tx: Transaction, caller: Caller, other: Principal) -> list[Account]:
    """Return a colleague's accounts to an administrator who may end them.

    Accounts on connections without user accounts are left out, because only their rows record who owns what
    there.
    """
    caller.check(tx, "unlink_other", Target("account", other.key, other))
    connections = caller.context.connections
    shared = {name for name, one in connections.items() if one.has_link_method("none")}
    return [one for one in rows.list_accounts(tx, other) if one.connection not in shared]


def end_accounts(
    tx: Transaction,
    caller: Caller,
    person: Principal,
    connections: Collection[str] | None = None,
    *,
    actor: str,
    cause: str,
    notify: bool = True,
    is_answered: bool = False,
) -> list[Account]:
    """End a person's accounts on some or all connections, and everything that depends on them.

    Returns the ended accounts as they were before. ``actor`` is who ended them (a principal's key, ``slack``
    …) and ``cause`` is the reason: a key of ``bot.messages.texts.notices.UNLINKED_BECAUSE``, or ``person``.
    ``notify`` is False if no message can reach the person. ``is_answered`` means that the answer to their
    request already tells them. Even if there are no accounts, the person's requests to administrators are
    withdrawn and their browser sessions end.
    """
    ending = [
        account
        for account in rows.list_accounts(tx, person)
        if connections is None or account.connection in connections
    ]
    if ending and not caller.is_first_delivery(tx):
        return []
    withdraw_requests(tx, person, connections)
    for account in ending:
        _end_account(tx, caller, account, actor=actor, cause=cause, notify=notify, is_answered=is_answered)
    return ending


def _list_affected(tx: Transaction, person: Principal, connections: Collection[str]) -> dict[str, list[str]]:
    """Map each effect of ending a person's links to the names of the workspaces, runs or courses affected.

    Some effects concern workspaces: ``running`` means that they keep running, ``stops`` that they aren't
    stopped as planned, ``hours`` that their hours are paused, ``starts`` that a request to start them hasn't
    been sent yet, and ``waits`` that they stop waiting for capacity. ``runs`` are the runs in progress, and
    ``courses`` are those that the person joined with one of these workspaces.
    """
    found = [one for one in workspaces.list_workspaces(tx, person) if one.connection in connections]
    going = {one.workspace_id: one for one in operations.open_operations(tx, person)}
    planned = {one.workspace_id for one in hours.list_rules_of_person(tx, person) if not one.paused}
    waits = waitlist.list_entries(tx, person)
    waiting = {one.workspace_id for one in waits if one.state is not WaitlistState.GRANTED}
    unsent = {key for key, one in going.items() if not (one.has_called or one.verb.brings_down)} - waiting
    up = {one.id for one in found if one.is_own and is_up(one, going.get(one.id))}
    joined = {one.card_id: one.workspace_id for one in courses.list_memberships(tx, person)}
    here = {one.id for one in found}
    taken = [courses.find_card(tx, key) for key, workspace_id in joined.items() if workspace_id in here]
    under_way = [
        run
        for name in sorted(connections)
        for run in RUNS.all(tx, "created_at", principal=person.key, connection=name, outcome=None)
    ]
    return {
        "running": [one.title for one in found if one.id in up],
        "stops": [one.title for one in found if one.planned_stops.counts and one.id in up | unsent],
        "hours": [one.title for one in found if one.id in planned],
        "starts": [one.title for one in found if one.id in unsent],
        "waits": [one.title for one in found if one.id in waiting],
        "runs": list(dict.fromkeys(one.name for one in under_way)),
        "courses": [one.title for one in taken if one is not None],
    }


def is_up(workspace: Workspace, latest: Operation | None) -> bool:
    """Return whether a workspace is up, or whether a call to start it is still being carried out."""
    is_coming_up = latest is not None and latest.is_open and latest.has_called and not latest.verb.brings_down
    return workspace.state in UP_STATES or is_coming_up


def find_affected(tx: Transaction, caller: Caller, connections: Collection[str]) -> dict[str, list[str]]:
    """Return everything that unlinking these connections would affect (see ``_list_affected``)."""
    caller.check(tx, "unlink")
    return _list_affected(tx, caller.principal, connections)


def withdraw_requests(tx: Transaction, person: Principal, connections: Collection[str] | None = None) -> None:
    """Withdraw a person's requests to administrators and end their browser sessions."""
    approvals.withdraw(tx, person, connections)
    browsers.end_sessions_of(tx, person)


def _end_account(
    tx: Transaction,
    caller: Caller,
    account: Account,
    *,
    actor: str,
    cause: str,
    notify: bool = True,
    is_answered: bool = False,
) -> None:
    left = classify_remaining_secret(caller.context, account)
    affected = _list_affected(tx, account.principal, [account.connection])
    rows.end(tx, account, can_revoke=left == "owed", notify=notify)
    if notify and not is_answered:
        body: dict[str, Any] = {"connection": account.connection, "username": account.username}
        body |= {"cause": cause, "left": left, **affected}
        ended = NewNotice(account.id, NoticeKind.UNLINKED, "unlinked", account.principal, body)
        add_notices(tx, [ended])
    detail = {
        "account": account.id,
        "username": account.username,
        "cause": cause,
        "link_source": account.link_source,
    }
    target = f"{account.principal.key}/{account.connection}"
    append_audit(tx, [AuditEntry(actor, "account.unlinked", target, "ok", detail)])
    if actor == caller.principal.key:
        caller.record_request(tx, "account.unlinked", account.connection)


def suspend_account(
    tx: Transaction, account: Account, cause: str, *, renamed: str = "", lately: float
) -> bool:
    """Suspend an account that its provider refuses. If that keeps happening, notify its owner.

    Returns True without sending a notice if the connection is refusing several people: their refusals began
    within the last ``lately`` seconds, and the connection has accepted nobody since. ``renamed`` is the
    account's new username if it was renamed. Linking that username keeps the account's workspaces.
    """
    held = refusals.hold(tx, account, renamed or None)
    if held is None or held.refused_since is None:
        return False  # It was unlinked, or has a new secret.
    about, now = {"connection": held.connection, "cause": cause}, tx.now()
    if account.refused_since is None:
        append_audit(tx, [AuditEntry("usher", "account.suspended", held.id, "refused", about)])
    if not held.repeats(now):
        return False
    if refusals.are_several(tx, held.connection, now - lately):
        return True
    body = {**about, "username": held.username, "since": held.refused_since, "renamed": renamed}
    kind, occasion = NoticeKind.SIGN_IN_REFUSED, f"{held.refused_since:.3f}"
    if not is_written(tx, held.id, kind, occasion):
        for row in WORKSPACES.rows(tx, principal=held.principal, connection=held.connection):
            rows.redraw_plan(tx, row)
    add_notices(tx, [NewNotice(held.id, kind, occasion, held.principal, body)])
    return False


def refuse_account(tx: Transaction, account: Account, cause: str, *, actor: str = "usher") -> bool:
    """Mark a link that no longer works as refused, and ask its owner to link again.

    Returns False if the link was ended or replaced in the meantime.
    """
    if not rows.refuse(tx, account, hold_by_cause(cause)):
        return False
    about = {"connection": account.connection, "cause": cause}
    body = {**about, "username": account.username, "since": account.refused_since}
    # If the owner links again and the new link is refused, too, they are asked once more.
    occasion = f"{account.linked_at:.3f}"
    add_notices(tx, [NewNotice(account.id, NoticeKind.RELINK_PROMPT, occasion, account.principal, body)])
    append_audit(tx, [AuditEntry(actor, "account.refused", account.id, "refused", about)])
    return True
