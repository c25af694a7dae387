"""Tests of reading compute environments: what a server offers."""

import pytest

from bot.providers.posit import offers, types
from bot.providers.posit.types import ComputeEnvs
from bot.support.errors import BadAnswer
from tests.providers.posit.answers import ANSWER

ENVS = ComputeEnvs.from_json(ANSWER)
LOCAL, KUBERNETES = ENVS.clusters


def test_only_what_is_installed_and_runs_somewhere_is_offered():
    assert offers.list_ides(ENVS) == ["RStudio", "JupyterLab", "Positron"]
    assert offers.list_session_clusters(ENVS, "RStudio") == [LOCAL]
    assert offers.list_session_clusters(ENVS, "JupyterLab") == [LOCAL, KUBERNETES]
    nowhere = ComputeEnvs.from_json({**ANSWER, "clusters": ANSWER["clusters"][1:]})
    assert offers.list_ides(nowhere) == ["JupyterLab", "Positron"]


def test_jobs_run_where_some_ide_may_run_them():
    assert offers.list_job_clusters(ENVS) == [LOCAL]
    bare = ComputeEnvs.from_json({"clusters": [{"name": "Slurm"}], "workbenches": {}})
    assert [cluster.name for cluster in offers.list_job_clusters(bare)] == ["Slurm"]


def test_a_default_that_is_not_listed_is_the_first_that_is():
    assert offers.find_default_cluster(ENVS, "RStudio") == LOCAL
    assert offers.find_default_cluster(ENVS, "JupyterLab") == KUBERNETES
    assert offers.find_default_cluster(ComputeEnvs(clusters=(), workbenches={}), "RStudio") is None


def test_images_are_offered_where_there_are_containers():
    assert offers.list_images(LOCAL) == ()
    assert offers.list_images(KUBERNETES) == ("r:4", "r:5")
    assert offers.find_default_image(ENVS, KUBERNETES, "RStudio") == "r:4"
    assert offers.find_default_image(ENVS, KUBERNETES, "JupyterLab") == "r:5"
    assert offers.find_default_image(ENVS, LOCAL, "JupyterLab") == ""


def test_limits_are_read_in_either_spelling():
    limits = {limit.name: limit for limit in KUBERNETES.resource_limits}
    cpus, memory = limits["cpuCount"], limits["memory"]
    assert (cpus.maximum, cpus.default) == (8.0, "2")
    assert (memory.maximum, memory.default, memory.value_type) == (4096.0, "512", "int")
    assert [profile.name for profile in KUBERNETES.resource_profiles] == ["small", "custom"]


@pytest.mark.parametrize(
    ("text", "number"),
    [("2", 2.0), ("0.5", 0.5), ("0", 0.0), ("-1", -1.0), ("nan", None), ("inf", None), ("two", None)],
)
def test_a_limit_is_a_finite_number(text, number):
    assert types.parse_number(text) == number


@pytest.mark.parametrize("name", ["clusters", "workbenches"])
def test_what_is_required_and_missing_is_named(name):
    with pytest.raises(BadAnswer, match=name):
        ComputeEnvs.from_json({key: value for key, value in ANSWER.items() if key != name})
