"""Finds the actual message in a provider's response, and cleans and shortens it for users.

A provider may pass on another program's output, such as a Kubernetes client's exception with headers and a
JSON body, ``HTTP 500: error (words)``, an HTML page, or text in quotes. ``find_innermost_words`` finds the
message in such output before anything is shortened or classified.

The patterns are plain strings, which ``re`` compiles on first use. Compiling them all delays the start.
"""

from __future__ import annotations

import ast
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from html import unescape
from http import HTTPStatus
from itertools import islice
from typing import Any, Final

from bot.domain.failure_causes import find_reason
from bot.support.cleaning import HIDDEN

#: Maximum length, in characters, of a server's message as shown to users.
MAX_MESSAGE_LENGTH = 200
#: Maximum length of a message that includes details, in characters.
MAX_DETAILED_LENGTH = 300
#: Maximum number of details to show for one refusal.
MAX_DETAILS = 5
#: Number of characters of a provider's response to search for the actual message.
MAX_SEARCHED_LENGTH: Final = 8000
#: Maximum number of nested layers to unwrap, such as quotes around JSON.
MAX_NESTING: Final = 12
#: Maximum number of opening braces to try as the start of a JSON object.
MAX_OBJECT_ATTEMPTS: Final = 10
#: Maximum length of a Python literal to parse, in characters. Parsing a longer one would be slow.
MAX_LITERAL_LENGTH: Final = 2000
#: Keys under which APIs put the details of an error: Coder (``detail``, ``validations``), FastAPI
#: (``detail``), marshmallow (``errors``, ``messages``), OAuth (``error_description``) and others.
_DETAIL_KEYS = ("detail", "details", "validations", "errors", "messages", "error_description")
#: Keys that may hold the text of an error detail.
_TEXT_KEYS = ("msg", "detail", "message", "description", "error", "reason")
_SENTENCE_PATTERN: Final = r"[^\W\d_]{2}\S* [^\W\d_]{2}"
#: Keys that may name the invalid field in an error detail.
_FIELD_KEYS = ("field", "loc", "param", "parameter", "name", "pointer", "path")
#: Names that stand for a whole part of a request, such as its body, rather than for a field.
_REQUEST_PARTS = frozenset({"body", "query", "path", "json", "form", "header", "_schema"})

