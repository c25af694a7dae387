"""Stopping and restarting the bot, which runs as a separate process in real time."""

import asyncio
import time

import pytest_asyncio

from bot.reconciler import Numbers
from tests.rigs.scenario import ID, SEED
from tests.rigs.scenario.commands import ProcessWorld
from tests.rigs.scenario.stage import inject_fault

QUICK = {
    **SEED,
    "workspaces": [
        {"owner": "alice", "name": "training", "id": ID["training"], "start_seconds": 5},
        {"owner": "alice", "name": "report", "id": ID["report"], "status": "running"},
        {"owner": "alice", "name": "q1x", "start_seconds": 2},
        {"owner": "alice", "name": "q1y", "start_seconds": 2},
    ],
}


@pytest_asyncio.fixture
async def outside(tmp_path):
    options = {"live": True, "saturn_seed": QUICK}
    async with ProcessWorld(tmp_path, options).running() as ready:
        await ready.alice.links("alice")
        yield ready


async def test_asked_to_stop_it_ends_what_it_is_at_within_ten_seconds_and_loses_nothing(outside):
    alice = outside.alice
    inject_fault(outside.saturn.harness, rf"/api/workspaces/{ID['report']}$", delay_s=1.5)
    await alice.types("start report")
    await outside.slack.state.wait_for(lambda: False, 0.5)
    status, seconds = await outside.end()
    assert status == 0
    assert seconds < 10.0
    await outside.start_bot()
    await alice.waits_for("ready")
    assert len(alice.told("ready")) == 1
    assert len(alice.told("card")) <= 1
    events = [line["event"] for line in outside.watch.lines()]
    assert "draining" in events
    assert "drained" in events


async def test_start_in_hand_at_a_kill_is_told_at_once(outside):
    """The process is killed while the provider is answering a start.

    The next read's result is reported, without waiting for the lease of the killed step. The start isn't sent
    again, because a read shows that it was accepted.
    """
    alice, sent = outside.alice, r"POST .*/start$"
    inject_fault(outside.saturn.harness, r"/start$", delay_s=30.0, after=True)
    await alice.types("start training")
    async with asyncio.timeout(20):
        while not outside.calls(sent):  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.05)
    await outside.kill()
    began = time.monotonic()
    await outside.start_bot()
    await alice.waits_for("ready")
    assert time.monotonic() - began < Numbers().lease / 2
    assert outside.calls(sent) == 1
    assert len(alice.told("ready")) == 1


async def test_ready_is_read_once_for_each_start_after_a_kill(outside):
    """Two starts within a second, and Slack never answers the first message.

    After the restart, both are ready.
    """
    alice, state, texts = outside.alice, outside.slack.state, {}

    def look():
        for one in alice.sees():
            texts.setdefault(one.ts, set()).add(
                one.text.partition(" is ready")[0].removeprefix("🟢 ") if "is ready" in one.text else ""
            )
        return {name: [ts for ts, said in texts.items() if f"*{name}*" in said] for name in ("q1x", "q1y")}

    outside.slack_fails("chat.postMessage", after=True, delay_s=60.0)
    await outside.slack.say(alice.id, "@bot", "start q1x")
    await outside.slack.say(alice.id, "@bot", "start q1y")
    await state.wait_for(lambda: outside.calls(r"POST .*/start") >= 2, 10)
    # The provider's answer is stored, and the second card waits for the conversation's rate limit.
    await state.wait_for(lambda: False, 0.3)
    await outside.kill()
    await state.wait_for(lambda: False, 11)
    await outside.start_bot()
    await state.wait_for(lambda: all(look().values()), 100)
    await state.wait_for(lambda: look() and False, 15)
    assert {name: len(found) for name, found in look().items()} == {"q1x": 1, "q1y": 1}
    kept = [one.text for one in alice.sees() if "is ready" in one.text]
    assert len(kept) == 2
