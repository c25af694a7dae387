"""Text for linking: the link pages, the same steps in Slack, and approval by an administrator.

The text isn't escaped yet. Pages escape it, and so must code that puts any of it into a Slack message.
"""

from collections.abc import Mapping
from typing import Final

from bot.messages.texts.problems import explain_cause, quote_error
from bot.messages.texts.times import format_count
from bot.support import errors

BRAND = "Usher"

# -- headings and labels of pages ----------------------------------------------------------------------------

LINK_TITLE = "Link your account"
SIGN_IN_BUTTON = "Sign in with Slack"
#: Shown before Usher knows who is linking.
FIRST_TEXT = (
    "Sign in with Slack to confirm who you are. Usher shows you both accounts before it links anything."
)
FIRST_NOTE = "Usher learns who you are in Slack, and nothing else."
TOKEN_NOTE = "It's stored encrypted, and used only to show your workspaces and do what you ask for in Slack."  # noqa: S105 - a sentence
DONE_NEXT = "Usher is sending you a message in Slack. Start, stop and open your workspaces from there."
#: Shown if a request in Slack is waiting for the link.
DONE_WAITED = "Usher is carrying on with your request, and will message you in Slack."
BACK_TO_SLACK = "Back to Slack"
LABEL_ACCOUNT = "Account there"
ACCOUNT_UNTOLD = "the owner of the token (this server gives no name)"

STEP_SIGN_IN = "Sign in"
STEP_TOKEN = "Token"  # noqa: S105 - a label
STEP_CONFIRM = "Confirm"
STEP_CODE = "Code in Slack"

NOT_FOUND_TITLE = "There's nothing here"
FAILED_TITLE = "Something went wrong"
BUSY_TITLE = "Busy right now"
REFUSED_TITLE = "That didn't work"
LINK_CLOSED_TITLE = "This link no longer works"
NOT_YOU: Final = (
    "Not {person} in {workspace}? Or did somebody else send you this link? "
    "Then close this page, or they could get access to your account."
)


def format_linked_account(title: str, username: str) -> str:
    """Say which account has been linked."""
    return f"{title} is linked as {username}." if username else f"{title} is linked."


#: Explains on a page why Usher refuses to act for a person, keyed by the policy rule that refused it.
POLICY: Final[Mapping[str, str]] = {
    "policy.bot": "Usher only takes requests from people. Ask a person to do it.",
    "policy.foreign_team": (
        "Usher isn't installed in your Slack workspace. Ask one of its admins to install it."
    ),
    "policy.guest": "Guests can't use Usher. Ask a full member of the Slack workspace to do it.",
    "policy.left": (
        "This Slack account is deactivated, so Usher won't do anything for it. "
        "Ask a Slack workspace admin to reactivate it."
    ),
    "policy.not_owner": (
        "This link doesn't lead to a workspace of yours. Open it again from Usher's message in Slack."
    ),
    "policy.stranger": (
        "People from other organisations can't use Usher. Ask someone in this Slack workspace to do it."
    ),
    "policy.unknown_person": (
        "Usher couldn't check with Slack who you are, so nothing was changed. Try again in a few minutes."
    ),
}

# -- reasons why a link doesn't work -------------------------------------------------------------------------


ANY_LINK: Final = "Type {command} link in Slack to get a new link."
SIGN_IN_CANCELLED: Final = (
    "You didn't finish signing in with Slack. Nothing was linked. Try again when you're ready."
)
#: Shown if Slack's response doesn't prove who the person is.
SIGN_IN_FAILED: Final = "Slack's answer couldn't be used. Nothing was linked. Go back and sign in again."
#: Shown if the sign-in began in another browser or too long ago.
SIGN_IN_EXPIRED: Final = (
    "This sign-in wasn't started in this browser, or it took too long. Go back and sign in again."
)
FORGED: Final = (
    "This form didn't come from this page, or the page was too old. Nothing was changed. Open it again."
)

# -- reasons why a token doesn't work ------------------------------------------------------------------------


#: Shown if the text pasted as a token can't be one, for example because it contains spaces. Also shown if the
#: provider refuses a token that doesn't have the form of its usual tokens.
TOKEN_SHAPE: Final = "That doesn't look like a token from {title}. Copy it again: all of it, without quotes."  # noqa: S105 - a text


def explain_failed_check_of_odd_token(error: errors.ProviderError, title: str, attempts_left: int) -> str:
    """Explain why the provider refused a token that doesn't look like one of its own."""
    return explain_failed_check(error, title, attempts_left, TOKEN_SHAPE.format(title=title))


