"""Tests of since when and until when a workspace runs: every place that shows its state says the same."""

from dataclasses import replace

import pytest

from bot.domain.notices import NoticeKind
from bot.domain.operations import OperationVerb
from bot.domain.stops import PlannedStop, PlannedStops
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.messages.blocks import buttons, lists, timers
from bot.messages.blocks.cards import render_operation_card
from bot.messages.blocks.notices import render
from bot.messages.texts import cards
from bot.web.ide import build_page_state
from tests.messages.card_facts import CALLED, IDE_URL, NOW, facts

DONE = {**CALLED, "outcome": Outcome.FULFILLED, "ended_at": NOW - 5}
SINCE = NOW - 7200
AT = int(NOW + 3600)

SUSPENDS = PlannedStops(counts=PlannedStop(AT, "suspend"))


def running(operation=None, **workspace):
    row = {"state": State.RUNNING, "started_at": SINCE, **workspace}
    return facts({**DONE, **(operation or {})}, row, ide_url=IDE_URL)


def said(given):
    """Return what each place says about a running workspace."""
    alone = replace(given, operation=None)
    workspace = given.workspace
    return {
        "card": str(render_operation_card(given).blocks),
        "ready": str(render(NoticeKind.READY, given).blocks),
        "status": str(lists.status_answer(alone, workspace).blocks),
        "list": str(lists.workspace_list([alone]).blocks),
        "form": str(timers.build_form(alone, "stop")),
        "page": build_page_state(alone).line,
    }


@pytest.mark.parametrize(
    ("ends", "says"),
    [
        ({"expires_at": AT, "expiry_mode": "stops"}, "tops by itself"),
        ({"expires_at": AT, "expiry_mode": "removed"}, " removes "),
        ({"stop_at": AT}, "stop"),
        # Only the first end is shown, as the second can't happen after it.
        (
            {"stop_at": AT, "planned_stops": SUSPENDS, "expires_at": AT + 60, "expiry_mode": "stops"},
            "suspend",
        ),
    ],
)
def test_the_end_that_is_coming_is_said_wherever_the_state_is(ends, says):
    for place, text in said(running(**ends)).items():
        shown = "09:00 UTC" if place == "page" else f"<!date^{AT}^"
        assert text.count(shown) == 1, place
        assert says in text or place == "page", place
        assert f"<!date^{AT + 60}^" not in text, place
        assert "No stop is planned" not in text, place


def test_of_two_ends_one_sentence_says_which_comes_when():
    ends = buttons.list_end_lines(running(stop_at=AT, expires_at=AT - 60, expiry_mode="stops"))
    (said,) = ends
    assert said.startswith(f"I'll stop it at <!date^{AT}^")
    assert f", or it stops at <!date^{AT - 60}^" in said
    assert said.endswith("if you haven't used it by then.")


def test_without_an_end_only_the_form_speaks_of_it():
    for place, text in said(running()).items():
        assert ("No stop is planned" in text) is (place == "form")
        lines = [line.replace("{title}", "Saturn Cloud") for line in cards.LINE.values()]
        assert not any(line.partition("{")[0] in text for line in lines), place


def test_what_was_to_end_before_a_restart_is_not_said_during_it():
    ends = {"expires_at": AT, "expiry_mode": "stops", "stop_at": AT + 60}
    given = facts({**CALLED, "verb": OperationVerb.RESTART}, {"state": State.RUNNING, **ends})
    assert [f"<!date^{AT + 60}^" in line for line in buttons.list_end_lines(given)] == [True]


def test_since_when_it_runs_is_said_where_it_is_known():
    known, unknown = said(running({"called_at": SINCE - 60})), said(running(started_at=None))
    for place in ("status", "list"):
        assert f"Running since <!date^{int(SINCE)}^" in known[place], place
    for place in ("status", "list"):
        assert "since" not in unknown[place], place
    # The message about a finished start says how long it took instead.
    assert "since" not in known["card"]


def test_state_that_is_unknown_since_is_not_shown_as_the_last_known():
    """*Stopped* next to a *Stop* button would be neither true nor useful."""
    given = facts(None, {"down_at": SINCE, "detail": "It sleeps.", "unknown_at": NOW - 2})
    shown = said(given)
    for place in ("status", "list"):
        assert "Unknown" in shown[place], place
        assert "topped" not in shown[place], place
        assert "It sleeps" not in shown[place], place
        assert f"<!date^{int(NOW - 2)}^" in shown[place], place


def test_failure_is_said_before_what_a_start_has_to_do():
    """The reason for a failure and the state's detail are both shown. A package's own words aren't quoted."""
    row = {"state": State.FAILED, "reason": "stop canceled", "detail": "It's dormant."}
    shown = said(facts(None, row))
    for place in ("status", "list"):
        assert "It was cancelled on Saturn Cloud." in shown[place], place
        assert "It's dormant" in shown[place], place
        assert "says" not in shown[place], place
