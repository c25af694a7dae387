"""The database tables. Each table's columns are declared once, as the fields of a model.

A field is stored in the column of the same name, and converted according to its type. This module reads,
adds, replaces, changes and deletes rows by key. Statements with more logic than that are in the SQL files. A
table without a model stores values as given.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import date
from enum import Enum
from functools import cache, cached_property, lru_cache
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Final,
    Generic,
    Literal,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from bot.domain import accounts, courses, installations, outages, people, snapshots, tasks
from bot.domain.accepted_requests import AcceptedRequest
from bot.domain.browsers import BrowserSession
from bot.domain.forms import Spec
from bot.domain.holds import Hold
from bot.domain.hours import HoursRule
from bot.domain.notices import Card, Notice
from bot.domain.operations import Operation
from bot.domain.preferences import Preferences
from bot.domain.reads import Unconfirmed
from bot.domain.row_times import GATE, LEASE, PAST, SEND, SINCE, STAYS, Time, make_check, make_due
from bot.domain.runs import Run
from bot.domain.stops import PlannedStops
from bot.domain.upgrades import UpgradeLoss
from bot.domain.waitlist import PAUSE_SECONDS, WaitlistEntry
from bot.domain.workspaces import Workspace
from bot.store.transaction import Row, Transaction, clean, from_json
from bot.support.cleaning import fold

Model = TypeVar("Model")
Word = TypeVar("Word", bound=Enum)

#: Parses a person's key. Results are cached, because the same keys keep coming up.
parse_principal = lru_cache(maxsize=4096)(people.Principal.from_key)


@lru_cache(maxsize=256)
def _parse_words(words: str) -> frozenset[str]:
    # Release 0.5.0 stored days that don't exist as they were typed, such as 31nov among the days of hours.
    return frozenset(word for word in words.split() if not word[0].isdigit() or _is_date(word))


def _is_date(word: str) -> bool:
    try:
        return date.fromisoformat(word).isoformat() == word
    except ValueError:
        return False


def _parse_spec(text: str) -> Spec | None:
    given = from_json(text)
    return Spec.from_json(given) if given else None


def _parse_planned_stops(text: str) -> PlannedStops:
    return PlannedStops.from_json(from_json(text)) if text else PlannedStops()


def parse_unconfirmed(kind: str | None, times: int, since: float) -> Unconfirmed | None:
    """Build an unconfirmed report from the values of its three columns in ``workspaces`` or ``runs``."""
    return None if kind is None else Unconfirmed(kind, times, float(since))


def unconfirmed_columns(found: Unconfirmed) -> Row:
    """Return the columns that store an unconfirmed report."""
    return {"unconfirmed": found.kind, "unconfirmed_times": found.times, "unconfirmed_since": found.since}


def name_columns(name: str) -> Row:
    """Return the columns for a workspace's name, including its case-folded form for lookups."""
    kept = clean(name)
    return {"name": kept, "folded": fold(kept), "folded_from": kept}


#: Maps each type to the function that converts a column's value. Values of all other types are JSON.
#: ``float`` is converted because SQLite's RETURNING gives whole numbers in a float column as int.
_CONVERTERS: Final[Mapping[Any, Callable[[Any], Any] | None]] = {
    str: None,
    Hold: None,
    int: None,
    float: float,
    bool: bool,
    people.Principal: parse_principal,
    Spec: _parse_spec,
    PlannedStops: _parse_planned_stops,
    frozenset: _parse_words,
}


def _flatten_hint(hint: Any) -> Iterator[Any]:
    """Yield the types in a type hint, except None. For times, also yield their ``Time`` annotations."""
    if get_origin(hint) in (Union, UnionType, Annotated):
        for part in get_args(hint):
            yield from _flatten_hint(part)
    elif hint is not NoneType:
        yield get_origin(hint) or hint


def format_sql_list(words: Iterable[str]) -> str:
    """Format words as an SQL list, in the order given, which has to match the lists in index conditions."""
    quoted = ", ".join(f"'{word}'" for word in words)
    return f"({quoted})"


