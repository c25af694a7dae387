"""What is nearest to a change is run first, and only as much as fits."""

from types import SimpleNamespace

from tests.project.repository import ROOT
from tests.promises import near
from tests.promises.applying import differing
from tests.promises.near import Near
from tests.promises.reach import Reach

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


def test_the_nearest_come_first_and_the_rest_is_left_out(monkeypatch):
    text = (ROOT / POLICY).read_text(encoding="utf-8")
    monkeypatch.setattr(near, "text_before", lambda _file, _since: text.replace(GUEST, "return None"))
    monkeypatch.setattr(near, "_seconds", lambda _item: 14.0)
    far, close, own = "tests/a/test_a.py::far", "tests/b/test_b.py::close", "tests/domain/test_policy.py::own"
    functions = {f"{POLICY}::flaw": [close], f"{POLICY}::decide": [close, far]}
    reach = Reach(dict.fromkeys([far, close], 1.0), functions)
    chosen = Near(frozenset({POLICY, "tests/domain/test_policy.py"}), "HEAD", lambda: reach)
    items = [Item(nodeid=name) for name in (far, "tests/c/test_c.py::nothing", close, own)]
    hook = SimpleNamespace(pytest_deselected=lambda items: None)
    chosen.pytest_collection_modifyitems(SimpleNamespace(hook=hook), items)
    assert {item.nodeid for item in items} == {own, close}
    assert "1 for which no time is left" in chosen.pytest_report_collectionfinish()
