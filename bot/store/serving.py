"""What a serving process does first: put right what a clock left that was moved while nobody served.

Nothing here tells how much time has passed by the wall clock alone: where the machine's own monotonic clock
does not prove it, what must not be early waits its whole time from now on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bot.store.times import healing_queries

if TYPE_CHECKING:
    from bot.store.transaction import Transaction

#: Differences below this are a clock that is slewed; less than any poll margin.
SMALL: Final = 0.1
#: No gate is closed for longer than this.
LONGEST_GATE: Final = 600.0
#: A call is watched for its outcome for so long at most.
RECENT_CALL: Final = 900.0
#: A message of unknown outcome may be under way for so long; ``Timing.settles``.
SENDS_SETTLE: Final = 15.0


@dataclass(frozen=True, slots=True)
class Standing:
    """Say how the store's time stands: so far ahead of the monotonic clock of this run of the machine."""

    boot: str
    ahead: float


def beat(tx: Transaction, standing: Standing) -> None:
    """Write that this process lives, and how its time stands."""
    tx.run("beat", now=tx.now(), ahead=standing.ahead, boot=standing.boot)


def heal(tx: Transaction, standing: Standing) -> None:
    """Put right every time that the serving process before left, then begin to serve."""
    now = tx.now()
    back, is_moved = _moved(tx, standing)
    if is_moved:
        tx.run("heal_sends", settled=now + SENDS_SETTLE)
    for query in healing_queries():
        tx.run(query, now=now, back=back, is_moved=is_moved)
    tx.run("heal_gates", now=now, is_moved=is_moved, longest=LONGEST_GATE)
    beat(tx, standing)


def follow(tx: Transaction, jump: float, standing: Standing) -> None:
    """Move what waits along with a wall clock that jumped ahead while this process served.

    Closed gates, calls of a moment ago, leases: none of them has had more time than it had.
    """
    before = tx.now()
    tx.run("move_closed_gates", jump=jump, before=before)
    tx.run("move_calls", jump=jump, before=before, recent=before - RECENT_CALL)
    tx.run("move_job_calls", jump=jump, before=before, recent=before - RECENT_CALL)
    tx.run("move_leased_notices", jump=jump, before=before)
    tx.run("beat", now=before + jump, ahead=standing.ahead + jump, boot=standing.boot)


def _moved(tx: Transaction, standing: Standing) -> tuple[float, bool]:
    """Return by how much the clock was set back since the last beat, and whether it may have been moved."""
    last = tx.one("serving")
    if last is None:
        return 0.0, True
    if standing.boot and last["boot"] == standing.boot:
        moved = standing.ahead - last["ahead"]
        return max(-moved, 0.0) if abs(moved) > SMALL else 0.0, abs(moved) > SMALL
    # The machine was started anew, or it is another one: only the last beat tells, by less than it is old.
    return max(last["seen_at"] - tx.now(), 0.0), True
