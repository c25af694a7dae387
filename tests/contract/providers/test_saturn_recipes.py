"""Recipes at Saturn Cloud: forms with what the server offers, a single clone, found again by name."""

import json
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import pytest_asyncio
from pydantic_core import to_jsonable_python

from bot.domain.forms import FormProblems, Spec
from bot.domain.observations import OutcomeSearch
from bot.domain.people import Principal
from bot.domain.workspaces import State
from bot.providers.base import Access
from bot.support import errors
from tests.contract.providers.rigs import SATURN_SEED, provider_of, raises_exactly, saturn_rig
from usher.conformance.rigs import build_row

pytestmark = pytest.mark.asyncio(loop_scope="session")

ASKER = Principal(None, "T1", "U1")
RECIPE = {
    "type": "workspace",
    "spec": {"name": "x", "owner": "acme/teacher", "instance_type": "large", "start_script": "echo hi"},
    "state": {"id": "f" * 32, "status": "running"},
}


@asynccontextmanager
async def ready(tmp_path, recipes=None, seed=None, **more):
    """Yield a rig whose connection has two recipes: ``course`` for everybody, ``exam`` for somebody else."""
    (tmp_path / "course.json").write_text(json.dumps(RECIPE))
    told = recipes or [
        {"name": "course", "title": "The course", "file": str(tmp_path / "course.json")},
        {"name": "exam", "file": str(tmp_path / "course.json"), "who": ["U2"]},
    ]
    async with saturn_rig(seed) as rig:
        base = rig.provider.settings.base_url
        rig.provider = provider_of("saturn", rig.provider.api._http, base, templates=told, **more)
        yield rig


@pytest_asyncio.fixture(loop_scope="session")
async def rig(tmp_path):
    async with ready(tmp_path) as prepared:
        yield prepared


async def spec_of(rig, **values):
    snapshot = await rig.provider.read_offer(rig.access)
    json.dumps(to_jsonable_python(snapshot))
    return rig.provider.spec(snapshot, "workspace", {"template": "course", **values}, ASKER)


async def test_the_form_offers_recipes_a_free_name_and_sizes(rig):
    snapshot = await rig.provider.read_offer(rig.access)
    form = rig.provider.form(snapshot, "workspace", {}, ASKER)
    recipe, name, size = form.fields
    assert [(one.value, one.label) for one in recipe.choices] == [("course", "The course")]
    assert (recipe.initial, name.initial, size.initial) == ("course", "course", "large")
    assert [one.value for one in size.choices] == ["medium", "large", "xlarge", "g4dnxlarge"]
    assert "T4-XLarge" in size.choices[-1].label
    taken = rig.provider.form(replace(snapshot, names=("course",)), "workspace", {}, ASKER)
    assert taken.field("name").initial == "course-2"
    for_other = rig.provider.form(snapshot, "workspace", {}, Principal(None, "T1", "U2"))
    assert [one.value for one in for_other.fields[0].choices] == ["course", "exam"]


async def test_what_was_made_from_a_recipe_is_not_made_again_for_others(rig):
    assert rig.provider.is_withheld(Spec("w", {"recipe": "exam"}), ASKER)
    assert not rig.provider.is_withheld(Spec("w", {"recipe": "exam"}), Principal(None, "T1", "U2"))
    assert not rig.provider.is_withheld(Spec("w", {"recipe": "course"}), ASKER)


async def test_without_a_recipe_for_them_nothing_is_asked(tmp_path):
    async with saturn_rig() as rig:
        form = rig.provider.form(await rig.provider.read_offer(rig.access), "workspace", {}, ASKER)
        assert form.fields == ()
        assert "template" in form.note


