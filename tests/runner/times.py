"""How long tests take, as ``pytest --workers 4 --record-times`` wrote it down: ``tests/times.toml``.

A row is of a test function, or of a case of it that takes much longer than the others: seconds by the clock,
and of the processor with what was started. Only what is slow has a row, times are rounded down to 1, 2 or
5, and a row that is about right stays: the table changes only where something has changed.

A folder's row is of all its tests together, and of how long one takes that has no row of its own. So what
the folders say, and what was spent beside them, is all that a run of the whole suite takes of the processor.
"""

import ast
import json
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from statistics import mean, median
from typing import Final

from tests.runner.spent import Spent

TABLE: Final = Path(__file__).parents[1] / "times.toml"
#: From this on a test is slow, and isn't tried for mutants (seconds).
SLOW: Final = 0.5
#: How long a test takes that has no row, nor its folder (seconds).
USUAL: Final = 0.02
_HEAD: Final = "# Seconds by the clock and of the processor: `pytest --workers 4 --record-times` writes it.\n"
_FOLDERS: Final = "# All tests of a folder, with what they started, and by the clock one that has no row.\n"
_BESIDE: Final = "# Beside them, of the processor; `explained` is the share of the whole that both explain.\n"
#: So many tests are named that took the most.
_DEAREST: Final = 30
_STEPS: Final = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0)
#: What a row says is rounded down: it may have been up to so many times as much.
ROUNDED: Final = max(after / before for before, after in pairwise(_STEPS[1:]))

#: What a folder's tests take together, and how long one takes that has no row.
Folder = tuple[float, float, float]


@dataclass
class Cost:
    """What a run took of the processor (seconds), and its tests by the clock, too."""

    tests: dict[str, Spent] = field(default_factory=dict)
    #: Until the workers were forked.
    collection: float = 0.0
    #: What servers took, and what ended as nobody's child.
    beside: dict[str, float] = field(default_factory=dict)
    #: How much of that was for tests, and is in what they took.
    elsewhere: float = 0.0
    #: With all processes.
    whole: float = 0.0

    def folders(self) -> dict[str, Spent]:
        """Return what the tests of each folder took together, the dearest first."""
        found: dict[str, Spent] = {}
        for name, (wall, cpu) in self.tests.items():
            sums = found.get(folder(name), (0.0, 0.0))
            found[folder(name)] = sums[0] + wall, sums[1] + cpu
        return dict(sorted(found.items(), key=lambda one: -one[1][1]))

    def others(self) -> dict[str, float]:
        """Return what was spent beside tests, the dearest first, where it is worth a line."""
        found = {"collection": self.collection, **self.beside}
        found["bots"] = found.get("bots", 0.0) - self.elsewhere
        return {name: took for name, took in sorted(found.items(), key=lambda one: -one[1]) if took >= 0.05}

    def explained(self) -> float:
        """Return the share of all that folders and what is beside them explain."""
        known = sum(cpu for _, cpu in self.folders().values()) + sum(self.others().values())
        return known / self.whole if self.whole else 0.0

    def lines(self) -> Iterator[str]:
        """Return what took how much, for people."""
        yield f"{self.whole:8.1f} s of the processor, of which {self.explained():.1%} are"
        for name, (_, cpu) in self.folders().items():
            yield f"{cpu:8.1f}   {name}"
        for name, cpu in self.others().items():
            yield f"{cpu:8.1f}   ({name})"
        yield "The dearest tests:"
        for name in sorted(self.tests, key=lambda one: -self.tests[one][1])[:_DEAREST]:
            yield f"{self.tests[name][1]:8.1f}   {name}"


