"""Workspaces of Sphere Engine: one token for all of them, with their owners known only from our records."""

import json
import re
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from bot.domain.operations import OperationVerb
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.messages.blocks.lists import status_answer
from bot.messages.texts.holds import explain_hold
from bot.providers.base import Access, Credential
from bot.services import courses as courses_use_cases
from bot.services.message_context import Gatherer
from bot.store import accounts, workspaces
from bot.store import operations as operation_rows
from bot.support.http import Http
from bot.support.responses import Response
from bot.support.vault import entry_key
from playground.faults import Fault
from tests.reconciler.classroom import TRAINER, ask, post, press, told
from tests.reconciler.sphere_world import PUBLIC_URL, SHAKY, SPEC, TOKEN, sphere_world
from tests.rigs.store import ALICE, BOB, make_another, unlink, want_read

CREATE = re.compile(r"/api/v1/workspaces$")


@pytest.fixture
async def sphere():
    async with sphere_world() as made:
        yield made


def inject_fault(sphere, **fault):
    sphere.server.harness.faults.append(Fault(CREATE, **fault))


async def test_what_is_made_opens_in_our_page_and_its_secret_is_sealed(sphere):
    row = await sphere.made()
    (ready,) = sphere.told("ready")
    assert f"{PUBLIC_URL}/ide/{row.id}" in str(ready["blocks"])
    assert "sign in there with Slack" in str(ready["blocks"])
    secret = sphere.machine(row).token
    shown = str(sphere.slack.messages)
    assert secret not in shown
    assert TOKEN not in shown
    row = await sphere.row(row)
    assert secret not in str(row)
    key = entry_key(ALICE.key, "cloud", row.remote_id)
    assert sphere.world.vault.open(key, row.entry) == {"entry": secret}


async def test_a_rotated_secret_takes_the_place_of_the_old_one(sphere):
    row = await sphere.made()
    fresh = sphere.machine(row).rotate()
    await want_read(sphere.store, row.id)
    await sphere.pass_time(10)
    key = entry_key(ALICE.key, "cloud", row.remote_id)
    assert sphere.world.vault.open(key, (await sphere.row(row)).entry) == {"entry": fresh}


async def test_an_entry_is_written_only_where_the_row_says_something_else(sphere):
    row = await sphere.made()
    written = (await sphere.row(row)).entry
    # A process that has just started opens the stored entry, and finds it unchanged.
    sphere.world.reborn()
    await want_read(sphere.store, row.id)
    await sphere.pass_time(20)
    assert (await sphere.row(row)).entry == written
    # Another process has written it since, so what this one remembers doesn't count.
    await sphere.store.write(workspaces.save_entry, row.id, row.gate_key, "another's, which opens for nobody")
    await want_read(sphere.store, row.id)
    await sphere.pass_time(20)
    key = entry_key(ALICE.key, "cloud", row.remote_id)
    assert sphere.world.vault.open(key, (await sphere.row(row)).entry) == {"entry": sphere.machine(row).token}


async def test_a_set_up_that_failed_is_told_when_it_runs(sphere):
    await sphere.made(spec=replace(SPEC, chosen={**SPEC.chosen, "project": SHAKY}))
    (ready,) = sphere.told("ready")
    assert "Its set-up failed: no such package" in str(ready["blocks"])


async def test_without_an_address_of_ours_it_says_what_is_missing(sphere):
    sphere.world.public_url = None
    sphere.world.reborn()
    await sphere.made()
    (ready,) = sphere.told("ready")
    assert "I don't have a public web address yet" in str(ready["blocks"])
    assert "/ide/" not in str(ready["blocks"])


async def test_a_stop_while_it_starts_waits_until_it_may(sphere):
    operation_id = await sphere.create()
    await sphere.world.pass_time(3)
    row = await sphere.world.workspace_of(operation_id)
    assert row.state is State.STARTING
    stop = await sphere.world.begin(row, OperationVerb.STOP)
    assert await sphere.world.until_ended(stop) is Outcome.FULFILLED
    assert sphere.machine(row).phase == "stopped"
    assert sphere.server.harness.requests[f"PUT /api/v1/workspaces/{row.remote_id}/stop"] == 1
    assert "ready" not in sphere.slack.kinds()


async def test_a_start_while_it_is_still_stopping_comes_after(sphere):
    row = await sphere.made()
    await sphere.world.until_ended(await sphere.world.begin(row, OperationVerb.STOP))
    sphere.machine(row).stop_seconds = 9
    start = await sphere.world.begin(await sphere.row(row), OperationVerb.START)
    assert await sphere.world.until_ended(start) is Outcome.FULFILLED
    assert sphere.machine(row).phase == "running"


