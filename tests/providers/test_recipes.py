"""Tests of recipe files: they are read with the settings, and problems name file, line and field."""

import json
from typing import Any

import pytest

from bot.support.settings import SettingsError
from tests.rigs.connections import load_connections

TABLE = """
[connections.saturn]
provider = "saturn"
base_url = "https://app.acme.example"
"""
ONE = '\n[[connections.saturn.templates]]\nname = "course"\nfile = "recipes/course.json"\n'
GOOD = {"type": "workspace", "spec": {"name": "x", "instance_type": "large"}, "state": {"id": "1"}}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "recipes").mkdir()

    def write(recipe, table=TABLE + ONE, mode=0o644):
        text = recipe if isinstance(recipe, str) else json.dumps(recipe, indent=1)
        (tmp_path / "recipes/course.json").write_text(text)
        (tmp_path / "recipes/course.json").chmod(mode)
        path = tmp_path / "connections.toml"
        path.write_text(table)
        path.chmod(0o644)
        return path

    return write


def problems(path):
    with pytest.raises(SettingsError) as caught:
        load_connections(path)
    return caught.value.problems


def test_a_recipe_is_found_beside_the_connections_file(folder, monkeypatch, tmp_path):
    monkeypatch.chdir("/")
    settings: Any = load_connections(folder(GOOD))["saturn"]
    (recipe,) = settings.templates
    assert (recipe.label, recipe.size) == ("course", "large")
    filled = recipe.to_request("mine", "acme/alice", "medium")
    assert filled == {
        "type": "workspace",
        "spec": {"name": "mine", "owner": "acme/alice", "instance_type": "medium"},
    }
    assert recipe.to_request("mine", "", "")["spec"] == {"name": "mine", "instance_type": "large"}


@pytest.mark.parametrize(
    ("recipe", "says"),
    [
        ('{\n "type": "workspace",\n "spec": {,}\n}', "course.json isn't valid JSON (line 3, column 11)"),
        ("[" * 100_000, "course.json is nested too deeply"),
        ("[]", "course.json: recipe: needs to be an object"),
        ({"type": "job", "spec": {}}, 'course.json: type (line 2): needs to be "workspace"'),
        ({"type": "workspace"}, "course.json: spec: needs to be an object"),
        (
            {"type": "workspace", "spec": {"instance_type": 7}},
            "course.json: spec.instance_type (line 4): needs to be a text",
        ),
        (
            {"type": "workspace", "spec": {"name": "a", "git_repositories": "x"}},
            "course.json: spec.git_repositories (line 5): needs to be a list",
        ),
    ],
)
def test_a_broken_recipe_is_named_with_its_line_and_field(folder, recipe, says):
    (found,) = problems(folder(recipe))
    assert found.startswith("connections.saturn.templates.0.file: ")
    assert says in found


def test_a_recipe_that_others_can_write_or_that_is_missing_is_refused(folder, tmp_path):
    (found,) = problems(folder(GOOD, mode=0o666))
    assert "others on this machine can write course.json" in found
    path = folder(GOOD)
    recipe = tmp_path / "recipes/course.json"
    recipe.unlink()
    assert problems(path) == [f"connections.saturn.templates.0.file: there is no file {recipe}"]


@pytest.mark.parametrize(
    ("table", "place"),
    [
        (TABLE + ONE + ONE, "templates: two templates"),
        (TABLE + ONE.replace('"course"', '"Bad Name"'), "templates.0.name"),
        (TABLE + ONE + 'extra = "1"\n', "templates.0.extra"),
        (TABLE + '\n[[connections.saturn.templates]]\nname = "a"\n', "templates.0.file: is not set"),
        (TABLE + '\n[[connections.saturn.templates]]\nname = "a"\nfile = 7\n', "templates.0.file"),
    ],
)
def test_what_is_wrong_about_a_recipe_is_named(folder, table, place):
    (found,) = problems(folder(GOOD, table))
    assert f"connections.saturn.{place}" in found
