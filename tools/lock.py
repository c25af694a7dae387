"""Make the locks in requirements from pyproject.toml: exact versions with hashes, for every platform.

``dev`` is resolved first and holds everything; the others are cut from the same resolution, so one
environment can take all of them. What builds the project is in each of them, as it is installed without build
isolation. Versions already locked stay; ``--upgrade`` looks for newer ones.

Each release of JupyterHub that the tests run against has a lock of its own, for its own environment, and
so have the clients that play Slack's assistant.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "requirements"
UV = Path(sys.executable).with_name("uv")

#: The hub, its proxy, and what the local hub's configuration imports.
HUBS = {
    f"hub-{release}": f"jupyterhub=={release}.*\nconfigurable-http-proxy>=0.3.1\naiohttp>=3.14.4\n"
    for release in (4, 5, 6)
}

#: Other clients of the protocol by which Slack's assistant calls, each as its users install it.
CLIENTS = "fastmcp>=3.4,<4\nlangchain-mcp-adapters>=0.3,<0.4\nopenai-agents>=0.24,<0.25\n"

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


def compile_lock(name: str, requirements: str, *options: str) -> None:
    """Write one lock of requirements, given as lines, and of what the options name."""
    output = f"--output-file=requirements/{name}.txt"
    subprocess.run(
        [str(UV), "pip", "compile", *OPTIONS, *options, output, "-"],
        input=requirements,
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
    project, as_in_dev = "pyproject.toml", "--constraints=requirements/dev.txt"
    compile_lock("dev", build, "--all-extras", *arguments, project)
    compile_lock("demo", build, "--extra=demo", as_in_dev, project)
    compile_lock("pictures", build, "--extra=pictures", as_in_dev, project)
    compile_lock("lint", build, "--extra=lint", as_in_dev, project)
    compile_lock("base", build, as_in_dev, project)
    for name, requirements in {**HUBS, "clients": CLIENTS}.items():
        compile_lock(name, requirements, *arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
