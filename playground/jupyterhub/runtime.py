"""Finds or creates a Python that an unprivileged account can run, as root's own is often in root's home."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from importlib.util import find_spec
from pathlib import Path

#: Parts of the standard library that servers don't need.
_LEFT_OUT = {"site-packages", "dist-packages", "test", "idlelib", "lib2to3", "turtledemo", "ensurepip"}
_PATH = "/usr/local/bin:/usr/bin:/bin"


def account_to_use(wanted: str) -> str:
    """Return the account to run people's servers as: an unprivileged one if this is root, otherwise ""."""
    if os.geteuid() != 0:
        return ""
    with contextlib.suppress(KeyError):
        if pwd.getpwnam(wanted).pw_uid != 0:
            return wanted
    return ""


def reachable(path: Path, account: str) -> bool:
    """Return whether an account without extra groups can read a path and, if it's a directory, enter it."""
    entry = pwd.getpwnam(account)
    resolved = path.resolve()
    for part in (resolved, *resolved.parents):
        state = part.stat()
        shift = 6 if state.st_uid == entry.pw_uid else 3 if state.st_gid == entry.pw_gid else 0
        needed = 0o1 if part != resolved else 0o5 if part.is_dir() else 0o4
        if (state.st_mode >> shift) & needed != needed:
            return False
    return True


def temporary_directory(account: str) -> Path:
    """Create a directory that the account can pass through but not list."""
    for parent in (tempfile.gettempdir(), "/tmp", "/var/tmp"):  # noqa: S108 - mkdtemp makes a name of its own
        if Path(parent).is_dir() and (not account or reachable(Path(parent), account)):
            made = Path(tempfile.mkdtemp(prefix="playground-hub-", dir=parent))
            made.chmod(0o711)
            return made
    raise RuntimeError("no temporary directory that the account can reach")


def find_python(python: str, account: str, directory: Path) -> tuple[str, dict[str, str]]:
    """Return the result of ``python_for``, run by another interpreter if one is named."""
    if not python:
        interpreter, environment = python_for(account, directory)
        return str(interpreter), environment
    asking = [python, "-m", __name__, account, str(directory)]
    root = str(Path(__file__).resolve().parents[2])
    told = subprocess.run(asking, cwd=root, capture_output=True, text=True, check=True).stdout  # noqa: S603 - a Python of the caller's own
    interpreter, environment = json.loads(told)
    return interpreter, environment


def python_for(account: str, directory: Path) -> tuple[Path, dict[str, str]]:
    """Return an interpreter with all libraries that the account can run, and the environment that it needs.

    If the account can run the current interpreter, that one is returned. Otherwise, a virtual environment is
    created in ``directory``, in which hard links (or copies, if links can't be created) replace the parts
    that the account can't reach. The account can read all of it even if the umask, like that of ``usher``,
    denies others access.
    """
    libraries = Path(sysconfig.get_path("purelib"))
    probe = find_spec("jupyterhub")
    sample = Path(probe.origin) if probe is not None and probe.origin else libraries
    environment = {"PATH": f"{Path(sys.executable).parent}:{_PATH}"}
    if not account:
        return Path(sys.executable), environment
    base_is_open = reachable(Path(os.__file__), account) and reachable(Path(sys.executable), account)
    libraries_are_open = reachable(sample, account)
    if base_is_open and libraries_are_open:
        return Path(sys.executable), environment
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    interpreter = Path(sys.executable).resolve()
    if not base_is_open:
        interpreter = _link_base(directory / "python", interpreter, version)
        # The dynamic linker searches the built-in path first, which the account can't read. Without this
        # variable, it would use the system's library.
        environment["LD_LIBRARY_PATH"] = str(directory / "python" / "lib")
    made = directory / "venv"
    (made / "bin").mkdir(parents=True)
    (made / "lib" / version).mkdir(parents=True)
    settings = made / "pyvenv.cfg"
    settings.write_text(f"home = {interpreter.parent}\ninclude-system-site-packages = false\n")
    settings.chmod(0o644)
    (made / "bin" / "python").symlink_to(interpreter)
    _place(libraries, made / "lib" / version / "site-packages", as_link=libraries_are_open)
    for name in ("share", "etc"):  # where Jupyter keeps its pages and settings
        if (Path(sys.prefix) / name / "jupyter").is_dir():
            (made / name).mkdir()
            _place(Path(sys.prefix, name, "jupyter"), made / name / "jupyter", as_link=libraries_are_open)
    _open(made)
    environment["PATH"] = f"{made / 'bin'}:{_PATH}"
    return made / "bin" / "python", environment


def _link_base(target: Path, interpreter: Path, version: str) -> Path:
    (target / "bin").mkdir(parents=True)
    (target / "lib").mkdir()
    made = target / "bin" / interpreter.name
    _link_file(str(interpreter), str(made))
    for library in Path(sys.base_prefix, "lib").glob("libpython*.so*"):
        _link_file(str(library), str(target / "lib" / library.name))
    standard = Path(sysconfig.get_path("stdlib"))
    shutil.copytree(standard, target / "lib" / version, copy_function=_link_file, ignore=_leave_out)
    _open(target)
    return made


def _leave_out(_directory: str, names: list[str]) -> set[str]:
    return {name for name in names if name in _LEFT_OUT or name.startswith("config-")}


def _place(source: Path, target: Path, *, as_link: bool) -> None:
    if as_link:
        target.symlink_to(source)
    else:
        shutil.copytree(source, target, copy_function=_link_file)


def _open(tree: Path) -> None:
    for directory in (tree, *(path for path in tree.rglob("*") if path.is_dir() and not path.is_symlink())):
        directory.chmod(0o755)


def _link_file(source: str, target: str) -> None:
    if Path(source).stat().st_mode & 0o004:
        with contextlib.suppress(OSError):
            os.link(os.path.realpath(source), target)
            return
    shutil.copy2(source, target)
    Path(target).chmod(Path(target).stat().st_mode | 0o044)


if __name__ == "__main__":
    _interpreter, _environment = python_for(sys.argv[1], Path(sys.argv[2]))
    sys.stdout.write(json.dumps([str(_interpreter), _environment]))
