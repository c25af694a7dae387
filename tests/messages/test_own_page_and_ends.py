"""Workspaces that open in a page of ours, and warnings before they end: what people read."""

import pytest

from bot.domain.errands import Outcome
from bot.domain.expiries import ExpiryKind
from bot.domain.notices import NoticeKind
from bot.domain.workspaces import State
from bot.messages.blocks.cards import operation_card
from bot.messages.blocks.notices import render
from bot.messages.texts import cards
from tests.messages.card_facts import CALLED, NOW, facts
from tests.rigs.golden import check_golden, check_limits

PAGE = "https://usher.example.org/ide/workspace_1"
DONE = {**CALLED, "outcome": Outcome.FULFILLED, "ended_at": NOW - 5}
OURS = {"opens_in_page": True, "page_url": None, "username": "", "connection_title": "Courses"}
ABLE = {"capabilities": frozenset({"removal", "making"})}
ALL = frozenset({"open", "stop", "remove", "start"})


def running(workspace=None, **keys):
    row = {"state": State.RUNNING, "actions": ALL, **(workspace or {})}
    return facts(DONE, row, **{**OURS, **ABLE, "ide_url": PAGE, **keys})


CARDS = {
    "own-page": running(),
    "own-page-warned": running({"detail": "Its set-up failed: <b>no such package</b>"}),
    "own-page-remark": running({"remark": "Scenario *x* <!channel> finished at {time:1799999000}: passed."}),
    "own-page-without-address": running(ide_url=None, has_public_url=False),
    "own-page-closed": running(ide_url=None),
}
ENDINGS = {
    "ending-stops": running({"ends_at": NOW + 290, "ends_how": "stops"}),
    "ending-anyhow": running({"ends_at": NOW + 45, "ends_how": "removed"}),
    "ending-removed": running(
        {"state": State.STOPPED, "ends_at": NOW + 301, "ends_how": "removed"}, ide_url=None
    ),
    "ending-not-permitted": running(
        {"ends_at": NOW + 120, "ends_how": "stops", "actions": frozenset({"open"})}
    ),
    "ending-over": running({"ends_at": None, "ends_how": None}),
}


@pytest.mark.parametrize("name", CARDS)
def test_a_card(name):
    check_golden(f"cards/{name}", operation_card(CARDS[name]))


@pytest.mark.parametrize("name", ENDINGS)
def test_a_warning(name):
    check_golden(f"notices/{name}", render(ExpiryKind.ENDING, ENDINGS[name]))


def test_what_ready_says_of_a_set_up_that_failed():
    answer = render(NoticeKind.READY, CARDS["own-page-warned"])
    check_limits(answer)
    assert "no such package" in str(answer.blocks)
    assert cards.OPENS_HERE in str(answer.blocks)


def test_elsewhere_a_detail_is_not_repeated():
    shown = facts(DONE, {"state": State.RUNNING, "detail": "a detail"}, ide_url="https://ide.example.org/")
    assert "a detail" not in str(operation_card(shown).blocks)
