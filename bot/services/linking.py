"""Linking by a page: open it, prove who you are, check a token, confirm; and the account at its end.

``identify``, the one call to a provider that a person waits for, is the only I/O besides the store's.

The reasons are in ``docs/rules.md``, "Linking proves both sides". Every refusal is a ``Refused`` with a text
for the person; its rule decides the page's status.
"""

import asyncio
import hashlib
import hmac
import re
import secrets
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NoReturn

from pydantic import SecretStr

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.people import Account, AuditEntry, Link, Principal, TaskKind
from bot.messages.texts import pages
from bot.providers import base
from bot.services.asked import Authority
from bot.services.context import Context, Part
from bot.store.records import Activation, NewTask
from bot.store.store import Store
from bot.support.cleaning import SLACK_TOKEN
from bot.support.errors import CredentialRefused, ProviderError, Refused, TemporaryError, UnknownOutcome
from bot.support.vault import row_key

#: How long a link is valid, and then how long its code is; seconds.
LINK_SECONDS = 600.0
CODE_SECONDS = 600.0
#: By then a link has ended in any case, and a credential made for it has been used or never will be.
UNUSED_SECONDS = LINK_SECONDS + CODE_SECONDS + 60.0
#: The longest that a person waits for a token to be checked; seconds.
CHECK_SECONDS = 10.0
TRIES = 5
CODE_LENGTH = 8
#: No provider's token is longer; a longer text is never matched against a pattern.
LONGEST_TOKEN = 4096

#: Without letters and digits that are easily confused, and without vowels that form words.
_READABLE = "23456789BCDFGHJKMNPQRSTVWXZ"
_NONCE = re.compile(r"[A-Za-z0-9_-]{43}")


class StoredNames:
    """Look up the names that pages show: in the table of people, and in Usher's installation."""

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._installation = context.installation

    async def person(self, principal: Principal) -> str:
        """Return the person's name, or their Slack id if it isn't known yet."""
        known = await self._store.person(principal)
        return known.name if known is not None and known.name.strip() else principal.user_id

    async def workspace(self, principal: Principal) -> str:
        """Return the name of the workspace (or the organisation) that Usher is installed in, or its id."""
        return self._installation.at(principal).team_name.strip() or principal.team_id


@dataclass(frozen=True, slots=True)
class Opened:
    """Hold what a page about a link shows. ``mark`` identifies the checked token without revealing it.

    ``signs_in``: the person signs in at the provider instead of pasting a token. ``former`` is the username
    that the person has linked there so far, "" for none.
    """

    link: Link
    title: str
    person: str
    workspace: str
    help: base.TokenHelp
    needs_sign_in: bool
    signs_in: bool = False
    former: str = ""

    @property
    def is_another(self) -> bool:
        """Return whether the checked account isn't the one that is linked so far."""
        return bool(self.former and self.link.username and self.former != self.link.username)

    @property
    def mark(self) -> str:
        """Return a value that changes with every checked token: a confirmation is valid for one of them."""
        return digest(self.link.secret or "")[:16]


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Hold the result of a confirmation: an account, or the code to type back in Slack."""

    opened: Opened
    account: Account | None = None
    code: str | None = None


def digest(text: str) -> str:
    """Return the SHA-256 of a text in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def new_nonce() -> str:
    """Return 256 random bits in the form used in a link's address."""
    return secrets.token_urlsafe(32)


def is_nonce(text: str) -> bool:
    """Return whether a text has the shape of a nonce."""
    return _NONCE.fullmatch(text) is not None


def new_code() -> str:
    """Return eight easily readable characters."""
    return "".join(secrets.choice(_READABLE) for _ in range(CODE_LENGTH))


def plain_code(typed: str) -> str:
    """Return a typed code without the separators that people put between its letters."""
    return "".join(letter for letter in typed.upper() if letter in _READABLE)[: CODE_LENGTH * 2]


def is_token(text: str, help: base.TokenHelp) -> bool:  # noqa: A002 - what the provider calls it
    """Say whether a text can be a token: printable ASCII without spaces that fits the provider's pattern."""
    if not text or len(text) > LONGEST_TOKEN or not (text.isascii() and text.isprintable()) or " " in text:
        return False
    return re.fullmatch(help.pattern, text) is not None


def refuse_foreign(token: str, title: str, connections: Iterable[base.Provider]) -> None:
    """Raise Refused for a Slack token, or a connection's own: neither may be sent to a provider."""
    if SLACK_TOKEN.match(token):
        raise Refused("token.slack", pages.token_of_slack(title))
    for provider in connections:
        for own in provider.settings.secrets():
            if hmac.compare_digest(token.encode(), own.encode()):
                raise Refused("token.own", pages.token_own(title))


