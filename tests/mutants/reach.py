"""The tests that reach each function, and their seconds: measured on request, then kept.

They are where to search, never a proof: a test that reaches a function may notice nothing of its work. A kept
measurement may be old; a test that is gone since is left out.
"""

import json
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import accumulate
from pathlib import Path

import coverage
import pytest

from tests.mutants.apply import compile_text, walk_code
from tests.project.repository import ROOT

KEPT = ROOT / ".pytest_cache" / "mutants" / "reach.json"
#: The packages of which there are mutants, each with the folders that hold its code.
MEASURED = ("bot", "handlers", "usher", "providers/usher-coder/usher_coder")
#: The folders of their tests; others in ``tests`` are about the demonstration and the repository itself.
TESTS = ("tests", "providers/usher-coder/tests")
_OTHER_TESTS = (
    "tests/benchmarks",
    "tests/chaos",
    "tests/demo",
    "tests/mutants",
    "tests/playground",
    "tests/project",
    "tests/runner",
)


def is_measured(item: pytest.Item) -> bool:
    """Return whether a test is quick, and about the packages of which there are mutants."""
    is_slow = item.get_closest_marker("slow") or item.get_closest_marker("browser")
    return not is_slow and not item.nodeid.startswith(_OTHER_TESTS)


@dataclass(frozen=True)
class Reach:
    """Seconds of the processor of each test, and the tests that reach each function."""

    seconds: dict[str, float] = field(default_factory=dict)
    tests: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def read(cls) -> "Reach | None":
        """Return the last measurement; None if there is none."""
        if not KEPT.exists():
            return None
        names, seconds, tests = json.loads(KEPT.read_text())
        files = {file for file in map(_file, names) if (ROOT / file).is_file()}
        there = [_file(name) in files for name in names]
        return cls(
            {name: took for name, took, is_there in zip(names, seconds, there, strict=True) if is_there},
            {
                function: [names[number] for number in numbers if there[number]]
                for function, numbers in tests.items()
            },
        )

    def write(self) -> None:
        """Keep the measurement."""
        numbers = {name: number for number, name in enumerate(self.seconds)}
        tests = {name: [numbers[one] for one in reaching] for name, reaching in self.tests.items()}
        KEPT.parent.mkdir(parents=True, exist_ok=True)
        KEPT.write_text(json.dumps([list(self.seconds), list(self.seconds.values()), tests]))

    @classmethod
    def merge(cls, parts: Iterable["Reach"]) -> "Reach":
        """Return the measurements of several processes as one."""
        seconds: dict[str, float] = {}
        tests: dict[str, list[str]] = {}
        for part in parts:
            seconds |= part.seconds
            for name, reaching in part.tests.items():
                tests.setdefault(name, []).extend(reaching)
        return cls(seconds, tests)

    def find_tests(self, functions: Iterable[str], seconds: float) -> list[str]:
        """Return the tests that reach any of these functions, for so many seconds in all.

        Those that are about little else come first.
        """
        reaching = {test for name in functions for test in self.tests.get(name, ())}
        near = sorted(reaching, key=lambda test: (self._breadth[test], test))
        ends = accumulate(map(self.seconds.__getitem__, near))
        return [test for test, end in zip(near, ends, strict=True) if end <= seconds] or near[:1]

    @cached_property
    def _breadth(self) -> Counter[str]:
        """Return how many functions each test reaches."""
        return Counter(test for tests in self.tests.values() for test in tests)


def _file(test: str) -> str:
    return test.partition("::")[0]


class Measurement:
    """A measurement under way, in the process that runs the tests."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        folders = [f"{ROOT}/{folder}/*" for folder in MEASURED]
        self._coverage = coverage.Coverage(data_file=None, config_file=False, include=folders)
        self._coverage.start()

    @contextmanager
    def measure(self, nodeid: str) -> Iterator[None]:
        """Measure one test, which runs within."""
        self._coverage.switch_context(nodeid)
        began = time.process_time()
        yield
        self._seconds[nodeid] = round(time.process_time() - began, 4)

    def end(self) -> Reach:
        """Return the reach of the measured tests."""
        self._coverage.stop()
        data = self._coverage.get_data()
        tests: dict[str, list[str]] = {}
        for path in data.measured_files():
            if not path.endswith(".py"):
                continue  # a template, which is run as Python under its own name
            lines = data.contexts_by_lineno(path)
            for name, reaching in _group_by_function(path, lines).items():
                tests[name] = [test for test in reaching if test]
        return Reach(self._seconds, tests)


def _group_by_function(path: str, lines: Mapping[int, Sequence[str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    file = str(Path(path).relative_to(ROOT))
    begins = _function_starts(file)
    for line, tests in lines.items():
        place = bisect_right(begins, (line, "\uffff")) - 1
        if place >= 0 and begins[place][0] != line:  # a function's first line is run where it is made
            found.setdefault(f"{file}::{begins[place][1]}", set()).update(tests)
    return found


@cache
def _function_starts(file: str) -> list[tuple[int, str]]:
    """Return the first line and the name of each function of a file, in order."""
    code = compile_text((ROOT / file).read_text(encoding="utf-8"), file)
    return sorted((one.co_firstlineno, one.co_qualname) for one in walk_code(code))
