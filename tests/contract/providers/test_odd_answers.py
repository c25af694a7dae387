"""One odd entry or field never hides the rest: the results of each list of each provider."""

from typing import Any

import pytest
import structlog
from multidict import CIMultiDict, CIMultiDictProxy

from bot.domain.forms import Spec
from bot.domain.people import Principal
from bot.domain.runs import RunState
from bot.domain.workspaces import State
from bot.providers.answers import log_oddity, read_entries
from bot.support import errors
from bot.support.responses import Response
from tests.contract.providers.accesses import ACCESS, BASES
from tests.contract.providers.odd_answers import (
    JOB,
    NOTHING,
    PAST,
    POD,
    RECIPE,
    SERVER,
    SESSION,
    A,
    Answers,
    B,
    Change,
    but,
    instead,
    provider,
    two,
    without,
)
from tests.contract.providers.rigs import provider_of

PERSON = Principal(None, "T1", "UALICE")


# -- the lists: each takes a change to its first entry, and returns what was read ------------------

CLUSTER = {
    "name": "good",
    "supportsContainers": True,
    "images": ["r:4"],
    "queues": ["long"],
    "config": [],
    "resourceLimits": [{"type": "memory", "maxValue": 4}],
    "resourceProfiles": ["small"],
    "placementConstraints": [{"name": "zone", "value": "a"}],
    "workbenches": {"RStudio": {"supports_interactive_sessions": True}},
}
IDE = {"default_cluster": "good", "default_image": "", "lang": {"name": "R", "available": True}}
PROJECT = {"id": A, "name": "good"}
USER = {"username": "good", "status": "Active", "isAdmin": False, "uid": 7}


async def saturn_workspaces(change: Change) -> tuple[list[str], bool]:
    found = await provider("saturn", recipes={"recipes": two(RECIPE, change)}).discover(ACCESS)
    return [one.remote_id for one in found], found.is_whole


async def saturn_templates(change: Change) -> tuple[list[str], bool]:
    told = provider("saturn", recipes={"recipes": two({**RECIPE, "type": "job"}, change)})
    offer = await told.read_offer(ACCESS)
    return [one.job_id for one in offer.jobs], True


async def saturn_sizes(change: Change) -> tuple[list[str], bool]:
    sizes = {"large": change({"name": "large", "cores": 4}), "small": {"name": "small"}}
    offer = await provider("saturn", recipes={"recipes": []}, info_servers={"sizes": sizes}).read_offer(
        ACCESS
    )
    return [one.value for one in offer.sizes], True


async def saturn_runs(change: Change) -> tuple[list[str], bool]:
    job = {**RECIPE, "type": "job"}
    answers = {
        "recipes": {"recipes": [job]},
        "active_pods": {"pod_summaries": two(POD, change)},
        f"jobs_{A}_history": {"pods": [PAST]},
    }
    found = await provider("saturn", **answers).list_runs(ACCESS)
    return [one.remote_id.partition("/")[2] for one in found], found.is_whole


async def saturn_groups(change: Change) -> tuple[list[str], bool]:
    group = {"name": "acme/good", "identity_name": "good", "identity_type": "group"}
    recipe = {**RECIPE, "spec": {"name": "ours", "owner": "acme/good"}}
    answers = {"user_owners": {"owners": two(group, change)}, "recipes": {"recipes": [recipe]}}
    found = await provider("saturn", **answers).discover(ACCESS)
    return [str(one.observed.owner) for one in found], found.is_whole


async def saturn_users(change: Change) -> tuple[list[str], bool]:
    user = {"username": "good", "id": "7", "email": "good@acme.io"}
    found = await provider("saturn", users={"users": two(user, change)}).find_user("good")
    return [str(found.email)], True


async def posit_workspaces(change: Change) -> tuple[list[str], bool]:
    found = await provider("posit", get_session={"sessions": two(SESSION, change)}).discover(ACCESS)
    return [one.remote_id for one in found], found.is_whole


async def posit_runs(change: Change) -> tuple[list[str], bool]:
    answer = {"sessions": [None], "jobs": two(JOB, change)}
    found = await provider("posit", get_session=answer).list_runs(ACCESS)
    return [one.remote_id for one in found], found.is_whole


async def posit_environments(change: Change) -> tuple[list[str], bool]:
    envs = {"clusters": two(CLUSTER, change), "workbenches": {"RStudio": IDE}}
    told = provider("posit", get_compute_envs=envs, get_session={"sessions": []})
    form = told.form(await told.read_offer(ACCESS), "workspace", {}, PERSON)
    cluster = form.field("cluster")
    return [choice.value for choice in cluster.choices] if cluster else [], True