async def warn_holders(
    store: Store, connection: str, username: str, who: Principal, occasion: str, *, is_approved: bool = False
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
    await store.add_notices(
        [
            NewNotice(holder.id, NoticeKind.LINK_TRIED, f"tried:{occasion}", holder.principal, body)
            for holder in await store.accounts_of(connection, username)
            if holder.principal != who and holder.state != "revoking"
        ]
    )


def return_address(public_url: str, connection: str) -> str:
    """Return where a provider sends people back to after signing in; each connection has its own."""
    return f"{public_url.rstrip('/')}/link/back/{connection}"


async def identify(asking: Awaitable[base.Identity]) -> base.Identity:
    """Wait for a provider to say whose account it is, ten seconds at most; raises ProviderError kinds."""
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await asking
    except TimeoutError:
        raise UnknownOutcome("no answer in time") from None


def revocation(link: Link, sealed: str) -> NewTask:
    """Return the task that revokes a link's credential if the link ends without an account."""
    payload = {
        "principal": link.principal.key,
        "connection": link.connection,
        "username": link.username or "",
        "secret": sealed,
    }
    return NewTask(TaskKind.REVOKE_UNUSED, digest(sealed), payload, due_in=UNUSED_SECONDS)


def used(title: str, command: str) -> Refused:
    """Return the refusal of a link that was used; ``title`` is the connection's."""
    return Refused("link.used", pages.link_used(command, title))


def code_row(link: Link) -> str:
    """Return the key under which a link's code is sealed."""
    return f"{row_key(link.principal.key, link.connection)}/code/{link.nonce_hash}"


def entry(link: Link, action: str, result: str, **detail: Any) -> AuditEntry:
    """Return an audit row about a link."""
    # A prefix of the digest is enough to tell links apart, and can't be used to open one.
    return AuditEntry(
        actor=link.principal.key,
        action=action,
        target=target(link),
        result=result,
        detail={"link": link.nonce_hash[:12], **detail},
    )


def target(link: Link) -> str:
    """Return what the audit says that a link is about."""
    return f"{link.principal.key}/{link.connection}"


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
            raise Refused("link.tries", pages.link_tries(self._command, self._title(link)))
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
                        target(link),
                        "mismatch",
                        {"link_of": link.principal.key},
                    ),
                ]
            )
            opened = await self._opened(link, browser)
            raise Refused("link.mismatch", pages.sign_in_mismatch(opened.person, opened.workspace))
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
            refuse_foreign(token, title, self._connections.values())
        except Refused as refused:
            await self._store.append_audit([entry(link, "link.check", "refused", error=refused.rule)])
            raise
        if not is_token(token, provider.need(base.Tokens).token_help()):
            raise Refused("token.shape", pages.token_shape(title))
        ask = partial(provider.check, base.Credential(SecretStr(token)))
        return await self._identified(link, browser, ask, "token", pages.check_failed, token)

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
            raise Refused("link.changed", pages.link_changed())
        ask = partial(client.finish, code, verifier, self._back(link))
        return await self._identified(link, browser, ask, "sign_in", pages.there_failed)

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
            raise Refused("link.changed", pages.link_changed())
        if self.sign_in:
            return Confirmed(opened, account=await self.linked.activate(link, "checked", proof="sign_in"))
        code = new_code()
        waiting = replace(
            link,
            stage="code",
            # Sealed, because the digest of a short code could be guessed from a stolen database.
            code_hash=self._vault.seal(code_row(link), {"code": digest(code)}),
            code_tries_left=TRIES,
            tries_left=TRIES,
            expires_at=await self._store.now() + CODE_SECONDS,
        )
        if not await self._store.change_link(waiting, "checked", link.tries_left):
            raise used(self._title(link), self._command)
        await self._store.append_audit([entry(link, "link.confirmed", "ok", username=link.username)])
        return Confirmed(await self._opened(waiting, browser), code=code)

    # -- inside ------------------------------------------------------------------------------------------

    async def _identified(
        self,
        link: Link,
        browser: str,
        ask: Callable[[], Awaitable[base.Identity]],
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
            identity = await identify(ask())
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
            await self._store.add_tasks([revocation(checked, sealed)])
        await self._change(checked, tried)
        await self._store.append_audit([entry(checked, "link.check", "ok", username=identity.username)])
        return await self._opened(checked, browser)

    async def _usable(self, nonce: str) -> Link:
        link = await self._store.link(digest(nonce)) if is_nonce(nonce) else None
        if link is None:
            raise Refused("link.unknown", pages.link_unknown(self._command))
        if link.stage == "used":
            raise used(self._title(link), self._command)
        if link.expires_at <= await self._store.now():
            raise Refused("link.expired", pages.link_expired(self._command, self._title(link)))
        provider = self._connections.get(link.connection)
        if provider is None or not provider.settings.serves(link.principal):
            raise Refused("link.connection", pages.link_connection(self._command))
        person = await self._store.person(link.principal)
        if person is not None and person.is_deleted:
            raise Refused("link.person", pages.link_person(person.name))
        await self._authority.check(link.principal, "link")
        return link

    async def _writable(self, nonce: str, browser: str) -> Link:
        """Return a link that this browser may continue with; a confirmed one counts as used."""
        link = await self._usable(nonce)
        if self.sign_in and not self._is_proven(link, browser):
            raise Refused("link.sign_in_first", pages.sign_in_first())
        self._same_browser(link, browser)
        if link.stage == "code":
            raise used(self._title(link), self._command)
        return link

    async def _with_tries(self, nonce: str, browser: str) -> Link:
        link = await self._writable(nonce, browser)
        if link.tries_left <= 0:
            raise Refused("link.tries", pages.link_tries(self._command, self._title(link)))
        return link

    def _title(self, link: Link) -> str:
        provider = self._connections.get(link.connection)
        return provider.settings.title if provider is not None else link.connection

    def _back(self, link: Link) -> str:
        return return_address(self._public_url or "", link.connection)

    def _same_browser(self, link: Link, browser: str) -> None:
        if link.browser_hash is not None and not hmac.compare_digest(link.browser_hash, digest(browser)):
            raise Refused("link.other_browser", pages.link_other_browser(self._command, self._title(link)))

    def _is_proven(self, link: Link, browser: str) -> bool:
        return link.proven and hmac.compare_digest(link.browser_hash or "", digest(browser))

    async def _change(self, link: Link, before: Link) -> None:
        if not await self._store.change_link(link, before.stage, before.tries_left):
            raise Refused("link.changed", pages.link_changed())

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
            raise used(self._connections[link.connection].settings.title, self._command)
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
        await warn_holders(
            self._store, link.connection, account.username, link.principal, link.nonce_hash[:12]
        )
        self._wake()
        raise Refused("link.taken", pages.link_taken(title, account.username))
