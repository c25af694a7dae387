"""New named servers at a real hub: created once, with their options, and found again by name."""

import json
import time

import pytest

from bot.domain.forms import FormProblems, Spec
from bot.domain.observations import Created, OutcomeSearch
from bot.domain.people import Principal
from bot.domain.workspaces import State
from bot.providers.jupyterhub.making import JupyterHubOffer
from bot.support import errors
from tests.contract.providers.hub_tokens import api
from tests.contract.providers.rigs import provider_of
from usher.conformance.rigs import build_row

pytestmark = pytest.mark.asyncio(loop_scope="session")

ASKER = Principal(None, "T1", "U1")
TEMPLATES = [
    {"name": "small", "title": "A small one", "options": {"pause": 0.1}},
    {"name": "failing", "options": {"fail": True}},
    {"name": "staff", "options": {}, "who": ["U2"]},
    {"name": "gpu_lab", "options": {"pause": 0.1}},
    {"name": "named", "options": {"pause": 0.1, "display_name": "GPU of the day"}},
    {"name": "numbered", "options": {"pause": 0.1, "display_name": 7}},
    {"name": "nested", "options": {"pause": 0.1, "user_options": {"profile": "gpu"}}},
]
OPTIONS = {one["name"]: one.get("options") for one in TEMPLATES}


@pytest.fixture
def prepared(hub):
    hub.provider = provider_of(
        "jupyterhub",
        hub.provider.api._http,
        hub.server.api_url,
        public_url=hub.server.url,
        templates=TEMPLATES,
    )
    return hub


def is_new(rig):
    """Return whether the hub has display names, and can create a server without starting it."""
    return rig.server.version >= "6"


async def servers_of(rig):
    told = await api(rig, "GET", f"/users/{rig.access.username}?include_stopped_servers=1")
    return told["servers"]


async def removed(rig, made):
    if rig.server.version < "5":
        # This release can't cancel a start.
        await rig.read_until(State.RUNNING, State.FAILED, State.STOPPED, remote_id=made.remote_id)
    await rig.provider.remove(rig.access, build_row(rig.provider, made.remote_id))


async def spec_of(rig, **values):
    return rig.provider.spec(await rig.provider.read_offer(rig.access), "workspace", values, ASKER)


async def test_the_form_asks_for_a_kind_and_a_free_name(prepared):
    snapshot = await prepared.provider.read_offer(prepared.access)
    assert set(snapshot.names) >= {"training", "broken"}
    kind, name = prepared.provider.form(snapshot, "workspace", {"template": "A small one"}, ASKER).fields
    assert [one.value for one in kind.choices] == [*OPTIONS][:2] + [*OPTIONS][3:]
    assert (kind.initial, name.initial) == ("small", "small")
    taken = prepared.provider.form(JupyterHubOffer(("server", "server-2")), "workspace", {}, ASKER)
    assert taken.field("name").initial == "server-3"


async def test_without_templates_only_a_name_is_asked(hub):
    form = hub.provider.form(await hub.provider.read_offer(hub.access), "workspace", {}, ASKER)
    assert [one.name for one in form.fields] == ["name"]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": "a"}, "template"),
        ({"template": "staff", "name": "a"}, "template"),
        ({"template": "small"}, "name"),
        ({"template": "small", "name": "training"}, "name"),
        ({"template": "small", "name": "/"}, "name"),
        ({"template": "small", "name": ".."}, "name"),
        ({"template": "small", "name": "n" * 41}, "name"),
    ],
)
async def test_what_is_wrong_stands_at_its_field(prepared, values, field):
    with pytest.raises(FormProblems) as caught:
        await spec_of(prepared, **values)
    assert list(caught.value.problems) == [field]


async def test_a_server_is_made_once_and_removed(prepared):
    spec, since = await spec_of(prepared, template="small", name="fresh"), time.time()
    assert await prepared.provider.find_created(prepared.access, spec, "ws_1", since) == OutcomeSearch(
        is_conclusive=True
    )
    made = await prepared.provider.create(prepared.access, spec, "ws_1")
    assert (made.remote_id, made.is_started) == (f"{prepared.access.username}/fresh", True)
    assert (await prepared.provider.find_created(prepared.access, spec, "ws_1", since)).match == made
    # A call sent later can't have created it.
    later = await prepared.provider.find_created(prepared.access, spec, "ws_2", since + 86_400)
    assert later == OutcomeSearch(is_conclusive=True)
    await prepared.read_until(State.RUNNING, remote_id=made.remote_id)
    await removed(prepared, made)
    await prepared.read_until(State.GONE, remote_id=made.remote_id)


