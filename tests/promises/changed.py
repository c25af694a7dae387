"""Which files changed lately, as git knows them."""

import subprocess

from tests.project.repository import ROOT

#: What is on main was looked at when it came there, but in parts: a day of it (seconds) is looked at again.
_DAY = 86_400


def changed_files(since: str | None = None) -> frozenset[str] | None:
    """Return the files that changed since a revision, committed or not; None if git can't tell.

    Without one: since this branch left main. On main: since a day before its last commit.
    """
    base = since or _base()
    if base is None:
        return None
    changed = _git("diff", "--name-only", "--no-renames", base, "--")
    new = _git("ls-files", "--others", "--exclude-standard")
    return None if changed is None or new is None else frozenset([*changed, *new])


def last_commit() -> str:
    """Return the id of the last commit; "" if git can't tell."""
    head = _git("rev-parse", "HEAD")
    return head[0] if head else ""


def text_before(file: str, since: str) -> str:
    """Return a file as it was in a revision; "" if it wasn't there."""
    lines = _git("show", f"{since}:{file}")
    return "" if lines is None else "\n".join([*lines, ""])


def work_began() -> str | None:
    """Return where this branch left main; on main its last commit, or the one before it."""
    if left := _left_main():
        return left
    pending = _git("status", "--porcelain")
    return None if pending is None else "HEAD" if pending else "HEAD~1"


def _left_main() -> str | None:
    head = _git("rev-parse", "HEAD")
    for main in ("origin/main", "main"):
        left = _git("merge-base", "HEAD", main)
        if left and left != head:
            return left[0]
    return None


def _base() -> str | None:
    if left := _left_main():
        return left
    stamp = _git("show", "--no-patch", "--format=%ct", "HEAD")
    if not stamp:
        return None
    before = _git("rev-list", "--max-count=1", f"--before={int(stamp[0]) - _DAY}", "HEAD")
    return before[0] if before else None


def _git(*words: str) -> list[str] | None:
    try:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.split("\n")[:-1]
