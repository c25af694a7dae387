"""Approvals: an administrator decides which provider username belongs to a person.

Usher never guesses the person from names or e-mail addresses. Every step is recorded in the audit log.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, Literal

from bot.domain.accounts import Account, Approval, compare_remote_ids
from bot.domain.approvals import MAX_UNDECIDED_SECONDS, UNDECIDED, find_next_morning
from bot.domain.audit import AuditEntry
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.people import Principal
from bot.domain.policy import Target
from bot.domain.similarity import score_likeness
from bot.domain.tasks import TaskKind
from bot.providers import base, facets
from bot.providers.access import RemoteAccount
from bot.services import linking
from bot.services.accounts import (
    link_account,
    refuse_unknown_connection,
    rest_if_another,
    seal_credential,
    warn_holders,
)
from bot.services.caller import Caller
from bot.services.context import Context
from bot.store import accounts as rows
from bot.store import approvals as store
from bot.store import inbox, people, stop_warnings
from bot.store.audit import append_audit
from bot.store.notices import add_notices
from bot.store.tables import APPROVALS, NOTICES
from bot.store.tasks import NewTask, add_tasks
from bot.store.transaction import Transaction
from bot.support.errors import Refused

#: Maximum number of times a day that a person may request an account on a connection. It is low, because each
#: request interrupts administrators.
MAX_REQUESTS_PER_DAY: Final = 3


#: Maximum number of other people listed as possible owners of a requested username.
MAX_SIMILAR_USERS: Final = 10
#: Maximum number of open requests listed, oldest first. The rest are listed once these have been decided.
MAX_LISTED_REQUESTS: Final = 200


async def request(
    caller: Caller, connection: str, username: str, *, deferred_command: dict[str, Any] | None = None
) -> Approval:
    """Request a link to a username. First find other people who may own the username, then call ``ask``."""
    # In a large Slack workspace, this search takes a while, so do it first, when it doesn't block writers.
    alike = await caller.read(find_similar_users, connection, username)
    return await caller.run(ask, connection, username, alike=alike, deferred_command=deferred_command)


def find_similar_users(tx: Transaction, caller: Caller, connection: str, username: str) -> list[str] | None:
    """Return the keys of other people who may own a username: first those linked to it, then similar names.

    The most similar names come first. Returns None, without searching, if the person has asked too often.
    """
    who, installation = caller.principal, caller.context.installation
    if len(store.list_request_times(tx, who, connection)) >= MAX_REQUESTS_PER_DAY:
        return None
    here = installation.find_for(who)
    # People who linked an account before their Slack workspace joined an organisation keep their keys.
    enterprises = {who.enterprise_id, here.enterprise_id, *here.other_enterprises.values()}
    places = tuple(sorted(replace(who, enterprise_id=one).place for one in enterprises))
    holders = [one.principal.key for one in rows.find_accounts_by_username(tx, connection, username)]
    scored = (
        (score_likeness(username, *called), key, called)
        for place in places
        for key, called in people.list_members(tx, place)
    )
    # Score e-mail addresses first. Slack has confirmed them, so nobody can simply choose one.
    found = [(score_likeness(username, called[2]), score, key) for score, key, called in scored if score]
    alike = [key for *_, key in sorted(found, reverse=True)]
    others = dict.fromkeys(
        key
        for key in (*holders, *alike)
        if key != who.key and key.startswith(places) and installation.is_current(Principal.from_key(key))
    )
    return list(others)[:MAX_SIMILAR_USERS]


def ask(
    tx: Transaction,
    caller: Caller,
    connection: str,
    username: str,
    *,
    alike: Sequence[str] | None = (),
    deferred_command: dict[str, Any] | None = None,
) -> Approval:
    """Ask the administrators of the person's Slack workspace. Return the request in its new state.

    ``alike`` are other possible owners of the username. The likeliest are asked first and have a day to
    answer. ``deferred_command`` is the command to run once the person is linked. Raises Refused if the
    connection or the username can't be requested (``link.unknown_connection``, ``approval.username``), if the
    person has asked too often (``approval.often``), or if nobody may decide (``policy.no_administrators``).
    """
    caller.check(tx, "link")
    context, principal = caller.context, caller.principal
    there = context.list_linkable("admin", principal)
    if connection not in there:
        raise refuse_unknown_connection(context, connection, there)
    if not linking.is_username(username):
        raise Refused("approval.username")
    place = context.installation
    if not any(place.decides(one, principal) for one in place.list_administrators()):
        raise Refused("policy.no_administrators", cause="no_administrators")
    fresh = context.ids.new("approval")
    now = tx.now()
    new = Approval(
        fresh, principal, connection, username, "requested", now, deferred_command=deferred_command
    )
    new = replace(new, similar_users=list(alike or ()), awaits_answers=bool(alike))
    open_ = store.find_open_request(tx, principal, connection)
    if not caller.is_first_delivery(tx, result=fresh if open_ is None else open_.id):
        return store.find_request(tx, inbox.find_result(tx, caller.interaction)) or new
    is_other = open_ is None or open_.username != username
    if is_other and (
        alike is None or len(store.list_request_times(tx, principal, connection)) >= MAX_REQUESTS_PER_DAY
    ):
        raise Refused("approval.often", title=context.title(connection))
    approval = store.save_request(tx, new)
    if is_other:
        store.note_request(tx, principal, connection)
        if isinstance(context.connections[connection], facets.EmailLookup):
            add_tasks(tx, [NewTask(TaskKind.LOOK_UP_USER, approval.id)])
    add_tasks(tx, [*ask_owners(tx, context, approval.id), *follow_up(tx, context, approval.id)])
    if approval.id == new.id:
        _ask_administrators(tx, context, new, "asked")
    append_audit(tx, [build_audit_entry(approval, principal.key, "approval.requested", "ok")])
    caller.record_request(tx, "approval.requested", connection)
    return approval


def withdraw(tx: Transaction, caller: Caller, connections: Sequence[str]) -> None:
    """Withdraw the person's own requests on these connections."""
    caller.check(tx, "unlink")
    if caller.is_first_delivery(tx):
        store.withdraw(tx, caller.principal, connections)
        for connection in connections:
            caller.record(tx, "approval.withdrawn", f"{caller.principal.key}/{connection}", "ok")