async def test_a_name_that_is_proposed_is_taken_unchanged(prepared):
    offer = await prepared.provider.read_offer(prepared.access)
    name = prepared.provider.form(offer, "workspace", {"template": "gpu_lab"}, ASKER).field("name")
    made = await prepared.provider.create(
        prepared.access, await spec_of(prepared, template="gpu_lab", name=name.initial), "ws_1"
    )
    assert made.remote_id == f"{prepared.access.username}/gpu-lab"
    await prepared.read_until(State.RUNNING, remote_id=made.remote_id)
    await removed(prepared, made)
    await prepared.read_until(State.GONE, remote_id=made.remote_id)


async def test_what_people_type_is_what_they_read_and_the_options_still_reach_the_spawner(prepared):
    if not is_new(prepared):
        with pytest.raises(FormProblems, match="name"):
            await spec_of(prepared, template="failing", name="2026: Größe  (GPU)")
        return
    spec = await spec_of(prepared, template="failing", name="2026: Größe  (GPU)")
    made = await prepared.provider.create(prepared.access, spec, "ws_1")
    assert made == Created(f"{prepared.access.username}/server-2026-grosse-gpu", "2026: Größe (GPU)")
    seen = await prepared.read_until(State.FAILED, State.RUNNING, remote_id=made.remote_id)
    assert (seen[-1].state, seen[-1].name) == (State.FAILED, "2026: Größe (GPU)")
    with pytest.raises(FormProblems, match="name"):
        await spec_of(prepared, template="small", name="2026: Größe (GPU)")
    await removed(prepared, made)


async def test_a_server_is_made_without_being_started_and_its_first_start_has_its_options(prepared):
    if not is_new(prepared):
        assert not prepared.provider.can_create_stopped(await spec_of(prepared, template="small", name="a"))
        return
    spec = await spec_of(prepared, template="failing", name="Later (GPU)")
    assert prepared.provider.can_create_stopped(spec)
    assert not prepared.provider.can_create_stopped(
        prepared.provider.spec(JupyterHubOffer(), "workspace", {"template": "small", "name": "a"}, ASKER)
    )
    made = await prepared.provider.create_stopped(prepared.access, spec, "ws_1")
    assert made == Created(f"{prepared.access.username}/later-gpu", "Later (GPU)", is_started=False)
    seen = (await prepared.provider.status(prepared.access, [made.remote_id]))[made.remote_id]
    assert (seen.state, seen.name) == (State.STOPPED, "Later (GPU)")
    with pytest.raises(errors.Conflict):
        await prepared.provider.create_stopped(prepared.access, spec, "ws_1")
    await prepared.provider.start(prepared.access, build_row(prepared.provider, made.remote_id))
    seen = await prepared.read_until(State.FAILED, State.RUNNING, remote_id=made.remote_id)
    assert seen[-1].state is State.FAILED
    await removed(prepared, made)


async def test_options_reach_the_spawner(prepared):
    made = await prepared.provider.create(
        prepared.access, await spec_of(prepared, template="failing", name="bad"), "ws_1"
    )
    # Only these options make the start fail; without them, the server would run.
    seen = await prepared.read_until(State.FAILED, State.RUNNING, remote_id=made.remote_id)
    assert seen[-1].state is State.FAILED
    await removed(prepared, made)


@pytest.mark.parametrize("template", ["small", "named", "numbered", "nested"])
async def test_create_passes_options_whole(prepared, template):
    spec = await spec_of(prepared, template=template, name="whole")
    made = await prepared.provider.create(prepared.access, spec, "ws_1")
    told = (await servers_of(prepared))["whole"]
    assert (told["user_options"], told.get("display_name", "whole")) == (OPTIONS[template], "whole")
    await removed(prepared, made)


async def test_start_keeps_name_and_options(prepared):
    shown = "Kept here" if is_new(prepared) else "kept-here"
    spec = await spec_of(prepared, template="nested", name=shown)
    made = await prepared.provider.create(prepared.access, spec, "ws_1")
    before = (await servers_of(prepared))["kept-here"]
    row = build_row(prepared.provider, made.remote_id)
    await prepared.read_until(State.RUNNING, remote_id=made.remote_id)
    await prepared.provider.stop(prepared.access, row)
    await prepared.read_until(State.STOPPED, remote_id=made.remote_id)
    await prepared.provider.start(prepared.access, row)
    after = (await servers_of(prepared))["kept-here"]
    for one in ("user_options", "display_name"):
        assert after.get(one) == before.get(one)
    assert after["user_options"] == OPTIONS["nested"]
    await removed(prepared, made)


