"""The interface between the store's logic and an engine: transactions of named queries, and their time.

Only the engine differs between databases. The logic is synchronous and written once; it may be rerun from the
start (after a rolled-back group), so it must change nothing but the database.

It follows the wall clock as long as that moves with the monotonic one. If the wall clock is set back, the
store's time runs at half speed until the two meet again: waits become longer, never shorter. If it jumps
ahead (or the machine slept), the jump is held back until the engine has moved the closed poll gates along
with it; otherwise two reads of one resource could be closer together than they appear.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import asdict, dataclass
from enum import Enum, IntEnum
from functools import cache
from threading import Lock
from time import monotonic
from types import NoneType
from typing import Any, Final, Protocol, TypeVar

from bot.domain.audit import AuditEntry
from bot.domain.forms import Spec
from bot.domain.people import Principal
from bot.domain.stops import PlannedStops
from bot.support.clock import Clock, Ids
from bot.support.errors import StoreMigrated

Result = TypeVar("Result")
Row = dict[str, Any]
Parameters = dict[str, Any]


class Priority(IntEnum):
    """The urgency of work for the database thread; lower goes first."""

    URGENT = 0  #: a person is waiting: 2 s, then StoreBusy
    STEADY = 1  #: steps, notices: 10 s
    #: Results of polls, who answers: written in batches; beside other records and claims, of any process.
    RECORDS = 2
    CLAIMS = 3  #: due rows that nobody else may take: as steady work, and beside others as records
    IDLE = 4  #: what can wait until nobody else wants anything: 10 s, then StoreBusy


Declared = TypeVar("Declared", bound=Callable[..., Any])
#: The priorities of functions for which it isn't the usual one.
_PRIORITIES: Final[dict[Callable[..., Any], Priority]] = {}


def prioritize(priority: Priority) -> Callable[[Declared], Declared]:
    """Return a decorator that declares the priority of a function, for when the store runs it."""

    def declare(work: Declared) -> Declared:
        _PRIORITIES[work] = priority
        return work

    return declare


def get_priority(work: Callable[..., Any], usual: Priority) -> Priority:
    """Return the priority of a function, or the usual one."""
    return _PRIORITIES.get(work, usual)


class NotAlone(Exception):
    """Signal that work which was begun beside that of others has to be alone: it is run again so."""


#: How the names of what a function is about are found among its arguments.
_SUBJECTS: Final[dict[Callable[..., Any], Callable[..., Iterable[str]]]] = {}


def concerns(find: Callable[..., Iterable[str]]) -> Callable[[Declared], Declared]:
    """Return a decorator that declares whose rows a function reads and writes, as ``find`` names them.

    On PostgreSQL it runs beside functions that concern others (``docs/adr/0116-whose-it-is.md``). What
    depends on the rows of more people, too, asks for ``Transaction.be_alone``. A person is named by the key,
    everything else by its id, and a workspace's stands for its person; without any name it decides alone.
    """

    def declare(work: Declared) -> Declared:
        _SUBJECTS[work] = find
        return work

    return declare


def find_subjects(work: Callable[..., Any], *arguments: Any, **named: Any) -> Sequence[str]:
    """Return the names of what a function concerns, none if that is everything."""
    find = _SUBJECTS.get(work)
    return () if find is None else sorted(find(*arguments, **named))


class Transaction(Protocol):
    """One transaction, in which queries run: named ones by their name, others as they are."""

    ids: Ids
    #: What is appended to the audit when the transaction ends, as others wait for that.
    audit_entries: list[AuditEntry]
    #: The tables that were written since this was last emptied, or work rolled back.
    written: set[str]
    #: The hash of the last audit row that it has written.
    audited: str

    def all(self, query: str, **params: Any) -> list[Row]:
        """Return all rows."""
        ...

    def one(self, query: str, **params: Any) -> Row | None:
        """Return the first row."""
        ...

    def run(self, query: str, **params: Any) -> None:
        """Run a statement, without waiting for it: its error is raised by what waits next."""
        ...

    def count(self, query: str, **params: Any) -> int:
        """Run a statement; return how many rows were written."""
        ...

    def ask(self, query: str, **params: Any) -> None:
        """Send a query whose rows ``all`` or ``one`` of the same takes, without a wait of its own.

        What is written to its tables in between makes them be read again.
        """
        ...

    def run_each(self, query: str, params: Sequence[Parameters]) -> None:
        """Run a statement for each set of parameters, in no order; the statement must be made for it."""
        ...

    def now(self) -> float:
        """Return the store's epoch seconds."""
        ...

    def be_alone(self) -> None:
        """Return if nobody else decides anything meanwhile; else raise NotAlone, and the work runs again."""
        ...

    @property
    def changes(self) -> int:
        """The number of rows changed on this connection so far."""
        ...


