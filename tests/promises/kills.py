"""Which tests notice which mutants: ``python -m tests.promises --kills`` adds what ``kills.json`` lacks.

A mutant is made for each test of the rooms in which many tests go the same way, in the function that the
fewest other tests reach: if a test is worth anything, it's there. Of those that reach it, the quickest are
run, until a few have noticed it. One that alone notices something can't go, and ``test_kills.py`` sees to it
that one is left for each mutant. Which tests notice a patch stands with the patch.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tests.promises.mutants import Mutant, mutants
from tests.promises.patches import FOLDER
from tests.promises.reach import Reach
from tests.runner import times

TABLE = FOLDER / "kills.json"
#: Where a test has to be worth what it costs: elsewhere each proves a rule, a contract or a promise.
ROOMS = ("tests/handlers/", "tests/scenarios/", "tests/messages/", "tests/web/")
#: So many seconds of tests are tried for a mutant.
TRIED = 2.0
#: So many seconds later no other test is begun: what makes one wait for ever makes all others, too.
PATIENCE = 30.0
#: Once so many have noticed it, a mutant is done with.
ENOUGH = 3


@dataclass(frozen=True, slots=True)
class Kills:
    """Hold which test functions notice each mutant, and how many test cases were tried for it."""

    by: dict[str, list[str]] = field(default_factory=dict)
    tried: dict[str, int] = field(default_factory=dict)

    @classmethod
    def kept(cls, path: Path = TABLE) -> "Kills":
        """Return what is written down; nothing if nothing is."""
        if not path.exists():
            return cls()
        written = json.loads(path.read_text(encoding="utf-8"))
        names = written["tests"]
        rows = written["mutants"].items()
        return cls(
            {mutant: [names[number] for number in numbers] for mutant, (_, *numbers) in rows},
            {mutant: tried for mutant, (tried, *_) in rows},
        )

    def add(self, mutant: str, red: Iterable[str], tried: int) -> None:
        """Note what noticed a mutant."""
        self.by[mutant] = list(dict.fromkeys(map(times.function, red)))
        self.tried[mutant] = tried

    def keep(self, path: Path = TABLE) -> None:
        """Write it down, a mutant on each line."""
        names = sorted({test for some in self.by.values() for test in some})
        numbers = {test: number for number, test in enumerate(names)}
        rows = []
        for mutant, some in sorted(self.by.items()):
            row = json.dumps([self.tried[mutant], *(numbers[one] for one in some)])
            rows.append(f"{json.dumps(mutant, ensure_ascii=False)}: {row}")
        tests = ",\n".join(map(json.dumps, names))
        text = f'{{"tests": [\n{tests}\n],\n"mutants": {{\n' + ",\n".join(rows) + "\n}}\n"
        path.write_text(text, encoding="utf-8")


def sample(reach: Reach) -> list[Mutant]:
    """Return a mutant for each test of these rooms: the same for the same code and the same reach."""
    others = {
        function: len({times.function(test) for test in tests}) for function, tests in reach.tests.items()
    }
    reached = defaultdict(set)
    for function, tests in reach.tests.items():
        for test in tests:
            reached[times.function(test)].add(function)
    chosen = {}
    for test in sorted(test for test in reached if test.startswith(ROOMS)):
        for function in sorted(reached[test], key=lambda one: (others[one], _drawn(one))):
            if made := _mutants(function):
                chosen[made[0].name] = made[0]
                break
    return list(chosen.values())


def _mutants(function: str) -> list[Mutant]:
    """Return the mutants of a function, as it is named in what is reached, in an order drawn by lot."""
    file, _, name = function.partition("::")
    inside = name.partition(".<locals>")[0]
    return sorted((one for one in _of_file(file) if one.where == inside), key=lambda one: _drawn(one.name))


@cache
def _of_file(file: str) -> list[Mutant]:
    return mutants(file)


def _drawn(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()
