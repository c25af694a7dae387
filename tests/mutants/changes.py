"""The changes of a branch, as git knows them."""

import subprocess

from tests.project.repository import ROOT


def list_changed(since: str) -> frozenset[str] | None:
    """Return the files that changed since a revision, committed or not; None if git can't tell."""
    changed = _git("diff", "--name-only", "--no-renames", since, "--")
    new = _git("ls-files", "--others", "--exclude-standard")
    return None if changed is None or new is None else frozenset([*changed, *new])


def read_former(file: str, since: str) -> str:
    """Return a file as it was in a revision; "" if it wasn't there."""
    lines = _git("show", f"{since}:{file}")
    return "" if lines is None else "\n".join([*lines, ""])


def find_start() -> str | None:
    """Return the commit in which this branch left main; on main its last commit, or the one before it."""
    head = _git("rev-parse", "HEAD")
    for main in ("origin/main", "main"):
        left = _git("merge-base", "HEAD", main)
        if left and left != head:
            return left[0]
    pending = _git("status", "--porcelain")
    return None if pending is None else "HEAD" if pending else "HEAD~1"


def _git(*words: str) -> list[str] | None:
    try:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.split("\n")[:-1]
