"""What went wrong, said to the person it happened to: one sentence and the next step.

A *cause* is what is stored with an operation: a word of ``CAUSES``, or a word and the provider's own message
after a colon (``invalid: disk too small``). ``cause_of`` makes one from an error, ``sentence`` says either.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from bot.support import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The longest part of a provider's own message that is repeated to people.
MESSAGE_LIMIT: Final = 300

_ERRORS: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (errors.StoreBusy, "busy"),
    (errors.StoreError, "store_unavailable"),
    (errors.SecretError, "secret"),
    (errors.SlackFailed, "slack"),
    (errors.Unreachable, "unreachable"),
    (errors.UnknownOutcome, "no_answer"),
    (errors.RateLimited, "rate_limited"),
    (errors.ServerFailed, "server_failed"),
    (errors.BadAnswer, "bad_answer"),
    (errors.SentTooLate, "sent_too_late"),
    (errors.TemporaryError, "unreachable"),
    (errors.CredentialRefused, "credential_refused"),
    (errors.Forbidden, "forbidden"),
    (errors.NotFound, "not_found"),
    (errors.Conflict, "conflict"),
    (errors.InvalidRequest, "invalid"),
    (errors.LimitReached, "limit"),
    (errors.Untrusted, "untrusted"),
    (errors.Untold, "untold"),
    (errors.ProviderError, "invalid"),
)

#: ``{title}`` is the connection's name for people, ``{said}`` the provider's own message where there is one.
CAUSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        # The life of an operation (bot.plan and the reconciler).
        "gave_up": "{title} did not manage it in many tries. Try again in a while.",
        "gone": "It no longer exists at {title}. Write `list` to see what is there.",
        "provider_failed": "{title} reports an error.{said} Its page there may tell more; then try again.",
        "stopped_elsewhere": "It is stopped again at {title}: it did not come up there, "
        "or somebody stopped it. Try again.",
        "started_elsewhere": "{title} took the stop, yet it is up ten minutes later: somebody started it "
        "again there. Look at its status, and stop it again if you like.",
        "not_suspended": "{title} took the request, yet it is up ten minutes later. "
        "Look at its status; stop it if it need not be kept as it is.",
        "not_removed": "{title} took the request, yet it is there ten minutes later. "
        "Its page there may tell why; then try again.",
        "not_agreed": "On {title} this would end it for good, so nothing was sent. "
        "Ask again, and I'll tell you first what would be lost.",
        "no_restart": "{title} can't restart it, and I didn't make it, so I can't make another one like it. "
        "Nothing was sent. If it's running, save your work and stop it. Then write `new` to make a new one.",
        "not_made": "Nothing was made at {title}.",
        "unmade": "{title} has not made it yet. Wait for the message that it is ready.",
        "unlinked": "Your account at {title} was unlinked. Link it again to go on.",
        "forgotten": "You took it off your list. Add it again to go on.",
        "replaced": "You asked for something else meanwhile, and that counts.",
        "cancelled": "It was called off.",
        "sent": "You've asked for something else since, so that comes next.",
        "unanswered": "{title} never answered and I didn't hear from you for a day, so I've stopped looking. "
        "Check on {title}; if nothing is there, ask again.",
        "let_go": "You told me to stop waiting for it.",
        # Temporary trouble: said while Usher goes on trying by itself.
        "unreachable": "{title} can't be reached at the moment. Nothing is lost: I keep trying.",
        "no_answer": "{title} took the request but has not answered. I look at what happened before I go on.",
        "rate_limited": "{title} asked me to slow down. Try again in a few minutes.",
        "server_failed": "{title} has trouble of its own at the moment. I keep trying.",
        "bad_answer": "{title} gave an answer that makes no sense. I keep trying.",
        "sent_too_late": "I look again in a moment.",
        # Lasting trouble: the person's turn.
        "credential_refused": "{title} no longer accepts your link. Link again, and I go on from here.",
        "credential_suspected": "{title} has refused your sign-in. It may be a problem there, so I'll keep "
        "checking and carry on once it's accepted again. If you've changed or revoked it, link again.",
        "forbidden": "Your account at {title} may not do that.{said} Ask whoever runs {title} for the right.",
        "not_found": "{title} knows nothing of it. Write `list` to see what is there.",
        "conflict": "{title} can't do that in its present state.{said} Look at its status, then try again.",
        "invalid": "{title} refused the request.{said} Change what it names, then try again.",
        "limit": "A limit at {title} is reached.{said} Stop something you don't need, then try again.",
        "untrusted": "{title} gave an answer that I must not trust, so I did nothing with it. Ask whoever "
        "runs me to look at it.",
        "untold": "{title} didn't answer, and nothing there tells whether it went through. Check on {title}; "
        "if nothing is there, try again.",
        "connection_gone": "The connection {title} isn't set up any more. Ask your Usher admin.",
        "unknown_command": "I am not set up for that command. "
        "Ask whoever runs me about `USHER_COMMAND` and `USHER_JOB_COMMAND`.",
        # What a provider can't do, or not with this workspace, or not now.
        "no_create": "Nothing can be made at {title} from here. Make it there, then write `list`.",
        "no_suspend": "Workspaces at {title} can't be suspended. Stop it instead.",
        "no_force": "{title} has no way to force a workspace to stop. Stop it instead.",
        "no_remove": "Workspaces at {title} can't be removed from here. Remove it on its page there.",
        "no_about": "{title} has nothing to tell about itself.",
        "not_allowed_now": "{title} does not offer that for it just now. Look at its status, then try again.",
        "no_spec": "I did not make it, so I can't make one like it. Write `new` to make one.",
        "withheld": "What that was made from at {title} is not offered to you any more. "
        "Open a new form to see what is.",
        "still_there": "It still exists at {title}. Start it as it is.",
        "only_made_here": "At {title} you have what you make with `new`. Nothing else can be added.",
        "connection_refused": "{title} does not accept my own key any more. Ask whoever runs me for a new "
        "one; I go on by myself then.",
        "alias_taken": "Another workspace of yours has that name already. Choose another one.",
        # Runs of jobs.
        "no_job": "I know no such run of yours. Look at the list of your runs to see what there is.",
        "cannot": "{title} does not let me do that with runs. Its page there may.",
        "lost": "{title} no longer knows this run. Its page there may tell more.",
        # Usher's own trouble.
        "busy": "I am too busy right now, so nothing was started. Try again in a moment.",
        "store_unavailable": "I can't reach my own records right now, so nothing was done. "
        "Try again in a few minutes.",
        "secret": "Your stored link can't be opened any more. Link again.",
        "slack": "Slack did not take my answer. Try again in a moment.",
        "internal": "Something went wrong on my side. Try again; if it stays, "
        "tell whoever runs me the reference.",
        # The policy (bot.policy).
        "foreign_team": "I only work for people of the Slack workspace that I was installed in. "
        "Ask a colleague there to do it.",
        "nobody": "Slack did not tell me who you are, so I did nothing. "
        "Try again, or write me a direct message.",
        "unknown_person": "I couldn't check with Slack who you are, so I haven't done anything. "
        "Try again in a few minutes.",
        "left": "This Slack account is deactivated, so nothing is done in its name. "
        "Ask an administrator of the Slack workspace to reactivate it.",
        "guest": "Guests can't use me. Ask a full member of the Slack workspace to do it.",
        "bot": "I only take requests from people. Ask a person to do it.",
        "stranger": "People of other organisations can't use me. Ask a colleague of this workspace to do it.",
        "no_administrators": "That needs an administrator of mine, and none is named. "
        "Whoever runs me names them in the setting `USHER_ADMINS`.",
        "not_administrator": "Only administrators of mine can do that. Ask one of them.",
        "not_trainer": "Only whoever posted that card, or an administrator of mine, can do that.",
        "not_owner": "I know no such workspace of yours. Write `list` to see what you have.",
    }
)


def cause_of(error: BaseException) -> str:
    """Return the cause to be stored for an error: a word, with the provider's message where it helps."""
    word = next((word for kind, word in _ERRORS if isinstance(error, kind)), "internal")
    message = getattr(error, "message", "")
    return f"{word}: {message[:MESSAGE_LIMIT]}" if message and "{said}" in CAUSES[word] else word


def sentence(problem: BaseException | str, connection_title: str = "The provider", message: str = "") -> str:
    """Say an error or a cause to the person: plain text, unescaped, with the next step.

    Rules of the policy (``policy.guest``) are causes too. ``message`` is the provider's own word when the
    cause holds none. A cause that is not known is said as trouble of Usher's own, never as nothing.
    """
    cause = problem if isinstance(problem, str) else cause_of(problem)
    word, _, text = cause.removeprefix("policy.").partition(": ")
    return CAUSES.get(word, CAUSES["internal"]).format(
        title=connection_title, said=_said(text or message, connection_title)
    )


def _said(message: str, title: str) -> str:
    """Quote the provider's message as a sentence of its own, or say nothing."""
    text = " ".join(message.split())[:MESSAGE_LIMIT].strip()
    if not text:
        return ""
    return f" {title} says: “{text.rstrip('.')}.”"
