"""Waiting for room: in order, one attempt at a time, at its pace; all are told; the unused is given on."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from bot.domain.operations import OperationVerb
from bot.domain.room import GIVEN_ON, PACE, UNUSED
from bot.domain.workspaces import State
from bot.services import more, waits, workspaces
from bot.store.waits import WAITS
from bot.support.errors import CredentialRefused, LimitReached, NoRoom, Refused, ServerFailed, UnknownOutcome
from tests.reconciler.classroom import ask, people, told
from tests.reconciler.world import new_world
from tests.rigs.providers import NO_GPU, FakeProvider, fake_settings
from tests.rigs.store import unlink, within

FULL = NoRoom("0/2 nodes are available: 2 Insufficient nvidia.com/gpu.", status=409)
HOURS = 3600.0
STARTS = OperationVerb.START


class TwoMachines(FakeProvider):
    """Have so many machines, each for one workspace; whoever comes later is refused."""

    machines_there = 2

    async def start(self, access, remote_id):
        up = [one for key, one in self.machines.items() if key != remote_id and one.state in _TAKEN]
        if len(up) >= self.machines_there:
            self.fail("start", FULL)
        await super().start(access, remote_id)


_TAKEN = {State.STARTING, State.RUNNING, State.STOPPING}


@pytest.fixture
async def world():
    async with new_world(TwoMachines) as made:
        yield made


async def line_up(world, count, until=12 * HOURS):
    """Let so many people want a machine each, one after the other; return them and their workspaces."""
    every = people(count)
    own = [await world.own(one, f"r-{one.user_id}") for one in every]
    for one, workspace in zip(every, own, strict=True):
        await ask(world, one).to(workspaces.begin, workspace.id, STARTS)
        await world.pass_time(20, step=5)
        latest = await world.store.latest_operation(workspace.id)
        if latest.cause:
            await ask(world, one).to(waits.join, workspace.id, world.clock.now() + until)
    return every, own


def attempts(world, since=0):
    """Return when each start was sent, and whose."""
    return [(one.at, one.remote_id) for one in world.provider.calls[since:] if one.method == "start"]


async def states(world):
    rows = await within(world.store, lambda tx: tx.all("SELECT * FROM waits ORDER BY seq"))
    return {row["workspace_id"]: row["state"] for row in rows}


def give_back(world, person):
    world.provider.machines[f"r-{person.user_id}"].state = State.STOPPED


@pytest.mark.parametrize("kills", [False, True], ids=["undisturbed", "killed"])
async def test_ten_people_get_two_machines_in_order_none_twice_and_all_are_told(world, kills):
    chance = random.Random(7)
    every, _ = await line_up(world, 10)
    begun, began = len(world.provider.calls), world.clock.now()
    waiting = every[2:]
    served = every[:2]
    for number, one in enumerate(waiting):
        give_back(world, served[number])
        for _ in range(60):
            if kills and chance.random() < 0.3:
                world.reborn()
            await world.pass_time(20, step=5)
            if "is ready" in str(told(world, one)):
                break
        served.append(one)
        assert "is ready" in str(told(world, one)), (number, told(world, one))
    sent = attempts(world, begun)
    assert all(later - earlier >= 60.0 for (earlier, _), (later, _) in pairwise(sent))
    order = list(dict.fromkeys(who for _, who in sent))
    assert order == [f"r-{one.user_id}" for one in waiting]
    assert world.provider.accepted_starts == [f"r-{one.user_id}" for one in every]
    for one in every[2:]:
        said = told(world, one)
        assert len([text for text in said if "is ready" in text]) == 1
        assert len([text for text in said if "no free GPU" in text]) == 1
    # Whoever is next is tried within the longest pause after a machine is free, and its start is short.
    assert world.clock.now() - began <= len(waiting) * (PACE[-1] + 120.0)


async def test_the_pace_is_one_two_five_and_ten_minutes(world):
    await line_up(world, 3)
    begun = len(world.provider.calls)
    await world.pass_time(HOURS, step=5)
    times = [at for at, _ in attempts(world, begun)]
    failed = next(one.at for one in reversed(world.provider.calls[:begun]) if one.method == "start")
    gaps = [later - earlier for earlier, later in pairwise([failed, *times])]
    for gap, pause in zip(gaps, (*PACE, PACE[-1]), strict=False):
        assert pause <= gap <= pause + 45.0, gaps


async def test_a_wait_that_was_cut_short_by_a_stop_or_a_start_elsewhere_is_over(world):
    every, own = await line_up(world, 3)
    await ask(world, every[2]).to(workspaces.begin, own[2].id, OperationVerb.STOP)
    begun = len(world.provider.calls)
    await world.pass_time(HOURS, step=10)
    assert attempts(world, begun) == []
    assert list((await states(world)).values()) == ["over"]


async def test_unlinking_ends_it_with_the_row(world):
    every, own = await line_up(world, 4)
    await unlink(world.store, every[2], "cloud")
    assert list(await states(world)) == [own[3].id]
    give_back(world, every[0])
    await world.pass_time(900, step=10)
    assert "is ready" in str(told(world, every[3]))


@pytest.mark.parametrize(
    ("error", "goes_on"),
    [(ServerFailed("503", status=503), True), (UnknownOutcome("cut"), True)],
    ids=["an outage", "an unknown outcome"],
)
async def test_what_a_full_provider_answers_oddly_is_an_ordinary_start(world, error, goes_on):
    every, _ = await line_up(world, 3)
    give_back(world, every[0])
    world.provider.fail("start", error, times=1)
    begun = len(world.provider.calls)
    await world.pass_time(900, step=5)
    assert ("is ready" in str(told(world, every[2]))) is goes_on
    assert len(attempts(world, begun)) <= 2
    assert world.provider.accepted_starts.count(f"r-{every[2].user_id}") == 1


async def test_a_refused_sign_in_keeps_the_place(world):
    every, _ = await line_up(world, 3)
    give_back(world, every[0])
    world.provider.refused_tokens.add("token-1")
    await world.pass_time(600, step=10)
    assert "waiting" in str(await states(world)) or "trying" in str(await states(world))
    world.provider.refused_tokens.clear()
    await world.pass_time(2 * HOURS, step=20)
    assert "is ready" in str(told(world, every[2]))
    assert issubclass(CredentialRefused, Exception)


async def test_until_its_time_and_no_longer(world):
    every, _ = await line_up(world, 3, until=1800.0)
    await world.pass_time(2400, step=10)
    (over,) = [text for text in told(world, every[2]) if "so I've stopped waiting" in text]
    assert "I didn't get a free GPU on Fake Cloud by" in over
    begun = len(world.provider.calls)
    give_back(world, every[0])
    await world.pass_time(HOURS, step=20)
    assert attempts(world, begun) == []


async def test_half_of_what_a_provider_allows_may_fail_in_a_row(world):
    """What its provider began and then failed counts; nothing is tried beyond that, and it is said why."""
    person, *_ = people(1)
    workspace = await world.own(person, "r1")
    world.provider.settings = TwoMayFail(**fake_settings().model_dump(by_alias=True))
    world.reborn()
    world.provider.start_ends, world.provider.start_takes = State.FAILED, 30.0
    await ask(world, person).to(workspaces.begin, workspace.id, STARTS)
    for _ in range(12):
        world.provider.machines["r1"].reason = NO_GPU
        await world.pass_time(10, step=5)
    await ask(world, person).to(waits.join, workspace.id, world.clock.now() + HOURS)
    for _ in range(120):
        world.provider.machines["r1"].reason = NO_GPU
        await world.pass_time(20, step=10)
    assert world.provider.count("start") == 2
    place = await ask(world, person).to(waits.join, workspace.id, world.clock.now() + HOURS)
    assert place.is_held


class TwoMayFail(type(fake_settings())):
    @property
    def failures_allowed(self):
        return 2


class NoneMayFail(type(fake_settings())):
    @property
    def failures_allowed(self):
        return 0.0


async def test_where_nobody_knows_how_many_may_fail_nobody_waits(world):
    every, own = await line_up(world, 2)
    world.provider.settings = NoneMayFail(**fake_settings().model_dump(by_alias=True))
    world.reborn()
    with pytest.raises(Refused) as refused:
        await ask(world, every[0]).to(waits.join, own[0].id)
    assert refused.value.rule == "wait.limit"


@pytest.mark.parametrize("is_used", [True, False], ids=["used", "unused"])
async def test_what_was_got_and_isnt_used_is_warned_of_and_given_on(world, is_used):
    every, own = await line_up(world, 4)
    give_back(world, every[0])
    # The provider tells when it was used last: before it was started.
    machine = world.provider.machines[f"r-{every[2].user_id}"]
    machine.last_used_at = world.clock.now()
    for _ in range(120):
        await world.pass_time(10, step=5)
        if "is ready" in str(told(world, every[2])):
            break
    (ready,) = [text for text in told(world, every[2]) if "is ready" in text]
    assert "I'll stop it" in ready
    assert "unless you open it or press Keep running" in ready.replace("*", "")
    if is_used:
        await world.pass_time(1200, step=10)
        machine.last_used_at = world.clock.now()
    await world.pass_time(UNUSED + 300, step=20)
    warned = [text for text in told(world, every[2]) if "for whoever is next in line" in text]
    assert bool(warned) is not is_used
    await world.pass_time(GIVEN_ON - UNUSED + 900, step=20)
    assert ("is ready" in str(told(world, every[3]))) is not is_used
    assert machine.state is (State.RUNNING if is_used else State.STOPPED)
    row = await world.store.workspace(own[2].id)
    assert row.stop_at is None


async def test_what_a_moved_clock_says_puts_nobody_out_of_line(world):
    every, _ = await line_up(world, 5)
    before = list((await states(world)).keys())
    world.clock.jump(-86_400.0)
    await world.store.beat()
    await world.pass_time(60, step=10)
    assert list((await states(world)).keys()) == before
    give_back(world, every[0])
    await world.pass_time(900, step=10)
    assert "is ready" in str(told(world, every[2]))
    assert WAITS.times["next_at"].farthest == PACE[-1]


async def test_only_who_changes_limits_answers_for_more(world):
    alice, bob, carol = people(3)
    world.provider.settings = fake_settings(changes_limits=(carol.user_id,))
    world.reborn()
    workspace = await world.own(alice, "r1")
    for one in (bob, carol):
        await world.know(one)
    world.provider.fail("start", LimitReached("at most 2 of yours", status=403))
    await ask(world, alice).to(workspaces.begin, workspace.id, STARTS)
    await world.pass_time(30, step=5)
    failed = await world.store.latest_operation(workspace.id)
    await ask(world, alice).to(more.ask, failed.id)
    for one in (alice, bob):
        with pytest.raises(Refused):
            await ask(world, one).to(more.answer, failed.id)
    with pytest.raises(Refused):
        await ask(world, bob).to(more.ask, failed.id)
    assert await ask(world, carol).to(more.answer, failed.id) == alice
    assert await ask(world, carol).to(more.answer, failed.id, "no") is None
    await world.pass_time(30, step=5)
    assert "has changed your limit" in str(told(world, alice))
