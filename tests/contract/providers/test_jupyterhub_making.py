"""New named servers at a real hub: made once, with their options, and found again by their name."""

import pytest

from bot.domain.forms import FormProblems, Spec
from bot.domain.observations import Created, OutcomeSearch
from bot.domain.people import Principal
from bot.domain.workspaces import State
from bot.providers.jupyterhub.provider import JupyterHubOffer
from bot.support import errors
from tests.contract.providers.rigs import provider_of
from usher.conformance.rigs import build_row

pytestmark = pytest.mark.asyncio(loop_scope="session")

ASKER = Principal(None, "T1", "U1")
TEMPLATES = [
    {"name": "small", "title": "A small one", "options": {"pause": 0.1}},
    {"name": "failing", "options": {"fail": True}},
    {"name": "staff", "options": {}, "who": ["U2"]},
    {"name": "gpu_lab", "options": {"pause": 0.1}},
]


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


async def spec_of(rig, **values):
    return rig.provider.spec(await rig.provider.read_offer(rig.access), "workspace", values, ASKER)


async def test_the_form_asks_for_a_kind_and_a_free_name(prepared):
    snapshot = await prepared.provider.read_offer(prepared.access)
    assert set(snapshot.names) >= {"training", "broken"}
    kind, name = prepared.provider.form(snapshot, "workspace", {"template": "A small one"}, ASKER).fields
    assert [one.value for one in kind.choices] == ["small", "failing", "gpu_lab"]
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
    spec = await spec_of(prepared, template="small", name="fresh")
    assert await prepared.provider.find_created(prepared.access, spec, "ws_1", 0.0) == OutcomeSearch(
        is_conclusive=True
    )
    made = await prepared.provider.create(prepared.access, spec, "ws_1")
    assert (made.remote_id, made.is_started) == (f"{prepared.access.username}/fresh", True)
    assert (await prepared.provider.find_created(prepared.access, spec, "ws_1", 0.0)).match == made
    assert await prepared.provider.create(prepared.access, spec, "ws_1") == made
    await prepared.read_until(State.RUNNING, remote_id=made.remote_id)
    await prepared.provider.remove(prepared.access, build_row(prepared.provider, made.remote_id))
    await prepared.read_until(State.GONE, remote_id=made.remote_id)


async def test_a_name_that_is_proposed_is_taken_unchanged(prepared):
    offer = await prepared.provider.read_offer(prepared.access)
    name = prepared.provider.form(offer, "workspace", {"template": "gpu_lab"}, ASKER).field("name")
    made = await prepared.provider.create(
        prepared.access, await spec_of(prepared, template="gpu_lab", name=name.initial), "ws_1"
    )
    assert made.remote_id == f"{prepared.access.username}/gpu-lab"
    await prepared.read_until(State.RUNNING, remote_id=made.remote_id)
    await prepared.provider.remove(prepared.access, build_row(prepared.provider, made.remote_id))
    await prepared.read_until(State.GONE, remote_id=made.remote_id)


async def test_what_people_type_is_what_they_read_and_the_options_still_reach_the_spawner(prepared):
    spec = await spec_of(prepared, template="failing", name="2026: Größe  (GPU)")
    made = await prepared.provider.create(prepared.access, spec, "ws_1")
    assert made == Created(f"{prepared.access.username}/server-2026-grosse-gpu", "2026: Größe (GPU)")
    seen = await prepared.read_until(State.FAILED, State.RUNNING, remote_id=made.remote_id)
    assert (seen[-1].state, seen[-1].name) == (State.FAILED, "2026: Größe (GPU)")
    with pytest.raises(FormProblems, match="name"):
        await spec_of(prepared, template="small", name="2026: Größe (GPU)")
    await prepared.provider.remove(prepared.access, build_row(prepared.provider, made.remote_id))


async def test_a_server_is_made_without_being_started_and_its_first_start_has_its_options(prepared):
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
    await prepared.provider.remove(prepared.access, build_row(prepared.provider, made.remote_id))


async def test_options_reach_the_spawner(prepared):
    made = await prepared.provider.create(
        prepared.access, await spec_of(prepared, template="failing", name="bad"), "ws_1"
    )
    # Only these options make it fail: without them such a server runs.
    seen = await prepared.read_until(State.FAILED, State.RUNNING, remote_id=made.remote_id)
    assert seen[-1].state is State.FAILED
    await prepared.provider.remove(prepared.access, build_row(prepared.provider, made.remote_id))


async def test_one_too_many_is_a_limit(prepared):
    spec = await spec_of(prepared, template="small", name="third")
    made = await prepared.provider.create(prepared.access, spec, "ws_1")
    with pytest.raises(errors.LimitReached):
        await prepared.provider.create(
            prepared.access, await spec_of(prepared, template="small", name="fourth"), "ws_2"
        )
    await prepared.provider.remove(prepared.access, build_row(prepared.provider, made.remote_id))


async def test_a_template_that_was_taken_away_is_said(prepared):
    with pytest.raises(errors.InvalidRequest, match="no longer set up"):
        await prepared.provider.create(prepared.access, Spec("a", {"template": "gone"}), "ws_1")


async def test_what_was_made_from_a_template_is_not_made_again_for_others(prepared):
    assert not prepared.provider.is_withheld(Spec("a", {"template": "small"}), ASKER)
    assert prepared.provider.is_withheld(Spec("a", {"template": "staff"}), ASKER)
    assert not prepared.provider.is_withheld(Spec("a", {"template": "staff"}), Principal(None, "T1", "U2"))


async def test_names_are_those_of_the_persons_servers(prepared):
    assert set(await prepared.provider.list_names(prepared.access, "training")) >= {"training", "broken"}
