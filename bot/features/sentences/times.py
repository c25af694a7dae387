"""Times in sentences: their places, kinds and texts, for any verb; pure.

That is a time of day or a length, how much longer, or working hours, in the words that follow a name after
``hours``: ``DAYS TIMES``, ``restart DAYS TIME``, ``off``, ``on``, ``skip DAYS`` or ``pause until DAY``. How
they are written is read in ``bot.domain.time_parsing``.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import groupby, pairwise
from typing import Final

from bot.domain import time_parsing
from bot.domain.time_parsing import DAY_MINUTES, EVERY_DAY, LEADS, Phrase, Wanted
from bot.domain.timers import MORE_SECONDS
from bot.features.sentences import phrasebook
from bot.features.sentences.words import count_leading
from handlers import vocabulary
from handlers.command_line import fold_word, is_clause_end


def _word_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_EXCEPTION_WORDS: Final = _word_set("not without ohne außer ausser excluding besides nicht")
_PARTS_OF_DAYS: Final = _word_set("morning afternoon evening night")
#: What joins hours to the words around them, before and after.
_LEADING_JOINTS: Final = _word_set("and the to in")
_TRAILING_JOINTS: Final = _LEADING_JOINTS | {"at", "from", "on"}
#: Words for a length that counts from a planned end, and those that mean an hour with it.
_PROLONGING_WORDS: Final = _word_set("longer more another extra additional further")
_VAGUE_LENGTHS: Final = _word_set("time a bit little some while")
#: What else hours are called.
_HOURS_SYNONYMS: Final = dict.fromkeys(
    _word_set("schedule schedules hrs timetable arbeitszeiten zeiten"), "hours"
)
#: What a time can begin with, and what else can be in one.
_UNTIL_LEADS: Final = _word_set("until till til 'til")
_FIRST_WORDS: Final = LEADS.keys() | _word_set(
    """day on over during later this coming the next all rest remainder end close eod half halb quarter
    couple noon midday midnight morning afternoon evening night lunch a an am"""
)
_TIME_WORDS: Final = _FIRST_WORDS | _word_set(
    """of day days fortnight week weeks wk hour hours hr hrs h m min mins minute minutes d w my work working
    business play past to and from now or so latest pm o'clock der die den today"""
)
_MAX_TIME_WORDS: Final = 10
#: A text in which more is tried to be read as a time is no request.
_MAX_ATTEMPTS: Final = 200
#: What looks like a time where none can be read.
_CLOCK_PATTERN: Final = re.compile(
    r"[0-9]{1,2}(?:[:.h][0-9]{2}(?:[ap]m)?|[ap]m|h|min|ish)|[0-9]{1,3}|[0-9]+(?:/[0-9]+){1,2}"
)
_CLOCK_WORDS: Final = _word_set("half halb quarter noon midday midnight")
#: What comes before a day, or a length, that is none.
_NO_TIMES: Final = _word_set("good nice great lovely happy guten gute schönen what such quite")
#: What lets a day be another one than its name says, and what counts from a day, or from another time.
_OTHER_DAYS: Final = _word_set(
    "next last first second third fourth other every each previous letzten half past"
)
_BEFORE_NONE: Final = _NO_TIMES | _CLOCK_WORDS | _PARTS_OF_DAYS | _OTHER_DAYS
_COUNTED: Final = _word_set("day days week weeks hour hours minutes fortnight")
#: What may stand between the word that announces a time and the time, and what only says that it isn't now.
_FILLING: Final = _word_set("the a an about some maybe like")
_VAGUE: Final = _word_set("later soon sometime someday eventually")
#: What follows *at* and is no time.
_AFTER_AT_WORDS: Final = _word_set(
    "once all least last first most home work school what moment same desk my the hand"
)
_PAST: Final = _word_set("yesterday gestern")
_ZONES: Final = _word_set("utc gmt est edt cst cdt mst mdt pst pdt cet cest bst")
_AMOUNTS: Final = _word_set("bit while moment sec second little jiffy few time")
_WEEKS: Final = _word_set("weekday workday weekend")
_SPAN_WORDS: Final = _WEEKS | {"day", "days"}
#: So many words may stand between a time and what announces it.
_MAX_FILLING: Final = 6
#: How often, before ``a day``.
_HOW_OFTEN: Final = _word_set("once twice times")
#: On these days every *next Monday* is one, as it is on any other.
_SATURDAY: Final = date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class Times:
    """The times of a text, and the places of their words.

    ``when`` may be a day without an hour: reading it says so. ``is_unread``: one can't be read, or there are
    two: the others are ``more_times``, and ``days`` is their text if that names several days. ``kinds`` are
    kinds of times by their first places.
    """

    places: frozenset[int] = frozenset()
    when: Phrase | None = None
    more: float = 0.0
    hours: str = ""
    is_unread: bool = False
    kinds: Mapping[int, str] = field(default_factory=dict)
    #: The hours, if they can be read, and whether both ends were said with verbs of their own.
    wanted: Wanted | None = None
    omits_hours: bool = False
    more_times: tuple[Phrase, ...] = ()
    days: str = ""

    @property
    def open_day(self) -> str:
        """Return the text of a day that has no hour and isn't announced as an end; "" for anything else."""
        is_open = self.when is not None and not self.when.lead and {*self.kinds.values()} == {"day"}
        return self.when.text if self.when and is_open else ""

    def write_order(self, verb: str) -> str:
        """Return the words that follow a name after ``hours``, for a verb; what it can't do can't be read."""
        said = write_order("start" if self.omits_hours else verb, self.wanted)
        return said or (self.hours and f"{verb} {self.hours}")


