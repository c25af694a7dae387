"""Tells people who use a button, form or shortcut from an earlier release what to do instead.

Buttons whose verb was replaced aren't listed here, because they run the new verb (``Verb.former``).
"""

from collections.abc import Mapping
from functools import partial
from typing import Final

from bot.domain.notices import Answer
from bot.messages.blocks import replies
from bot.messages.texts import talk
from handlers.requests import routes
from handlers.requests.request import Request

_LIMITS: Final = (
    "I don't pass on requests for a higher limit any more. Write to each other directly, and type "
    "`{command}start NAME` once it's changed."
)
_COURSE_FORMS: Final = (
    "Courses aren't changed in a form any more. Type `{command}card TITLE skip 24 Dec` to leave a lesson "
    "out, or post a new card for other times."
)
_TIME_ZONES: Final = (
    "Hours stay in the time zone where you set them. To move them, set them again, for example "
    "`{command}hours NAME weekdays 9:00-18:00`."
)
_LESSONS: Final = (
    "Single lessons can't be skipped any more. Leave the course, and press *Join* on its card when you're "
    "back: `{command}card` shows your courses."
)
_COMMANDS_OF_MESSAGES: Final = (
    "I don't take commands from messages any more. Type `{job}run -- COMMAND` instead."
)
#: Maps the action of each removed button to the reply that a click on it gets.
BUTTONS: Final[Mapping[str, str]] = {
    "ask_for_more": _LIMITS,
    "course_form": _COURSE_FORMS,
    "hours_keep": (
        "These hours continue, so there's nothing to confirm. They pause if nobody uses the workspace five "
        "times in a row; `{command}hours` shows yours."
    ),
    "hours_move": _TIME_ZONES,
    "hours_stay": _TIME_ZONES,
    "lesson_skip": _LESSONS,
    "lesson_unskip": _LESSONS,
    "more_declined": _LIMITS,
    "more_done": _LIMITS,
    "run_code": _COMMANDS_OF_MESSAGES,
    **talk.FORMER_WORDS,
}
SHORTCUTS: Final[Mapping[str, str]] = {"run_as_job": _COMMANDS_OF_MESSAGES}
FORMS: Final[Mapping[str, str]] = {
    "course": _COURSE_FORMS,
    "decline_more": _LIMITS,
    "run_code": _COMMANDS_OF_MESSAGES,
}


async def _answer(request: Request, *, sentence: str) -> Answer:
    return replies.hint(request.fill(sentence, job=request.prefixes.of("job")))


for _register, _table in ((routes.action, BUTTONS), (routes.shortcut, SHORTCUTS), (routes.view, FORMS)):
    for _name, _sentence in _table.items():
        _register(_name)(partial(_answer, sentence=_sentence))
