"""The first minute: what Usher is, the first steps, and what helps where there are two ways to link."""

from __future__ import annotations

from typing import Final

WHAT: Final = "I start, stop and open your cloud workspaces from Slack, always with your own account."
WHAT_WITH_JOBS: Final = (
    "I start, stop and open your cloud workspaces and run your jobs from Slack, always with your own account."
)
#: Where nobody has an account of their own.
WHAT_WITHOUT_ACCOUNTS: Final = "I start, stop and open cloud workspaces from Slack."

#: The same to somebody who has linked nothing yet, in one sentence above a button for each account.
TO_BEGIN: Final = "{what}: link it to begin."

#: How a greeting begins; what Usher is comes after it.
HI: Final = "Hi! "

LINK_ACCOUNT: Final = "Link an account"
SHOW: Final = "Show my workspaces"

HELP: Final = "Help"
HELP_ALL: Final = "Show everything"
HELP_SHARE: Final = (
    "Only you see my answers. Add `--share` to `list`, `status`, `start` or `stop` to show the answer to "
    "everybody. Links to workspaces are never shared."
)
HELP_DIRECT: Final = "In a direct message to me, leave out `{command}`."

#: Below the page of a connection that has both ways.
OR_ASK: Final = (
    "No token? Press *Ask to link* and give your username on {title}; an Usher admin then approves it."
)