_PHRASES: Final = sorted((status.phrase.casefold() for status in HTTPStatus), key=len, reverse=True)
#: Matches the labels that programs put before a message: a status, a word like "error", or an exception's
#: name.
_LABEL_PATTERN: Final = (
    r"[1-5]\d\d|(?i:caused|code|desc(?:ription)?|details?|err(?:no|ors?)?|exception|fatal|message|msg|reason"
    r"|status(?:code)?)|(?:[\w$]{1,60}\.){0,8}(?:[A-Z][\w$]{0,60})?"
    r"(?:Error|Exception|Warning|Timeout|Failure|Fault)"
)
#: Matches uninformative text next to a label: a status phrase, a number, a URL, or a filler word.
_BESIDE_LABELS_PATTERN: Final = (
    rf"(?i){'|'.join(map(re.escape, _PHRASES))}|\d\S*|[\w+]+://\S+|an?|api|by|class|client|daemon|during|failed|for"
    r"|from|https?|id|in|internal|none|null|occurred|of|operation|request|response|rpc|server|the|uncaught|unexpected"
    r"|unhandled|unknown|while|with"
)
#: Matches identifiers from program code, such as ``camelCase``.
_IDENTIFIER_PATTERN: Final = r"[\w.]*?(?:[a-z][A-Z]|[A-Z]{2}\d)[\w.]*"
_LABEL_WORD_PATTERN: Final = rf"(?i)\b(?:{'|'.join(map(re.escape, _PHRASES))})\b|[\w+]+://\S+|\w[\w.$]*"
#: Matches the characters between a label and the message, such as the colon in "Error: no such file".
_LABEL_END_PATTERN: Final = r":\s+| = |(?<=\w)=(?=\S)|(?<=\])\s+"
#: Matches a name with arguments in brackets before a colon, as in ``HTTPError(404): no such page``.
_ARGUMENTS_PATTERN: Final = r"([\w. ]{1,100}\w)\((?:[^()]|\([^()]*\)){0,300}\)(?=: )"
#: Matches a string that ends with arguments in brackets, as in ``ValueError('no such page')``.
_BRACKETS_PATTERN: Final = r"([^()]{1,300})\(((?:[^()]|\([^()]*\))*)\)\.?"
#: Matches the text before the name of the exception that caused a failure, such as the words before
#: ``ConnectTimeoutError`` in ``Max retries exceeded (Caused by ConnectTimeoutError(…))``.
_CAUSE_PATTERN: Final = (
    r"(?s).{1,200}?(?:: |\((?=Caused by ))(?:Caused by )?"
    r"(?=(?:[A-Za-z_]\w{0,60}\.){0,8}[A-Z]\w{0,60}(?:Error|Exception)(?:: |\())"
)
MAX_LABEL_LENGTH: Final = 300
#: Matches the URL at the end of an exception message from requests or aiohttp.
_ADDRESS_PATTERN: Final = r"(?:,? for url: |, url=)\S{1,500}$"
#: Labels in the message of a Kubernetes client's exception (``ApiException.__str__``).
_HEADERS_LABEL: Final = "HTTP response headers: "
_BODY_LABEL: Final = "HTTP response body: "
#: Matches a line of a stack trace from Python, Java or JavaScript.
_FRAME_PATTERN: Final = (
    r"(?m)^(?:[ \t]*at (?:[^\s(]{1,200} ?\(.*\)|\S{1,300}:\d+:\d+)|Traceback \(most recent call last\):)$"
)
#: Patterns for error messages from AWS, and from gRPC in Python.
_FORMAT_PATTERNS: Final = (
    r"(?s)<\w{1,40} of RPC that terminated with:.{0,300}?\bdetails = (\"[^\"]+\").*",
    (
        r"(?s)An error occurred \([\w.]{1,100}\) when calling the \w{1,100} operation"
        r"(?: \(reached max retries: \d+\))?: (.+)"
    ),
)
_XML_MESSAGE_PATTERN: Final = r"(?i)<message\b[^<>]{0,200}>([^<]{1,2000})</message>"
#: Strings that programs output when they have no message.
_NO_WORDS: Final = frozenset(
    {"none", "null", "undefined", "nil", "[object object]", "{}", "[]", "n/a", "no message available"}
)
#: Names of HTML tags. Anything else in angle brackets may be part of the message.
_TAG_NAMES: Final = (
    "a|abbr|article|aside|b|big|blockquote|body|br|button|center|code|dd|div|dl|dt|em|figure|font|footer|form|h[1-6]"
    "|head|header|hr|html|i|img|input|ins|kbd|label|li|link|main|mark|meta|nav|noscript|ol|p|pre|q|s|samp|section"
    "|small|span|strike|strong|sub|sup|svg|table|tbody|td|tfoot|th|thead|title|tr|tt|u|ul|var|wbr"
)
_TAG_PATTERN: Final = rf"(?i)</?({_TAG_NAMES})(?:\s[^<>]{{0,500}})?/?>"
#: Matches tags that prove that a string is HTML: an end tag or a line break. A lone ``<b>`` may be part of
#: the message.
_MARKUP_PATTERN: Final = rf"(?i)</(?:{_TAG_NAMES})\s*>|<(?:br|hr|p|li|div)\s*/?>"
#: Matches inline tags, which don't start a new line.
_INLINE_TAG_PATTERN: Final = (
    r"(?i)</?(?:a|abbr|b|big|code|em|font|i|ins|kbd|mark|q|s|samp|small|span|strike|strong|sub|sup|tt|u|var"
    r"|wbr)\b"
)
_PAGE_PATTERN: Final = r"(?i)<(?:!doctype\s+html|html|head|body)\b[^<>]{0,500}>"
#: Start and end markers of the parts of a page that browsers don't display.
_UNSEEN_PARTS: Final = (
    ("<!--", "-->"),
    ("<!doctype", ">"),
    ("<script", "</script>"),
    ("<style", "</style>"),
    ("<title", "</title>"),
    ("<svg", "</svg>"),
)
_PAGE_TITLE_PATTERN: Final = r"(?is)<title\b[^>]{0,200}>(.{0,500}?)</title"
_ENTITY_PATTERN: Final = r"&(?:[a-zA-Z]{2,8}|#\d{1,6}|#[xX][0-9a-fA-F]{1,5});"
#: Matches the names of web servers that appear at the bottom of error pages.
_SERVER_PATTERN: Final = (
    r"(?i)(?:nginx|openresty|apache|cloudflare|envoy|caddy|traefik|microsoft-\w+|google|gunicorn|tornado)\S*"
)
#: Patterns for Markdown and Slack's markup, each with its replacement.
_MARKDOWN_PATTERNS: Final = (
    (r"!\[[^\[\]]{0,200}\]\([^\s()]{1,500}\)", ""),
    (r"\[([^\[\]]{1,200})\]\((https?://[^\s()]{1,500})\)", r"\1 (\2)"),
    (r"<(https?://[^\s|<>]{1,500})\|([^<>]{1,200})>", r"\2 (\1)"),
    (r"<(https?://[^\s|<>]{1,500})>", r"\1"),
    (r"(?m)^#{1,6} ", ""),
    (r"```(?:\w{1,20}(?=\n))?", " "),
    (r"`([^`\n]{1,300})`", r"\1"),
    (r"(?<![\w*])\*\*?([^\s*](?:[^*\n]{0,300}[^\s*])?)\*\*?(?![\w*])", r"\1"),
    (r"(?<!\w)_([^\W_](?:[^_\n]{0,300}[^\s_])?)_(?!\w)", r"\1"),
    (r"(?<![\w~])~~?([^\s~/](?:[^~\n]{0,300}[^\s~])?)~~?(?![\w~/])", r"\1"),
)
_CLOSING_QUOTES: Final = {
    '"': '"',
    "'": "'",
    "\u201c": "\u201d",
    "\u2018": "\u2019",
    "\u00ab": "\u00bb",
}
#: Matches a truncated JSON message.
_CUT_MESSAGE_PATTERN: Final = (
    r'(?s)\{[^{}]{0,400}?"(?:message|detail|error_description|msg)"\s*:\s*"((?:[^"\\]|\\.){1,2000})'
)


