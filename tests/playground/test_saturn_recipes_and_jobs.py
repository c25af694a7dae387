"""Tests of recipes and jobs on the local Saturn Cloud, as its documentation describes them."""

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


def test_the_default_seed():
    credentials = build().credentials
    assert set(credentials["users"]) == {"alice", "bob", "carol", "admin"}
    assert credentials["admin_token"] == credentials["users"]["admin"]["token"]
