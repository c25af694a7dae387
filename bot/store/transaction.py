"""The interface between store logic and an engine: transactions of named queries, and the store's time.

Only the engine differs between databases. The logic is synchronous, and written only once. Several writes may
share a transaction. If it is rolled back, each write is run again from the start, so the logic must not
change anything but the database.

The store's time follows the wall clock as long as the wall clock keeps pace with the monotonic clock. If the
wall clock is set back, the store's time runs at half speed until the two meet again. Waits may then become
longer, but never shorter. If the wall clock jumps ahead (or the machine slept), the store's time catches up
only after the engine has pushed back the closed poll gates by the same amount. If it caught up earlier, two
reads of a workspace might follow each other too soon.
"""

from __future__ import annotations

import hashlib
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict
from enum import Enum, IntEnum
from functools import cache
from operator import attrgetter
from threading import Lock
from time import monotonic
from types import NoneType
from typing import Any, Final, NamedTuple, TypeVar

from bot.domain.forms import Spec
from bot.domain.people import Principal
from bot.domain.stops import PlannedStops
from bot.support.clock import Clock, Ids

Result = TypeVar("Result")
Row = dict[str, Any]
Parameters = dict[str, Any]


class Priority(IntEnum):
    """The priority of work for the database thread, most urgent first."""

    URGENT = 0  #: Work that a person is waiting for. After 2 s it raises StoreBusy.
    STEADY = 1  #: Steps of operations, and notices. After 10 s they raise StoreBusy.
    #: Writes that record poll results, the availability of Slack and providers, and the signatures of
    #: requests. ``CLAIMS`` is for claiming due rows. Both are handled like ``STEADY`` work, except that on
    #: PostgreSQL, each of the two has its own connection.
    RECORDS = 2
    CLAIMS = 3
    #: Work that runs only when there is nothing else to do. A write raises StoreBusy after 10 s. A read waits
    #: for as long as necessary.
    IDLE = 4


#: Priorities of work that, on PostgreSQL, runs in parallel with all other work.
BESIDE: Final = (Priority.CLAIMS, Priority.RECORDS)

Declared = TypeVar("Declared", bound=Callable[..., Any])
_PRIORITIES: Final[dict[Callable[..., Any], Priority]] = {}


def prioritize(priority: Priority) -> Callable[[Declared], Declared]:
    """Return a decorator that declares a function's priority in the store's queue."""

    def declare(work: Declared) -> Declared:
        _PRIORITIES[work] = priority
        return work

    return declare


def get_priority(work: Callable[..., Any], usual: Priority) -> Priority:
    """Return the priority that a function declares, or ``usual`` if it declares none."""
    return _PRIORITIES.get(work, usual)


class NotAlone(Exception):
    """Raised by work that must run alone but was begun in parallel with other work. It is then run again."""


_SUBJECTS: Final[dict[Callable[..., Any], Callable[..., Iterable[str]]]] = {}


def concerns(find: Callable[..., Iterable[str]]) -> Callable[[Declared], Declared]:
    """Return a decorator that declares whose rows a function reads and writes (its subjects).

    ``find`` takes the function's arguments and returns the subjects, which are the keys of people and the ids
    of other things. A workspace's id stands for its owner. On PostgreSQL, functions with different subjects
    run in parallel (``docs/adr/0116-whose-it-is.md``), and a function without subjects runs alone. A function
    that turns out to need other people's rows calls ``Transaction.be_alone``.
    """

    def declare(work: Declared) -> Declared:
        _SUBJECTS[work] = find
        return work

    return declare


def find_subjects(work: Callable[..., Any], *arguments: Any, **named: Any) -> Sequence[str]:
    """Return the subjects of a function call. A call without subjects may concern any row."""
    find = _SUBJECTS.get(work)
    return () if find is None else sorted(find(*arguments, **named))


