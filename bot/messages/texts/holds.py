"""Texts of what holds up operations and runs, by its code."""

import math
import re
from collections.abc import Mapping
from typing import Final

from bot.domain.causes import MISSED_CAUSE, STALE
from bot.domain.holds import HoldCode, hold_by_cause, split_hold
from bot.domain.operations import Operation
from bot.domain.time_marks import make_time_placeholder
from bot.domain.work_items import WorkItem
from bot.messages.texts.problems import WANTED, explain_cause

_TAKES_LONG: Final = "That's taking longer than usual. Ask your {title} admin to look at it."
#: ``{said}`` is what the provider says of a stop that Usher didn't ask for.
_STOPPING_ELSEWHERE: Final = "{title} isn't done with it yet: {said}. I'll start it after that."
#: ``{title}`` is the connection's, ``{at}`` the moment of a hold in its reader's zone, ``{said}`` its words.
HOLDS: Final[Mapping[HoldCode, str]] = {
    HoldCode.SILENT: "{title} hasn't answered since {at}. Nothing is lost: I'll keep trying.",
    HoldCode.OVERLOADED: (
        "{title} has been too busy for this since {at}. Nothing is lost: I'll keep trying."
    ),
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
#: The same where the provider says nothing of it.
_WORDLESS: Final[Mapping[HoldCode, str]] = {
    HoldCode.STOPPING_ELSEWHERE: "{title} is still stopping it. I'll start it once it has stopped.",
    HoldCode.STOPPING_ELSEWHERE_LONG: (
        f"{{title}} is still stopping it. I'll start it once it has stopped. {_TAKES_LONG}"
    ),
    HoldCode.UNDER_WAY: "{title} can't do that right now. I'll keep trying.",
    HoldCode.STRANGE_STATE: "I can't tell from {title} what it's doing: unknown state. I'll keep checking.",
}
#: What stands in quotation marks has none that end it.
_PLAIN_QUOTES: Final = str.maketrans("“”", '""')
#: A sentence without its full stop; one inside quotation marks at its end stays with what is quoted.
_SENTENCE_PATTERN: Final = re.compile(r"(?:“[^”]*[^”.]”|“(?![^”]*”)|[^“.]|\.(?! |$))*(?:“[^”]*”)?")
#: The same once it is over.
_DELAYS: Final[Mapping[HoldCode | None, str]] = {
    HoldCode.SILENT: "{title} didn't answer until {until}.",
    HoldCode.OVERLOADED: "{title} was too busy until {until}.",
    HoldCode.UNDER_WAY: "{title} couldn't do that before {until}.",
}
_ASKED_LONG_AGO: Final = f"You asked a while ago ({{at}}), so I haven't sent it. {WANTED}"
#: The same where it was sent, and refused each time.
_REFUSED_UNTIL_NOW: Final = f"You asked a while ago ({{at}}), and I've tried until now. {WANTED}"
#: Of a span of waiting the end is said in whole minutes, so it is the one that has begun by then.
_WAITS_UNTIL: Final = frozenset({HoldCode.PAUSED, HoldCode.OWN_LIMIT})
_TIMED: Final = _WAITS_UNTIL | {HoldCode.SILENT, HoldCode.OVERLOADED, HoldCode.STILL_DOWN, HoldCode.NO_EFFECT}


#: Where several people's sign-ins are refused, which no new link of one of them helps.
PEOPLE_OUT: Final = hold_by_cause("people_out")


def explain_hold(hold: str | None, title: str) -> str:
    """Say what holds something up; times in it are placeholders, and "" is said for nothing."""
    code, detail = split_hold(hold or "")
    if code is None:
        return ""
    if code is HoldCode.CAUSE:
        return explain_cause(detail, title)
    if code in _TIMED:
        moment = float(detail)
        at = make_time_placeholder(math.ceil(moment / 60) * 60 if code in _WAITS_UNTIL else moment)
        return HOLDS[code].format(title=title, at=at)
    said = " ".join(detail.split()).rstrip(".").translate(_PLAIN_QUOTES)
    template = HOLDS[code] if said else _WORDLESS.get(code, HOLDS[code])
    return template.format(title=title, said=said)


def explain_obstacle(hold: str | None, title: str) -> str:
    """Say what holds something up in one sentence, without the consequence."""
    first = _SENTENCE_PATTERN.match(explain_hold(hold, title))
    said = first[0] if first else ""
    return said if said.endswith(".”") or not said else f"{said}."


def describe_delay(hold: str, title: str, until: float) -> str:
    """Say what held something up until a time, given the last that did."""
    template = _DELAYS.get(split_hold(hold)[0], "I couldn't start it before {until}.")
    return template.format(title=title, until=make_time_placeholder(until))


def make_stale_cause(work_item: WorkItem, title: str) -> str:
    """Return the cause for a work item too old to be sent; its time is a placeholder, as in block reasons.

    Nobody asked for what a plan did: what held that up is the cause.
    """
    if isinstance(work_item, Operation) and work_item.good_until is not None:
        because = explain_obstacle(work_item.block_reason or work_item.delayed_by, title)
        return f"{MISSED_CAUSE}:: {because}" if because else MISSED_CAUSE
    planned = work_item.planned_for if isinstance(work_item, Operation) else None
    at = make_time_placeholder(planned or work_item.created_at)
    if work_item.busy_since is None:
        return f"{STALE}:: {_ASKED_LONG_AGO.format(at=at)}"
    because = explain_obstacle(work_item.block_reason, title)
    return f"{STALE}:: {because} {_REFUSED_UNTIL_NOW.format(at=at)}".replace("::  ", ":: ")
