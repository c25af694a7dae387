"""The words of a provider: the innermost text of an answer, cleaned and cut for people.

A provider may pass on another program's answer, such as a Kubernetes client's exception with headers and a
JSON body, ``HTTP 500: error (words)``, an HTML page or a quoted text. ``find_innermost_words`` finds the
words in all of these, for every provider, before anything is cut or classified.
"""

from __future__ import annotations

import ast
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from html import unescape
from http import HTTPStatus
from itertools import islice
from typing import Any, Final

from bot.domain.failure_causes import find_reason
from bot.support.cleaning import HIDDEN

#: Most characters of a server's own words that people are shown.
MAX_MESSAGE_LENGTH = 200
#: Most characters of a message with its details, which say more than the message.
MAX_DETAILED_LENGTH = 300
#: Most details of one refusal that are shown.
MAX_DETAILS = 5
#: Most characters of a text that are searched for another program's answer.
MAX_SEARCHED_LENGTH: Final = 8000
#: Most answers within each other that are read.
MAX_NESTING: Final = 12
#: Most opening braces of a text at which JSON is tried.
MAX_OBJECT_ATTEMPTS: Final = 10
#: Most characters of a Python literal that is parsed, as longer ones cost too much.
MAX_LITERAL_LENGTH: Final = 2000
#: Keys under which APIs have details: Coder (``detail``, ``validations``), FastAPI (``detail``), marshmallow
#: (``errors``, ``messages``), OAuth (``error_description``); and keys of an entry's text, and of its field.
_DETAIL_KEYS = ("detail", "details", "validations", "errors", "messages", "error_description")
_TEXT_KEYS = ("msg", "detail", "message", "description", "error", "reason")
_SENTENCE_PATTERN: Final = re.compile(r"[^\W\d_]{2}\S* [^\W\d_]{2}")
_FIELD_KEYS = ("field", "loc", "param", "parameter", "name", "pointer", "path")
#: Parts of a field's path that name a part of the request, and not the field.
_REQUEST_PARTS = frozenset({"body", "query", "path", "json", "form", "header", "_schema"})

