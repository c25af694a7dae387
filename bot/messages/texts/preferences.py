"""The words of a person's preferences: what I send, when I'm quiet, and what they usually mean."""

from __future__ import annotations

from typing import Final

TITLE: Final = "Settings"
#: Above the same in Home.
HOME: Final = "Your settings"
SUBMIT: Final = "Save"
CLOSE: Final = "Cancel"
DONE: Final = "Close"
CHANGE: Final = "Change settings"
HEADING: Final = "*Your settings*"
SAVED: Final = "*Saved.*"
TOPICS: Final = {
    "ready": "a workspace is ready",
    "stopped": "a workspace stops by itself",
    "run_ended": "a run ends",
}
SENT: Final = "I'll message you when {topics}."
NOT_SENT: Final = (
    "I won't message you when a workspace is ready or stops by itself, or a run ends. Their cards show it."
)
EXCEPT: Final = "With settings of their own: {names}."
QUIET: Final = "Quiet hours: {begin} to {end} ({zone})."
NOT_QUIET: Final = "No quiet hours."
WORKSPACE: Final = "`start` without a name means *{name}*."
NO_WORKSPACE: Final = "`start` without a name asks which workspace you mean."
NEW: Final = "New workspaces come from *{source}* on *{title}*."
NEW_ANY: Final = "New workspaces come from *{title}*."
NO_NEW: Final = "`new` asks where to create a workspace."
AS_OF: Final = "As of {at}."

#: The form.
TELL: Final = "Message me when"
TELL_HINT: Final = (
    "Anything else only shows on its card. Failures, warnings and questions always arrive. "
    "For a single workspace, type {command}notify NAME on or {command}notify NAME off."
)
HOLD: Final = "Quiet hours"
HOLD_OPTION: Final = "Only message me about what I asked for in the last hour"
HOLD_HINT: Final = (
    "You'll get the rest in one message afterwards. Failures and warnings still arrive right away."
)
BEGIN: Final = "From"
END: Final = "To"
DEFAULT_WORKSPACE: Final = "Workspace to start when you don't name one"
DEFAULT_NEW: Final = "New workspaces come from"
ASK: Final = "Ask me each time"
SOURCE: Final = "{template} on {title}"
SAME_TIME: Final = "Quiet hours need two different times."
NO_TIME: Final = "Choose a time."
NOT_YOURS: Final = "That workspace is no longer on your list. Choose another one."
NOT_THERE: Final = "That isn't available any more. Choose something else."

NOTIFY_USAGE: Final = (
    "Type `{command}notify NAME on`, `{command}notify NAME off` or `{command}notify NAME usual`."
)
#: By what is sent: ready, stopped.
NOTIFY: Final = {
    (True, True): "I'll message you when *{name}* on {title} is ready, and when it stops by itself.",
    (True, False): "I'll message you when *{name}* on {title} is ready, but not when it stops by itself.",
    (False, True): (
        "I'll message you when *{name}* on {title} stops by itself. Its card says when it's ready."
    ),
    (False, False): (
        "I won't message you when *{name}* on {title} is ready or stops by itself. Its card shows it."
    ),
}
NOTIFY_USUAL: Final = "*{name}* on {title} now follows your usual settings."

#: What was held back.
HELD: Final = "*During your quiet hours*"
HELD_ONE: Final = "During your quiet hours: {what}"
HELD_SEVERAL: Final = "{count} things happened during your quiet hours."
#: A link that was refused at night, said so that it stays true.
HELD_LINK: Final = "{title} stopped accepting your link at {at}. Link again if you haven't since then."
HELD_ENDING: Final = "Your link to {title} lasts until {at}. Link again before then to keep using it."
HELD_MORE: Final = "and {count} more"
SHOW: Final = "Show my workspaces"
