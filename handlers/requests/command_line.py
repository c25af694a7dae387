"""Parses typed commands, including smart quotes, dashes, capitals, Slack's links, mentions and flags.

``parse`` reads any command: its verb, names, and boolean flags. A verb whose flags take values parses its
text again, with one of two functions. ``parse_command_line`` takes one word per flag, and leaves a program's
own words after ``--`` unchanged. ``parse_running_flags`` takes all words up to the next flag, so titles need
no quotes.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from typing import Final, NamedTuple

from bot.services.creation import Flag
from bot.support.cleaning import STRAIGHT, clean, unescape

#: Maximum length of a command, in characters. A longer text is cut and isn't read as a command, because no
#: valid name is that long.
MAX_COMMAND_LENGTH: Final = 2000
#: Maximum number of words in a command. A longer text isn't read as a command.
MAX_WORDS: Final = 100
#: Maximum length of a message, in characters. A longer one is refused, not truncated, so that a job's program
#: gets all of its arguments.
MAX_TEXT_LENGTH: Final = 6000

_QUOTES: Final = "\"'"
#: Matches a closing quotation mark, which comes before white space or at the end. Anywhere else, a quotation
#: mark is an ordinary character.
_CLOSING_PATTERN: Final = re.compile(r"[\"'](?=\s|\Z)")
_BLANK: Final = re.compile(r"\s")
#: Matches a dash (figure, en, em, bar, minus) before a word, since some keyboards turn two hyphens into one.
_LONG_DASH_PATTERN: Final = re.compile(r"(?:(?<=\s)|^)-?[\u2012-\u2015\u2212]+-?(?=\w)")
#: Matches two hyphens, or dashes that stand for them.
_DASHES_PATTERN: Final = re.compile(r"--|-?[\u2012-\u2015\u2212]+-?")
#: Matches the separator (two hyphens or a dash) in front of a program's arguments, along with the white space
#: before it.
_PROGRAM_PATTERN: Final = re.compile(rf"\s(?:{_DASHES_PATTERN.pattern})(?!\S)")
_LINK_PATTERN: Final = re.compile(r"<(tel:[^<>|\n]+|!date\^[^<>|\n]+|[^<>|\s]+)(?:\|([^<>]*))?>")
#: Matches a date in Slack's notation: its epoch seconds, its format, and optionally a link.
_DATE_PATTERN: Final = re.compile(r"!date\^([0-9]{9,11})\^.*")
_SCHEME_PATTERN: Final = re.compile(r"(?:https?://|mailto:|tel:)", re.IGNORECASE)
_FLAG_PATTERN: Final = re.compile(r"--([A-Za-z][\w.-]*)(=?)")
#: Matches the beginning of ``NAME="a value in quotes"``.
_VARIABLE_PATTERN: Final = re.compile(r"[A-Za-z_]\w*=(?=[\"'])")
_RUNNING_FLAG_PATTERN: Final = re.compile(r"(?:(?<=\s)|^)--([A-Za-z][\w-]*)(?:=|\s+|$)")
#: Maps each word that people may type before a verb, such as *jobs*, to the folder (group of verbs) that it
#: selects.
_FOLDERS: Final[Mapping[str, str]] = {
    "job": "job",
    "jobs": "job",
    "workspace": "workspace",
    "workspaces": "workspace",
}
_UNKNOWN_FLAG_PATTERN: Final = re.compile(r"--?[A-Za-z](?:[\w-]*)(?:=.*)?")
_NEW_NAME_LEADS: Final = frozenset({"to", "as", "into", "just", "->"})
_TRAILING_SIGNS: Final = ",;:.!?"
#: Markers for bold and code, which people copy along with examples from help.
_ENCLOSING_SIGNS: Final = "`*"
#: Punctuation that may begin or end a sentence.
END_SIGNS: Final = ".,;:!?…)(¿¡"
#: Slack's markers for bold, code, italics and strikethrough.
MARKUP_SIGNS: Final = "*`_~"


class Quoted(str):
    """A word that was typed in quotes. It can only be a name, never a verb or a flag."""

    __slots__ = ()


def fold_word(word: str) -> str:
    """Return a word in lower case and without punctuation around it, or "" if it was quoted.

    This is for comparisons.
    """
    if isinstance(word, Quoted):
        return ""
    return word.casefold().strip(END_SIGNS + MARKUP_SIGNS) or word.casefold()


def drop_words(words: tuple[str, ...], dropped: AbstractSet[str]) -> tuple[str, ...]:
    """Return the words except those in ``dropped``. Quoted words are always kept."""
    return tuple(word for word in words if isinstance(word, Quoted) or fold_word(word) not in dropped)


class ParsedCommand(NamedTuple):
    """A parsed command: its words as typed, including the verb, and its known flags.

    ``folder`` is the folder named before the verb (``job list``), or "".
    """

    words: tuple[str, ...]
    flags: frozenset[str]
    folder: str = ""


class CommandLine(NamedTuple):
    """A parsed command line: the words after the verb, the flags, and the text after ``--``.

    ``tail`` is None if there is no ``--``.
    """

    words: tuple[str, ...]
    flags: tuple[Flag, ...]
    tail: str | None = None


def parse(
    text: str, commands: Mapping[str, str], known_flags: AbstractSet[str] = frozenset()
) -> ParsedCommand:
    """Parse a command. An unclosed quotation mark is taken as part of a name, so this never raises.

    ``commands`` maps slash commands, which may also occur in a message, to their folders. ``known_flags`` are
    the flags of all verbs. They are never part of a name.
    """
    tokens = _split_tokens(normalise(text))
    folder = find_folder(tokens[0], commands) if tokens and not isinstance(tokens[0], Quoted) else ""
    if folder:
        tokens = tokens[1:]
    is_flag = [_parse_flag(token) in known_flags for token in tokens]
    flags = frozenset(_parse_flag(token) for token, is_known in zip(tokens, is_flag, strict=True) if is_known)
    words = [token for token, is_known in zip(tokens, is_flag, strict=True) if not is_known]
    return ParsedCommand(tuple(words), flags, folder)


def parse_new_name(given: Sequence[str]) -> str:
    """Return the new name from words such as *to NAME*.

    If the name is quoted, return only the quoted text.
    """
    begin = next((at for at, word in enumerate(given) if fold_word(word) not in _NEW_NAME_LEADS), 0)
    end = begin + 1 if isinstance(given[begin], Quoted) else len(given)
    return " ".join(given[begin:end])


def find_unknown_flags(words: Iterable[str]) -> list[str]:
    """Return the words that look like flags, after all known flags have been removed."""
    return [word for word in words if not isinstance(word, Quoted) and _UNKNOWN_FLAG_PATTERN.fullmatch(word)]


def join_words(words: Iterable[str]) -> str:
    """Join words into a command that would be parsed into the same words."""
    return " ".join(_quote(word) for word in words)


def _quote(word: str) -> str:
    if not isinstance(word, Quoted) and not any(letter.isspace() for letter in word):
        return word
    return f"'{word}'" if '"' in word else f'"{word}"'


def parse_command_line(text: str, commands: Mapping[str, str]) -> CommandLine:
    """Parse a command whose flags take one word each. This never raises.

    The words after ``--`` are left as typed, including quotes and line breaks.
    """
    words: list[str] = []
    flags: list[Flag] = []
    scanner = _Scanner(_after_verb(text, commands))
    while not scanner.is_over:
        if scanner.begins_tail:
            return CommandLine(tuple(words), tuple(flags), scanner.text[scanner.word_end :].strip())
        flag = _FLAG_PATTERN.match(scanner.text, scanner.at)
        if flag is not None and (flag[2] or flag.end() == scanner.word_end):
            flags.append(Flag(flag[1], scanner.take_value(flag.end(), is_joined=bool(flag[2]))))
        else:
            words.append(scanner.take_word())
    return CommandLine(tuple(words), tuple(flags))


def split_program(text: str) -> tuple[str, str]:
    """Split a string before the ``--`` that introduces a program's own words."""
    match = _PROGRAM_PATTERN.search(text)
    return (text, "") if match is None else (text[: match.start()], text[match.start() :])


