"""The server itself and the people whom it knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.errors import BadAnswer
from bot.providers.posit.fields import epoch, flag_in, whole_in, word_in, words_in
from bot.providers.reading import text_in

_PARTS = ("major", "minor", "patch", "build_number", "release_name", "build_type")


@dataclass(frozen=True, slots=True)
class Version:
    """Hold the server's version, part by part, and the names of what is switched on there."""

    major: str = ""
    minor: str = ""
    patch: str = ""
    build_number: str = ""
    release_name: str = ""
    build_type: str = ""
    features: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, answer: Mapping[str, Any]) -> Version:
        """Read it; raise BadAnswer when no version is there. A plain text counts as its parts."""
        told = answer.get("version")
        features = words_in(answer, "features")
        if isinstance(told, str) and told:
            major, _, rest = told.partition(".")
            minor, _, patch = rest.partition(".")
            return cls(major, minor, patch, features=features)
        if not isinstance(told, dict) or not told:
            raise BadAnswer("the answer's field version is not an object")
        return cls(**{part: word_in(told, part, "version.") for part in _PARTS}, features=features)

    @property
    def text(self) -> str:
        """Return it as people write it, such as ``2024.09.1``; empty when no part was told."""
        return ".".join(part for part in (self.major, self.minor, self.patch) if part)


@dataclass(frozen=True, slots=True)
class WorkbenchUser:
    """Hold one registered user; ``status`` is ``Active`` or ``Inactive``."""

    username: str
    status: str = ""
    is_admin: bool = False
    is_super_admin: bool = False
    uid: int | None = None
    last_sign_in: str = ""
    created: str = ""

    @classmethod
    def from_json(cls, answer: Mapping[str, Any], where: str = "") -> WorkbenchUser:
        """Read it; raise BadAnswer without a username."""
        return cls(
            username=text_in(answer, "username", where),
            status=word_in(answer, "status", where),
            is_admin=flag_in(answer, "isAdmin") is True,
            is_super_admin=flag_in(answer, "isSuperAdmin") is True,
            uid=whole_in(answer, "uid", where),
            last_sign_in=word_in(answer, "lastSignIn", where),
            created=word_in(answer, "created", where),
        )

    @property
    def is_active(self) -> bool:
        """Say whether sessions may be launched for this user."""
        return self.status.casefold() == "active"

    @property
    def last_seen_at(self) -> float | None:
        """Return the last sign-in in epoch seconds."""
        return epoch(self.last_sign_in)
