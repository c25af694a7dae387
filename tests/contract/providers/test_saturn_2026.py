"""Differences on servers that follow Saturn Cloud's published document of 2026."""

import json
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace

import pytest
import pytest_asyncio

from bot.domain.failure_causes import Reason, find_reason
from bot.domain.forms import FormProblems, Spec
from bot.domain.people import Principal
from bot.domain.prices import MachineKind, Price
from bot.domain.runs import RunState
from bot.domain.stops import StopEffect
from bot.domain.workspaces import State
from bot.support import errors
from tests.contract.providers.rigs import COURSE, provider_of, raises_exactly, saturn_rig
from tests.contract.providers.saturn_2026_rig import RECIPE, SEED, saturn_2026_rig
from usher.conformance.rigs import build_row

pytestmark = pytest.mark.asyncio(loop_scope="session")

ASKER = Principal(None, "T1", "U1")
SPEC = Spec("mine", {"recipe": "course", "size": "medium", "owner": "acme/alice"})


@pytest_asyncio.fixture(loop_scope="session")
async def rig():
    async with saturn_2026_rig() as ready:
        yield ready


def with_recipe(rig, file, **keys):
    templates = [{"name": "course", "file": str(file)}]
    http, base_url = rig.provider.api._http, rig.provider.settings.base_url
    return provider_of("saturn", http, base_url, templates=templates, **keys)


# -- tokens --------------------------------------------------------------------------------------------------


async def test_its_tokens_say_when_they_end(rig):
    token = rig.access.credential.token.get_secret_value()
    assert token.startswith("eyJ")
    identity = await rig.provider.check_credential(rig.access.credential)
    assert identity.credential.expires_at == pytest.approx(rig.server_clock.now() + 90 * 86_400.0, abs=1.0)


async def test_a_token_of_a_group_is_nobodys_and_works(rig):
    rig.server.state.limits.nameless = True
    rig.inject_fault("/api/user/token$", status=404)
    assert (await rig.provider.check_credential(rig.access.credential)).username == ""


# -- creating ------------------------------------------------------------------------------------------------


async def test_a_recipe_is_created_as_documented(rig):
    made = await with_recipe(rig, RECIPE).create(rig.access, SPEC, "ws_1")
    resource = rig.server.state.resources[made.remote_id]
    assert (resource.owner, resource.name, resource.spec["instance_type"]) == ("alice", "mine", "medium")
    assert rig.harness.requests["POST /api/recipes"] == 1
    assert rig.harness.requests["POST /api/resource_recipes/clone"] == 0


async def test_an_older_server_clones_what_newer_ones_create():
    async with saturn_rig() as rig:
        made = await with_recipe(rig, RECIPE).create(rig.access, SPEC, "ws_1")
        assert rig.server.state.resources[made.remote_id].name == "mine"
        assert rig.harness.requests["POST /api/resource_recipes/clone"] == 1


async def test_recipe_that_names_what_is_missing_is_refused_in_the_servers_words(rig):
    elsewhere = replace(SPEC, chosen={**SPEC.chosen, "owner": "elsewhere/alice"})
    with pytest.raises(errors.InvalidRequest, match="Owner elsewhere/alice not found"):
        await with_recipe(rig, RECIPE).create(rig.access, elsewhere, "ws_1")
    async with saturn_rig() as older:
        with pytest.raises(errors.InvalidRequest, match="Owner elsewhere/alice not found"):
            await with_recipe(older, RECIPE).create(older.access, elsewhere, "ws_1")


async def test_recipe_that_says_running_is_created_stopped(rig, tmp_path):
    """For a course, workspaces are created long before the first lesson."""
    recipe = json.loads(RECIPE.read_text())
    recipe["spec"]["status"] = "running"
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))
    provider = with_recipe(rig, tmp_path / "recipe.json")
    assert provider.can_create_stopped(SPEC)
    made = await provider.create_stopped(rig.access, SPEC, "ws_1")
    assert (await rig.observe(made.remote_id)).state is State.STOPPED


