"""A provider with a sign-in, as seen by its OAuth client. The test sets codes and errors."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr

from bot.providers import facets
from bot.providers.base import Credential, Identity
from bot.web.browsers import Flow
from tests.web.rig import Browser, Rig, ScriptedProvider

PAGE = "https://app.example/authorize"
CODE = "code-of-alice"
ENDS_AT = 2_000_000_000.0


class Client(facets.OAuthClient):
    """A client that accepts the codes in a table, each once, from whoever began with the challenge."""

    def __init__(self) -> None:
        self.usernames = {CODE: "alice", "code-of-alice-two": "alice-two"}
        self.error: Exception | None = None
        self.asked: list[tuple[str, str]] = []
        self.challenge = ""
        self.knows_us: bool | Exception = True
        #: The provider sends people back immediately, as if they were already signed in there.
        self.sends_back = False

    def authorization_url(self, redirect_uri: str, state: str, challenge: str) -> str:
        self.challenge = challenge
        if self.sends_back:
            return f"{redirect_uri}?state={state}&code={CODE}"
        return f"{PAGE}?state={state}&redirect_uri={redirect_uri}"

    async def exchange_code(self, code: str, verifier: str, redirect_uri: str) -> Identity:
        self.asked.append((code, redirect_uri))
        if self.error is not None:
            raise self.error
        assert Flow("", "", verifier).challenge == self.challenge
        username = self.usernames.pop(code)
        return Identity(username, Credential(SecretStr(f"own-token-of-{username}"), expires_at=ENDS_AT))

    async def is_accepted(self) -> bool:
        if isinstance(self.knows_us, Exception):
            raise self.knows_us
        return self.knows_us


class SigningProvider(ScriptedProvider, facets.SignIn):
    """A provider that lets people sign in, or paste a token from a table."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.oauth_client: Client | None = Client()

    @property
    def client(self) -> Client | None:
        return self.oauth_client

    def describe_registration(self, redirect_uri: str) -> str:
        return f"Register Usher there: {redirect_uri}"


async def go(made: Rig, browser: Browser) -> str:
    """Click the button that leads to the provider, and return the OAuth state that it has to send back."""
    await browser.get("/link/there", follow=False)
    assert browser.status == 303
    to = browser.headers["Location"]
    assert to.startswith(PAGE)
    query = parse_qs(urlsplit(to).query)
    assert query["redirect_uri"] == [f"{made.origin}/link/back/saturn"]
    return query["state"][0]
