"""The mission names no feature: the imports that still do are listed, and the list only shrinks.

``features.txt`` has the modules of features, ``imports_that_cross.txt`` the imports by the mission.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
FEATURES = (HERE / "features.txt").read_text(encoding="utf-8").splitlines()
LISTED = (HERE / "imports_that_cross.txt").read_text(encoding="utf-8").splitlines()
#: As many as there are: the next one that goes lowers it.
MOST = 21
#: What puts a process together names features and providers.
COMPOSITION = (
    *(
        "bot/__main__.py",
        "bot/app.py",
        "bot/commands/*",
        "bot/reconciler/__init__.py",
        "bot/reconciler/scheduler.py",
    ),
    *("bot/slack/notifier/__init__.py", "bot/store/__init__.py", "bot/store/store.py", "bot/web/app.py"),
    "handlers/services.py",
)


@cache
def modules() -> dict[str, str]:
    """Return the file of each module, by its name."""
    files = [
        str(path.relative_to(ROOT)) for room in ("bot", "handlers") for path in (ROOT / room).rglob("*.py")
    ]
    return {file.removesuffix(".py").replace("/", ".").removesuffix(".__init__"): file for file in files}


def is_one_of(file: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(file, pattern) for pattern in patterns)


def imported(source: str) -> Iterator[str]:
    """Return the files of the modules that a source imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (modules()[one.name] for one in node.names if one.name in modules())
        elif isinstance(node, ast.ImportFrom) and node.module:
            for one in node.names:
                file = modules().get(f"{node.module}.{one.name}") or modules().get(node.module)
                if file is not None:
                    yield file


def crossing() -> set[str]:
    """Return the imports of features by the mission: ``FILE -> FILE``."""
    mission = [file for file in modules().values() if not is_one_of(file, (*FEATURES, *COMPOSITION))]
    return {
        f"{file} -> {target}"
        for file in mission
        for target in imported((ROOT / file).read_text(encoding="utf-8"))
        if is_one_of(target, tuple(FEATURES))
    }


def test_the_mission_imports_no_feature_but_what_is_listed():
    found = crossing()
    assert sorted(found - set(LISTED)) == [], (
        "a feature itself goes into features.txt; anything else may not name one: turn the import round"
    )
    assert sorted(set(LISTED) - found) == [], "no longer there: take it off imports_that_cross.txt"


def test_the_list_only_shrinks():
    assert len(LISTED) <= MOST


@pytest.mark.parametrize("listed", [FEATURES, LISTED], ids=["features", "imports"])
def test_the_lists_are_in_order_and_nothing_is_in_them_twice(listed):
    assert listed == sorted(set(listed))


def test_every_feature_is_there():
    assert [one for one in FEATURES if not any(fnmatch(file, one) for file in modules().values())] == []


def test_all_ways_to_import_are_seen():
    ways = ("import bot.store.hours", "from bot.store import hours", "from bot.store.hours import found")
    inside = "def late():\n    from bot.store.hours import found"
    assert [list(imported(one)) for one in (*ways, inside)] == [["bot/store/hours.py"]] * 4
