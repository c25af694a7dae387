"""Update the local Slack's data on what Block Kit allows, from two published packages.

    python tools/block_kit.py SLACKBLOCKS.whl SLACK-TYPES.tgz

``slackblocks`` (PyPI) has the surfaces of each block and the limits, ``@slack/types`` (npm) the fields. Both
are only read as data, and none of their code is run.
"""

from __future__ import annotations

import ast
import json
import re
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

TARGET: Final = Path(__file__).resolve().parent.parent / "playground/slack/kit/block_kit.json"
#: Files of ``@slack/types`` that describe what Usher sends.
TYPES: Final = (
    "block-kit/blocks",
    "block-kit/block-elements",
    "block-kit/composition-objects",
    "block-kit/extensions",
    "views",
)
#: Objects that have no ``type`` of their own, by their names in ``@slack/types``.
UNTYPED: Final = {
    "ImageElement": "image_element",
    "Confirm": "confirmation",
    "DispatchActionConfig": "dispatch_action_configuration",
    "MrkdwnOption": "option",
    "OptionGroup": "option_group",
    "TableBlockColumnSettings": "column_settings",
}  # fmt: skip

_COMMENT: Final = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_DECLARATION: Final = re.compile(r"\b(?:interface (\w+)(?: extends ([\w, ]+?))?|type (\w+) =) \{")
_ALIAS: Final = re.compile(r"\btype (\w+) = ([^;{}]+);")
_FIELD: Final = re.compile(r"(\w+)(\?)?: ")
_WORDS: Final = re.compile(r"(?:'[^']*'(?: \| )?)+")


def read_surfaces(module: str) -> dict[str, list[str]]:
    """Return the block types that each surface accepts, from the source of ``slackblocks/_surfaces.py``."""
    for statement in ast.parse(module).body:
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.value, ast.Dict):
            continue
        if ast.unparse(statement.target) == "_BLOCK_TYPES_BY_SURFACE":
            return {
                str(ast.literal_eval(surface)): sorted(ast.literal_eval(kinds.args[0]))
                for surface, kinds in zip(statement.value.keys, statement.value.values, strict=True)
                if surface is not None and isinstance(kinds, ast.Call)
            }
    raise SystemExit("slackblocks/_surfaces.py has no _BLOCK_TYPES_BY_SURFACE")


def read_limits(module: str) -> dict[str, int]:
    """Return the limits by name. In ``slackblocks/_limits.py``, a comment above each limit has its name."""
    return {
        name: int(number) for name, number in re.findall(r"^# ([\w.]+)\n\w+ = (\d+)$", module, re.MULTILINE)
    }


class Declarations:
    """The interfaces of ``@slack/types``."""

    def __init__(self, source: str) -> None:
        source = _COMMENT.sub("", source)
        self._bodies: dict[str, str] = {}
        self._parents: dict[str, list[str]] = {}
        self._aliases = dict(_ALIAS.findall(source))
        for declaration in _DECLARATION.finditer(source):
            name = declaration[1] or declaration[3]
            body, rest = _split_braces(source[declaration.end() :])
            intersection = rest.split(";", 1)[0] if declaration[3] else ""
            self._bodies[name] = body
            self._parents[name] = re.findall(r"\w+", (declaration[2] or "") + " " + intersection)

    def describe(self) -> dict[str, dict[str, Any]]:
        """Return each type's fields: whether a field is required, and the words that are allowed in it."""
        described = {}
        for name in self._bodies:
            fields = dict(self._fields(name))
            [kind] = fields.pop("type", {}).get("values", [None])
            if (kind := UNTYPED.get(name, kind)) is not None:
                described[kind] = dict(sorted(fields.items()))
        return dict(sorted(described.items()))

    def _fields(self, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
        alternatives = (
            sum(parent in ("UrlImageObject", "SlackFileImageObject") for parent in self._parents[name]) > 1
        )
        for parent in self._parents[name]:
            for field, facts in self._fields(parent) if parent in self._bodies else ():
                yield field, {**facts, "required": facts["required"] and not alternatives}
        for field in _split_fields(self._bodies[name]):
            if match := _FIELD.match(field):
                kind = field[match.end() :].strip()
                words = self._aliases.get(kind, kind)
                values = {"values": re.findall(r"'([^']*)'", words)} if _WORDS.fullmatch(words) else {}
                values |= {"values": [False, True]} if kind == "boolean" else {}
                yield match[1], {"required": not match[2], **values}


def _split_braces(text: str) -> tuple[str, str]:
    """Return the text up to the closing brace of a body, and the text after the brace."""
    depth = 1
    for place, character in enumerate(text):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth == 0:
            return text[:place], text[place + 1 :]
    raise SystemExit("a declaration of @slack/types has no end")


def _split_fields(body: str) -> Iterator[str]:
    depth, start = 0, 0
    for place, character in enumerate(body):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if character == ";" and depth == 0:
            yield " ".join(body[start:place].split())
            start = place + 1


def read_slackblocks(wheel: Path) -> dict[str, Any]:
    """Return the surfaces, the limits, the version and the licence from a wheel of ``slackblocks``."""
    with zipfile.ZipFile(wheel) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist() if not name.endswith("/")}
    [metadata] = (text for name, text in files.items() if name.endswith(".dist-info/METADATA"))
    [licence] = (text for name, text in files.items() if name.endswith("/licenses/LICENSE"))
    [version] = re.findall(r"^Version: (.+)$", metadata, re.MULTILINE)
    return {
        "source": {"package": f"slackblocks {version} (PyPI)", "licence": licence.split("\n")},
        "surfaces": read_surfaces(files["slackblocks/_surfaces.py"]),
        "limits": read_limits(files["slackblocks/_limits.py"]),
    }


def read_slack_types(tarball: Path) -> dict[str, Any]:
    """Return the fields, the version and the licence from a package of ``@slack/types``."""
    with tarfile.open(tarball) as archive:

        def read(name: str) -> str:
            member = archive.extractfile(f"package/{name}")
            assert member is not None
            return member.read().decode()

        source = "\n".join(read(f"dist/{name}.d.ts") for name in TYPES)
        version, licence = json.loads(read("package.json"))["version"], read("LICENSE")
    return {
        "source": {"package": f"@slack/types {version} (npm)", "licence": licence.strip().split("\n")},
        "fields": Declarations(source).describe(),
    }


def format_content(content: dict[str, Any]) -> str:
    """Return the content as JSON, with one line for each source, surface, limit and object."""
    parts = []
    for name, part in content.items():
        rows = part if isinstance(part, list) else part.items()
        lines = [json.dumps(row if isinstance(part, list) else row[1], ensure_ascii=False) for row in rows]
        if isinstance(part, dict):
            lines = [f"{json.dumps(key)}: {line}" for key, line in zip(part, lines, strict=True)]
        opening, closing = "[]" if isinstance(part, list) else "{}"
        parts.append(f"{json.dumps(name)}: {opening}\n" + ",\n".join(lines) + f"\n{closing}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def main(wheel: str, tarball: str) -> None:
    """Write the data file."""
    blocks, types = read_slackblocks(Path(wheel)), read_slack_types(Path(tarball))
    content = {
        "sources": [blocks.pop("source"), types.pop("source")],
        **blocks,
        **types,
    }
    TARGET.write_text(format_content(content), encoding="utf-8")
    print(f"{TARGET.name}: {len(content['limits'])} limits, {len(content['fields'])} objects with fields")


if __name__ == "__main__":
    main(*sys.argv[1:3])
