"""Text about who owns an account: proofs, and questions to administrators and other members."""

from typing import Final

#: Sent when a person has proven that an account is theirs, and Usher has therefore ended someone else's link
#: to it. That link had been made without a proof, by approval or by an operator's import. ``PROVEN_OWN`` is
#: for the account's owner, ``PROVEN`` for administrators.
PROVEN_OWN: Final = (
    "Until now, {who} was linked to your {title} account *{username}*, without having proven that "
    "it's theirs. I've ended that link. If you didn't know about it, check on {title} what was done "
    "as you."
)
PROVEN: Final = (
    "{owner} has proven that *{username}* on {title} is theirs. {who} was linked to it without a "
    "proof, so I've ended that link and told them both. Please find out how that link came about."
)

#: Sent to administrators about links that are suspended because their usernames now belong to other accounts.
RESTING: Final = (
    "I've stopped using the link of {who} to {title}: *{username}* is another account there now. I show "
    "nothing and do nothing through it. {who} can link again and prove the account."
)
RESTING_SEVERAL: Final = (
    "The usernames of {count} people are other accounts on {title} now: {people}. It looks as if the server "
    "was set up from scratch. Their links rest: I show nothing and do nothing through them. They can link "
    "again. If you linked them, import your list again, or approve their requests."
)
RESTING_OVER: Final = "The links on {title} that rested are used again, or have ended."
_WHAT_APPROVAL_DOES: Final = (
    "{name} will be able to act as {username} on {title}, which is another account than before. "
    "What was waiting for the former one ends."
)
CONFIRM_RESTING: Final = ("Approve this account?", _WHAT_APPROVAL_DOES, "Approve", "Not yet")
APPROVING_RESTING: Final = "I'm checking *{username}* on {title} for {who}. I'll tell you both."

#: Lines about the requester, shown to administrators below a request. A display name isn't enough to identify
#: someone, because people choose it themselves.
ASKER: Final = "Requested by {who}."
KNOWN: Final = "{who} (id `{id}`, handle `{handle}`, e-mail `{email}`, shown as *{name}*)"
KNOWN_WITHOUT: Final = "{who} (id `{id}`, handle `{handle}`, e-mail unknown, shown as *{name}*)"
ADDRESSES_DIFFER: Final = (
    "*The e-mail addresses differ:* on {title}, {username} has `{there}`; in Slack, {who} has `{here}`."
)
ADDRESS_THERE: Final = "On {title}, {username} has the e-mail address `{there}`."
#: Shown to administrators if Usher has asked a possible owner about the account. The possible owner's answer
#: isn't treated as proof.
OWNER_ASKED: Final = "I've asked {owner} whether the account is theirs."
OWNER_ANSWERED: Final = "I've asked {owner} whether the account is theirs. Their answer: “{answer}.”"
#: Shown above the list of open requests. ``MORE_OPEN`` is shown below it.
OPEN: Final = "*{count} waiting for your decision*"
MORE_OPEN: Final = "{count} more are waiting. Decide about these first."
#: Replaces a message about a request once a newer message asks about the same request.
ASKED_AGAIN: Final = "{who} wants to be linked to *{username}* on {title}: see my newest message about it."
#: Shown above a request that is still open the next morning. If nobody decides for a week, administrators get
#: ``UNDECIDED``, and the requester gets ``UNDECIDED_PERSON``.
REMINDER: Final = "This request has been waiting since {since}. It ends by itself after 7 days."
UNDECIDED: Final = (
    "{who} wanted to be linked to *{username}* on {title}. Nobody decided within 7 days, so the request has "
    "ended."
)
UNDECIDED_PERSON: Final = (
    "Nobody has decided about your request for *{username}* on {title} within 7 days, so it has ended. "
    "Talk to your Usher admin, then ask again."
)
#: Replaces the message about a request after another member has claimed the account.
CLAIMED: Final = "{by} says that *{username}* on {title} is theirs, so I've closed the request of {who}."
UNKNOWN: Final = "unknown"
#: Asks a possible owner of the requested account whether it is theirs.
WHOSE: Final = "Someone asked to use `{username}` on {title}. Is that your account?"
NOT_MINE: Final = "It isn't"
SAID_MINE: Final = "You said that `{username}` on {title} is your account."
SAID_NOT_MINE: Final = "You said that `{username}` on {title} isn't your account."
WHOSE_OVER: Final = "I asked whether `{username}` on {title} is your account. That's no longer needed."
#: Reply to a possible owner who says that the account is theirs.
NOTED_MINE: Final = (
    "Thanks, I've closed the request and told the Usher admins. If you link it yourself, nobody else can use "
    "it from Slack."
)
