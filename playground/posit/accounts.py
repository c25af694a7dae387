"""The people of the local Workbench, the API tokens made on its server, and browser sessions."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any

from playground.harness import Clock
from playground.posit.errors import SignInError
from playground.posit.seed import PersonSeed, TokenSeed

SESSION_SECONDS = 12 * 3600.0
FIRST_UID = 1037


@dataclass(slots=True)
class Person:
    """A person known to the server; ``maximums`` are the person's own limits, by cluster and kind."""

    name: str
    password: str
    uid: int
    admin: bool
    super_admin: bool
    active: bool
    created: float
    last_sign_in: float
    maximums: dict[str, dict[str, str]]


@dataclass(slots=True)
class Token:
    """An API token. ``kind`` is user, admin or super-admin; ``access`` is read, write or read-write."""

    value: str
    name: str
    kind: str
    access: str
    person: Person
    revoked: bool = False

    def reads_others(self) -> bool:
        """Return whether the token can read what belongs to other people."""
        return self.kind != "user" and "read" in self.access

    def writes_others(self) -> bool:
        """Return whether the token can stop what belongs to other people."""
        return self.kind != "user" and "write" in self.access

    def acts_for_others(self) -> bool:
        """Return whether the token can launch sessions and jobs for other people."""
        return self.kind == "super-admin" and "write" in self.access


class Accounts:
    """The server's people, tokens and browser sessions."""

    def __init__(self, clock: Clock, people: Iterable[PersonSeed], tokens: Iterable[TokenSeed]) -> None:
        self._clock = clock
        self.people: dict[str, Person] = {}
        self.tokens: dict[str, Token] = {}
        self._sessions: dict[str, tuple[Person, float]] = {}
        self._next_uid = FIRST_UID
        for seed in people:
            self.add(seed)
        for token in tokens:
            self.mint(token.name, token.kind, token.access, self.people[token.user], token.token)

    def add(self, seed: PersonSeed) -> Person:
        """Add a person, with a user token of the same name."""
        now = self._clock.now()
        person = Person(
            name=seed.name,
            password=seed.password or secrets.token_urlsafe(9),
            uid=self._take_uid(),
            admin=seed.admin or seed.super_admin,
            super_admin=seed.super_admin,
            active=seed.active,
            created=now,
            last_sign_in=now,
            maximums={cluster: dict(values) for cluster, values in seed.maximums.items()},
        )
        self.people[seed.name] = person
        self.mint(seed.name, "user", "read-write", person, seed.token)
        return person

    def _take_uid(self) -> int:
        self._next_uid += 1
        return self._next_uid - 1

    def remove(self, name: str) -> None:
        """Delete a person and their tokens, so that the name can be used again."""
        person = self.people.pop(name)
        self.tokens = {value: token for value, token in self.tokens.items() if token.person is not person}

    def rename(self, name: str, new_name: str) -> None:
        """Rename a person. Everything else stays the same."""
        person = self.people.pop(name)
        person.name = new_name
        self.people[new_name] = person

    def mint(self, name: str, kind: str, access: str, person: Person, value: str | None = None) -> Token:
        """Create a token, as an administrator does on the server."""
        token = Token(value or secrets.token_urlsafe(32), name, kind, access, person)
        self.tokens[token.value] = token
        return token

    def by_header(self, header: str | None) -> Token:
        """Return the token in an ``Authorization`` header; raise SignInError if it isn't valid."""
        word, _, value = (header or "").partition(" ")
        if word.lower() != "bearer" or not value:
            raise SignInError("Authorization header must be: Bearer <token>")
        token = self.tokens.get(value.strip())
        if token is None or token.revoked or not token.person.active:
            raise SignInError("Invalid API token")
        return token

    def by_session(self, session: str | None) -> Person | None:
        """Return the person a browser session belongs to, or None."""
        person, until = self._sessions.get(session or "", (None, 0.0))
        return person if person is not None and person.active and until > self._clock.now() else None

    def sign_in(self, name: str, password: str) -> str | None:
        """Begin a browser session; return its id, or None if the username or password is wrong."""
        person = self.people.get(name)
        if person is None or not person.active:
            return None
        if not compare_digest(person.password.encode(), password.encode()):
            return None
        person.last_sign_in = self._clock.now()
        session = secrets.token_urlsafe(32)
        self._sessions[session] = (person, self._clock.now() + SESSION_SECONDS)
        return session

    def sign_out(self, session: str | None) -> None:
        """End a browser session."""
        self._sessions.pop(session or "", None)

    def revoke(self, name: str) -> int:
        """Revoke the tokens with this name; return how many were still valid."""
        working = [token for token in self.tokens.values() if token.name == name and not token.revoked]
        for token in working:
            token.revoked = True
        return len(working)

    def credentials(self) -> dict[str, Any]:
        """Return the initial tokens and passwords: by person and, for administrators' tokens, by name."""
        working = [token for token in self.tokens.values() if not token.revoked]
        users = {
            name: {
                "token": next((t.value for t in working if t.kind == "user" and t.name == name), None),
                "password": person.password,
            }
            for name, person in self.people.items()
        }

        def first(kind: str) -> str | None:
            return next((t.value for t in working if t.kind == kind and t.access == "read-write"), None)

        return {
            "users": users,
            "admin_token": first("admin"),
            "super_admin_token": first("super-admin"),
            "tokens": {token.name: token.value for token in working if token.kind != "user"},
        }
