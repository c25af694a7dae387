"""Usher's assumptions about providers, and checks that compare them with a real server.

``KIND.toml`` contains the assumptions about one kind of provider, under the names used on the provider's page
in ``docs/internals/providers``. If requests and their responses can show whether an assumption holds,
``KIND.py`` contains a check of the same name.
"""

from __future__ import annotations

import re
import time
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from importlib.resources import files
from typing import Any, Final, Literal
from urllib.parse import parse_qsl, urlsplit

import aiohttp

from bot.support import errors
from bot.support.http import Http
from bot.support.responses import Response

#: What an assumption is based on: the provider's documentation, or only an inference.
Basis = Literal["documented", "assumed"]
Verdict = Literal["seen so", "seen otherwise", "not met"]


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its response; ``body`` is None if the response isn't JSON."""

    method: str
    path: str
    query: Mapping[str, str]
    sent: Any
    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def is_good(self) -> bool:
        """Return whether the status is 2xx."""
        return 200 <= self.status < 300


#: A function that returns whether a request and its response confirm an assumption, or None if the assumption
#: doesn't apply to them.
Check = Callable[[Exchange], bool | None]


@dataclass(frozen=True, slots=True)
class Assumption:
    """An assumption and its check. Without a check, a trial can neither confirm nor refute it."""

    name: str
    says: str
    basis: Basis
    check: Check | None = None

    def judge(self, exchanges: Iterable[Exchange]) -> Verdict:
        """Compare the assumption with a trial's exchanges. A single counterexample refutes the assumption."""
        if self.check is None:
            return "not met"
        found = {self.check(one) for one in exchanges} - {None}
        if not found:
            return "not met"
        return "seen otherwise" if False in found else "seen so"


def load_assumptions(kind: str) -> list[Assumption]:
    """Return the assumptions about a kind of provider, or none if there is no file."""
    data = files(__name__).joinpath(f"{kind}.toml")
    if not data.is_file():
        return []
    checks: Mapping[str, Check] = import_module(f"{__name__}.{kind}").CHECKS
    rows = tomllib.loads(data.read_text(encoding="utf-8"))
    return [Assumption(name, says, basis, checks.get(name)) for name, (basis, says) in rows.items()]


def match_call(method: str, path: str, check: Check) -> Check:
    """Return a check that applies only to calls with this method and a path that matches the pattern.

    ``GET|POST`` means either method.
    """
    pattern: Final = re.compile(path)

    def check_exchange(one: Exchange) -> bool | None:
        return check(one) if one.method in method.split("|") and pattern.search(one.path) else None

    return check_exchange


def none_unless(holds: Callable[[Exchange], bool]) -> Check:
    """Return a check that can confirm its assumption but not refute it: it returns None instead of False."""
    return lambda one: holds(one) or None


def has_fields(*fields: str) -> Check:
    """Return a check that the object in each successful response has these fields."""
    return lambda one: isinstance(one.body, dict) and set(fields) <= set(one.body) if one.is_good else None


def has_in_each(listed: Callable[[Exchange], Sequence[Mapping[str, Any]]], *fields: str) -> Check:
    """Return a check that every entry of a list has these fields. ``a|b`` means either field."""

    def check_exchange(one: Exchange) -> bool | None:
        found = listed(one) if one.is_good else []
        return (
            all(set(field.split("|")) & set(entry) for entry in found for field in fields) if found else None
        )

    return check_exchange


class RecordingHttp(Http):
    """The HTTP client of a trial, which keeps every exchange in memory."""

    def __init__(
        self, session: aiohttp.ClientSession, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(session, monotonic)
        self.exchanges: list[Exchange] = []

    async def request(self, method: str, url: str, **options: Any) -> Response:
        """Send a request and return the whole response, which is kept in ``exchanges``."""
        response = await super().request(method, url, **options)
        self._keep(method, url, options, response)
        return response

    async def peek(self, url: str, **options: Any) -> Response:
        """Read the events that are in a stream now, and keep the request and response in ``exchanges``."""
        response = await super().peek(url, **options)
        self._keep("GET", url, {}, response)
        return response

    def _keep(self, method: str, url: str, options: Mapping[str, Any], response: Response) -> None:
        parts = urlsplit(url)
        query = {**dict(parse_qsl(parts.query)), **(options.get("query") or {})}
        body = None
        with suppress(errors.BadAnswer):
            body = response.json()
        sent = options.get("json_body")
        self.exchanges.append(
            Exchange(method, parts.path, query, sent, response.status, body, response.headers)
        )
