"""Explains refused requests, by cause."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from bot.messages.texts import courses, pages, problems, times
from bot.support.errors import Refused

_NEW_LINK: Final = "Type {command} link {title} in Slack to get a new link."
#: Explanations of refusals, by cause. ``{title}`` is the connection's title, and the other fields come from
#: the refusal. Other causes are explained in ``problems``.
REFUSALS: Final[Mapping[str, str]] = {
    "account.not_resting": (
        "Too late: that link is used again, has ended, or its name is yet another account by now."
    ),
    "add.not_yours": "That's {owner}'s on {title}, and I only work with what {title} lists for your account.",
    "alias.length": "A name can have 1 to 60 characters. Choose another one.",
    "approval.often": (
        "You've asked for several usernames on {title} today, so I haven't passed this one on. "
        "Talk to your Usher admin, or ask again tomorrow."
    ),
    "approval.unknown": pages.GONE,
    "approval.username": "A username has 1 to 80 characters, without spaces or invisible characters.",
    "approval.waits": pages.NOT_OPEN,
    "class.unknown": courses.UNKNOWN_CARD,
    "class_elsewhere": "That card is for people in another Slack workspace. Ask for one in yours.",
    "class_withheld": (
        "The template of this card is only available to some people on {title}, and you aren't one of them. "
        "Ask the person who posted it."
    ),
    "code.none": (
        "I'm not waiting for a code from you. It may have expired after 10 minutes, or been used already. "
        f"{pages.ANY_LINK}"
    ),
    "course.began": "*{course}* is on, or about to begin, so I can't change that lesson. It ends as planned.",
    "course.ends": "On {title}, a stop ends this workspace for good, so no lesson could start it again.",
    "course.never": "That leaves no lessons to come, so I haven't done anything.",
    "course.over": courses.COURSE_OVER,
    "link.changed": (
        "This page has changed in another tab. Nothing was linked. Check what it says now, then continue."
    ),
    "link.connection": (
        "This connection no longer exists. Type {command} link in Slack to see what you can link."
    ),
    "link.expired": (
        f"A link is valid for 10 minutes, or until you ask for a newer one. This one has expired. {_NEW_LINK}"
    ),
    "link.mismatch": (
        "You're signed in to Slack as somebody else. This link belongs to {person} in {workspace}, "
        "and only they can use it. Nothing was linked."
    ),
    "link.no_address": (
        "To link an account you need a page that your browser can open, "
        "and I don't have a public web address yet. "
        "Ask your Usher admin to give me one."
    ),
    "link.no_cookie": (
        "This page needs the link from Slack. Open that link again in this browser, and allow cookies "
        f"for this site. {pages.ANY_LINK}"
    ),
    "link.not_by_token": "You don't need to link {title} yourself. Your Usher admin sets that up.",
    "link.other_browser": (
        f"This link is already being used in another browser. Continue there, or start over here. {_NEW_LINK}"
    ),
    "link.person": "{person} is no longer active in this Slack workspace, so nothing can be linked.",
    "link.repeated": "You already have a link from that press. If you can't see it, press the button again.",
    "link.sign_in_first": "Sign in with Slack first. Nothing was linked.",
    "link.taken": (
        "The {title} account {username} is linked to somebody else in Slack. "
        "They have to unlink it first. Nothing was changed."
    ),
    "link.tries": f"Five tokens have been tried with this link, so it no longer works. {_NEW_LINK}",
    "link.unknown": f"This link doesn't exist, or it's more than a day old. {pages.ANY_LINK}",
    "link.unknown_connection": "I don't have a connection called {name}. I have: {known}.",
    "link.used": f"This link has already been used, and each link only works once. {_NEW_LINK}",
    "token.own": (
        "That token is one that Usher itself uses, so it can't be linked to a person. "
        "Paste your own token from {title}."
    ),
    "token.shape": pages.TOKEN_SHAPE,
    "token.slack": (
        "That's a Slack token, not one from {title}. Usher didn't keep it or send it anywhere. Replace it "
        "on your app's page at api.slack.com/apps, and paste your token from {title} here instead."
    ),
}


def _explain_removal(title: str, kept: float) -> str:
    return (
        f"{title} removes workspaces after {times.format_duration(kept)}, so they'd be gone before the next "
        "lesson. Ask your Usher admin to have them kept for longer."
    )


#: Functions that explain causes for which a template isn't enough. Each is passed the title and the refusal's
#: fields.
_DRAWN: Final[Mapping[str, Callable[..., str]]] = {
    "code.wrong": lambda attempts_left, command, **_: pages.explain_wrong_code(attempts_left, command),
    "course.removed": _explain_removal,
    "failed_check": pages.explain_failed_check,
    "failed_check_of_odd_token": pages.explain_failed_check_of_odd_token,
    "failed_sign_in": pages.explain_failed_sign_in,
}


def explain_refusal(refused: Refused) -> str:
    """Explain why a request was refused, and what to do next."""
    if refused.text:
        return refused.text
    words: dict[str, Any] = {**refused.words, "title": refused.title}
    if (draw := _DRAWN.get(refused.cause)) is not None:
        return draw(**words)
    if (template := REFUSALS.get(refused.cause)) is not None:
        return template.format(**words)
    return problems.explain_cause(refused.cause, refused.title)
