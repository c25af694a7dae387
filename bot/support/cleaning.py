"""Cleans and compares text from outside. Removes invisible characters, and known secrets in any form."""

import base64
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final
from urllib.parse import quote, quote_plus

#: Text that replaces a secret.
HIDDEN: Final = "…"
_HIDDEN: Final = HIDDEN.encode()
#: Minimum length of a secret that is removed from text. Shorter secrets could be parts of ordinary words.
MIN_SECRET_LENGTH: Final = 8
#: Matches Slack tokens: bot, user, app, refresh and configuration tokens.
SLACK_TOKEN: Final = re.compile(r"(?:xox[a-z]|xapp|xwfp)[-.][A-Za-z0-9][A-Za-z0-9.-]*")
#: Strings are compared only up to this many characters. People wouldn't notice later differences.
_MAX_COMPARED_LENGTH: Final = 200
#: Matches a number in a name. Numbers of up to ``_MAX_DIGITS`` digits are sorted by value.
_NUMBER: Final = re.compile(r"[0-9]+")
_MAX_DIGITS: Final = 12
_PERCENT: Final = re.compile(r"%[0-9A-F]{2}")
#: Typographic quotation marks (curly, low, angle, prime and full-width) and hyphens, mapped to plain ones.
#: They are listed by code point because some look alike.
_DOUBLE: Final = dict.fromkeys((0x201C, 0x201D, 0x201E, 0x201F, 0xAB, 0xBB, 0x2033, 0xFF02), '"')
_SINGLE: Final = dict.fromkeys((0x2018, 0x2019, 0x201A, 0x201B, 0x2039, 0x203A, 0x2032, 0xFF07), "'")
_HYPHENS: Final = dict.fromkeys((0x2010, 0x2011, 0xFE63, 0xFF0D), "-")
STRAIGHT: Final = str.maketrans({**_DOUBLE, **_SINGLE, **_HYPHENS})


@lru_cache(maxsize=4096)
def list_forms(secret: str) -> tuple[bytes, ...]:
    """Return the forms in which a secret may occur in text, longest first.

    They are the secret as it is, and as encoded in JSON, URLs and base64.
    """
    plain = secret.encode(errors="replace")
    if len(plain) < MIN_SECRET_LENGTH:
        return ()
    quoted = {quote(secret, safe="", errors="replace"), quote_plus(secret, errors="replace")}
    quoted |= {_PERCENT.sub(lambda found: found[0].lower(), one) for one in quoted}
    texts = quoted | {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    found = {plain, *(text.encode(errors="replace") for text in texts), *_encode_base64(plain)}
    found |= {one.replace(b"/", b"\\/") for one in found}
    return tuple(sorted(found, key=len, reverse=True))


def _encode_base64(plain: bytes) -> Iterator[bytes]:
    """Yield the parts of the base64 encoding that are the same whatever precedes or follows the bytes."""
    for before, first in ((0, 0), (1, 2), (2, 3)):
        last = (before + len(plain)) * 8 // 6
        core = base64.b64encode(b"\0" * before + plain)[first:last]
        if len(core) >= MIN_SECRET_LENGTH:
            yield core
            yield core.replace(b"+", b"-").replace(b"/", b"_")


def hide_secrets(text: bytes, secrets: Iterable[str]) -> bytes:
    """Return the text with the secrets removed."""
    for secret in secrets:
        for form in list_forms(secret):
            if form in text:
                text = text.replace(form, _HIDDEN)
    return text


class Hider:
    """Removes secrets from text that arrives in pieces.

    The end of the text is held back if it may be the start of a secret.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = tuple(secrets)
        self._forms = [form for secret in self._secrets for form in list_forms(secret)]
        self._longest = max(map(len, self._forms), default=0)
        self._kept = b""

    def feed(self, piece: bytes) -> bytes:
        """Return the text received so far, except an end that may be the start of a secret."""
        text = hide_secrets(self._kept + piece, self._secrets)
        kept = self._beginning(text)
        self._kept = text[len(text) - kept :]
        return text[: len(text) - kept]

    def rest(self) -> bytes:
        """Return the text that is still held back. Call this when no more text will arrive."""
        kept, self._kept = self._kept, b""
        return kept

    def _beginning(self, text: bytes) -> int:
        """Return the number of bytes at the end of the text that may be the start of a secret."""
        for count in range(min(len(text), self._longest - 1), 0, -1):
            tail = text[-count:]
            if any(form.startswith(tail) for form in self._forms):
                return count
        return 0


#: Maximum length of a displayed name, counted after escaping.
MAX_SHOWN_LENGTH: Final = 80
_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co"})
#: Characters that look empty, although Unicode doesn't put them in one of the invisible categories.
_FILLERS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u2800\u3164\uffa0")


def clean(text: object) -> str:
    """Remove control, bidi, zero-width and private-use characters.

    Line breaks are kept, while other white space becomes plain spaces.
    """
    given = str(text)
    if given.isascii() and given.isprintable():
        # Nearly all names contain nothing to remove, so check that first.
        return given.strip()
    kept = []
    for character in given:
        category = unicodedata.category(character)
        if character == "\n":
            kept.append(character)
        elif category in {"Zs", "Zl", "Zp"} or character in "\t\r\v\f":
            kept.append(" ")
        elif category not in _INVISIBLE and character not in _FILLERS:
            kept.append(character)
    return "".join(kept).strip()


def fold(text: str) -> str:
    """Return a string normalised for comparison: one Unicode form, one case, plain quotes, single spaces."""
    return _fold_cached(text[:_MAX_COMPARED_LENGTH])


@lru_cache(maxsize=10_000)
def _fold_cached(text: str) -> str:
    # Results are cached, because each typed word is compared with many names. Folding can turn one character
    # into several, so the string is cut a second time, to a length that an index accepts.
    plain = unicodedata.normalize("NFKC", clean(text).translate(STRAIGHT))
    return " ".join(plain.casefold().split())[:_MAX_COMPARED_LENGTH]


def natural_key(name: str) -> str:
    """Return a sort key that ignores case and puts *project-2* before *project-10*."""
    return _NUMBER.sub(lambda number: number[0].zfill(_MAX_DIGITS), name.casefold())


def has_invisible(text: str) -> bool:
    """Return whether a string contains invisible characters other than line breaks and tabs."""
    return any(
        (unicodedata.category(character) in _INVISIBLE and character not in "\n\t") or character in _FILLERS
        for character in text
    )


def trim(text: str) -> str:
    """Return a string without white space or invisible characters at either end."""
    begin, end = 0, len(text)
    while begin < end and (text[begin].isspace() or has_invisible(text[begin])):
        begin += 1
    while begin < end and (text[end - 1].isspace() or has_invisible(text[end - 1])):
        end -= 1
    return text[begin:end]


def escape(text: str) -> str:
    """Escape the three special characters of Slack's markup, so that text can't add mentions or links."""
    return text.translate(_ESCAPES)


def unescape(text: str) -> str:
    """Undo ``escape``. Slack's payloads contain no other entities."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
