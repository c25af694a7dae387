"""Plain text for the pages that show a workspace, sign people in, and install Usher in Slack."""

from typing import Final

from bot.domain.stops import ExpiryMode

SIGN_IN_TITLE: Final = "Open your workspace"
SIGN_IN_TEXT: Final = (
    "A workspace only opens for its owner. Sign in with Slack to show that it's yours. "
    "Usher learns who you are in Slack, and nothing else."
)

UNSET_TITLE: Final = "This page isn't set up yet"
UNSET_TEXT: Final = (
    "A workspace only opens for its owner, so this page has to ask Slack who you are. "
    "Ask your Usher admin to set up Sign in with Slack, then open it again."
)

FORGED_TITLE: Final = "That didn't work"
NOTHING_TITLE: Final = "There's nothing here for you"
SIGNED_IN_AS: Final = "Signed in as"
SIGN_IN_AGAIN: Final = "Sign in as somebody else"
SIGN_OUT: Final = "Sign out"
SIGNED_OUT_TITLE: Final = "You're signed out"
SIGNED_OUT_TEXT: Final = (
    "This browser no longer shows your workspaces. Anything running keeps running. "
    "Stop it in Slack when you don't need it."
)

START: Final = "Start"
START_NEW: Final = "Start a new one"
TRY_AGAIN: Final = "Try again"


LINES: Final[dict[str, str]] = {
    "starting": "Starting",
    "running": "Running",
    "closed": "Running, but not open",
    "stopping": "Stopping",
    "ending": "Ending",
    "stopped": "Stopped",
    "failed": "Failed",
    "gone": "No longer exists",
    "unmade": "Not created",
    "unknown": "Checking",
}

USUAL_TIME: Final = "This usually takes {usual}."

#: The heading and sentence on a workspace's page while it can't show the workspace, keyed by the workspace's
#: phase.
PLACES: Final[dict[str, tuple[str, str]]] = {
    "starting": (
        "Your workspace is starting",
        "It will open here by itself.",
    ),
    "closed": (
        "Your workspace isn't open right now",
        "It's running, but {title} isn't letting anyone in at the moment. This page will keep checking.",
    ),
    "stopping": ("Your workspace is stopping", "This page will say so when it has stopped."),
    "ending": ("Your workspace is ending", "It can't be started again."),
    "stopped": (
        "Your workspace is stopped",
        "Start it to pick up where you left off. It will open here when it's ready.",
    ),
    "failed": (
        "Your workspace has failed",
        "{title} reported an error. Remove it in Slack, then create a new one.",
    ),
    "gone": ("This workspace no longer exists", "It has been removed from {title}, with everything in it."),
    "unmade": ("Your workspace wasn't created", "The message in Slack says why."),
    "unknown": ("One moment", "Usher is checking your workspace on {title}."),
}
#: Added to the page of an ended workspace if another can be created with the same settings.
NEW_ONE: Final = "You can start a new one with the same settings."
SIGN_IN_NOTE: Final = "You'll stay signed in here for at most {lasts}, and can sign out at any time."
#: Shown both for someone else's workspace and for one that doesn't exist, so that people can't tell the two
#: apart.
NOTHING: Final = (
    "This link doesn't lead to a workspace of yours. Open it again from Usher's message in Slack."
)


def format_planned_stop(phase: str, at: str, done: str) -> str:
    """Say what state a workspace is in and when Usher will stop it.

    ``at`` is a phrase such as "at 18:00", and ``done`` is a participle.
    """
    if phase == "running":
        return f"{LINES[phase]} until {at.removeprefix('at ')}"
    return f"{LINES[phase]}. It will be {done} {at}."


def format_provider_end(phase: str, at: str, mode: ExpiryMode) -> str:
    """Say what state a workspace is in and when its provider will end it."""
    ending = "will be removed" if mode == "removed" else "will stop"
    if mode == "stops_anyway":
        return f"{LINES[phase]}, {ending} {at}"
    return f"{LINES[phase]}, {ending} {at} unless you {'use' if phase == 'running' else 'start'} it"


SIGN_IN_CANCELLED: Final = "You didn't finish signing in with Slack. Go back and try again when you're ready."
#: Shown if Slack's response doesn't prove who the person is.
SIGN_IN_FAILED: Final = "Slack's answer couldn't be used. Go back and sign in again."
#: Shown if the sign-in began in another browser or too long ago.
SIGN_IN_EXPIRED: Final = (
    "This sign-in wasn't started in this browser, or it took too long. Go back and sign in again."
)
FORGED: Final = (
    "That request didn't come from this page, or the page was too old. "
    "Nothing was changed. Reload the page and try again."
)
TOO_MANY: Final = "That was too many requests at once. Nothing was changed. Wait a moment, then try again."
TITLE: Final = "Add Usher to Slack"

DONE_TITLE: Final = "Usher is installed"

REFUSED_TITLE: Final = "Usher wasn't installed"
#: Explains why an installation failed. Some of the reasons are Bolt's own.
REFUSED: Final = {
    "access_denied": "You cancelled in Slack, so nothing was changed.",
    "invalid_browser": (
        "Slack sent you back to a browser that didn't press Add to Slack, or it took more than 10 minutes. "
        "Nothing was changed. Start again from the beginning."
    ),
    "invalid_state": (
        "This page was already used, or it's more than 10 minutes old. Nothing was changed. "
        "Start again from the beginning."
    ),
    "invalid_code": "Slack didn't accept the request. Nothing was changed. Try again.",
    "no_answer": "Slack didn't answer in time. Try again in a minute.",
    "enterprise": (
        "Usher is already installed for your whole organisation, so it works in this workspace as soon as "
        "an admin of the organisation adds it there. People's links belong to the organisation, and a second "
        "installation would split them. Nothing was changed."
    ),
    "team": (
        "Usher is already installed in a single workspace of your organisation. People's links belong to "
        "that workspace and can't be moved. To use Usher in the whole organisation, remove it from that "
        "workspace first: everyone's links there are deleted, and people link again. Nothing was changed."
    ),
    "unlisted": (
        "Usher isn't set up to work in your Slack workspace. Ask the people who run it to add your "
        "workspace, or remove the app from it again in Slack."
    ),
    "other": "Slack refused the installation ({reason}). Nothing was changed. Try again.",
}


def explain_failed_installation(reason: str) -> str:
    """Explain why an installation failed and what to do about it."""
    return REFUSED.get(reason) or REFUSED["other"].format(reason=reason)
