"""Tests of waiting for capacity: the form, and how many people are ahead."""

from dataclasses import replace

import pytest

from bot.domain.notices import NoticeKind
from bot.domain.waitlist import WaitlistEntry, WaitlistFacts, WaitlistState
from bot.domain.work_items import Outcome
from bot.messages.blocks import kit
from bot.messages.blocks import waitlist as messages
from bot.messages.blocks.notices import render
from bot.messages.texts import waitlist as words
from tests.messages.card_facts import ALICE, NOW, facts
from tests.rigs.golden import check_golden

ENTRY = WaitlistEntry("wait_1", ALICE, "hub", "w1", "gpu", 1, NOW, NOW + 3600.0)
WAIT = WaitlistFacts(ENTRY, "gpu", "Team hub")
UNTRIED = replace(ENTRY, kind="room")


def waiting(wait):
    """Return the facts of a message about a wait for capacity."""
    return replace(facts(), wait=wait)


def test_form_asks_until_when():
    check_golden("views/wait_until", messages.build_form("workspace_1"))


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
    assert messages.format_position(WAIT._replace(ahead=ahead)) == said


def test_whose_turn_it_is_and_who_is_held_up_knows_why():
    trying = WAIT._replace(entry=replace(ENTRY, state=WaitlistState.TRYING))
    assert messages.format_position(trying, mentions_attempt=True) == words.TRYING
    assert "could make Team hub shut down" in messages.format_position(WAIT._replace(ahead=3, is_held=True))


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"entry": UNTRIED}, "I'll know your place in line once I've tried it."),
        ({"entry": UNTRIED, "ahead": 2}, "Two people are ahead of you."),
        ({"entry": replace(ENTRY, state=WaitlistState.TRYING)}, "You're next in line."),
        (
            {"ahead": 1, "entry": replace(ENTRY, attempts=3), "others": 2},
            "Two others are waiting, too. You're each tried in turn.",
        ),
        ({"is_refused": True, "ahead": 1}, "I can't try to start it while Team hub refuses your sign-in."),
        ({"entry": replace(ENTRY, granted_at=NOW)}, "*gpu* got a free GPU on Team hub at"),
        ({"entry": replace(ENTRY, ended_at=NOW)}, "*gpu* stopped waiting for a free GPU on Team hub at"),
    ],
    ids=["untried", "untried behind two", "tried now", "had a turn", "refused", "granted", "over"],
)
def test_message_of_a_wait_says_its_present_state(keys, said):
    """The message has *Stop waiting* as long as the person is waiting."""
    wait = WAIT._replace(**keys)
    drawn = render(NoticeKind.WAITLIST_PLACE, waiting(wait))
    assert said in drawn.blocks[0]["text"]["text"]
    assert len(list(kit.iterate_buttons(drawn.blocks))) == wait.entry.is_waiting


def test_message_of_a_wait_survives_the_loss_of_its_rows():
    gone = replace(waiting(None), workspace=None, former_name=None)
    assert not list(kit.iterate_buttons(render(NoticeKind.WAITLIST_PLACE, gone).blocks))


@pytest.mark.parametrize("kind", words.WAITED_FOR, ids=str)
def test_messages_about_room_name_the_workspace(kind):
    failed = {"outcome": Outcome.FAILED, "cause": f"no_room: {kind}"}
    offer = facts(failed, body={"room": kind, "until": NOW + 60}, capabilities=frozenset({"waiting"}))
    over = facts(body={"kind": kind, "until": NOW, "again": NOW, "then": "18:00", "workspace": "w1"})
    for drawn in (render(NoticeKind.FAILED, offer), render(NoticeKind.WAITLIST_ENDED, over)):
        assert offer.workspace.title in drawn.text


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({}, "You're next in line."),
        (
            {"tried_before": 1},
            "You're next in line. One person ahead of you has had a turn, without success.",
        ),
        (
            {"tried_before": 2, "entry": replace(ENTRY, attempts=1)},
            "Two people ahead of you have had a turn, without success. I've tried once",
        ),
        (
            {"ahead": 1, "entry": replace(ENTRY, attempts=12)},
            "One person is ahead of you. I've tried 12 times so far.",
        ),
    ],
    ids=["first", "newcomer", "second", "often"],
)
def test_place_says_how_the_round_goes(keys, said):
    assert said in messages.format_place(WAIT._replace(**keys), NOW)


@pytest.mark.parametrize("kind", words.WAITED_FOR)
def test_every_kind_of_room_has_its_words(kind):
    assert "{title}" in words.NO_CAPACITY[kind]
    assert words.WAITED_FOR[kind] in messages.format_place(
        WAIT._replace(entry=replace(ENTRY, kind=kind)), NOW
    )
