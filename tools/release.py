"""Build the wheel and the source distribution of a commit, byte for byte the same each time.

    python tools/release.py [COMMIT]        HEAD by default; writes dist/

Only the commit, the Python and the locked build backend count: the commit is unpacked afresh, every file gets
its time, and the backend from the lock builds without isolation and without the network.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "dist"
#: A hook of PEP 517; the backend keeps what one run was told, so each has a process of its own.
HOOK = "import sys; from setuptools import build_meta; getattr(build_meta, sys.argv[1])(sys.argv[2])"


def export(commit: str, folder: Path) -> int:
    """Unpack a commit into a folder; return its time."""
    archived = _git("-c", "tar.umask=0022", "archive", "--format=tar", commit)
    with tarfile.open(fileobj=io.BytesIO(archived)) as tar:
        tar.extractall(folder, filter="tar")
    return int(_git("show", "--no-patch", "--format=%ct", commit))


def build(source: Path, target: Path, time: int) -> list[Path]:
    """Build both from an unpacked source, in which that leaves its traces; return their paths."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(time), "PYTHONHASHSEED": "0"}
    for hook in ("build_sdist", "build_wheel"):
        words = [sys.executable, "-c", HOOK, hook, str(target)]
        done = subprocess.run(words, cwd=source, env=environment, check=False, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{hook} failed:\n{done.stdout}{done.stderr}")
    built = sorted(target.iterdir())
    for path in built:
        if path.name.endswith(".tar.gz"):
            path.write_bytes(_levelled(path.read_bytes(), time))
    return built


def _levelled(archive: bytes, time: int) -> bytes:
    """Return a source archive without what is of the machine and the moment: order, owners, modes, times."""
    packed = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(archive)) as old,
        gzip.GzipFile(filename="", fileobj=packed, mode="wb", mtime=time) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as new,
    ):
        for member in sorted((one for one in old if not one.isdir()), key=lambda one: one.name):
            plain = tarfile.TarInfo(member.name)
            plain.size, plain.mtime = member.size, time
            plain.type, plain.linkname = member.type, member.linkname
            plain.mode = 0o755 if member.mode & 0o100 else 0o644
            new.addfile(plain, old.extractfile(member) if member.isreg() else None)
    return packed.getvalue()


def _git(*words: str) -> bytes:
    git = shutil.which("git") or "git"
    return subprocess.run([git, *words], cwd=ROOT, check=True, capture_output=True).stdout


def main(commit: str = "HEAD") -> int:
    """Build a commit into ``dist/``; print what was built with its digest."""
    if _git("status", "--porcelain"):
        print("This builds the commit: what isn't committed isn't in it.", file=sys.stderr)
    TARGET.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        source, made = Path(place, "source"), Path(place, "made")
        source.mkdir()
        made.mkdir()
        for path in build(source, made, export(commit, source)):
            content = path.read_bytes()
            (TARGET / path.name).write_bytes(content)
            print(f"{hashlib.sha256(content).hexdigest()}  dist/{path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
