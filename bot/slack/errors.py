"""Slack's errors and their meanings; ``error_codes.toml`` alone defines which code means what."""

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from importlib.resources import files
from typing import Final

from bot.support.errors import (
    SlackFailed,
    SlackLimited,
    SlackPermanent,
    SlackRefusedHere,
    SlackUnknownOutcome,
)


class Meaning(StrEnum):
    """The meaning of an error code; ``error_codes.toml`` explains each."""

    TOKEN = "token"  # noqa: S105 - no secret
    SHUT_OUT = "shut_out"
    LIMITED = "limited"
    UNSURE = "unsure"
    AGAIN = "again"
    STALE = "stale"
    PLACE = "place"
    PERSON = "person"
    THREAD = "thread"
    BLOCKS = "blocks"
    LOST = "lost"
    FILE = "file"
    SETUP = "setup"
    REQUEST = "request"
    #: The code isn't in the table.
    UNKNOWN = "unknown"

    @property
    def is_final(self) -> bool:
        """Return whether the same call would be refused again."""
        return self not in _TEMPORARY_MEANINGS

    @property
    def is_shut_out(self) -> bool:
        """Return whether Slack doesn't let the app in; nothing is wrong with the message itself."""
        return self in (Meaning.TOKEN, Meaning.SHUT_OUT)


#: Seconds without calls after Slack locked the app out; then a single call tests whether that is over.
SHUT_OUT_SECONDS: Final = 60.0
_TEMPORARY_MEANINGS: Final = (Meaning.LIMITED, Meaning.UNSURE, Meaning.AGAIN, Meaning.UNKNOWN)


def read_table() -> Mapping[str, Mapping[str, list[str]]]:
    """Return the file's error codes by method and meaning."""
    table = tomllib.loads(files(__package__).joinpath("error_codes.toml").read_text(encoding="utf-8"))
    # The table "meanings" only explains the others.
    return {name: codes for name, codes in table.items() if name != "meanings"}


_MEANINGS: Final[Mapping[str, Meaning]] = {
    code: Meaning(name)
    for by_meaning in read_table().values()
    for name, codes in by_meaning.items()
    for code in codes
}


def classify_code(code: str) -> Meaning:
    """Return the meaning of an error code."""
    return _MEANINGS.get(code, Meaning.UNKNOWN)


def find_retry_delay(error: SlackFailed, otherwise: float) -> float | None:
    """Return the seconds until a repeatable call is retried; None if Slack would never accept it.

    ``otherwise`` is returned for an error that may pass by itself and names no wait.
    """
    if isinstance(error, SlackLimited | SlackRefusedHere):
        return error.retry_after
    means = classify(error)
    if means.is_shut_out:
        return SHUT_OUT_SECONDS
    return None if means.is_final else otherwise


def is_content_refused(error: SlackFailed) -> bool:
    """Return whether Slack may accept the same message without its blocks."""
    return isinstance(error, SlackPermanent) and classify(error) is Meaning.BLOCKS


def classify(error: SlackFailed) -> Meaning:
    """Return the meaning of a failed call."""
    if isinstance(error, SlackLimited):
        return Meaning.LIMITED
    if isinstance(error, SlackUnknownOutcome):
        return Meaning.UNSURE
    if isinstance(error, SlackRefusedHere):
        # The refusal is about one place and may end there, though its code could mean the whole app.
        return Meaning.AGAIN
    return classify_code(error.code)


def is_about_person(error: SlackFailed) -> bool:
    """Return whether Slack refuses to describe this person, but would describe others."""
    return isinstance(error, SlackRefusedHere) or classify(error) is Meaning.PERSON
