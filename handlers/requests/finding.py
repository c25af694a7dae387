"""Finds the workspaces, runs, verbs and times that a sentence mentions, without deciding what to do."""

import re
from collections.abc import Callable, Collection, Container, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, NamedTuple, TypeVar

from bot.domain.time_parsing import (
    LEADS,
    MONTHS,
    Moment,
    Unread,
    is_day,
    is_recurring,
    normalize_word,
    read_hours,
)
from bot.domain.workspaces import State, Workspace, get_name_in_id
from bot.messages.verb import Verb, find_verb, list_verbs
from bot.support.cleaning import fold
from handlers.requests.command_line import Quoted, fold_word
from handlers.requests.synonyms import find_similar_verbs, split_words

_What_co = TypeVar("_What_co", covariant=True)
#: Maximum number of words in a name. ``_MAX_TIME_WORDS`` applies to times, and ``_MAX_HOURS_WORDS`` to sets
#: of hours. Only the first ``_MAX_WORDS`` words of a sentence are read.
_MAX_NAME_WORDS: Final = 6
_MAX_TIME_WORDS: Final = 7
_MAX_HOURS_WORDS: Final = 8
_MAX_WORDS: Final = 40
#: What ``normalize_word`` turns the word *one* into. Written out, the word isn't taken for part of a time,
#: because it usually refers to a workspace, as in *start that one*.
_ONE: Final = "1"
#: Words that are part of a time wherever they appear.
_TIME_WORDS: Final = split_words(
    """half quarter second minute min hour hr day week fortnight month year time o'clock am pm
    dawn noon midday afternoon evening night midnight weekday weekend breakfast lunch lunchtime dinner
    yesterday tonight later soon then eventually always forever
    hourly daily nightly weekly monthly eod"""
)
#: Words that say that something happens only once.
_ONCE: Final = frozenset({"today", "tomorrow", "tonight", "once"})
#: Minimum similarity, from 0 to 100, between a word and the name of a workspace, run or verb. Words of fewer
#: than ``_MIN_LENGTH`` letters aren't compared.
_MIN_SIMILARITY: Final = 80
_MIN_LENGTH: Final = 3
_SIGNS: Final = re.compile(r"[\W_]+")
#: Matches the abbreviation, offset or name of a time zone.
_ZONE: Final = re.compile(r"[A-Z]{2,5}|(?:UTC|GMT)?[+-][0-9:]+|[A-Za-z]+/[A-Za-z_/]+")


@dataclass(frozen=True, slots=True)
class Found(Generic[_What_co]):
    """The meaning of some words (rows with that name, a verb, a time or hours), and the words' positions."""

    begin: int
    end: int
    what: _What_co


class Time(NamedTuple):
    """A time in a sentence: the word before it, the time as typed, and the moments that it may mean."""

    lead: str
    text: str
    moments: tuple[Moment, ...]
    unread: Unread | None = None


def squeeze(text: str) -> str:
    """Reduce a name to its letters and digits: *churn eda* and *Churn_EDA* both become ``churneda``."""
    return _SIGNS.sub("", fold(text))


def list_names(rows: Sequence[Workspace], places: Container[str] = ()) -> list[tuple[str, object]]:
    """Return workspaces' names, plus ``NAME@CONNECTION`` for those on the connections in ``places``.

    A workspace that no longer exists is left out if another one has the same name.
    """
    names = [({row.alias, row.name, row.remote_id, get_name_in_id(row.remote_id)}, row) for row in rows]
    every = [(name, row) for own, row in names for name in own if name]
    existing = {squeeze(name) for name, row in every if row.state is not State.GONE}
    own = [(name, row) for name, row in every if row.state is not State.GONE or squeeze(name) not in existing]
    return [*own, *((f"{name}@{row.connection}", row) for name, row in own if row.connection in places)]


def find_names(words: Sequence[str], named: Iterable[tuple[str, object]]) -> list[Found[tuple[object, ...]]]:
    """Find complete names among words. At each position, only the longest one is returned."""
    things = _group(((squeeze(name), thing) for name, thing in named))
    found, at = list[Found[tuple[object, ...]]](), 0
    while at < min(len(words), _MAX_WORDS):
        last = at + 1 if isinstance(words[at], Quoted) else min(at + _MAX_NAME_WORDS, len(words))
        keys = ((end, _strip_possessive(words[at:end])) for end in range(last, at, -1))
        end, key = next(((end, key) for end, key in keys if key in things), (at + 1, ""))
        found += [Found(at, end, things[key])] if key else []
        at = end
    return found


def find_similar(
    words: Sequence[str], free: Sequence[int], named: Iterable[tuple[str, object]]
) -> list[Found[tuple[object, ...]]]:
    """Find things with a name that contains or resembles one of the free words (such as *gpu*).

    Free words are those that haven't been given a meaning yet.
    """
    parts = _group(
        (part, thing)
        for name, thing in named
        for part in {squeeze(name), *_SIGNS.split(fold(name))}
        if len(part) >= _MIN_LENGTH
    )
    found = list[Found[tuple[object, ...]]]()
    for at in free:
        key = _strip_possessive(words[at : at + 1])
        alike = [(key, 100.0, 0)] if key in parts else []
        if not alike and len(key) > _MIN_LENGTH:
            from rapidfuzz import fuzz, process  # noqa: PLC0415 - only needed for typing mistakes

            alike = process.extract(key, [*parts], scorer=fuzz.ratio, score_cutoff=_MIN_SIMILARITY, limit=3)
        best = [thing for part, score, _ in alike if score == alike[0][1] for thing in parts[part]]
        found += [Found(at, at + 1, (*{id(thing): thing for thing in best}.values(),))] if best else []
    return found


