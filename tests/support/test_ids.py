"""Tests that ids can't be guessed, and references can be read aloud."""

import re

from bot.support.clock import SystemIds

SOME = 1000


def test_an_id_has_96_random_bits_and_says_what_it_is_of():
    made = {SystemIds().new("operation") for _ in range(SOME)}
    assert len(made) == SOME
    assert all(re.fullmatch(r"operation_[0-9a-f]{24}", one) for one in made)


def test_a_reference_has_eight_letters_and_digits_that_nobody_confuses():
    made = {SystemIds().reference() for _ in range(SOME)}
    assert len(made) == SOME
    assert all(re.fullmatch(r"[2-9A-HJKMNP-TV-Z]{4}-[2-9A-HJKMNP-TV-Z]{4}", one) for one in made)