async def test_a_server_that_tells_no_sizes_is_asked_for_none(rig):
    rig.server.state.seeds_only = True
    snapshot = await rig.provider.read_offer(rig.access)
    assert [one.name for one in rig.provider.form(snapshot, "workspace", {}, ASKER).fields] == [
        "template",
        "name",
    ]
    spec = await spec_of(rig, name="course")
    assert rig.provider.can_create_stopped(spec)
    made = await rig.provider.create_stopped(rig.access, spec, "ws_1")
    seen = (await rig.provider.status(rig.access, [made.remote_id]))[made.remote_id]
    assert (made.is_started, seen.state) == (False, State.STOPPED)
    assert rig.server.state.resources[made.remote_id].spec["instance_type"] == "large"
    with pytest.raises(errors.OutcomeNotReported):
        await rig.provider.find_created(rig.access, spec, "ws_1", 0.0)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"template": "exam", "name": "a"}, "template"),
        ({"template": "", "name": "a"}, "template"),
        ({"name": ""}, "name"),
        ({"name": "n" * 61}, "name"),
        ({"name": "training"}, "name"),
        ({"name": "a", "size": "huge"}, "size"),
    ],
)
async def test_what_is_wrong_stands_at_its_field(rig, values, field):
    with pytest.raises(FormProblems) as caught:
        await spec_of(rig, **values)
    assert list(caught.value.problems) == [field]


async def test_a_clone_has_name_owner_and_size_and_stands_still(rig):
    spec = await spec_of(rig, name="my course", size="xlarge")
    made = await rig.provider.create(rig.access, spec, "ws_1")
    resource = rig.server.state.resources[made.remote_id]
    assert (made.name, made.is_started) == ("my course", False)
    assert resource.spec["owner"] == "acme/alice"
    assert (resource.spec["instance_type"], resource.spec["start_script"]) == ("xlarge", "echo hi")
    assert (await rig.observe(made.remote_id)).state is State.STOPPED
    assert (await rig.provider.find_created(rig.access, spec, "ws_1", 0.0)).match == made
    # Another creation with the same name is refused, whoever made the first.
    with pytest.raises(errors.Conflict, match="name"):
        await rig.provider.create(rig.access, spec, "ws_2")
    assert rig.harness.requests["POST /api/resource_recipes/clone"] == 1


async def test_recipes_organisation_is_sent_if_the_persons_is_unknown(tmp_path):
    file = tmp_path / "other.json"
    file.write_text(json.dumps({**RECIPE, "spec": {**RECIPE["spec"], "owner": "other/teacher"}}))
    async with ready(tmp_path, [{"name": "course", "file": str(file)}]) as rig:
        values = {"recipe": "course", "size": ""}
        with pytest.raises(errors.InvalidRequest):
            await rig.provider.create(rig.access, Spec("course", {**values, "owner": ""}), "ws_1")
        known = Spec("course", {**values, "owner": "acme/alice"})
        assert (await rig.provider.create(rig.access, known, "ws_1")).name == "course"


async def test_without_a_username_the_tokens_owner_is_the_owner(rig):
    access = Access("", rig.access.credential)
    snapshot = await rig.provider.read_offer(access)
    spec = rig.provider.spec(snapshot, "workspace", {"template": "course", "name": "own"}, ASKER)
    made = await rig.provider.create(access, spec, "ws_1")
    assert rig.server.state.resources[made.remote_id].owner == "alice"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"drop": True, "after": True}, errors.UnknownOutcome),
        ({"truncate": 3, "after": True}, errors.UnknownOutcome),
        ({"body": "<html>"}, errors.UnknownOutcome),
        ({"body": "{}"}, errors.UnknownOutcome),
        ({"body": '{"id": [7]}'}, errors.UnknownOutcome),
        ({"status": 502}, errors.UnknownOutcome),
        ({"status": 500}, errors.ServerFailed),
        ({"status": 429, "headers": {"Retry-After": "3"}}, errors.RateLimited),
        ({"status": 401}, errors.CredentialRefused),
        ({"status": 400, "body": '{"message": "Quota exceeded for GPUs"}'}, errors.LimitReached),
        ({"status": 400, "body": '{"message": "A resource with this name already exists"}'}, errors.Conflict),
        ({"status": 400, "body": '{"message": "spec.image: is required"}'}, errors.InvalidRequest),
    ],
)
async def test_a_clone_that_goes_wrong(rig, fault, kind):
    spec = await spec_of(rig, name="course")
    rig.inject_fault("/clone$", **fault)
    with raises_exactly(kind):
        await rig.provider.create(rig.access, spec, "ws_1")
    found = await rig.provider.find_created(rig.access, spec, "ws_1", 0.0)
    assert (found.match is not None) is bool(fault.get("after"))


