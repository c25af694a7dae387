"""Tests that addresses leading elsewhere are refused, by their parsed parts.

See ``docs/internals/security.md``, row 15.
"""

from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.providers.connection import (
    match_subdomain,
    normalise_pattern,
    path_below,
    to_allowed_ide_url,
)
from bot.support.addresses import normalise_base_url

BASE = "https://app.acme.io"
PATTERNS = ("*.acme.io",)

TRICKS = [
    "https://evil.example/",
    "http://app.acme.io/",
    "ftp://app.acme.io/",
    "javascript:alert(1)//app.acme.io",
    "data:text/html,app.acme.io",
    "//app.acme.io/",
    "app.acme.io/ide",
    "/ide/1",
    "https:app.acme.io/",
    "https:/app.acme.io/",
    "https:///app.acme.io/",
    "https://",
    "https://app.acme.io.evil.example/",
    "https://app.acme.ioevil.example/",
    "https://evilapp.acme.io.evil.example/",
    "https://evilacme.io/",
    "https://acme.io/",
    "https://app-acme.io/",
    "https://app.acme.io@evil.example/",
    "https://app.acme.io:443@evil.example/",
    "https://app.acme.io%40evil.example/",
    "https://user:word@app.acme.io/",
    "https://@app.acme.io/",
    "https://evil.example\\@app.acme.io/",
    "https://evil.example\\.app.acme.io/",
    "https:\\\\evil.example\\app.acme.io",
    "https://evil.example#@app.acme.io/",
    "https://evil.example?@app.acme.io/",
    "https://evil.example/app.acme.io",
    "https://evil.example/.acme.io",
    "https://app.acme.io:444/",
    "https://app.acme.io:80/",
    "https://app.acme.io:0/",
    "https://app.acme.io:99999/",
    "https://app.acme.io:443x/",
    "https://app.acme.io:/",
    "https://app.acme.io:٤٤٣/",
    "https://app.acme.io\t.evil.example/",
    "https://app.acme.io/\n/evil",
    "https://app.acme.io/\u202eoi.live",
    "https://app.acme.io/a b",
    " https://app.acme.io/",
    "https://app.acme.io/\x00",
    "https://app.acme.io\u200b.evil.example/",
    "https://app%2eacme.io/",
    "https://аpp.acme.io.example/",  # noqa: RUF001 - a Cyrillic letter is the trick
    "https://app.аcme.io/",  # noqa: RUF001 - the same
    "https://app.acme.io。evil.example/",
    "https://app.acme.io℀evil.example/",
    "https://app.acme.io../",
    "https://.app.acme.io/",
    "https://*.acme.io/",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://0x7f.1/",
    "https://2130706433/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[app.acme.io]/",
    "https://app.acme.io]/",
    "https://" + "a." * 200 + "acme.io/",
    "https://app.acme.io/" + "x" * 3000,
    "",
]


@pytest.mark.parametrize("url", TRICKS)
def test_what_leads_elsewhere_is_not_sent(url):
    assert to_allowed_ide_url(url, BASE, PATTERNS) is None


def test_no_address_is_no_address():
    assert to_allowed_ide_url(None, BASE, PATTERNS) is None


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://app.acme.io/ide/1/?a=b&c=%2F#d", "https://app.acme.io/ide/1/?a=b&c=%2F#d"),
        ("https://app.acme.io", "https://app.acme.io/"),
        ("HTTPS://APP.Acme.IO:443/A", "https://app.acme.io/A"),
        ("https://app.acme.io./x", "https://app.acme.io/x"),
        ("https://pod-1.acme.io/x", "https://pod-1.acme.io/x"),
        ("https://w-alice.community.acme.io/x", "https://w-alice.community.acme.io/x"),
        ("https://app.acme.io/b\u00fcro", "https://app.acme.io/b%C3%BCro"),
        ("https://app.acme.io?x=1", "https://app.acme.io/?x=1"),
        ("https://ａｐｐ.acme.io/", "https://app.acme.io/"),  # noqa: RUF001 - browsers read it so too
        ("https://app.acme.io//evil.example/", "https://app.acme.io//evil.example/"),
        ("https://app.acme.io/'\"<>`{}|^", "https://app.acme.io/'%22%3C%3E%60%7B%7D%7C%5E"),
    ],
)
def test_what_lies_on_an_allowed_host_is_sent_in_a_safe_form(url, safe):
    assert to_allowed_ide_url(url, BASE, PATTERNS) == safe


