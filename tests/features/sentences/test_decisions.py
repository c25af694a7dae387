"""The tables that decide: what a request is about, how that is chosen, and what becomes of it."""

from typing import get_args

import pytest

from bot.domain.people import Principal
from bot.domain.workspaces import Workspace
from bot.features.sentences.decisions import (
    ANSWER_STYLES,
    AnswerStyle,
    Confidence,
    Kind,
    Number,
    RequestSubject,
    SelectionMode,
    find_answer_style,
    find_selection_mode,
    find_subject,
)
from bot.features.sentences.reading import read
from bot.messages.verb import Effect
from handlers import routes
from handlers.names import Names

VERBS = routes.list_verbs_by_folder()
KINDS: tuple[Kind, ...] = (*Effect, "asks")
REPORT = Workspace("report", Principal(None, "T1", "U1"), "saturn", "report", "report", "report")
NAMES = Names([REPORT])


def reading_of(text: str):
    return read(text.split(), "workspace", VERBS, NAMES)


def test_there_is_a_way_for_everything():
    for number in get_args(Number):
        for sure in Confidence:
            assert {find_answer_style(number, sure, kind) for kind in KINDS} <= set(AnswerStyle)
    assert set(ANSWER_STYLES) == {(number, sure) for number in get_args(Number) for sure in Confidence}


def test_a_guess_starts_ends_and_makes_nothing():
    done = {AnswerStyle.DONE, AnswerStyle.AT_ONCE}
    for number in get_args(Number):
        ways = {kind: find_answer_style(number, Confidence.GUESS, kind) for kind in KINDS}
        assert [kind for kind, way in ways.items() if way in done] in ([], [Effect.SHOWS])


def test_several_are_only_done_at_once_with_consent():
    at_once = {
        (number, sure, kind)
        for number in get_args(Number)
        for sure in Confidence
        for kind in KINDS
        if find_answer_style(number, sure, kind) is AnswerStyle.AT_ONCE
    }
    assert at_once == {("several", Confidence.AGREED, kind) for kind in KINDS if kind is not Effect.SHOWS}


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("stop report", RequestSubject.OWN),
        ("stop bob's report", RequestSubject.OTHERS),
        ("cancel", RequestSubject.LAST_ACT),
        ("cancel it", RequestSubject.LAST_ACT),
        ("cancel report", RequestSubject.OWN),
        ("status", RequestSubject.OVERVIEW),
        ("status report", RequestSubject.OWN),
        ("stop everything", RequestSubject.OWN),
    ],
)
def test_what_a_request_is_about(text, subject):
    assert find_subject(reading_of(text)) is subject


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("stop report", SelectionMode.NAMED),
        ("start old report", SelectionMode.NAMED),
        ("stop everything", SelectionMode.ALL),
        ("stop all running workspaces", SelectionMode.ALL),
        ("stop zebra", SelectionMode.UNKNOWN),
        ('stop "my thesis"', SelectionMode.UNKNOWN),
        ("stop it", SelectionMode.POINTED),
        ("stop the second one", SelectionMode.POINTED),
        ("stop", SelectionMode.USUAL),
    ],
)
def test_how_workspaces_are_chosen(text, choice):
    assert find_selection_mode(reading_of(text)) is choice
