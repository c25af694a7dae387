"""A fake provider with accounts: tokens and workspaces belong to people, and starts are recorded."""

import asyncio
import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.domain.observations import Observed
from bot.domain.workspaces import State, Workspace
from bot.providers.answers import Listing
from bot.providers.base import Access, Credential, Identity
from bot.support.errors import CredentialRefused, NotFound
from tests.rigs.clock import CountingIds, FakeClock
from tests.rigs.providers import FakeProvider, Machine


@dataclass(frozen=True)
class Start:
    """A start that took effect, and its time in monotonic seconds.

    ``number`` is greater than the numbers of all ids given out before.
    """

    remote_id: str
    username: str
    number: int
    at: float


def number_of(counted: str) -> int:
    """Return the number within an id made by ``CountingIds``."""
    return int(counted.rpartition("_")[2])


class OwnedProvider(FakeProvider):
    """A fake provider that recognises people by their token, and shows them only what is theirs.

    ``minted`` has all tokens that ever existed.
    """

    def __init__(self, clock: FakeClock, owners: dict[str, set[str]], ids: CountingIds) -> None:
        super().__init__(clock)
        self._start_ids = ids
        self.owners = {remote_id: set(people) for remote_id, people in owners.items()}
        self.minted: dict[str, str] = {}
        self.starts: list[Start] = []
        self.strangers: list[str] = []
        #: Seconds until the status shows a start: one whose call was answered, and one whose answer was lost.
        self.shows_after = 0.0
        self.lands_after = 0.0
        #: By person and workspace: when reads were answered.
        self.reads: defaultdict[tuple[str, str], set[float]] = defaultdict(set)
        #: By workspace: when it was last seen up, and last seen down, by anybody.
        self.up_at: dict[str, float] = {}
        self.down_at: dict[str, float] = {}
        self._rising: dict[int, tuple[State, float]] = {}
        #: The tasks whose start was accepted within their present call. Several may call at the same time.
        self._starters: set[Any] = set()
        self._numbers = itertools.count(1)
        for remote_id in owners:
            self.machines[remote_id] = Machine(State.STOPPED, name=remote_id)

    def mint(self, username: str) -> str:
        """Make a token for somebody."""
        token = f"canary_{username}_{next(self._numbers)}"
        self.minted[token] = username
        return token

    def owned(self, username: str) -> set[str]:
        return {remote_id for remote_id, people in self.owners.items() if username in people}

    async def check_credential(self, credential: Credential) -> Identity:
        token = credential.token.get_secret_value()
        self._raise("check_credential", after=False)
        if token not in self.minted or token in self.refused_tokens:
            raise CredentialRefused("no such token", status=401)
        return Identity(self.minted[token], credential)

    async def start(self, access: Access, workspace: Workspace) -> None:
        remote_id, answered = workspace.remote_id, False
        caller = asyncio.current_task()
        try:
            await super().start(access, workspace)
            answered = True
        finally:
            if caller in self._starters:
                self._starters.discard(caller)
                lag = self.shows_after if answered else self.lands_after
                self._show_late(self.machines[remote_id], lag)

    def _took_start(self, access: Access, remote_id: str) -> None:
        super()._took_start(access, remote_id)
        number, at = number_of(self._start_ids.new("start")), self.clock.monotonic()
        self.starts.append(Start(remote_id, access.username, number, at))
        self._starters.add(asyncio.current_task())

    def _took_creation(self, access: Access, remote_id: str, key: str) -> None:
        super()._took_creation(access, remote_id, key)
        # Whether or not the answer arrives, the new workspace belongs to the person who created it.
        self.owners[remote_id] = {access.username}

    def _show_late(self, machine: Machine, lag: float) -> None:
        """Hide a start from the status for a while, as if it hadn't arrived."""
        if lag and machine.state is State.STARTING:
            self._rising[id(machine)] = (machine.next_state or State.RUNNING, self.start_takes)
            machine.state, machine.next_state = State.STOPPED, State.STARTING
            machine.moves_at = self.clock.monotonic() + lag

    def _moved(self, remote_id: str) -> Machine:
        machine = super()._moved(remote_id)
        if machine.state is State.STARTING and machine.next_state is None and id(machine) in self._rising:
            state, seconds = self._rising.pop(id(machine))
            self._go(machine, State.STARTING, state, seconds)
        if machine.state is State.RUNNING:
            self.up_at[remote_id] = self.clock.monotonic()
        elif machine.state is not State.STARTING:
            self.down_at[remote_id] = self.clock.monotonic()
        return machine

    def put(self, remote_id: str, state: State, **keys: Any) -> None:
        if remote_id in self.machines:
            self._moved(remote_id)
        super().put(remote_id, state, **keys)

    async def status(self, access: Access, remote_ids: Sequence[str], *window: Any) -> dict[str, Observed]:
        found = await super().status(access, remote_ids, *window)
        for remote_id in found:
            self.reads[access.username, remote_id].add(self.clock.monotonic())
        return found

    async def discover(self, access: Access) -> Any:
        mine = self.owned(access.username)
        return Listing(found for found in await super().discover(access) if found.remote_id in mine)

    async def revoke(self, access: Access) -> None:
        await super().revoke(access)
        self.refused_tokens.add(access.credential.token.get_secret_value())

    async def refresh(self, access: Access) -> Credential:
        raise CredentialRefused("no refresh token", status=401)

    def _raise(self, method: str, *, after: bool) -> None:
        super()._raise(method, after=after)
        if after or method == "check_credential":
            return
        call = self.calls[-1]
        if self.minted.get(call.token) != call.username:
            self.strangers.append(f"{method} as {call.username} with another's token")
        if method in ("create", "find_created", "list_names"):
            return  # They name a key or a name of ours, not an id of the provider's.
        if call.remote_id and call.remote_id not in self.owned(call.username):
            raise NotFound("not yours", status=404)


__all__ = ["OwnedProvider", "Start", "number_of"]