@pytest.mark.parametrize(
    ("url", "base", "patterns", "is_allowed"),
    [
        ("http://127.0.0.1:8000/lab", "http://127.0.0.1:8000", (), True),
        ("http://127.0.0.1:8000/lab", "http://127.0.0.1:8081", (), False),
        ("http://127.0.0.1:8000/lab", "http://127.0.0.1:8081", ("127.0.0.1:8000",), True),
        ("http://127.0.0.1:8001/lab", "http://127.0.0.1:8081", ("127.0.0.1:8000",), False),
        ("http://ide.example.org/", "http://127.0.0.1:8081", ("ide.example.org",), False),
        ("https://ide.example.org/", "http://127.0.0.1:8081", ("ide.example.org",), True),
        ("http://127.0.0.1/", "https://app.acme.io", ("127.0.0.1",), False),
        ("http://[::1]:8000/", "http://[::1]:8000", (), True),
        ("http://localhost:8000/", "http://127.0.0.1:8000", (), False),
        ("https://ide.acme.io:8443/", "https://app.acme.io:8443", ("*.acme.io",), True),
        ("https://ide.acme.io/", "https://app.acme.io:8443", ("*.acme.io",), True),
        ("https://app.acme.io/", "https://app.acme.io:8443", (), False),
        ("https://ide.acme.io:9/", "https://app.acme.io:8443", ("*.acme.io",), False),
        ("https://ide.acme.io:9/", "https://app.acme.io", ("*.acme.io:9",), True),
        ("https://ide.acme.io/", "https://app.acme.io", ("*.acme.io:9",), False),
        ("https://a.b.acme.io/", "https://app.acme.io", ("ide.acme.io", "b.acme.io"), False),
        ("https://IDE.acme.io/", "https://app.acme.io", ("ide.ACME.io.",), True),
        ("https://ide.acme.io/", "https://app.acme.io", ("*.io", "*", "", "https://ide.acme.io"), False),
        ("https://app.b\u00fcro.example/", "https://app.xn--bro-hoa.example", (), True),
        ("https://ide.xn--bro-hoa.example/", "https://x.example", ("*.b\u00fcro.example",), True),
    ],
)
def test_scheme_host_and_port_decide(url, base, patterns, is_allowed):
    assert (to_allowed_ide_url(url, base, patterns) is not None) is is_allowed


@given(st.text(max_size=60), st.sampled_from(["", "https://", "https://app.acme.io", "https://a.acme.io/"]))
@example(".evil.example/", "https://app.acme.io")
def test_whatever_is_sent_leads_to_an_allowed_host(text, before):
    safe = to_allowed_ide_url(before + text, BASE, PATTERNS)
    if safe is not None:
        parts = urlsplit(safe)
        host = parts.hostname or ""
        assert parts.scheme == "https"
        assert host.endswith(".acme.io")
        assert parts.netloc == host
        assert safe.isascii()
        assert to_allowed_ide_url(safe, BASE, PATTERNS) == safe


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("https://app.acme.io", "https://app.acme.io"),
        ("https://APP.acme.io./", "https://app.acme.io"),
        ("https://app.acme.io:443///", "https://app.acme.io"),
        ("https://app.acme.io:8443/jhub/", "https://app.acme.io:8443/jhub"),
        ("http://127.0.0.1:8000/hub/api/", "http://127.0.0.1:8000/hub/api"),
        ("http://localhost:80", "http://localhost"),
        ("http://[::1]:9/", "http://[::1]:9"),
        ("https://b\u00fcro.example", "https://xn--bro-hoa.example"),
    ],
)
def test_a_base_url_has_one_form(text, normal):
    assert normalise_base_url(text) == normal
    assert normalise_base_url(normal) == normal


