"""Waiting for room: the forms, and how many are ahead, in words."""

from dataclasses import replace

import pytest

from bot.domain.room import WaitFacts
from bot.messages.blocks import waits
from bot.messages.texts import waits as words
from tests.messages.card_facts import NOW
from tests.rigs.golden import check_golden

WAIT = WaitFacts("w1", "gpu", "Team hub", "gpu", NOW + 3600.0)


def test_the_forms():
    check_golden("views/wait_until", waits.form(waits.UNTIL_FORM, "workspace_1"))
    check_golden("views/decline_more", waits.form(waits.DECLINE_FORM, "operation_1"))


@pytest.mark.parametrize(
    ("ahead", "said"),
    [
        (0, "You're next in line."),
        (1, "One person is ahead of you."),
        (2, "Two people are ahead of you."),
        (10, "Ten people are ahead of you."),
        (11, "11 people are ahead of you."),
    ],
)
def test_how_many_are_ahead(ahead, said):
    assert waits.ahead(replace(WAIT, ahead=ahead)) == said


def test_whose_turn_it_is_and_who_is_held_up_knows_why():
    assert waits.ahead(replace(WAIT, is_trying=True)) == words.TRYING
    assert "Team hub might shut itself down" in waits.ahead(replace(WAIT, ahead=3, is_held=True))


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({}, "You're next in line."),
        ({"tried_before": 1}, "You're next in line. One person was tried before you, without success."),
        (
            {"tried_before": 2, "attempts": 1},
            "Two people were tried before you, without success. I've tried once",
        ),
        ({"ahead": 1, "attempts": 12}, "One person is ahead of you. I've tried 12 times so far."),
    ],
    ids=["first", "newcomer", "second", "often"],
)
def test_place_says_how_the_round_goes(keys, said):
    assert said in waits.place(replace(WAIT, **keys), NOW)


@pytest.mark.parametrize("kind", words.FOR)
def test_every_kind_of_room_has_its_words(kind):
    assert "{title}" in words.NONE[kind]
    assert words.FOR[kind] in waits.place(replace(WAIT, kind=kind), NOW)
