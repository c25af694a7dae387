"""The tables of hours, class cards, courses and their members."""

from bot.domain.courses import ClassCard, Participant
from bot.domain.hours import HoursRule
from bot.domain.row_times import PAST, STAYS, make_due
from bot.store.tables import PAIR, Table, make_plain_table, register_table

# The next check may be as far ahead as the next occurrence, but extra checks do no harm.
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

# The next check may be as far ahead as the end of the class, but extra checks do no harm.
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
