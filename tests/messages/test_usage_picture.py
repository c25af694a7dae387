"""Tests of the picture of a week's usage: what is drawn where, and its description in words."""

import itertools
import os
import re
from datetime import date, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.usage import Span, SpanKind, UsageRow
from bot.messages.blocks import usage_picture as colours
from bot.messages.blocks.usage_picture import MAX_ALT_TEXT_LENGTH, MAX_ROWS, draw_week, estimate_width

BERLIN = ZoneInfo("Europe/Berlin")
GOLDEN = Path(__file__).parents[1] / "golden" / "usage_picture"
SVG = "{http://www.w3.org/2000/svg}"


def at(month, day, hour, minute=0):
    return datetime(2026, month, day, hour, minute, tzinfo=BERLIN).timestamp()


def seven_days(first):
    return [first + timedelta(number) for number in range(7)]


WEEK = seven_days(date(2026, 11, 23))
NOW = at(11, 28, 14, 5)
LONG_NAME = 'a <name> & "more" \u202e with so many words that they reach the hours at the end'
NOTEBOOK = UsageRow(
    "notebook",
    (
        Span(at(11, 23, 9), at(11, 23, 17, 40)),
        Span(at(11, 24, 21, 10), at(11, 25, 3, 30)),
        Span(at(11, 28, 9), NOW),
        Span(NOW, at(11, 28, 18), SpanKind.PLANNED),
    ),
)
FORGOTTEN = UsageRow("training-large-gpu", (Span(at(11, 23, 11), at(11, 25, 16)),))
CROSSING = UsageRow(
    LONG_NAME,
    (
        Span(at(11, 20, 11), at(11, 23, 4)),
        Span(at(11, 27, 8), at(11, 27, 8) + 20),
        Span(at(11, 29, 20), at(12, 2, 8), SpanKind.PLANNED),
    ),
)
UNKNOWN = UsageRow(
    "lab-3", (Span(at(11, 25, 8), at(11, 26, 19)), Span(at(11, 26, 19), NOW, SpanKind.UNKNOWN))
)
ALL = [NOTEBOOK, FORGOTTEN, CROSSING, UNKNOWN]
STUDENTS = [
    UsageRow(f"student-{number:02}", (Span(at(11, 23, 8), at(11, 23, 9 + number % 9)),))
    for number in range(34)
]
CASES = {
    "all": (ALL, WEEK, NOW),
    "one": ([FORGOTTEN], WEEK, NOW),
    "thirty": (STUDENTS[:30], WEEK, NOW),
    "nothing": ([], WEEK, NOW),
    "longer_day": (
        [UsageRow("notebook", (Span(at(10, 24, 22), at(10, 25, 6)),))],
        seven_days(date(2026, 10, 19)),
        NOW,
    ),
    "shorter_day": (
        [UsageRow("notebook", (Span(at(3, 28, 22), at(3, 29, 6)),))],
        seven_days(date(2026, 3, 23)),
        NOW,
    ),
}


def draw(rows, days=WEEK, now=NOW, zone=BERLIN):
    return draw_week(rows, days=days, now=now, zone=zone)


def bars(picture):
    """Return the bars below the names, each as its kind, its left and right ends, and its top."""
    kinds = {colours.RAN: "ran", colours.PAPER: "planned", "url(#hatch)": "unknown"}
    root = ElementTree.fromstring(picture.svg)
    found = []
    for box in root.iter(f"{SVG}rect"):
        x, y, width = (float(box.get(key, 0)) for key in ("x", "y", "width"))
        kind = kinds.get(box.get("fill"))
        if kind and x >= 16 and width not in {28, 26}:
            edge = 1 if kind != "ran" else 0
            found.append((kind, x - edge, round(x + width + edge, 1), y - edge))
    return found


def find_texts(picture):
    return [text.text for text in ElementTree.fromstring(picture.svg).iter(f"{SVG}text")]


def find_midnights(picture):
    """Return the positions at which the days begin and the last day ends."""
    lines = re.findall(r'<path d="M([\d.]+) 42V', picture.svg)
    return list(map(float, lines))