def parse_running_flags(text: str, commands: Mapping[str, str]) -> tuple[str, list[tuple[str, str]]]:
    """Return the text before the first flag, and each flag with all the words that follow it.

    This never raises.
    """
    rest = _strip_enclosing_signs(_after_verb(text, commands))
    matches = list(_RUNNING_FLAG_PATTERN.finditer(rest))
    ends = [*(flag.start() for flag in matches), len(rest)]
    flags = [
        (flag[1].casefold(), _strip_quotes(rest[flag.end() : end]))
        for flag, end in zip(matches, ends[1:], strict=True)
    ]
    return _strip_quotes(rest[: ends[0]]), flags


def normalise(text: str) -> str:
    """Return the text as meant: decoded, and without curly quotes, invisible characters or formatting."""
    plain = clean(unescape(decode_links(text[:MAX_COMMAND_LENGTH])))
    return _straighten(plain.strip(_ENCLOSING_SIGNS).strip())


def normalise_fully(text: str) -> str:
    """Normalise a string like ``normalise``, but in full length.

    Only formatting around all of it is removed.
    """
    return _strip_enclosing_signs(_straighten(clean(unescape(decode_links(text)))))


def _strip_enclosing_signs(text: str) -> str:
    """Remove formatting marks that enclose the whole text, which must already have been decoded (once)."""
    begin, end = 0, len(text)
    while end - begin > 1 and text[begin] in _ENCLOSING_SIGNS and text[begin] == text[end - 1]:
        begin, end = begin + 1, end - 1
        while begin < end and text[begin].isspace():
            begin += 1
        while begin < end and text[end - 1].isspace():
            end -= 1
    return text[begin:end]