def clean_words(text: str, limit: int = MAX_MESSAGE_LENGTH, secrets: Iterable[str] = ()) -> str:
    """Extract the actual message from a provider's text, cleaned and shortened; "" if there is none."""
    return clean(find_innermost_words(text), limit, secrets)


def find_innermost_words(text: str) -> str:
    """Extract the actual message from another program's output. Return any other text unchanged.

    Returns "" if the output contains nothing but a status, or a page that names a status.
    """
    words = re.sub(_COLOUR_PATTERN, "", text[:MAX_SEARCHED_LENGTH]).strip()
    for _ in range(MAX_NESTING):
        inner = _open_once(words).strip()
        if inner == words:
            break
        words = inner
    return "" if words.casefold() in _NO_WORDS or words.isdecimal() else words


def _open_once(text: str) -> str:
    """Return the text without its outermost layer, or unchanged if it isn't wrapped."""
    for read in (
        _read_literal,
        _read_page,
        _read_embedded_object,
        _read_exception,
        _read_markup,
        _read_markdown,
        _read_quotes,
    ):
        inner = read(text)
        if inner is not None and inner != text:
            return inner
    return text


def _read_literal(text: str) -> str | None:
    if text[:1] not in {'"', "{", "[", "'", "b", "("} or len(text) < 2:
        return None
    value: Any = None
    with suppress(ValueError, RecursionError):
        value = json.loads(text)
    if value is None and (text[:1] != "b" or text[1:2] in {'"', "'"}):
        value = _parse_literal(text)
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        return value
    if isinstance(value, (dict, list, tuple)):
        return _read_value_words(value)
    return None


