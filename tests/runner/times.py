"""How long tests take, as ``pytest --workers 2 --record-times`` wrote it down: ``tests/times.toml``.

A row is of a test function, or of a case of it that takes much longer than the others: seconds by the clock,
and of the processor with what was started. Only what takes long has a row, times are rounded down to 1, 2 or
5, and a row that is about right stays: the table changes only where something has changed.
"""

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from statistics import median
from typing import Final

TABLE: Final = Path(__file__).parents[1] / "times.toml"
#: From this on a test is slow, and `make test-fast` leaves it out (seconds).
SLOW: Final = 0.5
#: How long a test takes that has no row (seconds).
USUAL: Final = 0.02
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

    def recorded(self, spent: Mapping[str, Spent], known: Iterable[str]) -> "Times":
        """Return the times with what tests took now, without rows of tests that are not among all known."""
        cases = defaultdict(list)
        for nodeid in spent:
            cases[function(nodeid)].append(nodeid)
        there = {*known, *map(function, known)}
        rows = {name: row for name, row in self.rows.items() if name in there and function(name) not in cases}
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
            then if then * 0.7 <= now < then * 3 else max(step for step in _STEPS if step <= now)
            for now, then in zip(spent, former, strict=True)
        )
        return (wall, cpu) if wall else None

    def write(self) -> None:
        """Write the table."""
        lines = [f"{_quoted(name)} = [{wall:g}, {cpu:g}]" for name, (wall, cpu) in sorted(self.rows.items())]
        head = "# Seconds by the clock and of the processor: `pytest --workers 2 --record-times` writes it.\n"
        TABLE.write_text(head + "\n".join(lines) + "\n", encoding="utf-8")


def function(nodeid: str) -> str:
    """Return the name of a test function, without the case."""
    return nodeid.partition("[")[0]


@cache
def table() -> Times:
    """Read what is written down."""
    rows = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return Times({name: (float(wall), float(cpu)) for name, (wall, cpu) in rows.items()})


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
