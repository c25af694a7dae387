"""The messages and views in the golden files, by name, and the distinct shapes among them."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from tests.rigs import golden_text

FOLDER = Path(__file__).resolve().parents[1] / "golden"
FAMILIES = sorted(path.stem for path in FOLDER.glob("*.txt"))
_NAME = re.compile(r"^## (.+)\n\n", re.MULTILINE)
#: Keys whose strings are part of a message's shape. All other strings are contents.
_WORDS = {"type", "style"}


@cache
def entries(family: str) -> dict[str, str]:
    """Return the text of each entry in a family's file, by the entry's full name."""
    path = FOLDER / f"{family}.txt"
    _, *parts = _NAME.split(path.read_text(encoding="utf-8")) if path.is_file() else [""]
    names = (f"{family}/{name}" for name in parts[::2])
    return {name: text.rstrip("\n") for name, text in zip(names, parts[1::2], strict=True)}


def shown(name: str) -> dict[str, Any]:
    """Return an entry's message or view."""
    return golden_text.read(entries(name.partition("/")[0])[name])


def list_shapes() -> dict[str, dict[str, Any]]:
    """Return the longest message or view of each distinct shape, by its entry's name."""
    longest: dict[str, tuple[int, str, dict[str, Any]]] = {}
    for name in (name for family in FAMILIES if family != "texts" for name in entries(family)):
        message = shown(name)
        for part, drawn in ((name, message), (f"{name}/view", message.get("view"))):
            if drawn is not None:
                structure = json.dumps([drawn.get("type"), _strip_contents(drawn["blocks"])], sort_keys=True)
                candidate = len(json.dumps(drawn)), part, drawn
                longest[structure] = max(longest.get(structure, candidate), candidate)
    return {name: drawn for _, name, drawn in sorted(longest.values())}


def _strip_contents(part: Any) -> Any:
    """Return a part without its contents. Equal neighbours are reduced to one."""
    if isinstance(part, dict):
        return {key: value if key in _WORDS else _strip_contents(value) for key, value in part.items()}
    if isinstance(part, list):
        parts = [_strip_contents(one) for one in part]
        return [one for at, one in enumerate(parts) if at == 0 or one != parts[at - 1]]
    return "" if isinstance(part, str) else part
