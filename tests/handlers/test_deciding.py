"""The tables that decide: what a request is about, how that is chosen, and what becomes of it."""

from typing import get_args

import pytest

from bot.domain.people import Principal
from bot.domain.workspaces import Workspace
from handlers import routes
from handlers.deciding import (
    WAYS,
    Choice,
    Kind,
    Number,
    Subject,
    Sure,
    Way,
    choice_of,
    is_sure_of,
    subject_of,
    way_of,
)
from handlers.language.names import Names
from handlers.language.reading import read
from handlers.routes import Does

VERBS = routes.verbs_of_folders()
KINDS: tuple[Kind, ...] = (*Does, "asks")
REPORT = Workspace("report", Principal(None, "T1", "U1"), "saturn", "report", "report", "report")
NAMES = Names([REPORT])


def reading_of(text: str):
    return read(text.split(), "workspace", VERBS, NAMES)


def test_there_is_a_way_for_everything():
    for number in get_args(Number):
        for sure in Sure:
            assert {way_of(number, sure, kind) for kind in KINDS} <= set(Way)
    assert set(WAYS) == {(number, sure) for number in get_args(Number) for sure in Sure}


def test_a_guess_starts_ends_and_makes_nothing():
    done = {Way.DONE, Way.AT_ONCE}
    for number in get_args(Number):
        ways = {kind: way_of(number, Sure.GUESS, kind) for kind in KINDS}
        assert [kind for kind, way in ways.items() if way in done] in ([], [Does.SHOWS])


def test_several_are_only_done_at_once_with_consent():
    at_once = {
        (number, sure, kind)
        for number in get_args(Number)
        for sure in Sure
        for kind in KINDS
        if way_of(number, sure, kind) is Way.AT_ONCE
    }
    assert at_once == {("several", Sure.AGREED, kind) for kind in KINDS if kind is not Does.SHOWS}


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("start report", ()),
        ("start report, I need it today", ()),
        ("start report with EPOCHS=20", ("with EPOCHS=20",)),
        ("start report, I need it for the demo", ("I need it for the demo",)),
        ("start report using the large gpu", ("using the large gpu",)),
    ],
)
def test_what_is_left_over_makes_it_a_guess(text, left):
    reading = reading_of(text)
    assert reading.which.left_out == left
    assert is_sure_of(reading) is not bool(left)


@pytest.mark.parametrize("rest", ["zzyzx", "with zzyzx", "for the zzyzx", "zzyzx zzyzx"])
@pytest.mark.parametrize(
    "text",
    [
        *("start report", "strat report", "report stop", "please restart report", "report"),
        *("stop it", "stop the second one", "make report stop", "stop report, i'm leaving"),
        *("keep report until 8", "stop report at 6pm", "extend report by 1h", "give report another hour"),
        *("start report every weekday at 9", "skip report tomorrow", "no hours for report"),
        *("i'm done with report", "i need report", "don't need report", "can i stop report"),
        *("is report running", "how is report doing", "why did report stop", "until when does report run"),
        *("show me report", "open report", "remove report", "forget report"),
    ],
)
def test_what_nothing_explains_is_left_out_of_every_kind_of_sentence(text, rest):
    which = reading_of(f"{text} {rest}").which
    assert [phrase for phrase in which.left_out if phrase.endswith("zzyzx")]


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("stop report", Subject.OWN),
        ("don't stop report", Subject.HELD),
        ("stop report if it is idle", Subject.HELD),
        ("stop bob's report", Subject.THEIRS),
        ("cancel", Subject.LAST_ACT),
        ("cancel it", Subject.LAST_ACT),
        ("cancel report", Subject.OWN),
        ("status", Subject.OVERVIEW),
        ("status report", Subject.OWN),
        ("stop everything", Subject.OWN),
    ],
)
def test_what_a_request_is_about(text, subject):
    assert subject_of(reading_of(text)) is subject


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("stop report", Choice.NAMED),
        ("stop old report", Choice.ANOTHER),
        ("start old report", Choice.NAMED),
        ("stop everything", Choice.ALL),
        ("stop everything purple", Choice.UNKNOWN_FEW),
        ("stop all running workspaces", Choice.ALL),
        ("stop zebra", Choice.UNKNOWN),
        ('stop "my thesis"', Choice.UNKNOWN),
        ("stop it", Choice.POINTED),
        ("stop the second one", Choice.POINTED),
        ("stop", Choice.USUAL),
    ],
)
def test_how_workspaces_are_chosen(text, choice):
    assert choice_of(reading_of(text)) is choice
