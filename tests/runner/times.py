"""How long tests take, as ``pytest --workers 2 --record-times`` wrote it down: ``tests/times.toml``.

A row is of a test function, or of a case of it that takes much longer than the others: seconds by the clock,
and of the processor with what was started. Only what takes long has a row, times are rounded down to 1, 2 or
5, and a row that is about right stays: the table changes only where something has changed.
"""

import ast
import json
import tomllib
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from statistics import median
from typing import Final

TABLE: Final = Path(__file__).parents[1] / "times.toml"
#: From this on a test is slow, and `make test-fast` leaves it out (seconds).
SLOW: Final = 0.5
#: How long a test takes that has no row (seconds).
USUAL: Final = 0.02
_HEAD: Final = "# Seconds by the clock and of the processor: `pytest --workers 2 --record-times` writes it.\n"
_STEPS: Final = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0)

#: By the clock, and of the processor.
Spent = tuple[float, float]


class Times:
    """What is known about how long tests take."""

    def __init__(self, rows: Mapping[str, Spent]) -> None:
        self.rows = dict(rows)

    def seconds(self, nodeid: str) -> float:
        """Return how long a test takes by the clock."""
        row = self.rows.get(nodeid) or self.rows.get(function(nodeid))
        return row[0] if row else USUAL

    def unknown(self) -> list[str]:
        """Return the names of rows whose test is gone."""
        return [name for name in self.rows if not _is_there(*function(name).split("::"))]

    def recorded(self, spent: Mapping[str, Spent]) -> "Times":
        """Return the times with what tests took now, without rows of tests that are gone."""
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
        return Times(rows)

    def _settled(self, name: str, spent: Spent) -> Spent | None:
        """Round, but let stand what the table says if that is about right; None if it takes no time."""
        former = self.rows.get(name, (0.0, 0.0))
        wall, cpu = (
            then if then * 0.7 <= now < then * 3 else max(step for step in _STEPS if step <= max(now, 0.0))
            for now, then in zip(spent, former, strict=True)
        )
        return (wall, cpu) if wall else None

    def write(self, path: Path = TABLE) -> None:
        """Write the table."""
        # A string of JSON is one of TOML, but for one character.
        quoted = {
            name: json.dumps(name, ensure_ascii=False).replace("\x7f", "\\u007f")
            for name in sorted(self.rows)
        }
        lines = [f"{quoted[name]} = [{self.rows[name][0]:g}, {self.rows[name][1]:g}]\n" for name in quoted]
        path.write_text(_HEAD + "".join(lines), encoding="utf-8")


def function(nodeid: str) -> str:
    """Return the name of a test function, without the case."""
    return nodeid.partition("[")[0]


def read(path: Path) -> Times:
    """Read a table."""
    rows = tomllib.loads(path.read_text(encoding="utf-8"))
    return Times({name: (float(wall), float(cpu)) for name, (wall, cpu) in rows.items()})


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
