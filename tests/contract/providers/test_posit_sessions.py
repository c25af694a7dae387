"""Workbench's sessions: suspending, killing, batches, labels, and both kinds of credential."""

import json
from dataclasses import replace

import pytest
from pydantic import SecretStr

from bot.domain.forms import Spec
from bot.domain.observations import OutcomeSearch
from bot.domain.workspaces import State
from bot.providers.base import Access, Credential
from bot.support import errors
from playground.posit.plans import PlannedError
from tests.contract.providers.posit_rig import posit_rig
from tests.contract.providers.rigs import Rig

pytestmark = pytest.mark.asyncio(loop_scope="session")

ADMIN = Access("alice", Credential.for_connection("admin"))
SPEC = Spec("paper", {"workbench": "RStudio", "cluster": "Local"})


def with_chosen(**chosen: str | tuple[str, ...]) -> Spec:
    return replace(SPEC, chosen={**SPEC.chosen, **chosen})


KEY = "workspace_0123456789abcdef01234567"


def change(rig: Rig, **settings: object) -> None:
    rig.server.state.settings.change(settings)


def fail(rig: Rig, method: str, code: int, message: str = "as planned", **options) -> None:
    rig.server.state.plans.errors.append(PlannedError(method, code, message, **options))


def posted(rig: Rig, method: str) -> int:
    return rig.harness.requests[f"POST /api/{method}"]


@pytest.fixture(params=["person", "admin"])
def access(request, posit: Rig) -> Access:
    """The access of a person's own token, and of the super-admin's."""
    return posit.access if request.param == "person" else ADMIN


async def until(rig: Rig, access: Access, remote_id: str, *states: State) -> None:
    for _ in range(20):
        rig.server_clock.advance(3)
        seen = (await rig.provider.status(access, [remote_id]))[remote_id]
        if seen.state in states:
            return
    raise AssertionError(f"it is {seen.state} still")


async def test_a_session_is_suspended_and_resumed_for_whom_it_belongs_to(posit: Rig, access: Access):
    own = posit.remote_id
    await posit.provider.start(access, await posit.read_row(own, access))
    await until(posit, access, own, State.RUNNING)
    await posit.provider.stop(access, await posit.read_row(own, access), "suspend")
    await posit.provider.stop(
        access, await posit.read_row(own, access), "suspend"
    )  # already on its way is success
    await until(posit, access, own, State.SUSPENDED)
    await posit.provider.stop(access, await posit.read_row(own, access), "suspend")
    assert (await posit.provider.status(access, [own]))[own].actions == {"start", "stop", "force"}
    assert posted(posit, "stop_session") == 1
    assert posit.server.state.sessions[own].owner == "alice"
    assert posit.harness.violations == []


@pytest.mark.parametrize(
    ("executing", "unsaved", "stop_risks"),
    [
        (False, False, set()),
        (True, False, {"busy"}),
        (False, True, {"unsaved"}),
        (True, True, {"busy", "unsaved"}),
    ],
)
async def test_what_a_stop_would_interrupt_or_lose_is_told(
    posit: Rig, access, executing, unsaved, stop_risks
):
    own, began = posit.remote_id, posit.server_clock.now()
    await posit.provider.start(access, await posit.read_row(own, access))
    await until(posit, access, own, State.RUNNING)
    session = posit.server.state.sessions[own]
    session.executing, session.save_prompt_required = executing, unsaved
    seen = (await posit.provider.status(access, [own]))[own]
    assert seen.stop_risks == stop_risks
    # The server's times are milliseconds.
    assert began < seen.last_used_at <= posit.server_clock.now()
    # The server also gives the start time in milliseconds.
    assert began < seen.started_at <= posit.server_clock.now()
    began = posit.server_clock.now()
    await posit.provider.stop(access, await posit.read_row(own, access), "suspend")
    await until(posit, access, own, State.SUSPENDED)
    seen = (await posit.provider.status(access, [own]))[own]
    assert (seen.stop_risks, seen.last_used_at is None) == ({"memory"}, False)
    assert began < seen.down_at <= posit.server_clock.now()


async def test_a_kill_ends_what_takes_no_notice_of_a_stop(posit: Rig, access: Access):
    lab = posit.other_ids["lab"]
    posit.server.state.sessions[lab].stuck = True
    await posit.provider.stop(access, await posit.read_row(lab, access))
    posit.server_clock.advance(100)
    assert (await posit.provider.status(access, [lab]))[lab].state is State.RUNNING
    running = await posit.read_row(lab, access)
    await posit.provider.stop(access, running, "force")
    await posit.provider.stop(access, running, "force")  # ended already is success
    assert (await posit.provider.status(access, [lab]))[lab].state is State.GONE