@pytest.mark.parametrize("state", [State.STARTING, State.RUNNING, State.STOPPED], ids=str)
async def test_create_refuses_a_name_in_use(prepared, state):
    # The form was submitted before somebody else created the server.
    spec = await spec_of(prepared, template="failing", name="taken")
    row = build_row(prepared.provider, f"{prepared.access.username}/taken")
    pause = 1 if state is State.STARTING else 0.1
    await api(prepared, "POST", f"/users/{prepared.access.username}/servers/taken", pause=pause)
    if state is not State.STARTING:
        await prepared.read_until(State.RUNNING, remote_id=row.remote_id)
    if state is State.STOPPED:
        await prepared.provider.stop(prepared.access, row)
        await prepared.read_until(State.STOPPED, remote_id=row.remote_id)
    before = (await servers_of(prepared))["taken"]

    assert await prepared.provider.is_name_in_use(prepared.access, spec)
    with pytest.raises(errors.Conflict, match="There's already a workspace with that name"):
        await prepared.provider.create(prepared.access, spec, "ws_2")

    after = (await servers_of(prepared))["taken"]
    assert (after["user_options"], after["started"]) == (before["user_options"], before["started"])
    assert (await prepared.observe(row.remote_id)).state is state
    await removed(prepared, row)


@pytest.mark.parametrize("name", ["Training", "TRAINING", "\uff54raining", "default"])
async def test_spec_refuses_a_name_in_use_in_another_spelling(prepared, name):
    with pytest.raises(FormProblems) as caught:
        await spec_of(prepared, template="small", name=name)
    assert list(caught.value.problems) == ["name"]


async def test_create_takes_what_a_refusal_left(prepared):
    """A hub before 6.0 keeps a new server even if it refuses to start it, but without its options."""
    spec, path = Spec("training", {"template": "gpu_lab"}), f"{prepared.access.username}/training"
    if is_new(prepared):
        with pytest.raises(errors.Conflict):
            await prepared.provider.create(prepared.access, spec, "ws_1")
        return
    found = await prepared.provider.find_created(prepared.access, spec, "ws_1", time.time())
    assert found == OutcomeSearch(is_conclusive=True)
    await prepared.provider.create(prepared.access, spec, "ws_1")
    assert (await servers_of(prepared))["training"]["user_options"] == OPTIONS["gpu_lab"]
    await removed(prepared, build_row(prepared.provider, path))


async def test_create_whose_start_is_refused_is_made_and_waits_for_its_start(prepared):
    spec = await spec_of(prepared, template="gpu_lab", name="waits")
    prepared.inject_fault("POST .*/servers/waits$", status=429, headers={"Retry-After": "1"})
    if not is_new(prepared):
        with pytest.raises(errors.RateLimited):
            await prepared.provider.create(prepared.access, spec, "ws_1")
        return
    made = await prepared.provider.create(prepared.access, spec, "ws_1")
    assert not made.is_started
    assert (await prepared.provider.find_created(prepared.access, spec, "ws_1", time.time())).match == made
    await removed(prepared, made)


async def test_create_names_as_its_release_does(prepared):
    spec = await spec_of(prepared, template="small", name="My_Lab.2")
    made = await prepared.provider.create(prepared.access, spec, "ws_1")
    name = "my-lab-2" if is_new(prepared) else "My_Lab.2"
    assert (made.remote_id, made.name) == (f"{prepared.access.username}/{name}", "My_Lab.2")
    assert name in await servers_of(prepared)
    await removed(prepared, made)


async def test_create_uses_the_release_that_the_hub_has_by_now(prepared):
    spec = prepared.provider.spec(
        JupyterHubOffer((), 5), "workspace", {"template": "named", "name": "upgraded"}, ASKER
    )
    made = await prepared.provider.create(prepared.access, spec, "ws_1")
    assert (await servers_of(prepared))["upgraded"]["user_options"] == OPTIONS["named"]
    await removed(prepared, made)


async def test_release_is_asked_for_where_a_proxy_drops_the_header(prepared):
    path, listed = f"/users/{prepared.access.username}$", json.dumps({"servers": {}})
    prepared.inject_fault(path, body=listed)
    offer = await prepared.provider.read_offer(prepared.access)
    assert offer.release == int(prepared.server.version.partition(".")[0])


async def test_one_too_many_is_a_limit(prepared):
    spec = await spec_of(prepared, template="small", name="third")
    made = await prepared.provider.create(prepared.access, spec, "ws_1")
    with pytest.raises(errors.LimitReached):
        await prepared.provider.create(
            prepared.access, await spec_of(prepared, template="small", name="fourth"), "ws_2"
        )
    await removed(prepared, made)


async def test_a_template_that_was_taken_away_is_said(prepared):
    with pytest.raises(errors.InvalidRequest, match="no longer set up"):
        await prepared.provider.create(prepared.access, Spec("a", {"template": "gone"}), "ws_1")


async def test_what_was_made_from_a_template_is_not_made_again_for_others(prepared):
    assert not prepared.provider.is_withheld(Spec("a", {"template": "small"}), ASKER)
    assert prepared.provider.is_withheld(Spec("a", {"template": "staff"}), ASKER)
    assert not prepared.provider.is_withheld(Spec("a", {"template": "staff"}), Principal(None, "T1", "U2"))


async def test_names_are_those_of_the_persons_servers(prepared):
    assert set(await prepared.provider.list_names(prepared.access, "training")) >= {"training", "broken"}