async def test_removing_takes_it_off_the_list(sphere):
    row = await sphere.made()
    assert (
        await sphere.world.until_ended(await sphere.world.begin(row, OperationVerb.REMOVE))
        is Outcome.FULFILLED
    )
    assert sphere.machine(row).phase == "removed"
    assert (await sphere.row(row)).hidden
    assert len(sphere.told("removed")) == 1


# -- a creation with unknown outcome -------------------------------------------------------------------------


def remote_ids(rows):
    return sorted(row.remote_id for row in rows if not row.is_provisional)


async def asked(sphere, operation_id):
    """Let two minutes pass.

    Return whether the person is asked, and no workspace was assigned to the request.
    """
    await sphere.world.pass_time(150, step=5)
    operation, row = (
        await sphere.store.read(operation_rows.find_operation, operation_id),
        await sphere.world.workspace_of(operation_id),
    )
    return operation.question_since is not None and row.is_provisional


async def test_what_a_lost_call_made_is_found_and_not_made_again(sphere):
    inject_fault(sphere, drop=True, after=True)
    row = await sphere.made()
    assert list(sphere.server.state.workspaces) == [row.remote_id]
    assert sphere.server.harness.requests["POST /api/v1/workspaces"] == 1


async def test_a_lost_call_of_which_nothing_shows_is_not_repeated_by_itself(sphere):
    inject_fault(sphere, drop=True)
    operation_id = await sphere.create()
    assert await asked(sphere, operation_id)
    assert sphere.server.harness.requests["POST /api/v1/workspaces"] == 1
    assert await make_another(sphere.store, operation_id)
    assert await sphere.world.until_ended(operation_id) is Outcome.FULFILLED
    assert len(sphere.server.state.workspaces) == 1


class ShortLists(Http):
    """A client for which the entries of lists have only an id and a state."""

    async def request(self, method: str, url: str, **options: Any) -> Response:
        answer = await super().request(method, url, **options)
        if method != "GET" or not url.endswith("/workspaces"):
            return answer
        told = answer.json_object()
        told["items"] = [{"id": one["id"], "state": one["state"]} for one in told["items"]]
        return Response(answer.status, answer.headers, json.dumps(told).encode())


async def test_what_a_lost_call_made_is_found_where_lists_are_short():
    async with sphere_world(client=ShortLists) as sphere:
        earlier = await sphere.world.provider.create(Access("", Credential.for_connection("none")), SPEC, "k")
        sphere.clock.advance(3600)
        inject_fault(sphere, drop=True, after=True)
        row = await sphere.made()
        assert set(sphere.server.state.workspaces) == {earlier.remote_id, row.remote_id}
        assert row.remote_id != earlier.remote_id
        asked = sphere.server.harness.requests
        assert asked["POST /api/v1/workspaces"] == 2
        assert asked[f"GET /api/v1/workspaces/{earlier.remote_id}"] == 1


class Noting(ShortLists):
    """A client that records when each workspace is read by its id."""

    async def request(self, method: str, url: str, **options: Any) -> Response:
        if method == "GET" and "/workspaces/" in url:
            self.read_at.setdefault(url, []).append(self.monotonic())
        return await super().request(method, url, **options)

    def __init__(self, session: Any, monotonic: Any) -> None:
        super().__init__(session, monotonic)
        self.monotonic = monotonic
        self.read_at: dict[str, list[float]] = {}


async def test_no_candidate_is_read_twice_within_the_interval():
    """Searches, even after a restart, and the final read all use the same gate."""
    client: list[Noting] = []

    def made(*arguments: Any) -> Noting:
        client.append(Noting(*arguments))
        return client[0]

    async with sphere_world(client=made) as sphere:
        await sphere.world.provider.create(Access("", Credential.for_connection("none")), SPEC, "k")
        sphere.clock.advance(3600)
        inject_fault(sphere, drop=True, after=True)
        operation_id = await sphere.create()
        for _ in range(12):
            await sphere.pass_time(1)
            sphere.world.reborn()
        assert await sphere.world.until_ended(operation_id) is Outcome.FULFILLED
        times = client[0].read_at.values()
        assert len(times) == 2
        assert max(len(each) for each in times) > 1
        gaps = [after - before for each in times for before, after in pairwise(each)]
        assert min(gaps) >= sphere.world.provider.pace.min_poll_interval


