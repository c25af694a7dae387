"""The local Posit Workbench: what may be launched where."""

import pytest

from playground.posit import build
from tests.playground.posit_help import Posit, launch_parameters


async def clusters(posit: Posit, token: str = "a1"):
    answer = await posit.result("get_compute_envs", token)
    return {cluster["name"]: cluster for cluster in answer["clusters"]}


async def test_clusters_of_three_kinds_and_their_traps(posit: Posit):
    found = await clusters(posit)
    assert set(found) == {"Local", "Kubernetes", "Slurm"}
    assert [found[name]["supportsContainers"] for name in ("Local", "Kubernetes", "Slurm")] == [
        False,
        True,
        False,
    ]
    assert found["Kubernetes"]["images"]
    assert found["Kubernetes"]["placementConstraints"][0] == {"name": "zone", "value": "west"}
    assert (found["Kubernetes"]["queues"], found["Slurm"]["queues"]) == ([], ["short", "long", "gpu"])
    offered = found["Kubernetes"]["workbenches"]
    assert offered["JupyterLab"]["supports_adhoc_jobs"] is False
    assert offered["Jupyter Notebook"]["supports_interactive_sessions"] is False
    workbenches = (await posit.result("get_compute_envs"))["workbenches"]
    assert workbenches["VS Code"]["lang"] == {"name": "code-server", "available": False}
    assert workbenches["RStudio"]["default_cluster"] not in found


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("both", {"name", "type", "valueType"}),
        ("type", {"type"}),
        ("valueType", {"name", "valueType"}),
    ],
)
async def test_limits_in_each_spelling(posit: Posit, kind, keys):
    await posit.control(limit_kind=kind)
    cpu = (await clusters(posit))["Kubernetes"]["resourceLimits"][0]
    assert set(cpu) == keys | {"value", "maxValue", "defaultValue"}
    assert {cpu[key] for key in keys} == {"cpuCount"}
    assert (cpu["maxValue"], cpu["defaultValue"]) == ("8", "1")
    of_bob = (await clusters(posit, "b1"))["Kubernetes"]["resourceLimits"][0]
    assert of_bob["maxValue"] == "2"
    for sent, understood in (
        ({"type": "cpuCount", "value": "4"}, kind != "valueType"),
        ({"name": "cpuCount", "value": "4", "valueType": "int"}, kind != "type"),
    ):
        limits = {"cluster": "Slurm", "resource_limits": [sent]}
        made = await posit.launch(launch_parameters=launch_parameters(**limits))
        (session,) = (await posit.result("get_session", session_id=made["id"]))["sessions"]
        values = [limit["value"] for limit in session["launch_parameters"]["resource_limits"]]
        assert values == (["4"] if understood else [])


async def test_profiles_as_names_or_objects(posit: Posit):
    assert (await clusters(posit))["Kubernetes"]["resourceProfiles"] == ["small", "large", "custom"]
    await posit.control(profiles="objects")
    assert (await clusters(posit))["Kubernetes"]["resourceProfiles"][0] == {
        "name": "small",
        "displayName": "Small",
    }


def limit(kind: str, value) -> list[dict]:
    return [{"name": kind, "type": kind, "value": value}]


IMAGE = "ghcr.io/acme/workbench:2024.12"
GOOD = {
    "cluster": "Kubernetes",
    "container_image": IMAGE,
    "default_image": IMAGE,
    "resource_limits": limit("memory", "2048") + limit("cpuCount", "0.5"),
    "placement_constraints": [{"name": "zone", "value": "east"}],
    "resource_profile": "large",
    "aws_role_arn": "arn:aws:iam::1:role/x",
    "databricks_instance": "x",
    "snowflake_account": "y",
    "snowflake_role": "z",
}


