"""Reads the environment, ``.env``, and the secrets to which settings and connections refer.

Only this module reads these sources. A secret may be given literally, or as ``file:PATH``, ``env:NAME`` or
``credential:NAME``. A file that other users of the machine can read is rejected. Descriptions of problems
quote no values, because they are shown in terminals and tickets.
"""

import io
import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from bot.support.cleaning import trim

#: The settings file, in the folder where Usher is started.
ENV_FILE: Final = ".env"
#: Pairs of quotation marks that people type, or that chat programs insert, around a value.
_QUOTES: Final = ('""', "''", "``", "“”", "\u2018\u2019", "„“", "«»")
#: Prefixes of references to secrets that are stored elsewhere.
REFERENCE_PREFIXES: Final = ("credential:", "env:", "file:")
#: Matches the contents of a connections file, even invalid ones, but not a path to such a file. A path may be
#: quoted in messages, but contents may hold secrets.
_TEXT_PATTERN: Final = re.compile(r"\n|^\s*(?:\[+\s*connections\s*\.|connections[^/\n]*=)")
_REFERENCE_PATTERN: Final = re.compile(r"\benv:([A-Za-z_][A-Za-z0-9_]*)")
#: Permission bits that let other users of the machine read a file.
READABLE_BITS: Final = stat.S_IRGRP | stat.S_IROTH
#: Permission bits that let other users of the machine change a file.
WRITABLE_BITS: Final = stat.S_IWGRP | stat.S_IWOTH


def load_env_file() -> None:
    """Set the variables in ``.env`` that aren't set in the environment, even if their value is empty.

    Usher reads the file itself, because a shell would cut a value at ``&`` or ``;``. As with systemd, the
    last line for a name wins, and ``${NAME}`` isn't replaced. If the file can't be read or parsed, raise
    ValueError with a message to show the user.
    """
    from dotenv.parser import parse_stream  # noqa: PLC0415 - `--help` needs none of it

    path = Path(ENV_FILE).absolute()
    try:
        with path.open(encoding="utf-8-sig") as file:
            lines = list(parse_stream(file))
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError):
        raise ValueError(f"the file {path} can't be read") from None
    for original in (line.original for line in lines if line.error):
        number = original.line + original.string.removesuffix(original.string.lstrip()).count("\n")
        raise ValueError(f"the file {path} isn't NAME=VALUE in line {number}")
    for name, value in {line.key: line.value for line in lines if line.key}.items():
        os.environ.setdefault(name, value or "")


def explain_exposed_env_file() -> str:
    """Explain how other users can access ``.env``, and how to prevent it.

    Return "" if they have no access.
    """
    path = Path(ENV_FILE).absolute()
    with suppress(OSError):
        if others := path.stat().st_mode & (READABLE_BITS | WRITABLE_BITS):
            can = "change" if others & WRITABLE_BITS else "read"
            return f"others on this machine can {can} {path}: chmod 600 it"
        if path.parent.stat().st_mode & WRITABLE_BITS:
            return f"others on this machine can write in {path.parent}, where .env is: chmod go-w it"
    return ""


def resolve_secret(value: str) -> str:
    """Return the secret that a value refers to or, if it isn't a reference, the value itself.

    Raise ValueError if the secret is missing or has quotes around it.
    """
    return check_unquoted(_follow_reference(trim(value)))


def check_unquoted(value: str) -> str:
    """Return a value unchanged, or raise ValueError if it has quotes around it."""
    if len(value) > 1 and value[0] + value[-1] in _QUOTES:
        raise ValueError("has quotes around it, which would be a part of it: remove them")
    return value


def _follow_reference(value: str) -> str:
    if value.startswith("env:"):
        name = trim(value.removeprefix("env:"))
        found = read_variable(name)
        if not found:
            raise ValueError(f"names the variable {name[:60]}, which is not set")
        return found
    if value.startswith("file:"):
        return read_secret_file(Path(trim(value.removeprefix("file:"))))
    if value.startswith("credential:"):
        return _read_credential(trim(value.removeprefix("credential:")))
    return value