async def test_the_id_may_stand_in_the_state(rig):
    spec = await spec_of(rig, name="course")
    rig.inject_fault("/clone$", body=json.dumps({"state": {"id": "e" * 32}}))
    assert (await rig.provider.create(rig.access, spec, "ws_1")).remote_id == "e" * 32


@pytest.mark.parametrize(
    ("switch", "kind", "says"),
    [
        ({"workspaces": 4}, errors.LimitReached, "Quota exceeded"),
        ({"refuse_recipes": "spec.image: unknown image"}, errors.InvalidRequest, "unknown image"),
    ],
)
async def test_the_local_servers_refusals_are_understood(rig, switch, kind, says):
    rig.server.state.limits.change(switch)
    with pytest.raises(kind, match=says):
        await rig.provider.create(rig.access, await spec_of(rig, name="course"), "ws_1")


async def test_a_start_that_is_too_much_is_a_limit_and_one_too_fast_waits(rig):
    rig.server.state.limits.change({"running": 1})
    with pytest.raises(errors.LimitReached, match="Quota exceeded"):
        await rig.provider.start(rig.access, build_row(rig.provider, rig.remote_id))
    rig.server.state.limits.change({"running": None, "starts_per_second": 1})
    await rig.provider.start(rig.access, build_row(rig.provider, rig.remote_id))
    with pytest.raises(errors.RateLimited) as caught:
        await rig.provider.start(rig.access, build_row(rig.provider, rig.other_ids["broken"]))
    assert caught.value.retry_after == 1.0


async def test_a_recipe_that_was_taken_away_is_said(rig):
    with pytest.raises(errors.InvalidRequest, match="no longer set up"):
        await rig.provider.create(rig.access, Spec("a", {"recipe": "gone"}), "ws_1")


async def test_a_stranger_of_the_same_name_is_not_found(tmp_path):
    others = [*SATURN_SEED["workspaces"], {"owner": "bob", "name": "course"}]
    seed = {**SATURN_SEED, "workspaces": others}
    async with ready(tmp_path, seed=seed) as rig:
        spec = Spec("course", {"recipe": "course", "size": "", "owner": ""})
        assert await rig.provider.find_created(rig.access, spec, "ws_1", 0.0) == OutcomeSearch(
            is_conclusive=True
        )
        body = {**RECIPE, "spec": {**RECIPE["spec"], "owner": "acme/bob"}}
        rig.inject_fault("/api/recipes/workspace/", body=json.dumps(body))
        assert await rig.provider.find_created(rig.access, spec, "ws_1", 0.0) == OutcomeSearch(
            is_conclusive=True
        )


async def test_names_are_the_persons_own_and_none_where_it_is_not_said_whose_they_are(tmp_path):
    others = [
        *SATURN_SEED["workspaces"],
        {"owner": "bob", "name": "course"},
        {"owner": "alice", "name": "course-2"},
    ]
    async with ready(tmp_path, seed={**SATURN_SEED, "workspaces": others}) as rig:
        assert await rig.provider.list_names(rig.access, "course") == {"course-2"}
        assert await rig.provider.list_names(replace(rig.access, username=""), "course") is None
        nameless = {"type": "workspace", "spec": {"name": "course"}, "state": {"id": "f" * 32}}
        rig.inject_fault("/api/recipes", body=json.dumps({"recipes": [nameless], "next_key": None}))
        assert await rig.provider.list_names(rig.access, "course") is None
        rig.inject_fault("/api/recipes", status=404)
        assert await rig.provider.list_names(rig.access, "course") is None


async def test_the_persons_own_is_found_behind_a_strangers_of_the_same_name(rig):
    spec = Spec("course", {"recipe": "course", "size": "", "owner": ""})
    made = await rig.provider.create(rig.access, spec, "ws_1")
    body = {**RECIPE, "spec": {**RECIPE["spec"], "owner": "acme/bob"}}
    rig.inject_fault("/api/recipes/workspace/", body=json.dumps(body))
    assert (await rig.provider.find_created(rig.access, spec, "ws_1", 0.0)).match == made
