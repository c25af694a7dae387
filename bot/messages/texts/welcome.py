"""The first minute: what Usher is, the first steps, and what tells two ways to link apart."""

from __future__ import annotations

from typing import Final

WHAT: Final = "I start, stop and open your cloud workspaces from Slack, always with your own account."
WHAT_WITH_JOBS: Final = (
    "I start, stop and open your cloud workspaces and run your jobs from Slack, always with your own account."
)
#: Where nobody has an account of their own.
WHAT_WITHOUT_ACCOUNTS: Final = "I start, stop and open cloud workspaces from Slack."

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

#: Where a connection has both.
TWO_WAYS: Final = (
    "There are two ways to link {titles}. With *Link* you paste your own token on a private page, and it "
    "works right away. With *Ask to link* you don't need a token: you give your username there, and an Usher "
    "admin approves it."
)
