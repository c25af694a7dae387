"""A helper that builds the repository's release files."""

import importlib.util
import os
import shutil

from tests.project.repository import ROOT, files

MOMENT = 1_763_700_000


#: A program that loads the installed command ``usher`` and runs it.
USHER = (
    "import sys; from importlib.metadata import entry_points; "
    "(usher,) = entry_points(group='console_scripts', name='usher'); sys.exit(usher.load()(sys.argv[1:]))"
)


def built(folder, age):
    """Build from a copy whose files are this old, and return the built files by name."""
    spec = importlib.util.spec_from_file_location("tools_release", ROOT / "tools/release.py")
    release = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(release)
    source, target = folder / "source", folder / "built"
    target.mkdir(parents=True)
    for path in files():
        copy = source / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        copy.chmod(0o755 if os.access(path, os.X_OK) else 0o644)
        os.utime(copy, (MOMENT - age, MOMENT - age))
    return {path.name: path for path in release.build(source, target, MOMENT)}


def one(found, suffix):
    (path,) = (path for name, path in found.items() if name.endswith(suffix))
    return path
