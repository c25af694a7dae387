"""The steps of a link's page: open it, prove who you are, check a token, confirm.

The reasons are in ``docs/rules.md``, "Linking proves both sides". Every refusal is a ``Refused`` with a text
for the person; its rule decides the page's status.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

from pydantic import SecretStr

from bot.domain.people import AuditEntry, Link, Principal
from bot.messages.texts import pages as words
from bot.messages.texts import sign_in as there
from bot.providers import base
from bot.providers.base import Credential, Identity
from bot.services import linking
from bot.services.authority import Authority
from bot.services.context import Context, Part
from bot.services.linked import Linked
from bot.services.linking import Confirmed, Opened, StoredNames, code_row, digest, entry
from bot.support.errors import CredentialRefused, ProviderError, Refused, TemporaryError
from bot.support.vault import row_key


class LinkSteps(Part):
    """Take a link from its first visit to the linked account."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._authority = Authority(context)
        self._names = StoredNames(context)
        self.linked = Linked(context)
        self.sign_in = context.sign_in

    async def open(self, nonce: str, browser: str) -> Opened:
        """Return what the page shows, without changing anything. Raises Refused (``link.used``, …)."""
        link = await self._usable(nonce)
        if not self.sign_in:
            self._same_browser(link, browser)
        if link.stage == "open" and link.tries_left <= 0:
            raise Refused("link.tries", words.link_tries(self._command, self._title(link)))
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
                        stranger,
                        "link.sign_in",
                        linking.target(link),
                        "mismatch",
                        {"link_of": link.principal.key},
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
        link = await self._with_tries(nonce, browser)
        provider = self._connections[link.connection]
        title = provider.settings.title
        token = provider.clean_token(pasted)
        try:
            linking.refuse_foreign(token, title, self._connections.values())
        except Refused as refused:
            await self._store.append_audit([entry(link, "link.check", "refused", error=refused.rule)])
            raise
        if not linking.is_token(token, provider.need(base.Tokens).token_help()):
            raise Refused("token.shape", words.token_shape(title))
        ask = partial(provider.check, Credential(SecretStr(token)))
        return await self._identified(link, browser, ask, "token", words.check_failed, token)

    async def sign_in_page(self, nonce: str, browser: str, state: str, challenge: str) -> str:
        """Return the provider's page on which the person signs in, "" if there is nothing to sign in for.

        Nothing is changed. ``state`` and ``challenge`` are what it must come back with.
        """
        link = await self._with_tries(nonce, browser)
        client = self._connections[link.connection].oauth
        if client is None or link.stage != "open":
            return ""
        return client.page(self._back(link), state, challenge)

    async def signed_in(self, nonce: str, browser: str, code: str, verifier: str) -> Opened:
        """Ask the provider whose account a code stands for; like ``check``."""
        link = await self._with_tries(nonce, browser)
        client = self._connections[link.connection].oauth
        if client is None or link.stage != "open":
            raise Refused("link.changed", words.link_changed())
        ask = partial(client.finish, code, verifier, self._back(link))
        return await self._identified(link, browser, ask, "sign_in", there.failed)

    async def again(self, nonce: str, browser: str) -> Opened:
        """Discard the checked credential, so that another can take its place."""
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
            return Confirmed(opened, account=await self.linked.activate(link, "checked", proof="sign_in"))
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
            raise linking.used(self._title(link), self._command)
        await self._store.append_audit([entry(link, "link.confirmed", "ok", username=link.username)])
        return Confirmed(await self._opened(waiting, browser), code=code)

    # -- inside ------------------------------------------------------------------------------------------

    async def _identified(
        self,
        link: Link,
        browser: str,
        ask: Callable[[], Awaitable[Identity]],
        way: str,
        why: Callable[[ProviderError, str, int], str],
        pasted: str = "",
    ) -> Opened:
        """Keep the credential whose account the provider names; what Usher got by it is revoked if unused.

        ``way`` begins the rule of a refusal, ``why`` says why.
        """
        provider = self._connections[link.connection]
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
            identity = await linking.identify(ask())
        except ProviderError as error:
            if isinstance(error, TemporaryError):
                again = replace(tried, tries_left=link.tries_left)
                await self._store.change_link(again, "open", tried.tries_left)
            kind = type(error).__name__
            await self._store.append_audit([entry(link, "link.check", "refused", error=kind)])
            rule = f"{way}.{'refused' if isinstance(error, CredentialRefused) else 'failed'}"
            raise Refused(rule, why(error, provider.settings.title, tried.tries_left)) from None
        credential = identity.credential
        sealed = self._vault.seal(row_key(link.principal.key, link.connection), credential.as_mapping())
        checked = replace(
            tried, stage="checked", secret=sealed, username=identity.username, ends_at=credential.ends_at
        )
        if isinstance(provider, base.Revocation) and credential.token.get_secret_value() != pasted:
            # Written before the link holds it, so that it is never left behind.
            await self._store.add_tasks([linking.revocation(checked, sealed)])
        await self._change(checked, tried)
        await self._store.append_audit([entry(checked, "link.check", "ok", username=identity.username)])
        return await self._opened(checked, browser)

    async def _usable(self, nonce: str) -> Link:
        link = await self._store.link(digest(nonce)) if linking.is_nonce(nonce) else None
        if link is None:
            raise Refused("link.unknown", words.link_unknown(self._command))
        if link.stage == "used":
            raise linking.used(self._title(link), self._command)
        if link.expires_at <= await self._store.now():
            raise Refused("link.expired", words.link_expired(self._command, self._title(link)))
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
            raise linking.used(self._title(link), self._command)
        return link

    async def _with_tries(self, nonce: str, browser: str) -> Link:
        link = await self._writable(nonce, browser)
        if link.tries_left <= 0:
            raise Refused("link.tries", words.link_tries(self._command, self._title(link)))
        return link

    def _title(self, link: Link) -> str:
        provider = self._connections.get(link.connection)
        return provider.settings.title if provider is not None else link.connection

    def _back(self, link: Link) -> str:
        return linking.return_address(self._public_url or "", link.connection)

    def _same_browser(self, link: Link, browser: str) -> None:
        if link.browser_hash is not None and not hmac.compare_digest(link.browser_hash, digest(browser)):
            raise Refused("link.other_browser", words.link_other_browser(self._command, self._title(link)))

    def _is_proven(self, link: Link, browser: str) -> bool:
        return link.proven and hmac.compare_digest(link.browser_hash or "", digest(browser))

    async def _change(self, link: Link, before: Link) -> None:
        if not await self._store.change_link(link, before.stage, before.tries_left):
            raise Refused("link.changed", words.link_changed())

    async def _opened(self, link: Link, browser: str) -> Opened:
        provider = self._connections[link.connection]
        account = await self._store.account(link.principal, link.connection)
        return Opened(
            link=link,
            title=provider.settings.title,
            person=await self._names.person(link.principal),
            workspace=await self._names.workspace(link.principal),
            help=provider.need(base.Tokens).token_help(),
            needs_sign_in=self.sign_in and not self._is_proven(link, browser),
            signs_in=provider.oauth is not None,
            former=account.username if account is not None and account.state != "revoking" else "",
        )
