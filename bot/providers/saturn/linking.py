"""Find out whose token it is; and get somebody's own token by an administrator's, through a login link.

Source: ``docs/providers/saturn.md``, "Whose token". Link and token are secrets: the session that the link
opens has its own cookie jar, which is discarded with it.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urljoin

import aiohttp
from pydantic import SecretStr
from yarl import URL

from bot.providers.base import Access, Acts, Credential, Identity
from bot.providers.connection import origin_of
from bot.providers.requests import (
    MAX_NAME,
    Api,
    checks_token,
    clean,
    error_of,
    path_part,
    text_in,
    unless_absent,
    word_in,
)
from bot.support import errors
from bot.support.http import Response

#: People wait for these responses, 10 s at most in all.
CHECK_SECONDS = 8.0
#: Getting somebody's token takes five requests; 20 s at most in all.
MINT_SECONDS = 4.0
#: The login link may lead through several pages of the server before there is a session.
MOST_PAGES = 5
PAGE_BYTES = 2_000_000
#: Marks a token that Usher got with the administrator's, and so may get again in the same way.
_MINTED: Acts = "admin"
NO_ADMIN = "this connection has no administrator's token"


async def check(api: Api, credential: Credential) -> Identity:
    """Ask who this is; without that endpoint, compare the token with the one that the server shows."""
    username = await _username(api, credential)
    if username is None:
        return await _check_by_token(api, credential)
    return Identity(username, credential)


async def mint(api: Api, admin_token: SecretStr | None, username: str) -> Credential:
    """Return somebody's own token; if the server says whose it is, this is verified.

    Raises NotFound for an unknown username, CredentialRefused if the administrator's token is refused,
    Forbidden if it lacks this permission, Untrusted for a link elsewhere or somebody else's token.
    """
    if admin_token is None:
        raise errors.CredentialRefused(NO_ADMIN)
    administrator = Credential(admin_token)
    try:
        response = await api.call(
            "POST", f"/auth/createloginlink/{path_part(username)}", administrator, total=MINT_SECONDS
        )
    except errors.BadAnswer as error:
        if error.status == 404:
            raise errors.Forbidden("this server makes no login links", status=404) from None
        raise
    token = await _Session(api).token(_login_link(response.json(), api.root))
    credential = Credential(token, None, Credential.of_connection(_MINTED).extra)
    if token.get_secret_value() == admin_token.get_secret_value():
        raise errors.Untrusted("the login link opened the administrator's own session")
    try:
        owner = await _username(api, credential, MINT_SECONDS)
    except errors.CredentialRefused as error:
        # The administrator's token is valid: what was refused is the link's session.
        raise errors.Untrusted(f"the token of the login link is refused: {error.message}") from None
    if owner is not None and owner != username:
        raise errors.Untrusted(
            f"the login link opened the account of {owner}, not of {clean(username, MAX_NAME)}"
        )
    return credential


async def refresh(api: Api, access: Access, admin_token: SecretStr | None) -> Credential:
    """Get a new token, by the refresh token, which works once, or through another login link."""
    old = access.credential
    if old.acts == _MINTED:
        return await mint(api, admin_token, access.username)
    if old.refresh_token is None:
        raise errors.CredentialRefused("the token has expired")
    body = {"grant_type": "refresh_token", "refresh_token": old.refresh_token.get_secret_value()}
    try:
        response = await api.call("POST", "/api/auth/token", None, json_body=body, hides=old.secrets())
    except (
        errors.NotFound,
        errors.InvalidRequest,
        errors.Forbidden,
        errors.CredentialRefused,
        errors.BadAnswer,
    ) as error:
        raise errors.CredentialRefused(
            "the token has expired and can't be renewed", status=error.status
        ) from None
    answer = response.json_object(revealed=True)
    successor = word_in(answer, "refresh_token")
    fresh = SecretStr(text_in(answer, "access_token"))
    return Credential(fresh, SecretStr(successor) if successor else None, old.extra)


async def _username(api: Api, credential: Credential, total: float = CHECK_SECONDS) -> str | None:
    """Return whose token this is, None if the server can't say."""
    with checks_token():
        response = await unless_absent(api.call("GET", "/api/user", credential, total=total))
    if response is None:
        return None
    username = clean(text_in(response.json_object(), "username"), MAX_NAME)
    if not username:
        raise errors.BadAnswer("the answer's field username is not a text")
    return username


