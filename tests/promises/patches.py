"""The patches: each breaks one promise of the rules, and at least one test must notice.

They are data, in the ``.toml`` files of this folder: one file for a rule of ``docs/internals/rules.md``,
others for what protects people within one place. A file may name the rule of all its patches at its top.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.project.repository import ROOT

FOLDER = Path(__file__).parent
_RULES = ROOT / "docs/internals/rules.md"
_HEADING = re.compile(r"^## \d+\. (.+)$", re.MULTILINE)
_KEYS = {"name", "rule", "file", "breaks", "old", "new", "red"}


class Outdated(Exception):
    """Signal that a patch no longer fits what it patches."""


@dataclass(frozen=True, slots=True)
class Patch:
    """Hold a change of one file that breaks a promise.

    ``breaks`` says what happens to whom then; ``red`` are the tests known to notice, the fastest first.
    """

    name: str
    rule: str
    file: str
    breaks: str
    old: str
    new: str
    red: tuple[str, ...]
    table: Path

    def patched(self) -> str:
        """Return the text of the file with the promise broken; raise Outdated."""
        path = ROOT / self.file
        if not path.is_file():
            raise Outdated(f"{self.name}: there is no {self.file} any more; rewrite the patch")
        text = path.read_text(encoding="utf-8")
        found = text.count(self.old)
        if found != 1 or self.old == self.new:
            raise Outdated(
                f"{self.name}: its old text stands {found} times in {self.file}, not once; rewrite the patch"
            )
        return text.replace(self.old, self.new)


@cache
def rules() -> tuple[str, ...]:
    """Return the titles of the rules."""
    return tuple(_HEADING.findall(_RULES.read_text(encoding="utf-8")))


def tables() -> list[Path]:
    """Return the files that hold patches."""
    return sorted(FOLDER.glob("*.toml"))


def patches() -> list[Patch]:
    """Return all patches, in the order in which they are written down."""
    return [patch for table in tables() for patch in read(table)]


def read(table: Path) -> list[Patch]:
    """Return the patches of one file; raise ValueError for what is no patch."""
    written = tomllib.loads(table.read_text(encoding="utf-8"))
    shared = {"rule": written["rule"]} if "rule" in written else {}
    return [_patch(shared | entry, table) for entry in written["patch"]]


def _patch(entry: Mapping[str, Any], table: Path) -> Patch:
    name = entry.get("name", "a patch without a name")
    lacking, more = _KEYS - {"red"} - entry.keys(), entry.keys() - _KEYS
    if lacking or more:
        said = [f"lacks {', '.join(sorted(lacking))}"] * bool(lacking)
        said += [f"has {', '.join(sorted(more))}, which no patch has"] * bool(more)
        raise ValueError(f"{table.name}: {name} {' and '.join(said)}")
    if entry["rule"] not in rules():
        raise ValueError(f"{table.name}: {name} is of no rule of docs/internals/rules.md: {entry['rule']}")
    return Patch(**{"red": (), **entry, "table": table} | {"red": tuple(entry.get("red", ()))})


def learn(patch: Patch, red: Iterable[str]) -> None:
    """Write down in its file which tests notice a patch."""
    text = patch.table.read_text(encoding="utf-8")
    start = text.index(f'name = "{patch.name}"')
    end = text.find("[[patch]]", start)
    entry = text[start:] if end < 0 else text[start:end]
    lines = "".join(f"    {json.dumps(one)},\n" for one in red)
    bare = re.sub(r"^red = \[\n(?:    .*\n)*\]\n?", "", entry, flags=re.MULTILINE).rstrip("\n")
    learned = f"{bare}\nred = [\n{lines}]\n" + ("" if end < 0 else "\n")
    patch.table.write_text(text[:start] + learned + ("" if end < 0 else text[end:]), encoding="utf-8")
