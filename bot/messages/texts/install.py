"""Texts of the pages on which Usher is installed in a Slack workspace. Plain text."""

from __future__ import annotations

from typing import Final

TITLE: Final = "Add Usher to Slack"
TEXT: Final = (
    "Usher starts, stops and opens cloud workspaces from Slack. Everyone links their own account, "
    "and Usher only acts with that account."
)
PERMISSIONS: Final = "What Slack will ask you to allow"
BUTTON: Final = "Add to Slack"
NOTE: Final = (
    "You need to be allowed to install apps in your Slack workspace. You can remove Usher there at any time. "
    "Everyone's links are then deleted."
)

DONE_TITLE: Final = "Usher is installed"
DONE_NEXT: Final = "Open Usher in Slack and send it “help”, or type {command} in any channel."
DONE_ENTERPRISE: Final = (
    "One more step: an admin of your organisation chooses which workspaces get Usher. "
    "Until then, nobody sees it."
)
OPEN_SLACK: Final = "Open Usher in Slack"
CHOOSE_WORKSPACES: Final = "Choose workspaces"

REFUSED_TITLE: Final = "Usher wasn't installed"


def done(place: str) -> str:
    """Say where Usher was installed."""
    return f"Usher is installed in {place}."


#: Why an installation failed, by Bolt's reason or ours.
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


def refused(reason: str) -> str:
    """Say why Usher wasn't installed, and what to do."""
    return REFUSED.get(reason) or REFUSED["other"].format(reason=reason)