def _read_value_words(value: Any) -> str:
    if isinstance(value, dict):
        return read_words(value, limit=MAX_SEARCHED_LENGTH)
    return "; ".join(islice(_list_unique_details([list(value)], ""), MAX_DETAILS))


def _parse_literal(text: str) -> Any:
    if len(text) > MAX_LITERAL_LENGTH:
        return None
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _read_embedded_object(text: str) -> str | None:
    decoder, start = json.JSONDecoder(), -1
    for _ in range(MAX_OBJECT_ATTEMPTS):
        start = text.find("{", start + 1)
        if start < 0:
            return None
        try:
            value = decoder.raw_decode(text, start)[0]
        except (ValueError, RecursionError):
            value = _parse_literal(text[start : text.rfind("}") + 1]) if start == text.find("{") else None
        if isinstance(value, dict) and any(isinstance(value.get(key), str) for key in (*_TEXT_KEYS, "title")):
            return read_words(value, limit=MAX_SEARCHED_LENGTH) or None
        if value is None and (cut := re.match(_CUT_MESSAGE_PATTERN, text[start:])):
            return cut[1].replace('\\"', '"').replace("\\n", " ")
    return None


def _read_exception(text: str) -> str:
    """Return an exception's message without class, status and headers. Any other text stays unchanged."""
    head, _, body = text.partition(_BODY_LABEL)
    if body.strip() not in {"", "None"}:
        return body  # A JSON body has already been read.
    if _HEADERS_LABEL in head:
        return head.partition(_HEADERS_LABEL)[0]
    for pattern in _FORMAT_PATTERNS:
        if dressed := re.fullmatch(pattern, text):
            return dressed[1]
    if re.search(_FRAME_PATTERN, text):
        # If there are several causes, the innermost one is printed last.
        said = [line for line in re.sub(_FRAME_PATTERN, "", text).split("\n") if line[:1].strip()]
        return said[-1] if said else ""
    text = re.sub(_ADDRESS_PATTERN, "", text)
    if cause := re.match(_CAUSE_PATTERN, text):
        return text[cause.end() : -1 if "(Caused by " in cause[0] else None]
    brackets = re.fullmatch(_BRACKETS_PATTERN, text)
    if brackets is not None and _is_label(brackets[1]):
        return _read_arguments(brackets[2])
    if _is_label(text, is_whole=True):
        return ""
    arguments = re.match(_ARGUMENTS_PATTERN, text)
    text = text if arguments is None else arguments[1] + text[arguments.end() :]
    end = re.search(_LABEL_END_PATTERN, text[:MAX_LABEL_LENGTH])
    return text[end.end() :] if end is not None and _is_label(text[: end.start()]) else text


def _is_label(text: str, *, is_whole: bool = False) -> bool:
    """Return whether a string is only a label: a status, a word for a status, or an exception's name.

    An exception's name isn't a mere label if ``find_reason`` recognises it. Neither is a program's name on
    its own.
    """
    has_label = False
    for word in re.findall(_LABEL_WORD_PATTERN, text[:MAX_LABEL_LENGTH]):
        name = word.rstrip(".")
        if re.fullmatch(_LABEL_PATTERN, name) and find_reason(name) is None:
            has_label = True
        elif not re.fullmatch(_BESIDE_LABELS_PATTERN, name) and (
            is_whole or not re.fullmatch(_IDENTIFIER_PATTERN, name) or re.fullmatch(_LABEL_PATTERN, name)
        ):
            return False
    return has_label and len(text) <= MAX_LABEL_LENGTH


