"""Messages about failures and obstacles. Each explains the problem in a sentence and says what to do next.

A *cause* is stored with an operation, in one of three forms. The first is a key of ``CAUSES``. The second is
a key, a colon and the provider's own message (``invalid: disk too small``). The third is a key, two colons
and a complete sentence written by Usher, which is shown unchanged. ``to_cause`` turns an error into a cause,
and ``explain_cause`` puts a cause into words.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from bot.domain.causes import MESSAGE_LIMIT, to_cause
from bot.domain.failure_causes import OWN_LIMITS, Reason, find_reason, find_scarce_resources
from bot.domain.runs import Run
from bot.domain.usability import Lack
from bot.domain.workspaces import State, Workspace
from bot.support import errors

#: Used if the provider gave no reason for a failure. A sentence that says where to look or whom to ask may
#: follow.
NO_REASON: Final = "{title} didn't give a reason."
ASK_ADMIN: Final = "Ask your {title} admin."
#: Explanation of each cause. ``{title}`` stands for the connection's title, and ``{said}`` for the provider's
#: message, if any.
CAUSES: Final[Mapping[str, str]] = {
    # How an operation ended, according to ``bot.domain.plan`` and the reconciler.
    "gave_up": "{title} kept failing.{said} Try again in a while.",
    "not_shown": "It isn't in your account on {title}. Type `list` to see what's there.",
    "gone": "It no longer exists on {title}. Type `list` to see what's there.",
    "provider_failed": "{said}",
    "stopped_elsewhere": "It's stopped again on {title}: it didn't come up, "
    "or somebody stopped it. Try again.",
    "started_elsewhere": "{title} accepted the stop, but shows it as running ten minutes later. "
    "Somebody may have started it again. Check its status, and stop it again if you like.",
    "latest_end": "It already ends as late as possible there.",
    "not_up": "It isn't running, so there's nothing to stop.",
    "not_suspended": "{title} accepted the request, but it's still running ten minutes later. "
    "Check its status, or stop it instead if you don't need what's in its memory.",
    "not_confirmed": (
        "{title} accepted the request, but ten minutes later I still can't tell whether it worked. Check "
        "its status, or ask your {title} admin to look at it."
    ),
    "not_removed": "{title} accepted the request, but it's still there ten minutes later. Try again.",
    "not_agreed": "On {title} this would end it for good, so I haven't done it. "
    "Ask again, and I'll tell you first what would be lost.",
    "at_stake": "By the time I checked, it was busy or had unsaved changes, so I've left it running.",
    "no_restart": "{title} can't restart it, and I didn't create it, so I can't create another one like "
    "it. Nothing has changed. To create a new one, save your work, stop this one and type `new`.",
    "not_made": "Nothing was created on {title}.",
    "unmade": "{title} hasn't created it yet. I'll message you when it's ready.",
    "unlinked": "Your {title} account was unlinked. Link it again to continue.",
    "forgotten": "You took it off your list. Add it again to continue.",
    "replaced": "You've asked for something else since.",
    "cancelled": "It was cancelled.",
    "sent": "You've asked for something else since, so that comes next.",
    "plan_came": "Something that was planned for it came due, and takes its place.",
    "sent_before_plan": "Something that was planned for it came due, so that comes next.",
    "given_up": "You'd asked to stop or remove it.",
    "unanswered": "{title} never answered and I didn't hear from you for a day, so I've stopped "
    "checking. Look on {title}; if nothing is there, ask again.",
    "restored": "My records were restored from a backup, so I don't know whether you still want that.",
    "let_go": "You told me to stop waiting for it.",
    "missed": "By the time I could do it, too little of the planned time was left.",
    # Temporary problems, after which Usher retries by itself.
    "unreachable": "I can't reach {title} right now. Nothing is lost: I'll keep trying.",
    "untrusted_certificate": "I can't reach {title}, as its certificate isn't trusted here. "
    "Nothing is lost: I'll keep trying. Ask your Usher admin to look at it.",
    "no_answer": "I sent the request, but {title} hasn't answered. "
    "I'll check what happened before I do anything else.",
    "answered_error": "{title} answered my request with an error.{said} "
    "I'll check what happened before I do anything else.",
    "rate_limited": "{title} asked me to slow down. Try again in a few minutes.",
    "server_failed": "{title} is having problems right now.{said} I'll keep trying.",
    "bad_answer": "{title} sent an answer that I don't understand. I'll keep trying.",
    "sent_too_late": "I'll check again in a moment.",
    # Permanent problems that the person has to fix.
    "credential_refused": "{title} no longer accepts your link. Link again, then try again.",
    "approval_ended": "Your link to {title} has expired. Link again, then try again.",
    "renamed": "Your account on {title} has been renamed. Link again, then try again.",
    "another_account": "I don't use your link to {title}: its username is another account there now. Link "
    "your own account again, then try again.",
    "account_unclear": "I can't confirm that your username on {title} is still your account, so I'm waiting. "
    "I'll keep trying.",
    "sign_in_refused": "{title} has refused your sign-in. It may be a problem there, so I'll keep "
    "trying and carry on once it's accepted again. If you've changed or revoked it, link again.",
    "people_out": "{title} is refusing several people's sign-ins. That looks like a problem there, so I'll "
    "keep trying and carry on once they're accepted again.",
    "in_front": "Something in front of {title} refused this. Ask your Usher admin to look into it.",
    "forbidden": "Your {title} account isn't allowed to do that.{said} "
    "Ask your {title} admin for permission.",
    "token_lacks": "The token that you linked isn't allowed to do that on {title}.{said} "
    "Link again with one that is, or ask your {title} admin.",
    "not_found": "{title} can't find it. Type `list` to see what's there.",
    "refused": "{title} refused the request.{said} Once that's sorted out, try again.",
    "lost_track": "{title} seems to have lost track of it: what it says doesn't match what it shows.{said} "
    "Ask your {title} admin to look at it.",
    "conflict": "{title} can't do that in its current state.{said} Check its status, then try again.",
    "invalid": "{title} refused the request.{said} Change what you asked for, then try again.",
    "misconfigured": "{title}, or your account there, isn't set up for that.{said} Ask your {title} admin.",
    "limit": "A limit on {title} has been reached.{said} Stop something you don't need, then try again.",
    "spent": "{title} doesn't let your account spend any more.{said} Raise that limit there, or ask your "
    "{title} admin to, then try again.",
    "no_room": "There's no room on {title} right now.{said} Try again later.",
    "untrusted": "{title} sent an answer that I can't trust, so I didn't use it. Ask your Usher admin "
    "to look into it.",
    "untold": "{title} didn't answer, and I can't tell whether it went through. Check on {title}; "
    "if nothing is there, try again.",
    "connection_gone": "The connection {title} isn't set up any more. Ask your Usher admin.",
    "connection_coming": "Part of me is still being updated and doesn't have {title} yet. Try again in a few "
    "minutes.",
    "unknown_command": "I'm not set up for that command. Ask your Usher admin which ones I have.",
    # Requests that a provider can't carry out: never, for this workspace, or right now.
    "no_create": "You can't create workspaces on {title} from here. Create it there, then type `list`.",
    "no_suspend": "Workspaces on {title} can't be suspended. Stop it instead.",
    "no_force": "{title} can't force a workspace to quit. Stop it instead.",
    "no_remove": "You can't remove workspaces from {title} here. Remove it from its page there.",
    "no_about": "{title} has nothing to show about itself.",
    "not_allowed_now": "{title} doesn't offer that for it right now. Check its status, then try again.",
    "not_shared": "It's somebody else's on {title}, and I can't do that with it. Ask its owner.",
    "no_spec": "I didn't create it, so I can't create another one like it. Type `new` to create one.",
    "withheld": "The template it was made from isn't available to you on {title} any more. "
    "Open a new form to see what is.",
    "still_there": "It still exists on {title}. Start it as it is.",
    "only_made_here": "On {title} your list has only what you create with `new`. "
    "You can't add anything else.",
    "connection_refused": "{title} no longer accepts my own key. Ask your Usher admin to "
    "replace it, and I'll carry on.",
    "unused": "As far as I can tell, nobody used it the last 5 times they started it. Resume them whenever "
    "you like.",
    "hours_make": (
        "On {title} a stop ends it for good, so a start would have to create a new one. I don't do that "
        "automatically, so give only a time to stop."
    ),
    "hours_many": "It already has a lot of hours. Turn them off and set them again.",
    "hours_never": "None of these hours comes within the next 30 days, so I haven't set them.",
    "alias_taken": "You already have a workspace with that name. Choose another name.",
    "wait_limit": (
        "{title} may shut down after too many failed starts, so I don't keep trying there. Ask your "
        "Usher admin to set how many it allows."
    ),
    "wait_over": "That isn't waiting any more.",
    "wait_already": "It's already waiting for room on {title}.",
    "no_job": "I can't find that run on your list. Type `job list` to see your runs.",
    "cannot": "{title} doesn't let me do that with runs. You may be able to do it on the run's page there.",
    "lost": "{title} can no longer find this run. Its page there may say more.",
    # Problems within Usher.
    "unsure": "I can't tell yet whether that went through. I'll message you.",
    "busy": "I'm too busy right now, so I haven't started anything. Try again in a moment.",
    "store_unavailable": "I can't reach my own records right now, so I haven't done anything. "
    "Try again in a few minutes.",
    "other_keys": "Part of me is still being updated, so this has to wait a moment. "
    "Nothing is lost: I'll keep trying.",
    "secret": "I can no longer read your stored link. Link again.",
    "slack": "Slack didn't accept my answer. Try again in a moment.",
    "internal": "Something went wrong on my side. Try again. If it happens again, "
    "give your Usher admin the reference.",
    "not_here": "{title} isn't available in your Slack workspace. Ask your Usher admin.",
    "foreign_team": "I only work for people in Slack workspaces where I'm installed. "
    "Ask a colleague there to do it.",
    "nobody": "Slack didn't tell me who you are, so I haven't done anything. "
    "Try again, or send me a direct message.",
    "unknown_person": "I couldn't check with Slack who you are, so I haven't done anything. "
    "Try again in a few minutes.",
    "left": "This Slack account is deactivated, so I won't do anything for it. "
    "Ask a Slack workspace admin to reactivate it.",
    "guest": "Guests can't use me. Ask a full member of the Slack workspace to do it.",
    "bot": "I only take requests from people. Ask a person to do it.",
    "stranger": "People from other organisations can't use me. Ask someone in this Slack workspace to do it.",
    "no_administrators": "Only an Usher admin can do that, and nobody is one yet. "
    "Ask the person who installed me to name one.",
    "not_administrator": "Only Usher admins can do that. Ask one of them.",
    "other_workspace": "That belongs to another Slack workspace. Only Usher admins there can do that.",
    "own_request": "You can't decide on your own request. Another Usher admin can.",
    "not_teacher": "Only the person who posted that card, its co-teachers, or an Usher admin can do that.",
    "not_owner": "I can't find that workspace on your list. Type `list` to see what you have.",
}

#: Reply to a message that Usher couldn't record because the database wasn't available. If Slack delivers the
#: message again, Usher answers it.
MESSAGE_NOT_RECORDED: Final = (
    "I can't reach my own records right now, so this has to wait. If Slack passes it on to me again in the "
    "next few minutes, I'll answer it then. If you don't hear from me, please send it again."
)


class Because(NamedTuple):
    """A reason, worded in the present and in the past tense, and what to do about it.

    ``passes`` means that the problem may go away by itself, so waiting helps.
    """

    now: str
    then: str
    helps: str
    passes: bool = False


#: Causes for which Usher looks for a known reason in the provider's message and explains it.
_EXPLAINED_CAUSES: Final = frozenset({"misconfigured", "no_room"})
#: Reasons whose explanation also quotes the provider, because only its message says how much is used, whose
#: rule applies, or what is missing.
_QUOTED_REASONS: Final = OWN_LIMITS | {Reason.DENIED}
SHORT_OF: Final = {"cpu": "CPU", "memory": "memory", "ephemeral-storage": "disk space"}
_AGAIN: Final = "Try again. If it happens again, ask your {title} admin."
#: Shown while the provider keeps trying to start a workspace and the problem may go away by itself.
WAITS: Final = "{title} keeps trying, and I'll message you either way."
REASONS: Final[Mapping[Reason, Because]] = {
    Reason.CANCELED: Because(
        "It was cancelled on {title}.",
        "It was cancelled on {title}.",
        "If it wasn't you, ask your {title} admin.",
    ),
    Reason.NO_GPU: Because(
        "There's no free GPU on {title} right now.",
        "There was no free GPU on {title}.",
        "Try again later, or ask your {title} admin when one will be free.",
        passes=True,
    ),
    Reason.NO_MATCH: Because(
        "{title} has no machine that fits what this asks for, such as its GPU.",
        "{title} had no machine that fits what this asks for, such as its GPU.",
        "Choose something else, or ask your {title} admin what there is.",
    ),
    Reason.NO_ROOM: Because(
        "There's no room for it on {title} right now{missing}.",
        "There was no room for it on {title}{missing}.",
        "Try again later or with a smaller size, or ask your {title} admin for more room.",
        passes=True,
    ),
    Reason.ADDING: Because(
        "{title} is adding a machine for it, which can take a few minutes.",
        "{title} was adding a machine for it, but that took too long.",
        _AGAIN,
        passes=True,
    ),
    Reason.USAGE: Because(
        "It needs more than {title} allows over time.",
        "It needed more than {title} allows over time.",
        "That frees up as time passes. If you can't wait, ask your {title} admin for more.",
    ),
    Reason.QUOTA: Because(
        "It needs more than a quota on {title} allows.",
        "It needed more than a quota on {title} allows.",
        "Stop something you don't need, or ask your {title} admin for a larger quota.",
    ),
    Reason.IMAGE: Because(
        "{title} can't get the image that it's started from.",
        "{title} couldn't get the image that it's started from.",
        "Ask your {title} admin to check the image.",
    ),
    Reason.PROFILE: Because(
        "{title} no longer offers the profile that it's started with, or the profile is broken.",
        "{title} no longer offers the profile that it's started with, or the profile is broken.",
        "Choose another one, or ask your {title} admin to check it.",
    ),
    Reason.DISK: Because(
        "A disk that it uses on {title} is full.",
        "A disk that it uses on {title} was full.",
        "Delete files you don't need. If you can't, ask your {title} admin for more space.",
    ),
    Reason.MEMORY: Because(
        "It has run out of memory on {title}.",
        "It ran out of memory on {title}.",
        "Start it with a larger size, or ask your {title} admin for more memory.",
    ),
    Reason.STORAGE: Because(
        "{title} can't attach its storage yet.",
        "{title} couldn't attach its storage.",
        _AGAIN,
        passes=True,
    ),
    Reason.LICENSE: Because(
        "The license of {title} doesn't allow it.",
        "The license of {title} didn't allow it.",
        "Ask your {title} admin to check the license.",
    ),
    Reason.DENIED: Because(
        "{title} doesn't allow it to start.",
        "{title} didn't allow it to start.",
        "Ask your {title} admin.",
    ),
    Reason.CRASHED: Because(
        "It has crashed on {title}.",
        "It crashed on {title}.",
        "Try again. If it happens again, ask your {title} admin to look at its log.",
    ),
    Reason.TAKEN: Because(
        "{title} has taken away the machine it was on.",
        "{title} took away the machine it was on.",
        _AGAIN,
        passes=True,
    ),
    Reason.SLOW: Because(
        "It's taking {title} too long to start it.",
        "It took {title} too long to start it.",
        _AGAIN,
        passes=True,
    ),
}

#: Causes that aren't faults. No reference is shown for them, because nobody has to look them up in the log.
NO_FAULTS: Final = frozenset(
    {
        "another_account",
        "approval_ended",
        "cancelled",
        "credential_refused",
        "let_go",
        "missed",
        "renamed",
        "stale",
        "unlinked",
    }
)


def explain_cause(
    problem: BaseException | str,
    connection_title: str = "The provider",
    message: str = "",
    *,
    has_page: bool = True,
) -> str:
    """Explain an error or a cause to a person and say what to do next, in plain unescaped text.

    A policy rule (``policy.guest``) is a cause, too. ``message`` is the provider's message for a cause that
    doesn't contain one. ``has_page`` says whether the provider has a page where people may learn more. An
    unknown cause is explained as a problem within Usher.
    """
    cause = problem if isinstance(problem, str) else to_cause(problem)
    word, _, text = cause.removeprefix("policy.").partition(": ")
    if word.endswith(":"):
        return text
    known = find_reason(text or message)
    # A shortage that affects everyone isn't a limit of this person.
    is_own, is_explained = known in OWN_LIMITS, known is not None and word in _EXPLAINED_CAUSES
    is_explained = is_own if word == "limit" else is_explained and not (is_own and word == "no_room")
    if word == "provider_failed" or is_explained:
        return explain_reason(text or message, connection_title, is_over=True, has_page=has_page)
    said = quote_message(text or message, connection_title)
    if word == "refused" and not said:
        said = f" {NO_REASON.format(title=connection_title)}"
    template = CAUSES.get(word, CAUSES["internal"])
    return template.format(title=connection_title, said=said).strip()


#: Explains why a list or form couldn't be read. The sentences don't promise a retry, because Usher won't
#: retry the read.
_UNREAD_CAUSES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("unreachable", "no_answer", "sent_too_late"), "{title} isn't answering right now."),
    **dict.fromkeys(("server_failed", "answered_error"), "{title} is having problems right now.{said}"),
    "bad_answer": "{title} sent an answer that I don't understand.",
    "untrusted_certificate": "I can't reach {title}, as its certificate isn't trusted here. "
    "Ask your Usher admin to look at it.",
}


def explain_unread(cause: str, title: str) -> str:
    """Explain to a person why something couldn't be read, in plain unescaped text."""
    word, _, text = cause.partition(": ")
    template = _UNREAD_CAUSES.get(word)
    if template is None:
        return explain_cause(cause, title)
    return template.format(title=title, said=quote_message(text, title))


