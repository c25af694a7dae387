"""A provider whose machines change with the clock. It fails when told to, and records every call."""

from __future__ import annotations

import asyncio
import heapq
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, ClassVar, Self

from pydantic import SecretStr

from bot.domain.forms import Form, Purpose, Spec, Values
from bot.domain.observations import Created, Observed, OutcomeSearch
from bot.domain.people import Principal
from bot.domain.snapshots import About, User
from bot.domain.stops import StopEffect, StopEffects, StopMode
from bot.domain.workspaces import Action, State, Workspace
from bot.providers import facets
from bot.providers.answers import Listing
from bot.providers.base import (
    MAX_CLOCK_SKEW_SECONDS,
    Access,
    Credential,
    Identity,
    Pace,
    Provider,
    SendWindow,
)
from bot.providers.connection import ConnectionSettings
from bot.providers.facets import DiscoveredWorkspace, TokenHelp
from bot.support.errors import CredentialRefused, NotFound, SentTooLate
from tests.rigs.clock import FakeClock
from tests.rigs.faults import Faulty

BASE_URL = "https://app.example.test"


class FakeSettings(ConnectionSettings):
    """Accepts all link methods."""

    link_methods: ClassVar = {"token": "", "admin": "", "none": ""}


def fake_settings(name: str = "cloud", **keys: Any) -> ConnectionSettings:
    return FakeSettings(
        **{"name": name, "provider": "fake", "title": "Fake Cloud", "base_url": BASE_URL} | keys
    )


#: Kubernetes' message if no GPU is free.
NO_GPU = "0/3 nodes are available: 3 Insufficient nvidia.com/gpu."


@dataclass
class Machine:
    """A machine that is in ``state`` until ``moves_at``, and then in ``next_state``."""

    state: State = State.STOPPED
    next_state: State | None = None
    moves_at: float = 0.0
    detail: str | None = None
    reason: str | None = None
    progress: int | None = None
    name: str = "notebook"
    actions: frozenset[Action] | None = None
    made_at: float = 0.0
    #: When the machine came up, if the provider says so.
    started_at: float | None = None
    #: When the provider will stop the machine, and when it was last used, if the provider says so.
    ends_at: float | None = None
    last_used_at: float | None = None


@dataclass(frozen=True)
class Call:
    method: str
    remote_id: str
    username: str
    token: str
    at: float


