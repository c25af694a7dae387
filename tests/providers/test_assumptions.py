"""Facts about providers: the pages and the code name the same ones, and a trial tells what it saw."""

import re
from importlib import import_module

import pytest

from bot.providers import provider_classes
from bot.providers.assumptions import Exchange, Fact, every, facts_of, has, on, or_unseen
from bot.providers.base import Creation
from tests.project.repository import ROOT

#: Where workspaces can be made, which is what a trial does, and looks for facts.
KINDS = sorted(kind for kind, one in provider_classes().items() if issubclass(one, Creation))


def exchange(body=None, *, method="GET", path="/api/user", status=200, sent=None):
    return Exchange(method, path, {}, sent, status, body, {})


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_and_the_code_name_the_same_facts(kind):
    page = (ROOT / f"docs/internals/providers/{kind}.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+?) \| `([a-z0-9-]+)` \| (documented|assumed) \| .+ \|$", page, re.MULTILINE)
    facts = facts_of(kind)
    assert [(one.says, one.name, one.basis) for one in facts] == rows
    assert facts
    assert all(one.name.startswith(f"{kind}-") for one in facts)


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_trial_looks_for_is_a_fact(kind):
    looked_for = import_module(f"bot.providers.assumptions.{kind}").LOOKS
    assert looked_for
    assert set(looked_for) <= {one.name for one in facts_of(kind)}


def test_names_of_facts_are_nobody_elses():
    names = [fact.name for kind in KINDS for fact in facts_of(kind)]
    assert len(names) == len(set(names))


def test_a_fact_that_nothing_was_about_is_not_met():
    fact = Fact("x", "says", "assumed", on("GET", "/user$", has("username")))
    assert fact.verdict([]) == "not met"
    assert fact.verdict([exchange({"username": "a"}, path="/api/other")]) == "not met"
    assert fact.verdict([exchange({"username": "a"}, method="POST")]) == "not met"
    assert fact.verdict([exchange({"message": "no"}, status=403)]) == "not met"
    assert Fact("y", "says", "assumed").verdict([exchange({})]) == "not met"


def test_one_exchange_to_the_contrary_is_enough():
    fact = Fact("x", "says", "assumed", on("GET", "/user$", has("username")))
    good, bad = exchange({"username": "a"}), exchange({"name": "a"})
    assert fact.verdict([good, good]) == "seen so"
    assert fact.verdict([good, bad]) == "seen otherwise"
    assert fact.verdict([exchange(None)]) == "seen otherwise"


def test_what_may_be_so_is_seen_or_not_met():
    fact = Fact("x", "says", "assumed", or_unseen(lambda one: "error" in one.body))
    assert fact.verdict([exchange({})]) == "not met"
    assert fact.verdict([exchange({}), exchange({"error": 1})]) == "seen so"


def test_an_empty_list_says_nothing_of_its_entries():
    fact = Fact("x", "says", "assumed", every(lambda one: one.body["rows"], "a|b"))
    assert fact.verdict([exchange({"rows": []})]) == "not met"
    assert fact.verdict([exchange({"rows": [{"a": 1}, {"b": 2}]})]) == "seen so"
    assert fact.verdict([exchange({"rows": [{"a": 1}, {"c": 2}]})]) == "seen otherwise"