async def _check_by_token(api: Api, credential: Credential) -> Identity:
    response = await unless_absent(api.call("GET", "/api/user/token", credential, total=CHECK_SECONDS))
    if response is None:
        # Nothing here says whose token it is; its first use will.
        return Identity("", credential)
    if _shown_token(response) != credential.token.get_secret_value():
        raise errors.CredentialRefused("the server knows another token for this account")
    return Identity("", credential)


def _shown_token(response: Response) -> str:
    """Return the token in a response: a bare string, or a field of an object."""
    body = response.revealed()
    shown = text_in(body, "token") if isinstance(body, dict) else body
    if not isinstance(shown, str) or not shown:
        raise errors.BadAnswer("the answer is no token")
    return shown


def _login_link(answer: Any, root: str) -> str:
    """Return the only address in a response; raise Untrusted if it isn't on the server itself."""
    # The name of its field is not documented.
    found = sorted({text for text in _texts(answer) if "://" in text})
    if not found:
        found = sorted({urljoin(f"{root}/", text) for text in _texts(answer) if text.startswith("/")})
    if len(found) != 1:
        raise errors.BadAnswer(
            "the answer holds no login link" if not found else "which login link is meant?"
        )
    if not _is_at(found[0], root):
        raise errors.Untrusted("the login link leads to another host")
    return found[0]


def _texts(answer: Any) -> Iterator[str]:
    if isinstance(answer, str):
        yield answer.strip()
    elif isinstance(answer, (dict, list)):
        for value in answer.values() if isinstance(answer, dict) else answer:
            yield from _texts(value)


def _is_at(url: str, root: str) -> bool:
    try:
        return origin_of(url) == origin_of(root)
    except ValueError:
        return False


class _Session:
    """Act as a temporary browser: its own cookies, one server, and no way to another."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._jar = aiohttp.CookieJar(unsafe=True)

    async def token(self, link: str) -> SecretStr:
        """Open a login link and ask for the token; raise Forbidden if there is no session then."""
        url = link
        for _ in range(MOST_PAGES):
            response = await self._get(url)
            if response.headers.getall("Set-Cookie", []):
                token = await self._asked()
                if token is not None:
                    return token
            elif response.status == 429 or response.status >= 500:
                raise error_of(response, changes=False)
            onwards = urljoin(url, response.headers.get("Location", ""))
            if not 300 <= response.status < 400 or not _is_at(onwards, self._api.root):
                break
            url = onwards
        raise errors.Forbidden("the login link opened no session")

    async def _asked(self) -> SecretStr | None:
        """Return the token that the session shows; None while nobody is signed in."""
        response = await self._get(f"{self._api.root}/api/user/token")
        if 300 <= response.status < 400 or response.status in {401, 403}:
            return None
        if response.status != 200:
            raise error_of(response, changes=False)
        return SecretStr(_shown_token(response))

    async def _get(self, url: str) -> Response:
        cookies: Mapping[str, Any] = self._jar.filter_cookies(URL(url, encoded=True))
        headers = {"Accept": "application/json"}
        if cookies:
            headers["Cookie"] = "; ".join(f"{name}={one.coded_value}" for name, one in cookies.items())
        try:
            response = await self._api.http.request(
                "GET", url, headers=headers, total=MINT_SECONDS, max_bytes=PAGE_BYTES, hides=(url,)
            )
        except errors.InvalidRequest:
            raise errors.PermanentError("the login link can't be opened") from None
        except errors.UnknownOutcome as error:
            # Whatever happened to it: the next login link is a new one.
            raise errors.BadAnswer(error.message, status=error.status) from None
        self._jar.update_cookies_from_headers(
            response.headers.getall("Set-Cookie", []), URL(url, encoded=True)
        )
        return response
