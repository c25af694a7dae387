"""Time zones as people write them next to a time: ``18:00 UTC``, ``11pm Tokyo time``. Pure functions.

People can write a zone's own name, or a city or country in the zone data. A name that several zones share,
such as *IST*, means all of them. If that leads to different times, the user is asked.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

#: Abbreviations and other names of zones that the zone data doesn't contain.
_CALLED: Final = {
    "UTC": "utc gmt z zulu",
    "America/Los_Angeles": "pt pst pdt san_francisco seattle san_diego portland las_vegas silicon_valley",
    "America/Denver": "mt mst mdt salt_lake_city",
    "America/Chicago": "ct cst cdt dallas houston austin",
    "America/New_York": "et est edt boston washington philadelphia atlanta miami east_coast",
    "America/Toronto": "ottawa montreal",
    "America/Halifax": "ast adt",
    "America/Havana": "cst",
    "America/Anchorage": "akst akdt",
    "Pacific/Honolulu": "hst",
    "America/Sao_Paulo": "brt rio_de_janeiro",
    "Europe/London": "bst uk britain england scotland wales edinburgh manchester",
    "Europe/Dublin": "ist",
    "Europe/Lisbon": "wet",
    "Europe/Berlin": "cet cest mez mesz central_european munich munchen hamburg frankfurt cologne koln",
    "Europe/Zurich": "geneva basel",
    "Europe/Rome": "milan",
    "Europe/Athens": "eet eest eastern_european",
    "Europe/Moscow": "msk",
    "Asia/Jerusalem": "ist idt",
    "Asia/Riyadh": "ast",
    "Asia/Dubai": "gst uae",
    "Asia/Karachi": "pkt",
    "Asia/Kolkata": "ist mumbai delhi new_delhi bangalore bengaluru chennai hyderabad pune",
    "Asia/Dhaka": "bst",
    "Asia/Bangkok": "ict",
    "Asia/Jakarta": "wib",
    "Asia/Ho_Chi_Minh": "hanoi",
    "Asia/Shanghai": "cst beijing shenzhen",
    "Asia/Hong_Kong": "hkt",
    "Asia/Singapore": "sgt",
    "Asia/Manila": "pht",
    "Australia/Perth": "awst",
    "Asia/Tokyo": "jst osaka kyoto",
    "Asia/Seoul": "kst korea south_korea",
    "Australia/Sydney": "aest aedt aet canberra",
    "Australia/Adelaide": "acst acdt",
    "Pacific/Auckland": "nzst nzdt nzt wellington",
    "Africa/Nairobi": "eat",
    "Africa/Lagos": "wat",
    "Africa/Maputo": "cat",
    "Africa/Johannesburg": "sast cape_town",
}
#: Names in the zone data that mean something else if they stand next to a time.
_OTHER_WORDS: Final = frozenset(
    {"act", "center", "christmas", "continental", "east", "easter", "factory", "general", "knox", "met"}
    | {"north", "resolute", "south", "universal", "wake", "west", "yap"}
)
#: Maximum number of words in a zone's name.
_MAX_WORDS: Final = 4
#: Words that may precede a zone's name (``in Tokyo``). ``_AFTER`` contains words that may follow a zone's
#: name (``Tokyo time``).
_BEFORE: Final = frozenset({"in"})
_AFTER: Final = frozenset({"time", "zeit"})
_OFFSET: Final = re.compile(r"(?:utc|gmt)?([+-])([0-9]{1,2})(?::?([0-5][0-9]))?")
_MAX_OFFSET: Final = timedelta(hours=14)
#: Matches a zone that programs add to a time without a space: ``18:00Z``, ``18:00+02:00[Europe/Berlin]``.
_IN_BRACKETS: Final = re.compile(r"\[[\w/+-]+\]")
_JOINED: Final = re.compile(r"(?<=[0-9])(?=(?:z|utc|gmt)(?![a-z])|\+[0-9])")
#: Matches a date with a time, or a time with seconds, if a negative offset follows without a space. After any
#: other time, the minus sign is a dash.
_JOINED_MINUS: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}[t ][0-9:.,]+|[0-9]:[0-9]{2}:[0-9.,]+)(?=-[0-9]{2}(?::?[0-9]{2})?(?![0-9:]))"
)


@dataclass(frozen=True, slots=True)
class SaidZone:
    """A zone that was written next to a time.

    It consists of the name used, and the zones that it may mean.
    """

    name: str
    zones: tuple[tzinfo, ...]

    def list_zones(self, at: float) -> Iterator[tzinfo]:
        """Yield the zones that may be meant at a time. In summer, *CET* may mean UTC+1 or Berlin time."""
        for zone in self.zones:
            yield zone
            year = datetime.fromtimestamp(at, zone).year
            halves = [datetime(year, month, 1, tzinfo=zone) for month in (1, 7)]
            offsets = {(one.tzname() or "").casefold(): one.utcoffset() for one in halves}
            offset = offsets.get(self.name)
            if offset is not None and datetime.fromtimestamp(at, zone).utcoffset() != offset:
                yield timezone(offset)


def split_zone(text: str) -> tuple[str, SaidZone | None]:
    """Split a string into its text and the zone next to a time. The text is in lower case.

    If there is no such zone, return None for it.
    """
    plain = _IN_BRACKETS.sub("", text.casefold())
    words = _JOINED.sub(" ", _JOINED_MINUS.sub(r"\1 utc", plain)).split()
    for begin in range(1, len(words)):
        for end in range(min(begin + _MAX_WORDS, len(words)), begin, -1):
            name = [word.strip(",;!?.()") for word in words[begin:end]]
            said = "_".join(name[name[0] in _BEFORE : len(name) - (name[-1] in _AFTER)])
            # In `mon -8:00`, the minus is a dash: these hours end at 8.
            if not said.startswith("-") and (zones := find_zones(said)):
                return " ".join(words[:begin] + words[end:]), SaidZone(said, zones)
    return plain, None


@lru_cache(maxsize=512)
def find_zones(name: str) -> tuple[tzinfo, ...]:
    """Return the zones with this name, or the zone with an offset such as ``+2``.

    For other words, return none.
    """
    if offset := _OFFSET.fullmatch(name.replace("_", "")):
        length = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
        return (timezone(-length if offset[1] == "-" else length),) if length <= _MAX_OFFSET else ()
    found = list[tzinfo]()
    for key in _load_names().get(_strip_accents(name), ()):
        try:
            found.append(UTC if key == "UTC" else ZoneInfo(key))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue  # The machine's own zone data lacks it.
    return tuple(found)


def _strip_accents(name: str) -> str:
    return "".join(one for one in unicodedata.normalize("NFD", name) if not unicodedata.combining(one))


@lru_cache(maxsize=1)
def _load_names() -> dict[str, list[str]]:
    """Load the names of zones: their own, those of their cities and countries, and those in ``_CALLED``."""
    data = files("tzdata")
    names: dict[str, list[str]] = {}
    for key in data.joinpath("zones").read_text("utf-8").split():
        names.setdefault(key.casefold(), []).append(key)
        city = key.rpartition("/")[2].casefold()
        if "/" in key and not key.startswith("Etc/") and city not in _OTHER_WORDS:
            names.setdefault(city, []).append(key)
    folder = data.joinpath("zoneinfo")
    tables = (folder.joinpath(name).read_text("utf-8").splitlines() for name in ("iso3166.tab", "zone.tab"))
    countries, places = ([one.split("\t") for one in table if one and one[0] != "#"] for table in tables)
    codes = dict(countries)
    for code, _, key, *_ in places:
        words = _strip_accents(codes[code].partition(" (")[0]).casefold().split()
        names.setdefault("_".join(word.strip(".") for word in words), []).append(key)
    called = dict[str, list[str]]()
    for key, also in _CALLED.items():
        for word in also.split():
            called.setdefault(word, []).append(key)
    return {**{name: keys for name, keys in names.items() if name not in _OTHER_WORDS}, **called}
