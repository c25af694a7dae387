"""Reads of a workspace's status: the right to one, and its result."""

from dataclasses import dataclass

from bot.domain.accounts import Account
from bot.domain.holds import Hold
from bot.domain.observations import Observed
from bot.domain.usability import Lack, is_awaited, is_late
from bot.domain.workspaces import State


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """Count consecutive reads that report something not certain yet: its kind, how often, and since when."""

    kind: str
    times: int
    since: float


@dataclass(frozen=True, slots=True)
class ReadClaim:
    """Hold the right to read one resource's status once, granted by the poll gate.

    ``gate_key`` is the key of the gate's row, ``account`` the one whose credential reads, ``workspace_ids``
    the rows that get the result. ``granted_at`` is the store's time of the claim, passed back in the result
    because an observation is as old as its request.
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
    #: What this person's latest reads reported that isn't certain yet.
    unconfirmed: Unconfirmed | None = None
    #: A call that may end it was sent: finding it gone is expected.
    is_ending: bool = False
    #: The least seconds between two reads of it; passed back in the result.
    interval: float = 0.0
    #: The sealed entry in the reader's own row, if there is one.
    entry: str | None = None
    #: What that row lacked when it was last read, and since when.
    lacks: Lack | None = None
    lacks_since: float | None = None
    #: Whether its person has asked for it since it was last read.
    is_requested: bool = False

    @property
    def is_usable(self) -> bool:
        """Return whether it was known to be usable, or its lack isn't waited for any more."""
        return self.state is State.RUNNING and not is_awaited(self.lacks, self.lacks_since, self.granted_at)

    @property
    def needs_page_check(self) -> bool:
        """Return whether the page of one that runs is to be asked, which may count as its use.

        That is until it has answered or the patience is over, for a while after that, and for its person.
        """
        is_late_page = self.lacks == "page" and is_late(self.lacks_since, self.granted_at)
        return not self.is_usable or is_late_page or self.is_requested


@dataclass(frozen=True, slots=True)
class ReadResult:
    """Hold the result of a claimed read: an observation or an error's sentence, and when to read next.

    ``next_in`` is seconds from now; None means only when somebody asks. If ``observed`` is None, the rows
    keep their state.
    """

    gate_key: str
    workspace_ids: tuple[str, ...]
    observed: Observed | None
    next_in: float | None
    block_reason: Hold | None = None
    #: ``ReadClaim.granted_at``; defaults to the gate's last claim.
    granted_at: float | None = None
    #: Period and offset, in seconds, of the times at which one account's reads are batched; the next read
    #: waits for such a time.
    slot: tuple[float, float] | None = None
    #: What the read reported that isn't certain yet, for the first of ``workspace_ids``; an observation
    #: clears it.
    unconfirmed: Unconfirmed | None = None
    #: How many seconds the gate stays closed from now on, whoever asks: only the answer shows when the
    #: request arrived.
    closed_for: float = 0.0
    #: Whether the credential opens only the reader's own workspaces: a read with one that opens everybody's
    #: doesn't disprove a list of theirs that lacks this one.
    is_own: bool = True
