"""What administrators read when a connection stops answering, and when it answers again."""

from __future__ import annotations

from typing import Final

AWAY: Final = (
    "*{title}* has not answered since {since}. Whoever waits for it reads so on their card, and nothing "
    "is lost: I keep trying, and tell you when it answers again. "
    "If it stays, `doctor` may know more."
)
AWAY_SHORT: Final = "{title} does not answer."
BACK: Final = (
    "*{title}* answers again. It had not since {since}, for {lasted}. What waited goes on by itself."
)
BACK_SHORT: Final = "{title} answers again."

LOCKED_OUT: Final = (
    "*{title}* refuses the key that I was given for it, so nothing goes on there. Put a good one into the "
    "connections file and restart me: what waits goes on by itself then. `doctor` checks it."
)
LOCKED_OUT_SHORT: Final = "{title} refuses my key."
LET_IN: Final = "*{title}* takes my key again. What waited goes on by itself."
LET_IN_SHORT: Final = "{title} takes my key again."

PEOPLE_OUT: Final = (
    "*{title}* is refusing the sign-ins of several people at once. That looks like a problem there, so I've "
    "kept everyone's link. I check every 30 seconds, and what's waiting will carry on once they're accepted "
    "again."
)
PEOPLE_OUT_SHORT: Final = "{title} is refusing people's sign-ins."
PEOPLE_IN: Final = (
    "*{title}* is no longer refusing several people's sign-ins. Anyone it still refuses will be asked to "
    "link again."
)
PEOPLE_IN_SHORT: Final = "{title} is no longer refusing several people's sign-ins."

#: What is said, and its notification, by what has become of a connection.
OUTAGES: Final[dict[str, tuple[str, str]]] = {
    "away": (AWAY, AWAY_SHORT),
    "back": (BACK, BACK_SHORT),
    "locked_out": (LOCKED_OUT, LOCKED_OUT_SHORT),
    "let_in": (LET_IN, LET_IN_SHORT),
    "people_out": (PEOPLE_OUT, PEOPLE_OUT_SHORT),
    "people_in": (PEOPLE_IN, PEOPLE_IN_SHORT),
}
