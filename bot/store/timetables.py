"""The tables of class cards and courses, of who joined them, of hours, and of the times that were taken."""

from bot.domain.classes import ClassCard, Participant
from bot.domain.hours import Rule
from bot.domain.times import PAST, STAYS, due
from bot.store.tables import PAIR, Table, of_feature, plain

# It may be as far ahead as the end of the class; an extra look does no harm.
CLASS_CARDS = of_feature(
    Table("class_cards", ClassCard, "id", counted_at=PAST, changed_at=PAST, look_at=due(60.0))
)
PARTICIPANTS = of_feature(
    Table("participants", Participant, "card_id principal", "card_id", "workspace_id", warned_at=STAYS)
)
# It may be as far ahead as the next occurrence; an extra look does no harm.
RULES = of_feature(
    Table(
        "rules",
        Rule,
        "id",
        "workspace_id",
        "principal connection remote_id",
        PAIR,
        "principal",
        "card principal",
        "card",
        "calendar",
        look_at=due(60.0),
        lesson_look_at=due(60.0),
    )
)
OCCURRENCES = of_feature(plain("occurrences", "rule_id local side", at=STAYS))
