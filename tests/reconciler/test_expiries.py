"""Warnings before a workspace ends by itself: in time, once for each end, and based on a recent read."""

import pytest

from bot.domain.operations import OperationVerb
from bot.domain.stops import StopEffects
from bot.domain.workspaces import State, Workspace
from bot.providers import build, facets, list_provider_classes
from bot.services.caller import Caller
from bot.services.expiries import request_extension
from bot.store import gates, workspaces
from bot.support.errors import InvalidRequest, UnknownOutcome
from bot.support.http import Http
from tests.reconciler.sphere_world import sphere_world
from tests.reconciler.world import new_world
from tests.rigs.clock import FakeClock
from tests.rigs.providers import FakeProvider
from tests.rigs.store import ALICE, hide_workspace

MINUTE = 60.0


@pytest.fixture
async def sphere():
    async with sphere_world(inactivity_minutes=15, retention_minutes=30) as made:
        yield made


def texts(sphere):
    return [message["text"] for message in sphere.told("workspace_expiry")]


def count_warnings(sphere):
    """Return how many warnings were sent. Those about an end that has changed since were deleted."""
    return sphere.slack.sent_kinds().count("workspace_expiry")


async def test_what_is_used_meanwhile_is_warned_of_at_its_new_end(sphere):
    row = await sphere.made()
    await sphere.pass_time(10.5 * MINUTE)
    assert len(texts(sphere)) == 1
    sphere.machine(row).last_usage = sphere.clock.now()
    await sphere.pass_time(9 * MINUTE)
    assert (len(texts(sphere)), count_warnings(sphere)) == (0, 1)
    await sphere.pass_time(3 * MINUTE)
    assert (len(texts(sphere)), count_warnings(sphere)) == (1, 2)


async def test_what_was_used_shortly_before_is_not_warned_of(sphere):
    """The row still has the old end, but a read comes first and finds the new one."""
    row = await sphere.made()
    await sphere.pass_time(8 * MINUTE)
    sphere.machine(row).last_usage = sphere.clock.now()
    await sphere.pass_time(4 * MINUTE)
    assert texts(sphere) == []


async def test_without_fresh_news_nobody_is_warned(sphere):
    row = await sphere.made()
    sphere.server.state.access_token = "changed"
    await sphere.pass_time(13 * MINUTE)
    assert texts(sphere) == []
    assert (await sphere.row(row)).state is State.RUNNING


async def test_a_second_life_counts_from_its_own_begin(sphere):
    """The server still reports the last use before the stop, which doesn't count for the new start."""
    row = await sphere.made()
    sphere.machine(row).last_usage = sphere.clock.now()
    await sphere.world.until_ended(await sphere.world.begin(row, OperationVerb.STOP))
    await sphere.pass_time(20 * MINUTE)
    await sphere.world.until_ended(await sphere.world.begin(await sphere.row(row), OperationVerb.START))
    began = sphere.clock.now()
    assert abs((await sphere.row(row)).expires_at - began - 15 * MINUTE) < 15
    warned = count_warnings(sphere)
    await sphere.pass_time(11 * MINUTE)
    assert count_warnings(sphere) == warned + 1
    assert sphere.machine(row).phase == "running"


async def test_a_stopped_one_is_warned_of_before_it_is_removed(sphere):
    await sphere.world.until_ended(await sphere.world.begin(await sphere.made(), OperationVerb.STOP))
    await sphere.pass_time(24 * MINUTE)
    assert texts(sphere) == []
    await sphere.pass_time(2 * MINUTE)
    (warning,) = sphere.told("workspace_expiry")
    assert warning["text"].startswith("Courses removes lab in 5 min, ")
    labels = [button["text"]["text"] for button in warning["blocks"][-1]["elements"]]
    assert labels == ["Start", "Remove"]
    await sphere.pass_time(6 * MINUTE)
    assert count_warnings(sphere) == 1


async def test_who_has_it_stopped_or_forgotten_is_not_warned(sphere):
    row = await sphere.made()
    await hide_workspace(sphere.store, row.id)
    await sphere.pass_time(12 * MINUTE)
    assert texts(sphere) == []