async def test_only_rstudio_is_suspended_and_resumed(posit: Rig, access: Access):
    lab = posit.other_ids["lab"]
    with pytest.raises(errors.Conflict, match="Only RStudio sessions"):
        await posit.provider.stop(access, await posit.read_row(lab, access), "suspend")
    posit.server.state.sessions[lab].force("suspended", posit.server_clock.now())
    with pytest.raises(errors.Conflict, match="suspended RStudio sessions"):
        await posit.provider.start(access, await posit.read_row(lab, access))
    assert (posted(posit, "stop_session"), posted(posit, "resume_session")) == (0, 0)


async def test_what_has_ended_can_not_be_started_and_is_no_error_to_stop(posit: Rig, access: Access):
    before = await posit.read_row(posit.remote_id, access)
    posit.server.state.sessions[posit.remote_id].force("finished", posit.server_clock.now())
    with pytest.raises(errors.Conflict, match="ended"):
        await posit.provider.start(access, await posit.read_row(posit.remote_id, access))
    await posit.provider.stop(access, before)
    posit.server.state.sessions.pop(posit.remote_id)
    for call in (posit.provider.start, posit.provider.stop):
        with pytest.raises(errors.NotFound):
            await call(access, before)


@pytest.mark.parametrize("mode", ["stop", "suspend", "force"])
async def test_nobody_elses_session_is_touched(posit: Rig, access: Access, mode):
    with pytest.raises(errors.NotFound):
        await posit.provider.stop(access, await posit.read_row(posit.foreign_id, access), mode)
    assert posit.server.state.sessions[posit.foreign_id].state == "running"
    assert not posit.server.state.sessions[posit.foreign_id].plan


async def test_a_resume_that_somebody_else_was_faster_with_is_success(posit: Rig, access: Access):
    fail(posit, "resume_session", 11, "The session is launching, not suspended", after=True)
    await posit.provider.start(access, await posit.read_row(posit.remote_id, access))
    fail(posit, "resume_session", 11, "as planned")
    posit.server.state.sessions[posit.remote_id].force("suspended", posit.server_clock.now())
    with pytest.raises(errors.InvalidRequest, match="as planned"):
        await posit.provider.start(access, await posit.read_row(posit.remote_id, access))


async def test_a_hundred_and_ten_sessions_are_three_requests(posit: Rig, access: Access):
    ids = [f"{number:08x}" for number in range(109)] + [posit.remote_id]
    seen = await posit.provider.status(access, ids)
    assert list(seen) == ids
    assert seen[posit.remote_id].state is State.SUSPENDED
    assert sum(one.state is State.GONE for one in seen.values()) == 109
    assert posted(posit, "get_session") == 3


async def test_a_server_that_stumbles_over_an_ended_session_is_asked_for_all(posit: Rig, access: Access):
    fail(posit, "get_session", 14)
    seen = await posit.provider.status(access, [posit.remote_id, posit.missing_id])
    assert [one.state for one in seen.values()] == [State.SUSPENDED, State.GONE]
    assert posted(posit, "get_session") == 2


async def test_a_session_is_made_and_found_again_by_its_mark(posit: Rig, access: Access):
    made = await posit.provider.create(access, SPEC, KEY)
    other = await posit.provider.create(access, SPEC, KEY[:-8] + "deadbeef")
    assert made.name == "paper"
    for key, found in ((KEY, made), (KEY[:-8] + "deadbeef", other)):
        assert await posit.provider.find_created(access, SPEC, key, 0.0) == OutcomeSearch(found)
    assert await posit.provider.find_created(access, SPEC, KEY[:-8] + "00000000", 0.0) == OutcomeSearch(
        is_conclusive=True
    )
    assert "paper" in await posit.provider.list_names(access, "paper")
    session = posit.server.state.sessions[made.remote_id]
    assert (session.owner, session.launch_parameters["name"]) == ("alice", "paper [01234567]")
    await until(posit, access, made.remote_id, State.RUNNING)
    assert posit.harness.violations == []


async def test_without_marks_any_of_the_name_that_is_young_enough_may_be_it(posit: Rig, access: Access):
    first = await posit.provider.create(access, SPEC, "a")
    posit.server_clock.advance(300)
    second = await posit.provider.create(access, SPEC, "b")
    for made in (first, second):
        posit.server.state.sessions[made.remote_id].launch_parameters["name"] = "something else"
    now = posit.server_clock.now()
    assert set((await posit.provider.find_created(access, SPEC, "c", 0.0)).candidates) == {first, second}
    assert await posit.provider.find_created(access, SPEC, "c", now) == OutcomeSearch(candidates=(second,))
    posit.server.state.sessions[second.remote_id].force("failed", posit.server_clock.now())
    assert await posit.provider.find_created(access, SPEC, "c", 0.0) == OutcomeSearch(candidates=(first,))
    other = replace(SPEC, name="another")
    assert await posit.provider.find_created(access, other, "c", 0.0) == OutcomeSearch(is_conclusive=True)


