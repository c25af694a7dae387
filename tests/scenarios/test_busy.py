"""A busy provider, with the whole bot: the card says how long it has been busy, and the call is repeated."""

import pytest

BUSY = "Saturn Cloud has been too busy for this since <!date^"


async def running(linked):
    linked.resource("notebook").start(linked.clock.now())
    await linked.pass_time(40)
    return linked.alice


@pytest.mark.parametrize("status", [503, 429])
async def test_stop_refused_once_is_told_within_its_pace(linked, status):
    alice = await running(linked)
    linked.saturn_fails("/stop$", times=1, status=status)
    await alice.types("stop notebook")
    await linked.pass_time(5, step=1)
    assert BUSY in alice.card.text
    assert "hasn't been available" not in alice.card.text
    await linked.pass_time(30, step=1)
    assert alice.only("stopped")
    assert linked.calls("POST .*/stop") == 2


@pytest.mark.parametrize("status", [503, 429])
async def test_retry_after_of_a_start_is_kept(linked, status):
    alice = linked.alice
    linked.saturn_fails("/start$", times=1, status=status, headers={"Retry-After": "60"})
    await alice.types("start notebook")
    await linked.pass_time(55, step=1)
    assert linked.calls("POST .*/start") == 1
    assert BUSY in alice.card.text
    await linked.pass_time(60, step=1)
    assert alice.only("ready")
    assert linked.calls("POST .*/start") == 2


async def test_stop_refused_for_an_hour_is_done_afterwards(linked):
    alice = await running(linked)
    linked.saturn_fails("/stop$", times=None, status=503)
    await alice.types("stop notebook")
    await linked.pass_time(3_600, step=10)
    assert BUSY in alice.card.text
    assert 12 <= linked.calls("POST .*/stop") <= 25
    assert not alice.told("failed")
    linked.heal()
    await linked.pass_time(360, step=10)
    assert alice.only("stopped")


async def test_start_that_is_cancelled_while_refused_stays_unsent(linked):
    alice = linked.alice
    linked.saturn_fails("/start$", times=None, status=503)
    await alice.types("start notebook")
    await linked.pass_time(30, step=2)
    count = linked.calls("POST .*/start")
    await alice.types("stop notebook")
    await linked.pass_time(120, step=5)
    assert linked.calls("POST .*/start") == count
    assert linked.resource("notebook").runs == []
    assert BUSY not in alice.card.text