class Transaction(ABC):
    """A database transaction. A query is either SQL or the name of a query in the SQL files."""

    def __init__(self, time: StoreTime, ids: Ids) -> None:
        self.ids = ids
        self._time = time
        #: Audit rows to append just before the commit, because appending locks the head of the audit log and
        #: makes other transactions wait.
        self.audit_rows: list[Row] = []
        #: The last audit row that this transaction wrote, if any.
        self.audited: Row = {}
        #: Function that returns whether the caller is still waiting. It is None if several callers share the
        #: transaction.
        self.may_commit: Callable[[], bool] | None = None
        #: The tables that this transaction has written to.
        self.written: set[str] = set()

    @abstractmethod
    def all(self, query: str, **params: Any) -> list[Row]:
        """Return all rows of a query."""

    def one(self, query: str, **params: Any) -> Row | None:
        """Return the first row of a query, or None if the query finds none."""
        rows = self.all(query, **params)
        return rows[0] if rows else None

    @abstractmethod
    def run(self, query: str, **params: Any) -> None:
        """Run a statement without waiting for its result.

        If it fails, the next call that waits raises the error.
        """

    @abstractmethod
    def count(self, query: str, **params: Any) -> int:
        """Run a statement, and return how many rows it wrote."""

    @abstractmethod
    def run_each(self, query: str, params: Sequence[Parameters]) -> None:
        """Run a statement for each set of parameters, in any order.

        The statement itself must process all sets at once on PostgreSQL (``json_to_recordset(:each)``).
        """

    # In an engine that doesn't use a network, the following methods do nothing.

    def ask(self, query: str, **params: Any) -> None:  # noqa: B027
        """Send a query in advance, so that ``all`` or ``one`` with the same query doesn't have to wait later.

        If one of the query's tables is written to in between, the query is sent again.
        """

    def settle(self, *, waits: bool) -> None:  # noqa: B027
        """Wait until the transaction has begun. If ``waits`` is true, also wait for all writes in flight."""

    def finish(self) -> None:  # noqa: B027
        """Send the commit together with everything in flight, to save a round trip.

        Nothing else may follow, except ``all`` and ``one`` for rows that were prefetched. If the connection
        is lost at this point, the work is run again, although it may already have taken effect. If the
        transaction is shared with other work, this does nothing.
        """

    def be_alone(self) -> None:  # noqa: B027
        """Make sure that this work runs alone.

        If it doesn't, raise NotAlone, and the work is run again alone.
        """

    def now(self) -> float:
        """Return the current time by the store's clock, in epoch seconds."""
        return self._time.now()

    @property
    @abstractmethod
    def changes(self) -> int:
        """Return how many rows were changed on this connection, including audit rows yet to be written."""


#: Function to call after a commit, with the names of the tables written, or with None if they aren't known.
OnWrite = Callable[[Collection[str] | None], None]
Work = Callable[[Transaction], Result]


#: SQL comment at the beginning of every claim, a statement that reserves rows for the process to work on.
CLAIM: Final = "/* claim */"
_WRITES: Final = re.compile(r"\A(?:UPDATE|INSERT INTO|DELETE FROM) (\w+)")


@cache
def find_written_table(query: str) -> frozenset[str]:
    """Return the table that a statement writes to. Return none for a claim, which never makes work due."""
    return frozenset(_WRITES.findall(query))


_ENCODER: Final = json.JSONEncoder(separators=(",", ":"))


def as_json(value: Any) -> str:
    """Serialise a value as ASCII-only JSON. The keys of objects keep their order."""
    return _ENCODER.encode(value)


def hash_text(text: str) -> str:
    """Return the SHA-256 hash of a string, in hexadecimal. SQL statements call this as ``sha256``."""
    return hashlib.sha256(text.encode()).hexdigest()


def as_words(words: Iterable[str] | None) -> str | None:
    """Sort words and join them with spaces. Return None for None."""
    return None if words is None else " ".join(sorted(words))


def _as_text(text: str) -> str:
    """Replace NUL and lone surrogates with U+FFFD.

    PostgreSQL rejects NUL, and lone surrogates can't be encoded as UTF-8.
    """
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


#: Encoders of values for storage, by type. Values of all other types are stored as they are.
_ENCODERS: Final[Mapping[type, Callable[[Any], Any]]] = {
    # The values of an enumeration need no encoding.
    Enum: attrgetter("_value_"),
    str: _as_text,
    bool: int,
    Principal: lambda principal: principal.key,
    Spec: lambda spec: as_json(spec.as_json()),
    PlannedStops: lambda stops: as_json(asdict(stops)) if stops.rows else "",
    dict: as_json,
    list: as_json,
    frozenset: as_words,
}


@cache
def _find_encoder(kind: type) -> Callable[[Any], Any] | None:
    return next((way for base, way in _ENCODERS.items() if issubclass(kind, base)), None)


#: Types that need no encoding. Most parameters have these types or are ASCII strings.
_PLAIN: Final = frozenset({int, float, bytes, NoneType})


def clean(value: Any) -> Any:
    """Convert a parameter to the type that all engines store."""
    way = _find_encoder(value.__class__)
    return value if way is None else way(value)