def find(words: Sequence[str], named: AbstractSet[int] = frozenset()) -> Times:
    """Return the times among words, wherever they are; ``named`` are places of names, which are none."""
    folded = _mark_exceptions([time_parsing.normalize_word(fold_word(word)) for word in words])
    found = _find_hours(folded, named)
    if _is_of_two(words, folded, found.places):
        found = replace(found, hours="", wanted=None, is_unread=True)
    if not found.places and (more := _find_prolongation(folded, named)):
        found = Times(frozenset(more[0]), more=more[1], kinds={min(more[0]): "long"})
    phrases = _find_phrases(words, folded, {*named, *found.places})
    # `done for today` says no time at which anything could be done.
    vague = {min(phrase[0]): "day" for phrase in phrases if phrase[2] == "day" and phrase[1].lead == "for"}
    phrases = [phrase for phrase in phrases if min(phrase[0]) not in vague]
    days, times = (
        [phrase for phrase in phrases if (phrase[2] == "day") is is_day] for is_day in (True, False)
    )
    if len(days) == len(times) == 1:
        (_, day, _), (_, time, kind) = days[0], times[0]
        text = f"{day.text} {time.text}"
        if time_parsing.time_kind(text) == "time":
            times = [((*days[0][0], *times[0][0]), replace(time, text=text), kind)]
            days = []
    if len(times) > 1:
        # `feierabend um 18 Uhr` is at six.
        times = [phrase for phrase in times if not time_parsing.is_ending(phrase[1].text)] or times
    both = sorted([*days, *times], key=lambda phrase: min(phrase[0]))
    timed = {*found.places, *(at for phrase in both for at in phrase[0])}
    unread_places = [
        phrase for phrase in _find_unread(folded, {*named, *timed}, timed) if min(phrase[0]) - 1 not in vague
    ]
    # Neither does `done for this week`.
    unread_places = [
        phrase
        for phrase in unread_places
        if folded[max(min(phrase[0]) - 2, 0) : min(phrase[0])] != ["for", "this"]
    ]
    is_vague = bool(unread_places) or _is_vague(folded, named, timed)
    marks = (
        vague
        | {min(phrase[0]): phrase[2] for phrase in both}
        | {min(places): kind for places, kind in unread_places}
    )
    is_second = len(both) + bool(found.places) > 1
    return replace(
        found,
        places=found.places.union(*(phrase[0] for phrase in both), *(places for places, _ in unread_places)),
        # What stands beside a time that can't be read may be a part of that.
        when=both[0][1] if both and not is_vague else None,
        is_unread=found.is_unread or is_second or is_vague,
        kinds={**found.kinds, **marks},
        more_times=tuple(phrase[1] for phrase in both[1:]),
        days=_join_days(words, days) if not times else "",
    )


def _join_days(words: Sequence[str], days: Sequence[tuple[tuple[int, ...], Phrase, str]]) -> str:
    """Return the text of several days in a row: ``from 21 dec to 4 jan``; "" for anything else."""
    if len(days) < 2:
        return ""
    begin, end = min(days[0][0]), max(days[-1][0]) + 1
    # `from` isn't a part of the first day.
    texts = (" ".join(words[first:end]) for first in (max(begin - 1, 0), begin))
    return next(filter(has_days, texts), "")


