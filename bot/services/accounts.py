"""Who a person is: linked accounts and their end, approved usernames, first contacts.

Every refusal is a ``Refused`` with a text for the person. Each change is written in one transaction with its
audit row.

An administrator says which person is which user at a provider; it is never guessed from names or addresses.
Every step leaves an audit row.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Literal

from bot.domain.accounts import APPROVED_SECONDS, Account, Approval, MadeBy
from bot.domain.audit import AuditEntry
from bot.domain.likeness import likeness
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.people import Person, Principal
from bot.domain.policy import Target, flaw
from bot.domain.tasks import TaskKind
from bot.messages.texts import pages, problems
from bot.providers import base
from bot.services.asked import Asked
from bot.services.context import Context
from bot.services.revocations import left_by
from bot.store import accounts as rows
from bot.store import approvals, browsers, hours, inbox, people, revocations
from bot.store.audit import append_audit
from bot.store.notices import add_notices
from bot.store.tasks import NewTask, add_tasks
from bot.store.transaction import Transaction
from bot.support.cleaning import SHOWN, clean, escape
from bot.support.errors import Refused
from bot.support.vault import row_key


async def own(asked: Asked, connection: str) -> Account | None:
    """Return the account a person acts through on a connection, or None; most calls only read."""
    account = await asked.see(_usable, connection)
    provider = asked.context.connections.get(connection)
    if account is not None or provider is None or not provider.links_by("none"):
        return account
    return await asked.to(acting, connection)


def acting(tx: Transaction, asked: Asked, connection: str) -> Account | None:
    """Return the account a person acts through on a connection, or None.

    Where the provider has no user accounts (linking ``none``), the row is written on first use: what a
    person makes there is theirs alone.
    """
    account, provider = _usable(tx, asked, connection), asked.context.connections.get(connection)
    is_open = provider is not None and provider.links_by("none") and provider.serves(asked.principal)
    if account is not None or not is_open:
        return account
    credential = base.Credential.of_connection("none")
    fresh = _fresh(tx, asked, connection, "", sealed(asked, connection, credential))
    rows.put(tx, fresh)
    asked.note(tx, "account.opened", f"{asked.principal.key}/{connection}", "ok", account=fresh.id)
    return fresh


def _usable(tx: Transaction, asked: Asked, connection: str) -> Account | None:
    provider = asked.context.connections.get(connection)
    if provider is not None and not provider.serves(asked.principal):
        return None
    account = rows.account(tx, asked.principal, connection)
    return account if account is not None and account.state != "revoking" else None


def begin(
    tx: Transaction,
    asked: Asked,
    connection: str,
    username: str,
    secret: str,
    ends_at: float | None = None,
    *,
    actor: str,
    proof: str,
    made_by: MadeBy,
    waiting: dict[str, Any] | None = None,
    more: Mapping[str, str] = {},
) -> Account | None:
    """Write a person's account, tell them, and have its lists read; None if the username is somebody else's.

    A former account of theirs is replaced, and workspaces follow who was renamed; somebody else's that was
    only approved gives way to a proof. ``waiting`` is the command that runs once its lists were read.
    ``actor``, ``proof`` of who asked, and ``more`` are for the audit.
    """
    account = _fresh(tx, asked, connection, username, secret, ends_at, made_by)
    holder = rows.holder(tx, account)
    if holder is not None and (holder.is_proven or not account.is_proven):
        return None
    if holder is not None:
        _give_way(tx, asked, holder, actor)
    if account.is_proven:
        approvals.withdraw(tx, asked.principal, [connection])
    provider = asked.context.connections[connection]

    def moved(remote_id: str, former: str) -> tuple[str, str]:
        by_name = provider.renamed(remote_id, former, username)
        return by_name, provider.gate_key(by_name)

    former = rows.account(tx, asked.principal, connection)
    rows.put(tx, account, moved)
    if former is not None and left_by(asked.context, former, secret) == "owed":
        revocations.owe(tx, former, tell=False)
    body = {"connection": connection, "username": username, "account": account.id}
    add_notices(tx, [NewNotice(account.id, NoticeKind.LINKED, "linked", asked.principal, body)])
    add_tasks(tx, [NewTask(TaskKind.DISCOVER, account.id, {"then": [waiting] if waiting else []})])
    detail = {"account": account.id, "username": username, "proof": proof, "made_by": made_by, **more}
    target = f"{asked.principal.key}/{connection}"
    append_audit(tx, [AuditEntry(actor, "account.linked", target, "ok", detail)])
    return account


def sealed(asked: Asked, connection: str, credential: base.Credential) -> str:
    """Return a credential as the row of a person's account holds it."""
    row = row_key(asked.principal.key, connection)
    return asked.context.vault.seal(row, credential.as_mapping())


