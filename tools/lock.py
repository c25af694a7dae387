"""Make the locks in requirements from pyproject.toml: exact versions with hashes, for every platform.

``dev`` is resolved first and holds everything; the others are cut from the same resolution, so one
environment can take all of them. What builds the project is in each of them, as it is installed without build
isolation. Versions already locked stay; ``--upgrade`` looks for newer ones.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "requirements"
UV = Path(sys.executable).with_name("uv")

#: Nothing of the machine that makes a lock may be in it: no index, no path, no host.
OPTIONS = (
    "--universal",
    "--generate-hashes",
    "--python-version=3.11",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--no-header",
    "--no-annotate",
    "--quiet",
)


def compile_lock(name: str, build: str, *options: str) -> None:
    """Write one lock; ``build`` is what the build needs, as lines of requirements."""
    output = f"--output-file=requirements/{name}.txt"
    subprocess.run(
        [str(UV), "pip", "compile", *OPTIONS, *options, output, "pyproject.toml", "-"],
        input=build,
        text=True,
        cwd=ROOT,
        check=True,
    )
    print(f"requirements/{name}.txt")


def main(arguments: list[str]) -> int:
    """Write the locks; return the exit status."""
    unknown = set(arguments) - {"--upgrade"}
    if unknown:
        print(f"usage: {Path(__file__).name} [--upgrade]", file=sys.stderr)
        return 2
    build = "\n".join(tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"])
    LOCKS.mkdir(exist_ok=True)
    compile_lock("dev", build, "--all-extras", *arguments)
    compile_lock("demo", build, "--extra=demo", "--constraints=requirements/dev.txt")
    compile_lock("lint", build, "--extra=lint", "--constraints=requirements/dev.txt")
    compile_lock("base", build, "--constraints=requirements/dev.txt")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
