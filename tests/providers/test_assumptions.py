"""Facts about providers: the pages and the code list the same facts, and a trial reports what it observed."""

import re
from importlib import import_module

import pytest

from bot.providers import list_provider_classes
from bot.providers.assumptions import (
    Assumption,
    Exchange,
    has_fields,
    has_in_each,
    load_assumptions,
    match_call,
    none_unless,
)
from bot.providers.facets import Creation
from tests.project.repository import ROOT

#: Providers that can create workspaces. Only these are tried out to check facts about them.
KINDS = sorted(kind for kind, one in list_provider_classes().items() if issubclass(one, Creation))


def exchange(body=None, *, method="GET", path="/api/user", status=200, sent=None):
    return Exchange(method, path, {}, sent, status, body, {})


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_and_the_code_name_the_same_facts(kind):
    page = (ROOT / f"docs/internals/providers/{kind}.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+?) \| `([a-z0-9-]+)` \| (documented|assumed) \| .+ \|$", page, re.MULTILINE)
    facts = load_assumptions(kind)
    assert [(one.says, one.name, one.basis) for one in facts] == rows
    assert facts
    assert all(one.name.startswith(f"{kind}-") for one in facts)


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_trial_looks_for_is_a_fact(kind):
    looked_for = import_module(f"bot.providers.assumptions.{kind}").CHECKS
    assert looked_for
    assert set(looked_for) <= {one.name for one in load_assumptions(kind)}


def test_names_of_facts_are_nobody_elses():
    names = [fact.name for kind in KINDS for fact in load_assumptions(kind)]
    assert len(names) == len(set(names))


def test_a_fact_that_nothing_was_about_is_not_met():
    fact = Assumption("x", "says", "assumed", match_call("GET", "/user$", has_fields("username")))
    assert fact.judge([]) == "not met"
    assert fact.judge([exchange({"username": "a"}, path="/api/other")]) == "not met"
    assert fact.judge([exchange({"username": "a"}, method="POST")]) == "not met"
    assert fact.judge([exchange({"message": "no"}, status=403)]) == "not met"
    assert Assumption("y", "says", "assumed").judge([exchange({})]) == "not met"


def test_one_exchange_to_the_contrary_is_enough():
    fact = Assumption("x", "says", "assumed", match_call("GET", "/user$", has_fields("username")))
    good, bad = exchange({"username": "a"}), exchange({"name": "a"})
    assert fact.judge([good, good]) == "seen so"
    assert fact.judge([good, bad]) == "seen otherwise"
    assert fact.judge([exchange(None)]) == "seen otherwise"


def test_what_may_be_so_is_seen_or_not_met():
    fact = Assumption("x", "says", "assumed", none_unless(lambda one: "error" in one.body))
    assert fact.judge([exchange({})]) == "not met"
    assert fact.judge([exchange({}), exchange({"error": 1})]) == "seen so"


def test_an_empty_list_says_nothing_of_its_entries():
    fact = Assumption("x", "says", "assumed", has_in_each(lambda one: one.body["rows"], "a|b"))
    assert fact.judge([exchange({"rows": []})]) == "not met"
    assert fact.judge([exchange({"rows": [{"a": 1}, {"b": 2}]})]) == "seen so"
    assert fact.judge([exchange({"rows": [{"a": 1}, {"c": 2}]})]) == "seen otherwise"
