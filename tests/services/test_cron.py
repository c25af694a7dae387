"""Cron expressions as people write them: right, wrong, or none at all."""

import pytest

from bot.services.runs import can_fire, is_cron, is_probably_cron


@pytest.mark.parametrize(
    "text",
    ["0 3 * * *", "*/15 * * * *", "0 0 1,15 * mon-fri", "5-10/2 0 1 JAN sun", "0 3 * * 7", "59 23 31 12 0"],
)
def test_these_are_expressions(text):
    assert is_cron(text)
    assert is_probably_cron(text)


@pytest.mark.parametrize(
    "text",
    [
        "60 3 * * *",
        "0 24 * * *",
        "0 3 0 * *",
        "0 3 * 13 *",
        "0 3 * * 8",
        "*/0 * * * *",
        "5-1 * * * *",
        "0 3 * mon *",
        "0 3 * * *  *",
        "0 3 * *",
    ],
)
def test_these_were_meant_as_some(text):
    assert not is_cron(text)
    assert is_probably_cron(text)


@pytest.mark.parametrize("text", ["", "nightly", "my nightly report of sales", "a b c d e", "@daily", "0;3"])
def test_these_are_names(text):
    assert not is_cron(text)
    assert not is_probably_cron(text)


@pytest.mark.parametrize(
    ("text", "ever"),
    [
        ("0 3 30 2 *", False),
        ("0 3 31 2,4,jun,9-11/2 *", False),
        ("0 3 30-31 FEB *", False),
        ("0 3 31/2 sep */1", False),
        ("0 3 29 2 *", True),
        ("0 3 28-31 2 *", True),
        ("0 3 31 4-5 *", True),
        ("0 3 31 nov-feb *", True),
        ("0 3 */31 2 *", True),
        # Either the day of the month or the day of the week is enough.
        ("0 3 30 2 mon", True),
        ("* * * * *", True),
    ],
)
def test_an_expression_that_no_day_fits_never_fires(text, ever):
    assert is_cron(text)
    assert can_fire(text) is ever
