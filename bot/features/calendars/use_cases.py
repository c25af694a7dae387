"""The private address at which a calendar reads somebody's lessons of a course.

It is kept as a digest, in the row of their rule (``docs/internals/security.md``, "A calendar's address"):
whatever ends that rule, such as leaving the course or unlinking the account, ends the address.
"""

from typing import Final

from bot.domain.policy import decide
from bot.features.calendars import texts as words
from bot.features.courses import lesson_store
from bot.features.courses import use_cases as courses_use_cases
from bot.features.courses.model import ClassCard, CourseRule
from bot.features.courses.tables import COURSE_RULES
from bot.features.courses.texts import NOT_JOINED
from bot.services.caller import Caller
from bot.services.context import Context
from bot.services.linking import compute_digest, create_nonce, is_nonce
from bot.store import people
from bot.store.transaction import Transaction
from bot.support.errors import Refused

CALENDAR_PATH: Final = "/calendar"


def create_address(
    tx: Transaction, caller: Caller, card_id: str, *, renews: bool = False
) -> tuple[ClassCard, str]:
    """Return a new address for a person's lessons, "" if they have one; ``renews`` replaces that.

    Raises Refused (``course.not_joined``, ``calendar.no_address``).
    """
    card, rule = _find_own_rule(tx, caller, card_id)
    if caller.context.public_url is None:
        raise Refused("calendar.no_address", words.NO_PUBLIC_URL)
    row = COURSE_RULES.row(tx, id=rule.id)
    has_one = row is not None and row["calendar"] is not None
    if (has_one and not renews) or not caller.is_first_delivery(tx):
        return card, ""
    nonce = create_nonce()
    COURSE_RULES.change(tx, {"id": rule.id}, calendar=compute_digest(nonce))
    caller.record(tx, "class.calendar", card.subject, None)
    return card, f"{caller.context.public_url.rstrip('/')}{CALENDAR_PATH}/{nonce}.ics"


def end_address(tx: Transaction, caller: Caller, card_id: str) -> ClassCard:
    """End the address of a person's lessons; raises Refused (``course.not_joined``)."""
    card, rule = _find_own_rule(tx, caller, card_id)
    if caller.is_first_delivery(tx):
        COURSE_RULES.change(tx, {"id": rule.id}, calendar=None)
        caller.record(tx, "class.calendar_end", card.subject, None)
    return card


def _find_own_rule(tx: Transaction, caller: Caller, card_id: str) -> tuple[ClassCard, CourseRule]:
    caller.check(tx, "course_calendar")
    card, rule = (
        courses_use_cases.find_visible_card(tx, caller, card_id),
        lesson_store.find_own_rule(tx, card_id, caller.principal),
    )
    if rule is None:
        raise Refused("course.not_joined", NOT_JOINED.format(course=card.title))
    return card, rule


def find_rule(tx: Transaction, context: Context, nonce: str) -> CourseRule | None:
    """Return the rule of an address; None if it leads nowhere, or its person may not read it."""
    rule = lesson_store.find_rule_by_calendar(tx, compute_digest(nonce)) if is_nonce(nonce) else None
    person = people.find_person(tx, rule.principal) if rule is not None else None
    if rule is None or not decide(rule.principal, "calendar", None, context.installation, person).allowed:
        return None
    return rule
