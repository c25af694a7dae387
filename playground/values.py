"""JSON from outside: limits its depth, checks names and types, and turns objects into dataclass instances."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

#: Maximum nesting depth of a body. Answers repeat parts of a body, and JSON that is nested too deeply can't
#: be written.
MOST_LEVELS = 100
_TYPES: dict[str, tuple[type, ...]] = {"str": (str,), "bool": (bool,), "int": (int,), "float": (int, float)}


class SeedError(ValueError):
    """Raised if a seed, or a change that a test asks for, is invalid."""


def loads(text: str | bytes) -> Any:
    """Parse JSON; raise ValueError if it is invalid or nested more than MOST_LEVELS deep."""
    try:
        data = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    raw = text.encode("utf-8", "replace") if isinstance(text, str) else text
    # With this few brackets, the data can't be nested too deeply.
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
    """Read a seed file; raise SeedError with the file's path if that fails."""
    try:
        return parse(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise SeedError(f"{path}: {error}") from error


def checked(data: Any, known: Iterable[str]) -> dict[str, Any]:
    """Return the object after checking that all its names are known; raise SeedError."""
    if not isinstance(data, dict):
        raise SeedError(f"{data!r} is not an object")
    unknown = sorted(set(data) - set(known))
    if unknown:
        raise SeedError(f"unknown {', '.join(unknown)}")
    return data


def field_names(kind: Any) -> list[str]:
    """Return the names of a dataclass's fields."""
    return [field.name for field in fields(kind)]


def record(kind: type[T], data: Any) -> T:
    """Build a dataclass instance from an object, turning lists into tuples if needed; raise SeedError."""
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
    """Return an object after checking that its values have the types of the fields; raise SeedError."""
    kinds = {field.name: str(field.type).split(" | ") for field in fields(kind)}
    for name, value in checked(data, kinds).items():
        allowed = {allowed for word in kinds[name] for allowed in _TYPES.get(word, ())}
        if type(value) not in allowed and not (value is None and "None" in kinds[name]):
            raise SeedError(f"{name} is a {' or '.join(kinds[name])}")
    return dict(data)