class FakeMachines(Faulty, Provider):
    """A fake provider. A start takes ``start_takes`` seconds, and a stop ``stop_takes``.

    Created machines start at once. Their ids are ``m1``, ``m2``, …
    """

    kind: ClassVar[str] = "fake"
    offer_model: ClassVar[type] = dict
    stop_modes: ClassVar[frozenset[StopMode]] = frozenset({"stop", "suspend", "force"})
    pace: ClassVar[Pace] = Pace(
        min_poll_interval=10.0,
        pending_interval=10.0,
        running_interval=300.0,
        unused_interval=1800.0,
        batch_size=1,
        concurrency=20,
    )

    def __init__(self, clock: FakeClock, settings: ConnectionSettings | None = None) -> None:
        super().__init__(settings or fake_settings(), None)  # type: ignore[arg-type]  # it sends nothing
        self.clock = clock
        self.machines: defaultdict[str, Machine] = defaultdict(Machine)
        self.start_takes = 30.0
        self.stop_takes = 5.0
        self.start_ends: State = State.RUNNING
        self.calls: list[Call] = []
        self.accepted_starts: list[str] = []
        self.accepted_stops: list[str] = []
        #: The ids created for each of Usher's keys, in the order in which the creations were accepted.
        self.made: dict[str, list[str]] = {}
        self._ids = 0
        self.removed: list[str] = []
        #: Whether a stopped machine is deleted.
        self.ends_for_good = False
        #: Whether a search finds exactly the machines that Usher created. Otherwise, it lists all possible
        #: ones.
        self.shows_marks = True
        #: Whether a check of names covers only the person's own machines.
        self.tells_names = True
        self.has_own_secret = True
        #: Whether a machine can be created without being started.
        self.makes_at_rest = False
        #: How many consecutive searches miss a created machine.
        self.overlooks = 0
        self.revoked: list[str] = []
        #: Tokens that people made themselves. Usher must not revoke them.
        self.pasted: set[str] = set()
        self.refused_tokens: set[str] = set()
        #: Errors that are raised in every call with a given token.
        self.answers_to: dict[str, Exception] = {}
        self.refreshed = 0
        #: A hook for tests, awaited in each call after it has taken effect and before it returns.
        self.during: Callable[[str], Awaitable[None]] | None = None
        self._faults = defaultdict(list)
        self._late: defaultdict[str, list[float | None]] = defaultdict(list)
        #: Accepted actions that take effect later: the time, a sequence number, and the action.
        self._coming: list[tuple[float, int, Callable[[], None]]] = []

    async def probe(self) -> str:
        return "fake 1.0"

    # -- what tests do to it -------------------------------------------------------------------------------

    def acts_late(self, method: str, seconds: float | None, times: int = 1) -> None:
        """Make the next calls take effect only some seconds after they were accepted, or never (None).

        Together with ``fail(…, after=True)``, the response is lost as well.
        """
        self._late[method] += [seconds] * times

    def settle(self) -> None:
        """Carry out the accepted actions that are due. Each call does this by itself."""
        while self._coming and self._coming[0][0] <= self.clock.monotonic():
            heapq.heappop(self._coming)[2]()

    def heal(self) -> None:
        self._faults.clear()
        self._late.clear()

    def put(self, remote_id: str, state: State, **keys: Any) -> None:
        self.machines[remote_id] = Machine(state=state, **keys)

    def count(self, method: str) -> int:
        return sum(call.method == method for call in self.calls)

    def gaps(self) -> list[float]:
        """Return the seconds between consecutive reads of the same resource."""
        times: defaultdict[str, list[float]] = defaultdict(list)
        for call in self.calls:
            if call.method == "status":
                times[call.remote_id].append(call.at)
        return [later - earlier for each in times.values() for earlier, later in pairwise(each)]

    # -- the contract --------------------------------------------------------------------------------------

    async def status(
        self, access: Access, remote_ids: Sequence[str], window: SendWindow | None = None
    ) -> dict[str, Observed]:
        if window is not None and self.clock.monotonic() > window.until:
            raise SentTooLate("the send window had closed")
        async with self._called("status", access, *remote_ids):
            return {remote_id: self._look(remote_id) for remote_id in remote_ids}

    async def start(self, access: Access, workspace: Workspace) -> None:
        remote_id = workspace.remote_id
        async with self._called("start", access, remote_id) as call:
            call.act(lambda: self._start(access, remote_id))

    def stop_effects(self, workspace: Workspace) -> StopEffects:
        if not self.ends_for_good:
            return super().stop_effects(workspace)
        is_over = workspace.state in {State.FAILED, State.GONE}
        return {} if is_over else {"stop": StopEffect.ENDS, "force": StopEffect.ENDS}

    async def stop(self, access: Access, workspace: Workspace, mode: StopMode = "stop") -> None:
        async with self._called("stop", access, workspace.remote_id) as call:
            call.act(lambda: self._stop(workspace.remote_id, mode))

    async def create(self, access: Access, spec: Spec, key: str) -> Created:
        async with self._called("create", access, key) as call:
            self._ids += 1
            remote_id = f"m{self._ids}"
            call.act(lambda: self._create(access, remote_id, spec.name, key))
        return Created(remote_id, spec.name)

    def can_create_stopped(self, spec: Spec) -> bool:
        return self.makes_at_rest

    async def create_stopped(self, access: Access, spec: Spec, key: str) -> Created:
        assert self.makes_at_rest
        made = await self.create(access, spec, key)
        machine = self.machines[made.remote_id]
        machine.state, machine.next_state = State.STOPPED, None
        return replace(made, is_started=False)

    async def list_names(self, access: Access, stem: str) -> Collection[str] | None:
        async with self._called("list_names", access, stem):
            own = [machine.name for machine in self.machines.values() if machine.name.startswith(stem)]
        return own if self.tells_names else None

    async def find_created(self, access: Access, spec: Spec, key: str, since: float) -> OutcomeSearch:
        async with self._called("find_created", access, key):
            made = self.made.get(key, [])
            if self.overlooks > 0:
                self.overlooks -= 1
                made = []
        if self.shows_marks:
            return OutcomeSearch(Created(made[0], spec.name) if made else None, is_conclusive=True)
        young = [one for one in made if self.machines[one].made_at >= since - MAX_CLOCK_SKEW_SECONDS]
        return OutcomeSearch(candidates=tuple(Created(one, spec.name) for one in young))

    async def remove(self, access: Access, workspace: Workspace) -> None:
        remote_id = workspace.remote_id
        async with self._called("remove", access, remote_id):
            if remote_id not in self.machines:
                raise NotFound("no such workspace")
            del self.machines[remote_id]
            self.removed.append(remote_id)

    async def read_offer(self, access: Access) -> Any:
        async with self._called("read_offer", access, ""):
            return {"sizes": ["small", "large"], "for": access.username}

    def form(self, snapshot: Any, purpose: Purpose, values: Values, principal: Principal) -> Form:
        return Form(())

    def spec(self, snapshot: Any, purpose: Purpose, values: Values, principal: Principal) -> Spec:
        raise AssertionError("nothing is asked with a form here")

    def has_overview(self) -> bool:
        return self.has_own_secret

    async def read_overview(self) -> About:
        self.calls.append(Call("read_overview", "", "", "", self.clock.monotonic()))
        self._raise("read_overview", after=False)
        users = [User(f"user-{number:03}", number % 7 != 3, "member") for number in range(150)]
        return About((("Version", "1.2.3"), ("Features", "jobs, containers")), tuple(users))

    async def check_credential(self, credential: Credential) -> Identity:
        return Identity("alice", credential)

    def page_url(self, remote_id: str) -> str:
        return f"{self.settings.base_url}/dash/{remote_id}"

    def token_help(self) -> TokenHelp:
        return TokenHelp(f"{self.settings.base_url}/token", ["Copy it."], r"\w+")

    async def discover(self, access: Access) -> Listing[DiscoveredWorkspace]:
        async with self._called("discover", access, ""):
            return Listing(
                DiscoveredWorkspace(key, machine.name, self._look(key))
                for key, machine in self.machines.items()
            )

    def can_revoke(self, credential: Credential) -> bool:
        return credential.token.get_secret_value() not in self.pasted

    async def revoke(self, access: Access) -> None:
        async with self._called("revoke", access, ""):
            self.revoked.append(access.credential.token.get_secret_value())
            self.refused_tokens.add(self.revoked[-1])

    async def refresh(self, access: Access) -> Credential:
        self._note("refresh", access, "")
        self._raise("refresh", after=False)
        self.refreshed += 1
        return Credential(SecretStr(f"fresh-{self.refreshed}"), SecretStr(f"again-{self.refreshed}"))

    # -- what takes effect ---------------------------------------------------------------------------------

    def _start(self, access: Access, remote_id: str) -> None:
        machine = self._moved(remote_id)
        if machine.state in (State.RUNNING, State.STARTING):
            return
        self._took_start(access, remote_id)
        self._go(machine, State.STARTING, self.start_ends, self.start_takes)

    def _stop(self, remote_id: str, mode: StopMode) -> None:
        if self.ends_for_good:
            self.removed += [remote_id] if self.machines.pop(remote_id, None) else []
            return
        machine = self._moved(remote_id)
        if machine.state in (State.STOPPED, State.SUSPENDED):
            return
        if mode == "force":
            self.accepted_stops.append(remote_id)
            self._go(machine, State.STOPPING, State.STOPPED, 1.0)
            return
        if machine.state is State.STOPPING:
            return
        self.accepted_stops.append(remote_id)
        then = State.SUSPENDED if mode == "suspend" else State.STOPPED
        self._go(machine, State.STOPPING, then, self.stop_takes)

    def _create(self, access: Access, remote_id: str, name: str, key: str) -> None:
        self._took_creation(access, remote_id, key)
        self.put(remote_id, State.STOPPED, name=name, made_at=self.clock.now())
        self._go(self.machines[remote_id], State.STARTING, self.start_ends, self.start_takes)

    def _took_start(self, _access: Access, remote_id: str) -> None:
        self.accepted_starts.append(remote_id)

    def _took_creation(self, _access: Access, remote_id: str, key: str) -> None:
        self.made.setdefault(key, []).append(remote_id)

    # -- inside --------------------------------------------------------------------------------------------

    def _called(self, method: str, access: Access, *remote_ids: str) -> _Called:
        return _Called(self, method, access, remote_ids)

    def _note(self, method: str, access: Access, *remote_ids: str) -> None:
        token = access.credential.token.get_secret_value()
        at = self.clock.monotonic()
        self.calls += [Call(method, remote_id, access.username, token, at) for remote_id in remote_ids]

    def _moved(self, remote_id: str) -> Machine:
        machine = self.machines[remote_id]
        if machine.next_state is not None and self.clock.monotonic() >= machine.moves_at:
            machine.state, machine.next_state = machine.next_state, None
        return machine

    def _go(self, machine: Machine, state: State, then: State, seconds: float) -> None:
        machine.state, machine.next_state = state, then
        machine.moves_at = self.clock.monotonic() + seconds

    def _look(self, remote_id: str) -> Observed:
        if remote_id not in self.machines:
            return Observed(State.GONE)
        machine = self._moved(remote_id)
        url = f"{self.settings.base_url}/ide/{remote_id}" if machine.state is State.RUNNING else None
        progress = machine.progress if machine.state is State.STARTING else None
        return Observed(
            machine.state,
            url,
            machine.detail,
            progress,
            actions=machine.actions,
            expires_at=machine.ends_at,
            expiry_mode="stops" if machine.ends_at is not None else None,
            started_at=machine.started_at,
            last_used_at=machine.last_used_at,
            reason=machine.reason,
        )


