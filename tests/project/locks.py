"""A pattern for the locked versions in the requirements files."""

import re

from tests.project.repository import ROOT

#: Matches a name with its exact version, an optional marker, and its hashes.
ENTRY = re.compile(
    r"^(?P<pin>[a-z0-9][a-z0-9._-]*==[^\s;]+)(?: ; [^\\\n]+)?(?: \\\n    --hash=sha256:[0-9a-f]{64})+\n",
    re.MULTILINE,
)


def text_of(lock: str) -> str:
    return (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")


def pins_of(lock: str) -> set[str]:
    return {match["pin"] for match in ENTRY.finditer(text_of(lock))}