#: Ends the message about a request that needs the person's confirmation, because it is too old or comes from
#: a restored backup. Left out if the workspace has been deleted from the database.
WANTED: Final = "Do you still want it?"


def explain_reason(
    message: str, title: str, *, is_over: bool, helps: bool = True, has_page: bool = True
) -> str:
    """Explain an obstacle or a failure from its provider's message.

    A message that Usher doesn't know is quoted. ``helps`` adds what to do, whom to ask, or that the problem
    may go away by itself. If something ended without a message, the text says that no reason was given.
    """
    known = find_reason(message)
    if known is None:
        said = [quote_message(message, title) or (NO_REASON if is_over else "")]
        said += ["Its page there may say more." if has_page else ASK_ADMIN] if is_over and helps else []
    else:
        because = REASONS[known]
        said = [because.then if is_over else because.now]
        said += [quote_message(message, title).strip()] if known in _QUOTED_REASONS else []
        said += [WAITS if because.passes and not is_over else because.helps] if helps else []
    what = " and ".join(SHORT_OF[one] for one in find_scarce_resources(message))
    missing = f": not enough {what}" if what else ""
    return " ".join(said).replace("{missing}", missing).replace("{title}", title).strip()


#: Sentences about what a running workspace still lacks, used if the provider gives no explanation of its own.
_LACKS: Final[Mapping[Lack, str]] = {
    "address": "{title} hasn't given it a link yet.",
    "page": "Its page doesn't answer yet.",
    "agent": "Its agent isn't connected.",
    "app": "Its app doesn't answer.",
}


