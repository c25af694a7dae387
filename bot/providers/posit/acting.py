"""Which identity a call uses, and whether a refusal is about the token or its level.

A person's token acts for its owner. A super-admin token acts for an approved username, which each
method takes in its own parameter (``docs/providers/posit.md``, "Tokens").
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Literal, TypeVar

from pydantic import SecretStr

from bot.providers.base import Access, Credential
from bot.providers.posit.client import Workbench
from bot.support.errors import CredentialRefused, Forbidden

T = TypeVar("T")

Right = Literal["launch", "read", "stop"]

#: People wait for some of these responses, 10 s at most in all.
CHECK_SECONDS = 4.0
_NEEDS: dict[Right, str] = {
    "launch": "The connection's token has to be a super-admin's with write access. Ask your Usher admin.",
    "read": "The connection's token has to be an admin's with read access. Ask your Usher admin.",
    "stop": "The connection's token has to be an admin's with write access. Ask your Usher admin.",
}
#: Used in place of the server's own message when no token may act for a person.
NO_TOKEN = "This connection has no super-admin token. Ask your Usher admin."  # noqa: S105 - a sentence, no secret


@dataclass(frozen=True, slots=True)
class Acting:
    """Hold a token and the username that it acts for; None: for its owner."""

    credential: Credential
    user: str | None = None


def acting(access: Access, super_admin_token: SecretStr | None) -> Acting:
    """Return the identity for an account's calls; raise CredentialRefused if there is no token for it."""
    if access.credential.acts == "person":
        return Acting(access.credential)
    if super_admin_token is None or not access.username:
        raise CredentialRefused(NO_TOKEN)
    return Acting(Credential(super_admin_token), access.username)


async def rightly(workbench: Workbench, who: Acting, right: Right, call: Awaitable[T]) -> T:
    """Await a call; a refusal becomes CredentialRefused for a bad token, Forbidden for too low a level.

    Servers answer both alike (401, 403, error 3), so the version is requested: every valid token may read it.
    """
    try:
        return await call
    except (Forbidden, CredentialRefused) as error:
        refusal = error
    if refusal.status is None:
        # Not the server's own refusal: the token could not even be sent.
        raise refusal
    raise await _explained(workbench, who, right, refusal)


async def _explained(
    workbench: Workbench, who: Acting, right: Right, refusal: Forbidden | CredentialRefused
) -> Forbidden | CredentialRefused:
    try:
        await workbench.version(who.credential, total=CHECK_SECONDS)
    except (Forbidden, CredentialRefused):
        return CredentialRefused(refusal.message, status=refusal.status)
    if who.user is None:
        return Forbidden(refusal.message, status=refusal.status)
    return Forbidden(_NEEDS[right])
