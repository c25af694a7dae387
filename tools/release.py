"""Build a commit's wheel, sources, locked packages and bill of materials, reproducibly.

    python tools/release.py [COMMIT]        HEAD by default; writes dist/

The result depends only on the commit, the Python version and the locked build backend. The commit is unpacked
into a new folder, every file gets the commit's time, and the locked backend builds without isolation or
network.
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
#: Runs a hook of PEP 517. The backend keeps state, so each hook gets its own process.
HOOK = "import sys; from setuptools import build_meta; getattr(build_meta, sys.argv[1])(sys.argv[2])"
#: Matches a version in a lock, with the hashes of its files.
LOCKED = re.compile(r"^(\S+)==(\S+)(?: ; .*)? \\\n((?: +--hash=.+\n)+)", re.MULTILINE)
#: The locks, with CycloneDX's word for whether Usher needs the packages that each of them adds.
SCOPES = {
    "base": "required",
    "pictures": "optional",
    "demo": "optional",
    "lint": "excluded",
    "dev": "excluded",
}


def export(commit: str, folder: Path) -> int:
    """Unpack a commit into a folder, and return its time."""
    archived = _git("-c", "tar.umask=0022", "archive", "--format=tar", commit)
    with tarfile.open(fileobj=io.BytesIO(archived)) as tar:
        tar.extractall(folder, filter="tar")
    return int(_git("show", "--no-patch", "--format=%ct", commit))


def build(source: Path, target: Path, time: int) -> list[Path]:
    """Build everything from an unpacked source, and return the paths. Building changes the source folder."""
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
    """Return a release's bill of materials as CycloneDX 1.6, with all packages in the locks."""
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
    """Return a reproducible source archive, independent of the order, owners, modes and times of files."""
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
    """Build a commit into ``dist/``, and print the names and digests of what was built."""
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