async def posit_ides(change: Change) -> tuple[list[str], bool]:
    envs = {"clusters": [CLUSTER], "workbenches": {"odd": change(dict(IDE)), "good": IDE}}
    told = provider("posit", get_compute_envs=envs, get_session={"sessions": []})
    ide = told.form(await told.read_offer(ACCESS), "workspace", {}, PERSON).field("ide")
    return [choice.value for choice in ide.choices] if ide else [], True


async def posit_users(change: Change) -> tuple[list[str], bool]:
    users = {"result": two(USER, change)}
    about = await provider("posit", get_users=users, version={"version": {"major": "1"}}).read_overview()
    return [one.username for one in about.users], True


async def hub_workspaces(change: Change) -> tuple[list[str], bool]:
    servers = {"odd": change(dict(SERVER)), "good": SERVER}
    found = await provider("jupyterhub", users_alice={"servers": servers}).discover(ACCESS)
    return [one.remote_id.partition("/")[2] for one in found][1:], found.is_whole


async def hub_shares(change: Change) -> tuple[list[str], bool]:
    share = {"server": {"user": {"name": "good"}, "name": "lab", "ready": False}, "scopes": []}
    answers = {"users_alice": {"servers": {}}, "users_alice_shared": {"items": two(share, change)}}
    found = await provider("jupyterhub", **answers).discover(ACCESS)
    return [one.remote_id for one in found][1:], found.is_whole


async def sphere_projects(change: Change) -> tuple[list[str], bool]:
    offer = await provider("sphere", v1_projects={"items": two(PROJECT, change)}).read_offer(ACCESS)
    return [one.value for one in offer.projects], True


SATURN, BOTH = [B, A], ["odd", "good"]
RUNS = ["odd-pod", "good-pod", "good-past"]
#: Name, list, the change to its first entry, what is read, and whether the list counts as whole. The values
#: of fields in Workbench's objects are covered by the tests of its types.
ODD: list[tuple[str, Any, Change, list[str], bool]] = [
    ("saturn status null", saturn_workspaces, but(state__status=None), SATURN, True),
    ("saturn status number", saturn_workspaces, but(state__status=7), SATURN, True),
    ("saturn no type", saturn_workspaces, without("type"), SATURN, True),
    ("saturn type null", saturn_workspaces, but(type=None), SATURN, True),
    ("saturn name null", saturn_workspaces, but(spec__name=None), SATURN, True),
    ("saturn name number", saturn_workspaces, but(spec__name=5), SATURN, True),
    ("saturn no spec", saturn_workspaces, without("spec"), SATURN, True),
    ("saturn name too large", saturn_workspaces, but(spec__name=10**400), SATURN, True),
    ("saturn id invisible", saturn_workspaces, but(state__id="\u200b"), [A], False),
    ("saturn id number", saturn_workspaces, but(state__id=5), ["5", A], True),
    ("saturn id above", saturn_workspaces, lambda e: {**e, "id": B, "state": None}, SATURN, True),
    ("saturn id null", saturn_workspaces, but(state__id=None), [A], False),
    ("saturn no state", saturn_workspaces, without("state"), [A], False),
    ("saturn owner object", saturn_workspaces, but(spec__owner={"name": "acme/alice"}), SATURN, True),
    ("saturn owner nameless", saturn_workspaces, but(spec__owner={"id": A}), [A], False),
    ("saturn owner somebody else", saturn_workspaces, but(spec__owner={"name": "acme/bob"}), [A], True),
    ("saturn null", saturn_workspaces, instead(None), [A], False),
    ("saturn text", saturn_workspaces, instead("x"), [A], False),
    ("saturn job without name", saturn_templates, but(spec__name=None), SATURN, True),
    ("saturn job null", saturn_templates, instead(None), [A], True),
    ("saturn size null", saturn_sizes, instead(None), ["large", "small"], True),
    ("saturn size cores list", saturn_sizes, but(cores=[4]), ["large", "small"], True),
    ("saturn run without status", saturn_runs, without("status"), RUNS, True),
    ("saturn run status null", saturn_runs, but(status=None), RUNS, True),
    ("saturn run started seconds", saturn_runs, but(started_at=1767261600), RUNS, True),
    ("saturn run started no time", saturn_runs, but(started_at="soon"), RUNS, True),
    ("saturn run ended object", saturn_runs, but(completed_at={}), RUNS, True),
    ("saturn run null", saturn_runs, instead(None), RUNS[1:], False),
    ("saturn run no name", saturn_runs, without("name"), RUNS[1:], False),
    ("saturn group null", saturn_groups, instead(None), ["good"], True),
    ("saturn user number", saturn_users, instead(7), ["good@acme.io"], True),
    ("posit url number", posit_workspaces, but(url=7), BOTH, True),
    ("posit id number", posit_workspaces, but(id=17), ["17", "good"], True),
    ("posit id null", posit_workspaces, but(id=None), ["good"], False),
    ("posit null", posit_workspaces, instead(None), ["good"], False),
    ("posit run exit code", posit_runs, but(exitCode="boom"), BOTH, True),
    ("posit run id number", posit_runs, but(id=9), ["9", "good"], True),
    ("posit run null", posit_runs, instead(None), ["good"], False),
    ("posit cluster queue number", posit_environments, but(queues=[7]), BOTH, True),
    ("posit cluster null", posit_environments, instead(None), ["good"], True),
    ("posit cluster no name", posit_environments, without("name"), ["good"], True),
    ("posit ide null", posit_ides, instead(None), BOTH, True),
    ("posit user null", posit_users, instead(None), ["good"], True),
    ("hub ready null", hub_workspaces, but(ready=None), BOTH, True),
    ("hub pending number", hub_workspaces, but(pending=7), BOTH, True),
    ("hub url number", hub_workspaces, but(url=7, ready=True), BOTH, True),
    ("hub full url list", hub_workspaces, but(full_url=[], ready=True), BOTH, True),
    ("hub name object", hub_workspaces, but(display_name={}), BOTH, True),
    ("hub server null", hub_workspaces, instead(None), BOTH, True),
    ("hub server text", hub_workspaces, instead("x"), BOTH, True),
    ("hub share null", hub_shares, instead(None), ["good/lab"], False),
    ("hub share scopes number", hub_shares, but(scopes=7), ["odd/lab", "good/lab"], True),
    ("sphere project id number", sphere_projects, but(id=5), ["5", A], True),
    ("sphere project name null", sphere_projects, but(name=None), SATURN, True),
    ("sphere project null", sphere_projects, instead(None), [A], True),
]


