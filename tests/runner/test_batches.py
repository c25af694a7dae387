"""Workers are dealt what takes long first, and together what is dear to start twice."""

from __future__ import annotations

from types import SimpleNamespace

from tests.runner.batches import BATCH, Batches


def item(path, seconds, scope="function", together=""):
    marker = SimpleNamespace(args=(together,)) if together else None
    return SimpleNamespace(
        nodeid=seconds,
        location=(path, 1, "test"),
        get_closest_marker=lambda name: marker if name == "together" else None,
        _fixtureinfo=SimpleNamespace(name2fixturedefs={"made": [SimpleNamespace(scope=scope)]}),
    )


def dealt(batches, last=()):
    """Return all batches as one worker gets them."""
    found = []
    while last := batches.take(list(last)):
        found.append(last)
    return found


def test_what_takes_long_comes_first_and_the_longest_before_it():
    items = [item("a/x.py", 0.1), item("a/y.py", 5.0), item("b/x.py", 30.0), item("b/y.py", 0.1)]
    assert dealt(Batches(items, float, workers=2))[:2] == [[2], [1]]


def test_others_of_a_module_come_by_the_second_and_those_of_a_folder_in_a_row():
    items = [item("a/x.py", 0.4) for _ in range(5)] + [item(f"b/{name}.py", 0.9) for name in "xyz"]
    found = dealt(Batches(items, float, workers=1))
    assert found == [[5], [6], [7], [0, 1], [2, 3], [4]]
    assert all(sum(items[one].nodeid for one in batch) <= BATCH for batch in found)


def test_what_shares_a_fixture_of_its_module_stays_together():
    items = [item("a/x.py", 0.9, scope) for scope in ("function", "module", "function")]
    assert dealt(Batches(items, float, workers=4)) == [[0, 1, 2]]


def test_what_is_marked_stays_together_and_takes_a_module_along_that_shares_a_fixture():
    items = [
        item("a/x.py", 0.9, together="hub"),
        item("a/x.py", 0.9),
        item("b/x.py", 0.1, "module"),
        item("b/x.py", 0.1, together="hub"),
    ]
    assert sorted(dealt(Batches(items, float, workers=4))) == [[0, 2, 3], [1]]


def test_what_a_worker_left_is_dealt_again():
    batches = Batches([item("a/x.py", 0.1) for _ in range(3)], float, workers=1)
    batches.put_back(batches.take([])[1:])
    batches.put_back([])
    assert sorted(number for batch in dealt(batches) for number in batch) == [1, 2]