def list_open_requests(tx: Transaction, caller: Caller) -> list[Approval]:
    """Return the open requests that an administrator may decide, oldest first.

    Raise Refused if the caller isn't an administrator.
    """
    caller.check(tx, "approvals")
    context, place = caller.context, caller.context.installation
    reach = place.reach(caller.principal)
    assert reach is not None, "the policy lets administrators alone list them"
    return [
        one
        for one in store.list_open_requests(tx, reach, MAX_LISTED_REQUESTS)
        if one.connection in context.connections and place.decides(caller.principal, one.principal)
    ]


def _administrators(context: Context, approval: Approval) -> list[Principal]:
    place = context.installation
    return [one for one in place.list_administrators() if place.decides(one, approval.principal)]


def _ask_administrators(tx: Transaction, context: Context, approval: Approval, occasion: str) -> None:
    kind, to = NoticeKind.APPROVAL_REQUEST, _administrators(context, approval)
    add_notices(tx, [build_notice(approval, kind, f"{occasion}:{one.key}", one) for one in to])


def follow_up(tx: Transaction, context: Context, approval_id: str) -> list[NewTask]:
    """Remind administrators of a request the next morning. If nobody decides within a week, end it.

    Returns the task for the next reminder, if the request is still open.
    """
    approval, now = store.find_request(tx, approval_id), tx.now()
    if approval is None or approval.state != "requested":
        return []
    to, ends_at = _administrators(context, approval), approval.requested_at + MAX_UNDECIDED_SECONDS
    if now >= ends_at:
        store.move(tx, approval.id, "denied", detail=UNDECIDED)
        kind, readers = NoticeKind.APPROVAL_ENDED, dict.fromkeys([approval.principal, *to])
        over = [
            build_notice(
                approval,
                kind,
                f"{UNDECIDED}:{one.key}",
                one,
                ended="denied",
                cause=UNDECIDED,
                is_own=one == approval.principal,
            )
            for one in readers
        ]
        add_notices(tx, over)
        append_audit(tx, [build_audit_entry(approval, "usher", "approval.expired", "ok")])
        return []
    # If there are other possible owners, a request can't be approved for a day, and is then posted again.
    opened_at = approval.requested_at + (store.DAY_SECONDS if approval.similar_users else 0.0)
    mornings = {one: find_next_morning(opened_at, people.find_zone(tx, one)) for one in to}
    kind, occasion = NoticeKind.APPROVAL_REQUEST, f"reminder:{approval.requested_at:.3f}"
    due = [one for one, at in mornings.items() if at <= now and not approval.awaits_answers]
    add_notices(
        tx, [build_notice(approval, kind, f"{occasion}:{one.key}", one, is_reminder=True) for one in due]
    )
    looks_at = min([at for at in mornings.values() if at > now], default=ends_at)
    return [NewTask(TaskKind.FOLLOW_UP, approval.id, due_in=min(looks_at - now, store.DAY_SECONDS / 4))]


