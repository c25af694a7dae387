"""The local Saturn Cloud: recipes and jobs, as its documents describe them."""

import pytest

from playground.saturn import build
from tests.playground.saturn_help import Saturn


async def pages(saturn: Saturn, query: str, token: str = "a1") -> list[list[dict]]:
    found, key = [], ""
    while key is not None:
        status, answer = await saturn.call("GET", f"/api/recipes?{query}{key}", token=token)
        assert status == 200
        found.append(answer["recipes"])
        key = answer["next_key"] and f"&next_key={answer['next_key']}"
    return found


async def test_lists_come_in_pages_and_hold_the_own_resources_only(saturn: Saturn):
    found = await pages(saturn, "type=workspace")
    assert [len(page) for page in found] == [3, 1]
    recipes = [recipe for page in found for recipe in page]
    assert {recipe["spec"]["owner"] for recipe in recipes} == {"acme/alice"}
    by_name = {recipe["spec"]["name"]: recipe["state"] for recipe in recipes}
    assert by_name["notes"] == {"id": saturn.ids["notes"], "status": "running"}
    assert {recipe["type"] for page in await pages(saturn, "") for recipe in page} == {"workspace", "job"}


async def test_lists_are_narrowed_by_prefix_owner_and_form(saturn: Saturn):
    names = [one["spec"]["name"] for page in await pages(saturn, "type=workspace&name=not") for one in page]
    assert names == ["notebook", "notes"]
    (only,) = (await pages(saturn, "type=workspace&owner_name=acme/bob", token="adm"))[0]
    assert only["spec"]["owner"] == "acme/bob"
    (template, *_) = (await pages(saturn, "type=workspace&as_template=True"))[0]
    assert set(template) == {"type", "spec"}
    assert "owner" not in template["spec"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("owner_name=acme/bob", 403),
        ("owner_name=other/alice", 404),
        ("type=toaster", 400),
        ("next_key=zz", 400),
    ],
)
async def test_lists_refuse_what_makes_no_sense(saturn: Saturn, query, status):
    got, answer = await saturn.call("GET", f"/api/recipes?{query}")
    assert got == status
    assert answer["message"]


async def test_one_recipe_by_its_name(saturn: Saturn):
    status, answer = await saturn.call("GET", "/api/recipes/workspace/notebook")
    assert (status, answer["state"]["id"]) == (200, saturn.ids["notebook"])
    assert (await saturn.call("GET", "/api/recipes/job/notebook"))[0] == 404


async def test_cloning_twice_makes_two(saturn: Saturn):
    recipe = {"type": "workspace", "spec": {"name": "made", "instance_type": "large"}, "state": {}}
    ids = set()
    for _ in range(2):
        status, answer = await saturn.call("POST", "/api/resource_recipes/clone", json=recipe)
        assert status == 200
        ids.add(answer["id"])
    assert len(ids) == 2
    assert await saturn.status(ids.pop()) == "stopped"
    listed = [one["spec"]["name"] for page in await pages(saturn, "name=made") for one in page]
    assert listed == ["made", "made"]


@pytest.mark.parametrize(
    ("recipe", "status"),
    [
        ([], 400),
        ({"type": "toaster", "spec": {"name": "x"}}, 400),
        ({"type": "workspace"}, 400),
        ({"type": "workspace", "spec": {"name": " "}}, 400),
        ({"type": "workspace", "spec": {"name": "x", "instance_type": "huge"}}, 400),
        ({"type": "workspace", "spec": {"name": "x", "disk_space": 10}}, 400),
        ({"type": "workspace", "spec": {"name": "x", "git_repositories": "a"}}, 400),
        ({"type": "workspace", "spec": {"name": "x", "owner": "acme/bob"}}, 403),
        ({"type": "workspace", "spec": {"name": "x", "owner": "acme/alice"}}, 200),
        ({"type": "job", "spec": {"name": "x", "command": "true"}}, 200),
    ],
)
async def test_recipes_are_checked(saturn: Saturn, recipe, status):
    assert (await saturn.call("POST", "/api/resource_recipes/clone", json=recipe))[0] == status


async def test_choices_for_forms(saturn: Saturn):
    _, servers = await saturn.call("GET", "/api/info/servers")
    assert servers["sizes"]["medium"]["name"] == "medium"
    assert servers["disk_space"]
    assert servers["auto_shutoff"]
    _, templates = await saturn.call("GET", "/api/resource_templates?q=rstud")
    assert [one["name"] for one in templates["templates"]] == ["rstudio"]
    assert (await saturn.call("GET", "/api/status", token=None))[1]["version"]