def _fresh(
    tx: Transaction,
    asked: Asked,
    connection: str,
    username: str,
    secret: str,
    ends_at: float | None = None,
    made_by: MadeBy = "",
) -> Account:
    account = Account(
        id=asked.context.ids.new("account"),
        principal=asked.principal,
        connection=connection,
        username=username,
        secret=secret,
        state="active",
        linked_at=tx.now(),
        ends_at=ends_at,
        made_by=made_by,
    )
    return replace(account, ends_at=tx.now() + APPROVED_SECONDS) if account.is_approved else account


def _give_way(tx: Transaction, asked: Asked, holder: Account, actor: str) -> None:
    """End a link that nobody proved, of an account that somebody proves to be theirs.

    Both are told, and the administrators of both.
    """
    place, both = asked.context.installation, (asked.principal, holder.principal)
    approvals.withdraw(tx, holder.principal, [holder.connection])
    browsers.end_sessions_of(tx, holder.principal)
    _end(tx, asked, holder, actor=actor, cause="proven")
    body = {
        "connection": holder.connection,
        "username": holder.username,
        "person": holder.principal.key,
        "owner": asked.principal.key,
    }
    others = place.administrators_of(lambda one: any(place.are_together(one, each) for each in both))
    readers = [asked.principal, *(one for one in others if one not in both)]
    kind = NoticeKind.LINK_PROVEN
    add_notices(
        tx,
        [
            NewNotice(holder.id, kind, f"proven:{one.key}", one, {**body, "is_own": one == asked.principal})
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
    """Warn whoever has linked an account that somebody else tried to; once per ``occasion``.

    ``is_approved``: an administrator approved it; otherwise it was tried with a token.
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
            NewNotice(holder.id, NoticeKind.LINK_TRIED, f"tried:{occasion}", holder.principal, body)
            for holder in rows.accounts_of(tx, connection, username)
            if holder.principal != who
        ],
    )


def unlink(
    tx: Transaction, asked: Asked, connections: Collection[str], *, is_answered: bool = False
) -> list[Account]:
    """End a person's own links on some connections; as ``end``."""
    asked.check(tx, "unlink")
    who = asked.principal
    return end(tx, asked, who, connections, actor=who.key, cause="person", is_answered=is_answered)


def unlink_other(tx: Transaction, asked: Asked, other: Principal, connection: str | None) -> list[Account]:
    """End a colleague's links on a connection, or all of them, as an administrator; as ``end``."""
    linked_elsewhere(tx, asked, other)
    connections = None if connection is None else [connection]
    return end(tx, asked, other, connections, actor=asked.principal.key, cause="administrator")


def linked_elsewhere(tx: Transaction, asked: Asked, other: Principal) -> list[Account]:
    """Return a colleague's accounts to an administrator, who may end them."""
    asked.check(tx, "unlink_other", Target("account", other.key, other))
    return rows.accounts(tx, other)


def end(
    tx: Transaction,
    asked: Asked,
    person: Principal,
    connections: Collection[str] | None = None,
    *,
    actor: str,
    cause: str,
    tell: bool = True,
    is_answered: bool = False,
) -> list[Account]:
    """End a person's accounts on some connections, or all, with everything that depends on them.

    Return the accounts that ended, as they were. ``actor`` is who did it (a principal's key, ``slack`` …);
    ``cause`` says why: a key of ``bot.messages.texts.notices.UNLINKED_BECAUSE``, or ``person``. ``tell`` is
    False where no message can reach them; ``is_answered`` where the answer says it already. Their requests to
    administrators are withdrawn and their browser sessions end, even without an account.
    """
    ending = [
        account
        for account in rows.accounts(tx, person)
        if connections is None or account.connection in connections
    ]
    if ending and not asked.is_new(tx):
        return []
    approvals.withdraw(tx, person, connections)
    browsers.end_sessions_of(tx, person)
    for account in ending:
        _end(tx, asked, account, actor=actor, cause=cause, tell=tell, is_answered=is_answered)
    return ending


def _end(
    tx: Transaction,
    asked: Asked,
    account: Account,
    *,
    actor: str,
    cause: str,
    tell: bool = True,
    is_answered: bool = False,
) -> None:
    left = left_by(asked.context, account)
    rows.end(tx, account, can_revoke=left == "owed", tell=tell)
    if tell and not is_answered:
        body = {"connection": account.connection, "username": account.username, "cause": cause}
        body["left"] = left
        ended = NewNotice(account.id, NoticeKind.UNLINKED, "unlinked", account.principal, body)
        add_notices(tx, [ended])
    detail = {
        "account": account.id,
        "username": account.username,
        "cause": cause,
        "made_by": account.made_by,
    }
    target = f"{account.principal.key}/{account.connection}"
    append_audit(tx, [AuditEntry(actor, "account.unlinked", target, "ok", detail)])


def refuse(
    tx: Transaction,
    account: Account,
    cause: str,
    *,
    actor: str = "usher",
    title: str = "",
    renamed: str = "",
) -> bool:
    """End a link whose credential can't be used, and ask its person to link again.

    Return False if it was ended or replaced meanwhile. ``title`` is the connection's; ``renamed`` is the name
    that the account has by now, if that is why: its workspaces follow once that is linked.
    """
    if not rows.refuse(tx, account, problems.sentence(cause, title), renamed or None):
        return False
    about = {"connection": account.connection, "cause": cause}
    body = {**about, "username": account.username, "since": account.refused_since, "renamed": renamed}
    # An account that is linked again may be refused again, which is a new occasion.
    occasion = f"{account.linked_at:.3f}"
    add_notices(tx, [NewNotice(account.id, NoticeKind.LINK_AGAIN, occasion, account.principal, body)])
    append_audit(tx, [AuditEntry(actor, "account.refuse", account.id, "refused", about)])
    return True


def let_go(tx: Transaction, asked: Asked, person: Person, *, actor: str) -> list[Account]:
    """End the links and hours of somebody who has left or become a guest; return the accounts that ended.

    A guest's records of what was made without any account stay: only they say whose it is.
    """
    who, cause = person.principal, flaw(person)
    if cause not in {"left", "guest"}:
        return []
    hours.drop_all(tx, who)
    open_to_all = {name for name, one in asked.context.connections.items() if one.links_by("none")}
    linked = {account.connection for account in rows.accounts(tx, who)}
    # Nothing can be sent to deactivated people.
    connections = linked - open_to_all if cause == "guest" else None
    return end(tx, asked, who, connections, actor=actor, cause=cause, tell=cause == "guest")


_USERNAME = re.compile(r"[^\s\x00-\x1f\x7f]{1,100}")


def possible(context: Context, principal: Principal) -> list[str]:
    """Return the names of the connections where a person's username may be approved."""
    return sorted(
        name
        for name, provider in context.connections.items()
        if provider.links_by("admin") and provider.serves(principal)
    )


def unknown_connection(context: Context, name: str, there: Collection[str]) -> Refused:
    """Return the refusal that names the connections a person may link instead."""
    known = ", ".join(map(context.title, there)) or "none"
    return Refused("link.unknown_connection", pages.UNKNOWN_CONNECTION.format(name=name, known=known))


#: How many usernames somebody may ask for in a day, on each connection: every one disturbs administrators.
REQUESTS: Final = 3


#: How many others whom a username may mean are shown.
MOST_ALIKE: Final = 10


async def request(
    asked: Asked, connection: str, username: str, *, waiting: dict[str, Any] | None = None
) -> Approval:
    """Ask the administrators, and whom else the username may mean; as ``ask``."""
    # Of a large Slack workspace this takes a while: it is read beside those who write.
    alike = await asked.see(others_alike, connection, username)
    return await asked.to(ask, connection, username, alike=alike, waiting=waiting)


def others_alike(tx: Transaction, asked: Asked, connection: str, username: str) -> list[str]:
    """Return the keys of the others whom a username may mean: who has it, then the likeliest first."""
    own, place = asked.principal.key, asked.principal.place
    if len(approvals.requested(tx, asked.principal, connection)) >= REQUESTS:
        return []
    holders = [one.principal.key for one in rows.accounts_of(tx, connection, username)]
    scored = ((likeness(username, *called), key, called) for key, called in people.members(tx, place))
    # Of two that are as much alike, the one by what nobody can choose.
    found = [(score, likeness(username, *called[1:]), key) for score, key, called in scored if score]
    alike = [key for *_, key in sorted(found, reverse=True)]
    others = dict.fromkeys(key for key in (*holders, *alike) if key != own and key.startswith(place))
    return list(others)[:MOST_ALIKE]


def ask(
    tx: Transaction,
    asked: Asked,
    connection: str,
    username: str,
    *,
    alike: Sequence[str] = (),
    waiting: dict[str, Any] | None = None,
) -> Approval:
    """Ask the administrators of the person's Slack workspace; return the request as it stands.

    ``alike`` are the others whom the username may mean: the likeliest is asked, once a day. ``waiting`` is
    the command that runs once they are linked. Raises Refused (``link.unknown_connection``,
    ``approval.username``, ``approval.often``, ``policy.no_administrators``).
    """
    asked.check(tx, "link")
    context, principal = asked.context, asked.principal
    there = possible(context, principal)
    if connection not in there:
        raise unknown_connection(context, connection, there)
    if not is_username(username):
        raise Refused("approval.username", pages.USERNAME_SHAPE)
    place = context.installation
    administrators = [one for one in place.administrating() if place.decides(one, principal)]
    if not administrators:
        raise Refused("policy.no_administrators", problems.sentence("no_administrators"))
    fresh = context.ids.new("approval")
    now = tx.now()
    new = Approval(fresh, principal, connection, username, "asked", now, waiting=waiting, alike=list(alike))
    if not asked.is_new(tx):
        return approvals.approval(tx, inbox.result_of(tx, asked.interaction)) or new
    open_ = approvals.asked_at(tx, principal, connection)
    is_other = open_ is None or open_.username != username
    if is_other and len(approvals.requested(tx, principal, connection)) >= REQUESTS:
        raise Refused("approval.often", pages.OFTEN.format(title=context.title(connection)))
    approval = approvals.request(tx, new)
    if is_other:
        approvals.note_request(tx, principal, connection)
        if isinstance(context.connections[connection], base.Addresses):
            add_tasks(tx, [NewTask(TaskKind.LOOK_UP_USER, approval.id)])
        if (owner := approvals.question_owner(tx, approval)) is not None:
            add_notices(tx, [notice(approval, NoticeKind.ACCOUNT_ASKED, f"whose:{now}", owner)])
    if approval.id == new.id:
        kind = NoticeKind.APPROVAL_ASKED
        add_notices(tx, [notice(new, kind, f"asked:{one.key}", one) for one in administrators])
    inbox.keep_result(tx, asked.interaction, approval.id)
    append_audit(tx, [approval_entry(approval, principal.key, "approval.asked", "ok")])
    return approval


def say_whose(tx: Transaction, asked: Asked, approval_id: str, username: str, *, is_theirs: bool) -> Approval:
    """Tell the administrators what the person says who was asked whether an account is theirs.

    It proves nothing, so it decides nothing. Raises Refused (``approval.unknown``).
    """
    asked.check(tx, "link")
    approval = approvals.approval(tx, approval_id)
    is_open = approval is not None and (approval.state, approval.username) == ("asked", username)
    if approval is None or not is_open or approval.owner != asked.principal.key:
        raise Refused("approval.unknown", pages.GONE)
    if asked.is_new(tx):
        approvals.learn(tx, approval.id, owner_says=is_theirs)
        result = "theirs" if is_theirs else "not theirs"
        append_audit(tx, [approval_entry(approval, asked.principal.key, "approval.owner", result)])
    return approval


def note_address(tx: Transaction, asked: Asked, wanted: Approval, email: str) -> None:
    """Keep the address that a wanted user has at the provider, unless another one is wanted by now."""
    approval = approvals.approval(tx, wanted.id)
    if approval is not None and (approval.principal, approval.username) == (asked.principal, wanted.username):
        approvals.learn(tx, approval.id, email=email)


def decide(
    tx: Transaction, asked: Asked, approval_id: str, username: str, *, approve: bool
) -> tuple[Approval, bool]:
    """Approve or deny a request as an administrator; return it, and whether this call decided it.

    ``username`` is what the administrator saw: a request that names another one by now is not decided.
    """
    approval = approvals.approval(tx, approval_id)
    target = Target("approval", approval.id, approval.principal) if approval is not None else None
    asked.check(tx, "approve", target)
    if approval is None:
        raise Refused("approval.unknown", pages.GONE)
    asked.context.need(approval.connection)
    if approval.username != username or approval.state != "asked" or not asked.is_new(tx):
        return approval, False
    state: Literal["approved", "denied"] = "approved" if approve else "denied"
    decided = approvals.move(tx, approval.id, state, asked.principal.key)
    assert decided is not None, "nobody else decides within this transaction"
    if approve:
        add_tasks(tx, [NewTask(TaskKind.APPROVE, approval.id)])
    else:
        add_notices(tx, [notice(approval, NoticeKind.APPROVAL_DENIED, "denied", approval.principal)])
    append_audit(tx, [approval_entry(approval, asked.principal.key, f"approval.{state}", "ok")])
    return decided, True


def link_approved(tx: Transaction, asked: Asked, approval_id: str, identity: base.Identity) -> None:
    """Link a person as the username that was approved and checked, unless that was withdrawn meanwhile."""
    approval = _approved(tx, asked, approval_id)
    if approval is None:
        return
    account = begin(
        tx,
        asked,
        approval.connection,
        identity.username,
        sealed(asked, approval.connection, identity.credential),
        identity.credential.ends_at,
        actor=approval.decided_by or "",
        proof="administrator",
        made_by="approval",
        waiting=approval.waiting,
        more={"acts": "admin"},
    )
    if account is None:
        fail_approved(tx, asked, approval.id, "taken")
        warn_holders(
            tx, approval.connection, identity.username, asked.principal, approval.id, is_approved=True
        )
    else:
        approvals.move(tx, approval.id, "linked")
        add_notices(tx, _to_administrator(approval, NoticeKind.APPROVAL_DONE, "linked"))


def fail_approved(tx: Transaction, asked: Asked, approval_id: str, because: str, *, said: str = "") -> None:
    """Write why nobody was linked as the approved username, and tell the person and the administrator.

    ``because`` is a cause that has a sentence; ``said`` is what the provider's side said.
    """
    approval = _approved(tx, asked, approval_id)
    if approval is None:
        return
    title = asked.context.title(approval.connection)
    detail = problems.sentence(because, title) if because in problems.CAUSES else because
    approvals.move(tx, approval.id, "failed", approval.decided_by or "", detail)
    kind = NoticeKind.APPROVAL_FAILED
    own = notice(approval, kind, "failed", approval.principal, cause=because, is_own=True)
    add_notices(tx, [own, *_to_administrator(approval, kind, "failed", cause=because)])
    more = {"cause": because, "said": said} if said else {"cause": because}
    append_audit(tx, [approval_entry(approval, "usher", "approval.failed", "refused", **more)])


def _approved(tx: Transaction, asked: Asked, approval_id: str) -> Approval | None:
    """Return a person's request that was approved, and not withdrawn or settled since."""
    approval = approvals.approval(tx, approval_id)
    is_theirs = approval is not None and approval.principal == asked.principal
    return approval if approval is not None and is_theirs and approval.state == "approved" else None


def _to_administrator(approval: Approval, kind: NoticeKind, what: str, **facts: str) -> list[NewNotice]:
    if not approval.decided_by:
        return []
    to = Principal.from_key(approval.decided_by)
    return [notice(approval, kind, f"{what}:{to.key}", to, **facts)]


def notice(approval: Approval, kind: NoticeKind, occasion: str, to: Principal, **facts: Any) -> NewNotice:
    """Return a direct message about a request; it is sent once per occasion."""
    body = {
        "approval": approval.id,
        "connection": approval.connection,
        "username": approval.username,
        "person": approval.principal.key,
        **facts,
    }
    return NewNotice(approval.id, kind, occasion, to, body)


def approval_entry(approval: Approval, actor: str, action: str, result: str, **detail: str) -> AuditEntry:
    """Return an audit row about a request."""
    return AuditEntry(
        actor=actor,
        action=action,
        target=f"{approval.principal.key}/{approval.connection}",
        result=result,
        detail={"approval": approval.id, "username": approval.username, **detail},
    )


def is_username(text: str) -> bool:
    """Say whether a text can be approved as a username: fully shown, and with nothing invisible in it."""
    return _USERNAME.fullmatch(text) is not None and clean(text) == text and len(escape(text)) <= SHOWN