@pytest.mark.parametrize(
    ("read", "change", "ids", "is_whole"), [row[1:] for row in ODD], ids=[r[0] for r in ODD]
)
async def test_one_odd_entry_hides_no_other(read, change, ids, is_whole):
    assert await read(change) == (ids, is_whole)


@pytest.mark.parametrize(
    "read",
    [
        saturn_workspaces,
        saturn_runs,
        posit_workspaces,
        posit_runs,
        posit_environments,
        posit_users,
        sphere_projects,
    ],
)
async def test_a_list_in_which_nothing_can_be_read_is_no_empty_list(read):
    with pytest.raises(errors.BadAnswer):
        await read(NOTHING)


@pytest.mark.parametrize("odd", [{}, {"list": None}, {"list": {}}])
def test_a_page_without_its_list_hides_no_other_page(odd):
    found = read_entries([{"list": [1]}, odd, {"list": [2]}], "list", lambda value: value)
    assert (list(found), found.is_whole) == ([1, 2], False)
    with pytest.raises(errors.BadAnswer):
        read_entries([{"list": []}, odd], "list", lambda value: value)


async def test_what_is_odd_keeps_its_last_state_and_is_logged_once():
    log_oddity.cache_clear()
    with structlog.testing.capture_logs() as logged:
        for _ in range(3):
            answer = {"recipes": two(RECIPE, but(state__status=None, spec__name=[]))}
            odd, good = await provider("saturn", recipes=answer).discover(ACCESS)
    assert (odd.name, odd.observed.state, good.observed.state) == ("", State.UNKNOWN, State.RUNNING)
    assert [line["problem"] for line in logged] == ["spec.name is not a text"]


async def test_a_run_that_may_be_what_cant_be_read_keeps_its_state():
    answer = {"sessions": [], "jobs": two(JOB, instead({"status": "Running"}))}
    seen = await provider("posit", get_session=answer).run_status(ACCESS, ["good", "other"])
    assert {one: run.state for one, run in seen.items()} == {
        "good": RunState.RUNNING,
        "other": RunState.UNKNOWN,
    }
    pods = {"pod_summaries": two(POD, instead(None))}
    told = provider("saturn", active_pods=pods, **{f"jobs_{A}_history": {"pods": []}})
    seen = await told.run_status(ACCESS, [f"{A}/good-pod", f"{A}/other"])
    assert [run.state for run in seen.values()] == [RunState.RUNNING, RunState.UNKNOWN]