def _read_arguments(text: str) -> str:
    try:
        call = ast.parse(f"e({text})", mode="eval").body if len(text) <= MAX_LITERAL_LENGTH else None
        given = [*call.args, *(one.value for one in call.keywords)] if isinstance(call, ast.Call) else []
        return _read_value_words([ast.literal_eval(one) for one in given]) or text
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text


def _read_page(text: str) -> str | None:
    """Extract a web page's sentences, the words before the page, or an XML document's message; else None."""
    page = re.search(_PAGE_PATTERN, text)
    if page is None:
        message = re.search(_XML_MESSAGE_PATTERN, text) if text[:1] == "<" else None
        return None if message is None else unescape(message[1])
    title = re.search(_PAGE_TITLE_PATTERN, text)
    body = _list_page_words(_drop_unseen(text[page.start() :]))
    body = body or _list_page_words(title[1] if title else "")
    return " ".join(body) or text[: page.start()].rstrip(" :\n")


def _drop_unseen(text: str) -> str:
    for begin, end in _UNSEEN_PARTS:
        folded = text.casefold() if len(text.casefold()) == len(text) else text
        parts, at = [], 0
        while (start := folded.find(begin, at)) >= 0:
            parts.append(text[at:start])
            stop = folded.find(end, start)
            at = len(text) if stop < 0 else stop + len(end)
        text = "".join((*parts, text[at:]))
    return text


def _list_page_words(text: str) -> list[str]:
    lines = (" ".join(line.split()) for line in _strip_tags(text, "\n").split("\n"))
    return list(dict.fromkeys(line for line in lines if line and not _is_heading(line)))


def _is_heading(line: str) -> bool:
    return (
        line.casefold().rstrip(".") in _PHRASES
        or _is_label(line, is_whole=True)
        or re.fullmatch(_SERVER_PATTERN, line) is not None
    )


def _read_markup(text: str) -> str | None:
    if not re.search(_MARKUP_PATTERN, text) and not re.search(_ENTITY_PATTERN, text):
        return None
    return " ".join((_strip_tags(text, " ") if re.search(_MARKUP_PATTERN, text) else unescape(text)).split())


def _strip_tags(text: str, separator: str) -> str:
    return unescape(
        re.sub(_TAG_PATTERN, lambda tag: "" if re.match(_INLINE_TAG_PATTERN, tag[0]) else separator, text)
    )


def _read_markdown(text: str) -> str:
    """Return a string without the Markdown or Slack markup that would show up in Usher's message."""
    for pattern, words in _MARKDOWN_PATTERNS:
        text = re.sub(pattern, words, text)
    return text


def _read_quotes(text: str) -> str | None:
    closing = _CLOSING_QUOTES.get(text[:1])
    if closing is None or len(text) < 3 or text[-1:] != closing or closing in text[1:-1]:
        return None
    return text[1:-1]


def cut_words(text: str, limit: int = MAX_MESSAGE_LENGTH) -> str:
    """Return the actual message in a string, cleaned and without unprintable characters."""
    return "".join(filter(str.isprintable, clean_words(text, limit)))