def explain_failed_check(
    error: errors.ProviderError, title: str, attempts_left: int, refused: str = ""
) -> str:
    """Explain why the provider refused a token, quoting the provider."""
    tries = f"{format_count(attempts_left, 'try is', 'tries are')} left."
    if isinstance(error, errors.RefusedInFront):
        return f"{explain_cause(error, title)} Nothing was stored. {tries}"
    said = quote_error(error, title)
    if isinstance(error, errors.CredentialRefused):
        usual = f"{title} didn't accept this token.{said} Copy it again, or get a new one if it has expired."
        return f"{refused or usual} {tries}"
    if isinstance(error, errors.Forbidden):
        # A provider's package may say, in its own words, what the token lacks.
        said = f" {error.message}" if error.is_ours and error.message.endswith(".") else said
        return (
            f"{title} recognises this token, but doesn't let Usher do what it needs to with it.{said} "
            f"The steps below say how to get one. {tries}"
        )
    if isinstance(error, errors.RateLimited):
        wait = f"{error.retry_after:.0f} seconds" if error.retry_after else "a minute"
        return f"{title} is getting too many requests. Try again in {wait}. Nothing was stored."
    if isinstance(error, errors.ServerFailed):
        return f"{title} is having problems right now.{said} Try again in a minute. Nothing was stored."
    if isinstance(error, (errors.BadAnswer, errors.NotFound)):
        return (
            f"{title} sent an answer that Usher doesn't understand. Nothing was stored. "
            "Tell your Usher admin that the base URL of this connection may be wrong."
        )
    if isinstance(error, errors.UntrustedCertificate):
        return (
            f"{title} has a certificate that isn't trusted here, so Usher didn't send the token. "
            "Tell your Usher admin."
        )
    if isinstance(error, errors.TemporaryError):
        return f"{title} didn't answer. Try again in a minute. Nothing was stored."
    if isinstance(error, errors.LimitReached):
        return (
            f"{title} has reached a limit, so it couldn't check this token.{said} Nothing was stored. {tries}"
        )
    return f"{title} wouldn't check this token.{said} Make sure that it's your own, and all of it. {tries}"


# -- in Slack ------------------------------------------------------------------------------------------------


def explain_wrong_code(attempts_left: int, command: str) -> str:
    """Say that a code was wrong, and how many attempts are left."""
    if attempts_left == 0:
        return f"That code is wrong, and it was your last try. {ANY_LINK.format(command=command)}"
    tries = f"{format_count(attempts_left, 'try is', 'tries are')} left."
    return f"That code is wrong. Check the page again. {tries}"


FOREIGN_TEAM: Final = "I'm not installed in your Slack workspace. Ask one of its admins to install me."
#: Shown after an unexpected failure. The log contains the same reference.
UNEXPECTED: Final = (
    "Something went wrong in Usher, and nothing was changed. Try again in a minute. If it happens "
    "again, give your Usher admin this reference: {reference}"
)
#: Shown if the database was too busy to accept a request in time, or couldn't be used at all.
BUSY: Final = "Usher is busy right now. Nothing was changed. Try again in a moment."
#: Shown if the database took too long to save a request, but may still save it.
BUSY_UNSURE: Final = (
    "Usher is busy right now, and can't say yet whether that was done. Wait a moment, then look in Slack "
    "before you try again."
)
NOT_FOUND: Final = (
    "This link leads nowhere. If it came from Slack, part of it may be missing: open it there again."
)
ACCOUNT_TO_COME = "the one you sign in to"
THERE_CANCELLED: Final = (
    "You didn't finish signing in to {title}. Nothing was linked. Try again when you're ready."
)
#: Shown if the provider doesn't let Usher send people to its sign-in page.
THERE_UNSET: Final = (
    "{title} doesn't let Usher sign people in. Nothing was linked. Tell your Usher admin to compare how "
    "Usher is registered there with “usher docs connections”. Until then, go back and paste a token instead."
)


def explain_failed_sign_in(error: errors.ProviderError, title: str, attempts_left: int) -> str:
    """Explain why a sign-in at the provider failed, and what to do next."""
    if isinstance(error, errors.CredentialRefused):
        return f"{title} no longer accepts this sign-in. Nothing was linked. Go back and sign in again."
    if isinstance(error, errors.Untrusted):
        return THERE_UNSET.format(title=title)
    if isinstance(error, errors.Forbidden):
        return (
            f"{title} doesn't let Usher create the token that it needs.{quote_error(error, title)} "
            "Nothing was linked. Tell your Usher admin to compare the permissions that it has there with "
            "“usher docs connections”."
        )
    if isinstance(error, (errors.TemporaryError, errors.RefusedInFront)):
        return explain_failed_check(error, title, attempts_left)
    return (
        f"{title} didn't finish signing you in. Nothing was linked. "
        "If it happens again, tell your Usher admin."
    )


