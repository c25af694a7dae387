"""The source trees of earlier releases, unpacked from their commits in git's history."""

import atexit
import io
import shutil
import tarfile
import tempfile
from functools import cache
from pathlib import Path

import pytest

from tests.project.repository import git
from tests.rigs import programs


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
