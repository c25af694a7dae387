"""Workspaces of Sphere Engine: one token for all of them, and whose they are in our records."""

import json
import re
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from bot.domain.errands import Outcome
from bot.domain.operations import OperationVerb
from bot.domain.workspaces import State
from bot.messages.blocks.lists import status_answer
from bot.providers.base import Access, Credential
from bot.services import classes
from bot.services.gather import Gatherer
from bot.support.http import Http
from bot.support.responses import Response
from bot.support.vault import entry_key
from playground.faults import Fault
from tests.reconciler.classroom import TRAINER, ask, post, press, told
from tests.reconciler.sphere_world import PUBLIC_URL, SHAKY, SPEC, TOKEN, sphere_world
from tests.rigs.store import ALICE, BOB, make_another, unlink, want_read

CREATE = re.compile(r"/api/v1/workspaces$")


@pytest.fixture
async def world():
    async with sphere_world() as made:
        yield made


def spoil(world, **fault):
    world.server.harness.faults.append(Fault(CREATE, **fault))


async def test_what_is_made_opens_in_our_page_and_its_secret_is_sealed(world):
    row = await world.made()
    (ready,) = world.told("ready")
    assert f"{PUBLIC_URL}/ide/{row.id}" in str(ready["blocks"])
    assert "sign in there with Slack" in str(ready["blocks"])
    secret = world.machine(row).token
    shown = str(world.slack.messages)
    assert secret not in shown
    assert TOKEN not in shown
    row = await world.row(row)
    assert secret not in str(row)
    key = entry_key(ALICE.key, "cloud", row.remote_id)
    assert world.world.vault.open(key, row.entry) == {"entry": secret}


async def test_a_rotated_secret_takes_the_place_of_the_old_one(world):
    row = await world.made()
    fresh = world.machine(row).rotate()
    await want_read(world.store, row.id)
    await world.pass_time(10)
    key = entry_key(ALICE.key, "cloud", row.remote_id)
    assert world.world.vault.open(key, (await world.row(row)).entry) == {"entry": fresh}


async def test_an_entry_is_written_only_where_the_row_says_something_else(world):
    row = await world.made()
    written = (await world.row(row)).entry
    # A process that has just begun opens what is stored, and finds that it is the same.
    world.world.reborn()
    await want_read(world.store, row.id)
    await world.pass_time(20)
    assert (await world.row(row)).entry == written
    # Another process has written since: what this one remembers doesn't count.
    await world.store.save_entry(row.id, row.gate_key, "another's, which opens for nobody")
    await want_read(world.store, row.id)
    await world.pass_time(20)
    key = entry_key(ALICE.key, "cloud", row.remote_id)
    assert world.world.vault.open(key, (await world.row(row)).entry) == {"entry": world.machine(row).token}


async def test_a_set_up_that_failed_is_told_when_it_runs(world):
    await world.made(spec=replace(SPEC, chosen={**SPEC.chosen, "project": SHAKY}))
    (ready,) = world.told("ready")
    assert "Its set-up failed: no such package" in str(ready["blocks"])


async def test_without_an_address_of_ours_it_says_what_is_missing(world):
    world.world.public_url = None
    world.world.reborn()
    await world.made()
    (ready,) = world.told("ready")
    assert "I don't have a public web address yet" in str(ready["blocks"])
    assert "/ide/" not in str(ready["blocks"])


async def test_a_stop_while_it_starts_waits_until_it_may(world):
    operation_id = await world.create()
    await world.world.pass_time(3)
    row = await world.world.workspace_of(operation_id)
    assert row.state is State.STARTING
    stop = await world.world.begin(row, OperationVerb.STOP)
    assert await world.world.until_ended(stop) is Outcome.FULFILLED
    assert world.machine(row).phase == "stopped"
    assert world.server.harness.requests[f"PUT /api/v1/workspaces/{row.remote_id}/stop"] == 1
    assert "ready" not in world.slack.kinds()


