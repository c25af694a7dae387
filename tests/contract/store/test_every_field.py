"""What a model holds is saved: every field of every model is written, changed and read back.

A new field needs nothing here if its model is written as a whole. Of what is written bit by bit, each column
is in a statement that inserts or sets it; ``FIXED`` names what is decided once.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import Any

import pytest

from bot.domain import models
from bot.domain.models import Installed, Link, Person, Preferences, Principal, Snapshot
from bot.store import rows
from bot.store.queries import named_queries
from bot.store.store import Store
from tests.rigs.store import ALICE


@dataclass(frozen=True)
class Whole:
    """Say how a model is written as a whole, changed, and read."""

    write: Callable[[Store, Any], Awaitable[Any]]
    read: Callable[[Store, Any], Awaitable[Any]]
    change: Callable[[Store, Any, Any], Awaitable[Any]] | None = None
    fixed: frozenset[str] = frozenset()
    #: What the store sets itself.
    set_here: frozenset[str] = frozenset()
    #: What can't be anything.
    given: dict[str, Any] = field(default_factory=dict)


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


async def installed(store: Store, made: Installed) -> Installed:
    return next(one for one in await store.installations() if one.id == made.id)


async def link_again(store: Store, before: Link, after: Link) -> None:
    assert await store.change_link(after, before.stage, before.tries_left)


WHOLE: dict[type[Any], Whole] = {
    Person: Whole(
        lambda store, one: store.save_people([one]),
        lambda store, one: store.person(one.principal),
        fixed=words("principal"),
    ),
    Preferences: Whole(
        lambda store, one: store.save_preferences(ALICE, one), lambda store, _: store.preferences(ALICE)
    ),
    Snapshot: Whole(
        lambda store, one: store.save_snapshot(one),
        lambda store, one: store.snapshot(one.connection, one.owner, one.kind),
        fixed=words("connection owner kind"),
        given={"owner": ""},
    ),
    Installed: Whole(
        lambda store, one: store.install(one),
        installed,
        # Installed again, a team keeps the enterprise that its people's keys begin with.
        fixed=words("id enterprise_id team_id"),
        set_here=words("installed_at lost_at"),
    ),
    Link: Whole(
        lambda store, one: store.new_link(one),
        lambda store, one: store.link(one.nonce_hash),
        link_again,
        fixed=words("nonce_hash principal connection waiting created_at"),
    ),
}

#: The tables of the models that are written bit by bit, and what is never changed once it is there.
BIT_BY_BIT: dict[type[Any], tuple[str, frozenset[str]]] = {
    models.Account: ("accounts", words("id principal connection username linked_at ends_at")),
    models.Approval: ("approvals", words("id principal connection asked_at")),
    models.BrowserSession: ("browser_sessions", words("id_hash principal created_at expires_at")),
    models.Card: ("cards", words("id subject kind principal about created_at body")),
    models.ClassCard: (
        "class_cards",
        words(
            "id principal channel_id connection title reference created_at pattern template spec"
            " maximum time_zone stops_at"
        ),
    ),
    models.Home: ("homes", words("principal")),
    models.Notice: ("notices", words("id subject kind occasion principal created_at")),
    models.Operation: (
        "operations",
        words(
            "id principal workspace_id connection verb created_at reference agreed channel_id planned_for"
            " usual_seconds slow_seconds"
        ),
    ),
    models.Participant: ("participants", words("card_id principal joined_at")),
    models.Run: ("runs", words("id principal connection spec created_at reference channel_id")),
    models.Task: ("tasks", words("id kind subject created_at")),
    models.Workspace: ("workspaces", words("id principal connection origin")),
}
#: Fields that aren't columns of their own.
NO_COLUMN = {models.Card: words("claimed_drawn leased_until")}


def of_type(kind: str, name: str, number: int) -> Any:
    """Return a value of a field's type; another for each number, and never the default."""
    if kind.startswith("Literal["):
        choices = re.findall(r"['\"]([^'\"]*)['\"]", kind)
        return choices[number % len(choices)]
    match kind.removesuffix(" | None"):
        case "bool":
            return number % 2 == 1
        case "int":
            return 2 + number
        case "float":
            return 4_000_000_000.0 + number
        case "Principal":
            return Principal("E1", "T1", f"U{number}")
        case "dict[str, Any]" | "Payload":
            return {name: number}
        case "str":
            return f"{name} {number}"
    raise AssertionError(f"say here what a {kind} may be")


def made(model: type[Any], number: int) -> Any:
    return model(**{one.name: of_type(str(one.type), one.name, number) for one in fields(model)})


@pytest.mark.parametrize("model", WHOLE, ids=lambda model: model.__name__)
async def test_what_is_written_as_a_whole_comes_back_whole_and_changes_whole(store, model):
    of = WHOLE[model]
    # From either truth value to the other: one of them is the default.
    for number in (10, 21):
        first, second = (replace(made(model, one), **of.given) for one in (number, number + 1))
        second = replace(second, **{name: getattr(first, name) for name in of.fixed})
        await of.write(store, first)
        await agrees(store, of, first)
        await (of.change(store, first, second) if of.change is not None else of.write(store, second))
        await agrees(store, of, second)


async def agrees(store: Store, of: Whole, written: Any) -> None:
    read = await of.read(store, written)
    own = {name: getattr(read, name) for name in of.set_here}
    assert read == replace(written, **own)


@cache
def statements() -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Return the columns that are inserted and those that are set later, by table."""
    inserted: dict[str, set[str]] = {}
    changed: dict[str, set[str]] = {}
    for query in named_queries().values():
        if into := re.search(r"\bINSERT INTO (\w+) \(([^)]*)\)", query):
            inserted.setdefault(into[1], set()).update(re.findall(r"\w+", into[2]))
        for table, body in re.findall(r"\bUPDATE (\w+) SET\b(.*?)(?:\bWHERE\b|\Z)", query, re.DOTALL):
            changed.setdefault(table, set()).update(re.findall(r"\b(\w+) = ", body))
        if into and (again := re.search(r"\bDO UPDATE SET\b(.*)", query, re.DOTALL)):
            changed.setdefault(into[1], set()).update(re.findall(r"\b(\w+) = ", again[1]))
    return inserted, changed


@pytest.mark.parametrize("model", BIT_BY_BIT, ids=lambda model: model.__name__)
def test_of_what_is_written_bit_by_bit_every_column_is_set_somewhere(model):
    table, fixed = BIT_BY_BIT[model]
    inserted, changed = (found.get(table, set()) for found in statements())
    names = {one.name for one in fields(model)} - NO_COLUMN.get(model, frozenset())
    assert {name for name in fixed if name not in inserted} == set()
    assert {name for name in names - fixed if name not in changed} == set()


def test_no_model_is_left_out():
    """Whatever is read from a row is listed above."""
    readers = {
        name
        for name, value in vars(rows).items()
        if getattr(value, "__qualname__", "").startswith("_reader.")
    }
    listed = {re.sub(r"(?<!^)(?=[A-Z])", "_", model.__name__).lower() for model in (*WHOLE, *BIT_BY_BIT)}
    assert readers == listed
