"""The features that docs/internals/architecture.md lists, and the imports between modules."""

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


#: The features of people, as the page calls them, by the folder of their declaration.
FOLDERS = {
    "preferences": "preferences",
    "home": "Home",
    "approvals": "approvals",
    "expiries": "links that end",
    "job_schedules": "schedules of jobs",
    "sentences": "sentences",
    "hours": "hours and timers",
    "courses": "classes and courses",
    "waitlist": "waiting for room",
    "calendars": "private calendars",
    "undo": "undo",
    "assistant": "the assistant",
}


def _modules_of(name: str) -> Iterator[str]:
    yield from (f"bot/features/{folder}/*" for folder, of in FOLDERS.items() if of == name)
    for each, modules_, _ in _ROWS:
        if each == name:
            yield from re.findall("`([^`]+)`", modules_)


#: The modules of each feature, with its declaration.
MODULES = {name: tuple(_modules_of(name)) for name, _, _ in _ROWS}


#: The other features that each may know.
KNOWS = {
    name: {one for each, _, others in _ROWS if each == name for one in others.split(", ") if one}
    for name, _, _ in _ROWS
}


LISTED = dict(
    line.split(": ", 1)
    for line in (Path(__file__).parent / "imports_that_cross.txt").read_text(encoding="utf-8").splitlines()
)


#: What puts a process together names features and providers.
COMPOSITION = (
    *(
        "bot/__main__.py",
        "bot/app.py",
        "bot/commands/*",
        "bot/features/__init__.py",
        "bot/features/feature.py",
        "bot/reconciler/__init__.py",
    ),
    *("bot/store/__init__.py", "bot/store/store.py"),
    "bot/support/settings/__init__.py",
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
