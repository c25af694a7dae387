"""The issue forms are what GitHub understands, and the commands that they name exist."""

import re
import shlex

import pytest
import yaml

from bot.__main__ import _build_parser
from bot.providers import list_provider_classes
from tests.project.repository import ROOT

FORMS = sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml"))
#: The attributes that each element may have, and those that it must (GitHub's "syntax for issue forms").
ELEMENTS = {
    "markdown": ({"value"}, {"value"}),
    "input": ({"label", "description", "placeholder", "value"}, {"label"}),
    "textarea": ({"label", "description", "placeholder", "value", "render"}, {"label"}),
    "dropdown": ({"label", "description", "multiple", "options", "default"}, {"label", "options"}),
}


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_issue_form_has_known_elements(path):
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert form.keys() == {"name", "description", "body"}
    for element in form["body"]:
        allowed, needed = ELEMENTS[element["type"]]
        assert needed <= element["attributes"].keys() <= allowed
        assert element.keys() <= {"type", "id", "attributes", "validations"}
    ids = [element["id"] for element in form["body"] if element["type"] != "markdown"]
    assert len(ids) == len(set(ids)) > 0
    assert any(element.get("validations") == {"required": True} for element in form["body"])


def test_issue_form_lists_every_provider():
    form = yaml.safe_load((ROOT / ".github/ISSUE_TEMPLATE/problem.yml").read_text(encoding="utf-8"))
    (options,) = (one["attributes"]["options"] for one in form["body"] if one["type"] == "dropdown")
    assert {one.title for one in list_provider_classes().values()} <= set(options)


def test_issue_forms_name_commands_that_exist():
    text = "".join(path.read_text(encoding="utf-8") for path in FORMS)
    commands = re.findall(r"`usher(?:-run)? ([^`]+)`", text)
    assert "doctor" in commands
    for words in set(commands) - {"--version"}:
        assert _build_parser().parse_args(shlex.split(words))
