"""Earlier releases: the tree of each release's commit, unpacked from git's history."""

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
    """Return a folder with a release's files; without its commit skip the test, or fail.

    A checkout that isn't git's has no history, so the test is skipped there in any case.
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
