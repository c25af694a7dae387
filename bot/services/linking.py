"""What linking is made of: digests, codes, the shape of a token, and what a page may show.

No I/O of its own but ``identify``, the one call to a provider that a person waits for.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import SecretStr

from bot.domain.models import NewNotice, NoticeKind
from bot.messages.texts import pages as words
from bot.providers.base import Credential
from bot.support.errors import Refused, UnknownOutcome
from bot.support.hiding import SLACK_TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.domain.models import Account, Link, Principal
    from bot.providers.base import Identity, Provider, TokenHelp
    from bot.services.context import Context
    from bot.store.store import Store

#: How long a link is good for, and then once more its code; seconds.
LINK_SECONDS = 600.0
CODE_SECONDS = 600.0
#: After so long a link has ended in any case, and a credential that was made for it is used or never will be.
UNUSED_SECONDS = LINK_SECONDS + CODE_SECONDS + 60.0
#: How long a person waits at most for a token's check; seconds.
CHECK_SECONDS = 10.0
TRIES = 5
CODE_LENGTH = 8
#: No token of a provider is longer; more is never matched against a pattern.
LONGEST_TOKEN = 4096

#: Without the letters and digits that are taken for one another, and without vowels that make words.
_READABLE = "23456789BCDFGHJKMNPQRSTVWXZ"
_NONCE = re.compile(r"[A-Za-z0-9_-]{43}")


class StoredNames:
    """Tell the names that pages show: from the table of people, and where Usher is installed."""

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._workspace = context.installation.team_name

    async def person(self, principal: Principal) -> str:
        """Return the person's name, or the Slack id while nobody has told it."""
        known = await self._store.person(principal)
        return known.name if known is not None and known.name.strip() else principal.user_id

    async def workspace(self, principal: Principal) -> str:
        """Return the name of the installed workspace, or its id."""
        return self._workspace.strip() or principal.team_id


@dataclass(frozen=True, slots=True)
class Opened:
    """Hold what a page about a link shows. ``mark`` names the checked token without telling it."""

    link: Link
    title: str
    person: str
    workspace: str
    help: TokenHelp
    needs_sign_in: bool

    @property
    def mark(self) -> str:
        """Return what changes with every checked token: a confirmation is good for one token only."""
        return digest(self.link.secret or "")[:16]


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Say what a confirmation brought: an account, or the code that is typed back in Slack."""

    opened: Opened
    account: Account | None = None
    code: str | None = None


def digest(text: str) -> str:
    """Return the SHA-256 of a text in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def new_nonce() -> str:
    """Return 256 random bits as they stand in a link's address."""
    return secrets.token_urlsafe(32)


def is_nonce(text: str) -> bool:
    """Say whether a text has the shape of a nonce."""
    return _NONCE.fullmatch(text) is not None


def new_code() -> str:
    """Return eight readable characters."""
    return "".join(secrets.choice(_READABLE) for _ in range(CODE_LENGTH))


def plain_code(typed: str) -> str:
    """Return a typed code without what people put between its letters."""
    return "".join(letter for letter in typed.upper() if letter in _READABLE)[: CODE_LENGTH * 2]


def shown_code(code: str) -> str:
    """Return a code in two groups, as people read it."""
    return f"{code[:4]}-{code[4:]}"


def is_token(text: str, help: TokenHelp) -> bool:  # noqa: A002 - what the provider calls it
    """Say whether a text can be a token: printable ASCII in one piece that fits the provider's pattern."""
    if not text or len(text) > LONGEST_TOKEN or not (text.isascii() and text.isprintable()) or " " in text:
        return False
    return re.fullmatch(help.pattern, text) is not None


def refuse_foreign(token: str, title: str, connections: Iterable[Provider]) -> None:
    """Raise Refused for a token that is Slack's, or a connection's own: it is not to be sent anywhere."""
    if SLACK_TOKEN.match(token):
        raise Refused("token.slack", words.token_of_slack(title))
    for provider in connections:
        for own in provider.settings.secrets():
            if hmac.compare_digest(token.encode(), own.encode()):
                raise Refused("token.own", words.token_own(title))


async def warn_holders(
    store: Store, connection: str, username: str, who: Principal, occasion: str, *, is_approved: bool = False
) -> None:
    """Tell whoever has linked an account that somebody else tried to; once for each ``occasion``.

    ``is_approved``: an administrator approved it, else it was tried with a token.
    """
    body = {
        "connection": connection,
        "username": username,
        "person": who.user_id,
        "is_approved": is_approved,
    }
    await store.add_notices(
        [
            NewNotice(holder.id, NoticeKind.LINK_TRIED, f"tried:{occasion}", holder.principal, body)
            for holder in await store.accounts_of(connection, username)
            if holder.principal != who and holder.state != "revoking"
        ]
    )


async def identify(provider: Provider, token: str) -> Identity:
    """Ask the provider whose token this is, ten seconds at most; raises ProviderError kinds."""
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await provider.check(Credential(SecretStr(token)))
    except TimeoutError:
        raise UnknownOutcome("no answer in time") from None
