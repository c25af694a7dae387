"""Tests of what is sent to Slack: escaped once, not cut within an entity, never empty.

See ``docs/internals/security.md``, rows 20 and 21.
"""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.messages.blocks import kit, limits, replies
from bot.support.addresses import MAX_URL_LENGTH
from bot.support.cleaning import clean
from playground.slack.content import characters
from playground.slack.kit.published import LIMITS
from playground.slack.methods.chat import BLOCKS_LIMIT, UPDATE_LIMIT
from tests.rigs.golden import check_limits

NASTY = st.text(alphabet=st.sampled_from("<>&!@#*_`~|:;amplt \n\u202e\u200b\ufeff\x07ä🚀"), max_size=400)
ANY = st.one_of(st.text(max_size=400), NASTY)
LOOSE_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt);)")


@given(ANY, st.integers(min_value=1, max_value=120))
def test_a_safe_text_holds_no_markup_and_keeps_its_limit(text, limit):
    safe = kit.safe(text, limit)
    assert 1 <= len(safe) <= max(limit, len(kit.EMPTY_TEXT))
    assert "<" not in safe
    assert ">" not in safe
    assert not LOOSE_AMPERSAND.search(safe)


@given(ANY)
def test_a_name_is_one_line_without_anything_invisible(text):
    line = kit.line(text)
    assert "\n" not in line
    assert len(line) <= kit.MAX_NAME_LENGTH
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b-\u200f\ufeff\x00-\x1f]", line)
    assert line.strip() == line


@given(ANY)
def test_escaping_is_undone_to_what_was_cleaned(text):
    whole = kit.safe(text, 10_000)
    undone = whole.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert undone == (clean(text) or kit.EMPTY_TEXT)


@pytest.mark.parametrize(
    ("text", "limit", "cut"),
    [
        ("abcdef", 6, "abcdef"),
        ("abcdefg", 6, "abcde…"),
        ("ab&amp;cd", 6, "ab…"),
        ("ab&amp;cd", 7, "ab…"),
        ("ab&amp;cd", 8, "ab&amp;…"),
        ("&lt;&lt;&lt;", 5, "&lt;…"),
        ("&lt;&lt;&lt;", 4, "…"),
        ("by <@UALICE> at <!date^1^{time}|3 PM>", 30, "by <@UALICE> at…"),
        ("by <@UALICE> at <!date^1^{time}|3 PM>", 37, "by <@UALICE> at <!date^1^{time}|3 PM>"),
    ],
)
def test_a_cut_does_not_go_through_an_entity(text, limit, cut):
    assert kit.truncate(text, limit) == cut


@pytest.mark.parametrize("text", ["", " ", "\u200b", "\u2800\u3164", "\x00\x07", "\u202e"])
def test_nothing_is_said_as_a_dash(text):
    assert kit.line(text) == kit.EMPTY_TEXT


def test_blanks_of_all_kinds_become_plain_ones():
    assert clean("a\u00a0b\u2003c\td\u2028e") == "a b c d e"


def test_our_own_markup_is_filled_in_as_it_is_and_the_rest_is_not():
    filled = kit.fill("{a} {b}", a=kit.Markup("<@U1>"), b="<@U2>")
    assert filled == "<@U1> &lt;@U2&gt;"


def test_a_value_is_never_taken_for_a_template():
    assert kit.fill("{a}", a="{b} {0}") == "{b} {0}"


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("Starting *x* on *Saturn Cloud*.", "Starting x on Saturn Cloud."),
        ("*a*b* is there", "a*b is there"),
        ("**star** and *2 * 3*", "*star* and 2 * 3"),
        ("runs at `0 3 * * *`, *nightly* at `*/5 * * * *`", "runs at 0 3 * * *, nightly at */5 * * * *"),
        ("Write `list`. 2 * 3 * 4, x*y*z", "Write list. 2 * 3 * 4, x*y*z"),
        ("no marks, one ` and one *", "no marks, one ` and one *"),
    ],
)
def test_a_notification_loses_our_marks_and_no_star_of_anybody(text, bare):
    assert kit.strip_markup(text) == bare


def test_builders_keep_their_limits():
    long = "x" * 9000
    asked = kit.confirm((long, long, long, long))
    blocks = [
        kit.section(long, kit.button(long, long, "v", confirm=asked)),
        kit.context(*[long] * 20),
        *kit.actions([kit.button(long, f"a{number}", "v") for number in range(40)]),
    ]
    answer = kit.answer(blocks * 30)
    check_limits(answer)


def test_a_suggested_username_fits_into_its_field():
    (field, _) = replies.ask_view("saturn", "Saturn Cloud", "x" * 200)["blocks"]
    assert (field["element"]["initial_value"], field["element"]["max_length"]) == ("x" * 100, 100)


