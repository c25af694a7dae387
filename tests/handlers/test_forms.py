"""Forms: opened once the choices are known, redrawn, searched and submitted, with errors at their fields."""

import re
from typing import Any

import pytest

from bot.domain.forms import Spec
from bot.domain.notices import NoticeKind
from bot.domain.snapshots import Snapshot
from bot.domain.surfaces import Surface, Where
from bot.domain.tasks import TaskKind
from bot.messages.blocks import forms
from bot.messages.blocks.button_values import ButtonValue
from bot.providers.saturn.offers import SaturnSettings
from bot.providers.saturn.provider import Saturn
from bot.store import accounts, runs, snapshots, tasks, workspaces
from bot.store import forms as form_rows
from handlers.dispatch import run_button, run_search
from handlers.replaying import replay
from tests.handlers.rig import activate, buttons, rig, submit
from tests.rigs.clock import FakeClock
from tests.rigs.golden import check_limits
from tests.rigs.maker import OFFER, Maker
from tests.rigs.providers import fake_settings
from tests.rigs.store import ALICE, BOB


@pytest.fixture
async def bench():
    clock = FakeClock()
    maker = Maker(clock, fake_settings("bench", title="Work & Bench", linking=("token", "admin")))
    async with rig(connections={"bench": maker}, administrators=frozenset({"UCHEN"})) as made:
        await activate(made.store, ALICE, "bench")
        yield made


async def offer(made, payload: Any = OFFER) -> None:
    account = await made.store.read(accounts.find_account, ALICE, "bench")
    await made.store.write(
        snapshots.save_snapshot, Snapshot("bench", account.id, "templates", payload, await made.store.now())
    )


def inputs(view: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        forms.get_field_name(block["block_id"]): block for block in view["blocks"] if block["type"] == "input"
    }


def filled(view: dict[str, Any], **values: Any) -> dict[str, Any]:
    """Return the view as Slack sends it back with these values in its fields."""
    state: dict[str, Any] = {}
    for name, block in inputs(view).items():
        if name not in values:
            continue
        value = values[name]
        element = block["element"]
        held = {"value": value}
        if "select" in element["type"]:
            held = {"selected_option": {"text": {"type": "plain_text", "text": value}, "value": value}}
        state[block["block_id"]] = {element["action_id"]: {"type": element["type"], **held}}
    return {**view, "id": "V1", "hash": "h1", "state": {"values": state}}


async def send(made, view: dict[str, Any], principal=ALICE, interaction: str = "view:1") -> dict[str, Any]:
    return await submit(made.services, principal, view, interaction)


async def test_a_form_shows_what_is_offered_and_keeps_within_limits(bench):
    await offer(bench)
    answer = await bench.say("new", trigger_id="t1")
    check_limits(answer.view)
    assert answer.view["title"]["text"] == "New workspace"
    assert list(inputs(answer.view)) == ["name", "cluster", "cpus"]
    cluster = inputs(answer.view)["cluster"]
    assert cluster["dispatch_action"] is True
    assert cluster["element"]["initial_option"]["value"] == "Local"
    assert inputs(answer.view)["cpus"]["element"]["max_value"] == "8"
    # If the form can't be opened right away, the answer has a button that opens it.
    assert buttons(answer)["Open the form"]["value"] == "workspace bench"


async def test_a_form_that_waits_is_told_when_nothing_came(bench):
    answer = await bench.say("new", trigger_id="t1")
    [task] = [
        one for one in await bench.store.claim(tasks.claim_tasks, 10, 60.0) if one.kind is TaskKind.SNAPSHOT
    ]
    [waiting] = task.payload["then"]
    problem = {"task": "task_1", "problem": "forbidden: only for members"}
    await replay(bench.services, ALICE, {**waiting, **problem})
    [notice] = await bench.notices(NoticeKind.REPLY)
    assert notice.body["external_id"] == answer.view["external_id"]
    assert "only for members" in str(notice.body["view"])
    check_limits(notice.body["view"])


@pytest.mark.parametrize("given", ["bench/local", "bench local", "bench/"])
async def test_a_template_is_given_as_for_a_class_card(bench, given):
    await offer(bench)
    view = (await bench.say(f"new {given}", trigger_id="t1")).view
    assert view["title"]["text"] == "New workspace"


@pytest.mark.parametrize("where", ["posit", "nowhere", "nowhere/local"])
async def test_a_connection_that_is_none_is_named(bench, where):
    answer = await bench.say(f"new {where}", trigger_id="t1")
    assert answer.view is None
    assert f"a connection called *{where}*" in str(answer.blocks)


async def press_in(made, view: dict[str, Any], action_id: str):
    surface = Surface("button", Where.FORM, interaction="button:1", view_id="V1", view_hash="h1")
    return await run_button(made.services, ALICE, surface, ButtonValue.read(action_id), view)


async def test_a_search_knows_what_was_chosen_though_slack_sends_no_inputs_with_it(bench):
    await offer(bench)
    view = (await bench.say("new", trigger_id="t1")).view
    redrawn = (await press_in(bench, filled(view, cluster="Kubernetes"), "field:cluster")).view
    shown = {**redrawn, "id": "V1", "state": {"values": {}}}
    found = await run_search(bench.services, ALICE, "field:image", "PYT", shown)
    assert [one["value"] for one in found] == ["python & co"]
    broken = shown | {"private_metadata": "{broken"}
    assert await run_search(bench.services, ALICE, "field:image", "PYT", broken) == []