@pytest.mark.parametrize("name", CASES)
def test_picture_is_as_it_was_when_somebody_looked_at_it(name):
    rows, days, now = CASES[name]
    picture, golden = draw(rows, days, now), GOLDEN / f"{name}.svg"
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.mkdir(exist_ok=True)
        golden.write_text(picture.svg, encoding="utf-8")
    assert picture.svg == golden.read_text(encoding="utf-8")


def test_days_in_another_year_are_named_with_it():
    picture = draw([], days=seven_days(date(2025, 12, 29)))
    assert "Mon 29 Dec 2025 – Sun 4 Jan" in find_texts(picture)
    assert picture.alt_text.startswith("Mon 29 Dec 2025 – Sun 4 Jan, ")


def test_bars_are_where_their_times_are():
    """On Tuesday night, the notebook ran from 21:10 to 3:30."""
    picture = draw([NOTEBOOK])
    tuesday, wednesday = find_midnights(picture)[1:3]
    hour = (wednesday - tuesday) / 24
    kind, begin, end, _ = bars(picture)[2]
    assert kind == "ran"
    assert begin == pytest.approx(tuesday + 21.17 * hour, abs=0.2)
    assert end == pytest.approx(wednesday + 3.5 * hour, abs=0.2)


def test_kinds_look_different_even_without_colours():
    drawn = bars(draw(ALL))
    assert [kind for kind, *_ in drawn].count("unknown") == 1
    assert [kind for kind, *_ in drawn].count("planned") == 2
    hatch = ElementTree.fromstring(draw(ALL).svg).find(f"{SVG}defs/{SVG}pattern")
    assert hatch is not None
    assert hatch.get("id") == "hatch"


def test_rows_are_one_below_the_other_each_with_its_name_and_hours():
    texts = find_texts(draw([NOTEBOOK, FORGOTTEN, UNKNOWN]))
    for name, hours in (("notebook", "20 h 5 min"), ("training-large-gpu", "53 h"), ("lab-3", "35 h + ?")):
        assert texts[texts.index(name) + 1] == hours
    tops = [top for *_, top in bars(draw(STUDENTS[:5]))]
    assert tops == sorted(set(tops))


def test_what_crosses_the_ends_of_the_week_is_cut_there_and_counts_there_alone():
    picture = draw([CROSSING])
    (_, begin, _, _), *_ = [one for one in bars(picture) if one[0] == "ran"]
    ((_, _, end, _),) = [one for one in bars(picture) if one[0] == "planned"]
    midnights = find_midnights(picture)
    assert (begin, end) == (midnights[0], midnights[-1])
    assert "4 h" in find_texts(picture)
    assert "before Mon–Mon 04:00" in picture.alt_text
    assert "planned Sun 20:00–after Sun" in picture.alt_text


@pytest.mark.parametrize("hour", [0, 8, 23])
def test_life_shorter_than_a_pixel_is_seen_within_the_week(hour):
    begins_at = at(11, 29, hour, 59 if hour == 23 else 0)
    picture = draw([UsageRow("short", (Span(begins_at, begins_at + 5),))])
    ((_, begin, end, _),) = bars(picture)
    assert end - begin == pytest.approx(3)
    assert end <= find_midnights(picture)[-1]
    assert "under a minute" in find_texts(picture)


def test_now_is_a_line_and_only_in_its_week():
    assert any("now, Sat 14:05" in text for text in find_texts(draw(ALL)))
    past = draw(ALL, now=at(12, 4, 12))
    assert not any("now," in text for text in find_texts(past))


@pytest.mark.parametrize("now", [at(11, 23, 0, 30), NOW, at(11, 29, 22, 30)])
@pytest.mark.parametrize("rows", [ALL, []])
def test_the_line_for_now_crosses_no_text(rows, now):
    root = ElementTree.fromstring(draw(rows, now=now).svg)
    drawn = [one.get("d") for one in root.iter(f"{SVG}path") if one.get("stroke") == colours.NOW]
    lines = [[float(y) for y in re.findall(r"[\d.]+", path)[1:]] for path in drawn]
    assert len(lines) == max(len(rows), 1)
    for text in root.iter(f"{SVG}text"):
        y, size = float(text.get("y")), float(text.get("font-size"))
        assert not [one for one in lines if one[0] < y + size / 4 and one[1] > y - size * 0.8], text.text