async def test_what_has_the_name_is_never_rewritten(rig):
    """The name may even appear between the check and the call, and the call may have any outcome."""
    provider = with_recipe(rig, RECIPE)
    state = rig.server.state
    other = state.resources[rig.remote_id]
    before = dict(other.spec)
    rig.inject_fault("GET /api/recipes/workspace/", status=404)
    rig.inject_fault("GET /api/recipes$", body=json.dumps({"recipes": []}))
    with raises_exactly(errors.Conflict):
        await provider.create(rig.access, replace(SPEC, name="training"), "ws_1")
    rig.inject_fault("POST /api/recipes$", drop=True, after=True)
    with raises_exactly(errors.UnknownOutcome):
        await provider.create(rig.access, SPEC, "ws_2")
    found = await provider.find_created(rig.access, SPEC, "ws_2", 0.0)
    assert found.match is not None
    assert state.resources[found.match.remote_id].name == "mine"
    assert other.spec == before
    assert not [path for path in rig.harness.requests if path.startswith("PUT")]


@pytest.fixture
def without_image(tmp_path):
    """A recipe in the style of the guides, which leaves the image to the server."""
    recipe = json.loads(COURSE.read_text(encoding="utf-8"))
    del recipe["spec"]["image"]
    path = tmp_path / "course.json"
    path.write_text(json.dumps(recipe), encoding="utf-8")
    return path


async def test_a_template_without_an_image_is_said_before_it_is_used_and_by_doctor(rig, without_image):
    provider = with_recipe(rig, without_image)
    offer = await provider.read_offer(rig.access)
    with pytest.raises(FormProblems) as caught:
        provider.spec(offer, "workspace", {"template": "course", "name": "mine"}, ASKER)
    assert "image" in caught.value.problems["template"]
    assert "course" in await provider.read_warning()
    # A form filled in before the server was upgraded is refused in the same words.
    with pytest.raises(errors.InvalidRequest, match="image"):
        await provider.create(rig.access, SPEC, "ws_1")
    assert rig.harness.requests["POST /api/recipes"] == 0
    assert await with_recipe(rig, RECIPE).read_warning() == ""


async def test_a_guides_server_needs_no_image(without_image):
    async with saturn_rig() as rig:
        provider = with_recipe(rig, without_image)
        offer = await provider.read_offer(rig.access)
        assert provider.spec(offer, "workspace", {"template": "course", "name": "mine"}, ASKER).name == "mine"
        assert await provider.read_warning() == ""


async def test_sizes_show_their_price_and_those_that_are_disabled_are_not_offered(rig):
    provider = with_recipe(rig, RECIPE)
    offer = await provider.read_offer(rig.access)
    size = provider.form(offer, "workspace", {}, ASKER).field("size")
    assert [one.value for one in size.choices] == ["medium", "large", "xlarge"]
    assert size.choices[1].label == "Large - 2 cores - 16 GB RAM · 0.21 an hour"


async def test_sizes_have_the_currency_that_the_operator_names_and_workspaces_their_price(rig):
    provider = with_recipe(rig, RECIPE, currency="USD")
    offer = await provider.read_offer(rig.access)
    label = provider.form(offer, "workspace", {}, ASKER).field("size").choices[1].label
    assert label == "Large - 2 cores - 16 GB RAM · 0.21 USD an hour"
    given = {"template": "course", "name": "mine", "size": "xlarge"}
    spec = provider.spec(offer, "workspace", given, ASKER)
    assert provider.describe_machine(spec) == MachineKind("course", "xlarge", Price(Decimal("0.42"), "USD"))


