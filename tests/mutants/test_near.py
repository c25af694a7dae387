"""What is nearest to a change is run first, and only as much as fits."""

from types import SimpleNamespace

from tests.mutants import near, reach
from tests.mutants.apply import find_changed
from tests.mutants.near import BEFORE, BUDGET, MINUTE, Near
from tests.mutants.reach import Reach
from tests.project.repository import ROOT
from tests.runner import times

POLICY = "bot/domain/policy.py"
GUEST = 'return "guest" if person.is_guest else None'


class Item(SimpleNamespace):
    """Stand for a collected test."""

    __hash__ = object.__hash__

    def get_closest_marker(self, _name):
        return None


def test_changed_functions_are_found_beside_changed_docstrings():
    text = (ROOT / POLICY).read_text(encoding="utf-8")
    former = text.replace(GUEST, "return None").replace('"""', '"""A word more: ', 1)
    assert f"{POLICY}::find_flaw" in find_changed(POLICY, former)
    assert not any("Decision" in one for one in find_changed(POLICY, former))
    assert find_changed(POLICY, text) == set()


def chosen(near, names):
    """Return which of these tests are run, by name, and what is said of it."""
    items = [Item(nodeid=name) for name in names]
    hook = SimpleNamespace(pytest_deselected=lambda items: None)
    near.pytest_collection_modifyitems(SimpleNamespace(hook=hook), items)
    return [item.nodeid for item in items], near.pytest_report_collectionfinish()


def test_the_nearest_tests_run_within_the_budget(monkeypatch):
    text = (ROOT / POLICY).read_text(encoding="utf-8")
    monkeypatch.setattr(near, "read_former", lambda _file, _since: text.replace(GUEST, "return None"))
    monkeypatch.setattr(near, "_seconds", lambda _item: 0.4 * BUDGET)
    far, close, own = "tests/a/test_a.py::far", "tests/b/test_b.py::close", "tests/domain/test_policy.py::own"
    functions = {f"{POLICY}::find_flaw": [close], f"{POLICY}::decide": [close, far]}
    known = Reach(dict.fromkeys([far, close], 1.0), functions)
    nearest = Near(frozenset({POLICY, "tests/domain/test_policy.py"}), "HEAD", known)
    kept, said = chosen(nearest, [far, "tests/c/test_c.py::nothing", close, own])
    assert set(kept) == {own, close}
    assert "1 for which no time is left" in said


def test_tests_near_to_any_change_end_within_a_minute():
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


def test_without_measured_reach_imports_decide():
    nearest = Near(frozenset({POLICY}), "HEAD", None)
    assert "tests/domain/test_policy.py" in nearest.files
    assert "tests/domain/test_time_parsing.py" not in nearest.files


def test_a_declaring_module_is_near_its_declarations_test():
    assert (
        "tests/project/test_declarations.py"
        in Near(frozenset({"bot/domain/failover_losses.py"}), "HEAD", None).files
    )


def test_measured_reach_leaves_out_deleted_tests(monkeypatch, tmp_path):
    monkeypatch.setattr(reach, "KEPT", tmp_path / "reach.json")
    gone, here = "tests/domain/test_gone.py::test_it", "tests/domain/test_policy.py::test_it"
    Reach({gone: 1.0, here: 2.0}, {f"{POLICY}::find_flaw": [gone, here]}).write()
    assert Reach.read() == Reach({here: 2.0}, {f"{POLICY}::find_flaw": [here]})
