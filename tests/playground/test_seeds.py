"""Tests that the local servers' seeds are checked, and that the commands print how to reach a server."""

import asyncio
import json
from types import SimpleNamespace

import pytest

from playground import posit, saturn, sphere
from playground.jupyterhub import options
from playground.posit import seed as posit_seed
from playground.saturn import seed as saturn_seed
from playground.sphere import seed as sphere_seed
from playground.values import SeedError

SEEDS = {"hub": options, "posit": posit_seed, "saturn": saturn_seed, "sphere": sphere_seed}
WRONG = {
    "hub": [[], {"colour": 1}, {"users": [{}]}, {"users": ["a"]}, {"users": [{"name": "a", "age": 1}]}],
    "posit": [
        [],
        {"colour": 1},
        {"users": [{}]},
        {"users": ["a"]},
        {"users": [{"name": "a", "age": 3}]},
        {"tokens": [{"name": "t", "kind": "admin", "user": "x"}]},
        {"users": [{"name": "a"}], "tokens": [{"name": "t", "kind": "odd", "user": "a"}]},
        {"sessions": [{"owner": "x", "name": "y"}]},
        {"users": [{"name": "a"}], "sessions": [{"owner": "a", "name": "y", "state": "odd"}]},
        {"users": [{"name": "a"}], "jobs": [{"owner": "a", "name": "y", "cluster": "odd"}]},
        {"scripts": [{"lines": 3}]},
        {"scripts": [{"match": "("}]},
        {"scripts": [{"match": "a", "colour": 1}]},
        {"scripts": [{"match": "a", "lines": "many"}]},
        {"clusters": [{}]},
        {"settings": {"colour": 1}},
    ],
    "saturn": [
        [],
        {"colour": 1},
        {"users": [{}]},
        {"dialect": "latin"},
        {"users": [{"name": "a", "age": 3}]},
        {"users": ["a"]},
        {"workspaces": [{"owner": "x", "name": "y"}]},
        {"users": [{"name": "a"}], "jobs": [{"owner": "a", "name": "y", "status": "odd"}]},
    ],
    "sphere": [
        [],
        {"colour": 1},
        {"page_size": 0},
        {"projects": [{}]},
        {"projects": ["a"]},
        {"projects": [{"name": "a", "colour": 1}]},
        {"projects": [{"name": "a"}, {"name": "a"}]},
        {"workspaces": [{"project": "a"}]},
        {"projects": [{"name": "a"}], "workspaces": [{"project": "a", "state": "odd"}]},
    ],
}


@pytest.mark.parametrize(("server", "told"), [(server, told) for server in SEEDS for told in WRONG[server]])
def test_seeds_are_checked(server, told):
    with pytest.raises(SeedError):
        SEEDS[server].parse(told)


@pytest.mark.parametrize("server", SEEDS)
def test_a_broken_file_is_named(server, tmp_path):
    (tmp_path / "seed.json").write_text("{")
    with pytest.raises(SeedError, match=r"seed\.json"):
        SEEDS[server].load(tmp_path / "seed.json")


@pytest.mark.parametrize(
    ("server", "options"),
    [
        (posit, {"dialect": "live"}),
        (saturn, {"seeds_only": True, "admin_only": False, "dialect": None}),
        (saturn, {"seeds_only": False, "admin_only": False, "dialect": "2026"}),
        (sphere, {"webhook_url": None, "webhook_secret": "shh"}),
    ],
)
async def test_the_command_prints_one_ready_line_and_ends_when_cancelled(server, options, capsys):
    task = asyncio.create_task(server.run(SimpleNamespace(port=0, seed=None, **options)))
    line = ""
    while not line:
        await asyncio.sleep(0)
        line = capsys.readouterr().out
    ready = json.loads(line)
    assert ready["ready"] is True
    given = ready["credentials"]
    assert given["webhook_secret"] == "shh" if server is sphere else given["users"]["alice"]["token"]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