def _find_phrases(
    words: Sequence[str], folded: Sequence[str], besides: AbstractSet[int]
) -> list[tuple[tuple[int, ...], Phrase, str]]:
    """Return the places of each time, its phrase, and its kind."""
    phrases: list[tuple[tuple[int, ...], Phrase, str]] = []
    begin = tries = 0
    while begin < len(words) and tries < _MAX_ATTEMPTS:
        end = begin
        while (
            end < min(len(words), begin + _MAX_TIME_WORDS) and end not in besides and _is_within(folded[end])
        ):
            end += 1
        # `what a day`; and what begins with *next* or *half* isn't what follows that.
        before = folded[max(begin - 2, 0) : begin]
        is_counted = _is_counted_from(folded[max(begin - 1, 0) : begin + 1]) or _is_counted_from(before)
        is_none = is_counted or not _BEFORE_NONE.isdisjoint(before[-1:])
        while end > begin and not is_none and _can_begin(folded[begin]):
            text, tries = " ".join(words[begin:end]).rstrip(",;"), tries + 1
            if kind := time_parsing.time_kind(text):
                # `for tomorrow at 7` is when it begins.
                is_begin = (
                    folded[begin] == "for"
                    and kind == "time"
                    and any(map(time_parsing.is_day, folded[begin:end]))
                )
                preposition = "at" if is_begin else _find_preposition(folded[begin], kind)
                phrases.append(
                    (tuple(range(begin, end)), Phrase(preposition, text), _find_kind(preposition, kind))
                )
                begin = end - 1
                break
            end -= 1
        begin += 1
    return phrases


def _is_counted_from(two: Sequence[str]) -> bool:
    """Return whether words begin a time that counts from another one: ``week from``, ``hours before``."""
    return len(two) > 1 and two[0] in _COUNTED and two[1] in {"from", "after", "before"}


def _find_preposition(word: str, kind: str) -> str:
    if word in LEADS:
        return {"about": "at", "before": "by"}.get(word, word)
    return "at" if kind == "time" else ""


def _find_kind(preposition: str, kind: str) -> str:
    if kind == "day":
        return "day"
    if preposition in _UNTIL_LEADS or (preposition == "for" and kind == "time"):
        return "until"
    return "at" if kind == "time" else {"for": "for", "in": "in", "after": "in"}.get(preposition, "long")


def _can_begin(word: str) -> bool:
    return (
        word in _FIRST_WORDS or word[:1].isdigit() or time_parsing.is_day(word) or time_parsing.is_month(word)
    )


def _is_within(word: str) -> bool:
    return not word or word in _TIME_WORDS or _can_begin(word)


def _find_unread(
    folded: Sequence[str], besides: AbstractSet[int], timed: AbstractSet[int]
) -> list[tuple[tuple[int, ...], str]]:
    """Return the places and the kind of each apparent time that can't be read."""
    places_and_kinds: list[tuple[tuple[int, ...], str]] = []
    for at, word in enumerate(folded):
        words_before = range(at - 1, max(at - _MAX_FILLING, -1), -1)
        begin = next(
            (place for place in words_before if folded[place] not in _FILLING or place in besides), -1
        )
        preposition = folded[begin] if begin >= 0 and begin not in besides else ""
        before = folded[at - 1] if at and at - 1 not in besides else ""
        if at in besides or {preposition, before} & _NO_TIMES:
            continue
        is_led = (
            preposition in LEADS or preposition == "from" or (preposition == "on" and not word[:1].isdigit())
        )
        is_number = word.isdecimal() or word[:1] == "0"
        # `at 5 30`, `at 5 or 6`
        is_led_by_time = at - 1 in timed or (at - 2 in timed and folded[at - 1] in {"or", "and", "to"})
        is_clock = _CLOCK_PATTERN.fullmatch(word) is not None
        is_clock &= not is_number or is_led_by_time or (is_led and begin == at - 1)
        if is_clock or (is_led and (word in _CLOCK_WORDS or time_parsing.is_month(word))):
            kind = (
                "at"
                if LEADS.get(preposition, "time") != "length"
                else "for"
                if preposition == "for"
                else "in"
            )
            places = (*range(begin, at + 1),) if is_led else (at,)
            places_and_kinds.append((places, "until" if preposition in _UNTIL_LEADS else kind))
        elif time_parsing.is_day(word) or word in _PARTS_OF_DAYS or time_parsing.is_recurring([word]):
            places_and_kinds.append(((at,), "day"))
        elif word in {"hours", "minutes"} and before in {"few", "some", "several"}:
            places_and_kinds.append(((at - 1, at), "long"))
    return places_and_kinds


