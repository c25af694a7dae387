"""Tests of a session's address, and of finding the session that an address means."""

import pytest

from bot.providers.posit.addresses import parse_reference, to_session_url

ROOT, BELOW = "https://wb.acme.io", "https://wb.acme.io/rstudio"


@pytest.mark.parametrize(
    ("told", "base", "expected"),
    [
        ("/s/0da29/", ROOT, "https://wb.acme.io/s/0da29/"),
        ("/s/0da29/", BELOW, "https://wb.acme.io/rstudio/s/0da29/"),
        ("/rstudio/s/0da29/", BELOW, "https://wb.acme.io/rstudio/s/0da29/"),
        ("/rstudiox/s/0da29/", BELOW, "https://wb.acme.io/rstudio/rstudiox/s/0da29/"),
        ("/rstudio/s/0da29/", ROOT, "https://wb.acme.io/rstudio/s/0da29/"),
        ("https://wb.acme.io/s/0da29/", ROOT, "https://wb.acme.io/s/0da29/"),
        ("https://WB.acme.io./s/0da29/", BELOW, "https://wb.acme.io/rstudio/s/0da29/"),
        ("http://wb.acme.io:8787/s/0da29/", BELOW, "https://wb.acme.io/rstudio/s/0da29/"),
        ("//wb.acme.io/s/0da29/", ROOT, "https://wb.acme.io/s/0da29/"),
        ("/s/0da29/?a=1#b", ROOT, "https://wb.acme.io/s/0da29/?a=1#b"),
        ("https://evil.example/s/0da29/", ROOT, "https://evil.example/s/0da29/"),
        ("//evil.example/s/0da29/", ROOT, "https://evil.example/s/0da29/"),
        ("https://wb.acme.io@evil.example/s/", ROOT, "https://wb.acme.io@evil.example/s/"),
        ("/../s/", ROOT, None),
        ("/s/%2e%2E/x", BELOW, None),
        ("/\\evil.example/", ROOT, None),
        ("javascript:alert(1)", ROOT, None),
        ("file:///etc/passwd", ROOT, None),
        ("s/0da29/", ROOT, None),
        ("https://[", ROOT, None),
        ("", ROOT, None),
    ],
)
def test_the_configured_server_goes_in_front(told, base, expected):
    assert to_session_url(told, base) == expected


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("acdd5861", "acdd5861"),
        (" https://wb.acme.io/rstudio/s/0da29cfc78a31acdd5861/ ", "acdd5861"),
        ("https://wb.acme.io/rstudio/s/0da29cfc78a31acdd5861/edit?x=1", "acdd5861"),
        ("https://wb.acme.io/s/0da29cfc78a31acdd5861/", None),
        ("https://evil.example/rstudio/s/0da29cfc78a31acdd5861/", None),
        ("/s/0da29cfc78a31acdd5861/", None),
        ("ACDD5861", None),
        ("acdd58610", None),
        ("notebook", None),
    ],
)
def test_a_pasted_address_names_a_session(text, found):
    assert parse_reference(text, BELOW) == found