async def test_what_somebody_else_made_meanwhile_is_never_taken(sphere):
    inject_fault(sphere, drop=True)
    mine = await sphere.create(ALICE)
    await sphere.world.work()
    theirs = await sphere.made(BOB)
    assert await asked(sphere, mine)
    assert list(sphere.server.state.workspaces) == [theirs.remote_id]


async def test_two_lost_calls_at_once_never_end_in_one_workspace_for_two(sphere):
    """Neither search can tell whose workspace is whose, so both people are asked."""
    inject_fault(sphere, drop=True, after=True, times=2)
    operations = [await sphere.create(ALICE), await sphere.create(BOB)]
    assert [await asked(sphere, operation_id) for operation_id in operations] == [True, True]
    assert len(sphere.server.state.workspaces) == 2


async def test_what_was_unlinked_meanwhile_is_not_taken_either(sphere):
    inject_fault(sphere, drop=True)
    mine = await sphere.create(ALICE)
    await sphere.world.work()
    await sphere.made(BOB)
    await unlink(sphere.store, BOB, "cloud")
    assert await asked(sphere, mine)


# -- the connection's own token ------------------------------------------------------------------------------


async def test_a_refused_token_is_the_operators_and_nobody_links_again():
    async with sphere_world(["UAMIR"]) as sphere:
        row = await sphere.made()
        sphere.server.state.access_token = "changed"
        operation_id = await sphere.world.begin(row, OperationVerb.STOP)
        await sphere.pass_time(300)
        assert (await sphere.store.read(operation_rows.find_operation, operation_id)).is_open
        assert "no longer accepts my own key" in explain_hold(
            (await sphere.store.read(operation_rows.find_operation, operation_id)).block_reason,
            "Sphere Engine",
        )
        assert (await sphere.store.read(accounts.find_account, ALICE, "cloud")).state == "active"
        assert "relink_prompt" not in sphere.slack.kinds()
        (told,) = sphere.told("outage")
        assert told["channel"] == "DUAMIR"
        assert "has refused the key" in str(told["blocks"])
        sphere.world.reborn()  # Operators restart with a good one: no second message, and an end.
        sphere.server.state.access_token = TOKEN
        assert await sphere.world.until_ended(operation_id) is Outcome.FULFILLED
        await sphere.pass_time(60)
        assert ["accepts my key again" in str(one["blocks"]) for one in sphere.told("outage")] == [
            False,
            True,
        ]
        assert TOKEN not in str(sphere.slack.messages)


# -- information that the provider gives unasked -------------------------------------------------------------


async def test_an_event_is_in_the_state_once_and_of_its_own_workspace(sphere):
    row = await sphere.made()
    other = await sphere.made(BOB)
    gate = sphere.world.provider.gate_key(row.remote_id)
    assert await sphere.store.write(
        workspaces.note_event, "cloud", gate, "hook:cloud:e1", "Scenario tests finished: passed."
    )
    assert not await sphere.store.write(
        workspaces.note_event, "cloud", gate, "hook:cloud:e1", "Something else."
    )
    assert not await sphere.store.write(
        workspaces.note_event, "cloud", "nobody's", "hook:cloud:e2", "Something else."
    )
    assert not await sphere.store.write(
        workspaces.note_event, "another", gate, "hook:another:e1", "Something else."
    )
    before = [live["text"] for live in sphere.told("ready")]
    await sphere.pass_time(60)
    said = []
    for one in (await sphere.row(row), await sphere.row(other)):
        facts = await Gatherer(sphere.world.context).describe_workspace(one)
        said.append(str(status_answer(facts, one).blocks).count("Scenario tests finished: passed."))
    assert said == [1, 0]
    assert [live["text"] for live in sphere.told("ready")] == before


async def test_the_end_of_a_class_removes_nothing_whose_card_spoke_of_a_stop(sphere):
    row = await sphere.made()
    card = await post(sphere.world, pattern="lab")
    assert "can't be started again" not in str(sphere.told("class_card"))
    await press(sphere.world, card, ALICE)
    machine = sphere.machine(row)
    machine.options = replace(machine.options, retention_time_stopped=0)
    await want_read(sphere.store, row.id)
    await sphere.pass_time(10)
    await ask(sphere.world).run(courses_use_cases.stop_all, card.id)
    await sphere.pass_time(35)
    assert "I'll leave it running" in str(sphere.told("stop_warning")[-1])
    await sphere.pass_time(400)
    assert (await sphere.row(row)).state is State.RUNNING
    assert "this would end it for good, so I haven't done it" in str(sphere.told("planned_stop_failed")[-1])
    assert "I left 1 alone" in told(sphere.world, TRAINER)[-1]
