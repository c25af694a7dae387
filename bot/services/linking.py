"""The parts of linking: digests, codes, the shape of a token, and what a page may show.

``identify``, the one call to a provider that a person waits for, is the only I/O besides the store's.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from typing import Any

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.people import Account, AuditEntry, Link, Principal, TaskKind
from bot.messages.texts import pages as words
from bot.providers.base import Identity, Provider, TokenHelp
from bot.services.context import Context
from bot.store.records import NewTask
from bot.store.store import Store
from bot.support.cleaning import SLACK_TOKEN
from bot.support.errors import Refused, UnknownOutcome
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
    help: TokenHelp
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


def is_token(text: str, help: TokenHelp) -> bool:  # noqa: A002 - what the provider calls it
    """Say whether a text can be a token: printable ASCII without spaces that fits the provider's pattern."""
    if not text or len(text) > LONGEST_TOKEN or not (text.isascii() and text.isprintable()) or " " in text:
        return False
    return re.fullmatch(help.pattern, text) is not None


def refuse_foreign(token: str, title: str, connections: Iterable[Provider]) -> None:
    """Raise Refused for a Slack token, or a connection's own: neither may be sent to a provider."""
    if SLACK_TOKEN.match(token):
        raise Refused("token.slack", words.token_of_slack(title))
    for provider in connections:
        for own in provider.settings.secrets():
            if hmac.compare_digest(token.encode(), own.encode()):
                raise Refused("token.own", words.token_own(title))


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


async def identify(asking: Awaitable[Identity]) -> Identity:
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
    return Refused("link.used", words.link_used(command, title))


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
