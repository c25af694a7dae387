"""The mission names no feature: the imports that still do are listed with reasons, and the list only shrinks.

``docs/internals/architecture.md`` has a row for each feature: name, modules, and which others it may know.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_PAGE = (ROOT / "docs/internals/architecture.md").read_text(encoding="utf-8")
_TABLE = _PAGE.partition("| feature | modules |")[2]
_ROWS = [
    [cell.strip() for cell in row.strip("|").split("|")]
    for row in _TABLE.partition("\n\n")[0].splitlines()[2:]
]
#: The modules of each feature, from all its rows.
MODULES = {
    name: tuple(one for each, modules, _ in _ROWS if each == name for one in re.findall("`([^`]+)`", modules))
    for name, _, _ in _ROWS
}
#: The other features that each may know.
KNOWS = {
    name: {one for each, _, others in _ROWS if each == name for one in others.split(", ") if one}
    for name, _, _ in _ROWS
}
FEATURES = tuple(one for every in MODULES.values() for one in every)
LISTED = dict(
    line.split(": ", 1)
    for line in (Path(__file__).parent / "imports_that_cross.txt").read_text(encoding="utf-8").splitlines()
)
#: As many as there are: the next one that goes lowers it.
MOST = 8
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
    "bot/support/settings/__init__.py",
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


def feature_of(file: str) -> str:
    """Return the feature that a module is of; "" for the mission, the composition and providers."""
    return next((name for name, its in MODULES.items() if is_one_of(file, its)), "")


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
    ways = ("import bot.store.hours", "from bot.store import hours", "from bot.store.hours import found")
    inside = "def late():\n    from bot.store.hours import found"
    assert [list(imported(one)) for one in (*ways, inside)] == [["bot/store/hours.py"]] * 4