async def test_runs_have_the_price_of_their_jobs_size(rig):
    provider = with_recipe(rig, RECIPE, currency="USD")
    offer = await provider.read_offer(rig.access)
    labels = [one.label for one in provider.form(offer, "job", {}, ASKER).field("template").choices]
    assert "nightly · 0.09 USD an hour" in labels
    spec = provider.spec(offer, "job", {"template": "nightly"}, ASKER)
    assert provider.describe_machine(spec) == MachineKind(None, "medium", Price(Decimal("0.09"), "USD"))
    spec = provider.spec(offer, "job", {"template": "f" * 32}, ASKER)
    assert provider.describe_machine(spec) == MachineKind()


@pytest.mark.parametrize(("said", "price"), [({"large": "0.5"}, "0.5"), ({}, None)], ids=["dearer", "none"])
async def test_price_of_an_earlier_spec_is_what_the_sizes_say_now(rig, said, price):
    provider = with_recipe(rig, RECIPE, currency="USD")
    offer = await provider.read_offer(rig.access)
    spec = provider.spec(offer, "workspace", {"template": "course", "name": "mine", "size": "large"}, ASKER)
    assert provider.describe_machine(spec).price == Price(Decimal("0.21"), "USD")
    spec = provider.update_spec(replace(offer, prices=said), spec)
    assert provider.describe_machine(spec).price == (price and Price(Decimal(price), "USD"))
    assert (spec.name, spec.text("recipe"), spec.text("size")) == ("mine", "course", "large")


async def test_without_a_currency_a_size_has_no_price_that_counts(rig):
    provider = with_recipe(rig, RECIPE)
    offer = await provider.read_offer(rig.access)
    spec = provider.spec(offer, "workspace", {"template": "course", "name": "mine", "size": "large"}, ASKER)
    assert provider.describe_machine(spec) == MachineKind("course", "large", None)


@pytest.mark.parametrize("price", [-1, True, "NaN", "Infinity", None, [], 10_000, "much"])
async def test_price_that_can_be_none_is_not_shown(rig, price):
    rig.inject_fault(
        "GET /api/info/servers$", body=json.dumps({"sizes": {"large": {"price_per_hour": price}}})
    )
    offer = await with_recipe(rig, RECIPE).read_offer(rig.access)
    assert (offer.prices, [one.label for one in offer.sizes]) == ({}, ["large"])


async def test_what_is_listed_has_the_price_of_its_size(rig):
    await launched(rig)
    http, base_url = rig.provider.api._http, rig.provider.settings.base_url
    priced = provider_of("saturn", http, base_url, currency="USD")

    async def machines(provider):
        runs, workspaces = await provider.list_runs(rig.access), await provider.discover(rig.access)
        return {one.machine for one in runs}, {one.observed.machine for one in workspaces}

    medium = {MachineKind(None, "medium", Price(Decimal("0.09"), "USD"))}
    assert await machines(rig.provider) == ({None}, {None})
    assert await machines(priced) == (medium, medium)
    # If sizes can't be read, the lists are read all the same.
    rig.inject_fault("GET /api/info/servers$", times=2, status=500)
    assert await machines(priced) == ({None}, {None})


# -- output --------------------------------------------------------------------------------------------------


async def launched(rig, name="nightly", **changes):
    found = rig.server.state.resources.values()
    job = next(one for one in found if (one.name, one.type) == (name, "job"))
    for key, value in changes.items():
        setattr(job, key, value)
    run = await rig.provider.launch_run(rig.access, Spec(name, {"job": job.id}), "job_00000001")
    return job, run.remote_id


async def output_of(rig, remote_id):
    return "".join([chunk.text async for chunk in rig.provider.run_output(rig.access, remote_id)])


@pytest.mark.parametrize("lines", [2500, 12_345])
async def test_the_output_of_a_run_has_all_its_lines(rig, lines):
    job, run = await launched(rig)
    job.log_lines = lines
    for seconds in (15, 600):  # It has just ended, and is in the history alone.
        rig.server_clock.advance(seconds)
        written = (await output_of(rig, run)).splitlines()
        assert len([line for line in written if line.startswith("line ")]) == lines
        assert "exit code 0" in written[-1]


