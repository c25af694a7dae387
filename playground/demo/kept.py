"""The secret from which all passwords and tokens are derived, so that they stay the same at each start.

The secret is kept in the user's own folder (``XDG_STATE_HOME`` of the XDG Base Directory Specification). It
isn't kept in the checkout, because people copy, archive and mount checkouts, and anyone on the machine who
knows a JupyterLab's password has a shell.
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
    """Derives passwords and tokens from a secret. ``path`` is its file, or None if it couldn't be saved."""

    secret: bytes
    path: Path | None = None

    def token(self, *names: str) -> str:
        """Return the token with this name: 64 hexadecimal digits."""
        return self._made("token", *names).hex()

    def password(self, *names: str) -> str:
        """Return the password with this name: 16 letters and digits that are easy to read out."""
        return base64.b32encode(self._made("password", *names))[:16].decode().lower()

    def _made(self, *names: str) -> bytes:
        return hmac.new(self.secret, "\0".join(names).encode(), hashlib.sha256).digest()


def folder_of(environment: Mapping[str, str]) -> Path:
    """Return the folder in which the demo keeps its secret. A relative XDG_STATE_HOME is ignored."""
    given = Path(environment.get("XDG_STATE_HOME", ""))
    return (given if given.is_absolute() else Path.home() / ".local" / "state") / "usher-demo"


def keep(folder: Path, tell: Callable[[str], None]) -> Kept:
    """Return the secret kept in a folder, creating it if needed. If the folder is unusable, don't save it."""
    path = folder / "secret"
    try:
        with _locked(folder):
            return Kept(_read(path, tell) or _made(path), path)
    except OSError as error:
        tell(f"{folder} can't be used ({error.strerror}): passwords and tokens are for this start only.")
        return Kept(secrets.token_bytes(32))


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Lock the folder, and make it private. If two demos start together, only one creates the secret."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        # This fails if the folder belongs to someone else.
        os.fchmod(held, 0o700)
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def _read(path: Path, tell: Callable[[str], None]) -> bytes | None:
    """Return the secret, or None if there is none. Remove it if it's damaged or others could have read it."""
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
