"""The rig: the interface through which the conformance kit uses a provider's local server."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Protocol

import pytest
from pydantic import SecretStr

from bot.domain.forms import Purpose, Spec
from bot.domain.observations import Observed
from bot.domain.people import Principal
from bot.domain.workspaces import State, Workspace
from bot.providers import build_bound_provider, facets
from bot.providers.base import Access, Credential, Provider
from bot.providers.facets import OAuthClient
from bot.support.http import Http as Http  # noqa: PLC0414 - other packages' rigs import it from here
from bot.web.browsers import Flow
from playground.faults import Fault
from playground.harness import Clock, Harness

#: The user in tests that work with any user.
PRINCIPAL = Principal(None, "T1", "U1")
#: The key by which Usher recognises the objects that it has created.
KEY = "workspace_0123456789abcdef01234567"


class MonotonicClock(Protocol):
    """A monotonic clock, which may be frozen."""

    def monotonic(self) -> float: ...


class FrozenClock:
    """Always returns the same time."""

    def monotonic(self) -> float:
        return 1_000.0


#: Maximum number of reads, ten seconds apart, while waiting for a workspace to reach a requested state.
MAX_READS = 60


class ImpatientHttp(Http):
    """Sends requests with a timeout of one second."""

    def stream(self, method: str, url: str, **options: Any) -> Any:
        return super().stream(method, url, **{**options, "total": 1.0})


@contextmanager
def raises_exactly(kind: type[Exception]) -> Iterator[pytest.ExceptionInfo[Exception]]:
    """Expect an error of exactly this class, not of a subclass."""
    with pytest.raises(kind) as caught:
        yield caught
    assert type(caught.value) is kind


def _require_value(name: str) -> Callable[..., Any]:
    def fails(*_: Any) -> Any:
        raise AssertionError(
            f"the rig's facet_values have to say {name}: the provider has a facet that needs it"
        )

    return fails


@dataclass
class FacetValues:
    """Values that the facets' contracts need and only the rig knows.

    Attributes:
        settings: The connection's settings for a facet, in addition to the usual ones.
        form_values: The values that a user fills in, besides the proposed ones, to create a workspace or
            launch a run.
        expired_credential: A credential that has expired but can be renewed.
        sign_in: Signs the user in on the provider's page; returns the code and the URL to which it is sent.
        username: The username that was approved for the user.
        expected_reason: Makes the user's workspace wait while it is starting; returns the reason that is then
            shown.
        event: The headers and body of an event about the user's workspace.
    """

    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    form_values: dict[Purpose, dict[str, str]] = field(default_factory=dict)
    expired_credential: Callable[[], Credential] = field(default=_require_value("expired_credential"))
    sign_in: Callable[[OAuthClient, Flow], Awaitable[tuple[str, str]]] = field(
        default=_require_value("sign_in")
    )
    username: Callable[[], str] = field(default=_require_value("username"))
    expected_reason: Callable[[Any], str] = field(default=_require_value("expected_reason"))
    event: Callable[[], tuple[dict[str, str], bytes]] = field(default=_require_value("event"))


@dataclass
class Rig:
    """Runs one provider against its local server, with a user's account and the ids of workspaces.

    Attributes:
        provider: The provider, whose facets decide what is tested.
        access: A user's account.
        harness: The local server's harness, which counts its requests and injects faults.
        remote_id: The id of the user's workspace, which isn't running at first.
        broken_id: The id of another of the user's workspaces, which fails when it is started.
        foreign_id: The id of someone else's workspace.
        missing_id: An id that doesn't belong to any workspace.
        names: The names of the user's workspaces.
        clock: The monotonic clock of the client's send windows.
        server_clock: The server's clock, which tests advance until a state is reached; None for real time.
        server: Anything that your own test cases need; the kit doesn't use it.
        other_ids: Ids of more workspaces, which are also for your own test cases.
        initial_state: The state of a workspace before it is started.
        stopped_states: The possible states of a workspace once it is stopped.
        request_patterns: Maps a method to a pattern (``METHOD /path``) that matches the request that does its
            work.
        request_counts: Maps a method to the number of requests that it sends, if that isn't one.
        break_next_start: Makes the broken workspace fail when it is next started, unless it fails by itself.
        token: The secret that must not appear in any message, if it isn't the user's own token.
        can_stop_starting: Whether a workspace can be stopped while it is starting.
        expected_errors: The errors to expect if the server deviates from the usual mapping. Maps a method's
            name and a status, or the name of one of the kit's bodies ("html", "nothing", "null", "list",
            "text", "empty object", "cut", "deep", "large"), to the error, or to None to skip that case.
        has_token_page: Whether users create their tokens on a page of the server, rather than getting them
            from an administrator.
        state_pointer: The JSON Pointer (RFC 6901) to the state in the response to a read; "" if no single
            field contains it.
        id_pointer: The pointer to the workspace's id in that response.
        url_pointer: The pointer to the IDE's URL in that response.
        list_pointer: The pointer to the entries in the response that lists workspaces.
        entry_id_pointer: The pointer to the id within an entry.
        entry_state_pointer: The pointer to the state within an entry.
        entry_name_pointer: The pointer to the name within an entry.
        endless_list_patch: A JSON patch (RFC 6902) that makes every page of a list announce another page.
        list_requests: A pattern (``METHOD /path``) that matches the requests that list workspaces.
        create_requests: A pattern that matches the requests that create a workspace.
        admin: An administrator's own account on the server, which may see other users' workspaces.
        facet_values: The values that only the facets' contracts need.
    """

    provider: Any
    access: Access
    harness: Harness
    remote_id: str
    broken_id: str
    foreign_id: str
    missing_id: str
    names: set[str]
    clock: MonotonicClock
    server_clock: Clock | None = None
    server: Any = None
    other_ids: dict[str, str] = field(default_factory=dict)
    initial_state: State = State.STOPPED
    stopped_states: frozenset[State] = frozenset({State.STOPPED})
    request_patterns: dict[str, str] = field(default_factory=dict)
    request_counts: dict[str, int] = field(default_factory=dict)
    break_next_start: Callable[[], None] = lambda: None
    token: str = ""
    can_stop_starting: bool = True
    expected_errors: Mapping[tuple[str, int | str], type[Exception] | None] = field(default_factory=dict)
    has_token_page: bool = True
    state_pointer: str = ""
    id_pointer: str = ""
    url_pointer: str = ""
    list_pointer: str = ""
    entry_id_pointer: str = ""
    entry_state_pointer: str = ""
    entry_name_pointer: str = ""
    endless_list_patch: list[dict[str, Any]] = field(default_factory=list)
    list_requests: str = ""
    create_requests: str = ""
    admin: Access | None = None
    facet_values: FacetValues = field(default_factory=FacetValues)

    def __post_init__(self) -> None:
        #: The steps so far, one per line. They are printed if a test fails.
        self.steps: list[str] = []
        #: The paths of the requests that the server received, exactly as they were sent.
        self.sent_paths: list[str] = []
        self.harness.on_request = self._note_request
        self.note_calls(self.provider)

    def _note_request(self, request: Any) -> None:
        self.sent_paths.append(request.raw_path)
        self.steps.append(f"    {request.method} {request.raw_path}")

    def note_calls(self, provider: Provider) -> Provider:
        """Record every call of a provider's bound methods from now on."""
        for name, verb in list(vars(provider).items()):
            if callable(verb) and not name.startswith("_"):
                setattr(provider, name, self._note_call(name, verb))
        return provider

    def _note_call(self, name: str, verb: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(verb)
        def note_and_call(*args: Any, **options: Any) -> Any:
            arguments = ", ".join(map(_describe_argument, (*args, *options.values())))
            self.steps.append(f"{name}({arguments})")
            return verb(*args, **options)

        return note_and_call

    async def observe(self, remote_id: str | None = None) -> Observed:
        asked = remote_id or self.remote_id
        if self.server_clock is not None:
            self.server_clock.advance(10)
        seen: Observed = (await self.provider.status(self.access, [asked]))[asked]
        assert self.secret not in repr(seen), "a token is shown"
        return seen

    async def read_row(self, remote_id: str | None = None, access: Access | None = None) -> Workspace:
        """Read a workspace and return its row, as the engine does before a call."""
        asked = remote_id or self.remote_id
        seen = (await self.provider.status(access or self.access, [asked]))[asked]
        return build_row(self.provider, asked, seen)

    async def read_until(self, *states: State, remote_id: str | None = None) -> list[Observed]:
        """Read until the workspace reaches one of the states. Return every observation."""
        seen = [await self.observe(remote_id)]
        while seen[-1].state not in states:
            # If the test advances the clock, it takes a fixed number of reads to reach a state.
            assert self.server_clock is None or len(seen) < MAX_READS, f"it is still {seen[-1].state}"
            seen.append(await self.observe(remote_id))
        return seen

    def inject_fault(self, path: str = "", *, of: str = "", **fault: Any) -> None:
        """Inject a fault into the next request that matches ``path`` or that the method ``of`` sends."""
        injected = Fault(re.compile(path or self.request_patterns.get(of, "")), **fault)
        self.harness.faults.append(injected)
        which = "next answer" if injected.times else "answer, from now on,"
        where = f" to {injected.path.pattern}" if injected.path.pattern else ""
        self.steps.append(f"the {which}{where} {injected.describe()}")

    def count_starts(self) -> int:
        """Return how many start calls the server received for the user's workspace."""
        if "start" in self.request_patterns:
            asked = self.harness.requests.items()
            return sum(count for path, count in asked if re.search(self.request_patterns["start"], path))
        # A hub's path contains only the username, so starts of the user's other servers are counted, too.
        mine = {self.access.username, self.remote_id}
        counted = self.harness.requests.items()
        calls = ("POST", "PUT")
        return sum(n for path, n in counted if path.startswith(calls) and mine & set(path.split("/")))

    async def read_list(self) -> Any:
        """Read the user's workspaces or, if the provider doesn't list them, the offer for creating them."""
        if isinstance(self.provider, facets.Lists):
            return await self.provider.discover(self.access)
        return await self.provider.require_facet(facets.Creation).read_offer(self.access)

    @property
    def secret(self) -> str:
        return self.token or self.access.credential.token.get_secret_value()

    def count_requests(self) -> int:
        return sum(self.harness.requests.values())

    def with_token(self, token: str) -> Access:
        return Access(self.access.username, Credential(SecretStr(token)))


def _describe_argument(value: Any) -> str:
    """Describe an argument of a call. For accounts and their tokens, show only the type."""
    if isinstance(value, Workspace):
        return f"workspace {value.remote_id!r}, {value.state}"
    if isinstance(value, Spec):
        return f"spec {value.name!r}"
    is_plain = value is None or isinstance(value, (str, int, float, list, tuple))
    return f"{value!r:.80}" if is_plain else type(value).__name__.lower()


def build_row(provider: Provider, remote_id: str, seen: Observed | State = State.STOPPED) -> Workspace:
    """Return a workspace's row as it would be stored after this observation."""
    return provider.to_workspace(remote_id, Observed(seen) if isinstance(seen, State) else seen, PRINCIPAL)


def build_provider(kind: type[Provider], http: Http, base_url: str, **more: Any) -> Provider:
    """Return a provider for a connection, built the way Usher builds it from the connections file."""
    settings = {"name": kind.kind, "provider": kind.kind, "title": "The cloud", "base_url": base_url}
    return build_bound_provider(kind, kind.settings_model.model_validate(settings | more), http)
