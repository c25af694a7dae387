"""Draws a sample of a test's cases for ``make test``. ``make test-thorough`` runs all cases.

A test that is parametrized more than once is a product: every value of one list is combined with every value
of the others. Ten combinations are drawn, or as many as the longest list has values, so that each value
occurs at least once. If a product is written as one list of combinations, its test calls ``draw``.
"""

import random
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final
from zlib import crc32

import pytest

_ROOT = Path(__file__).parents[2]
#: Number of cases drawn from a product.
DRAWN_CASES: Final = 10


def draw(rows: Iterable[Any], count: int = DRAWN_CASES) -> list[Any]:
    """Mark all rows as thorough, except a sample of this size. The sample is the same in every run."""
    rows = list(rows)
    kept = set(random.Random(0).sample(range(len(rows)), min(count, len(rows))))
    drawn = pytest.mark.drawn if len(kept) < len(rows) else ()
    return [
        pytest.param(
            *(row if isinstance(row, tuple) else [row]),
            marks=drawn if number in kept else pytest.mark.thorough,
        )
        for number, row in enumerate(rows)
    ]


def mark_products(items: Iterable[Any]) -> None:
    """Mark a sample of each product's cases as drawn, and the others as thorough."""
    products: dict[tuple[Any, ...], dict[Any, tuple[Any, ...]]] = defaultdict(dict)
    for item in items:
        lists = [_list_names(mark) for mark in item.iter_markers("parametrize")]
        if len(lists) < 2 or item.get_closest_marker("thorough"):
            continue
        # Values are compared by identity: a value is the same object in all its combinations.
        values = {name: id(value) for name, value in item.callspec.params.items()}
        place = tuple(tuple(values.pop(name, None) for name in names) for names in lists)
        products[item.parent, item.originalname, *values.items()][item] = place
    for cases in products.values():
        if len(cases) > DRAWN_CASES:
            kept = set(_draw_evenly(cases))
            for item in cases:
                item.add_marker(pytest.mark.drawn if item in kept else pytest.mark.thorough)


def _list_names(mark: pytest.Mark) -> list[str]:
    names = mark.args[0] if mark.args else mark.kwargs["argnames"]
    return [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)


def _draw_evenly(cases: dict[pytest.Item, tuple[Any, ...]]) -> Iterator[pytest.Item]:
    """Draw cases so that all values of a list occur about equally often."""
    left = dict(sorted(cases.items(), key=lambda case: crc32(case[0].nodeid.encode())))
    lists = [set(values) for values in zip(*left.values(), strict=True)]
    drawn = [Counter[Any]() for _ in lists]
    for _ in range(min(len(left), max(DRAWN_CASES, *map(len, lists)))):
        item = min(left, key=lambda item: [*sorted(map(Counter.__getitem__, drawn, left[item]))])
        for counter, value in zip(drawn, left.pop(item), strict=True):
            counter[value] += 1
        yield item


def draw_one(rows: Sequence[Any]) -> list[Any]:
    """Mark all rows but one as thorough. Which one is left depends on the commit."""
    kept = draw_number(_read_commit(), len(rows))
    return [
        pytest.param(row, id=str(row), marks=() if number == kept else pytest.mark.thorough)
        for number, row in enumerate(rows)
    ]


def draw_number(commit: str, count: int) -> int:
    """Return a number below ``count`` that depends only on the commit."""
    return int(commit or "0", 16) % count


@cache
def _read_commit() -> str:
    """Return the id of the checked-out commit, or "" if there is no repository."""
    try:
        asked = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=_ROOT, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return ""
    return asked.stdout.strip() if asked.returncode == 0 else ""
