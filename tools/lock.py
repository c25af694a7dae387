"""Make the locks in requirements from pyproject.toml: exact versions with hashes, for all platforms.

``dev`` is resolved first and contains everything. The other locks are parts of the same resolution, so that
all of them can be installed in one environment. Each lock contains the build backend, as the project is
installed without build isolation. Locked versions stay unless ``--upgrade`` is given, which looks for newer
ones.

Each release of JupyterHub that the tests run against has its own lock and environment, and so do the clients
that play Slack's assistant.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "requirements"
UV = Path(sys.executable).with_name("uv")

#: JupyterHub, its proxy, and what the local hub's configuration imports.
HUBS = {
    f"hub-{release}": f"jupyterhub=={release}.*\nconfigurable-http-proxy>=0.3.1\naiohttp>=3.14.4\n"
    for release in (4, 5, 6)
}

#: Other clients of the protocol that Slack's assistant uses, as their users install them.
CLIENTS = "fastmcp>=3.4,<4\nlangchain-mcp-adapters>=0.3,<0.4\nopenai-agents>=0.24,<0.25\n"

#: A lock contains nothing about the machine that makes it: no index, path or host.
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
    """Write one lock, for requirements given as lines and by options."""
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
    """Write the locks, and return the exit status."""
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
