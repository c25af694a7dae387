"""The secret that all passwords and tokens are made from, the same at each start.

It is kept in the person's own folder (``XDG_STATE_HOME`` of the XDG Base Directory Specification). It is
neither in the repository nor in the checkout, which people copy, archive and mount into containers: a
JupyterLab with a known password gives everybody on the machine a shell.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_FORM = re.compile(rb"[0-9a-f]{64}\n")


@dataclass(frozen=True, slots=True)
class Kept:
    """Make passwords and tokens of a secret; ``path`` is its file, None where it could not be kept."""

    secret: bytes
    path: Path | None = None

    def token(self, *names: str) -> str:
        """Return the token of this name: 64 hexadecimal digits."""
        return self._made("token", *names).hex()

    def password(self, *names: str) -> str:
        """Return the password of this name: letters and digits that one can read out."""
        return base64.b32encode(self._made("password", *names))[:16].decode().lower()

    def _made(self, *names: str) -> bytes:
        return hmac.new(self.secret, "\0".join(names).encode(), hashlib.sha256).digest()


def folder_of(environment: Mapping[str, str]) -> Path:
    """Return the folder for what the demonstration keeps; a relative XDG_STATE_HOME doesn't count."""
    given = Path(environment.get("XDG_STATE_HOME", ""))
    return (given if given.is_absolute() else Path.home() / ".local" / "state") / "usher-demo"


def keep(folder: Path, tell: Callable[[str], None]) -> Kept:
    """Return what a folder keeps, made the first time; where none can be kept, it is for this start only."""
    path = folder / "secret"
    try:
        with _locked(folder):
            return Kept(_read(path, tell) or _made(path), path)
    except OSError as error:
        tell(f"{folder} can't be used ({error.strerror}): passwords and tokens are for this start only.")
        return Kept(secrets.token_bytes(32))


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold a folder that nobody else can read or change, so that of two starts only one makes the secret."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        # Fails in a folder of somebody else's.
        os.fchmod(held, 0o700)
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def _read(path: Path, tell: Callable[[str], None]) -> bytes | None:
    """Return the secret, or None for none that is secret; such a file is removed."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    with os.fdopen(file, "rb") as opened:
        content, state = opened.read(100), os.fstat(opened.fileno())
    if state.st_uid == os.geteuid() and not state.st_mode & 0o077 and _FORM.fullmatch(content):
        return content.strip()
    mode = state.st_mode & 0o777
    cause = f"could be read by others (mode {mode:04o})" if mode & 0o077 else "was damaged"
    tell(f"{path} {cause}, so all passwords and tokens are new.")
    path.unlink()
    return None


def _made(path: Path) -> bytes:
    secret = secrets.token_hex(32).encode()
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(file, "wb") as opened:
        opened.write(secret + b"\n")
    return secret
