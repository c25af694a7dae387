"""The message that tells a person what they lose in an upgrade."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

from bot.domain.courses import ClassCard
from bot.domain.notices import Answer, NoticeKind
from bot.domain.time_parsing import clock
from bot.domain.upgrades import DescribedLoss, UpgradeFacts
from bot.messages.blocks import kit
from bot.messages.blocks.kit import Markup, fill
from bot.messages.blocks.plans import format_timetable
from bot.messages.blocks.renderers import renders
from bot.messages.texts.times import format_date, format_weekday, join_names

_HEAD: Final = "I've been updated, and this has changed for you:"
#: A sentence for each loss, keyed by the kind of loss. ``hours_wait`` stands for working hours that no longer
#: wait for capacity, and its sentence names all workspaces affected. Any other sentence is used once for each
#: loss of its kind.
_SENTENCES: Final = {
    "hours_wait": (
        "The hours of {names} still start it, but don't wait for room any more. If a start fails because "
        "there's none, press *Keep trying* in the message about it."
    ),
    "limit_request": (
        "I don't pass on requests for a higher limit any more, so yours on {title} for *{name}* "
        "has no answer. Ask whoever manages your account on {title}."
    ),
    "limit_answer": "You asked for a higher limit on {title}: it was changed. You can start *{name}* now.",
    "limit_declined": "You asked for a higher limit on {title}, and that was declined: \u201c{word}\u201d",
    "default_workspace": "I don't keep a default workspace any more, so type its name: `start {name}`.",
    "default_template": (
        "I don't keep defaults for new workspaces any more: choose each time. Yours was {titles}."
    ),
    "scheduled": (
        "I don't set schedules of jobs any more. The page of *{name}* on {title} shows whether your last "
        "change was made, and you can set one there."
    ),
    "hours_moved": (
        "Your time zone in Slack has changed, and your workspaces' hours stay in {former} time. To change "
        "that, set them again."
    ),
    "hours_unused": (
        "Nobody used *{name}* on {title} when its hours last started it. To end them: `hours {name} off`."
    ),
    "course_changed": "The lessons of *{name}* have changed. They're {lessons}.",
    "course_ended": "The course *{name}* has ended.",
    "course_teacher": "You can change the course *{name}*: type `card {name}`.",
    "course_teacher_gone": "You can't change the course *{name}* any more.",
    "course_without_teacher": (
        "Nobody who teaches the course *{name}* uses me any more. It continues until {last}, unless you end "
        "it: `card {name} end`."
    ),
}
#: Tells a course's teacher that an upgrade has undone their changes to individual lessons, because lessons
#: can no longer be moved. ``_AT_USUAL_TIME`` is added for each lesson that was moved within its own day.
#: ``_NOT_HELD`` is added once for all lessons that were moved to another day.
_MOVED: Final = "I can't move individual lessons of *{name}* any more. {moved}"
_AT_USUAL_TIME: Final = "The one on {day} begins at {begin} again, as usual."
_NOT_HELD: Final = (
    "There's none on {days}, nor on the usual day that you moved it from: to hold every lesson that is left "
    "out, type `card {name} resume`."
)


@renders(NoticeKind.UPGRADE_LOSSES, is_true=lambda facts: bool(facts.losses))
def render_upgrade_losses(facts: UpgradeFacts) -> Answer:
    """Tell a person what an upgrade takes away from them, one sentence for each loss."""
    waiting = [one for one in facts.losses if one.what == "hours_wait"]
    said = [_format_waiting(waiting)] if waiting else []
    said += [_format(one, facts) for one in facts.losses if one.what != "hours_wait"]
    return kit.message("\n".join([_HEAD, *(f"• {one}" for one in dict.fromkeys(said))]))


def _format_waiting(losses: Sequence[DescribedLoss]) -> str:
    names = [
        fill("*{name}* on {title}" if one.title else "*{name}*", name=one.name, title=one.title)
        for one in losses
    ]
    return fill(_SENTENCES["hours_wait"], names=Markup(join_names(dict.fromkeys(names))))


def _format(loss: DescribedLoss, facts: UpgradeFacts) -> str:
    names = {"name": loss.name, "title": loss.title, "titles": loss.title, "former": ""}
    what, detail = loss.what, loss.detail or {}
    if loss.what == "default_template" and loss.name:
        names["titles"] = f"{loss.name} on {loss.title}"
    if loss.what == "hours_moved":
        names["former"] = str(detail.get("former") or "their former")
    if what == "limit_answer" and detail.get("word") is not None:
        return fill(_SENTENCES["limit_declined"], **names, word=str(detail["word"]))
    if loss.card is None:
        return fill(_SENTENCES[what], **names)
    if what == "moved":
        return _format_moved(loss.card, detail, facts.now)
    if what == "course_changed" and loss.card.is_over(facts.now):
        what = "course_ended"
    if what == "course_teacher" and facts.word("reader") not in loss.card.teachers:
        what = "course_teacher_gone"
    lessons = format_timetable(loss.card, facts.now, facts.zone)
    last = format_date(loss.card.last_day, loss.card.day(facts.now))
    return fill(_SENTENCES[what], **names, lessons=lessons, last=last)


def _format_moved(card: ClassCard, moved: Iterable[str], now: float) -> str:
    today = card.day(now)
    days = [day for day in sorted(moved) if day >= today.isoformat()]
    usual = [day for day in days if card.on(date.fromisoformat(day))]
    said = [fill(_AT_USUAL_TIME, day=format_weekday(day, today), begin=clock(card.starts)) for day in usual]
    if lost := [format_weekday(day, today) for day in days if day not in usual]:
        said.append(fill(_NOT_HELD, days=join_names(lost), name=card.title))
    return fill(_MOVED, name=card.title, moved=Markup(" ".join(said)))
