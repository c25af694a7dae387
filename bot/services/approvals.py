"""Acting as a username that an administrator approved: requested and decided in Slack, checked by the worker.

An administrator says which person is which user at a provider; it is never guessed from names or addresses.
Every step leaves an audit row.
"""

from __future__ import annotations

import re
from typing import Any, Literal

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.people import Approval, AuditEntry, Principal, TaskKind
from bot.domain.policy import Target
from bot.messages.texts import approvals as words
from bot.messages.texts import pages, problems
from bot.services.asked import Asked
from bot.services.context import Context
from bot.store import approvals as rows
from bot.store import people
from bot.store.audit import append_audit
from bot.store.notices import add_notices
from bot.store.records import NewTask
from bot.store.tasks import add_tasks
from bot.store.transaction import Transaction
from bot.support.cleaning import SHOWN, clean, escape
from bot.support.errors import Refused

_USERNAME = re.compile(r"[^\s\x00-\x1f\x7f]{1,100}")


def possible(context: Context, principal: Principal) -> list[str]:
    """Return the names of the connections where a person's username may be approved."""
    return sorted(
        name
        for name, provider in context.connections.items()
        if provider.links_by("admin") and provider.settings.serves(principal)
    )


def ask(
    tx: Transaction, asked: Asked, connection: str, username: str, *, waiting: dict[str, Any] | None = None
) -> Approval:
    """Ask the administrators of the person's Slack workspace; return the request as it stands.

    ``waiting`` is the command that runs once they are linked. Raises Refused (``link.unknown_connection``,
    ``approval.username``, ``policy.no_administrators``).
    """
    asked.check(tx, "link")
    context, principal = asked.context, asked.principal
    there = possible(context, principal)
    if connection not in there:
        known = ", ".join(context.connections[one].settings.title for one in there) or "none"
        raise Refused("link.unknown_connection", pages.unknown_connection(connection, known))
    if not is_username(username):
        raise Refused("approval.username", words.USERNAME_SHAPE)
    place = context.installation
    administrators = place.administrators_of(lambda one: place.are_together(one, principal))
    if not administrators:
        raise Refused("policy.no_administrators", problems.sentence("no_administrators"))
    fresh = context.ids.new("approval")
    new = Approval(fresh, principal, connection, username, "asked", tx.now(), waiting=waiting)
    if not asked.is_new(tx):
        return rows.approval(tx, people.result_of(tx, asked.interaction)) or new
    approval = rows.put(tx, new)
    if approval.id == new.id:
        kind = NoticeKind.APPROVAL_ASKED
        add_notices(tx, [notice(new, kind, f"asked:{one.key}", one) for one in administrators])
    people.keep_result(tx, asked.interaction, approval.id)
    append_audit(tx, [entry(new, principal.key, "approval.asked", "ok")])
    return approval


def decide(
    tx: Transaction, asked: Asked, approval_id: str, username: str, *, approve: bool
) -> tuple[Approval, bool]:
    """Approve or deny a request as an administrator; return it, and whether this call decided it.

    ``username`` is what the administrator saw: a request that names another one by now is not decided.
    """
    approval = rows.approval(tx, approval_id)
    target = Target("approval", approval.id, approval.principal) if approval is not None else None
    asked.check(tx, "approve", target)
    if approval is None:
        raise Refused("approval.unknown", words.GONE)
    asked.context.provider(approval.connection)
    if approval.username != username or approval.state != "asked" or not asked.is_new(tx):
        return approval, False
    state: Literal["approved", "denied"] = "approved" if approve else "denied"
    decided = rows.move(tx, approval.id, state, asked.principal.key)
    assert decided is not None, "nobody else decides within this transaction"
    if approve:
        add_tasks(tx, [NewTask(TaskKind.APPROVE, approval.id)])
    else:
        add_notices(tx, [notice(approval, NoticeKind.APPROVAL_DENIED, "denied", approval.principal)])
    append_audit(tx, [entry(approval, asked.principal.key, f"approval.{state}", "ok")])
    return decided, True


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


def entry(approval: Approval, actor: str, action: str, result: str, **detail: str) -> AuditEntry:
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