async def test_everything_that_a_cluster_has_may_be_asked_for(posit: Posit):
    made = await posit.launch(launch_parameters=launch_parameters(**GOOD))
    (session,) = (await posit.result("get_session", session_id=made["id"]))["sessions"]
    understood = session["launch_parameters"]
    assert {key: understood[key] for key in GOOD if key != "resource_limits"} == {
        key: value for key, value in GOOD.items() if key != "resource_limits"
    }
    assert [entry["value"] for entry in understood["resource_limits"]] == ["2048", "0.5"]
    assert understood["container_images"] == [IMAGE]
    slurm = launch_parameters(cluster="Slurm", queues=["long"])
    await posit.launch(launch_parameters=slurm)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"cluster": "Localhost"}, 10),
        ({"cluster": ""}, 10),
        ({"cluster": 1}, 9),
        ({"container_image": IMAGE}, 10),
        ({"cluster": "Kubernetes", "container_image": "evil/image"}, 10),
        ({"queues": ["long"]}, 10),
        ({"cluster": "Slurm", "queues": "long"}, 9),
        ({"cluster": "Kubernetes", "placement_constraints": [{"name": "zone", "value": "north"}]}, 10),
        ({"cluster": "Kubernetes", "placement_constraints": [{"name": "zone"}]}, 8),
        ({"cluster": "Kubernetes", "resource_profile": "huge"}, 10),
        ({"cluster": "Kubernetes", "resource_limits": limit("cpuCount", "9")}, 10),
        ({"cluster": "Kubernetes", "resource_limits": limit("cpuCount", "many")}, 10),
        ({"cluster": "Kubernetes", "resource_limits": limit("cpuCount", "nan")}, 10),
        ({"cluster": "Kubernetes", "resource_limits": limit("cpuCount", "-1")}, 10),
        ({"cluster": "Kubernetes", "resource_limits": limit("cpuCount", 2)}, 9),
        ({"cluster": "Kubernetes", "resource_limits": [{"type": "cpuCount"}]}, 8),
        ({"cluster": "Kubernetes", "resource_limits": limit("gpuCount", "1")}, 10),
        ({"resource_limits": limit("cpuCount", "1")}, 10),
        ({"snowflake_role": 1}, 9),
    ],
)
async def test_what_a_cluster_does_not_have_is_refused(posit: Posit, changes, code):
    told = {"workbench": "RStudio", "launch_parameters": launch_parameters(**changes)}
    assert await posit.code("launch_session", **told) == code
    assert len((await posit.result("get_session"))["sessions"]) == 3


async def test_a_person_may_have_limits_of_their_own(posit: Posit):
    asked = launch_parameters(cluster="Kubernetes", resource_limits=limit("cpuCount", "4"))
    told = {"workbench": "RStudio", "launch_parameters": asked}
    assert await posit.code("launch_session", "b1", **told) == 10
    await posit.launch("su", username="alice", launch_parameters=asked)
    assert await posit.code("launch_session", "su", username="bob", **told) == 10


@pytest.mark.parametrize(
    ("workbench", "cluster", "code"),
    [
        ("VS Code", "Local", 10),
        ("Emacs", "Local", 10),
        ("Jupyter Notebook", "Kubernetes", 10),
        (1, "Local", 9),
    ],
)
async def test_an_ide_that_is_not_offered_is_refused(posit: Posit, workbench, cluster, code):
    told = {"workbench": workbench, "launch_parameters": launch_parameters(cluster=cluster)}
    assert await posit.code("launch_session", **told) == code


async def test_launch_parameters_are_needed_where_the_launcher_launches(posit: Posit):
    assert await posit.code("launch_session", workbench="RStudio") == 17
    for name in ("name", "cluster", "placement_constraints", "resource_limits", "queues"):
        told = {key: value for key, value in launch_parameters().items() if key != name}
        assert await posit.code("launch_session", workbench="RStudio", launch_parameters=told) == 17
    assert len(await posit.rules_broken()) == 6
    assert await posit.code("launch_session", launch_parameters=launch_parameters()) == 8
    await posit.control(launcher_sessions=False)
    await posit.result("launch_session", workbench="RStudio")


async def test_environments_change_while_the_server_runs(posit: Posit):
    await posit.control("compute_envs", clusters=[{"name": "New"}], workbenches={})
    answer = await posit.result("get_compute_envs")
    assert [cluster["name"] for cluster in answer["clusters"]] == ["New"]
    assert answer["workbenches"] == {}


def test_the_default_seed():
    credentials = build().credentials
    assert set(credentials["users"]) == {"alice", "bob", "carol", "dora", "erik", "admin"}
    assert credentials["admin_token"] == credentials["tokens"]["admin"]
    assert credentials["super_admin_token"] == credentials["tokens"]["super_admin"]
    assert build().credentials["super_admin_token"] != credentials["super_admin_token"]
