"""The recorder: results are written in batches, and no result holds up another."""

import asyncio

from bot.domain.observations import Observed
from bot.domain.reads import ReadResult
from bot.domain.workspaces import State
from bot.reconciler.reads import Recorder
from bot.support.errors import StoreBusy
from bot.support.pool import Pool
from tests.rigs.clock import CountingIds

SEEN = Observed(State.RUNNING)


def result(number: int, observed: Observed | None = SEEN) -> ReadResult:
    return ReadResult(f"gate {number}", (f"workspace {number}",), observed, 10.0)


class Shelf:
    """A stand-in for the store that records each batch, and fails when told to."""

    def __init__(self, error: Exception | None = None, bad: str = "") -> None:
        self.batches: list[list[str]] = []
        self.asked, self.may_go = asyncio.Event(), asyncio.Event()
        self.may_go.set()
        self._error, self._bad = error, bad

    async def perform(self, _work, results) -> None:
        keys = [one.gate_key for one in results]
        self.batches.append(keys)
        self.asked.set()
        await self.may_go.wait()
        if self._error is not None and (not self._bad or self._bad in keys):
            raise self._error


async def test_what_comes_while_a_batch_is_written_makes_the_next():
    shelf, pool = Shelf(), Pool(10, lambda: None)
    shelf.may_go.clear()
    recorder = Recorder(shelf, CountingIds())
    recorder.put([result(1)], pool)
    await shelf.asked.wait()
    recorder.put([result(2)], pool)
    recorder.put([result(3)], pool)
    shelf.may_go.set()
    assert await pool.drain(5.0) == 0
    assert shelf.batches == [["gate 1"], ["gate 2", "gate 3"]]


async def test_results_that_come_one_after_the_other_are_written_together():
    shelf, pool = Shelf(), Pool(10, lambda: None)
    recorder = Recorder(shelf, CountingIds())
    for number in (1, 2, 3):
        recorder.put([result(number)], pool)
        await asyncio.sleep(0)
    assert await pool.drain(5.0) == 0
    assert shelf.batches == [["gate 1", "gate 2", "gate 3"]]


async def test_one_that_cannot_be_written_keeps_no_other_back():
    shelf = Shelf(ValueError("a mistake of ours"), "gate 2")
    recorder = Recorder(shelf, CountingIds())
    recorder.put([result(number) for number in (1, 2, 3)], None)
    await recorder.write()
    assert shelf.batches == [["gate 1", "gate 2", "gate 3"], ["gate 1"], ["gate 2"], ["gate 3"]]


async def test_a_busy_store_is_not_asked_again_for_each():
    shelf = Shelf(StoreBusy("not in time"))
    recorder = Recorder(shelf, CountingIds())
    recorder.put([result(1), result(2)], None)
    await recorder.write()
    assert len(shelf.batches) == 1
