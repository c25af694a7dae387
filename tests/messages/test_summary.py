"""Tests of the message that sums up a silence: similar events in one sentence, each as it is now."""

from dataclasses import replace

import pytest

from bot.domain.notices import NoticeKind
from bot.domain.operations import OperationVerb
from bot.domain.runs import RunState
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.messages.blocks.notices import render_pending
from tests.messages.card_facts import CALLED, IDE_URL, NOW, facts, least_facts, run_facts
from tests.messages.runs import RUN
from tests.rigs.golden import check_golden, check_limits

STARTED = CALLED | {"outcome": Outcome.FULFILLED, "ended_at": NOW - 500}
STOP = STARTED | {"verb": OperationVerb.STOP}


def ended(name, state=State.RUNNING, operation=STARTED):
    url = IDE_URL if state is State.RUNNING else None
    found = facts(operation=operation, workspace={"name": name, "state": state}, ide_url=url)
    return replace(found, written_at=NOW - 500)


READY = (NoticeKind.READY, ended("nb1"))
ODD = (NoticeKind.READY, ended("<!channel> & *co*"))
STOPPED = (NoticeKind.STOPPED, ended("report", State.STOPPED, STOP | {"planned_for": NOW - 520}))
NOT_STARTED = STARTED | {"outcome": Outcome.FAILED, "cause": "internal"}
FAILED = (NoticeKind.FAILED, ended("gpu", State.STOPPED, NOT_STARTED))
NO_LONGER = (NoticeKind.READY, ended("lab", State.STOPPED))
TRAINED = replace(RUN, state=RunState.SUCCEEDED, outcome=Outcome.ENDED, ended_at=NOW - 60)
DONE = (NoticeKind.JOB_ENDED, run_facts(TRAINED, written_at=NOW - 60))


def summary(*held):
    return replace(least_facts(NoticeKind.SUMMARY), held=held)


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("two", (READY, ODD)),
        ("several", (READY, STOPPED, ODD, FAILED, NO_LONGER, DONE)),
        ("many", tuple((NoticeKind.READY, ended(f"w{n}")) for n in range(33))),
        ("of-others", ((NoticeKind.OUTAGE, least_facts(NoticeKind.OUTAGE, written_at=NOW - 900)), FAILED)),
    ],
)
def test_what_is_told_together_is_one_message(name, held):
    answer = render_pending(NoticeKind.SUMMARY, summary(*held))
    check_golden(f"notices/summary-{name}", answer)
    check_limits(answer)


def test_link_that_came_in_a_silence_is_told_with_its_button():
    link = (NoticeKind.READY_LINK, ended("nb1"))
    answer = render_pending(NoticeKind.SUMMARY, summary(link, STOPPED))
    assert "*nb1* is ready." in str(answer.blocks)
    assert IDE_URL in str(answer.blocks)
    shown = (NoticeKind.READY_LINK, replace(ended("nb1"), is_url_shown=True))
    assert render_pending(NoticeKind.SUMMARY, summary(shown)) is None


def test_where_nothing_is_left_nothing_is_sent():
    over = (NoticeKind.STOPPED_ELSEWHERE, READY[1])
    assert "*nb1* is ready." in str(render_pending(NoticeKind.SUMMARY, summary(over, READY)).blocks)
    assert render_pending(NoticeKind.SUMMARY, summary(over)) is None


def test_what_is_not_so_any_more_is_never_said_with_what_is():
    words = str(render_pending(NoticeKind.SUMMARY, summary(READY, NO_LONGER)).blocks)
    assert "*nb1* is ready." in words
    assert "It was running, and has since been stopped" in words