def _straighten(text: str) -> str:
    """Make curly quotes straight, and replace dashes that stand for two hyphens with two hyphens."""
    return text if text.isascii() else _LONG_DASH_PATTERN.sub("--", text.translate(STRAIGHT))


def decode_links(text: str) -> str:
    """Decode Slack's notation for URLs and mentions in a message. HTML entities stay encoded."""
    return _LINK_PATTERN.sub(_decode_link, text) if "<" in text else text


def _decode_link(match: re.Match[str]) -> str:
    """Decode one ``<…>`` of Slack's notation: a URL, channel, e-mail address, or mention.

    A mention is kept as it is.
    """
    inside, label = match.group(1), match.group(2)
    match inside[0]:
        case "@":
            # Encode these angle brackets so that they survive until the entities are decoded.
            return f"&lt;{inside}&gt;"
        case "#":
            return f"#{label or inside[1:]}"
        case "!":
            return _decode_date(inside) or label or ""
    # Slack makes links of numbers and of text that looks like a URL (app.py). The label is what was typed.
    label_or_address = label or (inside if "://" in inside else _SCHEME_PATTERN.sub("", inside, count=1))
    return label_or_address if is_same_address(inside, label_or_address) else inside


def _decode_date(inside: str) -> str:
    """Return the time that a date in Slack's notation stands for, or "" if it isn't a date."""
    match = _DATE_PATTERN.fullmatch(inside)
    return "" if match is None else datetime.fromtimestamp(int(match[1]), UTC).isoformat()


def is_same_address(address: str, label: str) -> bool:
    """Return whether a link's label is just the link's own URL or phone number.

    The label may differ in its scheme, its case, a trailing slash, or the characters between a number's
    digits.
    """
    is_number = address[:4].casefold() == "tel:"
    bare = [_SCHEME_PATTERN.sub("", unescape(text), count=1).casefold() for text in (address, label)]
    if is_number:
        bare = ["".join(filter(str.isalnum, text)) for text in bare]
    return bare[0].removesuffix("/") == bare[1].removesuffix("/")