def read_words(
    answer: Mapping[str, Any], message_pointer: str = "/message", *, limit: int = MAX_DETAILED_LENGTH
) -> str:
    """Extract the message, the invalid fields and the reasons from an error's body; "" if there are none."""
    *outer, last = message_pointer.split("/")[1:]
    place = find_value(answer, outer)
    value = find_value(place, [last])
    message = value if isinstance(value, str) and value else next(_main_texts(answer), "")
    message = find_innermost_words(message)
    without_details = min(limit, MAX_MESSAGE_LENGTH) if limit <= MAX_DETAILED_LENGTH else limit
    if answer.get("kind") == "Status":
        # The details in a response from Kubernetes just repeat the object's name and kind.
        return cut_words(message, without_details)
    places = [answer, *([place] if outer and isinstance(place, dict) else [])]
    parts = [None if isinstance(value, str) else value]
    parts += [one.get(key) for one in places for key in _DETAIL_KEYS]
    details = list(islice(_list_unique_details(parts, message), MAX_DETAILS))
    if not message and not details:
        # If the body has none of the known keys, use those of its strings that consist of several words.
        every = _list_unique_details([dict(answer)], "")
        details = list(islice((one for one in every if re.search(_SENTENCE_PATTERN, one)), MAX_DETAILS))
    if not details:
        return cut_words(message, without_details)
    summary = clean(message, without_details // 2).rstrip(".:")
    return cut_words(": ".join(filter(None, (summary, "; ".join(details)))), limit)


def find_value(value: Any, keys: Iterable[str]) -> Any:
    """Return the value found by following these keys and indices, or None if there is none."""
    for key in keys:
        if isinstance(value, list) and key.isdecimal():
            value = value[int(key)] if int(key) < len(value) else None
        else:
            value = value.get(key) if isinstance(value, dict) else None
    return value


def _main_texts(answer: Mapping[str, Any]) -> Iterator[str]:
    """Yield the strings that could be the message in other error formats, such as RFC 9457 and RFC 6749."""
    for key in ("message", "title", "error", "reason", "msg"):
        value = answer.get(key)
        value = value.get("message") if isinstance(value, dict) else value
        if isinstance(value, str) and value:
            yield value


def _list_unique_details(parts: Iterable[Any], message: str) -> Iterator[str]:
    """Yield the cleaned details that the message doesn't already contain."""
    known = clean(message, MAX_DETAILED_LENGTH).casefold()
    for part in parts:
        for text in _read_details(part, ""):
            detail = clean(text).rstrip(".")
            if detail and detail.casefold() not in known:
                known += f"; {detail.casefold()}"
                yield detail


def _read_details(value: Any, where: str) -> Iterator[str]:
    """Yield the strings in details of any structure, each preceded by the name of its field."""
    if isinstance(value, str):
        words = find_innermost_words(value)
        yield f"{where}: {words}" if where and words else words
    elif isinstance(value, (list, tuple)):
        for entry in value:
            yield from _read_details(entry, where)
    elif isinstance(value, dict):
        text = next((said for key in _TEXT_KEYS if isinstance(said := value.get(key), str) and said), None)
        named = (_field_name(value[key]) for key in _FIELD_KEYS if value.get(key))
        if text is None and (code := value.get("code")) and isinstance(code, str):
            # GitHub describes a problem with a field by a code rather than a sentence.
            field = next(filter(None, named), where)
            yield from _read_details(code.replace("_", " "), field)
            return
        if text is not None:
            yield from _read_details(text, next(filter(None, named), where))
            return
        for key, entry in value.items():
            is_field = key not in _REQUEST_PARTS and not str(key).casefold().endswith(_TEXT_KEYS)
            yield from _read_details(entry, str(key) if is_field else where)


def _field_name(value: Any) -> str:
    keys = [str(key) for key in value] if isinstance(value, list) else re.split(r"[/#]", str(value))
    return ".".join(key for key in keys if key and key not in _REQUEST_PARTS)


#: Matches terminal escape sequences, such as those for colours and bold text.
_COLOUR_PATTERN: Final = r"\x1b\[[0-9;]*[A-Za-z]"


def clean(text: str, limit: int = MAX_MESSAGE_LENGTH, secrets: Iterable[str] = ()) -> str:
    """Return the text on one line, without secrets or invisible characters, cut to ``limit``."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, HIDDEN)
    if text.isascii() and text.isprintable() and "  " not in text:
        line = text.strip()
        return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
    text = re.sub(_COLOUR_PATTERN, "", text)
    # Keep zero-width joiners, which emoji need, but remove other format characters, box-drawing characters,
    # and lone surrogates, which can't be stored.
    visible = "".join(
        " " if unicodedata.category(letter) in {"Cc", "Zl", "Zp"} else letter
        for letter in text
        if letter == "\u200d"
        or not (unicodedata.category(letter) in {"Cf", "Cs"} or "\u2500" <= letter <= "\u257f")
    )
    line = re.sub(r"\s+", " ", visible).strip()
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
