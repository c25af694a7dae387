"""Slack's errors. ``error_codes.toml`` defines the meaning of each error code."""

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
    """The meaning of a Slack error code. Each meaning is explained in ``error_codes.toml``."""

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
    #: Meaning of any error code that isn't listed in ``error_codes.toml``.
    UNKNOWN = "unknown"

    @property
    def is_final(self) -> bool:
        """Return whether Slack would refuse the same call again."""
        return self not in _TEMPORARY_MEANINGS

    @property
    def is_shut_out(self) -> bool:
        """Return whether Slack has locked the app out, rather than objecting to a message."""
        return self in (Meaning.TOKEN, Meaning.SHUT_OUT)


#: How long, in seconds, all calls are paused after Slack has locked the app out.
SHUT_OUT_SECONDS: Final = 60.0
_TEMPORARY_MEANINGS: Final = (Meaning.LIMITED, Meaning.UNSURE, Meaning.AGAIN, Meaning.UNKNOWN)


def read_table() -> Mapping[str, Mapping[str, list[str]]]:
    """Return the error codes in the file, grouped first by method and then by meaning."""
    table = tomllib.loads(files(__package__).joinpath("error_codes.toml").read_text(encoding="utf-8"))
    # The table "meanings" only explains the meanings; it contains no codes.
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
    """Return how many seconds to wait before repeating a call, or None if Slack would never accept it.

    ``otherwise`` is returned for a temporary error that doesn't say how long to wait.
    """
    if isinstance(error, SlackLimited | SlackRefusedHere):
        return error.retry_after
    means = classify(error)
    if means.is_shut_out:
        return SHUT_OUT_SECONDS
    return None if means.is_final else otherwise


def is_content_refused(error: SlackFailed) -> bool:
    """Return whether Slack may accept the message if it is sent again without its blocks."""
    return isinstance(error, SlackPermanent) and classify(error) is Meaning.BLOCKS


def classify(error: SlackFailed) -> Meaning:
    """Return the meaning of a failed call."""
    if isinstance(error, SlackLimited):
        return Meaning.LIMITED
    if isinstance(error, SlackUnknownOutcome):
        return Meaning.UNSURE
    if isinstance(error, SlackRefusedHere):
        # Whatever the code, the refusal concerns only this conversation, person or method, and may pass.
        return Meaning.AGAIN
    return classify_code(error.code)


def is_about_person(error: SlackFailed) -> bool:
    """Return whether Slack withholds the details of this particular person, but not those of others."""
    return isinstance(error, SlackRefusedHere) or classify(error) is Meaning.PERSON