class Foretelling(FakeProvider):
    """A provider that knows when a machine ends. A stop means the same as at a provider of this kind."""

    def __init__(self, clock: FakeClock, kind: str) -> None:
        super().__init__(clock)
        own = {"linking": ["none"], "access_token": "secret"} if kind == "sphere" else {}
        told = {"name": "cloud", "provider": kind, "title": "Cloud", "base_url": "https://cloud.example.org"}
        settings = list_provider_classes()[kind].settings_model.model_validate(told | own)
        self.real = build(settings, Http.__new__(Http))

    def stop_effects(self, workspace: Workspace) -> StopEffects:
        return self.real.stop_effects(workspace)


class Extending(FakeProvider, facets.Extension):
    """A provider that can postpone an end by up to an hour, or explains why not."""

    most = 3600.0

    async def extend(self, access, workspace, until):
        async with self._called("extend", access, workspace.remote_id):
            machine = self.machines[workspace.remote_id]
            machine.ends_at = min(until, machine.ends_at + self.most)
        return machine.ends_at


@pytest.fixture
async def extending():
    async with new_world(Extending) as made:
        row = await made.own(state=State.RUNNING)
        made.provider.machines["r1"].ends_at = made.clock.now() + 12 * MINUTE
        await made.store.write(gates.request_read_now, row.id)
        await made.pass_time(30)
        yield made, row


async def extend(world, row):
    caller = Caller(world.context, ALICE, "press-1")
    await caller.run(request_extension, row.id)
    await caller.run(request_extension, row.id)
    await world.pass_time(60)
    return [one["text"] for one in world.slack.messages]


async def test_extension_is_asked_for_once_and_its_end_is_told(extending):
    world, row = extending
    before = world.provider.machines["r1"].ends_at
    (told,) = await extend(world, row)
    assert "Fake Cloud will stop name-r1" in told
    assert world.provider.count("extend") == 1
    assert world.provider.machines["r1"].ends_at == before + 3600
    assert (await world.store.read(workspaces.find_workspace, row.id)).expires_at == before + 3600


async def test_extension_that_moves_nothing_is_told_as_that(extending):
    world, row = extending
    world.provider.most = 0.0
    (told,) = await extend(world, row)
    assert told == "Fake Cloud doesn't let name-r1 run longer. It already ends as late as possible there."


async def test_extension_without_an_answer_is_asked_for_again(extending):
    world, row = extending
    world.provider.fail("extend", UnknownOutcome("no answer in time"))
    await extend(world, row)
    await world.pass_time(60)
    (told,) = [one["text"] for one in world.slack.messages]
    assert "instead" in told
    assert world.provider.count("extend") == 2


async def test_refused_extension_is_told_in_the_providers_words(extending):
    world, row = extending
    world.provider.fail(
        "extend", InvalidRequest("Cannot extend workspace beyond its max deadline.", status=400)
    )
    (told,) = await extend(world, row)
    assert "doesn't let name-r1 run longer" in told
    assert "beyond its max deadline" in told


@pytest.mark.parametrize("kind", sorted(list_provider_classes()))
async def test_an_end_that_any_provider_tells_is_warned_of_once(kind):
    """The end alone decides whether to warn; the wording depends on what a stop does at the provider."""
    async with new_world(lambda clock: Foretelling(clock, kind)) as sphere:
        row = await sphere.own(state=State.RUNNING)
        sphere.provider.machines["r1"].ends_at = sphere.clock.now() + 12 * MINUTE
        await sphere.store.write(gates.request_read_now, row.id)
        await sphere.pass_time(6 * MINUTE)
        assert (await sphere.store.read(workspaces.find_workspace, row.id)).expiry_mode == "stops"
        assert sphere.slack.messages == []
        await sphere.pass_time(130, step=10, longest=10)
        (warning,) = [one["text"] for one in sphere.slack.messages]
        is_final = "remove" in warning
        assert warning.startswith("Fake Cloud removes name-r1" if is_final else "Fake Cloud stops name-r1")
        assert is_final == (kind == "posit")
