"""Acting as a username that an administrator approved: requested and decided in Slack, checked by the worker.

An administrator says which person is which user at a provider; it is never guessed from names or addresses.
Every step leaves an audit row.
"""

from __future__ import annotations

import re
from typing import Any

from bot.domain.models import Approval, AuditEntry, NewNotice, NoticeKind, Principal, TaskKind
from bot.domain.policy import Target
from bot.messages.texts import approvals as words
from bot.messages.texts import pages, problems
from bot.services.authority import Authority
from bot.services.context import Context, Part
from bot.store.records import NewTask
from bot.support.errors import Refused
from bot.support.visible import SHOWN, clean, escape

_USERNAME = re.compile(r"[^\s\x00-\x1f\x7f]{1,100}")


class Approvals(Part):
    """Write requests and decisions; what follows an approval is a task of the reconciler."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._authority = Authority(context)

    def possible(self, principal: Principal) -> list[str]:
        """Return the names of the connections where a person's username may be approved."""
        return sorted(
            name
            for name, provider in self._connections.items()
            if provider.links_by("admin") and provider.settings.serves(principal)
        )

    async def ask(
        self,
        principal: Principal,
        connection: str,
        username: str,
        *,
        interaction: str,
        waiting: dict[str, Any] | None = None,
    ) -> Approval:
        """Ask the administrators of the person's Slack workspace.

        Raises Refused (``link.unknown_connection``, ``approval.…``).
        """
        await self._authority.check(principal, "link")
        provider = self._connections.get(connection)
        if provider is None or connection not in self.possible(principal):
            known = (
                ", ".join(self._connections[one].settings.title for one in self.possible(principal)) or "none"
            )
            raise Refused("link.unknown_connection", pages.unknown_connection(connection, known))
        if not is_username(username):
            raise Refused("approval.username", words.USERNAME_SHAPE)
        place = self._authority.installation
        administrators = place.administrators_of(lambda one: place.are_together(one, principal))
        if not administrators:
            raise Refused("policy.no_administrators", problems.sentence("no_administrators"))
        approval = Approval(
            id=self._ids.new("approval"),
            principal=principal,
            connection=connection,
            username=username,
            state="asked",
            asked_at=await self._store.now(),
            waiting=waiting,
        )
        asked = await self._store.ask_approval(
            approval,
            [notice(approval, NoticeKind.APPROVAL_ASKED, f"asked:{one.key}", one) for one in administrators],
            [entry(approval, principal.key, "approval.asked", "ok")],
            interaction,
        )
        self._wake()
        return asked

    async def decide(
        self, principal: Principal, approval_id: str, username: str, *, approve: bool, interaction: str
    ) -> tuple[Approval, bool]:
        """Approve or deny a request as an administrator; return it, and whether this call decided it.

        ``username`` is what the administrator saw: a request that names another one by now is not decided.
        """
        approval = await self._store.approval(approval_id)
        target = Target("approval", approval.id, approval.principal) if approval is not None else None
        await self._authority.check(principal, "approve", target)
        if approval is None:
            raise Refused("approval.unknown", words.GONE)
        self._provider(approval.connection)
        if approval.username != username or approval.state != "asked":
            return approval, False
        denied = notice(approval, NoticeKind.APPROVAL_DENIED, "denied", approval.principal)
        decided = await self._store.decide_approval(
            approval.id,
            "approved" if approve else "denied",
            principal.key,
            tasks=[NewTask(TaskKind.APPROVE, approval.id)] if approve else [],
            notices=[] if approve else [denied],
            audit=[
                entry(approval, principal.key, "approval.approved" if approve else "approval.denied", "ok")
            ],
            interaction=interaction,
        )
        self._wake()
        return (decided, True) if decided is not None else (approval, False)


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