async def test_other_containers_and_blank_lines_shift_no_output(rig):
    """While a pod is live, only its main container's log is read. The log of an ended pod has them all."""
    _, run = await launched(rig)
    rig.server_clock.advance(600)

    def page(*lines, **more):
        logs = [
            {"timestamp": "", "pod_name": "p", "container_name": name, "content": text}
            for name, text in lines
        ]
        return json.dumps({"logs": logs, **more})

    cloned = ("git-clone", "Cloning into 'work'...")
    rig.inject_fault("/logs$", status=404)
    rig.inject_fault("/logs$", body=page(cloned, ("main", "one"), ("main", ""), next_key="k"))
    rig.inject_fault("/logs$", body=page(("main", "two"), ("main", "")))
    assert await output_of(rig, run) == "one\n\ntwo"
    rig.inject_fault("/logs$", status=404)
    rig.inject_fault("/logs$", body=page(("job", "one"), ("job", "two")))
    assert await output_of(rig, run) == "one\ntwo"


@pytest.mark.parametrize("ending", ["", "\n", "\n\n"])
async def test_a_live_log_of_as_many_lines_as_a_server_sends_lacks_its_beginning(rig, ending):
    _, run = await launched(rig)
    rig.server_clock.advance(5)
    lines = 5000 - ending[1:].count("\n")
    rig.inject_fault("/logs$", body=json.dumps({"logs": "\n".join(["line"] * lines) + ending}))
    assert await output_of(rig, run) == ""


async def test_a_log_whose_pages_never_end_is_not_called_whole(rig):
    _, run = await launched(rig)
    rig.server_clock.advance(600)
    page = {"timestamp": "", "content": "again", "pod_name": "p", "container_name": "main"}
    rig.inject_fault("/api/jobs/.*/logs$", times=9, body=json.dumps({"logs": [page], "next_key": "k"}))
    output = rig.provider.run_output(rig.access, run)
    assert (await anext(output)).text == "again\nagain"
    with pytest.raises(errors.BadAnswer, match="never end"):
        await anext(output)


# -- runs ----------------------------------------------------------------------------------------------------


def scaled(spec, pods):
    return {
        "spec": {"name": "nightly", "owner": "acme/alice", "instance_type": "large", **spec},
        "pods": pods,
    }


async def seen(rig, remote_id):
    return (await rig.provider.run_status(rig.access, [remote_id]))[remote_id]


async def states(rig, remote_id, *seconds):
    found = []
    for one in seconds:
        rig.server_clock.advance(one)
        found.append(await seen(rig, remote_id))
    return found


async def test_a_run_of_three_pods_is_one_run_and_ends_when_all_have(rig):
    job, run = await launched(rig, **scaled({"scale": 3}, ((4.0, 7), (9.0, 0), (9.0, 0))))
    assert run == f"{job.id}/{job.runs[0].job}"
    waits, runs, failed, past = await states(rig, run, 0, 9, 10, 600)
    assert [one.state for one in (waits, runs, failed, past)] == [
        RunState.QUEUED,
        RunState.RUNNING,
        RunState.FAILED,
        RunState.FAILED,
    ]
    assert (failed.exit_code, runs.exit_code) == (7, None)
    listed = await rig.provider.list_runs(rig.access)
    assert [one.remote_id for one in listed] == [run]
    written = await output_of(rig, run)
    assert written.count("==> ") == 2
    assert written.count("Starting") == 3


async def test_a_run_that_is_tried_again_and_succeeds_has_succeeded(rig):
    _, run = await launched(rig, **scaled({"retries": 1}, ((4.0, 7), (4.0, 0))))
    tried, again, done, past = await states(rig, run, 9, 4, 10, 600)
    assert [one.state for one in (tried, again, done, past)] == [
        RunState.QUEUED,
        RunState.RUNNING,
        RunState.SUCCEEDED,
        RunState.SUCCEEDED,
    ]
    assert (done.exit_code, done.detail) == (0, None)
    written = await output_of(rig, run)
    assert written.index("exit code 7") < written.index("==> ") < written.index("exit code 0")


