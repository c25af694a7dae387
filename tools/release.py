"""Build a commit's wheel, sources, locked packages and bill of materials, the same bytes each time.

    python tools/release.py [COMMIT]        HEAD by default; writes dist/

Only the commit, the Python and the locked build backend count: the commit is unpacked afresh, every file gets
its time, and the backend from the lock builds without isolation and without the network.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "dist"
#: A hook of PEP 517; the backend keeps what one run was told, so each has a process of its own.
HOOK = "import sys; from setuptools import build_meta; getattr(build_meta, sys.argv[1])(sys.argv[2])"
#: A version in a lock, with the digests of its files.
LOCKED = re.compile(r"^(\S+)==(\S+)(?: ; .*)? \\\n((?: +--hash=.+\n)+)", re.MULTILINE)
#: The locks, and in CycloneDX's word what Usher is to what each of them adds.
SCOPES = {
    "base": "required",
    "pictures": "optional",
    "demo": "optional",
    "lint": "excluded",
    "dev": "excluded",
}


def export(commit: str, folder: Path) -> int:
    """Unpack a commit into a folder; return its time."""
    archived = _git("-c", "tar.umask=0022", "archive", "--format=tar", commit)
    with tarfile.open(fileobj=io.BytesIO(archived)) as tar:
        tar.extractall(folder, filter="tar")
    return int(_git("show", "--no-patch", "--format=%ct", commit))


def build(source: Path, target: Path, time: int) -> list[Path]:
    """Build all from an unpacked source, in which that leaves its traces; return their paths."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(time), "PYTHONHASHSEED": "0"}
    for hook in ("build_sdist", "build_wheel"):
        words = [sys.executable, "-c", HOOK, hook, str(target)]
        done = subprocess.run(
            words, cwd=source, env=environment, umask=0o022, check=False, capture_output=True, text=True
        )
        if done.returncode != 0:
            raise SystemExit(f"{hook} failed:\n{done.stdout}{done.stderr}")
    built = sorted(target.iterdir())
    for path in built:
        if path.name.endswith(".tar.gz"):
            path.write_bytes(_make_reproducible(path.read_bytes(), time))
    name, version = built[0].name.split("-")[:2]
    bill = target / f"{name}-{version}.cdx.json"
    bill.write_text(json.dumps(_materials(source, version, built, time), indent=1) + "\n", encoding="utf-8")
    lock = target / f"{name}-{version}.requirements.txt"
    shutil.copyfile(source / "requirements/base.txt", lock)
    return [bill, lock, *built]


def _materials(source: Path, version: str, built: list[Path], time: int) -> dict[str, Any]:
    """Return the bill of a release's materials, as CycloneDX 1.6: all packages that the locks name."""
    found: dict[str, dict[str, Any]] = {}
    for lock, scope in SCOPES.items():
        text = (source / f"requirements/{lock}.txt").read_text(encoding="utf-8")
        for name, number, hashes in LOCKED.findall(text):
            part = _part(name, number, re.findall(r"sha256:(\w+)", hashes), type="library", scope=scope)
            found.setdefault(part["purl"], part)
    files = [hashlib.sha256(path.read_bytes()).hexdigest() for path in built]
    usher = _part("usher-bot", version, files, type="application")
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid.uuid5(uuid.NAMESPACE_URL, f"{usher} {found}").urn,
        "version": 1,
        "metadata": {"timestamp": datetime.fromtimestamp(time, UTC).isoformat(), "component": usher},
        "components": list(found.values()),
    }


def _part(name: str, version: str, hashes: list[str], **more: str) -> dict[str, Any]:
    purl = f"pkg:pypi/{name}@{version}"
    digests = [{"alg": "SHA-256", "content": one} for one in hashes]
    return {**more, "bom-ref": purl, "name": name, "version": version, "purl": purl, "hashes": digests}


def _make_reproducible(archive: bytes, time: int) -> bytes:
    """Return a source archive that is the same on every machine: without its order, owners, modes, times."""
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
