"""Helpers for tests of the repository: its files, and its modules as syntax trees."""

import ast
import gc
import os
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

#: Folders and files that are generated. They are left out if git can't list the files, as in an unpacked
#: archive.
MADE = {
    ".git",
    ".venv",
    "__pycache__",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".hypothesis",
    "build",
    "mutants",
}


def git(*words: str) -> bytes:
    """Return git's output about the repository, or nothing if git fails or is missing."""
    try:
        asked = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, check=False)
    except FileNotFoundError:
        return b""
    return asked.stdout if asked.returncode == 0 else b""


@cache
def files() -> tuple[Path, ...]:
    """Return the project's files: those tracked by git, or without git all that aren't generated."""
    if listed := git("ls-files", "-z"):
        return tuple(path for name in listed.decode().split("\0") if name and (path := ROOT / name).is_file())
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(name for name in folders if name not in MADE and not name.endswith(".egg-info"))
        found += [Path(folder, name) for name in sorted(names)]
    return tuple(found)


def share_bytecode(folder: Path) -> None:
    """Link the bytecode of unchanged modules into a copy of the repository.

    Compiling everything would take a second. Python compares a module's time and size with those in the
    bytecode.
    """
    for made in {path.parent / "__pycache__" for path in files() if path.suffix == ".py"}:
        for bytecode in made.glob("*.pyc"):
            module = made.parent / f"{bytecode.name.partition('.')[0]}.py"
            copy = folder / module.relative_to(ROOT)
            if module.is_file() and copy.is_file() and copy.read_bytes() == module.read_bytes():
                os.utime(copy, ns=(module.stat().st_atime_ns, module.stat().st_mtime_ns))
                shared = folder / bytecode.relative_to(ROOT)
                shared.parent.mkdir(exist_ok=True)
                # If a module is compiled again, the link is replaced.
                shared.symlink_to(bytecode)


def list_store(pattern: str) -> list[Path]:
    """Return the store's files that match a pattern."""
    return sorted((ROOT / "bot/store").glob(pattern))


def python_files(*tops: str) -> list[Path]:
    """Return the Python files in these top-level folders."""
    return [path for path in files() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in tops]


@cache
def tree(path: Path) -> ast.Module:
    """Return a Python file's syntax tree."""
    # The half million nodes are kept, and searching them for garbage would take longer than parsing.
    gc.disable()
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    finally:
        gc.freeze()
        gc.enable()


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """Return all nodes of a Python file's syntax tree."""
    return tuple(ast.walk(tree(path)))


def named(path: Path) -> str:
    """Return a path relative to the repository."""
    return path.relative_to(ROOT).as_posix()
