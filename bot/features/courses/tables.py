"""The tables of class cards, courses and their members."""

from bot.domain.row_times import PAST, STAYS, make_due
from bot.features.courses.model import ClassCard, CourseRule, Participant
from bot.features.hours.store import RULES
from bot.store.tables import Table, register_table

# It may be as far ahead as the end of the class; an extra look does no harm.
CLASS_CARDS = register_table(
    Table("class_cards", ClassCard, "id", counted_at=PAST, changed_at=PAST, next_check_at=make_due(60.0))
)
PARTICIPANTS = register_table(
    Table("participants", Participant, "card_id principal", "card_id", "workspace_id", warned_at=STAYS)
)
#: The rules of whoever joined, in the table that hours have: with more columns.
COURSE_RULES = register_table(
    Table(
        "rules",
        CourseRule,
        *(" ".join(key) for key in RULES.keys),
        "card principal",
        "card",
        "calendar",
        next_check_at=make_due(60.0),
        lesson_check_at=make_due(60.0),
    )
)
