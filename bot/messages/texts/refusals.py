"""Explains refused requests, by cause."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from bot.messages.texts import courses, pages, problems, times
from bot.support.errors import Refused

#: Explanations of refusals, by cause. ``{title}`` is the connection's title, and the other fields come from
#: the refusal. Other causes are explained in ``problems``.
REFUSALS: Final[Mapping[str, str]] = {
    "account.not_resting": pages.NOT_RESTING,
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
    "code.none": pages.CODE_UNEXPECTED,
    "course.began": "*{course}* is on, or about to begin, so I can't change that lesson. It ends as planned.",
    "course.ends": "On {title}, a stop ends this workspace for good, so no lesson could start it again.",
    "course.never": "That leaves no lessons to come, so I haven't done anything.",
    "course.over": courses.COURSE_OVER,
    "link.changed": pages.LINK_CHANGED,
    "link.connection": pages.LINK_CONNECTION,
    "link.expired": pages.LINK_EXPIRED,
    "link.mismatch": (
        "You're signed in to Slack as somebody else. This link belongs to {person} in {workspace}, "
        "and only they can use it. Nothing was linked."
    ),
    "link.no_address": (
        "To link an account you need a page that your browser can open, "
        "and I don't have a public web address yet. "
        "Ask your Usher admin to give me one."
    ),
    "link.no_cookie": pages.LINK_NO_COOKIE,
    "link.not_by_token": pages.NOT_BY_TOKEN,
    "link.other_browser": pages.LINK_IN_OTHER_BROWSER,
    "link.person": "{person} is no longer active in this Slack workspace, so nothing can be linked.",
    "link.repeated": "You already have a link from that press. If you can't see it, press the button again.",
    "link.sign_in_first": "Sign in with Slack first. Nothing was linked.",
    "link.taken": (
        "The {title} account {username} is linked to somebody else in Slack. "
        "They have to unlink it first. Nothing was changed."
    ),
    "link.tries": pages.LINK_TRIES,
    "link.unknown": pages.LINK_UNKNOWN,
    "link.unknown_connection": "I don't have a connection called {name}. I have: {known}.",
    "link.used": pages.LINK_USED,
    "token.own": pages.TOKEN_OWN,
    "token.shape": pages.TOKEN_SHAPE,
    "token.slack": pages.TOKEN_OF_SLACK,
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