@cache
def _list_members(kind: type[Enum]) -> dict[str, Enum]:
    return {word.value: word for word in kind}


def parse_enum(kind: type[Word], text: str) -> Word:
    """Return the member of an enumeration that a stored value stands for."""
    found: Any = _list_members(kind)[text]
    return found  # type: ignore[no-any-return]


_Converter = Callable[[Any], Any] | None


def _find_converter(hint: Any) -> _Converter:
    """Return the converter for columns of a type, or None if stored values can be used unchanged."""
    kind = next(_flatten_hint(hint))
    if isinstance(kind, type) and issubclass(kind, Enum):
        # A dictionary lookup takes a third of the time that a call of the enumeration takes.
        return _list_members(kind).__getitem__
    return None if kind is Literal else _CONVERTERS.get(kind, from_json)


def _compile_parser(*parts: "tuple[Table[Any], str]") -> Callable[[Row], Any]:
    """Compile a function that builds models from a row, the way ``dataclasses`` generates a constructor.

    For several tables, the compiled function returns a tuple. If a table's columns have a prefix and its key
    is NULL, its model is None. The generated code sets the fields directly, before the object is frozen. That
    takes a quarter of the time that the constructor of a frozen class takes, because the constructor calls a
    function for each field.
    """
    # Both methods must be replaced, because they share a slot of the type.
    free = {"__setattr__": object.__setattr__, "__delattr__": object.__delattr__}
    known: dict[str, Any] = {"new": object.__new__}
    lines = ["def of(row):"]
    for table, prefix in parts:
        one, indent = f"one_{prefix}", "    "
        known[f"model_{prefix}"] = table.model
        known[f"thawed_{prefix}"] = type("Thawed", (table.model or object,), {"__slots__": (), **free})
        if prefix:
            lines += [f"    {one} = None", f"    if row[{prefix + table.keys[0][0]!r}] is not None:"]
            indent *= 2
        lines.append(f"{indent}{one} = new(thawed_{prefix})")
        for name in table.fields:
            value, as_ = f"row[{prefix + name!r}]", f"as_{prefix}{name}"
            if name in table.own:
                known[as_], columns = table.own[name]
                value = f"{as_}({', '.join(f'row[{prefix + column!r}]' for column in columns)})"
            elif (way := table.ways[name]) is not None:
                known[as_] = way
                value = f"None if (value := {value}) is None else {as_}(value)"
            lines.append(f"{indent}{one}.{name} = {value}")
        lines.append(f"{indent}{one}.__class__ = model_{prefix}")
    found = ", ".join(f"one_{prefix}" for _, prefix in parts)
    exec("\n".join([*lines, f"    return {found}"]), known)  # noqa: S102 - the names of fields
    of_row: Callable[[Row], Any] = known["of"]
    return of_row


