"""One call of the API: who makes it, for whom, and its parameters."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from aiohttp import web

from playground.harness import Harness, base_url
from playground.posit.accounts import Person, Token
from playground.posit.errors import (
    PROFILE_SESSIONS,
    UNAUTHORISED,
    UNKNOWN_SESSION,
    CallError,
    DenialError,
    invalid,
)
from playground.posit.state import State

STATE: web.AppKey[State] = web.AppKey("posit_state", State)

Values = dict[str, Any]


def _injected(status: int) -> Values:
    """Return the body of an injected error, with the documented code of its status if there is one."""
    code = {401: UNAUTHORISED, 403: UNAUTHORISED, 402: PROFILE_SESSIONS, 404: UNKNOWN_SESSION}.get(status)
    return CallError(status if code is None else code, "injected fault").body()


class PositHarness(Harness):
    """A harness that also counts requests by token, user and method, and measures the gaps between reads."""

    def __init__(self, state: State) -> None:
        super().__init__(state.clock, _injected)
        self.by_account: Counter[tuple[str, str, str]] = Counter()
        self._state = state

    def count(self, token: str, user: str, method: str) -> None:
        """Count a call. Any gap between reads is allowed, because no rate limit is documented."""
        self.by_account[(token, user, method)] += 1
        self.starts += method in ("launch_session", "resume_session", "launch_job")
        if method == "get_session":
            self.read_of(f"{token} for {user}", 0.0, "no limit is documented")

    def statistics(self) -> dict[str, Any]:
        """Return the common statistics together with ``accounts`` and ``streams``."""
        accounts = [
            {"token": token, "user": user, "method": method, "requests": requests}
            for (token, user, method), requests in sorted(self.by_account.items())
        ]
        return {**super().statistics(), "accounts": accounts, "streams": asdict(self._state.streams)}


HARNESS: web.AppKey[PositHarness] = web.AppKey("posit_harness", PositHarness)


@dataclass(frozen=True, slots=True)
class Call:
    """A request with a valid token, and its parameters."""

    request: web.Request
    method: str
    values: Values
    token: Token

    @property
    def state(self) -> State:
        """Return the server's state."""
        return self.request.app[STATE]

    def broke(self, rule: str, detail: str) -> None:
        """Record that the client broke a documented rule."""
        self.request.app[HARNESS].violation(rule, f"{self.method} by {self.token.name}: {detail}")

    def launcher_for(self, name: str | None) -> Person:
        """Return the person to launch for. Launching for someone else requires a super-admin token."""
        if name is None or name == self.token.person.name:
            return self.token.person
        if not self.token.acts_for_others():
            raise DenialError("A super-admin API token is required to launch on behalf of another user")
        return self._active(name)

    def reader_of(self, name: str | None) -> Person:
        """Return the person whose sessions and jobs are read. For other people, an admin token is needed."""
        if name is None or name == self.token.person.name:
            return self.token.person
        if not self.token.reads_others():
            raise DenialError("An admin or super-admin API token with read access is required")
        return self._known(name)

    def require_write(self, owner: str) -> None:
        """Raise DenialError if the owner is someone else and this isn't an admin token with write access."""
        if owner != self.token.person.name and not self.token.writes_others():
            raise DenialError("An admin or super-admin API token with write access is required")

    def url(self, digits: str) -> str:
        """Return the URL of a session in the format that the switches select."""
        settings = self.state.settings
        base = base_url(self.request)
        path = f"/s/{digits}/"
        prefix = settings.url_prefix.rstrip("/")
        return {
            "path": path,
            "prefix": f"{prefix}{path}",
            "absolute": f"{base}{path}",
            "double_slash": f"//{base.partition('://')[2]}{path}",
            "other_host": f"https://{settings.other_host}{path}",
            "other_host_double_slash": f"//{settings.other_host}{path}",
        }[settings.url_form]

    def _known(self, name: str) -> Person:
        person = self.state.accounts.people.get(name)
        if person is None:
            raise invalid(f"Unknown user: {name}")
        return person

    def _active(self, name: str) -> Person:
        person = self._known(name)
        if not person.active:
            raise CallError(100, f"The account of {name} is not active")
        return person
