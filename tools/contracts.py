"""Compare the published API documents with those that the code was written for, and print the changes.

``tests/project/schemas/contracts.toml`` has an entry for each document: where the one in use is, where the
newest one is, and which operations the code uses. JSON schemas and tables of limits are compared completely.
Two files or addresses may be given instead, as in ``contracts.py NAME OLD NEW``. Without arguments, Slack is
also asked about the shapes of all messages.
"""

from __future__ import annotations

import sys
import tomllib
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.rigs.golden_files import list_shapes
from tools.shape_checks import check_shapes

SCHEMAS = Path(__file__).resolve().parent.parent / "tests/project/schemas"
TIMEOUT_S = 60
#: Maximum depth of references, as documents refer to themselves. The code reads nothing that is deeper.
DEEPEST = 8


def contracts() -> dict[str, dict[str, Any]]:
    """Return the documents by name."""
    return tomllib.loads((SCHEMAS / "contracts.toml").read_text(encoding="utf-8"))


def read(place: str) -> Mapping[str, Any]:
    """Read a YAML or JSON document from an address, or from a file next to the list."""
    if place.startswith("https://"):
        with urllib.request.urlopen(place, timeout=TIMEOUT_S) as answer:  # noqa: S310 - only https
            text = answer.read().decode("utf-8")
    else:
        text = (SCHEMAS / place).read_text(encoding="utf-8")
    content = yaml.safe_load(text)
    if not isinstance(content, dict):
        raise SystemExit(f"{place} is no document")
    return content


def facts(content: Mapping[str, Any], operations: Sequence[str] = ()) -> set[str]:
    """Return a document's facts, one per line: about operations, the whole schema, or limits."""
    if "paths" in content:
        return set(_of_operations(content, operations))
    if "properties" in content:
        return set(_of_schema(content, content, ""))
    return set(_of_limits(content.get("limits", content)))


def _of_limits(limits: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """Yield limits by name. A document may nest them by the parts of their names."""
    for name, part in limits.items():
        if isinstance(part, dict):
            yield from _of_limits(part, f"{above}{name}.")
        else:
            yield f"{above}{name}: {part}"


def changes(old: Mapping[str, Any], new: Mapping[str, Any], operations: Sequence[str] = ()) -> list[str]:
    """Return the lines that are in only one of the documents, marked as in a diff."""
    before, after = facts(old, operations), facts(new, operations)
    lines = [(line, "-") for line in before - after] + [(line, "+") for line in after - before]
    return [f"{mark} {line}" for line, mark in sorted(lines)]


def _of_operations(content: Mapping[str, Any], operations: Sequence[str]) -> Iterator[str]:
    for name in operations:
        method, _, path = name.partition(" ")
        item = content["paths"].get(path, {})
        found = item.get(method.lower())
        if found is None:
            continue
        yield name
        for one in [*item.get("parameters", []), *found.get("parameters", [])]:
            parameter = _resolve(content, one)
            where = f"{name}: {parameter['in']} {parameter['name']}"
            yield f"{where}: {'required' if parameter.get('required') else 'optional'}"
            yield from _of_schema(content, parameter.get("schema", {}), where)
        body = _resolve(content, found.get("requestBody", {}))
        yield from _of_schema(content, _json(body), f"{name}: body")
        for status, answer in found.get("responses", {}).items():
            yield f"{name}: answer {status}"
            yield from _of_schema(content, _json(_resolve(content, answer)), f"{name}: answer {status}")


def _of_schema(
    content: Mapping[str, Any], schema: Any, where: str, above: tuple[str, ...] = ()
) -> Iterator[str]:
    reference = schema.get("$ref", "") if isinstance(schema, dict) else ""
    if not isinstance(schema, dict) or (reference and reference in above) or len(above) > DEEPEST:
        return
    above = (*above, reference)
    schema = _resolve(content, schema)
    for key in (
        "type",
        "format",
        "enum",
        "minimum",
        "maximum",
        "minLength",
        "maxLength",
        "pattern",
        "nullable",
    ):
        if key in schema:
            yield f"{where}: {key} {schema[key]}"
    required = schema.get("required", [])
    for name, part in schema.get("properties", {}).items():
        yield f"{where}.{name}: {'required' if name in required else 'optional'}"
        yield from _of_schema(content, part, f"{where}.{name}", above)
    yield from _of_schema(content, schema.get("items"), f"{where}[]", above)
    yield from _of_schema(content, schema.get("additionalProperties"), f"{where}.*", above)
    for key in ("allOf", "oneOf", "anyOf"):
        for part in schema.get(key, []):
            yield from _of_schema(content, part, where, above)


def _json(part: Mapping[str, Any]) -> Any:
    return part.get("content", {}).get("application/json", {}).get("schema")


def _resolve(content: Mapping[str, Any], part: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in part:
        found: Any = content
        for key in part["$ref"].removeprefix("#/").split("/"):
            found = found[key]
        part = found
    return part


def main(arguments: Sequence[str]) -> int:
    """Print the changes; return 1 if there are any, or 2 if they can't be determined."""
    known = contracts()
    if len(arguments) not in {0, 3} or (arguments and arguments[0] not in known):
        print(f"usage: {Path(__file__).name} [{'|'.join(known)} OLD NEW]", file=sys.stderr)
        return 2
    names = [arguments[0]] if arguments else list(known)
    status = 0
    for name in names:
        one = known[name]
        old, new = arguments[1:] if arguments else (one["used"], one["newest"])
        try:
            found = changes(read(old), read(new), one.get("operations", ()))
        except OSError as error:
            print(f"{name}: can't be read: {error}")
            status = 2
            continue
        print(f"{name}: {f'{len(found)} changes' if found else 'nothing changed'}")
        print("".join(f"  {line}\n" for line in found), end="")
        status = max(status, 1 if found else 0)
    return status if arguments else max(status, check_shapes(list_shapes()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
