"""What is said where an administrator approves whom a person acts as."""

from __future__ import annotations

from typing import Final

ASK: Final = (
    "At {title} an administrator decides whom you act as. "
    "Write `{command}link {connection} USERNAME` with your username there."
)
ASK_BUTTON: Final = "Ask for {title}"
ASK_TITLE: Final = "Ask to be linked"
ASK_SUBMIT: Final = "Ask"
ASK_CLOSE: Final = "Not now"
ASK_LABEL: Final = "Your username at {title}"
ASK_NOTE: Final = "An administrator sees your Slack name and this username, and approves or denies it."
USERNAME_SHAPE: Final = "A username has 1 to 80 characters, no blanks and nothing that can't be seen."
ASKED: Final = "I have asked the administrators to link you at {title} as *{username}*. You get a message."
LINKED_ALREADY: Final = (
    "You act as *{username}* at {title}. Write `{command}link {connection} USERNAME` to ask for another."
)

#: To administrators.
REQUEST: Final = "{who} asks to act as *{username}* at {title}."
REQUEST_SHORT: Final = "{name} asks to act as {username} at {title}."
REQUEST_NOTE: Final = (
    "Approve only when you know that this person is {username} there: "
    "what they do here is then done as {username}."
)
APPROVE: Final = "Approve as {username}"
DENY: Final = "Deny"
CONFIRM_APPROVE: Final = (
    "Approve?",
    "From now on {name} acts as {username} at {title}.",
    "Approve",
    "Not yet",
)
APPROVING: Final = "Approved. I check *{username}* at {title}, link {who} and tell both of you."
DENIED: Final = "Denied. {who} is told."
DECIDED_ALREADY: Final = "That request was decided already: {state}."
GONE: Final = (
    "That request does not stand any more: it was taken back, or asked anew. Look at the newest request."
)
CHANGED: Final = "{who} has asked for another username since. Look at the newest request."
STATES: Final = {
    "asked": "still open",
    "approved": "approved, and being checked",
    "linked": "approved and linked",
    "denied": "denied",
    "failed": "approved, but not possible",
    "replaced": "asked anew since",
}
DONE: Final = "{who} acts as *{username}* at {title} now."

#: To both, when the provider does not let it be. The first two go to the person.
DENIED_PERSON: Final = (
    "An administrator did not approve *{username}* for you at {title}. "
    "Ask them what to do, or ask again with your own username."
)
FAILED_PERSON: Final = (
    "You could not be linked at {title} as *{username}*. {because} Ask again when that is settled."
)
FAILED_ADMINISTRATOR: Final = "{who} could not be linked at {title} as *{username}*. {because}"
BECAUSE: Final = {
    "not_found": "{title} knows no such user.",
    "forbidden": "{title} lists that user as inactive, or does not let me act for them.",
    "taken": "Somebody else in Slack acts as that user already.",
    "credential_refused": "{title} does not accept the administrator's token that I was set up with.",
    "untrusted": "{title} answered with a login link to another host, or with somebody else's token. "
    "I used neither.",
    "not_set_up": "{title} is not set up for approvals any more.",
    "not_allowed": "I don't work for guests, bots, or people of other organisations.",
    "gave_up": "{title} has not answered for a long time.",
}