def _group(pairs: Iterable[tuple[str, object]]) -> dict[str, tuple[object, ...]]:
    """Group things by name, dropping duplicates within each group."""
    groups: dict[str, dict[int, object]] = {}
    for name, thing in pairs:
        groups.setdefault(name, {})[id(thing)] = thing
    return {name: tuple(things.values()) for name, things in groups.items() if name}


def find_verbs(words: Sequence[str], free: Sequence[int], plain: Collection[str] = ()) -> list[Found[Verb]]:
    """Find the verbs that free words stand for: a verb's name, a synonym, or a misspelling of either.

    Free words are those that haven't been given a meaning yet.
    """
    known, folded = list_verb_words(), [fold_word(word) for word in words]
    typed = [name for name, verb in list_verbs("workspace").items() if not verb.is_hidden]
    # *About* is a preposition, except as the first word.
    exact = {
        at: known[folded[at]] for at in free if folded[at] in known and (folded[at] != "about" or not at)
    }
    # *stopped* and *stopping* aren't orders.
    for at in free if not exact else ():
        word = folded[at]
        if word in plain or word.endswith(("ed", "ing")) or len(word) <= _MIN_LENGTH:
            continue
        near = find_similar_verbs(word, "workspace", typed)
        exact |= {at: find_verb("workspace", near[0])} if len(near) == 1 else {}
    return [Found(at, at + 1, verb) for at, verb in exact.items()]


def is_past(word: str) -> bool:
    """Return whether a word says that something has already been done, like *stopped* or *restarted*."""
    known = list_verb_words()
    return word.endswith("ed") and any(word[:-count] in known for count in (1, 2, 3))


def list_verb_words() -> dict[str, Verb]:
    """Map each word for a verb to the verb. If a word stands for two, the workspace verb takes precedence."""
    every = [verb for folder in ("job", "workspace") for verb in list_verbs(folder).values()]
    every = [verb for verb in every if not verb.is_hidden]
    words = {word: verb for verb in every for word in f"{verb.also} {verb.heard}".split()}
    return words | {verb.name: verb for verb in every}


def list_free(words: Sequence[str], found: Sequence[Found[Any]]) -> list[int]:
    """Return the positions of the words that haven't been given a meaning yet."""
    taken = {at for one in found for at in range(one.begin, one.end)}
    return [at for at in range(len(words)) if at not in taken]


def find_times(
    words: Sequence[str], names: Sequence[Found[Any]], read: Callable[[str], Moment | Unread]
) -> list[Found[Time]]:
    """Find times among words, at each position the longest. An ambiguous time has two meanings."""
    free, found, at = {*list_free(words, names)}, list[Found[Time]](), 0
    free -= {at for at in free if isinstance(words[at], Quoted)}
    while at < min(len(words), _MAX_WORDS):
        for end in range(min(at + _MAX_TIME_WORDS, len(words)), at, -1):
            text = " ".join(map(fold_word, words[at:end]))
            if free.issuperset(range(at, end)) and (time := _read_time(text, end - at, read)) is not None:
                found.append(Found(at, end, time))
                at = end - 1
                break
        at += 1
    return found


def _read_time(text: str, count: int, read: Callable[[str], Moment | Unread]) -> Time | None:
    lead = normalize_word(text.partition(" ")[0])
    lead = lead if lead in LEADS and count > 1 else ""
    # `may`, `sat` and `second` are also ordinary words.
    if count == 1 and text.isalpha() and text not in {"noon", "midday", "midnight"}:
        return None
    read_as = read(text)
    if isinstance(read_as, Moment):
        return None if not lead and text.isdigit() else Time(lead, text, (read_as,))
    if read_as.why in {"unreadable", "no_time"} or not (lead or count > 1 or read_as.why == "ambiguous"):
        return None
    options = (read(one) for one in read_as.options)
    return Time(lead, text, tuple(one for one in options if isinstance(one, Moment)), read_as)


def is_like_time(word: str) -> bool:
    """Return whether a word looks like part of a time.

    If it does but can't be parsed as one, it is unclear which time is meant.
    """
    forms = {word, word.removesuffix("s")}
    number = normalize_word(word)
    is_number = any(map(str.isdigit, word)) or (number.isdecimal() and number != _ONE)
    return is_number or any(is_day(form) or form in MONTHS or form in _TIME_WORDS for form in forms)


def is_like_zone(word: str) -> bool:
    """Return whether a word that follows a time may be a time zone.

    If it may but can't be parsed as one, it is unclear which time is meant.
    """
    return _ZONE.fullmatch(word.rstrip(".,;!?")) is not None


def find_hours(words: Sequence[str], names: Sequence[Found[Any]]) -> list[Found[str]]:
    """Find the longest sequence of words that states weekly hours. Return [] if there is none."""
    folded, free = [fold_word(word) for word in words], {*list_free(words, names)}
    spans = [
        (at, end)
        for at in range(min(len(words), _MAX_WORDS))
        for end in range(at + 2, min(at + _MAX_HOURS_WORDS, len(words)) + 1)
    ]
    for at, end in sorted(spans, key=lambda span: span[0] - span[1]):
        said = folded[at:end]
        if free.issuperset(range(at, end)) and _ONCE.isdisjoint(said):
            hours = read_hours(" ".join(said))
            if hours is not None and (is_recurring(said) or len(hours.days) > 1):
                return [Found(at, end, " ".join(said))]
    return []


def _strip_possessive(words: Sequence[str]) -> str:
    text = " ".join(words)
    return squeeze(text if isinstance(words[0], Quoted) else text.rstrip("?!.,:;").removesuffix("'s"))
