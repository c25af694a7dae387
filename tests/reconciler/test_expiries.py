"""Warnings before a workspace ends by itself: in time, once for each end, by fresh news."""

import pytest

from bot.domain.operations import OperationVerb
from bot.domain.stops import Effects
from bot.domain.workspaces import State, Workspace
from bot.providers import build, provider_classes
from bot.support.http import Http
from tests.reconciler.sphere_world import sphere_world
from tests.reconciler.world import new_world
from tests.rigs.clock import FakeClock
from tests.rigs.providers import FakeProvider
from tests.rigs.store import hide_workspace

MINUTE = 60.0


@pytest.fixture
async def world():
    async with sphere_world(inactivity_minutes=15, retention_minutes=30) as made:
        yield made


def texts(world):
    return [message["text"] for message in world.told("ending")]


def count_warnings(world):
    """Return how many warnings were sent; those of an end that has changed are gone."""
    return world.slack.sent_kinds().count("ending")


async def test_what_is_used_meanwhile_is_warned_of_at_its_new_end(world):
    row = await world.made()
    await world.pass_time(10.5 * MINUTE)
    assert len(texts(world)) == 1
    world.machine(row).last_usage = world.clock.now()
    await world.pass_time(9 * MINUTE)
    assert (len(texts(world)), count_warnings(world)) == (0, 1)
    await world.pass_time(3 * MINUTE)
    assert (len(texts(world)), count_warnings(world)) == (1, 2)


async def test_what_was_used_shortly_before_is_not_warned_of(world):
    """The row still says the old end; the read that comes first knows better."""
    row = await world.made()
    await world.pass_time(8 * MINUTE)
    world.machine(row).last_usage = world.clock.now()
    await world.pass_time(4 * MINUTE)
    assert texts(world) == []


async def test_without_fresh_news_nobody_is_warned(world):
    row = await world.made()
    world.server.state.access_token = "changed"
    await world.pass_time(13 * MINUTE)
    assert texts(world) == []
    assert (await world.row(row)).state is State.RUNNING


async def test_a_second_life_counts_from_its_own_begin(world):
    """The server tells the last use of before; it is not over for that."""
    row = await world.made()
    world.machine(row).last_usage = world.clock.now()
    await world.world.until_ended(await world.world.begin(row, OperationVerb.STOP))
    await world.pass_time(20 * MINUTE)
    await world.world.until_ended(await world.world.begin(await world.row(row), OperationVerb.START))
    began = world.clock.now()
    assert abs((await world.row(row)).ends_at - began - 15 * MINUTE) < 15
    warned = count_warnings(world)
    await world.pass_time(11 * MINUTE)
    assert count_warnings(world) == warned + 1
    assert world.machine(row).phase == "running"


async def test_a_stopped_one_is_warned_of_before_it_is_removed(world):
    await world.world.until_ended(await world.world.begin(await world.made(), OperationVerb.STOP))
    await world.pass_time(24 * MINUTE)
    assert texts(world) == []
    await world.pass_time(2 * MINUTE)
    (warning,) = world.told("ending")
    assert warning["text"].startswith("Courses will remove lab in 5 min (at ")
    labels = [button["text"]["text"] for button in warning["blocks"][-1]["elements"]]
    assert labels == ["Start", "Remove"]
    await world.pass_time(6 * MINUTE)
    assert count_warnings(world) == 1


async def test_who_has_it_stopped_or_forgotten_is_not_warned(world):
    row = await world.made()
    await hide_workspace(world.store, row.id)
    await world.pass_time(12 * MINUTE)
    assert texts(world) == []


class Foretelling(FakeProvider):
    """Say when a machine ends; a stop means there what it means at a provider of some kind."""

    def __init__(self, clock: FakeClock, kind: str) -> None:
        super().__init__(clock)
        own = {"linking": ["none"], "access_token": "secret"} if kind == "sphere" else {}
        told = {"name": "cloud", "provider": kind, "title": "Cloud", "base_url": "https://cloud.example.org"}
        settings = provider_classes()[kind].settings_model.model_validate(told | own)
        self.real = build(settings, Http.__new__(Http))

    def stops(self, workspace: Workspace) -> Effects:
        return self.real.stops(workspace)


@pytest.mark.parametrize("kind", sorted(provider_classes()))
async def test_an_end_that_any_provider_tells_is_warned_of_once(kind):
    """What is warned of follows from the end alone; what it means, from what a stop means there."""
    async with new_world(lambda clock: Foretelling(clock, kind)) as world:
        row = await world.own(state=State.RUNNING)
        world.provider.machines["r1"].ends_at = world.clock.now() + 12 * MINUTE
        await world.store.make_due(row.id)
        await world.pass_time(6 * MINUTE)
        assert (await world.store.workspace(row.id)).ends_how == "stops"
        assert world.slack.messages == []
        await world.pass_time(130, step=10, longest=10)
        (warning,) = [one["text"] for one in world.slack.messages]
        is_final = "remove" in warning
        assert warning.startswith(
            "Fake Cloud will remove name-r1" if is_final else "name-r1 on Fake Cloud will stop"
        )
        assert is_final == (kind == "posit")
