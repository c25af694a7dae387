"""Read what people write about working hours; pure. It becomes the words that follow a name after ``hours``.

That is ``DAYS TIMES``, ``restart DAYS TIME``, ``off``, ``on``, ``skip DAY`` or ``pause until DAY``.
"""

from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from itertools import groupby, pairwise
from typing import Final

from bot.domain import hours, moments
from bot.domain.hours import Wanted
from handlers.command_line import plain
from handlers.language import vocabulary
from handlers.language.words import begins, repeats

#: A restart is a stop, which is warned of, and a start this many minutes later.
_DOWN_MINUTES: Final = 10
_PARTS_OF_DAYS: Final = vocabulary.LATE | {"morning", "mornings"}
#: What joins hours to the words around them, before and after.
_BEFORE: Final = frozenset({"and", "the", "to", "in"})
_AFTER: Final = _BEFORE | {"at", "from", "on"}


def wanted_of(text: str) -> tuple[Wanted, ...]:
    """Return the hours that a text names; none if it names no hours."""
    verb, _, rest = text.partition(" ")
    is_restart = verb.casefold() == "restart"
    found = hours.read(rest if is_restart else text)
    if found is None or not is_restart:
        return () if found is None else (found,)
    if found.starts is None or found.stops is not None:
        return ()
    again = found.starts + _DOWN_MINUTES
    return Wanted(found.days, stops=found.starts), Wanted(found.days, starts=again)


def is_order(text: str) -> bool:
    """Return whether words after a name say what becomes of its hours."""
    verb, _, rest = text.casefold().partition(" ")
    said = (not rest and verb in vocabulary.ABOUT_HOURS) or (verb in {"skip", "pause"} and bool(rest))
    return said or bool(wanted_of(text))


def about(words: Sequence[str], named: AbstractSet[int]) -> str | None:
    """Return what a whole sentence says about hours, "" for a question about them; None for any other.

    ``named`` are the places of names.
    """
    said = [plain(word) for at, word in enumerate(words) if at not in named]
    rest = [word for word in said if word not in vocabulary.BESIDES_HOURS and word not in {"hours", "next"}]
    folded = ["" if plain(word) == "hours" else plain(word) for word in words]
    parts = [folded[at] for at in _places(folded, named)]
    is_set = set(rest) - set(parts) <= vocabulary.SETTING_HOURS and vocabulary.SETTING_HOURS & set(rest)
    if is_set and (wanted := _read(parts)) is not None:
        return hours.written(wanted)
    if set(rest) > vocabulary.BY_ITSELF and set(rest) <= vocabulary.NOT_BY_ITSELF:
        return "off"
    match rest:
        case ["stop", "starting", *when] if all(map(_is_part, when)):
            return "off"
        case ["no", day] | ["don't" | "dont" | "never", "start" | "run", day] if moments.is_day(day):
            return f"skip {day}"
        case ["skip", day] if moments.is_day(day):
            return f"skip {day}"
        case ["pause", "until" | "till", day] if moments.is_day(day) or day == "week":
            return f"pause until {day}"
    if "hours" not in said:
        return None
    for order, (meaning, besides) in vocabulary.ABOUT_HOURS.items():
        if meaning & set(rest) and set(rest) <= meaning | besides:
            return order
    return "" if set(rest) <= vocabulary.ASKING_HOURS else None


def split(verb: str, words: tuple[str, ...], named: AbstractSet[int]) -> tuple[tuple[str, ...], str]:
    """Split hours that come again and again off a request; "" if it has none.

    What repeats but can't be read, or isn't what the verb can do, is returned so that it can't be read.
    """
    folded = [plain(word) for word in words]
    joint = _joint(verb, folded, named)
    places = [at for at in _places(folded, {*named, *joint}) if at not in named]
    parts = [folded[at] for at in places]
    wanted = _read(parts)
    if joint:
        sides = [
            [folded[at] for at in places if (at < joint.start) is is_first] for is_first in (True, False)
        ]
        starts, stops = sides[::-1] if verb == "stop" else sides
        wanted, verb = _read([*starts, "until", *stops]), "start"
    is_plural = any(
        part != "days" and part.endswith(("days", "mornings", "evenings", "nights")) for part in parts
    )
    comes_again = wanted is not None and (
        bool(joint) or is_plural or len(wanted.days) > 1 or bool(vocabulary.EVERY.intersection(parts))
    )
    if not (comes_again or repeats(parts)):
        return words, ""
    rest = tuple(word for at, word in enumerate(words) if at not in {*places, *joint})
    return rest, order(verb, wanted) or f"{verb} {' '.join(parts)}"


