"""Providers' offers and messages, stored for forms and administrators; waiting commands always go on."""

from dataclasses import replace

import pytest

from bot.domain.snapshots import User
from bot.reconciler.tasks import MAX_BUSY_SECONDS
from bot.services import snapshots
from bot.support.errors import Forbidden, RateLimited, Unreachable
from tests.rigs.providers import FakeMachines
from tests.rigs.store import ALICE, unlink

WAITING = {"text": "new cloud", "principal": ALICE.key}


@pytest.fixture
def caller(world):
    return world.ask()


async def test_it_gets_old_after_five_minutes(world, caller):
    account = await world.link()
    await caller.run(snapshots.request_templates, account)
    await world.work()
    kept = await snapshots.load_templates(world.asking, account)
    assert not snapshots.is_stale(world.asking, kept)
    world.clock.advance(snapshots.OFFER_SECONDS + 1)
    assert snapshots.is_stale(world.asking, kept)
    assert world.replayed == []


async def test_a_server_tells_of_itself_without_anybodys_account(world, caller):
    await caller.run(snapshots.request_about, "cloud", WAITING)
    await world.work()
    told = (await snapshots.load_about(world.asking, "cloud")).payload
    assert told.facts[0] == ("Version", "1.2.3")
    assert told.users[3] == User("user-003", is_active=False, level="member")
    assert len(world.replayed) == 1


@pytest.mark.parametrize(
    "error", [Unreachable("no connection"), RateLimited("slow down", status=429, retry_after=20.0)]
)
async def test_trouble_of_the_moment_is_waited_for(world, caller, error):
    account = await world.link()
    world.provider.fail("read_offer", error, times=2)
    await caller.run(snapshots.request_templates, account, WAITING)
    await world.work()
    # A requested pause is reported at once, while other trouble may be over in a moment.
    assert len(world.replayed) == isinstance(error, RateLimited)
    await world.pass_time(60)
    assert (await snapshots.load_templates(world.asking, account)) is not None
    assert len(world.replayed) == 1


async def test_what_is_refused_is_told_to_the_command_that_waits(world, caller):
    account = await world.link()
    world.provider.fail("read_offer", Forbidden("only for members"))
    await caller.run(snapshots.request_templates, account, WAITING)
    await world.work()
    assert await snapshots.load_templates(world.asking, account) is None
    [(_, command)] = world.replayed
    assert command["problem"] == "forbidden:: only for members"


async def test_a_credential_that_stays_refused_is_told_and_ends_the_waiting(world, caller):
    account = await world.link()
    world.provider.refused_tokens = {"token-1"}
    for interaction in ("i1", "i2"):
        await replace(caller, interaction=interaction).run(snapshots.request_templates, account, WAITING)
        await world.pass_time(3)
    await world.pass_time(MAX_BUSY_SECONDS - 60, step=5)
    assert world.replayed == []
    await world.pass_time(1000, step=5)
    assert [command["problem"] for _, command in world.replayed] == ["sign_in_refused"] * 2
    assert world.slack.kinds() == ["sign_in_refused"]
    assert world.provider.count("read_offer") <= 7


async def test_nothing_is_read_for_who_unlinked(world, caller):
    await caller.run(snapshots.request_templates, await world.link(), WAITING)
    await unlink(world.store, ALICE, "cloud")
    await world.work()
    assert (world.provider.calls, world.replayed) == ([], [])


async def test_what_a_provider_does_not_have_is_said(world, caller):
    account = await world.link()

    world.provider = FakeMachines(world.clock)
    world.reborn()
    await caller.run(snapshots.request_templates, account, WAITING)
    await caller.run(snapshots.request_about, "cloud", WAITING)
    await world.work()
    assert {command["problem"] for _, command in world.replayed} == {"not_found", "no_about"}


async def test_while_the_connection_is_away_it_waits(world, caller):
    account = await world.link()
    world.provider.fail("read_offer", Unreachable("no connection"), times=999)
    await caller.run(snapshots.request_templates, account, WAITING)
    await world.pass_time(900, step=10)
    assert len(world.replayed) == 1
    assert world.provider.count("read_offer") <= 12
