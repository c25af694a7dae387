"""Text about waiting for capacity."""

from collections.abc import Mapping
from typing import Final

#: Messages about a start that failed for lack of capacity, by the kind of capacity. ``WAITED_FOR`` names each
#: kind in messages about waiting.
NO_CAPACITY: Final[Mapping[str, str]] = {
    kind: f"I couldn't start *{{name}}*: {none} on {{title}} right now."
    for kind, none in {
        "gpu": "there's no free GPU",
        "memory": "there isn't enough free memory",
        "cpu": "there isn't enough free CPU",
        "ephemeral-storage": "there isn't enough free disk space",
        "license": "there's no free license",
        "room": "there's no room",
    }.items()
}
WAITED_FOR: Final[Mapping[str, str]] = {
    "gpu": "a free GPU",
    "memory": "enough free memory",
    "cpu": "enough free CPU",
    "ephemeral-storage": "enough free disk space",
    "license": "a free license",
    "room": "room",
}
#: Says how many attempts were made: none, one, or several.
TRIED_SO_FAR: Final = ("", "I've tried once so far.", "I've tried {count} times so far.")
TRIED_IN_ALL: Final = ("", " I tried once.", " I tried {count} times.")
#: Sent when a wait times out. Capacity may have become free and gone to other people, so the text doesn't say
#: that there was none.
STOPPED_WAITING: Final = "I didn't get {what} on {title} for *{name}* by {until}, so I've stopped waiting."
OFFER: Final = ("{none}", "I can keep trying until {until}.")
KEEP_TRYING: Final = "Keep trying"
STOP_WAITING: Final = "Stop waiting"
WAITING_UNTIL: Final = "Waiting for {what}, until {until}"
WAITING_STATE: Final = "*{name}* is waiting for {what} on {title}, until {until}. {ahead}"
#: Shown instead of a place in line before the first attempt. Each kind of capacity has its own line, and only
#: an attempt shows which kind is missing.
UNPLACED: Final = "I'll know your place in line once I've tried it."
TRYING: Final = "It's your turn, and I'm trying to start it now."
#: Says how many other people in line have already had their turn in this round. Everyone gets one turn in
#: each round.
ONE_BEFORE: Final = "One person ahead of you has had a turn, without success."
TRIED_BEFORE: Final = "{number} people ahead of you have had a turn, without success."
#: Shown instead of a place in line after the second attempt. From then on, the place would change with every
#: attempt.
IN_TURN_WITH_ONE: Final = "One other person is waiting, too. You're each tried in turn."
IN_TURN: Final = "{number} others are waiting, too. You're each tried in turn."
NUMBER_WORDS: Final = ("", "", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")
HELD: Final = (
    "I'm pausing: a few more failed starts could make {title} shut down. I'll try again once a start "
    "there succeeds."
)
#: Final text of a message that showed a place in line, if the workspace got its capacity. ``WAIT_OVER`` is
#: the final text if it didn't.
GRANTED: Final = "*{name}* got {what} on {title} {at}."
WAIT_OVER: Final = "*{name}* stopped waiting for {what} on {title} at {at}."
WAIT_REFUSED: Final = (
    "I can't try to start it while {title} refuses your sign-in. Link again and I'll carry on."
)
LEFT_WAITLIST: Final = "OK, *{name}* isn't waiting for room any more."
NOT_WAITING_FOR: Final = "*{name}* isn't waiting for anything."
#: Added to the message that a workspace is ready if it had to wait for capacity. The key says whether Usher
#: would stop or suspend the workspace if nobody uses it and other people are waiting.
GRANTED_BY_MODE: Final[Mapping[str, str]] = {
    mode: (
        "If you don't open it within {unused}, and somebody is waiting for {what}, "
        f"I'll warn you, and {mode} it {{later}} later so that they get it."
    )
    for mode in ("stop", "suspend")
}
#: Added when Usher asks whether an unused workspace is still needed, if other people are waiting for its
#: capacity. In this case, Usher asks only if a stop would end the workspace permanently. Other workspaces are
#: stopped after a warning.
GRANT_WANTED: Final = (
    "Somebody is waiting for {what} on {title}. If you don't need *{name}*, they can have it."
)
CAN_KEEP_TRYING: Final = "I can keep trying until {until}."
FORBIDDEN: Final = "*{name}* is no longer waiting for {what} on {title}. {because}"
UNTIL_LABEL: Final = "Until when? For example 18:00, tomorrow 9:00 or 3h"
UNTIL_TYPED: Final = "To choose how long I keep trying, type `{command}start {typed} --wait until TIME`."


# -- who is waiting? ----------------------------------------------------------------------------------------

WAITLIST_LINE: Final = "{title}: {count} waiting for {what}, the first one since {since}."
LATELY: Final = "{title}: in the last day, {count} got {what} after waiting {waited} on average."
NOT_KNOWN: Final = (
    "I only find out whether there's room by starting something. To start a workspace and wait for room, "
    "type `{command}start NAME --wait`."
)