#: Takes the names of the tables that a commit wrote; None means that it may have been any.
OnWrite = Callable[[Collection[str] | None], None]
Work = Callable[[Transaction], Result]


class Engine(Protocol):
    """Supply transactions of one database. The errors are those of ``bot.store.store``.

    ``is_shared``: several processes may serve from it, and its clock is the time of all of them.
    """

    @property
    def is_shared(self) -> bool:
        """Return whether several processes may serve from it."""
        ...

    @property
    def is_exclusive(self) -> bool:
        """Return whether its serving process is known to be the only one: no lease of others counts."""
        ...

    @property
    def is_whole(self) -> bool:
        """Return whether it can read and write: who can't claims nothing, and lets go of what it owns."""
        ...

    @property
    def problem(self) -> str:
        """Return why it isn't whole, in words for operators; "" if it is."""
        ...

    @property
    def warning(self) -> str:
        """Return what is wrong though it works, in words for operators; "" for nothing."""
        ...

    async def read(self, work: Work[Result], priority: Priority = Priority.URGENT) -> Result:
        """Run read-only work, on one snapshot of the database."""
        ...

    async def write(
        self,
        work: Work[Result],
        priority: Priority = Priority.STEADY,
        rows: int = 1,
        subjects: Sequence[str] = (),
    ) -> Result:
        """Run work that writes; durable when it returns. ``rows`` is its weight within a batch.

        ``subjects`` are what it concerns, none for everything (``concerns``).
        """
        ...

    async def migrate(self, *, serves: bool = False) -> list[str]:
        """Bring the schema up to date; return the names of the migrations that ran.

        Raise StoreTooOld, StoreTooNew, StoreUnreleased or StoreInUse.

        ``serves``: serve from this database until it is closed; alone, unless it is shared.
        """
        ...

    def now(self) -> float:
        """Return the store's epoch seconds."""
        ...

    def serves(self) -> None:
        """Move times along with the clock from now on; those left by an earlier process are healed."""
        ...

    def clock_reading(self) -> ClockReading:
        """Return the difference between the store's time and the machine's monotonic clock."""
        ...

    @property
    def clock(self) -> Clock:
        """Return the clock that tells everybody's time: the machine's, or that of a shared database."""
        ...

    def end_within(self, seconds: float) -> None:
        """Let nobody wait longer than so many seconds from now, because the process ends."""
        ...

    @property
    def has_jumped(self) -> bool:
        """Return whether times have to be moved along with the clock, which the next write does."""
        ...

    def report_to(self, on_write: OnWrite) -> None:
        """Pass the names of the tables that each commit of this process writes to a callback."""
        ...

    def end_on_migration(self, end: Callable[[StoreMigrated], None]) -> None:
        """Tell when a newer release has migrated the database: nothing can be written from then on."""
        ...

    async def listen(self, on_write: OnWrite) -> None:
        """Pass the names of the tables that other processes write to a callback, until cancelled."""
        ...

    async def tidy(self) -> None:
        """Reclaim the space of deleted rows, as long as nothing else is to do."""
        ...

    async def close(self) -> None:
        """Finish the queued work and close the database."""
        ...


#: Begins a claim.
CLAIM: Final = "/* claim */"
_WRITES: Final = re.compile(r"\A(?:UPDATE|INSERT INTO|DELETE FROM) (\w+)")


@cache
def find_written_table(query: str) -> frozenset[str]:
    """Return the table that a statement writes; none for a claim, by which nothing becomes due."""
    return frozenset(_WRITES.findall(query))


_ENCODER: Final = json.JSONEncoder(separators=(",", ":"))


def as_json(value: Any) -> str:
    """Return ASCII-only JSON; objects keep the order of their keys."""
    return _ENCODER.encode(value)


def hash_text(text: str) -> str:
    """Return the SHA-256 of a text, in hexadecimal; ``sha256`` in statements."""
    return hashlib.sha256(text.encode()).hexdigest()


def as_words(words: Iterable[str] | None) -> str | None:
    """Return words joined by spaces, equal sets always as the same text; None for None."""
    return None if words is None else " ".join(sorted(words))


def _as_text(text: str) -> str:
    """Replace characters that a database refuses by U+FFFD.

    NUL (PostgreSQL's) and lone surrogates (not valid UTF-8).
    """
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


