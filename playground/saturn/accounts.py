"""People of the local Saturn Cloud, their tokens, sessions and login links."""

from __future__ import annotations

import base64
import json
import math
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from hmac import compare_digest

from playground.faults import Refusal
from playground.harness import Clock
from playground.saturn.seed import PersonSeed

LOGIN_LINK_SECONDS = 300.0
#: Lifetime of a token, in seconds, in the dialect in which tokens expire.
TOKEN_SECONDS = 90 * 86_400.0
SESSION_SECONDS = 12 * 3600.0


@dataclass(slots=True)
class Person:
    """A person, and the token that ``/api/user/token`` shows."""

    id: str
    name: str
    admin: bool
    password: str
    token: str = ""


@dataclass(slots=True)
class Token:
    """An API token: its owner, and whether it is valid, revoked or expired."""

    person: Person
    state: str = "valid"
    id: str = ""
    description: str = ""
    created_at: float = 0.0
    expires_at: float | None = None


class Accounts:
    """The server's people, tokens, login links and browser sessions."""

    def __init__(self, clock: Clock, people: Iterable[PersonSeed], dialect: str = "guide") -> None:
        self._clock = clock
        self._is_guide = dialect == "guide"
        self.people: dict[str, Person] = {}
        self._tokens: dict[str, Token] = {}
        self._refresh_tokens: dict[str, Person] = {}
        self._links: dict[str, tuple[Person, float]] = {}
        self._sessions: dict[str, tuple[Person, float]] = {}
        self.first_refresh_tokens: dict[str, str] = {}
        for seed in people:
            person = Person(
                secrets.token_hex(16), seed.name, seed.admin, seed.password or secrets.token_urlsafe(9)
            )
            self._mint(person, seed.token)
            refresh_token = seed.refresh_token or secrets.token_hex(32)
            self._refresh_tokens[refresh_token] = person
            self.first_refresh_tokens[seed.name] = refresh_token

    def by_header(self, header: str) -> Token:
        """Return the token in an ``Authorization`` header; raise Refusal 401 if it isn't valid."""
        word, _, value = header.partition(" ")
        # The guides say "token". The published document has bearer tokens, and its own client sends "Bearer".
        if word not in ({"token"} if self._is_guide else {"token", "Bearer"}) or not value:
            raise Refusal(401, "Authorization header must be: token <token>")
        token = self._tokens.get(value)
        if token is None or token.state == "revoked":
            raise Refusal(401, "Invalid token")
        if token.state == "expired" or (token.expires_at or math.inf) <= self._clock.now():
            raise Refusal(401, "The token has expired")
        return token

    def by_session(self, session: str | None) -> Person | None:
        """Return the person a cookie session belongs to, or None."""
        person, until = self._sessions.get(session or "", (None, 0.0))
        return person if until > self._clock.now() else None

    def user_token(self, person: Person) -> str:
        """Return the person's token. If it is no longer valid, create a new one."""
        if self._tokens[person.token].state != "valid":
            self._mint(person)
        return person.token

    def refresh(self, refresh_token: str) -> tuple[str, str]:
        """Return a new access token and a new refresh token. Each refresh token can be used only once."""
        person = self._refresh_tokens.pop(refresh_token, None)
        if person is None:
            raise Refusal(400, "The refresh token is invalid or was used before")
        self._mint(person)
        successor = secrets.token_hex(32)
        self._refresh_tokens[successor] = person
        return person.token, successor

    def create_link(self, name: str) -> str:
        """Create a temporary login link for a person; return its code."""
        person = self.people.get(name)
        if person is None:
            raise Refusal(404, f"User {name} not found")
        code = secrets.token_urlsafe(32)
        self._links[code] = (person, self._clock.now() + LOGIN_LINK_SECONDS)
        return code

    def open_link(self, code: str) -> str | None:
        """Begin a session with a login link's code; return its id, or None if the link can't be used."""
        person, until = self._links.pop(code, (None, 0.0))
        return self._session(person) if person is not None and until > self._clock.now() else None

    def log_in(self, name: str, password: str) -> str | None:
        """Begin a session; return its id, or None if the name or password is wrong."""
        person = self.people.get(name)
        if person is None or not compare_digest(person.password.encode(), password.encode()):
            return None
        return self._session(person)

    def log_out(self, session: str | None) -> None:
        """End a session."""
        self._sessions.pop(session or "", None)

    def add_token(
        self, name: str, value: str = "", description: str = "", expires_in: float | None = None
    ) -> tuple[str, Token]:
        """Create another token for a person; return its value and record."""
        now = self._clock.now()
        ends_at = None if expires_in is None else now + expires_in
        token = Token(self.people[name], "valid", secrets.token_hex(16), description, now, ends_at)
        value = value or (secrets.token_hex(32) if self._is_guide else _signed(token))
        self._tokens[value] = token
        return value, token

    def tokens(self, person: Person) -> list[Token]:
        """Return a person's valid tokens."""
        mine = (one for one in self._tokens.values() if one.person is person and one.state == "valid")
        return [one for one in mine if (one.expires_at or math.inf) > self._clock.now()]

    def revoke(self, person: Person, token_id: str) -> None:
        """Revoke a token by its id. Only administrators can revoke other people's tokens."""
        for token in self._tokens.values():
            if token.id == token_id and (person.admin or token.person is person):
                token.state = "revoked"
                return
        raise Refusal(404, "Token not found")

    def add_person(self, name: str, account_id: str = "") -> Person:
        """Add a person, whose name must not be in use."""
        if name in self.people:
            raise Refusal(409, f"User {name} exists")
        person = Person(account_id or secrets.token_hex(16), name, False, secrets.token_urlsafe(9))
        self._mint(person)
        self.first_refresh_tokens[name] = secrets.token_hex(32)
        self._refresh_tokens[self.first_refresh_tokens[name]] = person
        return person

    def rename_person(self, name: str, new_name: str) -> None:
        """Rename a person, whose id and tokens stay the same."""
        if new_name in self.people:
            raise Refusal(409, f"User {new_name} exists")
        person = self.people.pop(name)
        person.name = new_name
        self.people[new_name] = person
        self.first_refresh_tokens[new_name] = self.first_refresh_tokens.pop(name)

    def remove_person(self, name: str) -> None:
        """Delete somebody with all tokens."""
        person = self.people.pop(name)
        self._refresh_tokens.pop(self.first_refresh_tokens.pop(name), None)
        for token in self._tokens.values():
            if token.person is person:
                token.state = "revoked"

    def mark(self, name: str, state: str) -> int:
        """Mark all of a person's valid tokens as ``revoked`` or ``expired``; return how many there were."""
        marked = [
            token for token in self._tokens.values() if token.person.name == name and token.state == "valid"
        ]
        for token in marked:
            token.state = state
        return len(marked)

    def _mint(self, person: Person, value: str | None = None) -> None:
        self.people[person.name] = person
        lasts = None if self._is_guide else TOKEN_SECONDS
        person.token, _ = self.add_token(person.name, value or "", "", lasts)

    def _session(self, person: Person) -> str:
        session = secrets.token_urlsafe(32)
        self._sessions[session] = (person, self._clock.now() + SESSION_SECONDS)
        return session


def _signed(token: Token) -> str:
    """Return a JSON Web Token with a random signature, since nothing here checks signatures."""
    claims = {"jti": token.id, "sub": token.person.id, "iat": int(token.created_at)}
    claims |= {} if token.expires_at is None else {"exp": int(token.expires_at)}
    parts = (json.dumps(part).encode() for part in ({"alg": "ES256", "typ": "JWT"}, claims))
    return ".".join(
        base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (*parts, secrets.token_bytes(64))
    )
