"""Rows of a matrix that ``make test`` plays, and those that it leaves to ``make test-thorough``."""

from collections.abc import Iterable
from typing import Any

import pytest


def one_in(every: int, rows: Iterable[Any], begin: int = 0) -> list[Any]:
    """Return all rows, of which all but one in so many are thorough; the first kept one is said."""
    return [
        pytest.param(*(row if isinstance(row, tuple) else [row]), marks=() if kept else pytest.mark.thorough)
        for row, kept in ((row, number % every == begin) for number, row in enumerate(rows))
    ]
