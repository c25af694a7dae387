"""Rows of a matrix that ``make test`` plays, and those that it leaves to ``make test-thorough``."""

import subprocess
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

_ROOT = Path(__file__).parents[2]


def one_in(every: int, rows: Iterable[Any], begin: int = 0) -> list[Any]:
    """Return all rows, of which all but one in so many are thorough; the first kept one is said."""
    return [
        pytest.param(*(row if isinstance(row, tuple) else [row]), marks=() if kept else pytest.mark.thorough)
        for row, kept in ((row, number % every == begin) for number, row in enumerate(rows))
    ]


def draw_one(rows: Sequence[Any]) -> list[Any]:
    """Return all rows, of which all but one are thorough: each commit keeps another one."""
    kept = draw_number(_read_commit(), len(rows))
    return [
        pytest.param(row, id=str(row), marks=() if number == kept else pytest.mark.thorough)
        for number, row in enumerate(rows)
    ]


def draw_number(commit: str, count: int) -> int:
    """Return a number below the count, the same in every run of one commit."""
    return int(commit or "0", 16) % count


@cache
def _read_commit() -> str:
    """Return the id of the checked-out commit, "" where there is no repository."""
    try:
        asked = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=_ROOT, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return ""
    return asked.stdout.strip() if asked.returncode == 0 else ""