_PHRASES: Final = sorted((status.phrase.casefold() for status in HTTPStatus), key=len, reverse=True)
#: What programs write before a message: a status, a word for it, or an exception's name.
_LABEL_PATTERN: Final = re.compile(
    r"[1-5]\d\d|(?i:caused|code|desc(?:ription)?|details?|err(?:no|ors?)?|exception|fatal|message|msg|reason"
    r"|status(?:code)?)|(?:[\w$]{1,60}\.){0,8}(?:[A-Z][\w$]{0,60})?"
    r"(?:Error|Exception|Warning|Timeout|Failure|Fault)"
)
#: What may stand beside these: the phrase of a status, a number, an address, and words that join them.
_BESIDE_LABELS_PATTERN: Final = re.compile(
    rf"{'|'.join(map(re.escape, _PHRASES))}|\d\S*|[\w+]+://\S+|an?|api|by|class|client|daemon|during|failed|for"
    r"|from|https?|id|in|internal|none|null|occurred|of|operation|request|response|rpc|server|the|uncaught|unexpected"
    r"|unhandled|unknown|while|with",
    re.IGNORECASE,
)
#: Any other name of a program's own.
_IDENTIFIER_PATTERN: Final = re.compile(r"[\w.]*?(?:[a-z][A-Z]|[A-Z]{2}\d)[\w.]*")
_LABEL_WORD_PATTERN: Final = re.compile(
    rf"\b(?:{'|'.join(map(re.escape, _PHRASES))})\b|[\w+]+://\S+|\w[\w.$]*", re.IGNORECASE
)
#: The end of a label; and arguments in brackets, behind a name or a label.
_LABEL_END_PATTERN: Final = re.compile(r":\s+| = |(?<=\w)=(?=\S)|(?<=\])\s+")
_ARGUMENTS_PATTERN: Final = re.compile(r"([\w. ]{1,100}\w)\((?:[^()]|\([^()]*\)){0,300}\)(?=: )")
_BRACKETS_PATTERN: Final = re.compile(r"([^()]{1,300})\(((?:[^()]|\([^()]*\))*)\)\.?")
MAX_LABEL_LENGTH: Final = 300
#: The address at the end of an exception of requests or aiohttp.
_ADDRESS_PATTERN: Final = re.compile(r"(?:,? for url: |, url=)\S{1,500}$")
#: Labels of a Kubernetes client's exception (``ApiException.__str__``).
_HEADERS_LABEL: Final = "HTTP response headers: "
_BODY_LABEL: Final = "HTTP response body: "
#: A line of a stack of calls in Python, Java or JavaScript.
_FRAME_PATTERN: Final = re.compile(
    r"^(?:[ \t]*at (?:[^\s(]{1,200} ?\(.*\)|\S{1,300}:\d+:\d+)|Traceback \(most recent call last\):)$",
    re.MULTILINE,
)
#: Formats of gRPC in Python, and of AWS.
_FORMAT_PATTERNS: Final = (
    re.compile(r"<\w{1,40} of RPC that terminated with:.{0,300}?\bdetails = (\"[^\"]+\").*", re.DOTALL),
    re.compile(
        r"An error occurred \([\w.]{1,100}\) when calling the \w{1,100} operation"
        r"(?: \(reached max retries: \d+\))?: (.+)",
        re.DOTALL,
    ),
)
_XML_MESSAGE_PATTERN: Final = re.compile(r"<message\b[^<>]{0,200}>([^<]{1,2000})</message>", re.IGNORECASE)
#: Texts that programs write if they have no words.
_NO_WORDS: Final = frozenset(
    {"none", "null", "undefined", "nil", "[object object]", "{}", "[]", "n/a", "no message available"}
)
#: Tags of pages and of marked-up sentences. Anything else in angle brackets may be a word of the message.
_TAG_NAMES: Final = (
    "a|abbr|article|aside|b|big|blockquote|body|br|button|center|code|dd|div|dl|dt|em|figure|font|footer|form|h[1-6]"
    "|head|header|hr|html|i|img|input|ins|kbd|label|li|link|main|mark|meta|nav|noscript|ol|p|pre|q|s|samp|section"
    "|small|span|strike|strong|sub|sup|svg|table|tbody|td|tfoot|th|thead|title|tr|tt|u|ul|var|wbr"
)
_TAG_PATTERN: Final = re.compile(rf"</?({_TAG_NAMES})(?:\s[^<>]{{0,500}})?/?>", re.IGNORECASE)
#: Tags that show that a text is HTML: an end tag, or a break. A lone ``<b>`` may be a word of the message.
_MARKUP_PATTERN: Final = re.compile(rf"</(?:{_TAG_NAMES})\s*>|<(?:br|hr|p|li|div)\s*/?>", re.IGNORECASE)
#: Tags that don't interrupt a line.
_INLINE_TAG_PATTERN: Final = re.compile(
    r"</?(?:a|abbr|b|big|code|em|font|i|ins|kbd|mark|q|s|samp|small|span|strike|strong|sub|sup|tt|u|var|wbr)\b",
    re.IGNORECASE,
)
_PAGE_PATTERN: Final = re.compile(r"<(?:!doctype\s+html|html|head|body)\b[^<>]{0,500}>", re.IGNORECASE)
#: Beginnings and ends of the parts of a page that aren't shown in it.
_UNSEEN_PARTS: Final = (
    ("<!--", "-->"),
    ("<!doctype", ">"),
    ("<script", "</script>"),
    ("<style", "</style>"),
    ("<title", "</title>"),
    ("<svg", "</svg>"),
)
_PAGE_TITLE_PATTERN: Final = re.compile(r"<title\b[^>]{0,200}>(.{0,500}?)</title", re.IGNORECASE | re.DOTALL)
_ENTITY_PATTERN: Final = re.compile(r"&(?:[a-zA-Z]{2,8}|#\d{1,6}|#[xX][0-9a-fA-F]{1,5});")
#: Names of servers below their own error pages.
_SERVER_PATTERN: Final = re.compile(
    r"(?:nginx|openresty|apache|cloudflare|envoy|caddy|traefik|microsoft-\w+|google|gunicorn|tornado)\S*",
    re.IGNORECASE,
)
_CLOSING_QUOTES: Final = {
    '"': '"',
    "'": "'",
    "`": "`",
    "\u201c": "\u201d",
    "\u2018": "\u2019",
    "\u00ab": "\u00bb",
}
#: Pattern of a message in JSON that was cut before its end.
_CUT_MESSAGE_PATTERN: Final = re.compile(
    r'\{[^{}]{0,400}?"(?:message|detail|error_description|msg)"\s*:\s*"((?:[^"\\]|\\.){1,2000})', re.DOTALL
)


