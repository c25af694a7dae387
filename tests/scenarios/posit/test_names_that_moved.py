"""Usernames that now belong to another account.

Calls with a super-admin token name a user, so the link is put on hold.
"""

import json

import pytest

from playground.posit.seed import PersonSeed
from tests.rigs.scenario.workbench import workbench_world

ADMIN = "U0AMIR"


@pytest.fixture
async def world(tmp_path):
    async with workbench_world(tmp_path, workbench={"linking": ["admin"]}) as ready:
        await ready.alice.types("link wb alice")
        amir = ready.person(ADMIN)
        request = [shown for shown in amir.sees() if "Approve" in shown.labels][-1]
        ready.watch.may_read(ready.alice.id, "alice")
        await amir.presses(request, "Approve")
        await ready.pass_time(20)
        yield ready


def make_anew(world, name="alice"):
    """Delete a user and create another of the same name, who now sees the former user's sessions."""
    world.clock.advance(5)
    world.posit.state.accounts.remove(name)
    world.posit.state.accounts.add(PersonSeed(name))


async def test_a_user_who_was_made_anew_rests_the_link(world):
    alice, amir = world.alice, world.person(ADMIN)
    assert "analysis" in (await alice.types("list")).text
    await world.pass_time(700, step=10)
    make_anew(world)
    stops = world.asked("stop_session")
    await alice.types("suspend analysis")
    await world.pass_time(900, step=10)
    assert "*alice* is another account there now" in alice.only("link_resting").text
    assert len(amir.told("links_resting")) == 1
    reads = world.asked("get_session")
    for text in ("list", "stop analysis", "suspend analysis", "status analysis"):
        assert "another account there now" in (await alice.types(text)).text, text
    jobs = await alice.types("list", command="/job")
    assert "another account there now" in jobs.text
    await world.pass_time(300, step=10)
    assert (world.asked("stop_session"), world.asked("get_session")) == (stops, reads)
    assert world.session("analysis").state == "running"
    (rested,) = await world.audit("account.rested")
    assert json.loads(rested["detail"])["known"].startswith("uid=1037 created=")


async def test_a_call_more_than_ten_minutes_after_a_comparison_is_compared_again(world):
    alice = world.alice
    await world.pass_time(700, step=10)
    before = world.asked("get_users")
    await alice.types("suspend analysis")
    await world.pass_time(120, step=10)
    assert world.asked("get_users") == before + 1
    assert world.session("analysis").state == "suspended"


async def test_a_list_is_compared_first_whenever_it_is_read(world):
    alice = world.alice
    make_anew(world)
    world.posit.state.accounts.people["alice"].created += 5
    await world.pass_time(3700, step=60)
    assert alice.told("link_resting")
    assert "secret" not in (await alice.types("list")).text


async def test_the_same_user_is_compared_every_ten_minutes_and_nothing_changes(world):
    alice = world.alice
    await world.pass_time(1300, step=10)
    assert 2 <= world.asked("get_users") <= 9
    assert "analysis" in (await alice.types("list")).text
    assert not alice.told("link_resting")
    assert not await world.audit("account.rested")


async def test_a_user_who_was_renamed_goes_on(world):
    alice = world.alice
    world.posit.state.accounts.rename("alice", "alice.old")
    for session in world.posit.state.sessions.values():
        session.owner = "alice.old" if session.owner == "alice" else session.owner
    world.watch.may_read(alice.id, "alice.old")
    await world.pass_time(1300, step=10)
    assert "analysis" in (await alice.types("list")).text
    assert "linked as alice.old" in (await alice.types("about")).text
    assert not alice.told("link_resting")


@pytest.mark.parametrize("lost", ["uid", "created"])
async def test_a_fact_that_is_missing_for_once_stops_all_calls_and_rests_nothing(world, lost):
    alice = world.alice
    person = world.posit.state.accounts.people["alice"]
    known = getattr(person, lost)
    setattr(person, lost, None if lost == "uid" else 0.0)
    await world.pass_time(700, step=10)
    reads = world.asked("get_session")
    await alice.types("suspend analysis")
    await world.pass_time(120, step=10)
    assert world.asked("get_session") == reads
    assert world.session("analysis").state == "running"
    assert not alice.told("link_resting")
    setattr(person, lost, known)
    await world.pass_time(900, step=10)
    assert world.session("analysis").state == "suspended"
    assert not await world.audit("account.rested")
