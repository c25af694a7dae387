"""What a person's Home says: the first steps, their things, their preferences.

It stays on the screen for hours, so it names times of day and never ages.
"""

from collections.abc import Mapping
from typing import Final

from bot.support.environment import command

# -- a person's own ----------------------------------------------------------------------------------------

QUESTIONS: Final = "Waiting for you"
WORKSPACES: Final = "Your workspaces"
#: Beside the heading, once there are some.
COUNT: Final = "{count} in all, {running} running"
PAGE: Final = "Page {page} of {pages}"
UPDATED: Final = "Updated {at}"
NEXT: Final = "Next page"
PREVIOUS: Final = "Previous page"
#: What follows the sentence that says what Usher is, where there are no workspaces to show.
NONE_LINKED: Final = "You don't have any workspaces yet."
NONE_NEW: Final = "You don't have any workspaces yet. Press *New workspace* below to create one."
NONE_NEW_OR_LINK: Final = (
    "You don't have any workspaces yet. Link an account below to see yours, "
    "or press *New workspace* to create one."
)
NONE_UNLINKED: Final = "Link an account below, and your workspaces show up here."
TODAY: Final = "Today"
NOTHING_SET_UP: Final = "Nothing is set up here yet. Ask your Usher admin to add a connection."

RUNS: Final = "Your job runs"
MORE_RUNS: Final = "{count} more: `{command} list`"

LINKS: Final = "Your accounts"
MORE_LINKS: Final = "{count} more: `{command} whoami`"
LINK: Final[Mapping[str, str]] = {
    "linked": "*{title}* · Linked as {username}",
    "nameless": "*{title}* · Linked",
    "held": "*{title}*\nNot accepting your account since {since}. I'll keep trying.",
    "refused": "*{title}*\nNo longer accepts your account. Link it again to carry on.",
    "asked": "*{title}* · Waiting for an Usher admin to approve {username}",
    "none": "*{title}* · Not linked",
    "needless": "*{title}* · Nothing to link here",
}
LINK_BUTTON: Final = "Link"
ASK_BUTTON: Final = "Ask to link"
CODE: Final = "The link page showed you a code. Enter it here to finish linking."

NEW: Final = "Create a workspace"
TEMPLATES: Final = "*{title}*\n{templates}"
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
CONNECTIONS: Final = "Connections"
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


TITLE: Final = "Settings"
#: Above the same in Home.
HOME: Final = "Your settings"
SUBMIT: Final = "Save"
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
WORKSPACE: Final = "`start` without a name means *{name}*."
NO_WORKSPACE: Final = "`start` without a name means the one we were just talking about, or I'll ask."
USUAL_TEMPLATE: Final = "New workspaces come from *{source}* on *{title}*."
NEW_ANY: Final = "New workspaces come from *{title}*."
NO_NEW: Final = "`new` asks where to create a workspace."
ASKS_AFTER: Final = "I'll ask once a day about workspaces left running for {time}."
ASKS_NEVER: Final = "I won't ask about workspaces left running."

#: The form.
TELL: Final = "Message me when"
TELL_HINT: Final = (
    "Anything else only shows on its card. Failures, warnings and questions always arrive. "
    "For a single workspace, type {command}notify NAME on or {command}notify NAME off."
)
ASKING: Final = "Ask me about workspaces left running"
ASK_NEVER: Final = "Don't ask"
ASK_AFTER: Final = "After {time}"
DEFAULT_WORKSPACE: Final = "Workspace to start when you don't name one"
DEFAULT_NEW: Final = "New workspaces come from"
ASK: Final = "Ask me each time"
SOURCE: Final = "{template} on {title}"
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