def clean_words(text: str, limit: int = MAX_MESSAGE_LENGTH, secrets: Iterable[str] = ()) -> str:
    """Return the innermost words of a provider's text, cleaned and cut; "" if it has none of its own."""
    return clean(find_innermost_words(text), limit, secrets)


def find_innermost_words(text: str) -> str:
    """Return the words inside a text that is another program's answer, uncut; any other text unchanged.

    "" for an answer without words, such as a status or a page that only names one.
    """
    words = _COLOUR_PATTERN.sub("", text[:MAX_SEARCHED_LENGTH]).strip()
    for _ in range(MAX_NESTING):
        inner = _open_once(words).strip()
        if inner == words:
            break
        words = inner
    return "" if words.casefold() in _NO_WORDS or words.isdecimal() else words


def _open_once(text: str) -> str:
    """Return the text without its outermost layer; unchanged if it has none."""
    for read in (
        _read_literal,
        _read_page,
        _read_embedded_object,
        _read_exception,
        _read_markup,
        _read_quotes,
    ):
        inner = read(text)
        if inner is not None and inner != text:
            return inner
    return text


def _read_literal(text: str) -> str | None:
    """Return the words of a text that as a whole is JSON or a Python literal; None if it isn't."""
    if text[:1] not in {'"', "{", "[", "'", "b", "("} or len(text) < 2:
        return None
    value = _parse_json(text)
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
    """Return the words of a parsed answer, "" if it has none; keys and numbers aren't meant for people."""
    if isinstance(value, dict):
        return read_words(value, limit=MAX_SEARCHED_LENGTH)
    return "; ".join(islice(_list_unique_details([list(value)], ""), MAX_DETAILS))


def _parse_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _parse_literal(text: str) -> Any:
    if len(text) > MAX_LITERAL_LENGTH:
        return None
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _read_embedded_object(text: str) -> str | None:
    """Return the words of JSON somewhere inside a text; None if there is none."""
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
        if value is None and (cut := _CUT_MESSAGE_PATTERN.match(text, start)):
            return cut[1].replace('\\"', '"').replace("\\n", " ")
    return None


def _read_exception(text: str) -> str:
    """Return the words of an exception's text, without class, status and headers; other texts unchanged."""
    head, _, body = text.partition(_BODY_LABEL)
    if body.strip() not in {"", "None"}:
        return body  # A body that is JSON has been read before.
    if _HEADERS_LABEL in head:
        return head.partition(_HEADERS_LABEL)[0]
    for pattern in _FORMAT_PATTERNS:
        if dressed := pattern.fullmatch(text):
            return dressed[1]
    if _FRAME_PATTERN.search(text):
        # The innermost of several causes comes last.
        said = [line for line in _FRAME_PATTERN.sub("", text).split("\n") if line[:1].strip()]
        return said[-1] if said else ""
    text = _ADDRESS_PATTERN.sub("", text)
    brackets = _BRACKETS_PATTERN.fullmatch(text)
    if brackets is not None and _is_label(brackets[1]):
        return _read_arguments(brackets[2])
    if _is_label(text, is_whole=True):
        return ""
    arguments = _ARGUMENTS_PATTERN.match(text)
    text = text if arguments is None else arguments[1] + text[arguments.end() :]
    end = _LABEL_END_PATTERN.search(text, 0, MAX_LABEL_LENGTH)
    return text[end.end() :] if end is not None and _is_label(text[: end.start()]) else text


