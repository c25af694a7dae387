"""A member's lessons: what they agreed to, as the course is now, whatever it was in between."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest

from bot.domain.people import Principal
from bot.features.courses.model import ClassCard, CourseRule
from bot.features.courses.timetable import apply_timetable, list_unsent_changes

WHO = Principal(None, "T1", "U1")
CARD = ClassCard(
    principal=WHO,
    channel_id="C1",
    connection="saturn",
    title="Statistics",
    days=frozenset({"mon", "wed"}),
    starts=540,
    stops=630,
    first_day="2027-11-22",
    last_day="2027-12-22",
)
#: What a teacher may make of it, one after the other.
CHANGES = (
    {"off": frozenset({"2027-11-24", "2027-11-29"})},
    {"days": frozenset({"mon", "thu"})},
    {"starts": 600, "stops": 780},
    {"last_day": "2028-01-31"},
    {"last_day": "2027-11-25"},
    {"moved": {"2027-11-30": [600, 900]}},
)


def joined(card=CARD):
    rule = CourseRule(
        "r", WHO, "saturn", "w", "UTC", "UTC", 0.0, **card.timetable(), card="c", course_off=card.off
    )
    return apply_timetable(replace(rule, notified_state=card.state), card)


def decided(card, number, **to):
    """Return a card on which this was decided, which members haven't heard of."""
    changed = replace(card, **to)
    return replace(
        changed, timetable_changes=[*card.timetable_changes, {"state": changed.state, "what": number}]
    )


def test_a_member_has_what_they_agreed_to_whichever_way_the_course_went():
    for order in permutations(range(len(CHANGES)), 4):
        card, rule, hastier = CARD, joined(), joined()
        for number in order:
            card = decided(card, number, **CHANGES[number])
            rule = apply_timetable(rule, card)
            # Never more than that, and again the same.
            assert rule.days <= CARD.days
            assert (rule.stops or 0) - (rule.starts or 0) <= 90
            assert all(end - begin <= 90 for begin, end in rule.moved.values())
            assert rule.last_day <= CARD.last_day
            assert apply_timetable(rule, card) == rule
        # Whoever was away in between has the same, and all of it once the course is as it was.
        assert apply_timetable(hastier, card) == rule
        back = decided(card, "back", **CARD.timetable())
        assert apply_timetable(rule, back) == joined()


def test_what_a_member_skips_stays_theirs_whatever_the_course_leaves_out():
    mine = replace(joined(), off=frozenset({"2027-11-24"}))
    off = decided(CARD, 1, off=frozenset({"2027-11-24", "2027-11-29"}))
    both = apply_timetable(mine, off)
    assert both.off == off.off
    assert apply_timetable(both, decided(off, 2, off=frozenset())).off == {"2027-11-24"}


def test_more_comes_with_another_consent_alone():
    longer = decided(CARD, 1, last_day="2028-01-31")
    assert apply_timetable(joined(), longer).last_day == "2027-12-22"
    again = apply_timetable(replace(apply_timetable(joined(), longer), last_day="2028-01-31"), longer)
    assert again.last_day == "2028-01-31"


def test_what_0_2_0_has_written_beside_is_read_as_it_meant_it():
    """It writes days off into the rules of all, and a rule without what this release has added."""
    plain = replace(CARD, off=frozenset({"2027-11-24"}))
    theirs = replace(joined(), off=plain.off)
    assert (
        apply_timetable(apply_timetable(theirs, plain), decided(plain, 1, off=frozenset())).off == frozenset()
    )
    fresh = CourseRule("r", WHO, "saturn", "w", "UTC", "UTC", 0.0, **plain.timetable(), card="c")
    assert apply_timetable(fresh, plain) == replace(joined(plain), notified_state="")


@pytest.mark.parametrize(
    ("notified_state", "told"),
    [
        # Decided were B, C, then B again, then D.
        ("A", ["to B", "to D"]),
        ("B", ["to D"]),
        ("C", ["back to B", "to D"]),
        ("D", []),
        ("", ["to B", "to D"]),
    ],
)
def test_nobody_is_told_of_what_was_taken_back_before_they_heard_of_it(notified_state, told):
    decisions = [("B", "to B"), ("C", "to C"), ("B", "back to B"), ("D", "to D")]
    card = replace(CARD, timetable_changes=[{"state": state, "what": what} for state, what in decisions])
    assert [one["what"] for one in list_unsent_changes(card, notified_state)] == told


def test_equal_timetables_are_one_state():
    moved = {"2027-11-30": [600, 690], "2027-11-23": (540, 630)}
    one, other = (replace(CARD, moved=dict(order)) for order in (moved.items(), reversed(moved.items())))
    assert one.state == other.state == replace(one, lead_seconds=600.0, closed_at=1.0).state
    assert len({one.state, *(replace(CARD, **to).state for to in CHANGES)}) == 1 + len(CHANGES)
