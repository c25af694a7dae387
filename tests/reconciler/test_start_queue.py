"""Turns for starts: in order, within the provider's limit, and held back when it asks for that."""

from dataclasses import dataclass
from itertools import pairwise

from bot.reconciler.runtimes import TURN_POLL_SECONDS, StartQueue
from tests.rigs.clock import FakeClock


@dataclass
class Operation:
    id: str
    created_at: float


def turns(per_second=None):
    clock = FakeClock()
    made = StartQueue(per_second, clock.monotonic)
    clock.advance(100.0)
    return made, clock


def operations(count, apart=0.1):
    return [Operation(f"w{number:04}", 1000.0 + number * apart) for number in range(count)]


def play(made, clock, waiting, step=0.05, seconds=60.0):
    """Let each operation ask when it was told to. Return when each one got its turn, in that order."""
    asks = {operation.id: 0.0 for operation in waiting}
    went = []
    for number in range(int(seconds / step)):
        now = number * step
        for operation in sorted(waiting, key=lambda one: one.created_at, reverse=True):
            if operation.id in asks and asks[operation.id] <= now + 1e-9:
                wait = made.request_turn(operation)
                if wait <= 0:
                    went.append((now, operation))
                    del asks[operation.id]
                else:
                    asks[operation.id] = now + wait
        clock.advance(step)
    assert not asks
    return went


def test_without_a_rule_everybody_goes_at_once():
    made, _ = turns()
    assert [made.request_turn(operation) for operation in operations(50)] == [0.0] * 50


def test_no_second_sees_more_starts_than_the_rule_allows():
    made, clock = turns(20.0)
    went = [at for at, _ in play(made, clock, operations(200), step=0.02)]
    for first in went:
        assert sum(first <= at < first + 1.0 for at in went) <= 20
    # The limit is used up: it isn't much slower than allowed.
    assert max(went) - min(went) < 200 / 20 * 1.25


def test_a_slow_rule_is_kept_as_well():
    made, clock = turns(0.5)
    went = [at for at, _ in play(made, clock, operations(5))]
    assert min(later - earlier for earlier, later in pairwise(went)) >= 2.0


def test_who_asked_first_goes_first_whoever_asks_first():
    made, clock = turns(10.0)
    went = play(made, clock, operations(100))
    # Leave out the first two, which found nobody ahead of them.
    order = [
        operation.created_at for _, operation in sorted(went, key=lambda one: (one[0], one[1].created_at))
    ]
    assert order[2:] == sorted(order[2:])


def test_nothing_goes_right_after_a_restart():
    clock = FakeClock()
    made = StartQueue(5.0, clock.monotonic)
    assert made.request_turn(Operation("w", 1.0)) > 1.0


def test_a_start_without_a_free_slot_is_not_overtaken():
    made, clock = turns()
    early, late, close = Operation("a", 10.0), Operation("b", 11.5), Operation("c", 10.5)
    assert made.request_turn(early) == 0.0
    made.return_turn(early, 1.0)
    assert made.request_turn(late) == TURN_POLL_SECONDS
    assert made.request_turn(close) == 0.0
    clock.advance(1.0)
    assert made.request_turn(early) == 0.0
    assert made.request_turn(late) == 0.0


def test_who_never_comes_back_is_not_waited_for():
    made, clock = turns()
    made.return_turn(Operation("a", 10.0), 1.0)
    clock.advance(3.5)
    assert made.request_turn(Operation("b", 20.0)) == 0.0


def test_a_limit_holds_all_starts():
    made, clock = turns()
    for operation in operations(100):
        assert made.request_turn(operation) == 0.0
    made.delay(5.0)
    later = [Operation(f"x{number}", 2000.0 + number) for number in range(40)]
    assert {made.request_turn(operation) for operation in later} == {5.0}
    went = [at for at, _ in play(made, clock, later)]
    assert min(went) >= 4.9


def test_a_new_owner_counts_starts_that_it_does_not_know():
    made, clock = turns(10.0)
    first, second, third = operations(3)
    assert made.request_turn(first, 100.0) > 1.0
    clock.advance(1.2)
    assert made.request_turn(first, 100.0) == 0.0
    assert made.request_turn(second, 100.0) == 0.0
    # Another process may have granted turns in between.
    assert made.request_turn(third, 200.0) > 1.0
    clock.advance(1.2)
    assert made.request_turn(third, 200.0) == 0.0
