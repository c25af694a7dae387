"""The tests nearest to a change, within a minute: ``python -m tests.mutants.near``.

The order is: the changed files of tests, and tests of the repository that name a changed file; tests that
reach the functions which changed; tests that reach anything else of the same files. Without a measured
reach, tests that import the changed modules come in place of these two. Others are left out, and counted.
"""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.mutants.apply import find_affected, find_changed
from tests.mutants.changes import find_start, list_changed, read_former
from tests.mutants.reach import Reach
from tests.project.repository import ROOT
from tests.runner import times

#: All of it may take so long, if one worker alone gets a processor (seconds).
MINUTE: Final = 60.0
#: Until the first test runs: choosing and collecting, and starting what tests share.
BEFORE: Final = 15.0
#: What the tests may take together by the table of times, whose rows are rounded down.
BUDGET: Final = (MINUTE - BEFORE) / times.ROUNDED


class Near:
    """Pytest's plugin that runs the nearest tests alone."""

    def __init__(self, changed: frozenset[str], since: str, reach: Reach | None) -> None:
        first = {*filter(_is_test, changed), *_naming(changed)}
        further = _importing(changed) if reach is None else _reaching(changed, since, reach)
        #: The place of each file and of each test in the order.
        self._order = {name: place for place, name in enumerate(further, 1)} | dict.fromkeys(first, 0)
        self.files = sorted({name.partition("::")[0] for name in self._order})
        self._said = ""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave out what is far from the change, and what doesn't fit into the time."""
        near = sorted((item for item in items if self._is_near(item)), key=self._place)
        kept, left = set(), BUDGET
        for item in near:
            if (took := _seconds(item)) <= left:
                kept.add(item)
                left -= took
        self._said = (
            f"near to what changed: {len(kept)} tests, and {len(near) - len(kept)} for which no time is left"
        )
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = [item for item in items if item in kept]

    def pytest_report_collectionfinish(self) -> str:
        """Say how many tests there are."""
        return self._said

    def _is_near(self, item: pytest.Item) -> bool:
        is_known = item.nodeid in self._order or _file(item) in self._order
        return is_known and item.get_closest_marker("browser") is None

    def _place(self, item: pytest.Item) -> tuple[int, float]:
        places = [self._order[one] for one in (_file(item), item.nodeid) if one in self._order]
        return min(places), _seconds(item)


def _file(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


def _seconds(item: pytest.Item) -> float:
    return times.table().seconds(item.nodeid)


def _is_test(file: str) -> bool:
    return file.startswith("tests/") and Path(file).name.startswith("test_") and (ROOT / file).is_file()


def _naming(changed: frozenset[str]) -> Iterator[str]:
    """Return the tests of the repository that name a changed file, or its module."""
    modules = [one.removesuffix(".py").replace("/", ".") for one in changed if one.endswith(".py")]
    ends = [f"{quote}{name}{quote}" for name in (*changed, *modules) for quote in "\"'"]
    for path in sorted((ROOT / "tests/project").glob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        if any(end in text for end in ends):
            yield str(path.relative_to(ROOT))


def _importing(changed: frozenset[str]) -> Iterator[str]:
    """Return the tests that import a changed module themselves."""
    dotted = [one.removesuffix(".py").replace("/", ".") for one in changed if one.endswith(".py")]
    parts = [one.rpartition(".") for one in dotted]
    names = "|".join(
        rf"{re.escape(package)}(?:\.{name} import\b| import .*\b{name}\b)" for package, _, name in parts
    )
    imports = re.compile(rf"^from (?:{names})", re.MULTILINE)
    for path in sorted((ROOT / "tests").rglob("test_*.py")) if names else ():
        if imports.search(path.read_text(encoding="utf-8")):
            yield str(path.relative_to(ROOT))


def _reaching(changed: frozenset[str], since: str, reach: Reach) -> list[str]:
    """Return the tests that reach what changed: its functions first, then the rest of its files."""
    product = sorted(
        one for one in changed if one.startswith(("bot/", "handlers/")) and (ROOT / one).is_file()
    )
    functions = {one for file in product for one in find_changed(file, read_former(file, since))}
    files = {one for file in product for one in find_affected(file, "")}
    return list(dict.fromkeys(test for some in (functions, files) for test in reach.find_tests(some, BUDGET)))


def main() -> int:
    """Run the tests nearest to what changed since this branch left main."""
    since = find_start()
    changed = list_changed(since) if since else None
    if since is None or changed is None:
        sys.exit("Without git nobody knows what changed: run all tests with `make test`.")
    near = Near(changed, since, Reach.read())
    if not near.files:
        sys.exit("No test is known to be about what changed.")
    return pytest.main(["--workers", str(os.cpu_count() or 1), *near.files], plugins=[near])


if __name__ == "__main__":
    raise SystemExit(main())
