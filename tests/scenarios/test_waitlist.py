"""Waiting for a free GPU, with the whole bot: joining the line, getting a GPU, passing it on, losing it."""

import json

import pytest

from tests.rigs.scenario.cloud import cloud_world
from tests.rigs.scenario.people import GENERAL
from tests.rigs.scenario.stage import inject_fault
from tests.scenarios.gpus import GPUS, gpu, seed

#: A scheduler's message that no GPU is free.
NO_ROOM = "0/3 nodes are available: 3 Insufficient nvidia.com/gpu."


@pytest.fixture
async def one_gpu(tmp_path):
    """A world with one GPU, which Bob is using."""
    async with cloud_world(tmp_path, saturn_seed=seed(*GPUS)) as ready:
        ready.saturn.state.limits.gpus = 1
        gpu(ready, "bob").force("running", ready.clock.now())
        await ready.alice.has_linked("alice")
        await ready.carol.has_linked("carol")
        yield ready


async def refused(one_gpu, person):
    """Start a person's workspace while no GPU is free. Return the message that offers to wait."""
    await person.types("start gpu")
    await one_gpu.pass_time(90, step=5)
    return person.told("failed")[-1]


async def test_no_room_offers_to_keep_trying_and_a_press_waits_until_it_is_ready(one_gpu):
    alice = one_gpu.alice
    offer = await refused(one_gpu, alice)
    assert "I couldn't start *gpu*: there's no free GPU on Saturn Cloud right now. I can" in offer.text
    assert offer.labels[:2] == ["Keep trying", "Until…"]
    *_, answer = await alice.presses(offer, "Keep trying")
    assert "*gpu* is waiting for a free GPU on Saturn Cloud, until" in answer.text
    assert "You're next in line." in answer.text
    assert answer.labels[0] == "Stop waiting"
    await one_gpu.pass_time(300, step=10)
    assert [one.text for one in alice.told("failed")][1:] == []
    gpu(one_gpu, "bob").force("stopped", one_gpu.clock.now())
    await one_gpu.pass_time(600, step=10)
    ready = alice.only("ready")
    assert "*gpu* is ready." in ready.text


@pytest.mark.parametrize(
    "said",
    ["start gpu --wait", "start gpu --wait until 18:00"],
)
async def test_queue_starts_it_and_waits(one_gpu, said):
    answer = await one_gpu.alice.types(said)
    assert "*gpu* is waiting for room on Saturn Cloud, until" in answer.text, answer.text
    await one_gpu.pass_time(300, step=10)
    assert one_gpu.alice.told("failed") == []
    answer = await one_gpu.alice.types("list waiting")
    assert "*gpu* is waiting for a free GPU on Saturn Cloud, until" in answer.text
    gpu(one_gpu, "bob").force("stopped", one_gpu.clock.now())
    await one_gpu.pass_time(700, step=10)
    assert "*gpu* is ready." in one_gpu.alice.only("ready").text


@pytest.mark.parametrize("way", ["start gpu --wait", "Keep trying"])
async def test_row_waits_between_two_attempts(one_gpu, way):
    """A failed attempt isn't a failure of the workspace, and *Start* wouldn't change anything."""
    alice = one_gpu.alice
    if way == "Keep trying":
        await alice.presses(await refused(one_gpu, alice), way)
    else:
        await alice.types(way)
        await one_gpu.pass_time(100, step=10)
    row = "🟡 *gpu* · Saturn Cloud\nWaiting for a free GPU, until "
    for said in ("list", "list all", "list gpu", "status gpu", "open gpu"):
        shown = await alice.types(said)
        assert row in shown.read, said
        assert "no free GPU" not in shown.read, said
        assert "Stop waiting" in shown.labels, said
    assert (await alice.types("status gpu")).labels[0] == "Stop waiting"
    home = await alice.opens_home()
    assert row in home.read
    assert "Stop waiting" in home.labels
    assert (await one_gpu.slack.shortcut(alice.id, "start_workspace"))["ok"]
    options = alice.modal()["blocks"][0]["element"]["options"]
    states = {one["text"]["text"]: one["description"]["text"] for one in options}
    assert states["gpu"] == "Waiting for a free GPU"
    await one_gpu.slack.close_view(alice.id)


async def test_row_stops_waiting(one_gpu):
    """The answer is a separate message. The list stays in its place, and looks as it did before."""
    alice = one_gpu.alice
    await alice.types("start gpu --wait")
    await one_gpu.pass_time(100, step=10)
    listed = await alice.writes("list")
    (*_, answer) = await alice.presses(listed[-1], "Stop waiting")
    assert answer.text == "OK, *gpu* isn't waiting for room any more."
    assert answer.ts != listed[-1].ts
    assert "🔴 *gpu* · Saturn Cloud\nFailed" in (await alice.types("list")).read
    before = one_gpu.calls("POST .*/start")
    await one_gpu.pass_time(600, step=10)
    assert one_gpu.calls("POST .*/start") == before