class Table(Generic[Model]):
    """A database table: its model, its keys, and its time columns.

    A key is a list of columns with an index. The first key identifies a row. ``=`` after a column means that
    the column must be NULL, because the index covers only rows where it is NULL. ``times`` are the time
    columns that aren't fields of the model.
    """

    def __init__(
        self,
        name: str,
        model: type[Model] | None,
        *keys: str,
        own: Mapping[str, tuple[Callable[..., Any], Sequence[str]]] | None = None,
        is_counted: bool = False,
        **times: Time,
    ) -> None:
        """``own`` contains fields that are read from several columns, or from a column with a different name.

        ``is_counted`` means that every change to a row increments its ``revision``, by which a save notices
        the change.
        """
        #: SQL appended to the assignments of an UPDATE statement to increment the row's revision. It is "" if
        #: the table's rows have no revision.
        self.revises = ", revision = revision + 1" if is_counted else ""
        self.name, self.model, self.own = name, model, own or {}
        self.keys = tuple(tuple(key.split()) for key in keys)
        hints = get_type_hints(model, include_extras=True) if model is not None else {}
        self.fields = tuple(one.name for one in fields(model)) if model is not None else ()  # type: ignore[arg-type]
        #: Converters for the fields that are read from a single column.
        self.ways = {field: _find_converter(hints[field]) for field in self.fields if field not in self.own}
        found = {
            field: [kind for kind in _flatten_hint(hints[field]) if isinstance(kind, Time)]
            for field in self.fields
        }
        #: Maps each column that contains a time to its kind of time (``Time``).
        self.times = {field: kinds[0] for field, kinds in found.items() if kinds} | times

    @cached_property
    def parse(self) -> Callable[[Row], Model]:
        """Return the function that builds a model from a row. It is compiled on first use."""
        return _compile_parser((self, ""))

    def read(self) -> list[str]:
        """Return the columns that a model needs, including the first key column, which is never NULL."""
        read = [column for field in self.fields for column in self.own.get(field, (None, (field,)))[1]]
        return list(dict.fromkeys([self.keys[0][0], *read]))

    def columns(self, one: Model) -> Row:
        """Return a model's fields by column name, for use as a query's parameters."""
        given = {name: getattr(one, name) for name in self.fields}
        if isinstance(given.get("unconfirmed"), Unconfirmed):
            given |= unconfirmed_columns(given["unconfirmed"])
        return given

    def row(self, tx: Transaction, **by: Any) -> Row | None:
        """Return the first row with the given values in these columns, or None if there is none."""
        query, params = self._find("SELECT * FROM", by)
        return tx.one(query, **params)

    def ask(self, tx: Transaction, **by: Any) -> None:
        """Prefetch the row that ``row`` or ``one`` will return for the same values (``Transaction.ask``)."""
        query, params = self._find("SELECT * FROM", by)
        tx.ask(query, **params)

    def rows(self, tx: Transaction, order: str = "", **by: Any) -> list[Row]:
        """Return the rows with the given values in these columns."""
        query, params = self._find("SELECT * FROM", by, ending=f" ORDER BY {order}" if order else "")
        return tx.all(query, **params)

    def one(self, tx: Transaction, **by: Any) -> Model | None:
        """Return the model of the first row with the given values in these columns, or None."""
        row = self.row(tx, **by)
        return None if row is None else self.parse(row)

    def all(self, tx: Transaction, order: str = "", **by: Any) -> list[Model]:
        """Return the models of the rows with the given values in these columns."""
        return self.parse_all(self.rows(tx, order, **by))

    def query(self, tx: Transaction, query: str, /, **params: Any) -> list[Model]:
        """Return the models of the rows that a query finds."""
        return self.parse_all(tx.all(query, **params))

    def parse_all(self, rows: Sequence[Row]) -> list[Model]:
        """Return the models of rows."""
        return list(map(self.parse, rows))

    def first(self, tx: Transaction, query: str, /, **params: Any) -> Model | None:
        """Return the model of the first row that a query finds, or None if it finds none."""
        row = tx.one(query, **params)
        return None if row is None else self.parse(row)

    def add(self, tx: Transaction, one: Model | None = None, /, **more: Any) -> None:
        """Add a row. If there is one with the same key, the database raises an error."""
        given = self._given(one, more)
        tx.run(_insert(self.name, tuple(given), ""), **given)

    def add_new(self, tx: Transaction, one: Model | None = None, /, **more: Any) -> bool:
        """Add a row unless its unique values are already in use. Return whether it was added."""
        given = self._given(one, more)
        return tx.count(_insert(self.name, tuple(given), "DO NOTHING"), **given) == 1

    def add_missing(self, tx: Transaction, one: Model | None = None, /, **more: Any) -> None:
        """Add a row unless its unique values are already in use. This doesn't wait for the result."""
        given = self._given(one, more)
        tx.run(_insert(self.name, tuple(given), "DO NOTHING"), **given)

    def upsert(self, tx: Transaction, one: Model | None = None, /, **more: Any) -> None:
        """Add a row or, if its key exists, replace the given columns of the existing row."""
        given = self._given(one, more)
        key = self.keys[0]
        replaced = ", ".join(f"{name} = excluded.{name}" for name in given if name not in key)
        tx.run(_insert(self.name, tuple(given), f"({', '.join(key)}) DO UPDATE SET {replaced}"), **given)

    def change(self, tx: Transaction, by: Mapping[str, Any], /, **to: Any) -> None:
        """Change the rows that have the values given in ``by``."""
        query, params = self._find("UPDATE", by, tuple(to))
        tx.run(query, **to, **params)

    def count_changed(self, tx: Transaction, by: Mapping[str, Any], /, **to: Any) -> int:
        """Change the rows that have the values given in ``by``. Return how many were changed."""
        query, params = self._find("UPDATE", by, tuple(to))
        return tx.count(query, **to, **params)

    def change_returning(self, tx: Transaction, by: Mapping[str, Any], /, **to: Any) -> Row | None:
        """Change the row that has the values given in ``by``.

        Return the changed row, or None if there is none.
        """
        query, params = self._find("UPDATE", by, tuple(to), " RETURNING *")
        return tx.one(query, **to, **params)

    def delete(self, tx: Transaction, **by: Any) -> None:
        """Delete the rows with the given values in these columns."""
        query, params = self._find("DELETE FROM", by)
        tx.run(query, **params)

    def count_deleted(self, tx: Transaction, **by: Any) -> int:
        """Delete the rows with the given values in these columns. Return how many were deleted."""
        query, params = self._find("DELETE FROM", by)
        return tx.count(query, **params)

    def lookups(self) -> list[str]:
        """Return, for each key, a statement that finds rows by that key."""
        found = [{name.rstrip("="): None if name.endswith("=") else "" for name in key} for key in self.keys]
        return [self._find("SELECT * FROM", by)[0] for by in found]

    def _given(self, one: Model | None, more: Row) -> Row:
        return more if one is None else self.columns(one) | more

    def _find(
        self, verb: str, by: Mapping[str, Any], to: tuple[str, ...] = (), ending: str = ""
    ) -> tuple[str, Row]:
        """Return a statement for the rows with certain values, along with its parameters.

        NULL and booleans are written into the statement itself, because the database can't use a partial
        index if they are parameters.
        """
        conditions, params = [], dict[str, Any]()
        for name, value in by.items():
            if value is None:
                conditions.append((name, " IS NULL"))
            elif isinstance(value, bool):
                conditions.append((name, f" = {value:d}"))
            else:
                conditions.append((name, ""))
                params[f"by_{name}"] = value
        return _build_keyed(self, verb, tuple(conditions), to, ending), params


