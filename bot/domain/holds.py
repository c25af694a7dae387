"""Holds: the stored reasons why an operation or a run can't continue yet.

A hold is a code, often with a detail: ``silent: 1764370000.0``, ``cause: rate_limited``, ``stopping_first``.
``bot.messages`` puts it into words. Codes are never renamed, because they are stored in rows.
"""

import math
from enum import StrEnum
from typing import Final, NewType

from bot.domain.causes import get_cause_word

#: Why work is on hold: a code, followed by a colon and a detail if there is one. It is "" if the work isn't
#: on hold.
Hold = NewType("Hold", str)
NOTHING: Final = Hold("")


class HoldCode(StrEnum):
    """The codes of holds. A hold's detail is a time in epoch seconds, a cause, or the provider's words."""

    #: The connection isn't giving usable answers (``SILENT``) or is too busy for calls (``OVERLOADED``). The
    #: hold's detail is the time when that began. For ``OVERLOADED``, the provider's own words may follow.
    SILENT = "silent"
    OVERLOADED = "overloaded"
    #: The provider asked for a pause. The hold's detail is the time when the pause ends.
    PAUSED = "paused"
    #: The operator has removed the connection.
    NO_CONNECTION = "no_connection"
    #: Slack can't identify the person who made the request.
    PERSON_UNKNOWN = "person_unknown"
    #: A stop that can be forced has had no effect for a minute.
    UNANSWERED = "unanswered"
    #: The call was accepted, but status reads are refused, so its effect can't be seen.
    UNSEEN = "unseen"
    #: The user's own account has reached a rate limit. The hold's detail is the time when the account can
    #: send requests again.
    OWN_LIMIT = "own_limit"
    #: An earlier stop has to finish first. ``STOPPING_LONG`` means that it is taking a long time.
    STOPPING_FIRST = "stopping_first"
    STOPPING_LONG = "stopping_long"
    #: A stop that Usher didn't send has to finish first. The hold's detail is what the provider says about
    #: the stop, if anything.
    STOPPING_ELSEWHERE = "stopping_elsewhere"
    STOPPING_ELSEWHERE_LONG = "stopping_elsewhere_long"
    #: The provider is still busy with another change to the workspace. The hold's detail is
    #: the provider's message.
    UNDER_WAY = "under_way"
    START_SENT = "start_sent"
    #: The provider accepted a start but still reports the workspace as stopped. The hold's detail is the time
    #: of the call. ``NO_EFFECT`` is the equivalent for a stop.
    STILL_DOWN = "still_down"
    NO_EFFECT = "no_effect"
    #: The provider doesn't accept stops in the workspace's current state.
    NO_STOP_YET = "no_stop_yet"
    #: The provider reports a state that Usher doesn't know. The hold's detail is the provider's name for this
    #: state.
    STRANGE_STATE = "strange_state"
    #: A call failed, but the problem may be temporary. The hold's detail is the cause of the failure
    #: (``bot.messages.texts.problems.CAUSES``).
    CAUSE = "cause"


#: Codes of holds (reasons why work can't continue) that affect everything a user has on a connection. Other
#: holds affect only one workspace or run.
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
#: Causes of temporary failures that affect everything a user has on a connection.
_CAUSES_OF_CONNECTION: Final = frozenset({"people_out", "sign_in_refused", "rate_limited", "unreachable"})


def make_hold(code: HoldCode, detail: str | float = "") -> Hold:
    """Make a hold from a code and its detail."""
    return Hold(f"{code}: {detail}" if detail != "" else str(code))


def hold_until(code: HoldCode, until: float) -> Hold:
    """Make a hold that lasts until a given time.

    The time is rounded up to a minute, so that computing the hold again gives the same result.
    """
    return make_hold(code, math.ceil(until / 60) * 60.0)


def hold_by_cause(cause: str) -> Hold:
    """Make a hold for a possibly temporary failure. ``cause`` is the cause of the failure."""
    return make_hold(HoldCode.CAUSE, cause)


def split_hold(hold: str) -> tuple[HoldCode | None, str]:
    """Return a hold's code and detail. The code is None if this release doesn't know it."""
    word, _, detail = hold.partition(": ")
    return (HoldCode(word) if word in set(HoldCode) else None), detail


def find_common_code(hold: str | None) -> str:
    """Return a hold's code or cause if it affects everything a user has on a connection, otherwise ""."""
    code, detail = split_hold(hold or "")
    if code is HoldCode.CAUSE and get_cause_word(detail) in _CAUSES_OF_CONNECTION:
        return detail
    return code if code in _OF_CONNECTION else ""


def is_hold(hold: str | None, code: HoldCode) -> bool:
    """Return whether a hold has this code."""
    return split_hold(hold or "")[0] is code


def find_server_words(hold: str | None) -> str:
    """Return the provider's own description of its server errors, or "" if the hold quotes none."""
    return split_hold(hold or "")[1].partition(": ")[2] if is_failure_of_server(hold) else ""


def is_failure_of_server(hold: str | None) -> bool:
    """Return whether the hold says that the provider is answering calls with server errors."""
    code, detail = split_hold(hold or "")
    return code is HoldCode.CAUSE and get_cause_word(detail) in {"server_failed", "answered_error"}
