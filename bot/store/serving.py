"""What a serving process does first: put right what a clock left that was moved while nobody served.

By how much it was moved, the machine's own monotonic clock tells as long as the machine runs. After that
nobody knows how much time has passed: what must not be early waits its whole time from now on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from bot.store.times import healing_queries

if TYPE_CHECKING:
    from bot.store.transaction import Transaction

#: Differences below this are a clock that is slewed; less than any poll margin.
SMALL: Final = 0.1
#: How the time stands is written again when it has changed by so much; less than any poll margin, too.
SLEWED: Final = 0.05
#: No gate is closed for longer than this.
LONGEST_GATE: Final = 600.0
#: A call is watched for its outcome for so long at most.
RECENT_CALL: Final = 900.0
#: A message of unknown outcome may be under way for so long; ``Timing.settles``.
SENDS_SETTLE: Final = 15.0


@dataclass(frozen=True, slots=True)
class ClockReading:
    """Say how the store's time stands: so far ahead of the monotonic clock of this run of the machine.

    ``slept`` is for how many seconds the machine has slept in it.
    """

    boot: str
    ahead: float
    slept: float


def beat(tx: Transaction, clock_reading: ClockReading) -> None:
    """Write that this process lives, and how its time stands."""
    _write(tx, tx.now(), clock_reading)


def heal(tx: Transaction, clock_reading: ClockReading) -> None:
    """Put right every time that the serving process before left, then begin to serve."""
    last = tx.one("serving")
    now = tx.now()
    if last is not None and clock_reading.boot and last["boot"] == clock_reading.boot:
        moved, is_unknown = clock_reading.ahead - last["ahead"], False
    else:
        # The machine was restarted, or is another one: only the last beat tells, and not exactly.
        moved, is_unknown = min(now - last["seen_at"], 0.0) if last is not None else 0.0, True
    if moved > SMALL:
        _move_along(tx, moved, now - moved, clock_reading)
    if is_unknown:
        tx.run("heal_sends", settled=now + SENDS_SETTLE)
    back = -moved if moved < -SMALL else 0.0
    for query in healing_queries():
        tx.run(query, now=now, back=back, is_unknown=is_unknown)
    tx.run("move_gates_back", now=now, back=0.0 if is_unknown else back)
    tx.run("heal_gates", now=now, is_unknown=is_unknown, longest=LONGEST_GATE)
    beat(tx, clock_reading)


def follow(tx: Transaction, jump: float, clock_reading: ClockReading) -> None:
    """Move what waits along with a wall clock that jumped ahead while this process serves."""
    before = tx.now()
    _move_along(tx, jump, before, clock_reading)
    _write(tx, before + jump, replace(clock_reading, ahead=clock_reading.ahead + jump))


def _move_along(tx: Transaction, jump: float, before: float, clock_reading: ClockReading) -> None:
    """Move closed gates, calls of a moment ago, leases, sends: none of them has had more time than it had.

    When a call was sent, and what was seen up, moves only with a clock that was set: while the machine slept,
    the provider's clock went on.
    """
    last, recent = tx.one("serving"), before - RECENT_CALL
    slept = clock_reading.slept - last["slept"] if last is not None else 0.0
    was_set = jump - min(max(slept, 0.0), jump)
    tx.run("move_closed_gates", jump=jump, before=before)
    tx.run("move_sights", was_set=was_set, recent=recent)
    tx.run("move_calls", jump=jump, was_set=was_set, before=before, recent=recent)
    tx.run("move_run_calls", jump=jump, was_set=was_set, before=before, recent=recent)
    tx.run("move_sends", jump=jump, before=before)


def _write(tx: Transaction, now: float, clock_reading: ClockReading) -> None:
    tx.run("beat", now=now, ahead=clock_reading.ahead, slept=clock_reading.slept, boot=clock_reading.boot)
