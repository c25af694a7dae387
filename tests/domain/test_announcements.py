"""Announcements: a message loses what it has announced once that comes, and goes if that was all."""

import pytest

from bot.domain.announcements import Span, drop_past, find_next_moment
from bot.messages.blocks import kit
from bot.messages.blocks.button_values import ButtonValue
from bot.messages.texts import times

NOW = 1_800_000_000.0
SOON, LATER = NOW + 600, NOW + 7200


def at(moment):
    return kit.moment_at(moment, NOW)


def drop(answer, now=SOON + 1, **keys):
    left = drop_past(answer.blocks, Span(SOON, now, **keys))
    return None if left is None else "\n".join(kit.iterate_lines(left))


@pytest.mark.parametrize(
    ("said", "left"),
    [
        pytest.param(f"I'll start *nb* {at(SOON)}.", None, id="all of it"),
        pytest.param(f"*Biology* begins {at(SOON)}, and you aren't linked. Link it.", None, id="first"),
        pytest.param(f"*nb* is ready. I'll stop it {at(SOON)}. Save your work.", "*nb* is ready.", id="end"),
        pytest.param(f"*nb* · on · I'll stop it {at(SOON)}.", "*nb* · on", id="part of a line"),
        pytest.param(f"*Planned*\n{at(SOON)} nb\n{at(LATER)} gpu", f"*Planned*\n{at(LATER)} gpu", id="line"),
        pytest.param(f"Since {at(NOW)}. I'll stop it {at(LATER)}.", ..., id="nothing has come"),
    ],
)
def test_announcement_that_has_come_goes_with_what_follows(said, left):
    assert drop(kit.message(said)) == (said if left is ... else left)


def test_small_text_that_has_come_goes_alone():
    answer = kit.message("Your account is linked.", [f"It lasts until {at(SOON)}.", "If not, unlink."])
    assert drop(answer) == "Your account is linked.\nIf not, unlink."


def test_cancelled_moment_goes_before_it_comes():
    answer = kit.message(f"*nb* will be stopped {at(LATER)}.")
    assert drop(answer) is not None
    assert drop(answer, cancelled=frozenset({int(LATER)})) is None


def test_next_moment_is_one_of_text_button_or_menu():
    buttons = [kit.button("A", ButtonValue("keep_running", "w", at=LATER))]
    menu = kit.menu([kit.button("B", ButtonValue("stop", "w", at=SOON + 60))])
    assert find_next_moment(kit.message(f"Since {at(NOW)}.").blocks, NOW) is None
    assert find_next_moment(kit.message("Hi.", [], buttons).blocks, NOW) == LATER
    assert find_next_moment(kit.message("Hi.", [], [*buttons, menu]).blocks, NOW) == SOON + 60
    assert find_next_moment(kit.message(f"Until {at(SOON)}.", [], buttons).blocks, NOW) == SOON
    assert find_next_moment(kit.message(f"Until {at(SOON)}.", [], buttons).blocks, SOON) == LATER


@pytest.mark.parametrize(
    ("spans", "said"),
    [
        ([("2026-11-13", "2026-11-16")], "from 13 to 16 Nov"),
        ([("2026-11-13", "2026-11-13")], "on 13 Nov"),
        ([("2026-11-13", "2026-11-13"), ("2026-11-17", "2026-11-17")], "on 13 and 17 Nov"),
        ([("2026-12-22", "2027-01-06")], "from 22 Dec to 6 Jan"),
        ([("2026-11-24", "2026-11-24"), ("2026-12-22", "2027-01-06")], "on 24 Nov and from 22 Dec to 6 Jan"),
        ([("2026-11-30", "2026-11-30"), ("2026-12-02", "2026-12-02")], "on 30 Nov and on 2 Dec"),
    ],
    ids=["span", "day", "days", "months", "both", "two months"],
)
def test_days_are_said_once_with_their_month(spans, said):
    assert times.format_dates(spans) == said


def test_message_stays_while_another_line_is_left():
    """Only what was announced goes: the first line may be about another workspace than the next."""
    blocks = [kit.section("I'll stop *a* <!date^2000^{time}|18:00>.\nNothing stops *b*.")]
    (left,) = drop_past(blocks, Span(1000.0, 3000.0))
    assert left["text"]["text"] == "Nothing stops *b*."
