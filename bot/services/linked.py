"""The end of a link: the account, with everything that follows from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.people import Account, Link, TaskKind
from bot.messages.texts import pages as words
from bot.services import linking
from bot.services.context import Part
from bot.services.linking import digest, entry
from bot.store.records import Activation, NewTask
from bot.support.errors import Refused


class Linked(Part):
    """Write the account that a link ends in."""

    async def activate(self, link: Link, stage: str, *, proof: str) -> Account:
        """Use the link up and write its account; raises Refused (``link.used``, ``link.taken``)."""
        account = Account(
            id=self._ids.new("account"),
            principal=link.principal,
            connection=link.connection,
            username=link.username or "",
            secret=link.secret or "",
            state="active",
            linked_at=await self._store.now(),
            ends_at=link.ends_at,
        )
        body = {"connection": account.connection, "username": account.username, "account": account.id}
        then = [link.waiting] if link.waiting else []
        activation = Activation(
            account=account,
            settles=digest(account.secret),
            moved=self._moved(account),
            notices=[NewNotice(account.id, NoticeKind.LINKED, "linked", account.principal, body)],
            tasks=[NewTask(TaskKind.DISCOVER, account.id, {"then": then})],
            audit=[
                entry(
                    link, "account.linked", "ok", account=account.id, username=account.username, proof=proof
                )
            ],
        )
        result = await self._store.activate(link.nonce_hash, stage, activation)
        if result == "gone":
            raise linking.used(self._connections[link.connection].settings.title, self._command)
        if result == "taken":
            await self._taken(link, account)
        self._wake()
        return account

    def _moved(self, account: Account) -> Callable[[str, str], tuple[str, str]]:
        provider = self._connections[account.connection]

        def moved(remote_id: str, former: str) -> tuple[str, str]:
            by_name = provider.renamed(remote_id, former, account.username)
            return by_name, provider.gate_key(by_name)

        return moved

    async def _taken(self, link: Link, account: Account) -> NoReturn:
        await self._store.append_audit([entry(link, "account.linked", "taken", username=account.username)])
        title = self._connections[link.connection].settings.title
        await linking.warn_holders(
            self._store, link.connection, account.username, link.principal, link.nonce_hash[:12]
        )
        self._wake()
        raise Refused("link.taken", words.link_taken(title, account.username))
