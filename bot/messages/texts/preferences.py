"""Texts about a person's preferences, used in the Home tab, in replies and in the preferences form."""

from typing import Final

SETTINGS_TITLE: Final = "Settings"
SUBMIT: Final = "Save"
CHANGE: Final = "Change settings"
SAVED: Final = "*Saved.*"
TOPICS: Final = {
    "ready": "a workspace is ready",
    "stopped": "a workspace stops by itself",
    "run_ended": "a run ends",
}
SENT: Final = "I'll message you when {topics}."
NOT_SENT: Final = (
    "I won't message you when a workspace is ready or stops by itself, or when a run ends: their "
    "cards show that."
)
ASKS_AFTER: Final = (
    "I'll ask once a day about workspaces left running for more than {time} that nothing will stop "
    "within a day."
)
#: Lists the connections where the operator has changed how soon people are asked whether a workspace is still
#: needed.
ASKS_THERE: Final = "On {titles}, I'll ask after {time}."
ASKS_NEVER_THERE: Final = "On {titles}, I won't ask."

#: Hints in the preferences form.
TELL_HINT: Final = (
    "Anything else only shows on its card. Failures, warnings and questions always arrive. "
    "For a single workspace, type {command}settings NAME."
)
#: Maps each level (``bot.domain.preferences.LEVELS``) to what Slack's assistant may do at that level.
ASSISTANT_LEVELS: Final = {
    "nothing": "do nothing for you",
    "show": "show your workspaces",
    "start": "show and start your workspaces",
    "stop": "show, start and stop your workspaces",
}

#: Labels of the options for a workspace's messages. The keys are what people can type after the workspace's
#: name.
MESSAGES: Final = {
    "usual": "As in my general settings",
    "on": "When it's ready, and when it stops by itself",
    "ready": "When it's ready",
    "stopped": "When it stops by itself",
    "off": "Neither",
}
#: Confirms which messages a person will get about a workspace. The key says whether a message is sent when
#: the workspace is ready, and whether one is sent when it stops.
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
NOTIFY_USUAL: Final = "*{name}* on {title} follows your usual settings."