async def test_row_of_an_attempt_says_that_it_starts(one_gpu):
    alice = one_gpu.alice
    await alice.types("start gpu --wait")
    gpu(one_gpu, "bob").force("stopped", one_gpu.clock.now())
    await one_gpu.pass_time(10, step=5)
    assert "Waiting for" not in (await alice.types("list gpu")).read
    await one_gpu.pass_time(300, step=10)
    assert "🟢" in (await alice.types("list gpu")).read


async def test_place_is_told_once_known(one_gpu):
    """Ephemeral answers can't be edited, so a separate message shows the place in line."""
    alice, carol = one_gpu.alice, one_gpu.carol
    answer = await carol.types("start gpu --wait until 18:00")
    assert "I'll know your place in line once I've tried it." in answer.text
    await one_gpu.pass_time(100, step=10)
    answer = await alice.types("start gpu --wait until 18:00")
    assert "I'll know your place in line once I've tried it." in answer.text
    await one_gpu.pass_time(600, step=10)
    for person in (alice, carol):
        place = person.only("waitlist_place")
        assert "there's no free GPU on Saturn Cloud right now. I'll keep trying until" in place.text
        assert "One other person is waiting, too." in place.text
        assert place.labels == ["Stop waiting"]


async def test_what_was_got_says_nothing_of_its_use_once_it_is_down(one_gpu):
    alice = one_gpu.alice
    await alice.presses(await refused(one_gpu, alice), "Keep trying")
    gpu(one_gpu, "bob").force("stopped", one_gpu.clock.now())
    await one_gpu.pass_time(900, step=10)
    assert "If you don't open it within" in alice.only("ready").text
    gpu(one_gpu, "alice").force("stopped", one_gpu.clock.now())
    await one_gpu.pass_time(200, step=10)
    (left,) = alice.told("ready")
    assert left.text.startswith("*gpu* became ready at ")
    assert left.text.endswith(", and was stopped later.")
    assert left.labels == []


@pytest.mark.parametrize("way", ["Stop waiting", "stop gpu", "forget gpu"])
async def test_waiting_ends(one_gpu, way):
    alice = one_gpu.alice
    *_, answer = await alice.presses(await refused(one_gpu, alice), "Keep trying")
    if way == "Stop waiting":
        before = len(alice.sees())
        await alice.presses(answer, way)
        await one_gpu.pass_time(60, step=10)
        shown = alice.sees()
        assert len(shown) == before, "its message says it, and nothing else"
        assert "*gpu* stopped waiting for a free GPU" in shown[-1].text
        assert shown[-1].labels == []
    else:
        await alice.types(way)
    before = one_gpu.calls("POST .*/start")
    await one_gpu.pass_time(600, step=10)
    assert one_gpu.calls("POST .*/start") == before
    assert alice.told("waitlist_ended") == []
    answer = await alice.types("list waiting")
    assert "*gpu* is waiting" not in answer.text


@pytest.mark.parametrize(
    ("after", "said"),
    [(100, "OK, *gpu* isn't waiting for room any more."), (30, "*gpu* has stopped on Saturn Cloud.")],
    ids=["between attempts", "an attempt under way"],
)
async def test_a_cancelled_wait_leaves_one_message_in_its_conversation(one_gpu, after, said):
    alice = one_gpu.alice
    await alice.writes("start gpu --wait")
    await one_gpu.pass_time(after, step=10)
    await alice.writes("cancel gpu")
    await one_gpu.pass_time(60, step=10)
    shown = [one.text.splitlines()[0] for one in alice.sees()]
    assert shown == ["start gpu --wait", "cancel gpu", said]


async def test_a_place_that_only_its_reader_sees_becomes_the_end_of_the_wait(one_gpu):
    alice = one_gpu.alice
    place = await alice.types("start gpu --wait")
    await alice.presses(place, "Stop waiting")
    await one_gpu.pass_time(60, step=10)
    assert [one.text for one in alice.sees(GENERAL)] == ["OK, *gpu* isn't waiting for room any more."]


async def test_when_the_time_is_over_it_is_told_once_with_what_goes_on(one_gpu):
    alice = one_gpu.alice
    await refused(one_gpu, alice)
    answer = await alice.types("start gpu --wait until 9:30")
    assert "*gpu* is waiting for a free GPU" in answer.text, answer.text
    await one_gpu.pass_time(2 * 3600, step=20)
    over = alice.only("waitlist_ended")
    assert "I didn't get a free GPU on Saturn Cloud for *gpu* by" in over.text
    assert "so I've stopped waiting." in over.text
    assert over.labels == ["Keep trying"]
    assert "I can keep trying until" in over.text
    *_, answer = await alice.presses(over, over.labels[0])
    assert "*gpu* is waiting for a free GPU on Saturn Cloud, until" in answer.text


def refuse(one_gpu, owner, message, times=None):
    """Make the provider refuse a person's starts with status 400 and a message."""
    path, body = f"POST .*/{gpu(one_gpu, owner).id}/start", json.dumps({"message": message})
    inject_fault(one_gpu.saturn.harness, path, status=400, body=body, acts=False, times=times)


