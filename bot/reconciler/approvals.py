"""Approved usernames: checked with their provider using the connection's own secret, then linked."""

from __future__ import annotations

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.people import Account, Approval, AuditEntry, Principal, Task, TaskKind
from bot.messages.texts import problems
from bot.providers import base
from bot.providers.base import Credential
from bot.reconciler.ask import Done, Refused
from bot.reconciler.context import EnginePart
from bot.reconciler.lists import not_yet
from bot.reconciler.runtimes import Runtime
from bot.services.approvals import entry, notice
from bot.services.linking import warn_holders
from bot.store.records import Activation, NewTask
from bot.support.errors import CredentialRefused, NotFound, Untrusted
from bot.support.vault import row_key

CHECK_SECONDS = 20.0


class Approved(EnginePart):
    """Link people as the usernames approved for them."""

    async def link(self, task: Task) -> None:
        """Check an approved username and link its person; raise Again while the provider doesn't answer."""
        approval = await self._store.approval(task.subject)
        if approval is None or approval.state != "approved":
            return
        runtime = self._runtimes.get(approval.connection)
        is_served = runtime is not None and runtime.provider.settings.serves(approval.principal)
        if runtime is None or not is_served or not runtime.provider.links_by("admin"):
            # The operator has changed the connections file since the approval.
            await self._failed(approval, runtime.title if runtime else approval.connection, "not_set_up")
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
                await self._activate(approval, runtime, identity.username, identity.credential)
            case Refused(error=NotFound()):
                await self._failed(approval, runtime.title, "not_found")
            case Refused(error=CredentialRefused()):
                await self._failed(approval, runtime.title, "credential_refused")
            case Refused(error=Untrusted() as error):
                await self._failed(approval, runtime.title, "untrusted", said=error.message)
            case Refused():
                await self._failed(approval, runtime.title, "forbidden")
            case _:
                raise not_yet(answer)

    async def give_up(self, task: Task, because: str = "gave_up") -> None:
        """Tell the person and the administrator why it failed, usually since the provider never answered."""
        approval = await self._store.approval(task.subject)
        if approval is not None and approval.state == "approved":
            runtime = self._runtimes.get(approval.connection)
            await self._failed(approval, runtime.title if runtime else approval.connection, because)

    async def _activate(
        self, approval: Approval, runtime: Runtime, username: str, credential: Credential
    ) -> None:
        """Write the account and the request's end in one transaction, so a crash can't separate them."""
        principal, connection = approval.principal, approval.connection
        account = Account(
            id=self._ids.new("account"),
            principal=principal,
            connection=connection,
            username=username,
            secret=self._vault.seal(row_key(principal.key, connection), credential.as_mapping()),
            state="active",
            linked_at=await self._store.now(),
            ends_at=credential.ends_at,
        )
        body = {"connection": connection, "username": username, "account": account.id}
        then = [approval.waiting] if approval.waiting else []
        activation = Activation(
            account=account,
            notices=[
                NewNotice(account.id, NoticeKind.LINKED, "linked", principal, body),
                *_to_administrator(approval, NoticeKind.APPROVAL_DONE, "linked"),
            ],
            tasks=[NewTask(TaskKind.DISCOVER, account.id, {"then": then})],
            audit=[
                AuditEntry(
                    actor=approval.decided_by or "",
                    action="account.linked",
                    target=f"{principal.key}/{connection}",
                    result="ok",
                    detail={
                        "account": account.id,
                        "username": username,
                        "proof": "administrator",
                        "acts": "admin",
                    },
                )
            ],
        )
        if await self._store.activate_directly(activation, approval.id) == "taken":
            await self._failed(approval, runtime.title, "taken")
            await warn_holders(self._store, connection, username, principal, approval.id, is_approved=True)

    async def _failed(self, approval: Approval, title: str, because: str, *, said: str = "") -> None:
        kind = NoticeKind.APPROVAL_FAILED
        detail = problems.sentence(because, title) if because in problems.CAUSES else because
        news = [
            notice(approval, kind, "failed", approval.principal, cause=because, is_own=True),
            *_to_administrator(approval, kind, "failed", cause=because),
        ]
        more = {"cause": because, "said": said} if said else {"cause": because}
        audit = entry(approval, "usher", "approval.failed", "refused", **more)
        await self._store.approval_failed(approval, detail, news, audit)


def _to_administrator(approval: Approval, kind: NoticeKind, what: str, **facts: str) -> list[NewNotice]:
    if not approval.decided_by:
        return []
    to = Principal.from_key(approval.decided_by)
    return [notice(approval, kind, f"{what}:{to.key}", to, **facts)]
