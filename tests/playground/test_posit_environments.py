"""Tests of the local Posit Workbench's environments: what may be launched in which."""

import pytest

from playground.posit import build
from tests.playground.posit_help import Posit, launch_parameters


def limit(kind: str, value) -> list[dict]:
    return [{"name": kind, "type": kind, "value": value}]


IMAGE = "ghcr.io/acme/workbench:2024.12"


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
        ({"cluster": "Kubernetes", "resource_limits": limit("tpuCount", "1")}, 10),
        ({"cluster": "Kubernetes", "placement_constraints": [{"name": "node", "value": " "}]}, 10),
        ({"cluster": "Slurm", "resource_limits": limit("gpuCount", "1")}, 10),
        ({"cluster": "Slurm", "resource_limits": [{**limit("gpuCount", "0")[0], "valueType": "x"}]}, 10),
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
    assert (await posit.result("get_compute_envs"))["clusters"] == []
    assert len(await posit.rules_broken()) == 7
    await posit.result("launch_session", workbench="RStudio", launch_parameters=launch_parameters())
    assert len(await posit.rules_broken()) == 8


async def test_zeros_and_free_places_are_taken(posit: Posit):
    limits = [*limit("NVIDIA GPUs", "0"), *limit("cpuCount", "0")]
    places = [{"name": "node", "value": "gpu-7"}]
    asked = launch_parameters(cluster="Kubernetes", resource_limits=limits, placement_constraints=places)
    await posit.result("launch_session", workbench="RStudio", launch_parameters=asked)
    assert await posit.rules_broken() == []


def test_the_default_seed():
    credentials = build().credentials
    assert set(credentials["users"]) == {"alice", "bob", "carol", "dora", "erik", "admin"}
    assert credentials["admin_token"] == credentials["tokens"]["admin"]
    assert credentials["super_admin_token"] == credentials["tokens"]["super_admin"]
    assert build().credentials["super_admin_token"] != credentials["super_admin_token"]
