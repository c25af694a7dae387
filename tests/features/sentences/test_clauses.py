"""Asides beside a request: they bar nothing and give no time to the act of another clause."""

import pytest

from bot.features.sentences.clauses import split_asides

NAMES = {"report", "lab"}


def split(text: str) -> tuple[str, str]:
    words = tuple(text.split())
    core, asides = split_asides(words, {at for at, word in enumerate(words) if word.strip(",.") in NAMES})
    return " ".join(core), "; ".join(asides)


@pytest.mark.parametrize(
    ("text", "core", "asides"),
    [
        ("stop report, back on monday", "stop report,", "back on monday"),
        ("i am on leave from tomorrow, stop report", "stop report", "i am on leave from tomorrow"),
        ("it's weekend, stop everything :tada:", "stop everything", "it's weekend"),
        ("stop report :face_with_thermometer:", "stop report", ""),
        ("stop report because i'm ill", "stop report", "i'm ill"),
        ("i'm off so stop report", "stop report", "i'm off"),
        ("start lab at 9 - my class is at 10", "start lab at 9", "my class is at 10"),
        ("stop report at 5, i'm away from tomorrow", "stop report at 5,", "i'm away from tomorrow"),
        ("could you, if it isn't too much trouble, start lab?", "could you, start lab?", ""),
        ("start lab if it's possible", "start lab", ""),
    ],
)
def test_clause_that_asks_for_nothing_is_an_aside(text, core, asides):
    assert split(text) == (core, asides)


@pytest.mark.parametrize(
    "text",
    [
        # a verb, a name, a condition, a negation, a wish or a question of its own
        "stop report, i'm closing it",
        "stop report, my lab is slow",
        "stop report, i'm done when it's free",
        "the moment i am done, stop report",
        "stop report, i'm not done",
        "start report, i need two",
        "stop report, i'm joking",
        "stop report, is there a class?",
        "leave report alone, it's nearly there",
        "restart lab if it's a problem",
        "restart lab if it isn't possible",
        "start lab if it's much bother, my boss has time",
        # a time that may be the one of the act
        "stop report, i'm leaving at 5",
        "stop report, i'm leaving in a bit",
        "stop report, 6pm is fine",
        "we have class on monday, start report at 9",
        "we have class on monday, start report then",
        "i'm away next week, pause everything",
        # no clause of its own
        "stop report & lab",
        "was report up so long",
        "start report 9 – 17",
    ],
)
def test_clause_that_may_ask_for_something_is_no_aside(text):
    assert split(text) == (text, "")
