"""JSON values from outside: read within limits, checked for names and types, and turned into records."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

#: Objects within objects that a body may hold: an answer repeats some of them, and has to be written, too.
MOST_LEVELS = 100
_TYPES: dict[str, tuple[type, ...]] = {"str": (str,), "bool": (bool,), "int": (int,), "float": (int, float)}


class SeedError(ValueError):
    """Say what is wrong with a seed, or with a change of it that a test asks for."""


def loads(text: str | bytes) -> Any:
    """Return JSON values; raise ValueError for what is no JSON or nested deeper than anybody means."""
    try:
        data = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    raw = text.encode("utf-8", "replace") if isinstance(text, str) else text
    # What can't be that deep need not be walked through.
    if raw.count(b"[") + raw.count(b"{") > MOST_LEVELS:
        _check_levels(data)
    return data


def _check_levels(data: Any) -> None:
    level = [data]
    for _ in range(MOST_LEVELS):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return
    raise ValueError("nested too deeply")


def read_seed(path: Path, parse: Callable[[Any], T]) -> T:
    """Read a seed file; raise SeedError, which names it."""
    try:
        return parse(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise SeedError(f"{path}: {error}") from error


def checked(data: Any, known: Iterable[str]) -> dict[str, Any]:
    """Return an object that has known names only; raise SeedError."""
    if not isinstance(data, dict):
        raise SeedError(f"{data!r} is not an object")
    unknown = sorted(set(data) - set(known))
    if unknown:
        raise SeedError(f"unknown {', '.join(unknown)}")
    return data


def field_names(kind: Any) -> list[str]:
    """Return the names of a record's fields."""
    return [field.name for field in fields(kind)]


def record(kind: type[T], data: Any) -> T:
    """Make a record of an object, a list as a tuple where it has one; raise SeedError."""
    kinds = {field.name: str(field.type) for field in fields(kind)}  # type: ignore[arg-type]  # records only
    values = {
        name: tuple(value) if isinstance(value, list) and kinds[name].startswith("tuple") else value
        for name, value in checked(data, kinds).items()
    }
    try:
        return kind(**values)
    except TypeError as error:
        raise SeedError(f"{values.get('name')}: {error}") from error


def typed(kind: Any, data: Any) -> dict[str, Any]:
    """Return an object whose values have the plain types of a record's fields; raise SeedError."""
    kinds = {field.name: str(field.type).split(" | ") for field in fields(kind)}
    for name, value in checked(data, kinds).items():
        allowed = {allowed for word in kinds[name] for allowed in _TYPES.get(word, ())}
        if type(value) not in allowed and not (value is None and "None" in kinds[name]):
            raise SeedError(f"{name} is a {' or '.join(kinds[name])}")
    return dict(data)
