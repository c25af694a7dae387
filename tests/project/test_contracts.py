"""Tests that changes between two stored API documents are reported."""

import copy
import json
import re

import pytest
import yaml

from tests.project.repository import ROOT
from tools import contracts

SCHEMAS = ROOT / "tests/project/schemas"


@pytest.fixture
def changed(tmp_path):
    """Return a function that changes the hub's document and returns the report and the exit status."""

    def run(change, capsys):
        content = copy.deepcopy(contracts.read("jupyterhub-rest-api.6.1.1.yml"))
        change(content)
        new = tmp_path / "new.yml"
        new.write_text(yaml.safe_dump(content))
        status = contracts.main(["jupyterhub", "jupyterhub-rest-api.6.1.1.yml", str(new)])
        return status, capsys.readouterr().out.splitlines()

    return run


def test_a_document_that_is_the_same_has_no_changes(changed, capsys):
    assert changed(lambda content: content["info"].update(version="7.0"), capsys) == (
        0,
        ["jupyterhub: nothing changed"],
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            lambda content: content["paths"].pop("/users/{name}/tokens/{token_id}"),
            "  - DELETE /users/{name}/tokens/{token_id}",
        ),
        (
            lambda content: content["paths"]["/user"]["get"].update(
                parameters=[{"in": "query", "name": "scope", "required": True, "schema": {"type": "string"}}]
            ),
            "  + GET /user: query scope: required",
        ),
        (
            lambda content: content["components"]["schemas"]["User"]["properties"].pop("servers"),
            "  - GET /users/{name}: answer 200.servers: optional",
        ),
        (
            lambda content: content["components"]["schemas"]["User"]["properties"]["name"].update(
                type="integer"
            ),
            "  + GET /user: answer 200.name: type integer",
        ),
    ],
)
def test_what_changed_is_said(changed, capsys, change, says):
    status, lines = changed(change, capsys)
    assert status == 1
    assert says in lines


def test_what_the_code_does_not_use_may_change(changed, capsys):
    assert changed(lambda content: content["paths"].pop("/shutdown"), capsys)[0] == 0


def test_a_schema_is_compared_as_a_whole(tmp_path):
    name = "slack-app-manifest.2.0.0.json"
    content = json.loads((SCHEMAS / name).read_text())
    content["properties"]["display_information"] = {"type": "string"}
    assert contracts.changes(contracts.read(name), contracts.read(name)) == []
    said = contracts.changes(contracts.read(name), content)
    assert "+ .display_information: type string" in said


def test_what_can_not_be_read_is_said(capsys):
    assert contracts.main(["slack", "slack-app-manifest.2.0.0.json", "nothing.json"]) == 2
    assert "slack: can't be read" in capsys.readouterr().out


def test_every_operation_that_is_listed_is_in_the_document_that_is_kept():
    one = contracts.contracts()["jupyterhub"]
    facts = contracts.facts(contracts.read(one["used"]), one["operations"])
    assert set(one["operations"]) <= facts


def test_the_newest_are_compared_every_week():
    workflow = yaml.safe_load((ROOT / ".github/workflows/contracts.yml").read_text())
    ((schedule,),) = (one.values() for one in workflow[True]["schedule"])
    assert schedule.split()[2:] == ["*", "*", "1"]
    assert [step["run"] for step in workflow["jobs"]["compare"]["steps"] if "run" in step] == [
        "make contracts"
    ]
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(r"^contracts: .*\n\t\$\(RUN\) tools\.contracts$", makefile, re.MULTILINE)


def test_limits_are_compared_by_name_however_they_are_nested(tmp_path, capsys):
    old = contracts.read(contracts.contracts()["block-kit"]["used"])["limits"]
    nested = {}
    for name, limit in old.items():
        *parts, last = name.split(".")
        place = nested
        for part in parts:
            place = place.setdefault(part, {})
        place[last] = limit
    new = tmp_path / "limits.json"
    new.write_text(json.dumps(nested))
    words = ["block-kit", contracts.contracts()["block-kit"]["used"], str(new)]
    assert (contracts.main(words), capsys.readouterr().out) == (0, "block-kit: nothing changed\n")
    nested["alert"]["text"]["max_length"] += 1
    new.write_text(json.dumps(nested))
    assert contracts.main(words) == 1
    assert capsys.readouterr().out.splitlines()[1:] == [
        f"  - alert.text.max_length: {old['alert.text.max_length']}",
        f"  + alert.text.max_length: {old['alert.text.max_length'] + 1}",
    ]
