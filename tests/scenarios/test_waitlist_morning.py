"""A morning on the waitlist, with the whole bot: places in line, the messages about them, a freed GPU."""

import pytest

from tests.rigs.scenario.cloud import cloud_world
from tests.scenarios.gpus import GPUS, gpu, seed


@pytest.fixture
async def one_gpu(tmp_path):
    """A world with one GPU, which Bob is using. Alice is waiting for it."""
    async with cloud_world(tmp_path, saturn_seed=seed(*GPUS)) as ready:
        ready.saturn.state.limits.gpus = 1
        gpu(ready, "bob").force("running", ready.clock.now())
        for person, name in ((ready.alice, "alice"), (ready.bob, "bob"), (ready.carol, "carol")):
            await person.has_linked(name)
        await ready.alice.types("start gpu")
        await ready.pass_time(90, step=5)
        await ready.alice.presses(ready.alice.only("failed"), "Keep trying")
        yield ready


def place(person):
    """Return the only message that shows a person's place or how their wait ended, in its current form."""
    said = ("*gpu* is waiting for", "*gpu* stopped waiting for", "*gpu* got ")
    (shown,) = [one for one in person.sees() if one.text.startswith(said)]
    return shown


@pytest.mark.parametrize("way", ["stop gpu", "forget gpu", "unlink saturn --yes", "until"])
async def test_message_of_a_wait_that_ended_has_no_button(one_gpu, way):
    alice = one_gpu.alice
    if way == "until":
        await one_gpu.pass_time(11 * 3600, step=120)
    else:
        await alice.types(way)
        await one_gpu.pass_time(30, step=5)
    (shown,) = [
        one for one in alice.sees() if "*gpu* stopped waiting" in one.text or "isn't waiting" in one.text
    ]
    assert shown.labels == []


async def test_freed_room_is_offered_within_a_minute(one_gpu):
    """Before that, there were hours of failed attempts, ten minutes apart."""
    await one_gpu.pass_time(3 * 3600 + 130, step=60)
    await one_gpu.bob.types("stop gpu")
    stopped_at = None
    while not one_gpu.alice.told("ready"):
        await one_gpu.pass_time(5, step=5)
        if stopped_at is None and one_gpu.bob.told("stopped"):
            stopped_at, runs = one_gpu.clock.now(), len(gpu(one_gpu).runs)
        if stopped_at is not None and len(gpu(one_gpu).runs) > runs:
            break
        assert stopped_at is None or one_gpu.clock.now() - stopped_at <= 60
    assert stopped_at is not None


async def test_grant_that_is_not_used_goes_to_the_next(one_gpu):
    """The first message states the rule, and the second adds that somebody is waiting.

    Nobody else is named.
    """
    alice, carol = one_gpu.alice, one_gpu.carol
    await carol.types("start gpu --wait")
    await one_gpu.pass_time(120, step=10)
    await one_gpu.bob.types("stop gpu")
    await one_gpu.pass_time(600, step=10)
    first, second = (alice, carol) if alice.told("ready") else (carol, alice)
    granted = first.only("ready").text
    assert "If you don't open it within 30 min, and somebody is waiting for a free GPU" in granted
    await one_gpu.pass_time(1800, step=20)
    warning = first.only("stop_warning")
    assert "somebody is waiting for room there" in warning.text
    assert warning.labels == ["Keep running", "1 hour more"]
    await one_gpu.pass_time(720, step=10)
    assert gpu(one_gpu, {alice: "alice", carol: "carol"}[first]).status != "running"
    assert len(second.told("ready")) == 1


async def test_place_is_unknown_then_true_and_over(one_gpu):
    """The message about a wait shows the place in line once it is known, the same as every other answer.

    When the wait is over, the message has no buttons.
    """
    alice, carol = one_gpu.alice, one_gpu.carol
    assert "You're next in line." in place(alice).text
    await carol.writes("start gpu --wait")
    assert "I'll know your place in line once I've tried it." in place(carol).text
    await one_gpu.pass_time(60, step=5)
    for said in ("waiting", "start gpu"):
        asked = await carol.types(said)
        number = next(one for one in ("ahead of you", "next in line") if one in asked.text)
        assert number in place(carol).text, said
    await alice.presses(place(alice), "Stop waiting")
    await one_gpu.pass_time(20, step=5)
    assert "You're next in line." in place(carol).text
    assert place(alice).labels == []
    await one_gpu.bob.types("stop gpu")
    await one_gpu.pass_time(150, step=5)
    assert "*gpu* got a free GPU on Saturn Cloud" in place(carol).text
    assert place(carol).labels == []
    assert len(carol.told("ready")) == 1


async def test_answer_with_a_place_goes_once_that_is_over(one_gpu):
    alice = one_gpu.alice
    asked = (await alice.writes("list waiting"))[-1]
    assert "1 person waiting for a free GPU" in asked.text
    await one_gpu.pass_time(11 * 3600, step=120)
    assert asked.ts not in [one.ts for one in alice.sees()]


async def test_second_start_leaves_one_message_that_shows_the_place(one_gpu):
    carol = one_gpu.carol
    await carol.writes("start gpu --wait")
    await one_gpu.pass_time(60, step=5)
    await carol.writes("start gpu")
    await one_gpu.pass_time(60, step=5)
    assert place(carol).labels == ["Stop waiting"]
