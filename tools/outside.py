"""Install the wheels of Usher and its provider packages in an empty environment, and run their tests.

The tests can't use anything else in the checkout: only they, the conformance kit and one story per package
are copied.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = (ROOT / "packages/usher-coder", ROOT / "packages/usher-codespaces")
UV = Path(sys.executable).with_name("uv")


def run(words: Sequence[str | Path], cwd: Path) -> None:
    """Run a program. If it fails, exit with its status."""
    without = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
    environment = {name: value for name, value in os.environ.items() if name not in without}
    status = subprocess.run(list(map(str, words)), cwd=cwd, env=environment, check=False).returncode
    if status:
        sys.exit(status)


def main() -> int:
    """Build and install the wheels, play the tests, and return the exit status."""
    with tempfile.TemporaryDirectory(prefix="usher-outside-") as made:
        folder = Path(made)
        wheels, python = folder / "wheels", folder / "env/bin/python"
        for place in (ROOT, *PACKAGES):
            copy = folder / f"source-{place.name}"
            left_out = (".git", ".venv", ".*cache", ".hypothesis", "build", "*.egg-info", "__pycache__")
            ignored = shutil.ignore_patterns(*left_out, "node_modules")
            shutil.copytree(place, copy, ignore=ignored, symlinks=True)
            run(
                [
                    UV,
                    "build",
                    "--quiet",
                    "--wheel",
                    "--no-build-isolation",
                    "--python",
                    sys.executable,
                    "-o",
                    wheels,
                ],
                copy,
            )
        run([UV, "venv", "--quiet", "--python", sys.executable, folder / "env"], folder)
        (usher,) = wheels.glob("usher_bot-*.whl")
        packages = [f"{wheel}[test]" for wheel in wheels.glob("*.whl") if wheel != usher]
        locked: list[str | Path] = ["--constraint", ROOT / "requirements/dev.txt"]
        run(
            [
                UV,
                "pip",
                "install",
                "--quiet",
                "--python",
                python,
                *locked,
                f"{usher}[conformance]",
                *packages,
            ],
            folder,
        )
        for place in PACKAGES:
            tests = folder / place.name
            shutil.copytree(place / "tests", tests / "tests")
            shutil.copy2(place / "pyproject.toml", tests)
            run([python, "-m", "pytest", "-q", "-p", "no:cacheprovider"], tests)
    return 0


if __name__ == "__main__":
    sys.exit(main())
