"""The last release, and the source trees of earlier ones, unpacked from their commits in git's history."""

import atexit
import io
import re
import shutil
import tarfile
import tempfile
from functools import cache
from pathlib import Path

import pytest

from tests.project.repository import ROOT, git
from tests.rigs import programs


def read_last_release() -> str:
    """Return the last release in the changelog, whose files and tag the documentation names.

    After a release, ``RELEASE`` is already the next one.
    """
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    found = re.search(r"^## \[([\d.]+)\]", text, re.MULTILINE)
    assert found is not None
    return found[1]


@cache
def unpack_release(release: str) -> Path:
    """Return a folder with a release's files.

    Without the release's commit, skip or fail the test. Outside of a git checkout there is no history, so the
    test is always skipped.
    """
    if not git("rev-parse", "--git-dir"):
        pytest.skip("this isn't a checkout: git has no earlier releases")
    commit = (
        git("log", "--all", "--max-count=1", "--format=%H", f"--grep=^Release {release}$").decode().strip()
    )
    if not commit:
        programs.leave(f"git has no commit 'Release {release}': fetch the whole history")
    folder = Path(tempfile.mkdtemp(prefix=f"usher-{release}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with tarfile.open(fileobj=io.BytesIO(git("archive", commit))) as archive:
        archive.extractall(folder, filter="data")
    return folder
