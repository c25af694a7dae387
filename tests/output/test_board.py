"""The board: whose turn it is, and how often."""

import pytest

from bot.domain.runs import OutputChunk
from bot.output.transcript import Board
from tests.rigs.clock import FakeClock


async def busy(board: Board, count: int) -> None:
    for number in range(count):
        entry = board.add(f"job_{number}")
        await entry.transcript.take(OutputChunk("stdout", "x\n"))
        entry.changed_at = board.monotonic()


@pytest.mark.parametrize(("count", "every"), [(0, 3), (1, 3), (2, 3), (10, 14), (20, 28)])
async def test_outputs_share_what_slack_takes(count, every):
    board = Board(FakeClock().monotonic)
    await busy(board, count)
    assert board.every == every


async def test_quiet_ones_take_nothing_from_the_others():
    clock = FakeClock()
    board = Board(clock.monotonic)
    await busy(board, 20)
    clock.advance(61)
    assert board.every == 3


async def test_each_has_its_turn_and_the_one_that_waits_longest_is_first():
    clock = FakeClock()
    board = Board(clock.monotonic)
    await busy(board, 3)
    assert [entry.run_id for entry in board.due()] == ["job_0", "job_1", "job_2"]
    board.drawn("job_0", board.shown("job_0"))
    clock.advance(1)
    await board.entries["job_0"].transcript.take(OutputChunk("stdout", "y\n"))
    assert [entry.run_id for entry in board.due()] == ["job_1", "job_2"]
    clock.advance(3)
    assert [entry.run_id for entry in board.due()] == ["job_1", "job_2", "job_0"]


async def test_the_end_is_drawn_once_more_and_without_waiting_for_its_turn():
    clock = FakeClock()
    board = Board(clock.monotonic)
    await busy(board, 20)
    entry = board.entries["job_7"]
    board.drawn("job_7", board.shown("job_7"))
    clock.advance(3)
    assert entry not in board.due()
    entry.over(clock.monotonic())
    assert entry in board.due()
    shown = board.shown("job_7")
    assert shown.is_over
    board.drawn("job_7", shown)
    assert not entry.is_dirty


async def test_what_is_lost_or_done_is_not_drawn():
    board = Board(FakeClock().monotonic)
    await busy(board, 2)
    board.entries["job_0"].is_lost = True
    board.entries["job_1"].done(1.0)
    assert board.due() == []
    board.drop("job_1")
    assert board.shown("job_1") is None