async def test_the_output_of_several_pods_only_grows(rig):
    _, run = await launched(rig, **scaled({"scale": 2}, ((30.0, 0), (5.0, 0))))
    before = ""
    for seconds in (0, 5, 5, 10, 20, 600):
        rig.server_clock.advance(seconds)
        written = await output_of(rig, run)
        assert written.startswith(before)
        before = written
    assert before.count("exit code 0") == 2


async def test_a_stop_ends_one_run_and_leaves_the_others_alone(rig):
    _, first = await launched(rig)
    _, second = await launched(rig)
    assert first != second
    await rig.provider.stop_run(rig.access, first)
    rig.server_clock.advance(5)
    assert [(await seen(rig, one)).state for one in (first, second)] == [RunState.CANCELLED, RunState.RUNNING]
    assert (await seen(rig, first)).detail is None
    await rig.provider.stop_run(rig.access, first)  # It is over.
    assert [path for path in rig.harness.requests if path.endswith("/stop")] == []


async def test_stopped_run_in_the_history_is_not_said_to_have_ended_others(rig):
    """Only the history shows a run whose Kubernetes job is no longer listed."""
    _, first = await launched(rig)
    await rig.provider.stop_run(rig.access, first)
    rig.server_clock.advance(600)
    past = await seen(rig, first)
    assert (past.state, past.detail) == (RunState.CANCELLED, None)
    assert not [path for path in rig.harness.requests if path.startswith("GET /api/active/pods/")]


async def test_a_run_that_is_not_seen_yet_is_not_stopped_with_the_others(rig):
    job, other = await launched(rig)
    for _ in range(2):
        rig.inject_fault("/runtimesummary$", body='{"job_summaries": []}')
    run = await rig.provider.launch_run(rig.access, Spec("nightly", {"job": job.id}), "job_00000002")
    assert "/@" in run.remote_id
    rig.inject_fault("/runtimesummary$", body='{"job_summaries": []}')
    with raises_exactly(errors.Conflict):
        await rig.provider.stop_run(rig.access, run.remote_id)
    assert (await seen(rig, other)).state is RunState.QUEUED


async def test_an_older_server_stops_all_runs_and_says_so():
    async with saturn_rig() as older:
        _, run = await launched(older)
        _, other = await launched(older)
        await older.provider.stop_run(older.access, run)
        older.server_clock.advance(5)
        for one in (run, other):
            assert (await seen(older, one)).state is RunState.CANCELLED
            assert "all runs" in (await seen(older, one)).detail


async def test_why_a_run_waits_and_why_it_failed_is_said(rig):
    short = "0/3 nodes are available: 3 Insufficient nvidia.com/gpu."
    _, run = await launched(rig, condition=short, exit_code=137, reason="OOMKilled")
    waits, _, failed = await states(rig, run, 0, 5, 10)
    assert waits.detail == short
    assert (failed.state, failed.exit_code) == (RunState.FAILED, 137)
    assert find_reason(failed.detail) is Reason.MEMORY


async def test_an_end_is_told_even_if_the_pods_are_refused(rig):
    _, run = await launched(rig)
    rig.server_clock.advance(15)
    rig.inject_fault("/api/active/pods$", status=403)
    ended = await seen(rig, run)
    assert (ended.state, ended.exit_code) == (RunState.SUCCEEDED, None)


async def test_a_run_that_was_known_by_its_pod_is_found_after_the_server_was_renewed(rig):
    job, run = await launched(rig)
    by_pod = f"{job.id}/{job.runs[0].name}"
    assert [(await seen(rig, one)).state for one in (run, by_pod)] == [RunState.QUEUED] * 2
    rig.server_clock.advance(600)
    assert (await seen(rig, by_pod)).state is RunState.SUCCEEDED
    assert "exit code 0" in await output_of(rig, by_pod)


