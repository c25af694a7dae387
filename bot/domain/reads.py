"""Status reads of workspaces. A claim permits a single read, and the result says what the read found."""

from dataclasses import dataclass
from typing import NamedTuple

from bot.domain.accounts import Account
from bot.domain.holds import Hold
from bot.domain.observations import Observed
from bot.domain.usability import Lack, is_awaited, is_late
from bot.domain.workspaces import State


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """An unconfirmed finding: what it is, how many reads in a row reported it, and since when."""

    kind: str
    times: int
    since: float


class ReadClaim(NamedTuple):
    """Permission to read the status of one workspace once. The poll gate, which limits such reads, grants it.

    ``gate_key`` is the key of the gate's row, ``account`` is the account whose credential is used, and
    ``workspace_ids`` are the rows that receive the result. ``granted_at`` is when the claim was made, by the
    store's clock. The result includes it, because an observation is as old as its request.
    """

    gate_key: str
    connection: str
    remote_id: str
    account: Account
    workspace_ids: tuple[str, ...]
    has_open_operation: bool
    state: State
    used_at: float | None
    granted_at: float = 0.0
    #: Whether an earlier read or list with the user's own credential has shown the workspace. The user is the
    #: owner of ``account``.
    is_proven: bool = True
    #: What recent reads or lists have reported about the workspace but not yet confirmed, for example that it
    #: is gone. It may also say that this read should ask for the reason for a state (``UNEXPLAINED``).
    unconfirmed: Unconfirmed | None = None
    #: Whether a call that may end the workspace has been sent. The workspace is then expected to disappear.
    is_ending: bool = False
    #: Minimum interval between two reads of the workspace, in seconds.
    interval: float = 0.0
    #: The encrypted secret that opens the workspace from Usher's page (``Observed.entry``), or None if there
    #: is none. It is stored in the row of the user whose account is used for the read.
    entry: str | None = None
    #: What the workspace lacked at the last read. ``lacks_since`` is when a read first found it missing.
    lacks: Lack | None = None
    lacks_since: float | None = None
    #: Whether the workspace's owner has requested a read since the last one.
    is_requested: bool = False

    @property
    def is_usable(self) -> bool:
        """Return whether a start can stop waiting, because the workspace is usable or the wait is over."""
        return self.state is State.RUNNING and not is_awaited(self.lacks, self.lacks_since, self.granted_at)

    @property
    def needs_page_check(self) -> bool:
        """Return whether to request the page of a running workspace. The request may count as use.

        The page is requested until it answers or is several minutes late, and whenever the workspace's owner
        asks for a read.
        """
        is_late_page = self.lacks == "page" and is_late(self.lacks_since, self.granted_at)
        return not self.is_usable or is_late_page or self.is_requested


class ReadResult(NamedTuple):
    """The result of a claimed read: an observation or an error message, and when to read next.

    ``next_in`` is in seconds from now. None means that there is no next read unless someone asks for it. If
    ``observed`` is None, the rows keep their state.
    """

    gate_key: str
    workspace_ids: tuple[str, ...]
    observed: Observed | None
    next_in: float | None
    block_reason: Hold | None = None
    #: When the read was claimed (``ReadClaim.granted_at``). If it is None, the last claim recorded by the
    #: workspace's poll gate (the limit on how often it may be read) counts.
    granted_at: float | None = None
    #: Period and offset, in seconds, of the times at which the account's workspaces are read together. The
    #: next read waits for one of these times. None if workspaces are read one by one.
    slot: tuple[float, float] | None = None
    #: What this read has reported about the workspace but not confirmed, for example that it is gone. It may
    #: also say that the next read should ask for the reason for a state, or that this read did. It is kept in
    #: the row of the first of ``workspace_ids`` until the workspace's state is next observed.
    unconfirmed: Unconfirmed | None = None
    #: How many seconds must pass before the workspace may be read again. The countdown restarts when the
    #: response arrives, because the request may have reached the provider at any moment up to then.
    closed_for: float = 0.0
    #: Whether the credential can open only the user's own workspaces. If it can open everyone's, reading a
    #: workspace that isn't in the user's list doesn't prove that it is theirs.
    is_own: bool = True