@pytest.mark.parametrize("is_after", [False, True])
async def test_a_launch_of_unknown_outcome_is_looked_for(posit: Rig, access: Access, is_after):
    fail(posit, "launch_session", 200, "Transmission error", after=is_after)
    with pytest.raises(errors.UnknownOutcome):
        await posit.provider.create(access, SPEC, KEY)
    assert ((await posit.provider.find_created(access, SPEC, KEY, 0.0)).match is not None) is is_after


@pytest.mark.parametrize(
    ("spec", "kind", "said"),
    [
        (
            with_chosen(workbench="VS Code"),
            errors.InvalidRequest,
            "t available",
        ),
        (with_chosen(cluster="Moon"), errors.InvalidRequest, "Unknown cluster"),
        (replace(SPEC, name="x" * 65), errors.InvalidRequest, "longer than 64"),
        (
            with_chosen(cluster="Slurm", limits=("cpuCount=65",)),
            errors.InvalidRequest,
            "64 at most",
        ),
        (with_chosen(queue="nowhere"), errors.InvalidRequest, "Unknown queue"),
        (
            with_chosen(template="lost"),
            errors.InvalidRequest,
            "no longer set up",
        ),
    ],
)
async def test_what_the_server_refuses_is_said(posit: Rig, access: Access, spec, kind, said):
    with pytest.raises(kind, match=said):
        await posit.provider.create(access, spec, KEY)


@pytest.mark.parametrize(
    "switch", [{"session_limit": 1}, {"license_sessions": 1}, {"license_users": 0}], ids=str
)
async def test_limits_are_said_and_not_tried_again(posit: Rig, access: Access, switch):
    change(posit, **switch)
    with pytest.raises(errors.LimitReached, match="maximum of concurrent"):
        await posit.provider.create(access, SPEC, KEY)
    with pytest.raises(errors.LimitReached):
        await posit.provider.start(access, await posit.read_row(posit.remote_id, access))


@pytest.mark.parametrize("dialect", ["live", "reference"])
async def test_servers_of_either_spelling_are_understood(access: Access, dialect):
    async with posit_rig() as rig:
        change(rig, dialect=dialect)
        own = rig.remote_id
        spec = with_chosen(cluster="Slurm", limits=("cpuCount=3",), queue="long")
        made = await rig.provider.create(access, spec, KEY)
        launched = rig.server.state.sessions[made.remote_id].launch_parameters
        assert [limit["value"] for limit in launched["resource_limits"]] == ["3"]
        await rig.provider.start(access, await rig.read_row(own, access))
        await until(rig, access, own, State.RUNNING)
        await rig.provider.stop(access, await rig.read_row(own, access), "suspend")
        await until(rig, access, own, State.SUSPENDED)
        await rig.provider.stop(access, await rig.read_row(own, access))
        await until(rig, access, own, State.GONE)
        assert rig.harness.violations == []


@pytest.mark.parametrize(
    ("form", "is_allowed"),
    [
        ("path", True),
        ("absolute", True),
        ("double_slash", True),
        ("other_host", False),
        ("other_host_double_slash", False),
    ],
)
async def test_addresses_of_every_form_lead_to_the_configured_server(posit: Rig, form, is_allowed):
    change(posit, url_form=form)
    lab = posit.other_ids["lab"]
    seen = (await posit.provider.status(posit.access, [lab]))[lab]
    assert seen.state is State.RUNNING
    if is_allowed:
        hex_ = posit.server.state.sessions[lab].hex
        assert seen.url == f"{posit.provider.settings.base_url}/s/{hex_}/"
        assert posit.provider.parse_reference(seen.url) == lab
        assert "open" in (seen.actions or ())
    else:
        assert seen.url is None
        assert "host" in str(seen.detail)
        assert "open" not in (seen.actions or ())


async def test_a_token_of_somebody_else_does_not_open_it(posit: Rig):
    other = Access("", Credential(SecretStr("b0b-token-of-bob")))
    seen = await posit.provider.status(other, [posit.remote_id])
    assert seen[posit.remote_id].state is State.GONE


async def test_an_answer_about_other_sessions_makes_none_of_those_asked_for_gone(posit: Rig):
    told = {"sessions": [{"id": posit.other_ids["lab"], "activity_state": "running"}]}
    posit.inject_fault("get_session", body=json.dumps({"result": told}))
    with pytest.raises(errors.BadAnswer, match="other sessions"):
        await posit.observe()
