"""Status reads of a workspace: the claim that allows one, and its result."""

from dataclasses import dataclass

from bot.domain.accounts import Account
from bot.domain.holds import Hold
from bot.domain.observations import Observed
from bot.domain.usability import Lack, is_awaited, is_late
from bot.domain.workspaces import State


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """Count reads in a row that report the same uncertain thing: its kind, how often, and since when."""

    kind: str
    times: int
    since: float


@dataclass(frozen=True, slots=True)
class ReadClaim:
    """Hold the right to read one resource's status once, granted by the poll gate.

    ``gate_key`` is the key of the gate's row, ``account`` the account whose credential is used, and
    ``workspace_ids`` the rows that get the result. ``granted_at`` is the store's time of the claim. The
    result returns it, because an observation is as old as its request.
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
    #: Whether a read or list with the person's own credential has shown that the first of ``workspace_ids``
    #: is theirs.
    is_proven: bool = True
    #: An uncertain report of this person's latest reads.
    unconfirmed: Unconfirmed | None = None
    #: Whether a call that may end the workspace was sent, so that finding it gone is expected.
    is_ending: bool = False
    #: The least seconds between two reads of it.
    interval: float = 0.0
    #: The encrypted secret that opens the workspace from Usher's page (``Observed.entry``), as stored in the
    #: row of the person whose account reads; None if there is none.
    entry: str | None = None
    #: What the workspace lacked when it was last read, and since when.
    lacks: Lack | None = None
    lacks_since: float | None = None
    #: Whether its person has asked for it since it was last read.
    is_requested: bool = False

    @property
    def is_usable(self) -> bool:
        """Return whether the workspace was usable when last read, or has lacked something for too long."""
        return self.state is State.RUNNING and not is_awaited(self.lacks, self.lacks_since, self.granted_at)

    @property
    def needs_page_check(self) -> bool:
        """Return whether to request the running workspace's page, which may count as a use of it.

        The page is requested until it answers or has been late for some minutes, and whenever the
        workspace's person asks for a read.
        """
        is_late_page = self.lacks == "page" and is_late(self.lacks_since, self.granted_at)
        return not self.is_usable or is_late_page or self.is_requested


@dataclass(frozen=True, slots=True)
class ReadResult:
    """Hold the result of a claimed read: an observation or an error's sentence, and when to read next.

    ``next_in`` is in seconds from now; None means that only a request causes the next read. If ``observed``
    is None, the rows keep their state.
    """

    gate_key: str
    workspace_ids: tuple[str, ...]
    observed: Observed | None
    next_in: float | None
    block_reason: Hold | None = None
    #: ``ReadClaim.granted_at``; defaults to the gate's last claim.
    granted_at: float | None = None
    #: Period and offset, in seconds, of the times at which an account's reads are batched. The next read
    #: waits for the next of those times.
    slot: tuple[float, float] | None = None
    #: An uncertain report about the first of ``workspace_ids``. An observation clears it.
    unconfirmed: Unconfirmed | None = None
    #: Seconds from now for which the gate stays closed to everybody. The interval starts anew with the
    #: answer, as only that shows when the request had arrived.
    closed_for: float = 0.0
    #: Whether the credential opens only the reader's own workspaces. A read with one that opens everybody's
    #: doesn't disprove a list of the person's workspaces that lacks this one.
    is_own: bool = True
