"""Tests of the checks for I2 and I10: they find ends that are reported twice, deleted or untrue."""

import pytest

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.operations import OperationVerb
from bot.domain.steps import Update
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.store import notices, operations
from tests.invariants import readings
from tests.invariants.life import Life
from tests.rigs.clock import CountingIds, FakeClock
from tests.rigs.store import ALICE, accept_operation, linked, memory_store

READY, STOPPED = "🟢 beta is ready. It took 7 s.", "beta has stopped on Fake Cloud."


@pytest.fixture
async def life():
    clock, ids = FakeClock(), CountingIds()
    async with memory_store(clock, ids) as store:
        yield Life(store, clock, ids)


async def post(life, kind, text):
    """Post a message about one of Bob's operations, and return its place."""
    life.clock.advance(2.0)
    metadata = {"event_type": "told", "event_payload": {"key": f"operation_1/{kind}"}}
    posted = {"channel": "UBOB", "text": text, "metadata": metadata}
    answer = await life.slack.call("chat.postMessage", posted)
    return {name: answer.data[name] for name in ("channel", "ts")}


async def test_one_end_passes(life):
    card = await post(life, "card/1", "beta · Fake Cloud Starting since 3:21 PM).")
    await post(life, "ready/end", READY)
    await life.slack.call("chat.delete", card)
    readings.each_end_is_read_once(life)


@pytest.mark.parametrize("method", ["chat.delete", "chat.update"])
async def test_end_on_former_card_is_found(life, method):
    """For a while, the card said the same."""
    card = await post(life, "card/1", READY)
    await life.slack.call(method, {**card, "text": "beta · Fake Cloud", "blocks": []})
    await post(life, "ready/end", READY)
    with pytest.raises(AssertionError, match="I2: operation_1 told by"):
        readings.each_end_is_read_once(life)


async def test_end_that_goes_is_found(life):
    await life.slack.call("chat.delete", await post(life, "ready/end", READY))
    with pytest.raises(AssertionError, match="I2: the end of operation_1 is gone"):
        readings.each_end_is_read_once(life)


async def test_end_in_the_results_of_a_request_is_read(life):
    """One message reports the ends of all operations of a request."""
    (workspace,) = (await linked(life.store, names=["beta"])).workspaces
    stop = (await accept_operation(life.store, workspace, OperationVerb.STOP)).operation
    await life.store.write(notices.await_results, stop.id, "R1")
    end = NewNotice("", NoticeKind.STOPPED, "end", ALICE, {"workspace": workspace.id})
    ended = Update(stop.id, 0.0, outcome=Outcome.FULFILLED, notices=(end,))
    await life.store.write(operations.save_step, ended)
    with pytest.raises(AssertionError, match="told as"):
        await readings.each_end_was_read(life)
    await life.work()
    assert life.slack.kinds() == ["results"]
    await readings.each_end_was_read(life)


@pytest.mark.parametrize(
    ("text", "state"), [(READY, State.FAILED), (STOPPED, State.RUNNING)], ids=["ready", "stopped"]
)
@pytest.mark.parametrize("key", ["ready/end", "card/1", "summary/1", "results/1"])
async def test_end_that_is_not_so_is_found(life, text, state, key):
    """An untrue end can only be recognised by a read after it."""
    life.moves.put("beta", state, name="beta")
    life.clock.advance(1_000.0)
    await post(life, key, text)
    readings.each_end_is_so(life)
    life.moves.reads["bob", "beta"].add(life.clock.monotonic() - 1.0)
    await post(life, key, text)
    with pytest.raises(AssertionError, match="I10: "):
        readings.each_end_is_so(life)


async def test_end_without_its_buttons_passes(life):
    life.moves.put("beta", State.RUNNING, name="beta")
    ready = await post(life, "ready/end", READY)
    readings.each_end_is_so(life)
    life.moves.put("beta", State.FAILED, name="beta")
    life.clock.advance(1_000.0)
    life.moves.reads["bob", "beta"].add(life.clock.monotonic() - 1.0)
    await life.slack.call("chat.update", {**ready, "text": READY, "blocks": []})
    readings.each_end_is_so(life)
    await life.slack.call("chat.update", {**ready, "text": f"{READY} Again.", "blocks": []})
    with pytest.raises(AssertionError, match="I10: "):
        readings.each_end_is_so(life)


async def test_end_that_was_so_just_now_passes(life):
    life.moves.put("beta", State.RUNNING, name="beta")
    life.clock.advance(1_000.0)
    life.moves.put("beta", State.FAILED, name="beta")
    life.moves.reads["bob", "beta"].add(life.clock.monotonic() + 1.0)
    await post(life, "ready/end", READY)
    readings.each_end_is_so(life)
