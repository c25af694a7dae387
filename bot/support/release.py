"""The version of this release, and functions that compare releases."""

from collections.abc import Iterable
from typing import Final

#: This release or, during development, the next one.
RELEASE: Final = "0.5.1"
#: The first release whose processes stop on their own when a newer release has migrated their database.
FIRST_THAT_STOPS: Final = "0.4.0"


def is_newer(release: str, other: str) -> bool:
    """Return whether the first release is newer than the second."""
    return _parse_numbers(release) > _parse_numbers(other)


def find_newest(releases: Iterable[str]) -> str:
    """Return the newest of several releases."""
    return max(releases, key=_parse_numbers)


def _parse_numbers(release: str) -> tuple[int, ...]:
    return tuple(int(number) for number in release.split("."))
