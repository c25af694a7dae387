"""Find out whose token it is, and replace it with one of our own.

A token from a login ends with the logout, and one that a person made may be deleted along with others; so
Usher mints its own at once, with the permissions it needs and no more, for as long as the pasted one lasts.
Source: ``docs/providers/jupyterhub.md``, "Linking".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import Any

from pydantic import SecretStr

from bot.providers.base import Access, Credential, Identity
from bot.providers.reading import moment, text_in, word_in
from bot.providers.requests import Api, checks_token, path_part
from bot.support.errors import BadAnswer, CredentialRefused, Forbidden, NotFound, ProviderError, Renamed

NOTE = "Usher"
#: What a person's token is used for: start, stop and read servers; probe their IDE; delete the token.
SCOPES = ("servers!user", "access:servers!user", "read:users:name!user", "tokens!user")
_NEEDED = ("start:servers", "read:servers", "delete:servers")
#: People wait for these responses, 10 s at most in all.
CHECK_SECONDS = 4.0
MINT_SECONDS = 2.5
#: Key in ``Credential.extra``: the id of a token that Usher minted itself.
TOKEN_ID = "token_id"  # noqa: S105 - a key's name, no secret


async def who_is(api: Api, credential: Credential) -> dict[str, Any]:
    """Return what the hub says about a token's owner; raise CredentialRefused if the token is worthless.

    The hub answers bad tokens with 403, like missing permissions; here it can only be the token.
    """
    with checks_token():
        response = await api.call("GET", "/user", credential, total=CHECK_SECONDS)
    return response.json_object()


async def confirm(api: Api, access: Access) -> None:
    """Check that a token is worth something, and still belongs to the name that was linked.

    Raises CredentialRefused, or Renamed: administrators can rename people, whose tokens stay theirs.
    """
    username = text_in(await who_is(api, access.credential), "name")
    if username != access.username:
        raise Renamed(username)


async def check(api: Api, credential: Credential) -> Identity:
    """Return whose token it is, with a token of our own if the hub lets us mint one."""
    owner = await who_is(api, credential)
    username, held = owner_in(owner)
    return Identity(username, await _own_token(api, credential, username, owner, held))


def owner_in(owner: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Return the name of a token's owner and the scopes that the token holds.

    Raises Forbidden if it belongs to a service, or lacks what Usher needs.
    """
    if owner.get("kind", "user") != "user":
        raise Forbidden("This token belongs to a service, not to a person. Request one of your own.")
    username = text_in(owner, "name")
    if not username.isprintable():
        raise BadAnswer("the answer's field name is no name")
    scopes = owner.get("scopes")
    if not isinstance(scopes, list):
        return username, []
    held = [scope for scope in scopes if isinstance(scope, str)]
    lacking = [scope for scope in _NEEDED if not _holds(held, scope, username)]
    if lacking:
        raise Forbidden(
            f"This token lacks {', '.join(lacking)}. Request a new one and leave its permissions empty."
        )
    return username, held


def _holds(held: Iterable[str], scope: str, username: str) -> bool:
    """Say whether expanded scopes grant one for the person's own things; a narrower filter is not enough."""
    return any(have == scope or have in {f"{scope}!user={username}", f"{scope}!user"} for have in held)


async def _own_token(
    api: Api, pasted: Credential, username: str, owner: Mapping[str, Any], held: Iterable[str]
) -> Credential:
    names = {scope.removesuffix("!user") for scope in SCOPES}
    if not all(_holds(held, name, username) for name in names):
        return pasted
    ends_at: float | None = None
    try:
        ends_at, seconds = await _end_of(api, pasted, username, text_in(owner, "token_id"))
        return await mint(api, pasted, username, seconds)
    except (ProviderError, ValueError):
        # The pasted token works; it just isn't ours to revoke.
        return replace(pasted, ends_at=ends_at)


async def mint(api: Api, credential: Credential, username: str, seconds: int | None) -> Credential:
    """Make a token of our own that lasts for so many seconds, None for as long as the hub allows."""
    body = {"note": NOTE, "scopes": list(SCOPES), "expires_in": seconds}
    response = await api.call("POST", tokens_path(username), credential, json_body=body, total=MINT_SECONDS)
    answer = response.json_object(revealed=True)
    made = {TOKEN_ID: text_in(answer, "id")}
    return Credential(SecretStr(text_in(answer, "token")), None, made, moment(answer.get("expires_at")))


def tokens_path(username: str) -> str:
    """Return the path of a person's tokens."""
    return f"/users/{path_part(username)}/tokens"


async def _end_of(
    api: Api, pasted: Credential, username: str, token_id: str
) -> tuple[float | None, int | None]:
    """Return when the pasted token ends, and in how many seconds by the hub's own clock; None for never."""
    path = f"{tokens_path(username)}/{path_part(token_id)}"
    response = await api.call("GET", path, pasted, total=MINT_SECONDS)
    ends_at = moment(response.json_object().get("expires_at"))
    if ends_at is None:
        return None, None
    now = parsedate_to_datetime(response.headers.get("Date", "")).timestamp()
    # The header has whole seconds only; our token ends before the pasted one, never after it.
    return ends_at, max(int(ends_at - now) - 1, 1)


async def revoke(api: Api, access: Access) -> None:
    """Delete the token that Usher minted, using that token itself: ids are reused after a deletion.

    While it still opens the account, its id can't have been reused. Other tokens stay.
    """
    minted = access.credential.extra.get(TOKEN_ID)
    if minted is None:
        return
    try:
        owner = await who_is(api, access.credential)
    except CredentialRefused:
        return
    token_id = word_in(owner, "token_id") or minted
    path = f"{tokens_path(text_in(owner, 'name'))}/{path_part(token_id)}"
    try:
        await api.call("DELETE", path, access.credential)
    except NotFound:
        return