def describe_condition(workspace: Workspace, title: str, *, helps: bool = True, has_page: bool = True) -> str:
    """Say what the provider has reported about a workspace's condition, or return "" if nothing."""
    if workspace.current_state is not workspace.state:
        return ""
    is_over = workspace.state is State.FAILED
    if workspace.state is State.RUNNING and workspace.lacks is not None and not workspace.detail:
        return _LACKS.get(workspace.lacks, "").format(title=title)
    detail = workspace.detail or ""
    if not workspace.reason or not (is_over or (workspace.state is State.STARTING and not detail)):
        return detail
    because = explain_reason(workspace.reason, title, is_over=is_over, helps=helps, has_page=has_page)
    return f"{because} {detail}".strip()


def describe_run_detail(run: Run, title: str) -> str:
    """Return a run's detail. If it is a reason that Usher knows, return Usher's words for it."""
    if find_reason(run.detail or "") is None:
        return run.detail or ""
    return explain_reason(run.detail or "", title, is_over=run.state.is_over)


def quote_error(error: errors.ProviderError, title: str) -> str:
    """Quote the provider's words in an error, or return "" if the error is in Usher's own words."""
    return quote_message(error.message, title) if error.is_quoted else ""


def quote_message(message: str, title: str) -> str:
    """Return the provider's message as a quoted sentence, or "" if the message is empty."""
    text = " ".join(message.split())[:MESSAGE_LIMIT].strip()
    return f" {title} says: “{text.rstrip('.')}.”" if text else ""
