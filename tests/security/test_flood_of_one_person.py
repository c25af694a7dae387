"""Tests that a person who sends a thousand requests doesn't affect anybody else."""

import asyncio
import re

import pytest

from bot.domain.work_items import Outcome
from bot.reconciler.runtimes import Slots
from bot.store import counts
from bot.support.limits import MAX_BURST
from tests.rigs.scenario import world as new_scenario
from tests.rigs.store import ALICE, BOB

BURST = int(MAX_BURST)
FLOOD = 1_000
TOO_MANY = "You're sending requests too quickly"


async def flood(world, text, count=FLOOD):
    """Have Olivia type a command ``count`` times at one moment, and return Slack's answers to her."""
    told = []
    for _ in range(count // 50):
        answers = await asyncio.gather(
            *(world.slack.say(world.alice.id, "C0GENERAL", f"/workspace {text}") for _ in range(50))
        )
        told += [answer["ts"] for answer in answers]
    shown = {one.ts: one.text for one in world.alice.sees("C0GENERAL")}
    return [shown[ts] for ts in told]


async def day_of_others(folder, flooded):
    """Play Chen's and Tara's day, with or without Olivia's flood; return all their messages, with times."""
    async with new_scenario(folder) as world:
        for person, account in ((world.alice, "alice"), (world.bob, "bob"), (world.carol, "carol")):
            await person.links(account)
        if flooded:
            await flood(world, "start training", 500)
        answers = [await world.bob.types("start analysis"), await world.carol.types("start course")]
        if flooded:
            await flood(world, "status training", 500)
        await world.pass_time(20)
        answers.append(await world.bob.types("status analysis"))
        await world.pass_time(40)
        said = [answer.text for answer in answers]
        for person in (world.bob, world.carol):
            said += [
                f"{float(shown.ts) - world.clock.now():.0f} {shown.kind} {shown.text}"
                for shown in person.sees()
            ]
        assert world.calls("POST .*/start") == 2 + flooded
        return said


def without_names(lines):
    """Remove references and addresses, which differ between runs."""
    return [re.sub(r"<http[^|]*", "<", line.partition("Reference")[0]) for line in lines]


async def test_others_are_served_as_without_the_flood(tmp_path):
    quiet, loud = tmp_path / "quiet", tmp_path / "loud"
    quiet.mkdir()
    loud.mkdir()
    expected = without_names(await day_of_others(quiet, flooded=False))
    assert without_names(await day_of_others(loud, flooded=True)) == expected
    assert sum(" ready " in line for line in expected) == 2


async def test_who_floods_is_told_when_to_go_on(linked):
    told = await flood(linked, "help", 100)
    passed = [text for text in told if TOO_MANY not in text]
    # Linking used some of the burst, and some of that has been restored.
    assert BURST - 8 <= len(passed) <= BURST
    assert all("Try again in 1 s" in text for text in told if TOO_MANY in text)
    linked.clock.advance(1.0)
    assert TOO_MANY not in (await linked.alice.types("help")).text
    assert TOO_MANY in (await linked.alice.types("help")).text


async def test_commands_clicks_messages_and_forms_share_one_limit(linked):
    alice = linked.alice
    shown = await alice.types("status training")
    await flood(linked, "help", 50)
    before = linked.calls("", linked.saturn)
    (told,) = await alice.presses(shown, "Start")
    assert TOO_MANY in told.text
    assert await alice.presses(shown, "Start") == []
    said = await linked.slack.say(alice.id, "@bot", "start training")
    assert said["ok"]
    await linked.settle()
    assert linked.calls("", linked.saturn) == before
    assert await linked.audit("workspace.start") == []


async def test_a_flood_of_clicks_and_messages_fills_no_queue(linked):
    alice = linked.alice
    shown = await alice.types("status training")
    action_id = shown.button("Start")["action_id"]
    for _ in range(10):
        await asyncio.gather(
            *(linked.slack.press(alice.id, shown.channel, shown.ts, action_id) for _ in range(20)),
            *(linked.slack.say(alice.id, "@bot", "list") for _ in range(20)),
        )
    waiting = await linked.bot.store.perform(counts.count_rows)
    assert waiting["pending_notices"] <= BURST + 2
    assert waiting["open_operations"] == 1
    await linked.pass_time(90)
    assert linked.calls("POST .*/start") == 1
    assert alice.only("ready")


def test_one_persons_calls_leave_half_of_the_slots():
    slots = Slots(10)
    assert [slots.take_share("alice", 0.5) for _ in range(7)] == [True] * 5 + [False] * 2
    assert [slots.take_share("bob", 0.5) for _ in range(7)] == [True] * 5 + [False] * 2
    slots.give_share("alice")
    assert not slots.take_share("bob", 0.5)
    assert slots.take_share("carol", 0.5)
    one = Slots(1)
    assert one.take_share("alice", 0.5)
    one.give_share("alice")
    assert one.take_share("bob", 0.5)


@pytest.fixture
async def engine():
    from tests.reconciler.world import new_world

    async with new_world() as made:
        yield made


async def test_hanging_calls_of_one_person_hold_up_nobody_else(engine):
    """Olivia has twenty starts that the provider doesn't answer. Chen's is sent immediately."""
    engine.provider.pace = type(engine.provider.pace)(
        min_poll_interval=10, pending_interval=10, concurrency=10
    )
    engine.reborn()
    hers = [await engine.own(ALICE, f"a{number}") for number in range(20)]
    his = await engine.own(BOB, "b1")
    hangs, under_way, most = asyncio.Event(), 0, 0
    real = engine.provider.start

    async def start(access, workspace):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        if workspace.remote_id.startswith("a"):
            await hangs.wait()
        await real(access, workspace)
        under_way -= 1

    engine.provider.start = start
    for workspace in hers:
        await engine.begin(workspace)
    operation_id = await engine.begin(his)
    while await engine.reconciler.reads.step():
        pass
    stepping = asyncio.create_task(engine.reconciler.operations.step())
    while "b1" not in engine.provider.accepted_starts:
        await asyncio.sleep(0)
        assert not stepping.done()
    assert under_way <= 6
    hangs.set()
    await stepping
    assert await engine.until_ended(operation_id) is Outcome.FULFILLED
    await engine.pass_time(60)
    assert sorted(engine.provider.accepted_starts) == sorted([*(f"a{number}" for number in range(20)), "b1"])
    assert most <= 10


async def test_starts_begin_in_the_order_of_their_requests(engine):
    workspaces = [await engine.own(remote_id=f"r{number}") for number in range(12)]
    for workspace in reversed(workspaces):
        await engine.begin(workspace)
        engine.clock.advance(0.1)
    await engine.pass_time(30)
    assert engine.provider.accepted_starts == [f"r{number}" for number in reversed(range(12))]


async def test_a_thousand_starts_of_one_workspace_are_one_call(engine):
    workspace = await engine.own()
    operations = {await engine.begin(workspace) for _ in range(200)}
    assert len(operations) == 1
    assert await engine.until_ended(operations.pop()) is Outcome.FULFILLED
    assert engine.provider.count("start") == 1
    assert engine.slack.kinds() == ["ready"]
