"""The texts of a person's Home: the first steps, and their things.

It stays on the screen for hours, so it names times of day and never ages.
"""

from collections.abc import Mapping
from typing import Final

from bot.support.environment import command

# -- a person's own ----------------------------------------------------------------------------------------

QUESTIONS: Final = "Waiting for you"
WORKSPACES_HEADING: Final = "Your workspaces"
#: Beside the heading, once there are some.
COUNT: Final = "{count} in all, {running} running"
PAGE_NUMBER: Final = "Page {page} of {pages}"
UPDATED: Final = "Updated {at}"
NEXT_PAGE: Final = "Next page"
PREVIOUS_PAGE: Final = "Previous page"
#: What follows the sentence that says what Usher is, where there are no workspaces to show.
NONE_LINKED: Final = "You don't have any workspaces yet."
NONE_NEW: Final = "You don't have any workspaces yet. Press *New workspace* below to create one."
NONE_NEW_OR_LINK: Final = (
    "You don't have any workspaces yet. Link an account below to see yours, "
    "or press *New workspace* to create one."
)
NONE_UNLINKED: Final = "Link an account below, and your workspaces show up here."
NOTHING_SET_UP: Final = "Nothing is set up here yet. Ask your Usher admin to add a connection."

RUNS_HEADING: Final = "Your job runs"
MORE_RUNS: Final = "{count} more: `{command} list`"

ACCOUNTS_HEADING: Final = "Your accounts"
MORE_LINKS: Final = "{count} more: `{command} whoami`"
LINK_STATES: Final[Mapping[str, str]] = {
    "linked": "*{title}* · Linked as {username}",
    "nameless": "*{title}* · Linked",
    "held": "*{title}*\nHasn't accepted your account since {since}. I'll keep trying.",
    "resting": "*{title}*\n{username} is another account there now, so I don't use the link. "
    "Link your own again.",
    "refused": "*{title}*\nNo longer accepts your account. Link it again to carry on.",
    "requested": "*{title}* · Waiting for an Usher admin to approve {username}",
    "none": "*{title}* · Not linked",
    "needless": "*{title}* · Nothing to link here",
}
LINK_BUTTON: Final = "Link"
ASK_BUTTON: Final = "Ask to link"
ENTER_CODE: Final = "The link page showed you a code. Enter it here to finish linking."

NEW: Final = "Create a workspace"
TEMPLATE_LIST: Final = "*{title}*\nTemplates: {templates}"
NO_TEMPLATES: Final = "*{title}*"
UNREAD_TEMPLATES: Final = "*{title}*\nI couldn't read its templates. Ask your Usher admin to look into it."
MORE_TEMPLATES: Final = "{templates} and {count} more"
NEW_BUTTON: Final = "New workspace"

#: Below the answer to a press.
ANSWERED: Final = "As of {at}"

# -- nobody's rows -----------------------------------------------------------------------------------------

NOT_KNOWN: Final = "Slack isn't telling me who you are right now. I'll try again in a few seconds."
UNDRAWN: Final = "Something went wrong while I was drawing this page, and it has been logged ({reference})."

# -- everybody's, for administrators -------------------------------------------------------------------------

TO_TOTALS: Final = "Show everybody's totals"
TOTALS: Final = "Totals"
#: Where an administrator sees one of several Slack workspaces.
TOTALS_OF: Final = "Totals of {place}"
TOTALS_LINE: Final = (
    "{running} of {known} workspaces running · {starting} starting\n"
    "Open job runs: {runs} · Linked accounts: {linked}"
)
UNDELIVERED: Final = f"{{messages}} couldn't be delivered. {command('doctor')} says which, and why."
CONNECTIONS_HEADING: Final = "Connections"
ANSWERING: Final = "*{title}*\nAnswering · {running} of {known} running"
OUTAGE: Final = "*{title}*\nNot answering since {since} · {running} of {known} running"
LINKED_HERE: Final = " · {count} linked"
REFUSED_LINKS: Final = " · {count} refused"
FAILED_HERE: Final = " · {count} failed in 24 hours"
SLOW: Final = "Slow starts"
SLOW_ROW: Final = "{who} · {title} · asked {at} · `{reference}`"
NO_SLOW: Final = "No start is taking longer than usual."
FAILURES: Final = "Failures in the last 24 hours"
FAILURE_ROW: Final = "{at} · {who} · {verb} on {title} · `{reference}`\n{cause}"
MORE_FAILURES: Final = "{count} more"
NO_FAILURES: Final = "Nothing has failed in the last 24 hours."
RUN: Final = "job run"
