"""Tests of lines of output: what a terminal would show in the end, however the output is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.transcript import CHARACTERS, LINES, OF_A_LINE, Lines, Tail


def lines_of(*parts: str, longest: int = 8_192) -> list[str]:
    """Return the complete lines. Lines that came in parts are joined."""
    lines = Lines("stdout", longest)
    found: list[str] = []
    for piece in [*(p for part in parts for p in lines.feed(part)), *lines.finish()]:
        if piece.begins:
            found.append("")
        found[-1] += piece.text
    return found


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("one\ntwo\n", ["one", "two"]),
        ("no end", ["no end"]),
        ("", []),
        ("\n\n", ["", ""]),
        ("dos\r\nlines\r\n", ["dos", "lines"]),
        ("10 %\r50 %\r100 %\n", ["100 %"]),
        ("10 %\r50 %\r", ["50 %"]),
        ("\rdone\n", ["done"]),
        ("|\b/\b-\bok\n", ["ok"]),
        ("\b\bx\n", ["x"]),
    ],
)
def test_what_a_line_is_at_last(text, shown):
    assert lines_of(text) == shown


def test_a_line_that_has_not_ended_can_be_seen():
    lines = Lines("stderr")
    assert lines.feed("done\n 50 %\r 60 %")[0].text == "done"
    assert lines.open_line == " 60 %"


def test_a_long_line_comes_in_parts_and_is_one_line_all_the_same():
    lines = Lines("stdout", longest=4)
    pieces = lines.feed("abcdefghij\nk\n")
    assert [(p.text, p.begins, p.ends) for p in pieces] == [
        ("abcd", True, False),
        ("efgh", False, False),
        ("ij", False, True),
        ("k", True, True),
    ]


@given(st.text(alphabet="ab\n\r\b"), st.data())
def test_the_places_of_the_cuts_change_nothing(text, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    cut = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert lines_of(*cut, longest=3) == lines_of(text, longest=3)


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs"])), max_size=20))
def test_lines_come_out_as_they_went_in(texts):
    assert lines_of("".join(f"{text}\n" for text in texts), longest=5) == texts


@given(st.lists(st.text(max_size=30), max_size=60), st.sampled_from([1, 3, 20]))
def test_a_tail_is_bounded_and_is_the_end(texts, times):
    lines, tail, texts = Lines("stdout"), Tail(), [text * times for text in texts]
    whole = "".join(f"{text.translate({10: 46, 13: 46, 8: 46})}\n" for text in texts)
    for piece in lines.feed(whole):
        tail.add(piece)
    assert tail.count == len(texts)
    shown = tail.text()
    assert len(shown) <= CHARACTERS
    assert len(tail.last(100)) <= LINES
    expected = [
        line if len(line) <= OF_A_LINE else line[: OF_A_LINE - 1] + "…" for line in whole.split("\n")[:-1]
    ]
    assert shown == "\n".join(expected[len(expected) - len(shown.split("\n")) :] if shown else [])


def test_a_line_of_stderr_is_marked_once():
    lines, tail = Lines("stderr", longest=4), Tail()
    for piece in lines.feed("abcdef\n"):
        tail.add(piece)
    assert tail.last(5) == ["! abcd"]