async def test_a_run_of_a_job_from_start_to_history(saturn: Saturn):
    report = saturn.ids["report"]
    assert await saturn.call("POST", f"/api/jobs/{report}/start") == (200, {})
    active = f"/api/active/pods?workload_type=job&workload_id={report}"
    (pod,) = (await saturn.call("GET", active))[1]["pod_summaries"]
    assert (pod["status"], pod["started_at"], bool(pod["labels"]["job-name"])) == ("pending", None, True)
    await saturn.advance(5)
    (pod,) = (await saturn.call("GET", active))[1]["pod_summaries"]
    assert pod["status"] == "running"
    _, logs = await saturn.call("GET", f"/api/active/pods/{pod['name']}/logs?page_size=1&container_name=main")
    assert "python report.py" in logs["logs"]
    assert (await saturn.call("GET", f"/api/jobs/{report}/history"))[1] == {"pods": []}
    await saturn.advance(5)
    _, whole = await saturn.call("GET", f"/api/active/pods/{pod['name']}")
    assert whole["labels"]["saturncloud.io/resource-id"] == report
    assert whole["container_summaries"][0]["exit_code"] == 0
    (past,) = (await saturn.call("GET", f"/api/jobs/{report}/history"))[1]["pods"]
    assert (past["pod_name"], past["status"]) == (pod["name"], "completed")
    assert past["start_time"] < past["end_time"]
    await saturn.advance(61)
    assert (await saturn.call("GET", active))[1] == {"pod_summaries": []}
    assert (await saturn.call("GET", f"/api/active/pods/{pod['name']}"))[0] == 404
    _, logs = await saturn.call("GET", f"/api/jobs/{report}/logs?pod_name={pod['name']}")
    assert "completed" in logs["logs"][-1]["content"]


@pytest.mark.parametrize(("name", "exit_code", "status"), [("import", 3, "stopped"), ("unlucky", 1, "error")])
async def test_runs_that_fail(saturn: Saturn, name, exit_code, status):
    await saturn.call("POST", f"/api/jobs/{saturn.ids[name]}/start")
    await saturn.advance(20)
    query = f"workload_type=job&workload_id={saturn.ids[name]}"
    (pod,) = (await saturn.call("GET", f"/api/active/pods?{query}"))[1]["pod_summaries"]
    assert pod["status"] == "error"
    _, whole = await saturn.call("GET", f"/api/active/pods/{pod['name']}")
    assert whole["container_summaries"][0]["exit_code"] == exit_code
    assert (await saturn.call("GET", f"/api/recipes/job/{name}"))[1]["state"]["status"] == status


async def test_stop_and_restart_of_a_job(saturn: Saturn):
    path = f"/api/jobs/{saturn.ids['report']}"
    await saturn.call("POST", f"{path}/start")
    await saturn.call("POST", f"{path}/start")
    assert (await saturn.call("POST", f"{path}/restart"))[0] == 200
    assert (await saturn.call("POST", f"{path}/stop"))[0] == 204
    await saturn.advance(2)
    _, history = await saturn.call("GET", f"{path}/history")
    assert [pod["status"] for pod in history["pods"]] == ["stopped"] * 3


async def test_a_schedule_fires_while_it_is_on(saturn: Saturn):
    path = f"/api/jobs/{saturn.ids['report']}"
    assert (await saturn.call("POST", f"{path}/schedule"))[0] == 400
    bad = {"cron_schedule_options": {"schedule": "every day"}}
    assert (await saturn.call("PATCH", path, json=bad))[0] == 400
    good = {"cron_schedule_options": {"schedule": "0 * * * *"}}
    assert (await saturn.call("PATCH", path, json=good))[0] == 200
    assert (await saturn.call("POST", f"{path}/schedule"))[0] == 200
    await saturn.advance(3 * 3600)
    assert len((await saturn.call("GET", f"{path}/history"))[1]["pods"]) == 3
    assert (await saturn.call("POST", f"{path}/unschedule"))[0] == 200
    await saturn.advance(3 * 3600)
    assert len((await saturn.call("GET", f"{path}/history"))[1]["pods"]) == 3


async def test_another_persons_job_and_pods_are_404(saturn: Saturn):
    report = saturn.ids["report"]
    await saturn.call("POST", f"/api/jobs/{report}/start")
    (pod,) = (await saturn.call("GET", f"/api/active/pods?workload_type=job&workload_id={report}"))[1][
        "pod_summaries"
    ]
    for method, path in (
        ("POST", f"/api/jobs/{report}/start"),
        ("GET", f"/api/active/pods?workload_type=job&workload_id={report}"),
        ("GET", f"/api/active/pods/{pod['name']}"),
        ("GET", f"/api/active/pods/{pod['name']}/logs"),
    ):
        assert (await saturn.call(method, path, token="b1"))[0] == 404, path


def test_the_default_seed():
    credentials = build().credentials
    assert set(credentials["users"]) == {"alice", "bob", "carol", "admin"}
    assert credentials["admin_token"] == credentials["users"]["admin"]["token"]
