"""What is nearest to a change is run first, and only as much as fits."""

from types import SimpleNamespace

from tests.project.repository import ROOT
from tests.promises import near, reach
from tests.promises.applying import differing
from tests.promises.near import BEFORE, BUDGET, MINUTE, Near
from tests.promises.reach import Reach
from tests.runner import times

POLICY = "bot/domain/policy.py"
GUEST = 'return "guest" if person.is_guest else None'


class Item(SimpleNamespace):
    """Stand for a collected test."""

    __hash__ = object.__hash__

    def get_closest_marker(self, _name):
        return None


def test_the_functions_that_differ_are_known_whatever_else_was_written():
    text = (ROOT / POLICY).read_text(encoding="utf-8")
    former = text.replace(GUEST, "return None").replace('"""', '"""A word more: ', 1)
    assert f"{POLICY}::flaw" in differing(POLICY, former)
    assert not any("Decision" in one for one in differing(POLICY, former))
    assert differing(POLICY, text) == set()


def chosen(near, names):
    """Return which of these tests are run, by name, and what is said of it."""
    items = [Item(nodeid=name) for name in names]
    hook = SimpleNamespace(pytest_deselected=lambda items: None)
    near.pytest_collection_modifyitems(SimpleNamespace(hook=hook), items)
    return [item.nodeid for item in items], near.pytest_report_collectionfinish()


def test_the_nearest_come_first_and_the_rest_is_left_out(monkeypatch):
    text = (ROOT / POLICY).read_text(encoding="utf-8")
    monkeypatch.setattr(near, "text_before", lambda _file, _since: text.replace(GUEST, "return None"))
    monkeypatch.setattr(near, "_seconds", lambda _item: 0.4 * BUDGET)
    far, close, own = "tests/a/test_a.py::far", "tests/b/test_b.py::close", "tests/domain/test_policy.py::own"
    functions = {f"{POLICY}::flaw": [close], f"{POLICY}::decide": [close, far]}
    known = Reach(dict.fromkeys([far, close], 1.0), functions)
    nearest = Near(frozenset({POLICY, "tests/domain/test_policy.py"}), "HEAD", known)
    kept, said = chosen(nearest, [far, "tests/c/test_c.py::nothing", close, own])
    assert set(kept) == {own, close}
    assert "1 for which no time is left" in said


def test_whatever_changed_the_tests_of_it_end_within_a_minute():
    table = times.table()
    rows = {times.function(name) for name in table.rows}
    quick = [f"{one.partition('::')[0]}::quick[{number}]" for one in sorted(rows) for number in range(9)]
    everything = frozenset(one.partition("::")[0] for one in rows)
    kept, _ = chosen(Near(everything, "HEAD", Reach()), [*rows, *quick])
    at_most = times.ROUNDED * sum(map(table.seconds, kept))
    assert 0.9 * (MINUTE - BEFORE) < at_most <= MINUTE - BEFORE
    assert 2 * table.beside["collection"] <= BEFORE
    # One that takes longer than all may take together holds up no other.
    assert table.seconds(max(rows, key=table.seconds)) > BUDGET
    assert set(kept) & set(quick)


def test_where_nobody_measured_what_tests_reach_those_come_that_import_the_module():
    nearest = Near(frozenset({POLICY}), "HEAD", None)
    assert "tests/domain/test_policy.py" in nearest.files
    assert "tests/domain/test_moments.py" not in nearest.files


def test_a_module_that_declares_something_is_near_to_the_count_of_declarations():
    assert (
        "tests/project/test_declarations.py" in Near(frozenset({"bot/domain/losses.py"}), "HEAD", None).files
    )


def test_what_was_measured_of_a_file_that_is_gone_is_left_out(monkeypatch, tmp_path):
    monkeypatch.setattr(reach, "KEPT", tmp_path / "reach.json")
    gone, here = "tests/domain/test_gone.py::test_it", "tests/domain/test_policy.py::test_it"
    Reach({gone: 1.0, here: 2.0}, {f"{POLICY}::flaw": [gone, here]}).keep()
    assert Reach.kept() == Reach({here: 2.0}, {f"{POLICY}::flaw": [here]})