class FakeProvider(
    FakeMachines,
    facets.Lists,
    facets.Removal,
    facets.Revocation,
    facets.Renewal,
    facets.Tokens,
    facets.Overview,
    facets.Creation[Any],
):
    """A provider that has all the facets for workspaces."""


class _Called:
    """Records a call. Raises the error that a test has set, before or after the call takes effect."""

    def __init__(
        self, provider: FakeMachines, method: str, access: Access, remote_ids: Sequence[str]
    ) -> None:
        self._provider = provider
        self._method = method
        self._access = access
        self._remote_ids = remote_ids

    def act(self, do: Callable[[], None]) -> None:
        """Take effect now, or later if ``acts_late`` was called for this method."""
        provider = self._provider
        late = provider._late[self._method]
        seconds = late.pop(0) if late else 0.0
        if seconds is not None:
            due = provider.clock.monotonic() + seconds
            heapq.heappush(provider._coming, (due, len(provider.calls), do))
            provider.settle()

    async def __aenter__(self) -> Self:
        provider = self._provider
        provider.settle()
        provider._note(self._method, self._access, *self._remote_ids)
        await asyncio.sleep(0)
        provider._raise(self._method, after=False)
        token = self._access.credential.token.get_secret_value()
        if token in provider.answers_to:
            raise provider.answers_to[token]
        if token in provider.refused_tokens:
            raise CredentialRefused("the token is not accepted", status=401)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_rest: object) -> None:
        provider = self._provider
        if kind is not None:
            return
        if provider.during is not None:
            await provider.during(self._method)
        provider._raise(self._method, after=True)
