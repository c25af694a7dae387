"""A patch is noticed or not, whatever it changes, and the process that asks stays as it was."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.project.repository import ROOT
from tests.promises.applying import changes, touched
from tests.promises.mutants import mutants

POLICY = "bot/domain/policy.py"
GUEST = 'return "guest" if person.is_guest else None'
TEST = "tests/domain/test_policy.py::test_who_may_do_anything_at_all"

SCRIPT = """
import json, sys
from tests.promises.rounds import Job, play
jobs = [Job(*each) for each in json.loads(sys.argv[1])]
play(jobs, 2, lambda one: print(json.dumps([one.name, one.verdict]), flush=True))
"""


def patched(file: str, old: str, new: str) -> str:
    text = (ROOT / file).read_text(encoding="utf-8")
    assert text.count(old) == 1
    return text.replace(old, new)


def test_what_is_broken_is_noticed_and_what_is_not_isnt():
    let_in, same = patched(POLICY, GUEST, "return None"), patched(POLICY, GUEST, f"rule = None\n    {GUEST}")
    wrong = patched(POLICY, GUEST, "return no_such_name")
    jobs = [
        ("a function", POLICY, let_in, [TEST], False),
        ("a module", POLICY, let_in, [TEST], True),
        ("nothing", POLICY, same, [TEST], False),
        ("too much", POLICY, wrong, [TEST], False),
        ("without a test", POLICY, let_in, [f"{TEST}_or_not"], False),
    ]
    words = [sys.executable, "-c", SCRIPT, json.dumps(jobs)]
    played = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    said = dict(map(json.loads, played.stdout.splitlines()))
    assert said == {
        "a function": "red",
        "a module": "red",
        "nothing": "green",
        "too much": "broken",
        "without a test": "absent",
    }


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        (GUEST, "return None", ["flaw"]),
        (GUEST, f"\n    {GUEST}", []),
        ("def flaw(person: Person | None)", "def flaw(person: Person | None = None)", None),
        ("class Decision:", "class Decision:\n    more = 1", None),
    ],
)
def test_which_functions_a_patch_changes(old, new, names):
    found = changes(POLICY, patched(POLICY, old, new))
    assert names == (None if found is None else [before.co_qualname for before, _ in found])


def test_a_query_is_the_work_of_the_functions_that_run_it():
    queries = "bot/store/queries.sql"
    query = "-- name: close_gate\nUPDATE gates"
    reached = touched(queries, patched(queries, query, f"{query} "))
    assert reached == {"bot/store/gates.py::close_gate"}


def test_mutants_change_one_thing_each():
    found = {(one.where, one.old, one.new) for one in mutants("bot/domain/settling.py")}
    assert ("is_certain", "doubt.times >= times", "(doubt.times > times)") in found
    assert ("START_SETTLES", "60.0", "120.0") in found
    assert ("judge", "not has_settled", "(has_settled)") in found
    queries = {(one.where, one.new) for one in mutants("bot/store/queries.sql")}
    assert ("close_gate", "WHERE gate_key = :gate_key AND (:is_answered OR next_check_at < :now);") in queries


def test_what_has_gone_or_is_no_code_has_no_mutants():
    assert mutants("bot/gone.py") == mutants("bot/store/migrations/0034_until_0_2_1.sql") == []