def clean_all(names: Iterable[str], params: Parameters) -> list[Any]:
    """Convert the parameters with these names to types that all engines store."""
    return [
        one
        if one.__class__ in _PLAIN or (one.__class__ is str and one.isascii() and "\x00" not in one)
        else clean(one)
        for one in map(params.__getitem__, names)
    ]


def from_json(text: str | None) -> Any:
    """Parse stored JSON. Return None for None."""
    return None if text is None else json.loads(text)


#: A difference of less than this many seconds between the store's time and the wall clock counts as a
#: rounding error.
_ROUNDING_SECONDS = 1e-5
#: A difference of at most this many seconds between the store's time and the wall clock counts as ordinary
#: slewing (gradual correction of the clock), and is ignored.
_MAX_SLEW_SECONDS = 0.1


class ClockReading(NamedTuple):
    """A reading of the clock: the boot, and how many seconds the store's time is ahead of monotonic time."""

    boot: str
    ahead: float


class StoreTime:
    """Derives the store's time from the clock that is passed in. It is thread-safe.

    The time is kept only in memory. After a restart, the row in ``serving`` shows how the clock has changed.
    Processes that share a database use the database's clock instead.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self.begin()

    def begin(self) -> None:
        """Set the store's time to the clock's. Call this only before the store's time is first read."""
        with self._lock:
            self._monotonic = self._clock.monotonic()
            self._ahead = self._clock.now() - self._monotonic
            self._last = 0.0

    def now(self) -> float:
        """Return the store's current time, in epoch seconds."""
        with self._lock:
            wall, monotonic = self._clock.now(), self._clock.monotonic()
            difference = wall - (monotonic + self._ahead)
            if difference < -_MAX_SLEW_SECONDS:
                self._ahead -= min(max(0.0, monotonic - self._monotonic) / 2, -difference)
            self._monotonic = monotonic
            now = wall if -_ROUNDING_SECONDS < difference < _ROUNDING_SECONDS else monotonic + self._ahead
            self._last = max(self._last, now)
            return self._last

    def ahead(self) -> float:
        """Return how many seconds the store's time is ahead of the monotonic clock."""
        return self.now() - self._clock.monotonic()

    def jump(self) -> float:
        """Return how far the wall clock has jumped ahead, in seconds, or 0 if it hasn't."""
        with self._lock:
            difference = self._clock.now() - (self._clock.monotonic() + self._ahead)
            return difference if difference > _MAX_SLEW_SECONDS else 0.0

    def catch_up(self) -> None:
        """Apply a clock jump immediately. Use ``follow`` instead if stored times have to be adjusted."""
        with self._lock:
            difference = self._clock.now() - (self._clock.monotonic() + self._ahead)
            if difference > _MAX_SLEW_SECONDS:
                self._ahead += difference

    def follow(self, jump: float) -> None:
        """Apply a clock jump to the store's time.

        Stored times, such as poll gates, must have been adjusted before.
        """
        with self._lock:
            self._ahead += jump


#: Time at which the current request began, by the monotonic clock, or None outside a request.
request_began: Final[ContextVar[float | None]] = ContextVar("request_began", default=None)


@contextmanager
def share_request_patience() -> Iterator[None]:
    """Run a block as one request, so that all its calls to the store share a single time limit."""
    token = request_began.set(monotonic())
    try:
        yield
    finally:
        request_began.reset(token)


#: Inbox keys used by the current request (``used_keys``) and transaction (``keys_in_use``).
used_keys: ContextVar[set[str] | None] = ContextVar("used", default=None)
keys_in_use: ContextVar[set[str] | None] = ContextVar("using", default=None)


class UsedTwice(Exception):
    """Raised if two writes in a request use the same key.

    The inbox would take the second write for a redelivery of the first and drop it, although the answer
    mentions both. So each write needs a key of its own.
    """


@contextmanager
def track_used_keys() -> Iterator[None]:
    """Run a block as one request, in which no key may be used twice. Within a request, just run the block."""
    if used_keys.get() is not None:
        yield
        return
    token = used_keys.set(set())
    try:
        yield
    finally:
        used_keys.reset(token)


def use_key(interaction: str) -> None:
    """Record that the current transaction uses a key.

    Raise UsedTwice if its request has already used the key.
    """
    used, using = used_keys.get(), keys_in_use.get()
    if used is None or using is None:
        return
    if interaction in used:
        raise UsedTwice(f"the interaction {interaction} was used before in this request")
    using.add(interaction)
