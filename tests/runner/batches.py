"""What workers run next: what takes long, the longest first, then what is near to what they ran last."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import PurePath
from typing import Final

import pytest

#: About as long does a worker run at most before it asks again (seconds).
BATCH: Final = 1.0
#: What takes longer is begun before all else: nobody waits for it at the end.
LONG: Final = 3.0


class Batches:
    """Deal out tests, by their numbers in the order of collection.

    One worker runs those that are marked ``together(NAME)`` with one name, or that share a fixture of their
    module: what they need is started once. Others of a module stay together for a second at most. A worker
    goes on in the folder where it is: what the tests there have in common, it has made already.
    """

    def __init__(self, items: Sequence[pytest.Item], seconds: Callable[[str], float], workers: int) -> None:
        self._seconds = [seconds(one.nodeid) for one in items]
        self._most = min(BATCH, sum(self._seconds) / (4 * workers or 1))
        self._folder = [str(PurePath(one.location[0]).parent) for one in items]
        self._long: list[list[int]] = []
        self._short: dict[str, deque[list[int]]] = defaultdict(deque)
        for batch in self._split(items):
            self.put_back(batch)

    def take(self, last: list[int]) -> list[int]:
        """Return what to run after these; nothing if nothing is left."""
        if self._long:
            return self._long.pop()
        here = self._folder[last[0]] if last else ""
        if not self._short.get(here):
            # Where most is left, others may be at work; they need help there.
            left = {name: sum(map(self._length, batches)) for name, batches in self._short.items()}
            here = max(left, key=left.__getitem__, default="")
        return self._short[here].popleft() if self._short.get(here) else []

    def put_back(self, batch: list[int]) -> None:
        """Have these run by somebody."""
        if batch and self._length(batch) >= LONG:
            self._long.append(batch)
            self._long.sort(key=self._length)
        elif batch:
            self._short[self._folder[batch[0]]].append(batch)

    def _length(self, batch: list[int]) -> float:
        return sum(self._seconds[number] for number in batch)

    def _split(self, items: Sequence[pytest.Item]) -> Iterator[list[int]]:
        together: dict[str, list[int]] = defaultdict(list)
        for path, numbers in groupby(range(len(items)), lambda number: items[number].location[0]):
            module = list(numbers)
            shares = any(_shares(items[number]) for number in module)
            names = {number: _name(items[number]) for number in module}
            default = next(filter(None, names.values()), path) if shares else ""
            batch: list[int] = []
            for number in module:
                if name := names[number] or default:
                    together[name].append(number)
                    continue
                if batch and self._length([*batch, number]) > self._most:
                    yield batch
                    batch = []
                batch.append(number)
            yield batch
        yield from together.values()


def _shares(item: pytest.Function) -> bool:
    """Say whether a test has a fixture that is made once for several."""
    made = item._fixtureinfo.name2fixturedefs.values()
    return any(one.scope in ("class", "module", "package") for several in made for one in several)


def _name(item: pytest.Item) -> str:
    marker = item.get_closest_marker("together")
    return marker.args[0] if marker else ""