#: Maximum number of people who are asked whether a requested account is theirs. It is also the maximum number
#: of these questions that one person gets per day.
MAX_QUESTIONS_PER_DAY: Final = 3
#: How long to wait, in seconds, before checking an account request again if a possible owner hasn't been
#: asked yet. For example, that person may already have been asked too often today.
RECHECK_SECONDS: Final = 600.0


def ask_owners(tx: Transaction, context: Context, approval_id: str) -> list[NewTask]:
    """Ask the possible owners of a requested account. After a day, administrators may decide without them.

    The day begins when the question is sent. If a possible owner has been asked too often, the question
    waits, and so does the request. Returns the task that checks the request again, if any.
    """
    approval = store.find_request(tx, approval_id)
    if approval is None or approval.state != "requested" or not approval.awaits_answers:
        return []
    answers, left, kind = dict(approval.answers or {}), 0.0, NoticeKind.ACCOUNT_QUESTION
    for key in (approval.similar_users or [])[:MAX_QUESTIONS_PER_DAY]:
        occasion = f"whose:{key}:{approval.requested_at:.3f}"
        if key not in answers and store.count_questions(tx, key) < MAX_QUESTIONS_PER_DAY:
            answers[key] = None
            add_notices(tx, [build_notice(approval, kind, occasion, Principal.from_key(key), owner=key)])
        row = NOTICES.row(tx, subject=approval.id, kind=kind, occasion=occasion)
        at = None if row is None or stop_warnings.is_on_its_way(row) else row["sent_at"] or row["due_at"]
        left = max(left, RECHECK_SECONDS if at is None else at + store.DAY_SECONDS - tx.now())
    store.update_request(tx, approval.id, answers=answers, awaits_answers=left > 0.0)
    if left > 0.0:
        return [NewTask(TaskKind.ASK_ACCOUNT_OWNERS, approval.id, due_in=min(left, store.DAY_SECONDS))]
    _ask_administrators(tx, context, approval, f"open:{approval.requested_at:.3f}")
    return []