def _is_label(text: str, *, is_whole: bool = False) -> bool:
    """Return whether a text only labels what follows: it has a status, a word for it, or an exception's name.

    A name that gives a reason says something, and so does a program's own name if nothing follows it.
    """
    has_label = False
    for word in _LABEL_WORD_PATTERN.findall(text[:MAX_LABEL_LENGTH]):
        name = word.rstrip(".")
        if _LABEL_PATTERN.fullmatch(name) and find_reason(name) is None:
            has_label = True
        elif not _BESIDE_LABELS_PATTERN.fullmatch(name) and (
            is_whole or not _IDENTIFIER_PATTERN.fullmatch(name) or _LABEL_PATTERN.fullmatch(name)
        ):
            return False
    return has_label and len(text) <= MAX_LABEL_LENGTH


def _read_arguments(text: str) -> str:
    """Return the texts among an exception's arguments, named or not; the arguments themselves if none is."""
    try:
        call = ast.parse(f"e({text})", mode="eval").body if len(text) <= MAX_LITERAL_LENGTH else None
        given = [*call.args, *(one.value for one in call.keywords)] if isinstance(call, ast.Call) else []
        return _read_value_words([ast.literal_eval(one) for one in given]) or text
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text


def _read_page(text: str) -> str | None:
    """Return the sentences of a page, or else the words before it; or the message in XML, or None."""
    page = _PAGE_PATTERN.search(text)
    if page is None:
        message = _XML_MESSAGE_PATTERN.search(text) if text[:1] == "<" else None
        return None if message is None else unescape(message[1])
    title = _PAGE_TITLE_PATTERN.search(text)
    body = _list_page_words(_drop_unseen(text[page.start() :]))
    body = body or _list_page_words(title[1] if title else "")
    return " ".join(body) or text[: page.start()].rstrip(" :\n")


def _drop_unseen(text: str) -> str:
    """Return a page without its comments, scripts, styles and title."""
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
    """Return whether a line of a page has only a status, its phrase, or the server's name."""
    return (
        line.casefold().rstrip(".") in _PHRASES
        or _is_label(line, is_whole=True)
        or _SERVER_PATTERN.fullmatch(line) is not None
    )


def _read_markup(text: str) -> str | None:
    """Return a text without HTML tags and entities; None if it has none."""
    if not _MARKUP_PATTERN.search(text) and not _ENTITY_PATTERN.search(text):
        return None
    return " ".join((_strip_tags(text, " ") if _MARKUP_PATTERN.search(text) else unescape(text)).split())


def _strip_tags(text: str, separator: str) -> str:
    """Replace tags by a separator, or by nothing inside a line; and entities by their characters."""
    return unescape(
        _TAG_PATTERN.sub(lambda tag: "" if _INLINE_TAG_PATTERN.match(tag[0]) else separator, text)
    )


def _read_quotes(text: str) -> str | None:
    """Return a text without the quotes around all of it."""
    closing = _CLOSING_QUOTES.get(text[:1])
    if closing is None or len(text) < 3 or text[-1:] != closing or closing in text[1:-1]:
        return None
    return text[1:-1]


def cut_words(text: str, limit: int = MAX_MESSAGE_LENGTH) -> str:
    """Return the innermost words of a text, cleaned, without characters that can't be printed."""
    return "".join(filter(str.isprintable, clean_words(text, limit)))


