"""A table with all its rows, on its way from one database to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Table:
    """Hold a table's name, its columns, and its rows in that order."""

    name: str
    columns: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]
