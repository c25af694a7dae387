"""The tables of hours, class cards, courses and their members."""

from bot.domain.courses import ClassCard, Participant
from bot.domain.hours import HoursRule
from bot.domain.row_times import PAST, STAYS, make_due
from bot.store.tables import PAIR, Table, make_plain_table, register_table

# A rule's next check may be as far ahead as its next occurrence, but an extra check does no harm.
RULES = register_table(
    Table(
        "rules",
        HoursRule,
        "id",
        "workspace_id",
        "principal connection remote_id",
        PAIR,
        "principal",
        next_check_at=make_due(60.0),
    )
)
OCCURRENCES = register_table(make_plain_table("occurrences", "rule_id local side", at=STAYS))

# A card's next check may be as far ahead as the end of the class, but an extra check does no harm.
CLASS_CARDS = register_table(
    Table("class_cards", ClassCard, "id", counted_at=PAST, changed_at=PAST, next_check_at=make_due(60.0))
)
PARTICIPANTS = register_table(
    Table(
        "participants",
        Participant,
        "card_id principal",
        "card_id",
        "workspace_id",
        "principal",
        warned_at=STAYS,
        due_at=make_due(60.0),
    )
)