def read_words(
    answer: Mapping[str, Any], message_pointer: str = "/message", *, limit: int = MAX_DETAILED_LENGTH
) -> str:
    """Return the words of an error's body: the message, which fields are wrong, and why; "" if nothing."""
    value: Any = answer
    for key in message_pointer.split("/")[1:]:
        if isinstance(value, list) and key.isdecimal():
            value = value[int(key)] if int(key) < len(value) else None
        else:
            value = value.get(key) if isinstance(value, dict) else None
    message = value if isinstance(value, str) else next(_main_texts(answer), "")
    message = find_innermost_words(message)
    without_details = min(limit, MAX_MESSAGE_LENGTH) if limit <= MAX_DETAILED_LENGTH else limit
    if answer.get("kind") == "Status":
        # Of Kubernetes: its details repeat the object's name and kind.
        return cut_words(message, without_details)
    parts = [None if isinstance(value, str) else value, *map(answer.get, _DETAIL_KEYS)]
    details = list(islice(_list_unique_details(parts, message), MAX_DETAILS))
    if not message and not details:
        # Under keys that no known API has, a text of several words is a sentence.
        every = _list_unique_details([dict(answer)], "")
        details = list(islice((one for one in every if _SENTENCE_PATTERN.search(one)), MAX_DETAILS))
    if not details:
        return cut_words(message, without_details)
    summary = clean(message, without_details // 2).rstrip(".:")
    return cut_words(": ".join(filter(None, (summary, "; ".join(details)))), limit)


def _main_texts(answer: Mapping[str, Any]) -> Iterator[str]:
    """Yield the texts that may be the message in other formats (RFC 9457, RFC 6749)."""
    for key in ("message", "title", "error", "reason", "msg"):
        value = answer.get(key)
        value = value.get("message") if isinstance(value, dict) else value
        if isinstance(value, str) and value:
            yield value


def _list_unique_details(parts: Iterable[Any], message: str) -> Iterator[str]:
    """Yield each detail, cleaned, that the message doesn't already contain."""
    known = clean(message, MAX_DETAILED_LENGTH).casefold()
    for part in parts:
        for text in _read_details(part, ""):
            detail = clean(text).rstrip(".")
            if detail and detail.casefold() not in known:
                known += f"; {detail.casefold()}"
                yield detail


def _read_details(value: Any, where: str) -> Iterator[str]:
    """Yield the texts in details of any shape, each after its field's name."""
    if isinstance(value, str):
        words = find_innermost_words(value)
        yield f"{where}: {words}" if where and words else words
    elif isinstance(value, (list, tuple)):
        for entry in value:
            yield from _read_details(entry, where)
    elif isinstance(value, dict):
        text = next((value[key] for key in _TEXT_KEYS if isinstance(value.get(key), str)), None)
        named = (_field_name(value[key]) for key in _FIELD_KEYS if value.get(key))
        if text is None and (code := value.get("code")) and isinstance(code, str):
            # GitHub: a word of its own for what is wrong with a field, and no sentence.
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
    """Return a field's name from its place in an API's answer: a text, or a list of keys and indices."""
    keys = [str(key) for key in value] if isinstance(value, list) else re.split(r"[/#]", str(value))
    return ".".join(key for key in keys if key and key not in _REQUEST_PARTS)


#: Escape sequences that make a terminal's text coloured or bold.
_COLOUR_PATTERN = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def clean(text: str, limit: int = MAX_MESSAGE_LENGTH, secrets: Iterable[str] = ()) -> str:
    """Return the text on one line without secrets and invisible characters, cut to ``limit`` characters."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, HIDDEN)
    if text.isascii() and text.isprintable() and "  " not in text:
        line = text.strip()
        return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
    text = _COLOUR_PATTERN.sub("", text)
    # Format characters are kept inside emoji (the joiner); lone surrogates can't be stored; frames are drawn.
    visible = "".join(
        " " if unicodedata.category(letter) in {"Cc", "Zl", "Zp"} else letter
        for letter in text
        if letter == "\u200d"
        or not (unicodedata.category(letter) in {"Cf", "Cs"} or "\u2500" <= letter <= "\u257f")
    )
    line = re.sub(r"\s+", " ", visible).strip()
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
