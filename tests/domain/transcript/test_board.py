"""Tests of the board, which collects outputs that have grown, and shows parts of them."""

from bot.domain.runs import OutputChunk
from bot.domain.transcript import Board
from tests.rigs.clock import FakeClock


async def test_what_has_grown_is_said_once():
    board = Board(FakeClock().monotonic)
    for run_id in ("one", "two"):
        await board.add(run_id).transcript.take(OutputChunk("stdout", "x\n"))
    assert board.find_grown_runs(["one", "elsewhere"]) == ["one"]
    assert board.find_grown_runs(["one", "two"]) == ["two"]
    await board.entries["one"].transcript.take(OutputChunk("stdout", "y\n"))
    assert board.find_grown_runs(["one", "two"]) == ["one"]


async def test_what_is_not_followed_any_more_is_not_shown():
    board = Board(FakeClock().monotonic)
    await board.add("one").transcript.take(OutputChunk("stdout", "x\n"))
    shown = board.find_tail("one")
    assert (shown.tail, shown.lines, shown.last_lines, shown.is_over) == ("x", 1, ("x",), False)
    board.drop("one")
    assert board.find_tail("one") is None
