"""Tests that people never read a traceback, or an internal name that they didn't type."""

import ast
import importlib

import pytest

from bot.messages.texts.problems import explain_cause
from bot.services.checks import explain_failure
from bot.support import errors
from tests.messages.texts import MODULES, every_text
from tests.project.repository import ROOT
from tests.rigs.internal_names import classes, internal_names

#: Every message as people see it.
GOLDEN = sorted((ROOT / "tests" / "golden").glob("*.txt"))
PAGES = sorted(one for one in (ROOT / "bot" / "web").glob("*/*") if one.suffix in {".html", ".js"})
SENTENCES = sorted((ROOT / "bot" / "providers").rglob("*.py"))


@pytest.mark.parametrize("name", MODULES)
def test_no_text(name):
    found = {
        place: internal_names(text, keys=True) for place, text in every_text(importlib.import_module(name))
    }
    assert {place: names for place, names in found.items() if names} == {}


@pytest.mark.parametrize("path", GOLDEN + PAGES, ids=lambda path: path.name)
def test_no_message_and_no_page(path):
    assert internal_names(path.read_text(encoding="utf-8"), keys=True) == []


@pytest.mark.parametrize("path", SENTENCES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_sentence_that_a_provider_of_ours_says(path):
    """The text with which an error is raised may be shown unchanged."""
    kinds = {one.__name__ for one in classes(errors.ProviderError)}
    said = [
        part.value
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and getattr(call.func, "attr", getattr(call.func, "id", "")) in kinds
        for part in ast.walk(call)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    ]
    assert [names for one in said if (names := internal_names(one, keys=True))] == []


def all_errors():
    for one in classes():
        for given in (("no connection",), (), ("auth.test", "fatal_error"), ("auth.test", 3.0)):
            try:
                yield one(*given)
            except TypeError:
                continue


@pytest.mark.parametrize("error", list(all_errors()), ids=lambda error: f"{type(error).__name__}{error.args}")
def test_no_error_is_said_by_its_class(error):
    assert internal_names(explain_cause(error, "Saturn Cloud"), keys=True) == []
    if isinstance(error, errors.ProviderError):
        said = explain_failure(error)
        assert internal_names(said, keys=True) == []
        assert type(error).__name__ not in said