TRIED: Final = (
    "{who} tried to link your {title} account *{username}*, with a token that works. I refused, and your "
    "link stays as it is. If they shouldn't have your token, replace it there and then link again."
)
TRIED_BY_APPROVAL: Final = (
    "{who} was approved to act as *{username}* on {title}, which is your account. I refused, and your link "
    "stays as it is. If one of you has the wrong username, tell your Usher admin."
)

TYPED: Final = (
    "That looks like a token{titles}. I haven't used or kept it, but Slack may have: please {delete}"
    "replace it now{where}. To link your account, type `link` and use the page that opens."
)
#: Shown if someone types text that could be a token or an id.
TYPED_ID: Final = (
    "I can't find anything of yours with that id. If it's a workspace of yours, `add` puts it on "
    "your list. If it's a token{titles}, I haven't used or kept it: please {delete}replace it now{where}."
)
TYPED_SLACK: Final = (
    "That looks like a Slack token. I haven't used or kept it, but others may have seen it: please {delete}"
    "replace it now ({where})."
)
TYPED_ELSE: Final = (
    "That looks like a token or a password. I haven't used or kept it, but Slack may have: please {delete}"
    "replace it now, wherever it's from."
)
#: Shown below a form field into which a token was typed. Slack doesn't format this text.
TYPED_IN_FIELD: Final = (
    "That looks like a token from {titles}, so I haven't kept it. Replace it there, and enter something else "
    "here."
)

RESTORED: Final = (
    "My records were restored from a backup, and in them you're linked to {title}. If you ended that link "
    "recently, it's back. Type `unlink {title}` to remove it again."
)
ASK: Final = (
    "On {title}, an Usher admin has to approve your link. "
    "Type `link {title} USERNAME` with your username there."
)
ASK_TITLE: Final = "Ask to link"
ASK_NOTE: Final = "An Usher admin sees your Slack name and this username, and approves or denies the request."
ASKED: Final = (
    "I've asked the Usher admins to link you to *{username}* on {title}. I'll message you when they "
    "decide. If that username could be somebody else's, they can only approve it tomorrow."
)
LINKED_ALREADY: Final = (
    "You're linked to *{username}* on {title}. To ask for another username, type `link {title} USERNAME`."
)

REQUEST_NOTE: Final = (
    "Only approve this if you know that this person is {username} there: "
    "whatever they do here will be done as {username}."
)
#: Replaces the request in all administrators' messages once it has been decided.
APPROVED_BY: Final = "{who} wanted to be linked to *{username}* on {title}. {by} approved it."
DENIED_BY: Final = "{who} wanted to be linked to *{username}* on {title}. {by} denied it."
WITHDRAWN: Final = "{who} wanted to be linked to *{username}* on {title}. The request is no longer open."
CONFIRM_APPROVE: Final = (
    "Approve {username}?",
    "Slack id {id}, e-mail {email}, shown as “{name}”, will be able to act as {username} on {title}.",
    "Approve",
    "Not yet",
)
APPROVING: Final = "Approved. I'll check *{username}* on {title}, link {who}, and tell both of you."
DECIDED_ALREADY: Final = "That request has already been decided: {state}."
GONE: Final = (
    "That request is no longer open: it was withdrawn or replaced by a newer one. Look at the newest request."
)
#: Shown with a link request that can't be approved yet, because Usher is waiting for answers from people who
#: may own the account.
NOT_OPEN: Final = (
    "I've asked the people it may belong to; they have a day to answer. I'll post this again when "
    "you can approve it."
)
STATES: Final = {
    "asked": "still open",
    "approved": "approved, being checked",
    "linked": "approved and linked",
    "denied": "denied",
    "undecided": "it ended after 7 days",
    "failed": "approved, but it failed",
    "replaced": "asked again since",
}

FAILED_PERSON: Final = (
    "I couldn't link you to *{username}* on {title}. {because} Ask again once that's sorted out."
)
FAILED_ADMINISTRATOR: Final = "I couldn't link {who} to *{username}* on {title}. {because}"
BECAUSE: Final = {
    "not_found": "There's no such user on {title}.",
    "forbidden": "{title} lists that user as inactive, or doesn't let me act for them.",
    "another_account": "That user is another account on {title} now than the one that was approved.",
    "taken": "Somebody else in Slack is already linked to that user.",
    "credential_refused": "{title} doesn't accept the admin token that I was set up with.",
    "untrusted": "{title} answered with a sign-in link to another host, or with somebody else's token. "
    "I didn't use it.",
    "not_set_up": "{title} is no longer set up for approvals.",
    "not_allowed": "I don't work for guests, bots, or people from other organisations.",
    "gave_up": "{title} hasn't answered for a long time.",
}
#: Shown at the URLs of calendar feeds, which release 0.4 offered.
NO_CALENDARS: Final = "Usher doesn't offer calendars any more: remove this one from your calendar program."