# -- workspaces ----------------------------------------------------------------------------------------------


async def test_a_workspace_says_since_when_it_runs_and_when_it_stops_by_itself(rig):
    asked_at = rig.server_clock.now()
    await rig.provider.start(rig.access, build_row(rig.provider, rig.remote_id))
    seen = (await rig.read_until(State.RUNNING))[-1]
    assert seen.started_at == pytest.approx(asked_at, abs=1.0)
    assert seen.detail == "Stops by itself after 1 hour without use."
    assert seen.survives_stop is True


async def test_a_stop_that_deletes_is_an_end(rig):
    rig.server.state.resources[rig.other_ids["notes"]].spec["self_destruct"] = True
    seen = await rig.observe(rig.other_ids["notes"])
    row = SimpleNamespace(state=seen.state, survives_stop=seen.survives_stop)
    assert rig.provider.stop_effects(row) == {"stop": StopEffect.ERASES}
    assert rig.provider.stop_effects(SimpleNamespace(state=State.RUNNING, survives_stop=True)) == {
        "stop": StopEffect.RETURNS
    }


async def test_a_failed_start_says_that_its_reason_can_be_read(rig):
    broken = rig.server.state.resources[rig.broken_id]
    broken.reason = "OOMKilled"
    await rig.provider.start(rig.access, build_row(rig.provider, rig.broken_id))
    failed = (await rig.read_until(State.FAILED, remote_id=rig.broken_id))[-1]
    assert failed.has_reason
    assert find_reason(await rig.provider.read_reason(rig.access, rig.broken_id)) is Reason.MEMORY


# -- groups --------------------------------------------------------------------------------------------------

GROUPS = {"team": ["alice", "bob"], "strangers": ["bob"]}
OF_GROUPS = [{"owner": "team", "name": "ours"}, {"owner": "strangers", "name": "theirs"}]


@pytest_asyncio.fixture(loop_scope="session")
async def grouped():
    seed = {**SEED, "groups": GROUPS, "workspaces": [*SEED["workspaces"], *OF_GROUPS]}
    async with saturn_rig(seed, dialect="2026", recipe=RECIPE) as ready:
        ready.ids = {one.name: one.id for one in ready.server.state.resources.values()}
        yield ready


async def test_what_a_persons_group_owns_is_listed_and_read_as_the_groups(grouped):
    listed = {one.name: one.observed for one in await grouped.provider.discover(grouped.access)}
    assert listed["ours"].owner == "team"
    assert {seen.owner for name, seen in listed.items() if name != "ours"} == {None}
    assert "theirs" not in listed
    ids = [grouped.ids[name] for name in ("ours", "theirs", "training")]
    seen = await grouped.provider.status(grouped.access, ids)
    assert [(seen[one].owner, seen[one].state is State.GONE) for one in ids] == [
        ("team", False),
        (None, True),
        (None, False),
    ]
    assert "ours" not in await grouped.provider.list_names(grouped.access, "")


async def test_what_a_persons_group_owns_is_started_and_opened(grouped):
    row = build_row(grouped.provider, grouped.ids["ours"])
    await grouped.provider.start(grouped.access, row)
    grouped.server_clock.advance(60)
    (seen,) = (await grouped.provider.status(grouped.access, [row.remote_id])).values()
    assert (seen.state, seen.owner) == (State.RUNNING, "team")
    assert seen.url


@pytest.mark.parametrize("status", [403, 404, 405])
async def test_a_server_that_says_no_groups_has_none(grouped, status):
    grouped.inject_fault("/api/user/owners$", status=status, times=None)
    assert "ours" not in {one.name for one in await grouped.provider.discover(grouped.access)}
