"""What a serving process does first: heal the times left by a clock that was moved while nobody served.

While the machine keeps running, its monotonic clock shows by how much the clock was moved. After a reboot
nobody knows how much time has passed, so anything that must not be early waits its full time from now on.
"""

from dataclasses import replace
from typing import Final

from bot.store.schema import healing_queries, setting
from bot.store.tables import OPERATIONS, RUNS, SERVING
from bot.store.transaction import ClockReading, Engine, Transaction

#: Differences below this are ordinary slewing of the clock; less than any poll margin.
SMALL: Final = 0.1
#: The clock reading is written again when it has changed by this much; also less than any poll margin.
SLEWED: Final = 0.05
#: No gate is closed for longer than this.
LONGEST_GATE: Final = 600.0
#: A call's outcome is watched for at most this long.
RECENT_CALL: Final = 900.0
#: A message of unknown outcome may be in flight for this long; ``Timing.settles``.
SENDS_SETTLE: Final = 15.0


async def begin(engine: Engine) -> list[str]:
    """Serve from this database until it is closed: migrate, and heal times unless it is shared.

    Raise as ``migrate`` does.
    """
    applied = await engine.migrate(serves=True)
    if engine.is_shared:
        return applied
    await engine.write(lambda tx: heal(tx, engine.clock_reading()))
    # Not earlier, or the clock reading needed for healing would be overwritten.
    engine.serves()
    return applied


async def note_beat(engine: Engine) -> None:
    """Write a heartbeat with the clock reading: a tiny write. A shared database's clock needs none."""
    if not engine.is_shared:
        # Read the clock within the work, to include a jump that this write is the first to see.
        await engine.write(lambda tx: beat(tx, engine.clock_reading()))


def beat(tx: Transaction, clock_reading: ClockReading) -> None:
    """Write a heartbeat with the clock reading."""
    _write(tx, tx.now(), clock_reading)


def heal(tx: Transaction, clock_reading: ClockReading) -> None:
    """Heal every time left by the previous serving process, then begin to serve."""
    last = SERVING.row(tx, id=1)
    now = tx.now()
    if last is not None and clock_reading.boot and last["boot"] == clock_reading.boot:
        moved, is_unknown = clock_reading.ahead - last["ahead"], False
    else:
        # The machine was rebooted or is a different one: only the last heartbeat gives an estimate.
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
    """Move waiting times along with a wall clock that jumped ahead while this process serves."""
    before = tx.now()
    _move_along(tx, jump, before, clock_reading)
    _write(tx, before + jump, replace(clock_reading, ahead=clock_reading.ahead + jump))


def _move_along(tx: Transaction, jump: float, before: float, clock_reading: ClockReading) -> None:
    """Move closed gates, recent calls, leases and sends: a jump doesn't mean that they had more time.

    When a call was sent, when something was seen up and what Slack counts move only with a clock that was
    set: while the machine slept, the provider's clock and Slack's went on.
    """
    last, recent = SERVING.row(tx, id=1), before - RECENT_CALL
    slept = clock_reading.slept - last["slept"] if last is not None else 0.0
    was_set = jump - min(max(slept, 0.0), jump)
    tx.run("move_closed_gates", jump=jump, before=before)
    tx.run("move_sights", was_set=was_set, recent=recent)
    for errands in (OPERATIONS, RUNS):
        query = setting("move_calls", errands=errands.name)
        tx.run(query, jump=jump, was_set=was_set, before=before, recent=recent)
    tx.run("move_prior_calls", jump=jump, recent=recent)
    tx.run("move_sends", jump=jump, before=before)
    tx.run("move_slack_calls", was_set=was_set)
    tx.run("move_slack_pauses", was_set=was_set, before=before)


def _write(tx: Transaction, now: float, clock_reading: ClockReading) -> None:
    read = {"ahead": clock_reading.ahead, "slept": clock_reading.slept, "boot": clock_reading.boot}
    SERVING.put(tx, id=1, seen_at=now, **read)
