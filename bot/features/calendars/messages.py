"""The private address of somebody's lessons, and the button that shows it."""

from dataclasses import replace

from bot.domain.notices import Answer
from bot.features.calendars import texts as words
from bot.features.courses.messages import COURSE_ACTIONS
from bot.features.courses.model import ClassCard
from bot.messages.blocks import kit, replies
from bot.messages.blocks.kit import Markup, fill
from bot.messages.texts import verbs

COURSE_ACTIONS["course_calendar"] = words.CALENDAR_TITLE, words.OF


def answer_address(card: ClassCard, url: str) -> Answer:
    """Answer with the address of somebody's calendar in a form that isn't saved; "" if they have one.

    Where that can't be opened, its address is lost, and there can be a new one.
    """
    buttons = [
        kit.button(words.NEW_BUTTON, "calendar_new", card.id, of=card.title),
        kit.button(words.END_BUTTON, "calendar_end", card.id, of=card.title),
    ]
    answer = replies.answer(fill(words.THERE, course=card.title), buttons)
    if not url:
        return answer
    shown = kit.section(fill(words.NEW_ADDRESS, course=card.title, url=Markup(url)))
    return replace(answer, view=kit.modal(words.CALENDAR_TITLE, [shown], close=verbs.DONE))