def _joint(verb: str, folded: Sequence[str], named: AbstractSet[int]) -> range:
    """Return where ``and stop it`` joins when something starts and when it stops, or ``and start it``."""
    said = ["it" if at in named else word for at, word in enumerate(folded)]
    other = vocabulary.AND_START if verb == "stop" else vocabulary.AND_STOP
    for at in range(len(said)):
        then = at + next(count for count in (2, 1, 0) if vocabulary.THEN.issuperset(said[at : at + count]))
        if then > at and at not in named and (count := begins(said[then:], other)):
            return range(at, then + count)
    return range(0)


def order(verb: str, wanted: Wanted | None) -> str:
    """Return how hours are asked for by a verb; what is said of a stop is when it comes."""
    if wanted is None:
        return ""
    is_start, is_whole = wanted.starts is not None, None not in (wanted.starts, wanted.stops)
    if verb in {"start", "resume"} or (verb == "keep" and is_whole):
        return hours.written(wanted) if is_start else ""
    if verb == "restart" and not is_whole and is_start:
        return f"restart {hours.written(wanted)}"
    if verb == "stop" and not is_whole:
        stops = wanted.stops if wanted.starts is None else wanted.starts or hours.DAY_MINUTES
        return hours.written(replace(wanted, starts=None, stops=stops))
    return ""


def _places(folded: Sequence[str], named: AbstractSet[int]) -> Collection[int]:
    """Return where words belong to hours: runs of such words that name a day or a time."""
    found: list[int] = []
    for is_part, run_ in groupby(range(len(folded)), lambda at: at not in named and _is_part(folded[at])):
        run = list(run_)
        while run and folded[run[0]] in _BEFORE and not _PARTS_OF_DAYS.intersection(folded[run[0] :][:3]):
            run = run[1:]
        while run and folded[run[-1]] in _AFTER:
            run = run[:-1]
        if is_part and any(folded[at] not in vocabulary.JOINING_HOURS for at in run):
            found += run
    return found


def _is_part(word: str) -> bool:
    is_day = bool(hours.days_of(word)) or word in vocabulary.DAILY | vocabulary.OF_DAYS | _PARTS_OF_DAYS
    return (
        is_day
        or word in vocabulary.OF_HOURS
        or word[:1].isdigit()
        or (word[:1] == "-" and word[1:2].isdigit())
    )


def _read(parts: Sequence[str]) -> Wanted | None:
    """Read hours whose time may come first: ``at 9 every weekday``, ``every evening at 8``.

    They may have exceptions: ``every weekday except friday at 9``.
    """
    if "except" in parts:
        at = parts.index("except")
        days = frozenset[str]().union(*map(hours.days_of, parts[at:]))
        found = _read([*parts[:at], *(part for part in parts[at + 1 :] if not hours.days_of(part))])
        return replace(found, days=found.days - days) if found is not None and found.days > days else None
    words = [part for part in parts if part not in _PARTS_OF_DAYS | {"in"}]
    if "during" in words:
        words = ["weekdays" if word == "week" else word for word in words if word != "during"]
    if not any(map(hours.days_of, words)) and len(words) < len(parts):
        words = ["daily", *words]
    if vocabulary.LATE.intersection(parts) and words and words[-1].isdecimal() and int(words[-1]) < 12:
        words.append("pm")
    if any(first[:1].isdigit() and then in {"day", "days"} for first, then in pairwise(words)):
        return None  # A length: ``every 2 days``.
    turned = [[*words[at:], *words[:at]] for at in range(len(words))]
    # `8 on mondays until noon`
    turned.append(sorted(words, key=lambda word: not hours.days_of(word)))
    return next((found for one in turned if (found := hours.read(" ".join(one))) is not None), None)
