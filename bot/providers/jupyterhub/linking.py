"""Find out whose token it is, and replace it with one of our own.

A token from a login ends with the logout, and one that a person made may be deleted along with others; so
Usher mints its own at once, with the permissions it needs and no more, for as long as the pasted one lasts.
Source: ``docs/providers/jupyterhub.md``, "Linking".
"""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from bot.providers.base import Access, Credential, Identity
from bot.providers.reading import text_in, word_in
from bot.providers.requests import Api, checks_token, path_part
from bot.support.errors import BadAnswer, CredentialRefused, Forbidden, NotFound, ProviderError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


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


async def check(api: Api, credential: Credential) -> Identity:
    """Return whose token it is, with a token of our own if the hub lets us mint one."""
    owner = await who_is(api, credential)
    if owner.get("kind", "user") != "user":
        raise Forbidden("This token belongs to a service, not to a person. Request one of your own.")
    username = text_in(owner, "name")
    if not username.isprintable():
        raise BadAnswer("the answer's field name is no name")
    scopes = owner.get("scopes")
    held = [scope for scope in scopes if isinstance(scope, str)] if isinstance(scopes, list) else None
    if held is not None:
        lacking = [scope for scope in _NEEDED if not _holds(held, scope, username)]
        if lacking:
            raise Forbidden(
                f"This token lacks {', '.join(lacking)}. Request a new one and leave its permissions empty."
            )
    return Identity(username, await _own_token(api, credential, username, owner, held or ()))


def _holds(held: Iterable[str], scope: str, username: str) -> bool:
    """Say whether expanded scopes grant one for the person's own things; a narrower filter is not enough."""
    return any(have == scope or have in {f"{scope}!user={username}", f"{scope}!user"} for have in held)


async def _own_token(
    api: Api, pasted: Credential, username: str, owner: Mapping[str, Any], held: Iterable[str]
) -> Credential:
    names = {scope.removesuffix("!user") for scope in SCOPES}
    if not all(_holds(held, name, username) for name in names):
        return pasted
    tokens = f"/users/{path_part(username)}/tokens"
    try:
        seconds = await _seconds_left(api, pasted, tokens, text_in(owner, "token_id"))
        body = {"note": NOTE, "scopes": list(SCOPES), "expires_in": seconds}
        response = await api.call("POST", tokens, pasted, json_body=body, total=MINT_SECONDS)
        answer = response.json_object(revealed=True)
        own = Credential(SecretStr(text_in(answer, "token")), None, {TOKEN_ID: text_in(answer, "id")})
    except (ProviderError, ValueError):
        # The pasted token works; it just isn't ours to revoke.
        return pasted
    return own


async def _seconds_left(api: Api, pasted: Credential, tokens: str, token_id: str) -> int | None:
    """Return how long the pasted token lasts, None for ever, by the hub's own clock."""
    response = await api.call("GET", f"{tokens}/{path_part(token_id)}", pasted, total=MINT_SECONDS)
    expires_at = response.json_object().get("expires_at")
    if expires_at is None:
        return None
    now = parsedate_to_datetime(response.headers.get("Date", ""))
    # The header has whole seconds only; our token ends before the pasted one, never after it.
    return max(int((datetime.fromisoformat(str(expires_at)) - now).total_seconds()) - 1, 1)


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
    path = f"/users/{path_part(text_in(owner, 'name'))}/tokens/{path_part(token_id)}"
    try:
        await api.call("DELETE", path, access.credential)
    except NotFound:
        return
