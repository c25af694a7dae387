"""Check the subjects of commits: at most 72 characters, an imperative verb, and the thing by its name.

Their length is checked after the commit since which a database of 0.1.0 is kept, or, in a shallow clone,
after the oldest commit that is there; their words since the commit that brought ``names.py``. Without git
there is nothing to check, which is said.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

LONGEST = 72
KEPT = "tests/contract/store/releases/0.1.0.sql"
NAMES = "tools/names.py"
#: Verbs that say nothing of what was done.
VAGUE_VERBS = frozenset({"Give", "Have", "Let", "Mend"})
#: Words that stand in place of a name. What is quoted, or is a symbol, may have them.
RIDDLES = frozenset(
    {"it", "one", "ones", "others", "what", "whatever", "where", "which", "who", "whoever", "whom", "whose"}
)
_NAMED = re.compile(r", which\b|`[^`]*`|\*[^*]*\*|\"[^\"]*\"|[^\s,]*[._/()][^\s,]*")


def git(folder: Path, *words: str) -> str | None:
    """Return the output of git, or nothing if it fails or isn't there."""
    try:
        asked = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=False)  # noqa: S607
    except FileNotFoundError:
        return None
    return asked.stdout if asked.returncode == 0 else None


def is_riddle(subject: str) -> bool:
    """Return whether a subject names nothing that a reader could look for."""
    words = re.findall(r"[\w']+", _NAMED.sub(" ", subject))
    return bool(words) and (words[0] in VAGUE_VERBS or not RIDDLES.isdisjoint(words))


def find_riddles(folder: Path) -> list[str]:
    """Return the commits since ``names.py`` whose subjects say too little."""
    since = git(folder, "log", "--reverse", "--format=%H", "--diff-filter=A", "--", NAMES)
    if not since:
        return []
    log = git(folder, "log", "--no-merges", "--format=%h %s", f"{since.split()[0]}..HEAD") or ""
    commits = [line.partition(" ") for line in log.splitlines()]
    return [f"{short}: names nothing: {subject}" for short, _, subject in commits if is_riddle(subject)]


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
    riddles = find_riddles(folder)
    print(
        *long,
        *riddles,
        f"Subjects of commits since 0.1.0: {len(commits)}, longer than {LONGEST}: {len(long)}.",
        sep="\n",
    )
    return 1 if long or riddles else 0


if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parent.parent))