@pytest.mark.parametrize(("name", "hours"), [("longer_day", "25"), ("shorter_day", "23")])
def test_day_of_a_clock_change_has_its_own_length(name, hours):
    rows, days, now = CASES[name]
    picture = draw(rows, days, now)
    midnights = find_midnights(picture)
    widths = [end - begin for begin, end in itertools.pairwise(midnights)]
    assert widths[-1] / widths[0] == pytest.approx(int(hours) / 24, abs=0.005)
    assert any(f"has {hours} hours" in text for text in find_texts(picture))
    assert f"has {hours} hours" in picture.alt_text
    # From 22:00 to 6:00 on the night of a clock change, it ran an hour more or less than eight.
    assert f"{int(hours) - 16} h" in find_texts(picture)


def test_days_are_those_of_the_readers_zone():
    auckland = draw([FORGOTTEN], zone=ZoneInfo("Pacific/Auckland"))
    assert bars(auckland) != bars(draw([FORGOTTEN]))
    assert "Pacific/Auckland" in find_texts(auckland)
    assert "(Mon 23:00–Thu 04:00)" in auckland.alt_text


def test_long_name_is_cut_before_the_hours():
    (name,) = [text for text in find_texts(draw([CROSSING])) if text.startswith("a <name>")]
    assert name.endswith("…")
    assert "\u202e" not in name
    assert estimate_width(name, 18) <= 420


@given(st.text(max_size=120))
def test_any_name_leaves_valid_svg_without_references_to_elsewhere(name):
    picture = draw([UsageRow(name, FORGOTTEN.spans)])
    root = ElementTree.fromstring(picture.svg)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        *("svg", "defs", "pattern", "path", "rect", "text")
    }
    assert not any("href" in key or key == "style" for element in root.iter() for key in element.attrib)
    assert len(picture.alt_text) <= MAX_ALT_TEXT_LENGTH


def test_alternative_text_says_all_of_it():
    assert draw(ALL).alt_text == (
        "Mon 23 Nov – Sun 29 Nov, times of Europe/Berlin. "
        "notebook: 20 h 5 min "
        "(Mon 09:00–17:40, Tue 21:10–Wed 03:30, Sat 09:00–now, planned Sat 14:05–18:00). "
        "training-large-gpu: 53 h (Mon 11:00–Wed 16:00). "
        'a <name> & "more" with so many words that they reach the hours at the end: 4 h '
        "(before Mon–Mon 04:00, Fri 08:00–08:00, planned Sun 20:00–after Sun). "
        "lab-3: 35 h (Wed 08:00–Thu 19:00, not known from Thu 19:00 on)."
    )


def test_alternative_text_without_rows_says_so():
    assert draw([]).alt_text.endswith("Nothing ran.")
    assert "Nothing ran." in find_texts(draw([]))


def test_long_alternative_text_keeps_hours_before_times_and_counts_the_rest():
    rows = [UsageRow(f"{row.name} of the course on molecular biology", row.spans) for row in STUDENTS]
    picture = draw(rows)
    assert len(picture.alt_text) <= MAX_ALT_TEXT_LENGTH
    named = picture.alt_text.count("student-")
    hours = sum(1 + number % 9 for number in range(named, 34))
    assert picture.alt_text.endswith(f"And {34 - named} more, {hours} h together.")


def test_rows_beyond_the_last_that_is_drawn_are_counted():
    texts = find_texts(draw(STUDENTS))
    assert sum(text.startswith("student-") for text in texts) == MAX_ROWS
    assert f"and 4 more, {sum(1 + number % 9 for number in range(30, 34))} h together" in texts


def test_texts_and_bars_stand_out_from_their_paper():
    """Contrast of 4.5 for text and 3 for shapes, as the accessibility guidelines (WCAG) require."""
    for colour in (colours.INK, colours.MUTED, colours.NOW):
        assert contrast(colour, colours.PAPER) >= 4.5
    for colour in (colours.RAN, colours.UNKNOWN, colours.NOW):
        assert min(contrast(colour, colours.PAPER), contrast(colour, colours.NIGHT)) >= 3


def contrast(one, other):
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def luminance(colour):
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.03928 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    return sum(share * one for share, one in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
