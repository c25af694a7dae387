"""Reading parameters with the types that the reference gives them."""

from __future__ import annotations

from typing import Any

from playground.posit.errors import missing, wrong_type

Values = dict[str, Any]


def text(told: Values, name: str, *, required: bool = False) -> str | None:
    """Return a string, or nothing where it may be left out; raise CallError."""
    if name not in told:
        if required:
            raise missing(name)
        return None
    if not isinstance(told[name], str):
        raise wrong_type(name, "a string")
    if required and not told[name].strip():
        raise missing(name)
    return str(told[name])


def flag(told: Values, name: str, *, default: bool = False) -> bool:
    """Return a boolean; raise CallError."""
    value = told.get(name, default)
    if not isinstance(value, bool):
        raise wrong_type(name, "a boolean")
    return value


def texts(told: Values, name: str) -> list[str]:
    """Return an array of strings; raise CallError."""
    value = told.get(name, [])
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise wrong_type(name, "an array of strings")
    return list(value)


def records(told: Values, name: str, *keys: str) -> list[Values]:
    """Return an array of objects that all have these strings; raise CallError."""
    value = told.get(name, [])
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise wrong_type(name, "an array of objects")
    for entry in value:
        for key in keys:
            if key not in entry:
                raise missing(f"{name}.{key}")
            if not isinstance(entry[key], str):
                raise wrong_type(f"{name}.{key}", "a string")
    return list(value)


def hooks(told: Values, name: str) -> list[Values]:
    """Return session hooks: the reference's type is one hook, its words are of several; raise CallError."""
    value = told.get(name, [])
    return records({name: [value] if isinstance(value, dict) else value}, name, "exe")


def identifiers(value: str) -> list[str]:
    """Return the ids of a comma-joined list."""
    return [part for word in value.split(",") if (part := word.strip())]