class Times:
    """What is known about how long tests take."""

    def __init__(
        self,
        rows: Mapping[str, Spent],
        folders: Mapping[str, Folder] | None = None,
        beside: Mapping[str, float] | None = None,
    ) -> None:
        self.rows = dict(rows)
        self.folders = dict(folders or {})
        self.beside = dict(beside or {})

    def seconds(self, nodeid: str) -> float:
        """Return how long a test takes by the clock."""
        row = self.rows.get(nodeid) or self.rows.get(function(nodeid))
        return row[0] if row else self.folders.get(folder(nodeid), (0.0, 0.0, USUAL))[2]

    def unknown(self) -> list[str]:
        """Return the names of rows whose test is gone."""
        return [name for name in self.rows if not _is_there(*function(name).split("::"))]

    def recorded(self, cost: Cost, *, is_whole: bool) -> "Times":
        """Return the times with what tests took now, without rows of tests that are gone.

        What folders take says a run of the whole suite alone.
        """
        spent = cost.tests
        cases = defaultdict(list)
        for nodeid in spent:
            cases[function(nodeid)].append(nodeid)
        gone = set(self.unknown())
        rows = {
            name: row for name, row in self.rows.items() if name not in gone and function(name) not in cases
        }
        for name, nodeids in cases.items():
            usual = median(spent[one][0] for one in nodeids), median(spent[one][1] for one in nodeids)
            if row := self._settled(name, usual):
                rows[name] = row
            for one in nodeids:
                if spent[one][0] >= max(SLOW, 3 * usual[0]) and (row := self._settled(one, spent[one])):
                    rows[one] = row
        return Times(rows, *self._sums(cost, rows)) if is_whole else Times(rows, self.folders, self.beside)

    def _sums(self, cost: Cost, rows: Mapping[str, Spent]) -> tuple[dict[str, Folder], dict[str, float]]:
        """Return what folders take, and what is spent beside them."""
        quick = defaultdict(list)
        for name, (wall, _) in cost.tests.items():
            if name not in rows and function(name) not in rows:
                quick[folder(name)].append(wall)
        folders = {
            name: (round(wall, 1), round(cpu, 1), round(mean(quick[name] or [USUAL]), 3))
            for name, (wall, cpu) in cost.folders().items()
        }
        beside = {name: round(took, 1) for name, took in cost.others().items()}
        return folders, {"whole": round(cost.whole, 1), "explained": round(cost.explained(), 3), **beside}

    def _settled(self, name: str, spent: Spent) -> Spent | None:
        """Round, but let stand what the table says if that is about right; None if it is quick."""
        former = self.rows.get(name, (0.0, 0.0))
        wall, cpu = (
            then if then * 0.7 <= now < then * 3 else max(step for step in _STEPS if step <= max(now, 0.0))
            for now, then in zip(spent, former, strict=True)
        )
        return (wall, cpu) if wall >= SLOW else None

    def write(self, path: Path = TABLE) -> None:
        """Write the table."""
        lines = [_HEAD, *(_row(name, self.rows[name]) for name in sorted(self.rows))]
        if self.folders:
            lines += [_FOLDERS, "[folders]\n"]
            lines += [_row(name, self.folders[name]) for name in sorted(self.folders)]
            lines += [_BESIDE, "[beside]\n"]
            lines += [f"{_key(name)} = {took:g}\n" for name, took in self.beside.items()]
        path.write_text("".join(lines), encoding="utf-8")


def _key(name: str) -> str:
    # A string of JSON is one of TOML, but for one character.
    return json.dumps(name, ensure_ascii=False).replace("\x7f", "\\u007f")


def _row(name: str, times: tuple[float, ...]) -> str:
    return f"{_key(name)} = [{', '.join(f'{one:g}' for one in times)}]\n"


def folder(nodeid: str) -> str:
    """Return the folder of a test."""
    return nodeid.partition("::")[0].rpartition("/")[0]


def function(nodeid: str) -> str:
    """Return the name of a test function, without the case."""
    return nodeid.partition("[")[0]


def read(path: Path) -> Times:
    """Read a table."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    folders, beside = tables.pop("folders", {}), tables.pop("beside", {})
    return Times({name: tuple(row) for name, row in tables.items()}, folders, beside)


@cache
def table() -> Times:
    """Return what is written down."""
    return read(TABLE)


def _is_there(file: str, *names: str) -> bool:
    # A test case of Hypothesis runs its machine by a name that every one has.
    return [one for one in names if one != "runTest"][-1] in _names(file)


@cache
def _names(file: str) -> set[str]:
    """Return what is defined in a file of tests."""
    path = TABLE.parents[1] / file
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8")))) if path.is_file() else []
    assigned = {one.id for one in nodes if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
    return assigned | {one.name for one in nodes if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)}
