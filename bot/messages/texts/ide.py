"""Texts of the page that shows a workspace, and of signing in for it and out again. Plain text."""

from __future__ import annotations

from typing import Final

SIGN_IN_TITLE: Final = "Open your workspace"
SIGN_IN_TEXT: Final = (
    "A workspace opens for its owner only. Sign in with Slack to show that it is yours. "
    "Usher learns who you are there, and nothing else."
)
SIGN_IN_BUTTON: Final = "Sign in with Slack"

UNSET_TITLE: Final = "This page is not set up yet"
UNSET_TEXT: Final = (
    "A workspace opens for its owner only, so this page has to learn from Slack who you are. "
    "Ask the people who run Usher to set SLACK_CLIENT_ID and SLACK_CLIENT_SECRET; then open it again."
)

FORGED_TITLE: Final = "This does not work"
NOTHING_TITLE: Final = "There is nothing of yours here"
SIGNED_IN_AS: Final = "Signed in as"
SIGN_OUT: Final = "Sign out"
SIGNED_OUT_TITLE: Final = "You are signed out"
SIGNED_OUT_TEXT: Final = (
    "This browser shows no workspace any more. What runs goes on: stop it in Slack when you do not need it."
)

END_TITLE: Final = "End this workspace for good?"
END_TEXT: Final = "It can't be started again after this."
END: Final = "End it"
KEEP: Final = "Keep it"

BACK_TO_SLACK: Final = "Back to Slack"
STOP: Final = "Stop"
START: Final = "Start"
START_NEW: Final = "Start a new one"
TRY_AGAIN: Final = "Try again"
PLACE_LABEL: Final = "Workspace"
ACTIONS_LABEL: Final = "Actions"

LOADING: Final = "Opening the workspace…"
NEEDS_SCRIPT: Final = "The workspace needs JavaScript. Allow it for this page, then load the page again."
LOST: Final = "Usher cannot be reached right now. This page keeps trying; the workspace itself goes on."
NOT_GIVEN_TITLE: Final = "The workspace could not be opened"
NOT_GIVEN: Final = "What opens it could not be fetched in time. Try again in a moment."

#: The line that says how it stands, by phase.
LINES: Final[dict[str, str]] = {
    "starting": "Starting",
    "running": "Running",
    "closed": "Running, but closed",
    "stopping": "Stopping",
    "ending": "Ending",
    "stopped": "Stopped",
    "failed": "Failed",
    "gone": "No longer there",
    "unmade": "Not made",
    "unknown": "Looking",
}

#: What stands in the place of the workspace while there is none to show, by phase: a heading and a sentence.
PLACES: Final[dict[str, tuple[str, str]]] = {
    "starting": ("Your workspace is starting", "It opens here by itself. That takes a minute or two."),
    "closed": (
        "Nobody may enter right now",
        "It runs, but {title} lets nobody in at the moment. This page keeps looking.",
    ),
    "stopping": ("Your workspace is stopping", "Its files are being put away."),
    "ending": ("Your workspace is ending", "It can't be started again."),
    "stopped": (
        "Your workspace is stopped",
        "Start it to go on where you were. It opens here when it is ready.",
    ),
    "failed": (
        "Your workspace has failed",
        "{title} reports an error. Remove it in Slack, then make a new one.",
    ),
    "gone": ("This workspace is no longer there", "{title} has removed it, with everything in it."),
    "unmade": ("Your workspace was not made", "{title} has not made it. The message in Slack says why."),
    "unknown": ("One moment", "Usher is asking {title} how your workspace is doing."),
}
#: Beside these, when a new one like it can be made.
NEW_ONE: Final = "You can start a new one like it."
REASON: Final = "The reason there: {detail}"


def sign_in_note(lasts: str) -> str:
    """Say how long a sign-in lasts."""
    return f"You stay signed in here for {lasts} at most, and can sign out on the page."


def unreachable_title(title: str) -> str:
    """Head the place when the vendor's script does not come."""
    return f"{title} cannot be reached"


def unreachable(title: str) -> str:
    """Say what that means."""
    return (
        f"Your browser could not load what shows the workspace from {title}. "
        "Your network may block it, or it is out of order. The workspace itself goes on."
    )


def nothing() -> str:
    """Answer an address of somebody else's workspace, or of none: in the same words."""
    return "This address leads to no workspace of yours. Open the message from Usher in Slack again."


def runs_until(minutes: int, *, is_removed: bool) -> str:
    """Say when what runs ends by itself."""
    return f"Running, {_ends(minutes, is_removed=is_removed)} unless you use it"


def kept_until(minutes: int) -> str:
    """Say when what is stopped is removed."""
    return f"Stopped, {_ends(minutes, is_removed=True)} unless you start it"


def _ends(minutes: int, *, is_removed: bool) -> str:
    ending = "is removed" if is_removed else "stops"
    return f"{ending} in a minute" if minutes <= 1 else f"{ending} in {minutes} minutes"


def sign_in_cancelled() -> str:
    """Answer when a person pressed Cancel at Slack."""
    return "You did not finish signing in with Slack. Go back and try again when you are ready."


def sign_in_failed() -> str:
    """Answer when Slack's answer proves nothing."""
    return "Slack's answer could not be used. Go back and sign in again."


def sign_in_expired() -> str:
    """Answer a sign-in that this browser did not begin, or began too long ago."""
    return "This sign-in was not begun in this browser, or it took too long. Go back and sign in again."


def forged() -> str:
    """Refuse a form that was not sent from our own page."""
    return (
        "This did not come from the page itself, or the page was too old. Nothing was changed. Load it again."
    )


def too_many() -> str:
    """Refuse more presses than one person may make at once."""
    return "That was a lot at once. Nothing was changed: wait a moment, then try again."
