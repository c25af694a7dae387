"""Which tests reach which functions, and how long each takes: measured when it is asked for, then kept.

It is where to look, never a proof: a test that reaches a function may notice nothing of what it does. What
is kept may be old; a test that is gone by then is left out.
"""

import json
import time
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import coverage
import pytest

from tests.project.repository import ROOT
from tests.promises.applying import compiled, within

KEPT = ROOT / ".pytest_cache" / "promises" / "reach.json"
#: Of those that reach a function, so many are kept, the fastest.
_MOST = 300
#: What tests only the demonstration and the repository itself.
_BESIDE = (
    "tests/benchmarks",
    "tests/chaos",
    "tests/demo",
    "tests/playground",
    "tests/project",
    "tests/promises",
)


def looked_at(item: pytest.Item) -> bool:
    """Return whether a test is quick, and about the bot."""
    is_slow = item.get_closest_marker("slow") or item.get_closest_marker("browser")
    return not is_slow and not item.nodeid.startswith(_BESIDE)


@dataclass(frozen=True)
class Reach:
    """Hold how many seconds each test took, and for each function the tests that reach it."""

    seconds: dict[str, float] = field(default_factory=dict)
    tests: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def kept(cls) -> "Reach | None":
        """Return what was measured last; None if nothing was."""
        return cls(**json.loads(KEPT.read_text())) if KEPT.exists() else None

    @classmethod
    def of(cls, parts: Iterable["Reach"]) -> "Reach":
        """Put together what several processes measured."""
        seconds: dict[str, float] = {}
        tests: dict[str, list[str]] = {}
        for part in parts:
            seconds |= part.seconds
            for name, reaching in part.tests.items():
                tests.setdefault(name, []).extend(reaching)
        return cls(
            seconds, {name: sorted(some, key=seconds.__getitem__)[:_MOST] for name, some in tests.items()}
        )

    def keep(self) -> None:
        """Write it down."""
        KEPT.parent.mkdir(parents=True, exist_ok=True)
        KEPT.write_text(json.dumps({"seconds": self.seconds, "tests": self.tests}))

    def reaching(self, functions: Iterable[str]) -> list[str]:
        """Return the tests that reach any of these functions, the fastest first."""
        found = {test for name in functions for test in self.tests.get(name, ())}
        return sorted(found, key=lambda test: (self.seconds[test], test))


class Measuring:
    """Be pytest's plugin that measures, in the process that runs the tests."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        folders = [f"{ROOT}/{one}/*" for one in ("bot", "handlers")]
        self._coverage = coverage.Coverage(data_file=None, config_file=False, include=folders)

    def run(self, items: Sequence[pytest.Item]) -> Reach:
        """Run the tests, and return what was found."""
        self._coverage.start()
        for item, following in zip(items, [*items[1:], None], strict=True):
            self._coverage.switch_context(item.nodeid)
            began = time.perf_counter()
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            self._seconds[item.nodeid] = round(time.perf_counter() - began, 4)
        self._coverage.stop()
        data = self._coverage.get_data()
        tests: dict[str, list[str]] = {}
        for path in data.measured_files():
            lines = data.contexts_by_lineno(path)
            for name, reaching in _by_function(path, lines).items():
                tests[name] = [test for test in reaching if test]
        return Reach(self._seconds, tests)


def _by_function(path: str, lines: Mapping[int, Sequence[str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    file = str(Path(path).relative_to(ROOT))
    begins = _functions(file)
    for line, tests in lines.items():
        place = bisect_right(begins, (line, "\uffff")) - 1
        if place >= 0 and begins[place][0] != line:  # a function's first line is run where it is made
            found.setdefault(f"{file}::{begins[place][1]}", set()).update(tests)
    return found


@cache
def _functions(file: str) -> list[tuple[int, str]]:
    """Return where each function of a file begins, and its name, in order."""
    code = compiled((ROOT / file).read_text(encoding="utf-8"), file)
    return sorted((one.co_firstlineno, one.co_qualname) for one in within(code))
