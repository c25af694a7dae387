"""Reads parameters with the types given in the reference."""

from __future__ import annotations

from typing import Any

from playground.posit.errors import missing, wrong_type

Values = dict[str, Any]


def text(values: Values, name: str, *, required: bool = False) -> str | None:
    """Return a string, or None if it is optional and missing; raise CallError if it is invalid."""
    if name not in values:
        if required:
            raise missing(name)
        return None
    if not isinstance(values[name], str):
        raise wrong_type(name, "a string")
    if required and not values[name].strip():
        raise missing(name)
    return str(values[name])


def flag(values: Values, name: str, *, default: bool = False) -> bool:
    """Return a boolean; raise CallError."""
    value = values.get(name, default)
    if not isinstance(value, bool):
        raise wrong_type(name, "a boolean")
    return value


def texts(values: Values, name: str) -> list[str]:
    """Return an array of strings; raise CallError."""
    value = values.get(name, [])
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise wrong_type(name, "an array of strings")
    return list(value)


def records(values: Values, name: str, *keys: str) -> list[Values]:
    """Return an array of objects that all have these keys, with strings as values; raise CallError."""
    value = values.get(name, [])
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise wrong_type(name, "an array of objects")
    for entry in value:
        for key in keys:
            if key not in entry:
                raise missing(f"{name}.{key}")
            if not isinstance(entry[key], str):
                raise wrong_type(f"{name}.{key}", "a string")
    return list(value)


def hooks(values: Values, name: str) -> list[Values]:
    """Return session hooks: one, as in the reference's type, or several, as in its text. Raises CallError."""
    value = values.get(name, [])
    return records({name: [value] if isinstance(value, dict) else value}, name, "exe")


def identifiers(value: str) -> list[str]:
    """Return the ids in a comma-separated list."""
    return [part for word in value.split(",") if (part := word.strip())]
