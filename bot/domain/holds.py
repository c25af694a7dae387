"""Holds: the stored reason for which an operation or a run can't go on yet.

A hold is a code, often with a detail: ``silent: 1764370000.0``, ``cause: rate_limited``, ``stopping_first``.
``bot.messages`` puts it into words. Codes are never renamed, because rows contain them.
"""

import math
from enum import StrEnum
from typing import Final, NewType

from bot.domain.causes import get_cause_word

#: A code, with its detail after a colon; "" if nothing holds up the work, or nothing does any more.
Hold = NewType("Hold", str)
NOTHING: Final = Hold("")


class HoldCode(StrEnum):
    """Codes of holds. A detail is a time in epoch seconds, a cause, or the provider's own words."""

    #: Since the time in the detail, the connection gives no usable answer, or refuses calls as too busy.
    SILENT = "silent"
    OVERLOADED = "overloaded"
    #: The connection asked for a pause until a time.
    PAUSED = "paused"
    #: The operator has removed the connection.
    NO_CONNECTION = "no_connection"
    #: Slack can't say who asked.
    PERSON_UNKNOWN = "person_unknown"
    #: A stop that can be forced has shown no effect for a minute.
    UNANSWERED = "unanswered"
    #: The call was accepted, but reads are refused, so nobody can see its effect.
    UNSEEN = "unseen"
    #: The person's own account may send no more requests until a time.
    OWN_LIMIT = "own_limit"
    #: An earlier stop has to finish first, or has been running for long.
    STOPPING_FIRST = "stopping_first"
    STOPPING_LONG = "stopping_long"
    #: The same for a stop that Usher didn't send, with the provider's words about it.
    STOPPING_ELSEWHERE = "stopping_elsewhere"
    STOPPING_ELSEWHERE_LONG = "stopping_elsewhere_long"
    #: The provider is still busy with another change of the workspace. The detail is its words.
    UNDER_WAY = "under_way"
    START_SENT = "start_sent"
    #: A call that was accepted at the time in the detail shows no effect yet.
    STILL_DOWN = "still_down"
    NO_EFFECT = "no_effect"
    #: The provider accepts no stop in the state that it reports.
    NO_STOP_YET = "no_stop_yet"
    #: The provider reports a state that Usher doesn't know. The detail is the provider's word.
    STRANGE_STATE = "strange_state"
    #: A cause of failures that may pass (``bot.messages.texts.problems.CAUSES``).
    CAUSE = "cause"


#: Holds that affect everything a person has on a connection. The others affect one workspace or run.
_OF_CONNECTION: Final = frozenset(
    {
        HoldCode.SILENT,
        HoldCode.OVERLOADED,
        HoldCode.PAUSED,
        HoldCode.NO_CONNECTION,
        HoldCode.OWN_LIMIT,
        HoldCode.PERSON_UNKNOWN,
    }
)
#: Causes of failures that affect everything as well.
_CAUSES_OF_CONNECTION: Final = frozenset({"people_out", "sign_in_refused", "rate_limited", "unreachable"})


def make_hold(code: HoldCode, detail: str | float = "") -> Hold:
    """Return a hold from its code and detail."""
    return Hold(f"{code}: {detail}" if detail != "" else str(code))


def hold_until(code: HoldCode, until: float) -> Hold:
    """Return a hold until a time, rounded up to a minute so that computing it again gives the same."""
    return make_hold(code, math.ceil(until / 60) * 60.0)


def hold_by_cause(cause: str) -> Hold:
    """Return a hold from the cause of a failure that may pass."""
    return make_hold(HoldCode.CAUSE, cause)


def split_hold(hold: str) -> tuple[HoldCode | None, str]:
    """Return the code and the detail; the code is None if this release doesn't know it."""
    word, _, detail = hold.partition(": ")
    return (HoldCode(word) if word in set(HoldCode) else None), detail


def find_common_code(hold: str | None) -> str:
    """Return the code or cause if it affects everything a person has on a connection, "" otherwise."""
    code, detail = split_hold(hold or "")
    if code is HoldCode.CAUSE and get_cause_word(detail) in _CAUSES_OF_CONNECTION:
        return detail
    return code if code in _OF_CONNECTION else ""


def is_hold(hold: str | None, code: HoldCode) -> bool:
    """Return whether a hold has this code."""
    return split_hold(hold or "")[0] is code


def is_silence(hold: str | None) -> bool:
    """Return whether the hold is that a connection gives no usable answer."""
    return is_hold(hold, HoldCode.SILENT)


def is_failure_of_server(hold: str | None) -> bool:
    """Return whether the hold is that a provider answers calls with server errors."""
    code, detail = split_hold(hold or "")
    return code is HoldCode.CAUSE and get_cause_word(detail) in {"server_failed", "answered_error"}