async def test_wrong_values_are_told_at_their_fields(bench):
    await offer(bench)
    view = (await bench.say("new", trigger_id="t1")).view
    answer = await send(bench, filled(view, cluster="Local", cpus="99"))
    assert answer["response_action"] == "errors"
    assert {block.partition("~")[0]: told for block, told in answer["errors"].items()} == {
        "name": "Needs a name.",
        "cpus": "At most 8 are allowed here.",
    }
    assert await bench.store.perform(workspaces.read_workspaces, ALICE) == []


class Broken(Maker):
    """A provider that fails on every submitted form."""

    def spec(self, *_given: Any) -> Spec:
        raise ZeroDivisionError


async def test_only_what_broke_carries_the_reference(bench):
    await offer(bench)
    view = (await bench.say("new", trigger_id="t1")).view
    bench.connections["bench"] = Broken(bench.clock, fake_settings("bench"))
    answer = await send(bench, filled(view, name="train"))
    (told,) = answer["errors"].values()
    assert re.search(r" \(TEST-\d{4}\)$", told)


async def test_a_submitted_form_is_one_creation_however_often_it_comes(bench):
    await offer(bench)
    view = filled((await bench.say("new", trigger_id="t1")).view, name="train", cluster="Local", cpus="2")
    for _ in range(2):
        assert await send(bench, view) == {"response_action": "clear"}
    [made] = await bench.store.perform(workspaces.read_workspaces, ALICE)
    assert (made.name, made.is_provisional) == ("train", True)
    assert made.spec == Spec("train", {"cluster": "Local", "cpus": "2"})
    [card] = await bench.notices(NoticeKind.CARD)
    assert card.principal == ALICE
    # The form opens with the values that were chosen last.
    again = (await bench.say("new", trigger_id="t2")).view
    assert inputs(again)["cpus"]["element"]["initial_value"] == "2"


async def test_values_that_are_not_offered_any_more_are_dropped(bench):
    await bench.store.write(form_rows.remember, ALICE, "bench", "workspace", {"cluster": "Gone", "cpus": "3"})
    await offer(bench)
    view = (await bench.say("new", trigger_id="t1")).view
    assert inputs(view)["cluster"]["element"]["initial_option"]["value"] == "Local"
    assert inputs(view)["cpus"]["element"]["initial_value"] == "3"


async def test_a_job_form_launches_a_run(bench):
    await offer(bench)
    view = (await bench.press("make", "job bench", trigger_id="t1")).view
    assert view["submit"]["text"] == "Run"
    given = filled(view, name="nightly", cluster="Local", command="Rscript train.R")
    assert await send(bench, given) == {"response_action": "clear"}
    [run] = await bench.store.read(runs.list_runs, ALICE)
    assert (run.name, run.spec.text("command")) == ("nightly", "Rscript train.R")


@pytest.mark.parametrize(
    "metadata",
    ["", "{", "[]", "null", '{"connection": "bench"}', '{"connection": "gone", "purpose": "workspace"}'],
)
async def test_a_form_of_an_earlier_release_is_refused_in_words(bench, metadata):
    await offer(bench)
    view = filled((await bench.say("new", trigger_id="t1")).view, name="x") | {"private_metadata": metadata}
    assert "out of date" in next(iter((await send(bench, view))["errors"].values()))


async def test_another_persons_form_makes_nothing_with_their_account(bench):
    await offer(bench)
    view = filled((await bench.say("new", trigger_id="t1")).view, name="x", cluster="Local")
    assert "no longer linked" in next(iter((await send(bench, view, BOB))["errors"].values()))
    assert await bench.store.perform(workspaces.read_workspaces, BOB) == []


async def test_nothing_on_offer_is_said(bench):
    await offer(bench, {"clusters": {}, "maximum": 1})
    view = (await bench.say("new", trigger_id="t1")).view
    check_limits(view)
    assert "has nothing to choose from here" in str(view)
    assert "submit" not in view


@pytest.mark.parametrize("is_administrator", [True, False])
async def test_an_empty_form_says_to_an_administrator_which_lines_a_template_needs(is_administrator):
    settings = {
        "name": "saturn",
        "provider": "saturn",
        "title": "Saturn Cloud",
        "base_url": "https://x.example",
    }
    provider = Saturn(SaturnSettings(**settings), None)
    administrators = frozenset({ALICE.user_id} if is_administrator else ())
    async with rig(connections={"saturn": provider}, administrators=administrators) as made:
        await activate(made.store, ALICE, "saturn")
        account = await made.store.read(accounts.find_account, ALICE, "saturn")
        empty = {"sizes": None, "names": [], "owner": "", "jobs": None, "needs_image": False}
        now = await made.store.now()
        await made.store.write(
            snapshots.save_snapshot, Snapshot("saturn", account.id, "templates", empty, now)
        )
        view = (await made.say("new", trigger_id="t1")).view
    check_limits(view)
    assert ("[[connections.saturn.templates]]" in str(view)) == is_administrator
    assert ("Ask your Usher admin" in str(view)) == (not is_administrator)