def record_owner_answer(
    tx: Transaction, caller: Caller, approval_id: str, username: str, *, is_theirs: bool
) -> Approval:
    """Record a possible owner's answer to whether an account is theirs, for the administrators to see.

    If it is theirs, the request is denied. A "no" proves nothing, so it changes nothing else. Raises Refused
    if they weren't asked, or if the request is no longer open (``approval.unknown``).
    """
    caller.check(tx, "link")
    approval = store.find_request(tx, approval_id)
    is_open = approval is not None and (approval.state, approval.username) == ("requested", username)
    own = caller.principal.key
    if approval is None or not is_open or own not in (answers := approval.answers or {}):
        raise Refused("approval.unknown")
    if caller.is_first_delivery(tx):
        store.update_request(tx, approval.id, answers={**answers, own: is_theirs})
        if is_theirs:
            store.move(tx, approval.id, "denied", own)
            add_notices(tx, [_build_end(approval, "denied")])
        result = "theirs" if is_theirs else "not theirs"
        append_audit(
            tx, [build_audit_entry(approval, caller.principal.key, "approval.owner_answered", result)]
        )
    return approval


def note_user(tx: Transaction, caller: Caller, wanted: Approval, user: RemoteAccount) -> None:
    """Save a requested user's e-mail address and id, unless the request now names another username."""
    approval = store.find_request(tx, wanted.id)
    if approval is not None and (approval.principal, approval.username) == (
        caller.principal,
        wanted.username,
    ):
        store.update_request(tx, approval.id, email=user.email, remote_id=user.account_id or None)


def decide(
    tx: Transaction, caller: Caller, approval_id: str, username: str, *, approve: bool
) -> tuple[Approval, bool]:
    """Approve or deny a request as an administrator. Return the request, and whether this call decided it.

    The request isn't decided if it no longer names ``username``, which the administrator was shown. Raises
    Refused if there is no such request (``approval.unknown``), or if it can't be approved yet
    (``approval.waits``).
    """
    approval = store.find_request(tx, approval_id)
    target = Target("approval", approval.id, approval.principal) if approval is not None else None
    caller.check(tx, "approve", target)
    if approval is None:
        raise Refused("approval.unknown")
    caller.context.need(approval.connection)
    if approval.username != username or approval.state != "requested" or not caller.is_first_delivery(tx):
        return approval, False
    if approve and approval.awaits_answers:
        raise Refused("approval.waits")
    state: Literal["approved", "denied"] = "approved" if approve else "denied"
    decided = store.move(tx, approval.id, state, caller.principal.key)
    assert decided is not None, "nobody else decides within this transaction"
    if approve:
        add_tasks(tx, [NewTask(TaskKind.APPROVE, approval.id)])
    else:
        add_notices(tx, [_build_end(approval, "denied")])
    append_audit(tx, [build_audit_entry(approval, caller.principal.key, f"approval.{state}", "ok")])
    caller.record_request(tx, f"approval.{state}", approval.connection)
    return decided, True


def approve_resting(tx: Transaction, caller: Caller, account_id: str, other_id: str) -> tuple[Account, bool]:
    """Approve the account that now has the username of a suspended link.

    Returns the link and whether this call approved it. ``other_id`` is the id shown to the administrator. It
    is compared again when the account is linked. Raises Refused if the link isn't suspended because of that
    account (``account.not_resting``).
    """
    account = rows.find_account_by_id(tx, account_id)
    target = Target("approval", account.id, account.principal) if account is not None else None
    caller.check(tx, "approve", target)
    if account is None or not account.is_resting or account.other_id != other_id:
        raise Refused("account.not_resting")
    caller.context.need(account.connection)
    pending = APPROVALS.one(tx, **account.pair, username=account.username, state="approved")
    if pending is not None or not caller.is_first_delivery(tx):
        return account, False
    store.withdraw(tx, account.principal, [account.connection])
    now = tx.now()
    approval = Approval(
        caller.context.ids.new("approval"),
        account.principal,
        account.connection,
        account.username,
        "approved",
        now,
        decided_by=caller.principal.key,
        decided_at=now,
        remote_id=other_id,
    )
    store.add(tx, approval)
    add_tasks(tx, [NewTask(TaskKind.APPROVE, approval.id)])
    append_audit(
        tx, [build_audit_entry(approval, caller.principal.key, "approval.approved", "ok", rested=account.id)]
    )
    caller.record_request(tx, "approval.approved", approval.connection)
    return account, True


