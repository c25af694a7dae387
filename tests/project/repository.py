"""What the tests about the repository read: its files, and its modules as syntax trees."""

import ast
import gc
import os
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

#: Left out where the files cannot be asked of git (an unpacked archive): made things, never sources.
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
    """Return what git says of the repository; nothing where it says no or isn't there."""
    try:
        asked = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, check=False)
    except FileNotFoundError:
        return b""
    return asked.stdout if asked.returncode == 0 else b""


@cache
def files() -> tuple[Path, ...]:
    """Return the project's files: the tracked ones, or all but the made ones where there is no git."""
    if listed := git("ls-files", "-z"):
        return tuple(path for name in listed.decode().split("\0") if name and (path := ROOT / name).is_file())
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(name for name in folders if name not in MADE and not name.endswith(".egg-info"))
        found += [Path(folder, name) for name in sorted(names)]
    return tuple(found)


def share_bytecode(folder: Path) -> None:
    """Give a copy of the tree the bytecode of its unchanged modules: to compile all takes a second.

    Python compares a module's time and size with those that its bytecode names.
    """
    for made in {path.parent / "__pycache__" for path in files() if path.suffix == ".py"}:
        for bytecode in made.glob("*.pyc"):
            module = made.parent / f"{bytecode.name.partition('.')[0]}.py"
            copy = folder / module.relative_to(ROOT)
            if module.is_file() and copy.is_file() and copy.read_bytes() == module.read_bytes():
                os.utime(copy, ns=(module.stat().st_atime_ns, module.stat().st_mtime_ns))
                shared = folder / bytecode.relative_to(ROOT)
                shared.parent.mkdir(exist_ok=True)
                # Whoever writes it anew replaces the link.
                shared.symlink_to(bytecode)


def list_store(pattern: str) -> list[Path]:
    """Return the files of a kind in the store."""
    return sorted((ROOT / "bot/store").glob(pattern))


def python_files(*tops: str) -> list[Path]:
    """Return the Python files below these folders of the repository."""
    return [path for path in files() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in tops]


@cache
def tree(path: Path) -> ast.Module:
    """Return a Python file's syntax tree."""
    # Half a million nodes that stay: to look for garbage among them takes longer than to read them.
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
    """Return a path as the repository names it."""
    return path.relative_to(ROOT).as_posix()