@pytest.mark.parametrize(
    "text",
    [
        *(trick for trick in TRICKS if not trick.startswith("https://")),
        *(trick for trick in TRICKS if "@" in trick or "\\" in trick or "\u200b" in trick or "%2e" in trick),
        "https://127.1/",
        "https://0x7f.1/",
        "https://2130706433",
        "https://app.acme.io:0",
        "https://app.acme.io:",
        "https://app..acme.io",
        "https://-app.acme.io",
        "http://app.acme.io",
        "http://10.0.0.1",
        "https://app.acme.io/?a=1",
        "https://app.acme.io/?",
        "https://app.acme.io/#",
        "https://app.acme.io/#a",
        "https://app.acme.io/../x",
        "https://app.acme.io/%2e%2E/x",
        "https://app.acme.io/./x",
        "app.acme.io",
    ],
)
def test_what_is_no_base_url_is_refused_with_a_sentence(text):
    with pytest.raises(ValueError, match=r"^(the|an) address .*\w"):
        normalise_base_url(text)


@pytest.mark.parametrize(
    ("text", "normal"),
    [("*.Acme.io.", "*.acme.io"), ("ide.acme.io:9", "ide.acme.io:9"), ("[::1]:8000", "[::1]:8000")],
)
def test_a_pattern_has_one_form(text, normal):
    assert normalise_pattern(text) == normal


@pytest.mark.parametrize(
    "text",
    ["", "*", "*.", "*.io", "*.127.0.0.1", "a.*.io", "https://a.io", "a.io/x", "a.io?x", "u@a.io", "a b"],
)
def test_what_is_no_pattern_is_refused(text):
    with pytest.raises(ValueError, match=r"\w"):
        normalise_pattern(text)


@pytest.mark.parametrize(
    ("url", "base", "path"),
    [
        ("https://app.acme.io/dash/1?x#y", BASE, "/dash/1"),
        ("https://app.acme.io", BASE, "/"),
        ("https://app.acme.io/jhub/user/a/", "https://app.acme.io/jhub", "/user/a/"),
        ("https://app.acme.io/jhubuser/a/", "https://app.acme.io/jhub", None),
        ("https://app.acme.io.evil.example/dash", BASE, None),
        ("http://app.acme.io/dash", BASE, None),
        ("https://app.acme.io:444/dash", BASE, None),
        ("rubbish", BASE, None),
    ],
)
def test_the_path_below_a_base_url(url, base, path):
    assert path_below(url, base) == path


@pytest.mark.parametrize(
    ("url", "base", "home"),
    [
        ("https://alice.hub.example/user/alice/", "https://hub.example", "https://alice.hub.example"),
        ("https://ALICE.hub.example./x", "https://hub.example/jhub", "https://alice.hub.example/jhub"),
        ("https://u-x--1f.hub.example:444/", "https://hub.example:444", "https://u-x--1f.hub.example:444"),
        ("http://alice.localhost:81/", "http://localhost:81", "http://alice.localhost:81"),
        ("https://hub.example/", "https://hub.example", None),
        ("https://a.b.hub.example/", "https://hub.example", None),
        ("https://alicehub.example/", "https://hub.example", None),
        ("https://alice.hub.example.evil.example/", "https://hub.example", None),
        ("https://hub.example.evil.example/", "https://hub.example", None),
        ("https://other.example/", "https://hub.example", None),
        ("https://example/", "https://hub.example", None),
        ("http://alice.hub.example/", "https://hub.example", None),
        ("https://alice.hub.example:444/", "https://hub.example", None),
        ("https://alice@evil.example/", "https://evil.example", None),
        ("https://.hub.example/", "https://hub.example", None),
        ("https://*.hub.example/", "https://hub.example", None),
        ("https://alice.127.0.0.1/", "https://127.0.0.1", None),
        ("//alice.hub.example/", "https://hub.example", None),
        ("", "https://hub.example", None),
    ],
)
def test_one_label_below_a_base_url(url, base, home):
    assert match_subdomain(url, base) == home


@pytest.mark.parametrize("url", TRICKS)
def test_no_trick_leads_one_label_below(url):
    found = match_subdomain(url, BASE)
    assert found is None or urlsplit(found).hostname.removesuffix(".app.acme.io").isalnum()
