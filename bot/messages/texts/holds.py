"""Explains why operations and runs are waiting, and what delayed or ended them."""

import re
from collections.abc import Mapping
from typing import Final

from bot.domain.causes import MISSED_CAUSE, STALE, StaleReason
from bot.domain.holds import HoldCode, hold_by_cause, split_hold
from bot.domain.time_marks import make_time_placeholder
from bot.messages.texts.problems import WANTED, explain_cause, quote_message

_TAKES_LONG: Final = "That's taking longer than usual. Ask your {title} admin to look at it."
#: Text for an unfinished stop that Usher didn't request. ``{said}`` is the provider's description of it.
_STOPPING_ELSEWHERE: Final = "{title} isn't done with it yet: {said}. I'll start it after that."
#: Explains holds (reasons for waiting), by code. ``{title}`` is the connection's title, ``{at}`` a time in
#: the reader's time zone, and ``{said}`` what the provider says.
HOLDS: Final[Mapping[HoldCode, str]] = {
    HoldCode.SILENT: "{title} hasn't been available since {at}. I'll keep trying.",
    HoldCode.OVERLOADED: "{title} has been too busy for this since {at}.{said} I'll keep trying.",
    HoldCode.PAUSED: "{title} asked me to slow down, so I'm waiting until {at}.",
    HoldCode.NO_CONNECTION: (
        "The connection {title} isn't set up any more. Ask your Usher admin, or remove your link with "
        "`unlink`."
    ),
    HoldCode.OWN_LIMIT: (
        "Your account has used up the requests that {title} allows it. That ends at {at}, "
        "and I'll carry on then."
    ),
    HoldCode.PERSON_UNKNOWN: "I'm checking with Slack who asked for this before I carry on.",
    HoldCode.UNANSWERED: (
        "It didn't stop within a minute. *Force quit* ends it right away; anything unsaved is lost."
    ),
    HoldCode.UNSEEN: "I can't see its progress right now. I'll keep checking.",
    HoldCode.STOPPING_FIRST: "It's still stopping. I'll start it again once it has stopped.",
    HoldCode.STOPPING_LONG: f"It's still stopping. I'll start it again once it has stopped. {_TAKES_LONG}",
    HoldCode.STOPPING_ELSEWHERE: _STOPPING_ELSEWHERE,
    HoldCode.STOPPING_ELSEWHERE_LONG: f"{_STOPPING_ELSEWHERE} {_TAKES_LONG}",
    HoldCode.UNDER_WAY: "{title} can't do that right now: “{said}.” I'll keep trying.",
    HoldCode.START_SENT: (
        "A start had already been sent and may still take effect. I'm making sure it stays stopped."
    ),
    HoldCode.STILL_DOWN: (
        "{title} accepted the start at {at} but still shows it as stopped. I'll keep checking."
    ),
    HoldCode.NO_EFFECT: "{title} accepted this at {at} but still shows it as running. I'll keep checking.",
    HoldCode.STRANGE_STATE: "I can't tell from {title} what it's doing: {said}. I'll keep checking.",
    HoldCode.NO_STOP_YET: "{title} can't stop it right now. I'll stop it as soon as that's possible.",
}
#: Sentences used if the provider hasn't explained a hold (a reason for waiting). Those in ``HOLDS`` would
#: quote its explanation.
_WORDLESS: Final[Mapping[HoldCode, str]] = {
    HoldCode.STOPPING_ELSEWHERE: "{title} is still stopping it. I'll start it once it has stopped.",
    HoldCode.STOPPING_ELSEWHERE_LONG: (
        f"{{title}} is still stopping it. I'll start it once it has stopped. {_TAKES_LONG}"
    ),
    HoldCode.UNDER_WAY: "{title} can't do that right now. I'll keep trying.",
    HoldCode.STRANGE_STATE: "I can't tell from {title} what it's doing: unknown state. I'll keep checking.",
}
#: Translation table that replaces curly quotes within a quotation, because they would end the quotation.
_PLAIN_QUOTES: Final = str.maketrans("“”", '""')
#: Matches the first sentence of a string. The full stop at its end is included only if a closing quotation
#: mark follows it.
_SENTENCE_PATTERN: Final = re.compile(r"(?:“[^”]*[^”.]”|“(?![^”]*”)|[^“.]|\.(?! |$))*(?:“[^”]*”)?")
#: Says why Usher couldn't send a start to the provider before ``{until}``. The key is the code of the last
#: hold (reason for waiting). For all other codes, a general sentence is used.
_DELAYS: Final[Mapping[HoldCode | None, str]] = {
    HoldCode.SILENT: "{title} wasn't available until {until}.",
    HoldCode.OVERLOADED: "{title} was too busy until {until}.",
    HoldCode.UNDER_WAY: "{title} couldn't do that before {until}.",
}
_ASKED_AGAIN: Final[Mapping[StaleReason, str]] = {
    StaleReason.ASKED: "You asked a while ago ({at}), so I haven't sent it.",
    StaleReason.TRIED: "You asked a while ago ({at}), and I've tried until now.",
    StaleReason.RESTORED: "My records were restored from a backup of {at}, so I'm asking first.",
}
_TIMED: Final = frozenset(
    {
        HoldCode.SILENT,
        HoldCode.OVERLOADED,
        HoldCode.PAUSED,
        HoldCode.OWN_LIMIT,
        HoldCode.STILL_DOWN,
        HoldCode.NO_EFFECT,
    }
)

