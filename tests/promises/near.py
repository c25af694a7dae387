"""Choose the tests of what changed lately, those nearest to it first: ``python -m tests.promises --near``.

The order is: the changed files of tests, and tests of the repository that name a changed file; tests that
reach the functions which changed; tests that reach anything else of the same files. What doesn't fit into a
minute is left out, and counted. It is a first look: ``make test`` runs all.
"""

from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path

import pytest

from tests.project.repository import ROOT
from tests.promises.applying import differing, touched
from tests.promises.changed import text_before
from tests.promises.reach import Reach
from tests.runner import times

#: What the tests may take together (seconds by the clock, if known): twice as much fits into a minute.
_SECONDS = 30.0


class Near:
    """Be pytest's plugin that runs the nearest tests alone."""

    def __init__(self, changed: frozenset[str], since: str, reach: Callable[[], Reach]) -> None:
        self._first = {*filter(_is_test, changed), *_naming(changed)}
        #: The place of each test in the order.
        self._order = {name: place for place, name in enumerate(_reaching(changed, since, reach))}
        self.files = sorted(self._first | {name.partition("::")[0] for name in self._order})
        self._said = ""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave out what is far from the change, and what doesn't fit into the time."""
        near = sorted((item for item in items if self._is_near(item)), key=self._place)
        ends = accumulate(_seconds(item) for item in near)
        kept = {item for item, end in zip(near, ends, strict=True) if end <= _SECONDS}
        self._said = (
            f"near to what changed: {len(kept)} tests, and {len(near) - len(kept)} for which no time is left"
        )
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = [item for item in items if item in kept]

    def pytest_report_collectionfinish(self) -> str:
        """Say how many tests there are."""
        return self._said

    def _is_near(self, item: pytest.Item) -> bool:
        is_known = item.nodeid in self._order or _file(item) in self._first
        return is_known and item.get_closest_marker("browser") is None

    def _place(self, item: pytest.Item) -> tuple[int, float]:
        return -1 if _file(item) in self._first else self._order[item.nodeid], _seconds(item)


def _file(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


def _seconds(item: pytest.Item) -> float:
    return times.table().seconds(item.nodeid)


def _is_test(file: str) -> bool:
    return file.startswith("tests/") and Path(file).name.startswith("test_") and (ROOT / file).is_file()


def _naming(changed: frozenset[str]) -> Iterator[str]:
    """Return the tests of the repository that name a changed file."""
    ends = [f"{quote}{name}{quote}" for name in changed for quote in "\"'"]
    for path in sorted((ROOT / "tests/project").glob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        if any(end in text for end in ends):
            yield str(path.relative_to(ROOT))


def _reaching(changed: frozenset[str], since: str, reach: Callable[[], Reach]) -> list[str]:
    """Return the tests that reach what changed: its functions first, then the rest of its files."""
    product = sorted(
        one for one in changed if one.startswith(("bot/", "handlers/")) and (ROOT / one).is_file()
    )
    if not product:
        return []
    functions = {one for file in product for one in differing(file, text_before(file, since))}
    files = {one for file in product for one in touched(file, "")}
    known = reach()
    return list(dict.fromkeys(test for some in (functions, files) for test in known.reaching(some, _SECONDS)))