def test_long_paragraphs_share_what_a_message_holds_and_no_row_or_button_is_lost():
    long = "a &amp; b <@UALICE> " * 140
    rows = [
        block
        for number in range(9)
        for block in [
            kit.section(
                f"{number} {long}", kit.button("Stop", f"stop:{number}", confirm=kit.confirm(("?",) * 4))
            ),
            kit.context(f"{number}.", long),
        ]
    ]
    answer = kit.answer([kit.section("*Short*"), *rows, *kit.actions([kit.button("More", "more")])])
    check_limits(answer)
    assert 9_000 < characters(list(answer.blocks)) <= BLOCKS_LIMIT
    first, *drawn, last = answer.blocks
    assert (first["text"]["text"], last["elements"][0]["action_id"]) == ("*Short*", "more")
    sections = [block for block in drawn if block["type"] == "section"]
    assert [block["accessory"]["action_id"] for block in sections] == [
        f"stop:{number}" for number in range(9)
    ]
    for text in [block["text"]["text"] for block in sections]:
        assert not LOOSE_AMPERSAND.search(text)
        assert text.count("<") == text.count(">")
    # Remarks that are added below it later stay within the limits, too.
    check_limits(replies.with_remarks(answer, [long]))


def test_a_row_without_buttons_is_no_block():
    assert kit.actions([]) == []


def test_a_time_is_shown_in_each_readers_zone_with_the_day_when_it_is_another():
    assert kit.moment(1_800_000_000, 1_800_000_060) == "<!date^1800000000^{time}|08:00 UTC>"
    assert kit.moment(1_800_000_000, 1_800_100_000) == (
        "<!date^1800000000^{date_short_pretty} at {time}|15 Jan 2027 at 08:00 UTC>"
    )


#: The published limits that each of Usher's limits stands for.
PUBLISHED = {
    "MAX_MESSAGE_BLOCKS": ["message.blocks.max_items"],
    "MAX_VIEW_BLOCKS": ["view.blocks.max_items"],
    "MAX_VIEW_TITLE_LENGTH": ["view.title.max_length", "view.submit.max_length", "view.close.max_length"],
    "MAX_METADATA_LENGTH": ["view.private_metadata.max_length"],
    "MAX_SECTION_LENGTH": ["section.text.max_length", "text.max_length"],
    "MAX_CONTEXT_ELEMENTS": ["context.elements.max_items"],
    "MAX_ACTION_ID_LENGTH": ["action_id.max_length"],
    "MAX_BUTTON_LENGTH": ["button.text.max_length"],
    "MAX_BUTTON_VALUE_LENGTH": ["button.value.max_length"],
    "MAX_ACCESSIBILITY_LABEL_LENGTH": ["button.accessibility_label.max_length"],
    "MAX_CONFIRM_TITLE_LENGTH": ["confirmation.title.max_length"],
    "MAX_CONFIRM_TEXT_LENGTH": ["confirmation.text.max_length"],
    "MAX_CONFIRM_BUTTON_LENGTH": ["confirmation.confirm.max_length", "confirmation.deny.max_length"],
    "MAX_MENU_OPTIONS": ["overflow.options.max_items"],
    "MAX_SELECT_OPTIONS": ["select.options.max_items"],
    "MAX_OPTION_LENGTH": [
        "option.text.max_length",
        "option.description.max_length",
        "option_group.label.max_length",
    ],
    "MAX_OPTION_VALUE_LENGTH": ["option.value.max_length"],
    "MAX_LABEL_LENGTH": ["input.label.max_length", "input.hint.max_length"],
    "MAX_PLACEHOLDER_LENGTH": ["select.placeholder.max_length"],
    "MAX_INPUT_LENGTH": ["plain_text_input.max_length.max"],
}


def test_each_limit_of_ours_is_the_published_one():
    """Compare Usher's limits with the local Slack's data.

    Limits that Slack hasn't published are listed by name.
    """
    ours = {name: value for name, value in vars(limits).items() if name.startswith("MAX_")}
    published = {name: {LIMITS[limit] for limit in those} for name, those in PUBLISHED.items()}
    assert published == {name: {value} for name, value in ours.items() if name in PUBLISHED}
    assert set(ours) - set(PUBLISHED) == {"MAX_BLOCKS_TEXT_LENGTH", "MAX_TEXT_LENGTH"}
    assert limits.MAX_BLOCKS_TEXT_LENGTH == BLOCKS_LIMIT
    assert limits.MAX_TEXT_LENGTH <= UPDATE_LIMIT
    assert LIMITS["button.url.max_length"] == LIMITS["option.url.max_length"] == MAX_URL_LENGTH
