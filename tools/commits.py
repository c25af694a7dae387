"""Check that the subjects of commits since 0.1.0 have at most 72 characters; print the others, end with 1.

They are those after the commit since which a database of 0.1.0 is kept, or, in a shallow clone, after the
oldest commit that is there. Without git there is nothing to check, which is said.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

LONGEST = 72
KEPT = "tests/contract/store/releases/0.1.0.sql"


def git(folder: Path, *words: str) -> str | None:
    """Return what git says, or nothing where it says no or isn't there."""
    try:
        asked = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=False)  # noqa: S607
    except FileNotFoundError:
        return None
    return asked.stdout if asked.returncode == 0 else None


def main(folder: Path) -> int:
    """Check the commits of a checkout; return the exit status."""
    since = git(folder, "log", "--reverse", "--format=%H", "--diff-filter=A", "--", KEPT)
    if not since:
        print("Subjects of commits: NOT CHECKED, there is no history here.")
        return 0
    # Merges are named by whoever merges, which may be a machine.
    log = git(folder, "log", "--no-merges", "--format=%h %s", f"{since.split()[0]}..HEAD") or ""
    commits = [line.partition(" ") for line in log.splitlines()]
    long = [
        f"{short}: {len(subject)} characters: {subject}"
        for short, _, subject in commits
        if len(subject) > LONGEST
    ]
    print(
        *long,
        f"Subjects of commits since 0.1.0: {len(commits)}, longer than {LONGEST}: {len(long)}.",
        sep="\n",
    )
    return 1 if long else 0


if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parent.parent))
