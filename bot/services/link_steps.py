"""The steps of a link's page: open it, prove who you are, check a token, confirm.

The reasons are in ``docs/rules.md``, "Linking proves both sides". Every refusal is a ``Refused`` with a text
for the person; its rule decides the page's status.
"""

from __future__ import annotations

import hmac
from dataclasses import replace
from typing import Any

from bot.domain.models import Account, AuditEntry, Link, NewNotice, NoticeKind, Principal, TaskKind
from bot.messages.texts import pages as words
from bot.providers import facets
from bot.services import linking
from bot.services.authority import Authority
from bot.services.context import Context, Part
from bot.services.linking import Confirmed, Opened, StoredNames, digest
from bot.store.records import Activation, NewTask
from bot.support.errors import CredentialRefused, ProviderError, Refused, TemporaryError
from bot.support.vault import row_key


class LinkSteps(Part):
    """Take a link from its first visit to the linked account."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._authority = Authority(context)
        self._names = StoredNames(context)
        self.sign_in = context.sign_in

    async def open(self, nonce: str, browser: str) -> Opened:
        """Return what the page shows, without changing anything. Raises Refused (``link.used``, …)."""
        link = await self._usable(nonce)
        if not self.sign_in:
            self._same_browser(link, browser)
        if link.stage == "open" and link.tries_left <= 0:
            raise Refused("link.tries", words.link_tries(self._command, link.connection))
        return await self._opened(link, browser)

    async def prove(self, nonce: str, browser: str, proven: Principal) -> Opened:
        """Accept what Sign in with Slack proved; raises Refused (``link.mismatch``) and audits both people.

        A token checked earlier in another browser is discarded.
        """
        link = await self._usable(nonce)
        if not self._installation.is_same_person(link.principal, proven):
            stranger = proven.key
            await self._store.append_audit(
                [
                    entry(link, "link.sign_in", "mismatch", signed_in=stranger),
                    AuditEntry(
                        stranger, "link.sign_in", _target(link), "mismatch", {"link_of": link.principal.key}
                    ),
                ]
            )
            opened = await self._opened(link, browser)
            raise Refused("link.mismatch", words.sign_in_mismatch(opened.person, opened.workspace))
        fresh = replace(
            link, stage="open", secret=None, username=None, proven=True, browser_hash=digest(browser)
        )
        await self._change(fresh, link)
        await self._store.append_audit([entry(link, "link.sign_in", "ok")])
        return await self._opened(fresh, browser)

    async def check(self, nonce: str, browser: str, pasted: str) -> Opened:
        """Ask the provider whose token this is: ten seconds at most, five attempts; the link isn't used up.

        Raises Refused with what to do next; an attempt doesn't count if the provider merely failed.
        """
        link = await self._writable(nonce, browser)
        if link.tries_left <= 0:
            raise Refused("link.tries", words.link_tries(self._command, link.connection))
        provider = self._connections[link.connection]
        title = provider.settings.title
        token = provider.clean_token(pasted)
        try:
            linking.refuse_foreign(token, title, self._connections.values())
        except Refused as refused:
            await self._store.append_audit([entry(link, "link.check", "refused", error=refused.rule)])
            raise
        if not linking.is_token(token, provider.need(facets.Tokens).token_help()):
            raise Refused("token.shape", words.token_shape(title))
        # The attempt is counted before the call, so that concurrent attempts can't exceed five.
        tried = replace(
            link,
            stage="open",
            secret=None,
            username=None,
            tries_left=link.tries_left - 1,
            browser_hash=digest(browser),
        )
        await self._change(tried, link)
        try:
            identity = await linking.identify(provider, token)
        except ProviderError as error:
            if isinstance(error, TemporaryError):
                await self._store.change_link(
                    replace(tried, tries_left=link.tries_left), "open", tried.tries_left
                )
            kind = type(error).__name__
            await self._store.append_audit([entry(link, "link.check", "refused", error=kind)])
            rule = "token.refused" if isinstance(error, CredentialRefused) else "token.failed"
            raise Refused(rule, words.check_failed(error, title, tried.tries_left)) from None
        sealed = self._vault.seal(
            row_key(link.principal.key, link.connection), identity.credential.as_mapping()
        )
        checked = replace(tried, stage="checked", secret=sealed, username=identity.username)
        if isinstance(provider, facets.Revocation) and identity.credential.token.get_secret_value() != token:
            await self._revoke_later(checked, sealed)
        await self._change(checked, tried)
        await self._store.append_audit([entry(checked, "link.check", "ok", username=identity.username)])
        return await self._opened(checked, browser)

    async def again(self, nonce: str, browser: str) -> Opened:
        """Discard the checked token, so that another can be pasted."""
        link = await self._writable(nonce, browser)
        fresh = replace(link, stage="open", secret=None, username=None)
        await self._change(fresh, link)
        return await self._opened(fresh, browser)

    async def confirm(self, nonce: str, browser: str, mark: str) -> Confirmed:
        """Link the account that ``mark`` identifies, or return the code to type back; uses up the link."""
        link = await self._writable(nonce, browser)
        opened = await self._opened(link, browser)
        if link.stage != "checked" or not hmac.compare_digest(opened.mark.encode(), mark.encode()):
            raise Refused("link.changed", words.link_changed())
        if self.sign_in:
            return Confirmed(opened, account=await self.activate(link, "checked", proof="sign_in"))
        code = linking.new_code()
        waiting = replace(
            link,
            stage="code",
            # Sealed, because the digest of a short code could be guessed from a stolen database.
            code_hash=self._vault.seal(code_row(link), {"code": digest(code)}),
            code_tries_left=linking.TRIES,
            tries_left=linking.TRIES,
            expires_at=await self._store.now() + linking.CODE_SECONDS,
        )
        if not await self._store.change_link(waiting, "checked", link.tries_left):
            raise self._used(link)
        await self._store.append_audit([entry(link, "link.confirmed", "ok", username=link.username)])
        return Confirmed(await self._opened(waiting, browser), code=code)

    async def activate(self, link: Link, stage: str, *, proof: str) -> Account:
        """Write the account and everything that follows; raises Refused (``link.used``, ``link.taken``)."""
        account = Account(
            id=self._ids.new("account"),
            principal=link.principal,
            connection=link.connection,
            username=link.username or "",
            secret=link.secret or "",
            state="active",
            linked_at=await self._store.now(),
        )
        body = {"connection": account.connection, "username": account.username, "account": account.id}
        activation = Activation(
            account=account,
            settles=digest(account.secret),
            notices=[NewNotice(account.id, NoticeKind.LINKED, "linked", account.principal, body)],
            tasks=[
                NewTask(
                    TaskKind.DISCOVER,
                    subject=account.id,
                    payload={"then": [link.waiting] if link.waiting else []},
                )
            ],
            audit=[
                entry(
                    link, "account.linked", "ok", account=account.id, username=account.username, proof=proof
                )
            ],
        )
        result = await self._store.activate(link.nonce_hash, stage, activation)
        if result == "gone":
            raise self._used(link)
        if result == "taken":
            await self._store.append_audit(
                [entry(link, "account.linked", "taken", username=account.username)]
            )
            title = self._connections[link.connection].settings.title
            await linking.warn_holders(
                self._store,
                link.connection,
                account.username,
                link.principal,
                link.nonce_hash[:12],
            )
            self._wake()
            raise Refused("link.taken", words.link_taken(title, account.username))
        self._wake()
        return account

    # -- inside ------------------------------------------------------------------------------------------

    async def _revoke_later(self, link: Link, sealed: str) -> None:
        """Have a credential made for this link revoked if the link ends without an account.

        Written before the link holds the credential, so that it is never left behind.
        """
        payload = {
            "principal": link.principal.key,
            "connection": link.connection,
            "username": link.username or "",
            "secret": sealed,
        }
        await self._store.add_tasks(
            [NewTask(TaskKind.REVOKE_UNUSED, digest(sealed), payload, due_in=linking.UNUSED_SECONDS)]
        )

    async def _usable(self, nonce: str) -> Link:
        link = await self._store.link(digest(nonce)) if linking.is_nonce(nonce) else None
        if link is None:
            raise Refused("link.unknown", words.link_unknown(self._command))
        if link.stage == "used":
            raise self._used(link)
        if link.expires_at <= await self._store.now():
            raise Refused("link.expired", words.link_expired(self._command, link.connection))
        provider = self._connections.get(link.connection)
        if provider is None or not provider.settings.serves(link.principal):
            raise Refused("link.connection", words.link_connection(self._command))
        person = await self._store.person(link.principal)
        if person is not None and person.is_deleted:
            raise Refused("link.person", words.link_person(person.name))
        await self._authority.check(link.principal, "link")
        return link

    async def _writable(self, nonce: str, browser: str) -> Link:
        """Return a link that this browser may continue with; a confirmed one counts as used."""
        link = await self._usable(nonce)
        if self.sign_in and not self._is_proven(link, browser):
            raise Refused("link.sign_in_first", words.sign_in_first())
        self._same_browser(link, browser)
        if link.stage == "code":
            raise self._used(link)
        return link

    def _same_browser(self, link: Link, browser: str) -> None:
        if link.browser_hash is not None and not hmac.compare_digest(link.browser_hash, digest(browser)):
            raise Refused("link.other_browser", words.link_other_browser(self._command, link.connection))

    def _is_proven(self, link: Link, browser: str) -> bool:
        return link.proven and hmac.compare_digest(link.browser_hash or "", digest(browser))

    async def _change(self, link: Link, before: Link) -> None:
        if not await self._store.change_link(link, before.stage, before.tries_left):
            raise Refused("link.changed", words.link_changed())

    async def _opened(self, link: Link, browser: str) -> Opened:
        provider = self._connections[link.connection]
        return Opened(
            link=link,
            title=provider.settings.title,
            person=await self._names.person(link.principal),
            workspace=await self._names.workspace(link.principal),
            help=provider.need(facets.Tokens).token_help(),
            needs_sign_in=self.sign_in and not self._is_proven(link, browser),
        )

    def _used(self, link: Link) -> Refused:
        return Refused("link.used", words.link_used(self._command, link.connection))


def code_row(link: Link) -> str:
    """Return the key under which a link's code is sealed."""
    return f"{row_key(link.principal.key, link.connection)}/code/{link.nonce_hash}"


def entry(link: Link, action: str, result: str, **detail: Any) -> AuditEntry:
    """Return an audit row about a link."""
    # A prefix of the digest is enough to tell links apart, and can't be used to open one.
    return AuditEntry(
        actor=link.principal.key,
        action=action,
        target=_target(link),
        result=result,
        detail={"link": link.nonce_hash[:12], **detail},
    )


def _target(link: Link) -> str:
    return f"{link.principal.key}/{link.connection}"