async def test_a_start_while_it_is_still_stopping_comes_after(world):
    row = await world.made()
    await world.world.until_ended(await world.world.begin(row, OperationVerb.STOP))
    world.machine(row).stop_seconds = 9
    start = await world.world.begin(await world.row(row), OperationVerb.START)
    assert await world.world.until_ended(start) is Outcome.FULFILLED
    assert world.machine(row).phase == "running"


async def test_removing_takes_it_off_the_list(world):
    row = await world.made()
    assert (
        await world.world.until_ended(await world.world.begin(row, OperationVerb.REMOVE)) is Outcome.FULFILLED
    )
    assert world.machine(row).phase == "removed"
    assert (await world.row(row)).hidden
    assert len(world.told("removed")) == 1


# -- a creation of unknown outcome ---------------------------------------------------------------------------


def remote_ids(rows):
    return sorted(row.remote_id for row in rows if not row.is_provisional)


async def asked(world, operation_id):
    """Let two minutes pass; say that its person is asked, and nothing was taken for what it made."""
    await world.world.pass_time(150, step=5)
    operation, row = await world.store.operation(operation_id), await world.world.workspace_of(operation_id)
    return operation.asked_at is not None and row.is_provisional


async def test_what_a_lost_call_made_is_found_and_not_made_again(world):
    spoil(world, drop=True, after=True)
    row = await world.made()
    assert list(world.server.state.workspaces) == [row.remote_id]
    assert world.server.harness.requests["POST /api/v1/workspaces"] == 1


async def test_a_lost_call_of_which_nothing_shows_is_not_repeated_by_itself(world):
    spoil(world, drop=True)
    operation_id = await world.create()
    assert await asked(world, operation_id)
    assert world.server.harness.requests["POST /api/v1/workspaces"] == 1
    assert await make_another(world.store, operation_id)
    assert await world.world.until_ended(operation_id) is Outcome.FULFILLED
    assert len(world.server.state.workspaces) == 1


class ShortLists(Http):
    """Let the items of lists tell id and state only."""

    async def request(self, method: str, url: str, **options: Any) -> Response:
        answer = await super().request(method, url, **options)
        if method != "GET" or not url.endswith("/workspaces"):
            return answer
        told = answer.json_object()
        told["items"] = [{"id": one["id"], "state": one["state"]} for one in told["items"]]
        return Response(answer.status, answer.headers, json.dumps(told).encode())


async def test_what_a_lost_call_made_is_found_where_lists_are_short():
    async with sphere_world(client=ShortLists) as world:
        earlier = await world.world.provider.create(Access("", Credential.of_connection("none")), SPEC, "k")
        world.clock.advance(3600)
        spoil(world, drop=True, after=True)
        row = await world.made()
        assert set(world.server.state.workspaces) == {earlier.remote_id, row.remote_id}
        assert row.remote_id != earlier.remote_id
        asked = world.server.harness.requests
        assert asked["POST /api/v1/workspaces"] == 2
        assert asked[f"GET /api/v1/workspaces/{earlier.remote_id}"] == 1


class Noting(ShortLists):
    """Note when each workspace was read by its id."""

    async def request(self, method: str, url: str, **options: Any) -> Response:
        if method == "GET" and "/workspaces/" in url:
            self.read_at.setdefault(url, []).append(self.monotonic())
        return await super().request(method, url, **options)

    def __init__(self, session: Any, monotonic: Any) -> None:
        super().__init__(session, monotonic)
        self.monotonic = monotonic
        self.read_at: dict[str, list[float]] = {}


async def test_no_candidate_is_read_twice_within_the_interval():
    """Whoever looks for it, after a restart too, and when it is taken: it is one gate."""
    client: list[Noting] = []

    def made(*arguments: Any) -> Noting:
        client.append(Noting(*arguments))
        return client[0]

    async with sphere_world(client=made) as world:
        await world.world.provider.create(Access("", Credential.of_connection("none")), SPEC, "k")
        world.clock.advance(3600)
        spoil(world, drop=True, after=True)
        operation_id = await world.create()
        for _ in range(12):
            await world.pass_time(1)
            world.world.reborn()
        assert await world.world.until_ended(operation_id) is Outcome.FULFILLED
        times = client[0].read_at.values()
        assert len(times) == 2
        assert max(len(each) for each in times) > 1
        gaps = [after - before for each in times for before, after in pairwise(each)]
        assert min(gaps) >= world.world.provider.pace.min_poll_interval