@pytest.mark.parametrize(
    ("owner", "state"),
    [
        ({"name": "acme/alice"}, State.RUNNING),
        ("acme/alice", State.RUNNING),
        (None, State.RUNNING),
        ({"name": "acme/bob"}, State.GONE),
        ("acme/bob", State.GONE),
    ],
)
async def test_owner_may_be_a_name_or_an_object_with_one(owner, state):
    answers = {
        f"workspaces_{A}": {"id": A, "status": "running", "owner": owner},
        "user": {"username": "alice"},
    }
    (seen,) = (await provider("saturn", **answers).status(ACCESS, [A])).values()
    assert seen.state is state


@pytest.mark.parametrize("owner", [7, {"id": A}, {"name": None}, ["acme/bob"]], ids=repr)
async def test_what_has_an_owner_who_cant_be_read_is_nobodys(owner):
    """An administrator's token opens everybody's workspaces, so this one may be somebody else's."""
    answers = {f"workspaces_{A}": {"id": A, "status": "running", "owner": owner}}
    with pytest.raises(errors.BadAnswer, match="owner"):
        await provider("saturn", **answers).status(ACCESS, [A])


async def test_a_session_that_may_be_what_cant_be_read_is_not_gone():
    told = provider("posit", get_session={"sessions": two(SESSION, without("id"))})
    seen = await told.status(ACCESS, ["good", "other"])
    assert {one: found.state for one, found in seen.items()} == {
        "good": State.RUNNING,
        "other": State.UNKNOWN,
    }


@pytest.mark.parametrize(
    ("odd", "other"), [(without("server"), State.UNKNOWN), (but(), State.GONE)], ids=["partial", "whole"]
)
async def test_shared_server_is_gone_only_if_the_whole_list_lacks_it(odd, other):
    share = {"server": {"user": {"name": "good"}, "name": "lab", "ready": False}, "scopes": []}
    answers = {"users_alice": {"servers": {}}, "users_alice_shared": {"items": two(share, odd)}}
    seen = await provider("jupyterhub", **answers).status(ACCESS, ["good/lab", "bob/lab"])
    assert {one: found.state for one, found in seen.items()} == {"good/lab": State.STOPPED, "bob/lab": other}


@pytest.mark.parametrize(
    ("kind", "call", "answers"),
    [
        ("saturn", "find_created", {"recipes": {"recipes": two(RECIPE, instead(None))}}),
        ("saturn", "find_created", {"recipes": {"recipes": two(RECIPE, but(spec__name=None))}}),
        ("posit", "find_created", {"get_session": {"sessions": two(SESSION, instead(None))}}),
        ("posit", "find_run", {"get_session": {"sessions": [], "jobs": two(JOB, instead(None))}}),
    ],
)
async def test_what_was_made_may_be_what_cant_be_read(kind, call, answers):
    try:
        traces = await getattr(provider(kind, **answers), call)(ACCESS, Spec("new"), "key", 0.0)
    except errors.BadAnswer:
        assert kind == "saturn"
    else:
        assert (traces.match, traces.is_conclusive) == (None, False)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [({}, errors.BadAnswer), ({"error": "Sign in"}, errors.BadAnswer), ({"name": "alice"}, errors.Forbidden)],
    ids=["nothing", "somebody else's", "the hub's"],
)
async def test_hub_that_names_nobody_lacks_no_permission(answer, kind):
    """A server that answers without a name isn't the hub, so a token with more permissions wouldn't help."""
    with pytest.raises(kind) as raised:
        await provider("jupyterhub", users_alice=answer).discover(ACCESS)
    assert type(raised.value) is kind


async def test_a_group_whose_list_is_refused_hides_no_own_workspace():
    class OfAdmins(Answers):
        async def request(self, method: str, url: str, **options: Any) -> Response:
            if "owner_name" not in (options.get("query") or {}):
                return await super().request(method, url, **options)
            return Response(403, CIMultiDictProxy(CIMultiDict()), b'{"message": "Only its admins may"}')

    group = {"name": "acme/good", "identity_name": "good", "identity_type": "group"}
    http = OfAdmins(user_owners={"owners": [group]}, recipes={"recipes": [RECIPE]})
    found = await provider_of("saturn", http, BASES["saturn"]).discover(ACCESS)
    assert ([one.remote_id for one in found], found.is_whole) == ([A], True)