def link_approved(tx: Transaction, caller: Caller, approval_id: str, identity: base.Identity) -> None:
    """Link a person to the username that was approved and checked, unless the request was withdrawn."""
    approval = _find_approved(tx, caller, approval_id)
    if approval is None:
        return
    remote_id = identity.credential.account_id
    is_other = bool(approval.remote_id) and compare_remote_ids(approval.remote_id or "", remote_id) != "same"
    if is_other or rest_if_another(tx, caller, approval.connection, remote_id, approval.username):
        # The username now belongs to an account other than the approved one.
        fail_approved(tx, caller, approval.id, "another_account")
        return
    account = link_account(
        tx,
        caller,
        approval.connection,
        identity.username,
        seal_credential(caller, approval.connection, identity.credential),
        identity.credential.expires_at,
        actor=approval.decided_by or "",
        proof="administrator",
        link_source="approval",
        remote_id=remote_id,
        deferred_command=approval.deferred_command,
        more={"acts": "admin"},
    )
    if account is None:
        fail_approved(tx, caller, approval.id, "taken")
        warn_holders(
            tx, approval.connection, identity.username, caller.principal, approval.id, is_approved=True
        )
    else:
        store.move(tx, approval.id, "linked")
        add_notices(tx, _build_administrator_notices(approval, "linked"))


def fail_approved(tx: Transaction, caller: Caller, approval_id: str, because: str, *, said: str = "") -> None:
    """Record that an approved username couldn't be linked. Notify the person and the administrator.

    ``because`` is a cause that messages can explain. ``said`` is the provider's own text, for the audit log.
    """
    approval = _find_approved(tx, caller, approval_id)
    if approval is None:
        return
    store.move(tx, approval.id, "failed", approval.decided_by or "", because)
    own = _build_end(approval, "failed", cause=because, is_own=True)
    add_notices(tx, [own, *_build_administrator_notices(approval, "failed", cause=because)])
    more = {"cause": because, "said": said} if said else {"cause": because}
    append_audit(tx, [build_audit_entry(approval, "usher", "approval.failed", "refused", **more)])


def _find_approved(tx: Transaction, caller: Caller, approval_id: str) -> Approval | None:
    approval = store.find_request(tx, approval_id)
    is_theirs = approval is not None and approval.principal == caller.principal
    return approval if approval is not None and is_theirs and approval.state == "approved" else None


def _build_end(approval: Approval, ended: str, **facts: Any) -> NewNotice:
    """Return the notice that tells the requester how a request ended."""
    kind = NoticeKind.APPROVAL_ENDED
    return build_notice(approval, kind, ended, approval.principal, ended=ended, **facts)


def _build_administrator_notices(approval: Approval, ended: str, **facts: str) -> list[NewNotice]:
    """Return the notice that tells the administrator who approved a request, if anyone, how it ended."""
    if not approval.decided_by:
        return []
    to = Principal.from_key(approval.decided_by)
    occasion = f"{ended}:{to.key}"
    return [build_notice(approval, NoticeKind.APPROVAL_ENDED, occasion, to, ended=ended, **facts)]


def build_notice(
    approval: Approval, kind: NoticeKind, occasion: str, to: Principal, **facts: Any
) -> NewNotice:
    """Return the notice that tells one person about a request. It is sent once per occasion."""
    body = {
        "approval": approval.id,
        "connection": approval.connection,
        "username": approval.username,
        "person": approval.principal.key,
        **facts,
    }
    return NewNotice(approval.id, kind, occasion, to, body)


def build_audit_entry(approval: Approval, actor: str, action: str, result: str, **detail: str) -> AuditEntry:
    """Return the audit-log entry for an action on a request."""
    return AuditEntry(
        actor=actor,
        action=action,
        target=f"{approval.principal.key}/{approval.connection}",
        result=result,
        detail={"approval": approval.id, "username": approval.username, **detail},
    )