def _read_credential(name: str) -> str:
    """Return a secret that systemd or a container runtime placed in CREDENTIALS_DIRECTORY.

    Whether others can read the file isn't checked, because systemd or the runtime decides that. (The mode may
    seem to let the group read it: this is how systemd's access list shows up there.) Others must not be able
    to write it.
    """
    folder = read_variable("CREDENTIALS_DIRECTORY")
    if not folder:
        raise ValueError(f"names the credential {name[:60]}, but CREDENTIALS_DIRECTORY is not set")
    if Path(name).name != name:
        raise ValueError("names a credential with a path: only its name is needed")
    return read_secret_file(Path(folder, name), others=WRITABLE_BITS)


def read_secret_file(path: Path, others: int = READABLE_BITS | WRITABLE_BITS) -> str:
    """Return the trimmed content of a secret file.

    Raise ValueError if the file is empty or can't be read, or if its mode has any of the bits in ``others``.
    """
    try:
        if path.stat().st_mode & others:
            what = "read" if others & READABLE_BITS else "write"
            raise ValueError(
                f"names the file {path.name}, which others on this machine can {what}: chmod 600 it"
            )
        text = trim(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        raise ValueError(f"names the file {path.absolute()}, which can't be read") from None
    if not text:
        raise ValueError(f"names the file {path.absolute()}, which is empty")
    return text


def find_key_file() -> Path | None:
    """Return the file with the encryption keys, or None if the keys aren't in a file."""
    written = read_variable("USHER_ENCRYPTION_KEYS")
    return Path(written.removeprefix("file:")) if written.startswith("file:") else None


def find_connections_source() -> Path | str | None:
    """Return the connections file's path or, on platforms without files, the file's text.

    Return None if USHER_CONNECTIONS isn't set.
    """
    written = read_variable("USHER_CONNECTIONS")
    if not written:
        return None
    return written if _TEXT_PATTERN.search(written) else Path(written)


def read_variable(name: str) -> str:
    """Return a variable's value, or "" if unset, without white space or invisible characters around it."""
    return trim(os.environ.get(name, ""))


def has_literal_in_env_file(name: str) -> bool:
    """Return whether ``.env`` contains a variable's value itself rather than a reference to the value."""
    with suppress(OSError, UnicodeDecodeError):
        text = Path(ENV_FILE).read_text(encoding="utf-8")
        pattern = rf"^{name}=(?!['\"]?(?:{'|'.join(REFERENCE_PREFIXES)}))\S"
        return re.search(pattern, text, re.MULTILINE) is not None
    return False


def ensure_home() -> None:
    """Set HOME to the working folder if the user has no home, which some libraries need when imported."""
    try:
        Path.home()
    except RuntimeError:
        os.environ["HOME"] = str(Path.cwd())


def prepare_streams() -> None:
    """Make the standard streams usable, however this process was started.

    Closed streams are connected to the null device. If their file numbers stayed free, a file opened later,
    such as the database, would get such a number, and output meant for the stream would be written into that
    file. Text is written as UTF-8, which other programs expect.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123 - until the end
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def give(name: str, value: str) -> None:
    """Set an environment variable for this process."""
    os.environ[name] = value


def list_variables() -> list[str]:
    """Return the names of all environment variables that aren't empty."""
    return [name for name, value in os.environ.items() if trim(value)]


def list_referenced_variables() -> set[str]:
    """Return the variables from which settings and the connections file take secrets."""
    texts = list(os.environ.values())
    place = find_connections_source()
    if isinstance(place, Path):
        # The code that parses the connections file reports any problems with it.
        with suppress(OSError, UnicodeDecodeError):
            texts.append(place.read_text(encoding="utf-8"))
    return {name for text in texts for name in _REFERENCE_PATTERN.findall(text)}


@contextmanager
def hide_variables(prefix: str | tuple[str, ...], **instead: str) -> Iterator[None]:
    """Hide environment variables with a prefix while a library or program is being set up.

    ``instead`` contains variables with that prefix to be set during that time.
    """
    hidden = {name: os.environ.pop(name) for name in tuple(os.environ) if name.startswith(prefix)}
    os.environ.update(instead)
    try:
        yield
    finally:
        for name in instead:
            del os.environ[name]
        os.environ.update(hidden)


PROGRAM_NAME: Final = "usher"


def command(words: str) -> str:
    """Return one of Usher's commands as people type it, in backticks."""
    return f"`{PROGRAM_NAME} {words}`"