#: The hold (reason for waiting) stored with operations and runs while a provider rejects the sign-ins of
#: several people at once. In that case, the provider is at fault, so Usher doesn't ask people to link again.
PEOPLE_OUT: Final = hold_by_cause("people_out")


def explain_hold(hold: str | None, title: str) -> str:
    """Explain why something is waiting, or return "" if nothing holds it up. Times are placeholders."""
    code, detail = split_hold(hold or "")
    if code is None:
        return ""
    if code is HoldCode.CAUSE:
        return explain_cause(detail, title)
    if code in _TIMED:
        at, _, said = detail.partition(" ")
        said = quote_message(said, title)
        return HOLDS[code].format(title=title, at=make_time_placeholder(float(at)), said=said)
    said = " ".join(detail.split()).rstrip(".")
    if code is HoldCode.UNDER_WAY:
        said = said.translate(_PLAIN_QUOTES)
    template = HOLDS[code] if said else _WORDLESS.get(code, HOLDS[code])
    return template.format(title=title, said=said)


def explain_obstacle(hold: str | None, title: str) -> str:
    """Explain in one sentence why something is waiting, without saying what happens next."""
    first = _SENTENCE_PATTERN.match(explain_hold(hold, title))
    said = first[0] if first else ""
    return said if said.endswith(".”") or not said else f"{said}."


def describe_delay(hold: str, title: str, until: float) -> str:
    """Explain what delayed a start until a given time, from the last cause of the delay (``hold``)."""
    template = _DELAYS.get(split_hold(hold)[0], "I couldn't start it before {until}.")
    return template.format(title=title, until=make_time_placeholder(until))


def explain_missed(cause: str, title: str) -> str:
    """Explain what delayed a planned start until it was too late. For any other cause, return ""."""
    word, _, hold = cause.partition(": ")
    return explain_obstacle(hold, title) if word == MISSED_CAUSE else ""


def explain_end(cause: str, title: str, reason: str = "", *, has_page: bool = True) -> str:
    """Explain how an operation or run ended, as ``explain_cause`` does, but with placeholders for times."""
    if missed := explain_missed(cause, title):
        return missed
    word, _, detail = cause.partition(": ")
    if word != STALE:
        return explain_cause(cause, title, reason, has_page=has_page)
    why, at, hold = (*detail.split(" ", 2), "")[:3]
    said = _ASKED_AGAIN[StaleReason(why)].format(at=make_time_placeholder(float(at)))
    return f"{explain_obstacle(hold, title)} {said} {WANTED}".lstrip()