def _is_vague(folded: Sequence[str], named: AbstractSet[int], timed: AbstractSet[int]) -> bool:
    """Return whether words say that it isn't now, but not when: ``later``, ``not now``, ``in a bit``."""
    words = ["" if at in named else word for at, word in enumerate(folded)]
    for at, (word, before) in enumerate(zip(words, ["", *words], strict=False)):
        if word in _PAST or (word in _ZONES and at - 1 in timed):
            return True
        if at not in timed and _is_counted_from((before, word)):
            return True
        is_plural = word in _WEEKS | {"days", "weeks"} and at not in timed
        is_week = word in {"week", "month"} and before in {"next", "this", "coming"}
        if (
            is_plural
            or (is_week and at not in timed)
            or (
                # `for tomorrow's lecture at 9`
                timed and word.endswith("'s") and time_parsing.is_day(word[:-2])
            )
        ):
            return True
        is_every = word in {"every", "each"} and at not in timed
        if is_every and any(map(time_parsing.is_of_hours, words[at + 1 : at + 3])):
            return True
        preposition = next(
            (word_ for word_ in reversed(words[max(at - _MAX_FILLING, 0) : at]) if word_ not in _FILLING), ""
        )
        is_alone = timed.isdisjoint({at - 1, at, at + 1})
        if (word in _VAGUE and before != "as" and is_alone) or (word in _UNTIL_LEADS and at not in timed):
            return True
        if word in {"now", "yet"} and {"not", "nicht"}.intersection(words[max(at - 2, 0) : at]):
            return True
        is_at = before in _FILLING | {"at"} and preposition == "at" and word not in _FILLING | _AFTER_AT_WORDS
        if is_at and at not in {*timed, *named}:
            return True
        is_amount = word in _AMOUNTS and at not in timed
        is_indefinite = not {"some", "another"}.isdisjoint(words[max(at - 2, 0) : at])
        if is_amount and (is_indefinite or (before in _FILLING and preposition in {"in", "for", "after"})):
            return True
        if (
            before in _HOW_OFTEN
            and word in {"a", "per"}
            and any(map(time_parsing.length, words[at + 1 : at + 2]))
        ):
            return True
    return False


def _mark_exceptions(folded: list[str]) -> list[str]:
    """Return words with ``except`` for each word that leaves days out: ``but not on fridays``."""
    marked = [*folded]
    for at, (word, *then) in enumerate(zip(folded, [*folded[1:], ""], [*folded[2:], "", ""], strict=False)):
        day = then[then[0] in {"on", "the"}]
        if word in _EXCEPTION_WORDS and time_parsing.days_of(day):
            begin = at - (at > 0 and folded[at - 1] == "but")
            marked[begin : at + 1] = ["except"] * (at + 1 - begin)
    return marked


def _is_of_two(words: Sequence[str], folded: Sequence[str], places: Collection[int]) -> bool:
    """Return whether days stand in two clauses, each of which says something of its own."""
    days = [at for at in sorted(places) if time_parsing.days_of(folded[at])]
    between = (range(first, then) for first, then in pairwise(days) if "except" not in folded[first:then])
    return any(not set(gap) <= set(places) and any(is_clause_end(words[at]) for at in gap) for gap in between)


# -- how much longer -------------------------------------------------------------------------------------


def _find_prolongation(
    folded: Sequence[str], named: AbstractSet[int]
) -> tuple[Collection[int], float] | None:
    """Return the places of a prolongation, and its seconds: ``another hour``, ``30 min more``."""
    if not _PROLONGING_WORDS.intersection(folded):
        return None
    for begin in range(len(folded)):
        for end in range(min(len(folded), begin + _MAX_TIME_WORDS), begin, -1):
            places = range(begin, end)
            if named.isdisjoint(places) and (seconds := _parse_prolongation(folded[begin:end])) is not None:
                return places, seconds
    return None


