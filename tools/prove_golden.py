"""Prove that the golden messages say what the JSON files of the commit before said: python tools/prove_golden.py."""

from __future__ import annotations

import ast
import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.rigs import golden  # noqa: E402 - the checkout comes first on the path


def main(revision: str) -> None:
    """Read every JSON file of a revision and compare it with what its entry is read back as."""
    packed = subprocess.run(
        ("git", "archive", revision, "tests/golden"), cwd=ROOT, capture_output=True, check=True
    ).stdout
    proved = set()
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        for member in archive.getmembers():
            path = Path(member.name)
            if path.suffix != ".json" or (opened := archive.extractfile(member)) is None:
                continue
            family, name = path.parent.name, f"{path.parent.name}/{path.stem}"
            if family == "texts":
                pairs = (line.partition(": ") for line in golden.entries(family)[name].split("\n"))
                now = {key: ast.literal_eval(text) for key, _, text in pairs}
            else:
                now = golden.shown(name)
            if now != json.load(opened):
                sys.exit(f"{name} differs")
            proved.add(name)
    entries = {name for family in golden.FAMILIES for name in golden.entries(family)}
    if entries != proved or not proved:
        sys.exit(f"only in one form: {sorted(entries ^ proved)}")
    print(f"{len(proved)} messages are equal in both forms")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "HEAD^")
