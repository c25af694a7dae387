"""A morning on the waitlist, through the whole bot: places, the message that shows them, freed room."""

import pytest

from tests.features.waitlist.gpus import GPUS, gpu, seed
from tests.rigs.scenario.cloud import cloud_world


@pytest.fixture
async def one_gpu(tmp_path):
    """A world with one GPU, which bob has; alice waits for it."""
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
    """Return the one message that shows somebody's place, or how their wait ended, as it stands there now."""
    said = ("*gpu* is waiting for", "*gpu* stopped waiting for", "*gpu* got ")
    (shown,) = [one for one in person.sees() if one.text.startswith(said)]
    return shown


async def test_undone_end_of_a_wait_shows_the_place_again(one_gpu):
    alice = one_gpu.alice
    *_, left = await alice.presses(place(alice), "Stop waiting")
    await one_gpu.pass_time(10, step=5)
    assert "stopped waiting for a free GPU" in place(alice).text
    await alice.presses(left, "Undo")
    await one_gpu.pass_time(10, step=5)
    assert "You're next in line." in place(alice).text
    assert place(alice).labels == ["Stop waiting"]


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
    """After hours of trying in vain, ten minutes apart."""
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
    """The first message says the rule, the second that somebody waits; nobody else is named."""
    alice, carol = one_gpu.alice, one_gpu.carol
    await carol.types("queue gpu")
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


async def test_undone_wait_says_whether_it_still_waits(one_gpu):
    alice = one_gpu.alice
    await alice.types("queue gpu until 20:00")
    assert "*gpu* is waiting for room as it was before." in (await alice.types("undo")).text
    assert "*gpu* isn't waiting for room any more." in (await alice.types("undo")).text