def find_folder(word: str, commands: Mapping[str, str]) -> str:
    """Return the folder that a word stands for, or "" if it doesn't stand for any."""
    word = word.casefold()
    return commands.get(word, "") or _FOLDERS.get(word.rstrip(_TRAILING_SIGNS), "")


def _after_verb(text: str, commands: Mapping[str, str]) -> str:
    """Return the text after the verb. Before the verb, there may be a slash command or ``run``."""
    text = normalise_fully(text)
    if find_folder(text[: _find_word_end(text)], commands):
        text = _strip_enclosing_signs(text[_find_word_end(text) :].strip())
    return text[_find_word_end(text) :].lstrip()


def _parse_flag(token: str) -> str:
    return "" if isinstance(token, Quoted) or not token.startswith("--") else token[2:].casefold()


def _split_tokens(text: str) -> list[str]:
    """Split a string at white space, except inside quotes."""
    if '"' not in text and "'" not in text:
        return text.split()
    tokens: list[str] = []
    scanner = _Scanner(text)
    while not scanner.is_over:
        is_quoted = scanner.closing > 0
        token = scanner.take_word().strip()
        tokens.append(Quoted(token) if is_quoted else token)
    return [token for token in tokens if token]


class _Scanner:
    """Splits a string into words, from left to right and in one pass, even if there are many quotes.

    ``at`` is where the next word begins. ``is_over`` is true if there are no more words.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        #: Maps each quotation mark to the positions where it may end a quotation, the nearest one last.
        self._closing: dict[str, list[int]] = {sign: [] for sign in _QUOTES}
        for match in _CLOSING_PATTERN.finditer(text):
            self._closing[match[0]].append(match.start())
        for ends in self._closing.values():
            ends.reverse()
        self._skip(0)

    @property
    def is_over(self) -> bool:
        """Return whether there are no words left."""
        return self.at >= len(self.text)

    @property
    def word_end(self) -> int:
        """Return the position where the next word ends, whether quoted or not."""
        return _find_word_end(self.text, self.at)

    @property
    def closing(self) -> int:
        """Return the position of the quotation mark that ends this quotation, or -1 if it isn't closed."""
        ends = self._closing.get(self.text[self.at], [])
        while ends and ends[-1] <= self.at:
            ends.pop()
        return ends[-1] if ends else -1

    @property
    def begins_tail(self) -> bool:
        """Return whether the next word is the ``--`` before a program's own words."""
        return _DASHES_PATTERN.fullmatch(self.text, self.at, self.word_end) is not None

    def take_word(self) -> str:
        """Take the next word, without quotes around it.

        A quotation mark within a word is an ordinary character.
        """
        begin, end = self.at, self.closing
        if end > 0:
            self._skip(end + 1)
            return self.text[begin + 1 : end]
        end = self.word_end
        self._skip(end)
        return self.text[begin:end]

    def take_value(self, begin: int, *, is_joined: bool) -> str | None:
        """Take the value of the flag that ends at ``begin``. Return None if it has no value."""
        self.at = begin
        if is_joined and (self.is_over or self.text[begin].isspace()):
            self._skip(begin)
            return ""
        self._skip(begin)
        if not is_joined and (self.is_over or self.begins_tail or _FLAG_PATTERN.match(self.text, self.at)):
            return None
        variable = _VARIABLE_PATTERN.match(self.text, self.at)
        if variable is None:
            return self.take_word()
        self.at = variable.end()
        return variable[0] + self.take_word()

    def _skip(self, at: int) -> None:
        while at < len(self.text) and self.text[at].isspace():
            at += 1
        self.at = at


def _find_word_end(text: str, begin: int = 0) -> int:
    match = _BLANK.search(text, begin)
    return match.start() if match is not None else len(text)


def _strip_quotes(text: str) -> str:
    text = text.strip()
    if len(text) > 1 and text[0] in _QUOTES and text[-1] == text[0]:
        text = text[1:-1].strip()
    return text
