"""Tests that forms are refused if their fields can't be told apart."""

from urllib.parse import urlencode

import pytest

from bot.web.shapes import FORM, Malformed, read


def test_a_form_is_decoded():
    fields = read(FORM, b"command=/workspace&a=%C3%BC+%2B&b=%zz&c=&&d")
    assert fields == {"command": "/workspace", "a": "ü +", "b": "%zz", "c": "", "d": ""}


@pytest.mark.parametrize("text", ["a=%C3", "a=1&a=2", "%41=1&A=2"])
def test_a_form_that_has_two_readings_is_refused(text):
    with pytest.raises(Malformed):
        read(FORM, f"command=/workspace&{text}".encode())


def test_a_form_has_at_most_a_hundred_fields():
    fields = {"command": "/workspace"} | {f"field{number}": "x" for number in range(99)}
    assert read(FORM, urlencode(fields).encode()) == fields
    with pytest.raises(Malformed):
        read(FORM, urlencode(fields | {"one": "more"}).encode())