def _parse_prolongation(words: Sequence[str]) -> float | None:
    """Return the seconds of a prolongation, if words mean nothing else; ``longer`` is an hour."""
    length = [word for word in words if word not in _PROLONGING_WORDS and word not in {"by", "for"}]
    if not _PROLONGING_WORDS.intersection(words):
        return None
    if length == ["time"] and "another" in words:
        return None
    if set(length) <= _VAGUE_LENGTHS:
        return MORE_SECONDS if length or "longer" in words else None
    return time_parsing.length(" ".join(length))


# -- working hours ---------------------------------------------------------------------------------------


def is_exception(order: str) -> bool:
    """Return whether an order leaves days out of hours, pauses or resumes them, which takes nothing away."""
    return order.partition(" ")[0] in {"skip", "pause", "on"}


def ends_in_exception(words: Sequence[str]) -> bool:
    """Return whether words end in the day that hours or a lesson leave out: ``skip today``."""
    said = [fold_word(word) for word in words if fold_word(word) != "for"]
    return len(said) > 1 and said[-2] in vocabulary.HOURS_EXCEPTIONS and time_parsing.is_day(said[-1])


def read_hours_order(words: Sequence[str], name_places: AbstractSet[int]) -> str | None:
    """Return the order about hours in a whole sentence, "" for a question about them; None for any other.

    ``name_places`` are the places of names.
    """
    typed = [fold_word(word) for at, word in enumerate(words) if at not in name_places]
    words_said = [*typed[:1], *(_HOURS_SYNONYMS.get(word, word) for word in typed[1:])]
    rest = [word for word in words_said if word not in phrasebook.BESIDES_HOURS and word != "hours"]
    folded = [
        "" if fold_word(word) == "hours" else time_parsing.normalize_word(fold_word(word)) for word in words
    ]
    places = _find_hours_places(folded, name_places)
    parts = [folded[at] for at in places]
    others = {fold_word(word) for at, word in enumerate(words) if at not in {*name_places, *places}} & {*rest}
    is_set = bool(phrasebook.SETTING_HOURS & set(rest)) or "hours" in words_said
    if is_set and others <= phrasebook.SETTING_HOURS and (wanted := time_parsing.read_hours(" ".join(parts))):
        return time_parsing.write_hours(wanted)
    if set(rest) > phrasebook.BY_ITSELF and set(rest) <= phrasebook.NOT_BY_ITSELF:
        return "off"
    match rest:
        case ["stop", "starting", *when] if all(map(time_parsing.is_of_hours, when)):
            return "off"
    rest = [word for word in rest if word not in phrasebook.OF_ALL_HOURS] if "hours" in words_said else rest
    if (leaving_out := _read_days_off(words_said, rest)) is not None:
        return leaving_out
    if "hours" not in words_said:
        return None
    for order, (meaning, besides) in vocabulary.HOURS_ORDERS.items():
        if meaning & set(rest) and set(rest) <= meaning | besides:
            return order
    return "" if set(rest) <= phrasebook.ASKING_HOURS else None


def _read_days_off(said: Sequence[str], rest: Sequence[str]) -> str | None:
    """Return the order to leave days out of hours, or to pause until one; None for any other sentence."""
    match rest:
        case ["no" | "skip" | "pause" | "off" as verb, *_]:
            last = verb
        case ["don't" | "dont" | "never" as verb, "start" | "run" as last, *_]:
            pass
        case _:
            return None
    besides = vocabulary.SINGULAR_PRONOUNS | phrasebook.OF_ALL_HOURS | {"hours"}
    days = [word for word in said[said.index(last) + 1 :] if word not in besides]
    while days and days[-1] in phrasebook.BESIDES_HOURS:
        days = days[:-1]
    opening = {"until", "till", "for", "from"}
    while days and days[0] in phrasebook.BESIDES_HOURS - opening:
        days = days[1:]
    text = " ".join(days)
    if not has_days(text):
        return None
    is_several = days[0] in opening or len(time_parsing.read_days(text, _SATURDAY)) > 1
    if verb not in {"pause", "off"}:
        return f"skip {text}"
    if verb == "pause" and is_several:
        return f"pause {text}"
    return f"skip {text}" if "hours" in said else None


def has_days(text: str) -> bool:
    """Return whether a text names days, whenever it is said."""
    return any(time_parsing.read_days(text, _SATURDAY + timedelta(days=more)) for more in (0, 1))


