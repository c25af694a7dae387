"""What administrators read when a connection stops answering and answers again, or Slack won't for long."""

from __future__ import annotations

from typing import Final

from bot.support.environment import command

#: The message and its notification, by what has become of a connection.
OUTAGES: Final[dict[str, tuple[str, str]]] = {
    "away": (
        (
            "*{title}* hasn't answered since {since}. People waiting for it can see that on their cards, and "
            "nothing is lost: I'll keep trying and tell you when it answers again. "
            f"If this lasts, {command('doctor')} may say why."
        ),
        "{title} isn't answering.",
    ),
    "back": (
        (
            "*{title}* is answering again. It hadn't answered since {since} ({lasted}). "
            "I'm carrying on with what was waiting."
        ),
        "{title} is answering again.",
    ),
    "locked_out": (
        (
            "*{title}* is refusing the key that I was given for it, so I can't do anything there. "
            "Put a working one in the connections file and restart me. I'll then carry on with what's "
            f"waiting. {command('doctor')} checks the key."
        ),
        "{title} is refusing my key.",
    ),
    "let_in": (
        "*{title}* accepts my key again. I'm carrying on with what was waiting.",
        "{title} accepts my key again.",
    ),
    "people_out": (
        (
            "*{title}* is refusing the sign-ins of several people at once. That looks like a problem there, "
            "so I've kept everyone's link. I check every 30 seconds, and what's waiting will carry on once "
            "they're accepted again."
        ),
        "{title} is refusing people's sign-ins.",
    ),
    "token": (
        (
            "I couldn't renew my access to *{place}* in Slack, and trying again won't help. I'll stop "
            "working there at {until}. To prevent that, ask somebody who may install apps in {place} to open "
            "{page} and press *Add to Slack*. Everyone's links and workspaces stay as they are."
        ),
        "My access to {place} in Slack ends soon.",
    ),
    "people_in": (
        (
            "*{title}* is no longer refusing several people's sign-ins. Anyone it still refuses will be "
            "asked to link again."
        ),
        "{title} is no longer refusing several people's sign-ins.",
    ),
}
