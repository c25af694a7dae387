"""The mission names no feature: the imports that still do are listed with reasons, and the list only shrinks.

``docs/internals/architecture.md`` has a row for each feature: name, modules, and which others it may know.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatch

from tests.project.rings import (
    COMPOSITION,
    KNOWS,
    LISTED,
    MODULES,
    ROOT,
    feature_of,
    imported,
    is_one_of,
    modules,
)

FEATURES = tuple(one for every in MODULES.values() for one in every)
#: As many as there are: the next one that goes lowers it.
MOST = 0


def imports() -> Iterator[tuple[str, str]]:
    """Return the imports of features, by everything but the composition: a file, and the one it imports."""
    for file in modules().values():
        if not is_one_of(file, COMPOSITION) or feature_of(file):
            for target in imported((ROOT / file).read_text(encoding="utf-8")):
                if feature_of(target) not in {"", feature_of(file)}:
                    yield file, target


def test_the_mission_imports_no_feature_but_what_is_listed():
    found = {f"{file} -> {target}" for file, target in imports() if not feature_of(file)}
    assert sorted(found - LISTED.keys()) == [], (
        "a feature's own module goes into its row; anything else may not name one: turn the import round"
    )
    assert sorted(LISTED.keys() - found) == [], "no longer there: take it off imports_that_cross.txt"
    assert all(LISTED.values())


def test_the_list_only_shrinks():
    assert len(LISTED) <= MOST
    assert sorted(LISTED) == list(LISTED)


def test_a_feature_knows_the_others_that_its_row_names():
    found = {name: set[str]() for name in MODULES}
    for file, target in imports():
        if name := feature_of(file):
            found[name].add(feature_of(target))
    assert found == KNOWS


def test_every_module_of_a_feature_is_there_once():
    files = modules().values()
    assert [one for one in FEATURES if not any(fnmatch(file, one) for file in files)] == []
    twice = [file for file in files if sum(is_one_of(file, its) for its in MODULES.values()) > 1]
    assert twice == []


def test_all_ways_to_import_are_seen():
    ways = (
        "import bot.features.hours.store",
        "from bot.store import hours",
        "from bot.features.hours.store import found",
    )
    inside = "def late():\n    from bot.features.hours.store import found"
    assert [list(imported(one)) for one in (*ways, inside)] == [["bot/features/hours/store.py"]] * 4