def _find_hours(folded: Sequence[str], named: AbstractSet[int]) -> Times:
    """Return hours that come again and again, or from one time to another; none if there are none.

    They come again only if a word says so, or several days of a week are listed.
    """
    joint, is_stop = _find_joint(folded, named)
    places = [at for at in _find_hours_places(folded, {*named, *joint}) if at not in named]
    parts = [folded[at] for at in places]
    text = " ".join(parts)
    if joint:
        sides = [
            [folded[at] for at in places if (at < joint.start) is is_first] for is_first in (True, False)
        ]
        starts, stops = sides if is_stop else sides[::-1]
        text = " ".join([*starts, "until", *stops])
    wanted, places_of_hours = time_parsing.read_hours(text), frozenset((*places, *joint))
    # `all day`, and a weekend, aren't several days of a week, nor are those in several places.
    named_days = [at for at in places if time_parsing.days_of(folded[at])]
    is_row = not named_days or {*range(named_days[0], named_days[-1])} <= {*places}
    is_row = is_row and not _SPAN_WORDS.intersection(parts)
    is_enumerated = is_row and wanted is not None and len(wanted.days & EVERY_DAY) > 1
    is_recurring = time_parsing.is_recurring(parts) or is_enumerated
    if is_recurring or (joint and wanted is not None and not wanted.days & EVERY_DAY):
        order = "" if wanted is None else time_parsing.write_hours(wanted)
        return Times(
            places_of_hours,
            None,
            0.0,
            order,
            wanted is None,
            {min(places_of_hours): "days"},
            wanted,
            bool(joint),
        )
    is_time = time_parsing.time_kind(text) == "time"
    span = None if is_time else wanted or time_parsing.read_hours(f"daily {text}")
    if span is None or None in (span.starts, span.stops) or (joint and wanted is None):
        return Times()
    is_once = wanted is not None and not wanted.days & EVERY_DAY
    once = (time_parsing.write_hours(span), False, span) if is_once else ("", True, None)
    return Times(places_of_hours, None, 0.0, once[0], once[1], {min(places_of_hours): "span"}, once[2])


def _find_joint(folded: Sequence[str], named: AbstractSet[int]) -> tuple[range, bool]:
    """Return the place of ``and stop it`` between a start and a stop, or of ``and start it``."""
    words = ["it" if at in named else word for at, word in enumerate(folded)]
    for at in range(len(words)):
        then = at + next(
            count for count in (2, 1, 0) if vocabulary.THEN_WORDS.issuperset(words[at : at + count])
        )
        for other in (phrasebook.AND_STOP, phrasebook.AND_START) if then > at and at not in named else ():
            if count := count_leading(words[then:], other):
                return range(at, then + count), other is phrasebook.AND_STOP
    return range(0), False


def write_order(verb: str, wanted: Wanted | None) -> str:
    """Return the order of hours by a verb; what is said of a stop is when it comes."""
    if wanted is None:
        return ""
    is_start, is_whole = wanted.starts is not None, None not in (wanted.starts, wanted.stops)
    if verb in {"start", "resume"} or (verb == "keep" and is_whole):
        return time_parsing.write_hours(wanted) if is_start else ""
    if verb == "restart" and not is_whole and is_start:
        return f"restart {time_parsing.write_hours(wanted)}"
    if verb == "stop" and not is_whole:
        stops = wanted.stops if wanted.starts is None else wanted.starts or DAY_MINUTES
        return time_parsing.write_hours(replace(wanted, starts=None, stops=stops))
    return ""


def _find_hours_places(folded: Sequence[str], named: AbstractSet[int]) -> Collection[int]:
    """Return the places of words that belong to hours: runs of such words that name a day or a time."""
    places: list[int] = []
    is_part = [at not in named and time_parsing.is_of_hours(word) for at, word in enumerate(folded)]
    for is_run, run_ in groupby(range(len(folded)), is_part.__getitem__):
        run = list(run_)
        while (
            run
            and folded[run[0]] in _LEADING_JOINTS
            and not _PARTS_OF_DAYS.intersection(folded[run[0] :][:3])
        ):
            run = run[1:]
        while run and folded[run[-1]] in _TRAILING_JOINTS:
            run = run[:-1]
        parts = [folded[at] for at in run]
        if is_run and (time_parsing.is_recurring(parts) or not all(map(time_parsing.omits_hours, parts))):
            places += run
    return places
