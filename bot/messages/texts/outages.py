"""What administrators read when a connection stops answering, and when it answers again."""

from __future__ import annotations

from typing import Final

AWAY: Final = (
    "*{title}* hasn't answered since {since}. People waiting for it can see that on their cards, and nothing "
    "is lost: I'll keep trying and tell you when it answers again. "
    "If this lasts, `python -m bot doctor` may say why."
)
AWAY_SHORT: Final = "{title} isn't answering."
BACK: Final = (
    "*{title}* is answering again. It hadn't answered since {since} ({lasted}). "
    "I'm carrying on with what was waiting."
)
BACK_SHORT: Final = "{title} is answering again."

LOCKED_OUT: Final = (
    "*{title}* is refusing the key that I was given for it, so I can't do anything "
    "there. Put a working one in the connections file and restart me. I'll then carry on with what's "
    "waiting. `python -m bot doctor` checks the key."
)
LOCKED_OUT_SHORT: Final = "{title} is refusing my key."
LET_IN: Final = "*{title}* accepts my key again. I'm carrying on with what was waiting."
LET_IN_SHORT: Final = "{title} accepts my key again."

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