async def test_what_can_never_fit_stops_nobody_else(one_gpu):
    """Alice's start is always refused as if there were no room, and tried for hours. Carol soon gets hers."""
    alice, carol = one_gpu.alice, one_gpu.carol
    refuse(one_gpu, "alice", f"No free GPUs available: {NO_ROOM}")
    answer = await alice.types("start gpu --wait until tomorrow 18:00")
    assert "I'll know your place in line once" in answer.text
    await one_gpu.pass_time(3600, step=20)
    assert alice.told("failed") == alice.told("waitlist_ended") == []
    await carol.types("start gpu --wait")
    await one_gpu.pass_time(120, step=10)
    assert "is waiting for a free GPU" in (await carol.types("list waiting")).text
    gpu(one_gpu, "bob").force("stopped", one_gpu.clock.now())
    await one_gpu.pass_time(300, step=10)
    assert "*gpu* is ready." in carol.only("ready").text
    answer = await alice.types("list waiting")
    assert "*gpu* is waiting for a free GPU on Saturn Cloud" in answer.text
    assert "times so far." in answer.text


async def test_wait_that_ends_for_something_else_says_so_once(one_gpu):
    alice, carol = one_gpu.alice, one_gpu.carol
    refuse(one_gpu, "alice", "No such instance type", times=1)
    await alice.types("start gpu --wait")
    await carol.types("start gpu --wait")
    gpu(one_gpu, "bob").force("stopped", one_gpu.clock.now())
    await one_gpu.pass_time(300, step=10)
    failed = alice.only("failed")
    assert "Saturn Cloud says: “No such instance type.”" in failed.text
    assert "*gpu* is no longer waiting for room on Saturn Cloud." in failed.text
    assert alice.told("waitlist_ended") == []
    assert "*gpu* is ready." in carol.only("ready").text
    assert "is waiting for" not in (await alice.types("list waiting")).text


async def test_unlinking_says_that_nobody_waits_any_more(one_gpu):
    alice, carol = one_gpu.alice, one_gpu.carol
    await alice.presses(await refused(one_gpu, alice), "Keep trying")
    await carol.presses(await refused(one_gpu, carol), "Keep trying")
    asked = await alice.types("unlink saturn")
    *_, answer = await alice.presses(asked, asked.labels[0])
    await one_gpu.pass_time(30)
    assert "I've stopped waiting for room for *gpu*." in answer.text, answer.text
    assert alice.told("waitlist_ended") == []
    gpu(one_gpu, "bob").force("stopped", one_gpu.clock.now())
    await one_gpu.pass_time(300, step=10)
    assert "*gpu* is ready." in carol.only("ready").text


async def test_limit_of_ones_own_has_the_providers_words_and_no_queue(tmp_path):
    async with cloud_world(tmp_path, saturn_seed=seed(*GPUS)) as limited:
        limited.saturn.state.limits.running = 1
        await limited.know_everybody()
        alice = limited.alice
        await alice.has_linked("alice")
        await alice.types("start gpu")
        await limited.pass_time(60, step=5)
        failed = alice.only("failed")
        assert "Saturn Cloud says: “Quota exceeded: 1 running workspaces at most.”" in failed.text
        assert not {"Keep trying", "Ask for a higher limit"} & {*failed.labels}


async def test_offer_loses_its_buttons_when_the_account_is_unlinked(one_gpu):
    offer = await refused(one_gpu, one_gpu.alice)
    await one_gpu.alice.presses(offer, "Keep trying")
    await one_gpu.alice.types("unlink saturn --yes")
    await one_gpu.pass_time(600, step=10)
    [left] = one_gpu.alice.told("failed")
    assert left.text == "*gpu* isn't waiting for room any more."
    assert left.labels == []
    assert not [one for one in one_gpu.alice.sees() if "something broke" in one.text]


async def test_what_runs_waits_for_no_room(one_gpu):
    alice = one_gpu.alice
    gpu(one_gpu).force("running", one_gpu.clock.now())
    await alice.types("status gpu")
    await one_gpu.pass_time(30, step=5)
    answer = await alice.types("start gpu --wait")
    assert "*gpu* is already running" in answer.text, answer.text
    assert "Nobody is waiting for room." in (await alice.types("list waiting")).text


async def test_a_second_start_shows_the_place_and_starts_nothing(one_gpu):
    await one_gpu.alice.presses(await refused(one_gpu, one_gpu.alice), "Keep trying")
    *_, answer = await one_gpu.carol.presses(await refused(one_gpu, one_gpu.carol), "Keep trying")
    assert "One person is ahead of you." in answer.text
    before = one_gpu.calls("POST .*/start")
    answer = await one_gpu.carol.types("start gpu")
    assert "*gpu* is waiting for a free GPU on Saturn Cloud, until" in answer.text
    assert "One person is ahead of you." in answer.text
    assert one_gpu.calls("POST .*/start") == before
    answer = await one_gpu.carol.types("list waiting")
    assert "Saturn Cloud: 2 people waiting for a free GPU" in answer.text, answer.text
    assert "One person is ahead of you." in answer.text
