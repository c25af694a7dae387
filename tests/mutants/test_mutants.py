"""A mutant is noticed or not, whatever it changes, and the process that plays it stays as it was."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.mutants import generate, shares
from tests.mutants.apply import compare, find_affected
from tests.mutants.generate import make_mutants
from tests.mutants.reach import Reach
from tests.mutants.shares import Package, find_outdated_equivalents
from tests.project.repository import ROOT

QUERIES = "bot/store/gates.sql"
NOTICES = "bot/store/notices.py"
GUARDED = "bot/store/shared.sql"
POLICY = "bot/domain/policy.py"
GUEST = 'return "guest" if person.is_guest else None'
TEST = "tests/domain/test_policy.py::test_who_may_do_anything_at_all"

SCRIPT = """
import json, sys
from tests.mutants.play import Job, play
jobs = [Job(*each) for each in json.loads(sys.argv[1])]
play(jobs, 2, lambda one: print(json.dumps([one.name, one.verdict]), flush=True))
"""


def replaced(file: str, old: str, new: str) -> str:
    text = (ROOT / file).read_text(encoding="utf-8")
    assert text.count(old) == 1
    return text.replace(old, new)


def test_mutants_of_functions_and_modules_are_noticed():
    wrong, same = replaced(POLICY, GUEST, "return None"), replaced(POLICY, GUEST, f"rule = None\n    {GUEST}")
    jobs = [
        ("a function", POLICY, wrong, [TEST], False),
        ("a module", POLICY, wrong, [TEST], True),
        ("an import", POLICY, f"{wrong}\nraise ValueError", [TEST], True),
        ("nothing", POLICY, same, [TEST], False),
        ("without a test", POLICY, wrong, [f"{TEST}_or_not"], False),
    ]
    words = [sys.executable, "-c", SCRIPT, json.dumps(jobs)]
    played = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    assert dict(map(json.loads, played.stdout.splitlines())) == {
        "a function": "noticed",
        "a module": "noticed",
        "an import": "noticed",
        "nothing": "unnoticed",
        "without a test": "failed",
    }


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        pytest.param(GUEST, "return None", ["find_flaw"], id="function"),
        pytest.param(GUEST, f"\n    {GUEST}", [], id="blank"),
        pytest.param(
            "def find_flaw(person: Person | None)",
            "def find_flaw(person: Person | None = None)",
            None,
            id="default",
        ),
        pytest.param("class Decision:", "class Decision:\n    more = 1", None, id="class"),
    ],
)
def test_compare_finds_the_changed_functions(old, new, names):
    found = compare(POLICY, replaced(POLICY, old, new))
    assert names == (None if found is None else [before.co_qualname for before, _ in found])


def test_compare_takes_a_changed_comprehension_for_the_module():
    """It ran when the module was imported: there is no live function that could be changed."""
    assert compare(NOTICES, replaced(NOTICES, "urgency = {urgency} AND", "urgency < {urgency} AND")) is None


def test_a_changed_query_affects_the_functions_that_run_it():
    query = "-- name: close_gate\nUPDATE gates"
    assert find_affected(QUERIES, replaced(QUERIES, query, f"{query} ")) == {"bot/store/gates.py::close_gate"}


def test_mutants_change_one_thing_each():
    found = {(one.function, one.old, one.new) for one in make_mutants("bot/domain/timeouts.py")}
    assert ("is_confirmed", "unconfirmed.times >= times", "(unconfirmed.times > times)") in found
    assert ("START_SETTLES", "60.0", "120.0") in found
    assert ("judge", "not has_settled", "(has_settled)") in found
    queries = {(one.function, one.new) for one in make_mutants(QUERIES)}
    assert ("close_gate", "WHERE gate_key = :gate_key AND (:is_answered OR next_check_at < :now);") in queries
    declared = {(one.function, one.change) for one in make_mutants("bot/store/gates.py")}
    assert ("GATE_QUEUE", "{settled} -> 1 = 1") in declared
    assert ("ALONG_CLAIM", "next_check_at <= :now -> 1 = 1") in declared
    assert ("ALONG_CLAIM", "next_check_at <= :now -> next_check_at < :now") in declared
    declared = {(one.function, one.change) for one in make_mutants(NOTICES)}
    assert ("_QUEUE_OF", "urgency = {urgency} -> urgency <> {urgency}") in declared


def test_deleted_files_and_migrations_have_no_mutants():
    assert make_mutants("bot/gone.py") == make_mutants("bot/store/migrations/0034_until_0_2_1.sql") == []


def test_equivalent_mutants_are_not_made(monkeypatch):
    first = make_mutants(POLICY)[0]
    monkeypatch.setattr(generate, "read_equivalents", lambda: {first.key: "it changes nothing"})
    assert first.key not in {one.key for one in make_mutants(POLICY)}


def test_every_equivalent_row_fits_a_mutant():
    assert find_outdated_equivalents() == []


def test_every_file_with_mutants_belongs_to_a_package():
    files = [
        path.relative_to(ROOT).as_posix()
        for top in ("bot", "handlers", "usher")
        for path in (ROOT / top).rglob("*.py")
    ]
    assert [file for file in files if shares.find_package(file) is None and make_mutants(file)] == []
    assert shares.find_package(QUERIES).name == "bot/store"


def test_a_draw_repeats_by_its_seed_and_holds_all_guards(monkeypatch):
    monkeypatch.setattr(
        shares,
        "list_files",
        lambda: {
            shares.find_package(POLICY): [POLICY, "bot/domain/plan.py"],
            shares.find_package(GUARDED): [GUARDED],
        },
    )
    drawn = shares.draw(7, 20)
    assert drawn == shares.draw(7, 20) != shares.draw(8, 20)
    guards = [one for one in make_mutants(GUARDED) if one.is_guard]
    assert guards
    assert all(one in drawn for one in guards)
    assert 20 <= len(drawn) <= 20 + len(guards)


@pytest.mark.parametrize(("noticed", "is_low"), [(10, False), (5, False), (2, True)])
def test_a_share_is_too_low_beyond_chance(noticed, is_low):
    assert Package("bot/domain", 0.8).is_too_low(noticed, 10) is is_low


def test_tests_about_little_else_come_first():
    narrow, wide, other = "tests/a/test.py::narrow", "tests/a/test.py::wide", "tests/b/test.py::other"
    functions = {"f.py::one": [wide, narrow, other], "f.py::two": [wide, other], "f.py::three": [wide]}
    reach = Reach(dict.fromkeys([narrow, wide, other], 1.0), functions)
    assert reach.find_tests(["f.py::one"], 9.0) == [narrow, other, wide]
    assert reach.find_tests(["f.py::one"], 2.0) == [narrow, other]
    assert reach.find_tests(["f.py::one"], 0.5) == [narrow]
