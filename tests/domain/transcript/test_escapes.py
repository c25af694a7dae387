"""Tests that escapes are removed wherever they are cut, and the text between them stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.transcript import EscapeRemover

ESCAPES = {
    "a colour": "\x1b[31;1m",
    "a colour of 24 bits": "\x1b[38:2::255:0:0m",
    "the end of a line": "\x1b[K",
    "the cursor": "\x1b[2A",
    "a private mode": "\x1b[?25l",
    "one with an intermediate byte": "\x1b[1 q",
    "one of eight bits": "\x9b1m",
    "a title": "\x1b]0;a title\x07",
    "a link": "\x1b]8;;https://example.org/x?y=1\x1b\\",
    "a title of eight bits": "\x9d0;a title\x9c",
    "a device's string": "\x1bPq#0;2;0\x1b\\",
    "a character set": "\x1b(B",
    "a saved cursor": "\x1b7",
    "a reset": "\x1bc",
}

pieces = st.lists(
    st.one_of(
        st.sampled_from(sorted(ESCAPES.values())),
        st.text(alphabet=st.sampled_from("ab é😀[]m;0123\n\t\r\x1b\x07\\P\x9b\x00\x7f"), max_size=8),
    ),
    max_size=12,
)


def plain(*parts: str) -> str:
    remover = EscapeRemover()
    return "".join(remover.feed(part) for part in parts)


@pytest.mark.parametrize("name", ESCAPES)
def test_an_escape_is_gone_wherever_it_is_cut(name):
    text = f"before{ESCAPES[name]}after"
    assert {plain(text[:at], text[at:]) for at in range(len(text))} == {"beforeafter"}


def test_what_means_something_in_a_line_stays_and_other_controls_go():
    assert plain("a\tb\r\nc\bd\x00e\x07f\x7fg\x0bh") == "a\tb\r\nc\bdefgh"


def test_a_string_that_never_ends_costs_no_more_than_its_line():
    assert plain("\x1b]0;no end\nnext line\n").endswith("\nnext line\n")
    endless = plain("\x1b]" + "x" * 10_000, "y")
    assert endless.endswith("xy")


@given(pieces)
def test_no_escape_is_left(parts):
    assert not set(plain(*parts)) & set("\x1b\x9b\x9d\x90\x07\x00\x7f")


@given(pieces, st.data())
def test_the_places_of_the_cuts_change_nothing(parts, data):
    text = "".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    cut = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert plain(*cut) == plain(text)


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs"])))
def test_a_text_without_controls_stays_as_it_is(text):
    assert plain(text) == text