@cache
def _insert(table: str, names: tuple[str, ...], conflict: str) -> str:
    values = ", ".join(f":{name}" for name in names)
    ending = conflict and f" ON CONFLICT {conflict}"
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({values}){ending}"  # noqa: S608 - of names alone


@cache
def _build_keyed(
    table: Table[Any],
    verb: str,
    by: tuple[tuple[str, str], ...],
    to: tuple[str, ...],
    ending: str,
) -> str:
    """Return a statement for the rows with given values in some columns, which must include a whole key."""
    names = {name for name, _ in by} | {f"{name}=" for name, literal in by if literal == " IS NULL"}
    assert any(names.issuperset(key) for key in table.keys), f"no index of {table.name} finds {sorted(names)}"
    where = " AND ".join(f"{name}{literal or f' = :by_{name}'}" for name, literal in by)
    sets = f" SET {', '.join(f'{name} = :{name}' for name in to)}{table.revises}" if to else ""
    return f"{verb} {table.name}{sets} WHERE {where}{ending}"


def make_plain_table(name: str, *keys: str, **times: Time) -> Table[Any]:
    """Return a table without a model."""
    return Table(name, None, *keys, own=None, is_counted=False, **times)


PAIR: Final = "principal connection"

ACCOUNTS = Table(
    "accounts",
    accounts.Account,
    "id",
    PAIR,
)
ACCEPTED_REQUESTS = Table("undoable_actions", AcceptedRequest, "id", "work_item_id")
APPROVALS = Table("approvals", accounts.Approval, "id", PAIR)
AUDIT = make_plain_table("audit", "seq", at=STAYS)
BROWSER_SESSIONS = Table("browser_sessions", BrowserSession, "id_hash")
CARDS = Table(
    "cards",
    Card,
    "id",
    "subject",
    "about",
)
CHANNEL_IDS = make_plain_table("channel_ids", "place id", "place", changed_at=STAYS)
CONNECTIONS = make_plain_table("connections", "name")
GREETINGS = make_plain_table("greetings", "principal", greeted_at=PAST)
DIRECT_CHANNELS = make_plain_table("direct_channels", "principal")
# A read is scheduled at most a day ahead, because that is the longest pause between two reads
# (``SAID_AGAIN_AFTER`` in ``bot.domain.timeouts``).
GATES = make_plain_table(
    "gates", "gate_key", due_at=make_check(86_400.0), next_check_at=GATE, claimed_at=GATE, requested_at=PAST
)
UNDECRYPTABLE_SECRETS = make_plain_table("undecryptable_secrets", "account_id", removed_at=PAST)
IDENTITY = make_plain_table("identity", "id")
INBOX = make_plain_table("inbox", "key", seen_at=PAST, sent_at=STAYS)
INSTALLATIONS = Table("installations", installations.Installed, "id", renewing_until=LEASE, removed_at=PAST)
DATABASE_TIMELINE = make_plain_table("database_timeline", "id", lost_since=PAST, detected_at=PAST)
LINKS = Table("links", accounts.Link, "nonce_hash", PAIR)
MIGRATIONS = make_plain_table("migrations", "name", applied_at=STAYS)
NOTICES = Table(
    "notices",
    Notice,
    "id",
    "subject kind",
    leased_at=PAST,
    sent_at=PAST,
)
# An OAuth state is kept for at most ``bot.store.installations.STATE_RETENTION_SECONDS``.
OAUTH_STATES = make_plain_table("oauth_states", "state_hash", expires_at=make_due(900.0))
#: The table of operations. A block reason says what is delaying an operation. Steps and reads store theirs in
#: separate columns. If both are set, the one from the step is used.
OPERATIONS = Table(
    "operations",
    Operation,
    "id",
    "workspace_id",
    "workspace_id outcome=",
    "principal outcome=",
    own={"block_reason": (lambda step, read: step or read or None, ("block_reason", "read_block_reason"))},
    is_counted=True,
    leased_until=LEASE,
)
OUTAGES = make_plain_table("outages", "connection", since=PAST)
OWNERS = make_plain_table("owners", "name", "owner", until=LEASE)
# A pause lasts at most ``bot.reconciler.runtimes.MAX_REQUESTED_PAUSE_SECONDS``.
PAUSES = make_plain_table(
    "pauses", "connection calls account_id", requested_at=PAST, paused_until=make_due(300.0)
)
PEOPLE = Table("people", people.Person, "principal", home_at=PAST)
PLACES = make_plain_table("places", "id", seen_at=PAST)
REACHED = Table("reached", outages.Reached, "name")
FORM_VALUES = make_plain_table("form_values", "principal connection purpose", PAIR)
RUNS = Table(
    "runs",
    Run,
    "id",
    "principal connection remote_id",
    PAIR,
    own={
        "unconfirmed": (parse_unconfirmed, ("unconfirmed", "unconfirmed_times", "unconfirmed_since")),
    },
    is_counted=True,
    unconfirmed_since=SINCE,
    leased_until=LEASE,
)
SCHEMA_CHANGES = make_plain_table("schema_changes", "name", applied_at=STAYS)
SERVING = make_plain_table("serving", "id", seen_at=STAYS, ahead=STAYS, slept=STAYS)
# Signatures are deleted after ten minutes. Older requests are refused anyway.
SIGNATURES = make_plain_table("signatures", "id", seen_at=PAST)
# After a reboot, the clock is taken to be right. If it is wrong, Slack may refuse calls for up to a minute.
SLACK_CALLS = make_plain_table("slack_calls", "team method", called_at=PAST)
# The pause comes from Slack's *Retry-After*. If a clock change shortens it, Slack requests another pause.
SLACK_METHODS = make_plain_table("slack_methods", "team method", paused_until=SEND)
SNAPSHOTS: Table[snapshots.Snapshot[Any]] = Table(
    "snapshots", snapshots.Snapshot, "connection owner kind", "connection owner"
)
TASKS = Table("tasks", tasks.Task, "id", "kind subject", claimed_at=PAST)
UPKEEP = make_plain_table("upkeep", "work", done_at=PAST)
WORKSPACES = Table(
    "workspaces",
    Workspace,
    "id",
    "principal connection remote_id",
    PAIR,
    "principal",
    "gate_key",
    created_at=PAST,
    attempted_at=PAST,
    unconfirmed_since=PAST,
    gone_at=PAST,
    down_seen_at=PAST,
    gone_confirmed_at=PAST,
    # The next check may be as far ahead as the timer itself. But checking too early does no harm, so a minute
    # is enough.
    stop_check_at=make_check(60.0),
    idle_check_at=make_due(1_800.0),
    provider_end_check_at=make_due(60.0),
)
# A rule's next check may be as far ahead as its next start or stop, and a card's as far ahead as the end of
# its class. But checking too early does no harm, so shorter times are enough.
RULES = Table(
    "rules",
    HoursRule,
    "id",
    "workspace_id",
    "principal connection remote_id",
    PAIR,
    "principal",
    next_check_at=make_check(60.0),
)
OCCURRENCES = make_plain_table("occurrences", "rule_id local side", at=STAYS)
CLASS_CARDS = Table(
    "class_cards", courses.ClassCard, "id", counted_at=PAST, changed_at=PAST, next_check_at=make_check(60.0)
)
# A member's start is retried after at most ``bot.services.due_lessons.LINK_SECONDS``.
PARTICIPANTS = Table(
    "participants",
    courses.Participant,
    "card_id principal",
    "card_id",
    "workspace_id",
    "principal",
    warned_at=STAYS,
    due_at=make_due(300.0),
)
WAITLIST_ENTRIES = Table(
    "waitlist_entries", WaitlistEntry, "id", "workspace_id", next_at=make_due(PAUSE_SECONDS[-1])
)
PREFERENCES = Table("preferences", Preferences, "principal")
LIVES = make_plain_table(
    "lives",
    "id",
    "subject",
    began_earliest=PAST,
    began_latest=PAST,
    ended_earliest=PAST,
    ended_latest=PAST,
    last_seen_at=PAST,
    opened_at=PAST,
    used_at=PAST,
)
# These columns contain durations and amounts of money, not points in time.
USAGE_SUMS = make_plain_table(
    "usage_sums",
    "month connection kind template currency",
    hours=STAYS,
    lowest=STAYS,
    highest=STAYS,
    cost=STAYS,
)
# Next Monday is less than eight days away in any time zone.
MONDAYS = make_plain_table("usage_mondays", "principal", due_at=make_due(8 * 86_400.0))
UPGRADE_LOSSES = Table("upgrade_losses", UpgradeLoss, "id", "principal", due_at=make_due(60.0))
FORMER_MEMBERS = Table("former_members", courses.FormerMember, "id", "card_id")
TABLES: Final[dict[str, Table[Any]]] = {
    one.name: one for one in tuple(vars().values()) if isinstance(one, Table)
}


ALIASES: Final[dict[str, Table[Any]]] = {
    "o": OPERATIONS,
    "w": WORKSPACES,
    "a": ACCOUNTS,
    "p": PEOPLE,
    "q": PREFERENCES,
}


def format_columns(aliases: str) -> str:
    """Return the columns of several tables for a query, each prefixed with its table's alias."""
    return ", ".join(
        f"{alias}.{column} AS {alias}_{column}"
        for alias in aliases.split()
        for column in ALIASES[alias].read()
    )


@cache
def make_parser(aliases: str) -> Callable[[Row], Any]:
    """Return a function that builds the models of several tables from a row with all their columns.

    If a table's key is NULL in the row, its model is None.
    """
    return _compile_parser(*((ALIASES[alias], f"{alias}_") for alias in aliases.split()))