#: How a value is stored, by its type; all others are stored as they are.
_ENCODERS: Final[Mapping[type, Callable[[Any], Any]]] = {
    Enum: lambda one: clean(one.value),
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


#: What every engine stores as it is: most parameters.
_PLAIN: Final = frozenset({int, float, bytes, NoneType})


def clean(value: Any) -> Any:
    """Return a parameter as every engine stores it."""
    way = _find_encoder(value.__class__)
    return value if way is None else way(value)


def clean_all(params: Parameters) -> dict[str, Any]:
    """Return a statement's parameters as every engine stores them."""
    return {name: one if one.__class__ in _PLAIN else clean(one) for name, one in params.items()}


def from_json(text: str | None) -> Any:
    """Parse stored JSON; return None for None."""
    return None if text is None else json.loads(text)


#: Differences below this are rounding; the wall clock's own value is returned.
_ROUNDING_SECONDS = 1e-5
#: Differences below this are ignored as ordinary slewing of the clock.
_MAX_SLEW_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class ClockReading:
    """The seconds by which the store's time is ahead of the machine's monotonic clock, and the boot."""

    boot: str
    ahead: float


class StoreTime:
    """Derive the store's time from an injected clock; thread-safe.

    In memory. Restart: from the row ``serving``. Several processes: the database's clock.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self.begin()

    def begin(self) -> None:
        """Begin at the clock's current time, as nobody has read the store's time yet."""
        with self._lock:
            self._monotonic = self._clock.monotonic()
            self._ahead = self._clock.now() - self._monotonic
            self._last = 0.0

    def now(self) -> float:
        """Return epoch seconds."""
        with self._lock:
            wall, monotonic = self._clock.now(), self._clock.monotonic()
            since = max(0.0, monotonic - self._monotonic)
            self._monotonic = monotonic
            difference = wall - (monotonic + self._ahead)
            if difference < -_MAX_SLEW_SECONDS:
                self._ahead -= min(since / 2, -difference)
            now = wall if abs(difference) < _ROUNDING_SECONDS else monotonic + self._ahead
            self._last = max(self._last, now)
            return self._last

    def ahead(self) -> float:
        """Return the seconds by which the store's time is ahead of the monotonic clock."""
        return self.now() - self._clock.monotonic()

    def jump(self) -> float:
        """Return the seconds by which the wall clock has jumped ahead; 0 if it hasn't."""
        with self._lock:
            difference = self._clock.now() - (self._clock.monotonic() + self._ahead)
            return difference if difference > _MAX_SLEW_SECONDS else 0.0

    def catch_up(self) -> None:
        """Apply a jump at once, where nobody moves gates."""
        with self._lock:
            difference = self._clock.now() - (self._clock.monotonic() + self._ahead)
            if difference > _MAX_SLEW_SECONDS:
                self._ahead += difference

    def follow(self, jump: float) -> None:
        """Apply a jump after the gates were moved by it."""
        with self._lock:
            self._ahead += jump


#: When the request under way began, monotonic; None outside of one.
request_began: Final[ContextVar[float | None]] = ContextVar("request_began", default=None)


@contextmanager
def share_request_patience() -> Iterator[None]:
    """Answer a request: all that it asks of the store has one patience together, not one each."""
    token = request_began.set(monotonic())
    try:
        yield
    finally:
        request_began.reset(token)


#: The keys that the request under way has used, and those that its transaction under way uses.
_used: ContextVar[set[str] | None] = ContextVar("used", default=None)
_using: ContextVar[set[str] | None] = ContextVar("using", default=None)


class UsedTwice(Exception):
    """Signal that a request used the key of its interaction twice: each write needs a key of its own.

    The inbox can't tell a second write from a redelivery: it would drop it, and the answer would name both.
    """


@contextmanager
def track_used_keys() -> Iterator[None]:
    """Run a request, or a part of one: keys that are used within it can't be used again."""
    if _used.get() is not None:
        yield
        return
    token = _used.set(set())
    try:
        yield
    finally:
        _used.reset(token)


def use_key(interaction: str) -> None:
    """Note that the transaction under way uses a key; raises UsedTwice."""
    used, using = _used.get(), _using.get()
    if used is None or using is None:
        return
    if interaction in used:
        raise UsedTwice(f"the interaction {interaction} was used before in this request")
    using.add(interaction)


async def run_write(write: Callable[[Work[Result]], Awaitable[Result]], work: Work[Result]) -> Result:
    """Run work that writes, in a thread and perhaps repeatedly; what it used counts once it is committed."""
    used = _used.get()
    if used is None:
        return await write(work)
    using: set[str] = set()
    context = copy_context()
    context.run(_using.set, using)

    def attempt(tx: Transaction) -> Result:
        using.clear()
        return context.run(work, tx)

    result = await write(attempt)
    used |= using
    return result