async def test_what_somebody_else_made_meanwhile_is_never_taken(world):
    spoil(world, drop=True)
    mine = await world.create(ALICE)
    await world.world.work()
    theirs = await world.made(BOB)
    assert await asked(world, mine)
    assert list(world.server.state.workspaces) == [theirs.remote_id]


async def test_two_lost_calls_at_once_never_end_in_one_workspace_for_two(world):
    """Neither can tell what is whose, so both are asked."""
    spoil(world, drop=True, after=True, times=2)
    operations = [await world.create(ALICE), await world.create(BOB)]
    assert [await asked(world, operation_id) for operation_id in operations] == [True, True]
    assert len(world.server.state.workspaces) == 2


async def test_what_was_unlinked_meanwhile_is_not_taken_either(world):
    spoil(world, drop=True)
    mine = await world.create(ALICE)
    await world.world.work()
    await world.made(BOB)
    await unlink(world.store, BOB, "cloud")
    assert await asked(world, mine)


# -- the account's own token ---------------------------------------------------------------------------------


async def test_a_refused_token_is_the_operators_and_nobody_links_again():
    async with sphere_world(["UAMIR"]) as world:
        row = await world.made()
        world.server.state.access_token = "changed"
        operation_id = await world.world.begin(row, OperationVerb.STOP)
        await world.pass_time(300)
        assert (await world.store.operation(operation_id)).is_open
        assert "no longer accepts my own key" in (await world.store.operation(operation_id)).hold
        assert (await world.store.account(ALICE, "cloud")).state == "active"
        assert "link_again" not in world.slack.kinds()
        (told,) = world.told("outage")
        assert told["channel"] == "DUAMIR"
        assert "has refused the key" in str(told["blocks"])
        world.world.reborn()  # Operators restart with a good one: no second message, and an end.
        world.server.state.access_token = TOKEN
        assert await world.world.until_ended(operation_id) is Outcome.FULFILLED
        await world.pass_time(60)
        assert ["accepts my key again" in str(one["blocks"]) for one in world.told("outage")] == [False, True]
        assert TOKEN not in str(world.slack.messages)


# -- what the provider tells by itself -----------------------------------------------------------------------


async def test_an_event_is_in_the_state_once_and_of_its_own_workspace(world):
    row = await world.made()
    other = await world.made(BOB)
    gate = world.world.provider.gate_key(row.remote_id)
    assert await world.store.hear("cloud", gate, "hook:cloud:e1", "Scenario tests finished: passed.")
    assert not await world.store.hear("cloud", gate, "hook:cloud:e1", "Something else.")
    assert not await world.store.hear("cloud", "nobody's", "hook:cloud:e2", "Something else.")
    assert not await world.store.hear("another", gate, "hook:another:e1", "Something else.")
    before = [live["text"] for live in world.told("ready")]
    await world.pass_time(60)
    said = []
    for one in (await world.row(row), await world.row(other)):
        facts = await Gatherer(world.world.context).of_workspace(one)
        said.append(str(status_answer(facts, one).blocks).count("Scenario tests finished: passed."))
    assert said == [1, 0]
    assert [live["text"] for live in world.told("ready")] == before


async def test_the_end_of_a_class_removes_nothing_whose_card_spoke_of_a_stop(world):
    row = await world.made()
    card = await post(world.world, pattern="lab")
    assert "can't be started again" not in str(world.told("class_card"))
    await press(world.world, card, ALICE)
    machine = world.machine(row)
    machine.options = replace(machine.options, retention_time_stopped=0)
    await want_read(world.store, row.id)
    await world.pass_time(10)
    await ask(world.world).to(classes.stop_all, card.id)
    await world.pass_time(35)
    assert "I'll leave it running" in str(world.told("timer_ending")[-1])
    await world.pass_time(400)
    assert (await world.row(row)).state is State.RUNNING
    assert "this would end it for good, so I haven't done it" in str(world.told("timer_failed")[-1])
    assert "I left 1 alone" in told(world.world, TRAINER)[-1]
