"""What is said where an administrator approves whom a person acts as."""

from __future__ import annotations

from typing import Final

ASK: Final = (
    "On {title}, an Usher admin has to approve your link. "
    "Type `{command}link {title} USERNAME` with your username there."
)
ASK_BUTTON: Final = "Ask to link {title}"
ASK_TITLE: Final = "Ask to link"
ASK_SUBMIT: Final = "Ask"
ASK_CLOSE: Final = "Not now"
ASK_LABEL: Final = "Your username on {title}"
ASK_NOTE: Final = "An Usher admin sees your Slack name and this username, and approves or denies the request."
USERNAME_SHAPE: Final = "A username has 1 to 80 characters, without spaces or invisible characters."
ASKED: Final = (
    "I've asked the Usher admins to link you to *{username}* on {title}. I'll message you when they decide."
)
LINKED_ALREADY: Final = (
    "You're linked to *{username}* on {title}. "
    "To ask for another username, type `{command}link {title} USERNAME`."
)

#: To administrators.
REQUEST: Final = "{who} wants to be linked to *{username}* on {title}."
REQUEST_SHORT: Final = "{name} wants to be linked to {username} on {title}."
REQUEST_NOTE: Final = (
    "Only approve this if you know that this person is {username} there: "
    "whatever they do here will be done as {username}."
)
#: What the request becomes for every administrator, once one of them has decided.
APPROVED_BY: Final = "{who} wanted to be linked to *{username}* on {title}. {by} approved it."
DENIED_BY: Final = "{who} wanted to be linked to *{username}* on {title}. {by} denied it."
WITHDRAWN: Final = "{who} wanted to be linked to *{username}* on {title}. The request is no longer open."
APPROVE: Final = "Approve"
DENY: Final = "Deny"
CONFIRM_APPROVE: Final = (
    "Approve {username}?",
    "{name} will be able to act as {username} on {title}.",
    "Approve",
    "Not yet",
)
APPROVING: Final = "Approved. I'll check *{username}* on {title}, link {who}, and tell both of you."
DENIED: Final = "Denied. I'll tell {who}."
DECIDED_ALREADY: Final = "That request has already been decided: {state}."
GONE: Final = "That request is no longer open: it was withdrawn or asked again. Look at the newest request."
CHANGED: Final = "{who} has asked for another username since. Look at the newest request."
STATES: Final = {
    "asked": "still open",
    "approved": "approved, being checked",
    "linked": "approved and linked",
    "denied": "denied",
    "failed": "approved, but it failed",
    "replaced": "asked again since",
}
DONE: Final = "{who} is now linked to *{username}* on {title}."

#: To both, when the provider does not let it be. The first two go to the person.
DENIED_PERSON: Final = (
    "An Usher admin didn't approve *{username}* on {title} for you. "
    "Talk to them, or ask again with your own username."
)
FAILED_PERSON: Final = (
    "I couldn't link you to *{username}* on {title}. {because} Ask again once that's sorted out."
)
FAILED_ADMINISTRATOR: Final = "I couldn't link {who} to *{username}* on {title}. {because}"
BECAUSE: Final = {
    "not_found": "There's no such user on {title}.",
    "forbidden": "{title} lists that user as inactive, or doesn't let me act for them.",
    "taken": "Somebody else in Slack is already linked to that user.",
    "credential_refused": "{title} doesn't accept the admin token that I was set up with.",
    "untrusted": "{title} answered with a sign-in link to another host, or with somebody else's token. "
    "I didn't use it.",
    "not_set_up": "{title} is no longer set up for approvals.",
    "not_allowed": "I don't work for guests, bots, or people from other organisations.",
    "gave_up": "{title} hasn't answered for a long time.",
}
