"""Tests of answers stored in rows: parts with a time are dropped once it passes or their plan is gone."""

import json
from datetime import date

import pytest

from bot.domain.markup import Dated, Part
from bot.messages.blocks import kit, stored
from bot.messages.blocks.button_values import ButtonValue
from bot.messages.blocks.kit import fill
from bot.messages.texts import times

NOW = 1_800_000_000.0
SOON, LATER = NOW + 600, NOW + 7200
DAY = "I'll stop *nb* {at}."


def said(template, at=SOON, **names):
    return fill(template, at=kit.moment_at(at, NOW), **names)


def has_come(part):
    return any(at <= SOON + 1 for at in part.moments)


def drop(answer, has_passed=has_come):
    left = stored.drop_past(answer, has_passed)
    return None if left is None else "\n".join(kit.iterate_lines(left.blocks))


@pytest.mark.parametrize(
    ("lines", "left"),
    [
        pytest.param([[said(DAY)]], None, id="all of it"),
        pytest.param(
            [[said("*Biology* begins {at}, and you aren't linked. Link it.")]], None, id="sentences"
        ),
        pytest.param([["*nb* is ready.", said(DAY), "Save it."]], "*nb* is ready.", id="the rest of a line"),
        pytest.param([["*Planned*"], [said("{at} nb")], ["gpu"]], "*Planned*\ngpu", id="a line"),
        pytest.param([[said(("{name} is ready.", DAY), name="nb")]], "nb is ready.", id="of one template"),
        pytest.param([["Hi.", said(DAY, LATER)]], ..., id="nothing has come"),
    ],
)
def test_part_that_has_come_goes_with_what_follows(lines, left):
    text = kit.join([kit.join(line) for line in lines], "\n")
    assert drop(kit.message(text)) == (text if left is ... else left)


def test_small_text_that_has_come_goes_alone():
    answer = kit.message("Your account is linked.", [said("It lasts until {at}."), "If not, unlink."])
    assert drop(answer) == "Your account is linked.\nIf not, unlink."


def test_only_moments_that_a_sentence_names_are_its_own():
    text = fill("I'll stop it {at}.", at=kit.moment_at(SOON, NOW), until=kit.moment_at(LATER, NOW))
    assert stored.find_moments(kit.message(text).blocks) == [int(SOON)]


def test_moments_are_those_of_texts_buttons_and_menus():
    buttons = [kit.button("A", ButtonValue("keep_running", "w", at=LATER))]
    menu = kit.menu([kit.button("B", ButtonValue("stop", "w", at=SOON + 60))])
    assert stored.find_moments(kit.message("Hi.", [], buttons).blocks) == [LATER]
    assert stored.find_moments(kit.message("Hi.", [], [*buttons, menu]).blocks) == [SOON + 60, LATER]
    assert stored.find_moments(kit.message(said(DAY), [], buttons).blocks) == [SOON, LATER]


def test_a_cut_text_still_has_its_moments():
    cut = kit.truncate(said("{name} stops {at}.", name=kit.Markup("x" * 100)), 50)
    assert len(cut) <= 50
    assert stored.find_moments([kit.section(cut)]) == [int(SOON)]


def test_what_is_written_to_a_row_is_read_from_it():
    text = kit.join(["*nb* has hours.", kit.announce("start", "w", said("Next, I'll start it {at}."))])
    answer = kit.message(kit.join([text, "Bye."], "\n"), [said("As of {at}.")], [kit.button("A", "a", "w")])
    body = json.loads(json.dumps(stored.to_body(answer)))
    again = stored.read(body, NOW)
    assert again == answer
    assert stored.list_plans(again.blocks) == [("start", "w")]
    assert stored.find_moments(again.blocks) == stored.find_moments(answer.blocks) == body["moments"]
    paragraph = again.blocks[0]["text"]["text"]
    assert isinstance(paragraph, Dated)
    assert [len(line) for line in paragraph.lines] == [2, 1]
    # The stored blocks don't repeat a sentence that announces something.
    assert "*nb* has hours. Next" not in json.dumps(body["blocks"])


def test_a_row_of_texts_alone_says_as_of_when_it_was_written():
    """Release 0.4.1 stored only the rendered text, so there is no telling what each message announces."""
    former = {"undated": True, **kit_body("I'll stop it <!date^1800000600^{time}|08:10>.")}
    answer = stored.read(former, NOW)
    assert "As of" in answer.blocks[-1]["elements"][0]["text"]
    assert stored.read({**former, "undated": False}, NOW).blocks == tuple(former["blocks"])
    assert "undated" not in stored.to_said(answer, former)


def kit_body(text):
    return {"text": "Hi.", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": text}}]}


def test_parts_of_a_line_keep_what_is_planned_for_them():
    dated = Dated([[Part("a", (1,), ("stop", "w")), Part("b")]])
    line = kit.join([dated, "c"])
    assert isinstance(line, Dated)
    assert [part.plan for part in line.parts] == [("stop", "w"), (), ()]
    assert str(line) == "a b c"


@pytest.mark.parametrize(
    ("spans", "said"),
    [
        ([("2026-11-13", "2026-11-16")], "from 13 to 16 Nov"),
        ([("2026-11-13", "2026-11-13")], "on Fri 13 Nov"),
        ([("2026-11-13", "2026-11-13"), ("2026-11-17", "2026-11-17")], "on 13 and 17 Nov"),
        ([("2026-12-22", "2027-01-06")], "from 22 Dec to 6 Jan 2027"),
        (
            [("2026-11-24", "2026-11-24"), ("2026-12-22", "2027-01-06")],
            "on Tue 24 Nov and from 22 Dec to 6 Jan 2027",
        ),
        ([("2026-11-30", "2026-11-30"), ("2026-12-02", "2026-12-02")], "on Mon 30 Nov and on Wed 2 Dec"),
        ([("2027-01-04", "2027-01-04")], "on Mon 4 Jan 2027"),
        ([("2027-01-04", "2027-01-04"), ("2027-01-06", "2027-01-06")], "on 4 and 6 Jan 2027"),
        ([("2027-01-25", "2027-02-05")], "from 25 Jan to 5 Feb 2027"),
        ([("2027-12-22", "2028-01-06")], "from 22 Dec 2027 to 6 Jan 2028"),
    ],
    ids=[
        "span",
        "day",
        "days",
        "months",
        "both",
        "two months",
        "next year",
        "days of next year",
        "span of next year",
        "span into the year after",
    ],
)
def test_days_are_said_once_with_their_month(spans, said):
    assert times.format_dates(spans, date(2026, 11, 1)) == said


def test_message_stays_while_another_line_is_left():
    """Only the line with the announcement is dropped, as the others may be about another workspace."""
    assert drop(kit.message(kit.join([said(DAY), "Nothing stops *b*."], "\n"))) == "Nothing stops *b*."
