"""What holds up an operation or a run: a code with a detail, as it is stored; ``messages`` put it into words.

``silent: 1764370000.0``, ``cause: rate_limited``, ``stopping_first``. A code is never renamed: rows have it.
"""

import math
from enum import StrEnum
from typing import Final, NewType

from bot.domain.causes import get_cause_word

#: A code, with its detail after a colon; "" for nothing, or that nothing does so any more.
Hold = NewType("Hold", str)
NOTHING: Final = Hold("")


class HoldCode(StrEnum):
    """What holds it up. Details: a moment in epoch seconds, a cause, or a provider's words."""

    #: A connection gives no usable answer, or refuses a call as too busy, since a moment.
    SILENT = "silent"
    OVERLOADED = "overloaded"
    #: It asked for a pause until a moment.
    PAUSED = "paused"
    #: The operator has removed the connection.
    NO_CONNECTION = "no_connection"
    #: Slack can't say who asked.
    PERSON_UNKNOWN = "person_unknown"
    #: A stop that can be forced has shown no effect for a minute.
    UNANSWERED = "unanswered"
    #: The call was taken, and reads are refused.
    UNSEEN = "unseen"
    #: A person's own account may send no more requests until a moment.
    OWN_LIMIT = "own_limit"
    #: An earlier call has to end first, or has for long.
    STOPPING_FIRST = "stopping_first"
    STOPPING_LONG = "stopping_long"
    #: The same of a stop that Usher hasn't sent, with the provider's words about it.
    STOPPING_ELSEWHERE = "stopping_elsewhere"
    STOPPING_ELSEWHERE_LONG = "stopping_elsewhere_long"
    #: Something else is under way there, with the provider's words.
    UNDER_WAY = "under_way"
    START_SENT = "start_sent"
    #: A call that was accepted at a moment doesn't show yet.
    STILL_DOWN = "still_down"
    NO_EFFECT = "no_effect"
    #: No stop is accepted in the reported state.
    NO_STOP_YET = "no_stop_yet"
    #: A state that nobody knows, with the provider's words.
    STRANGE_STATE = "strange_state"
    #: A cause of failures, which may pass (``bot.messages.texts.problems.CAUSES``).
    CAUSE = "cause"


#: What holds up all that a person has on a connection; the rest concerns one thing there.
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
#: Causes of failures that do so, too.
_CAUSES_OF_CONNECTION: Final = frozenset({"people_out", "sign_in_refused", "rate_limited", "unreachable"})


def make_hold(code: HoldCode, detail: str | float = "") -> Hold:
    """Return what holds something up."""
    return Hold(f"{code}: {detail}" if detail != "" else str(code))


def hold_until(code: HoldCode, until: float) -> Hold:
    """Return a wait until a moment, in whole minutes: the same however often it is worked out meanwhile."""
    return make_hold(code, math.ceil(until / 60) * 60.0)


def hold_by_cause(cause: str) -> Hold:
    """Return a cause that holds something up, for now."""
    return make_hold(HoldCode.CAUSE, cause)


def split_hold(hold: str) -> tuple[HoldCode | None, str]:
    """Return the code and the detail; None for a code of another release."""
    word, _, detail = hold.partition(": ")
    return (HoldCode(word) if word in set(HoldCode) else None), detail


def find_common_code(hold: str | None) -> str:
    """Return what holds up all that a person has on a connection, "" if it isn't that."""
    code, detail = split_hold(hold or "")
    if code is HoldCode.CAUSE and get_cause_word(detail) in _CAUSES_OF_CONNECTION:
        return detail
    return code if code in _OF_CONNECTION else ""


def is_hold(hold: str | None, code: HoldCode) -> bool:
    """Return whether something is held up by that."""
    return split_hold(hold or "")[0] is code


def is_silence(hold: str | None) -> bool:
    """Return whether a connection gives no usable answer."""
    return is_hold(hold, HoldCode.SILENT)


def is_failure_of_server(hold: str | None) -> bool:
    """Return whether a provider answers a call with errors of its own."""
    code, detail = split_hold(hold or "")
    return code is HoldCode.CAUSE and get_cause_word(detail) in {"server_failed", "answered_error"}
