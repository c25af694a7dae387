"""Other releases, each in a folder of its own: earlier ones from their commits, and one that comes next.

Where the repository's history isn't there, tests with earlier ones are skipped; with
``TEST_HISTORY_REQUIRED`` in the environment they fail.
"""

import asyncio
import io
import json
import os
import sys
import tarfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.project.repository import ROOT, files, git

#: The releases that may serve beside this one, each with its commit.
COMMITS = {
    "0.2.1": "b861d38e5a67e32b56dda0f7ff635297afff0da4",
    "0.3.0": "fdc5232301c23954b92cf48981c99a6631e3440a",
}
#: The release that ``after`` makes.
NEXT = "99.0.0"
_ROOMS = ("bot", "handlers")
_REPORTED = """\
    REPORTED = Traits("reported", offers="workspace", marks=Mark.NEWS)
    FAILED = Traits("""
#: What it adds, and where: in place of the first text, which is there once, the second one.
_ADDED = {
    "bot/support/release.py": [('RELEASE: Final = "', f'RELEASE: Final = "{NEXT}"  # was "')],
    "bot/domain/notices.py": [
        ("    FAILED = Traits(", _REPORTED),
    ],
    "bot/domain/tasks.py": [
        ('    DISCOVER = "discover"\n', '    RECONCILE = "reconcile"\n    DISCOVER = "discover"\n'),
    ],
}


@cache
def _archived(commit: str) -> bytes:
    return git("archive", "--format=tar", commit, *_ROOMS)


def earlier(release: str, folder: Path) -> Path:
    """Put an earlier release into a new folder; without its commit, skip the test, or fail."""
    archived = _archived(COMMITS[release])
    if not archived:
        why = f"there is no commit {COMMITS[release][:8]}: this needs the repository's history"
        if "TEST_HISTORY_REQUIRED" in os.environ:
            pytest.fail(why)
        pytest.skip(why)
    with tarfile.open(fileobj=io.BytesIO(archived)) as found:
        found.extractall(folder, filter="data")
    return folder


def after(folder: Path) -> Path:
    """Put a release that knows more kinds than this one into a new folder."""
    for path in files():
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith(tuple(f"{room}/" for room in _ROOMS)):
            continue
        copy = folder / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        data = path.read_bytes()
        for before, then in _ADDED.get(name, ()):
            assert data.count(before.encode()) == 1, f"{name} has no longer one {before!r}"
            data = data.replace(before.encode(), then.encode())
        copy.write_bytes(data)
    return folder


async def started(
    release: Path, *words: str, env: Mapping[str, str], log: Path
) -> asyncio.subprocess.Process:
    """Start Python with what a release's folder has; the log takes what it says."""
    passed = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    with log.open("ab") as sink:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            # What was compiled for one start serves the next.
            "-X",
            f"pycache_prefix={log.parent / 'compiled'}",
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            cwd=release,
            env={**passed, "PYTHONPATH": str(release), **env},
        )


async def asked(release: Path, script: str, **given: Any) -> Any:
    """Run a script with what a release's folder has, and return what it writes; ``given`` is its input."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-B",
        "-c",
        script,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=release,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(release)},
    )
    out, err = await process.communicate(json.dumps(given).encode())
    assert process.returncode == 0, f"{release.name}: {err.decode()}"
    return json.loads(out)
