"""Tests that known secrets are removed from text from outside, in any encoding, and nothing else is."""

import json
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.support.cleaning import HIDDEN, Hider, hide_secrets

SECRET = 'canary/+token==~ä"9'
HEX = "c0ffee00c0ffee00c0ffee00c0ffee00"


@pytest.mark.parametrize("secret", [SECRET, HEX])
@pytest.mark.parametrize(
    "form",
    [
        lambda secret: secret,
        lambda secret: quote(secret, safe=""),
        lambda secret: quote(secret, safe="").lower() if "%" in quote(secret, safe="") else secret,
        quote_plus,
        lambda secret: json.dumps(secret)[1:-1],
        lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1].replace("/", "\\/"),
        lambda secret: b64encode(secret.encode()).decode(),
        lambda secret: urlsafe_b64encode(secret.encode()).decode().rstrip("="),
        lambda secret: b64encode(f"x:{secret}".encode()).decode(),
        lambda secret: b64encode(f"ab:{secret}:more".encode()).decode(),
        lambda secret: b64encode(f"abc:{secret}".encode()).decode(),
    ],
)
def test_every_form_is_removed(secret, form):
    written = form(secret)
    told = hide_secrets(f"no {written}!".encode(), [secret]).decode()
    assert HIDDEN in told
    # What base64 reveals about the neighbouring letters may stay.
    longest = max(len(part) for part in told.split(HIDDEN))
    assert longest < 12
    assert secret not in told


def test_what_is_no_secret_stays():
    text = b"an ordinary sentence about short tokens, c0ffee00 and c0ffee00c0ffee00c0ffee00c0ffee"
    assert hide_secrets(text, ["", "short", "sent", HEX]) == text


def test_a_secret_is_found_wherever_it_is_cut():
    text = f"a {HEX} b {HEX[:9]} c {quote(SECRET)}".encode()
    for cut in range(len(text)):
        for other in (cut + 1, cut + 7):
            hider = Hider([HEX, SECRET])
            told = (
                hider.feed(text[:cut]) + hider.feed(text[cut:other]) + hider.feed(text[other:]) + hider.rest()
            )
            assert (
                told.decode() == f"a {HIDDEN} b {HEX[:9]} c {quote(SECRET)}" or HIDDEN in told.decode()[-4:]
            )
            assert HEX not in told.decode()


@given(
    st.lists(st.sampled_from([HEX, HEX[:5], "\n", "line ", "ä", "c0", "c0ffee00" * 2]), max_size=12),
    st.data(),
)
def test_pieces_say_what_the_whole_says(parts, data):
    text = "".join(parts).encode()
    hider, told, at = Hider([HEX]), b"", 0
    while at < len(text):
        step = data.draw(st.integers(1, 20))
        told += hider.feed(text[at : at + step])
        at += step
    told += hider.rest()
    assert told == hide_secrets(text, [HEX])


def test_what_cannot_begin_a_secret_is_told_at_once():
    hider = Hider([HEX])
    assert hider.feed(b"epoch 1: loss 0.9\n") == b"epoch 1: loss 0.9\n"
    assert hider.feed(b"abc0ff") == b"ab"
    assert hider.feed(b"!") == b"c0ff!"
