"""Every field of every model is saved: it is written, changed, replaced and read back."""

from collections.abc import Mapping
from dataclasses import FrozenInstanceError, fields, replace
from enum import IntEnum, StrEnum
from functools import partial
from typing import Any

import pytest

from bot.domain.notices import NoticeKind
from bot.domain.operations import Operation
from bot.domain.reads import Unconfirmed
from bot.domain.runs import ObservedRun, Run, RunState
from bot.domain.steps import Update
from bot.domain.workspaces import State
from bot.store import operations, runs, work_items
from bot.store.tables import GATES, GREETINGS, TABLES, Table
from bot.store.transaction import Transaction, clean, clean_all
from bot.support.errors import StoreError
from tests.contract.store.field_values import BESIDE, made, stand_for
from tests.rigs.store import ALICE

pytestmark = pytest.mark.both_engines

MODELS = [table for table in TABLES.values() if table.model is not None]


def key_of(table: Table[Any], one: Any) -> Mapping[str, Any]:
    beside = BESIDE.get(table.name, {})
    return {name: beside[name] if name in beside else getattr(one, name) for name in table.keys[0]}


def try_all(tx: Transaction, table: Table[Any], number: int) -> None:
    """Add a row, change each of its columns, and replace it, reading it back each time."""
    first, second, third = (made(table, one) for one in (number, number + 1, number + 2))
    beside = BESIDE.get(table.name, {})
    if table.name == "workspaces":
        for one in (first, second, third):
            GATES.add(tx, gate_key=one.gate_key, connection=one.connection, remote_id=one.remote_id)
    if table.name == "waitlist_entries":
        for one in (first, second, third):
            stand_for(tx, one.workspace_id)
    assert table.add_new(tx, first, **beside)
    assert not table.add_new(tx, first, **beside)
    found = table.one(tx, **key_of(table, first))
    assert found == first
    for field in table.fields:
        with pytest.raises(FrozenInstanceError):
            setattr(found, field, None)
    changed = table.change_returning(tx, key_of(table, first), **table.columns(second))
    assert changed is not None
    assert table.parse(changed) == table.one(tx, **key_of(table, second)) == second
    own = {name: getattr(second, name) for name in table.keys[0] if name in table.fields}
    third = replace(third, **own)
    table.upsert(tx, third, **beside)
    assert table.all(tx, **key_of(table, third)) == [third]


@pytest.mark.parametrize("table", MODELS, ids=lambda table: table.name)
async def test_every_field_is_written_changed_replaced_and_read_back(store, table):
    # Two rounds change each boolean in both directions, since one of the values is the default.
    for number in (10, 21):
        await store.engine.write(partial(try_all, table=table, number=number))
        key = key_of(table, made(table, number + 1))
        assert await store.engine.read(partial(table.row, **key)) is not None
        assert await store.engine.write(partial(table.count_deleted, **key)) == 1
        assert await store.engine.read(partial(table.row, **key)) is None


async def test_a_row_that_is_there_can_not_be_added(store):
    meeting = partial(GREETINGS.add, principal=ALICE, greeted_at=1.0)
    await store.engine.write(meeting)
    with pytest.raises(StoreError):
        await store.engine.write(meeting)


async def test_rows_are_found_by_a_key_alone(store):
    """A query that no index supports would walk the whole table."""
    with pytest.raises(AssertionError, match="no index of workspaces finds"):
        await store.engine.read(partial(TABLES["workspaces"].row, name="notebook"))


#: Fields that no step changes: they are set when an operation or a run is accepted, or by queries of their
#: own.
ASKED = {"id", "principal", "connection", "created_at", "reference", "channel_id", "next_step_at"}
KEPT = {
    Operation: ASKED
    | {"workspace_id", "verb", "agreed", "planned_for", "good_until", "run_seconds"}
    | {"usual_seconds", "slow_seconds"}
    | {"prior_call", "prior_at", "deadline_number"},
    Run: ASKED | {"spec", "requested_stop", "is_watched"} | {"template", "size", "price", "currency"},
}


@pytest.mark.parametrize("model", KEPT, ids=lambda model: model.__name__)
def test_a_step_saves_whatever_it_may_change(model):
    changes = (operations if model is Operation else runs)._choose_changes
    row = dict.fromkeys(
        [
            *TABLES[f"{model.__name__.lower()}s"].fields,
            "unconfirmed_times",
            "unconfirmed_since",
            "read_block_reason",
            "claim",
        ]
    )
    row |= {
        "state": RunState.QUEUED,
        "leased_until": 0.0,
        "wake_reason": 0,
        "deadline_number": 0,
    }
    saved = set()
    for update in (
        Update("1", 0.0, observed=ObservedRun(RunState.UNKNOWN), deadline_in=1.0),
        Update("1", 0.0, unconfirmed=Unconfirmed("gone", 1, 0.0)),
    ):
        saved |= changes(None, row, update, work_items._choose_changes(row, update, 0.0)).keys()
    assert {field.name for field in fields(model)} - KEPT[model] - saved == set()


def test_values_of_enums_are_stored_as_they_are():
    kinds = [kind for base in (StrEnum, IntEnum) for kind in base.__subclasses__() if is_ours(kind)]
    assert {NoticeKind, State} <= {*kinds}
    for member in (member for kind in kinds for member in kind):
        assert clean_all(["one"], {"one": member}) == [clean(member.value)]


def is_ours(kind: type) -> bool:
    return kind.__module__.startswith("bot.")
