"""Text from people and providers comes back unchanged if it is valid, and cleaned if it isn't."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.domain.accounts import Link
from bot.domain.audit import AuditEntry
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.observations import Observed
from bot.domain.people import Person, Principal
from bot.domain.reads import ReadResult
from bot.domain.tasks import TaskKind
from bot.domain.workspaces import State
from bot.store import accounts, audit, discovered, gates, links, notices, operations, tasks, workspaces
from bot.store.tables import GATES
from bot.store.tasks import NewTask
from tests.contract.store.gates import SHARED, by_reference, claim_one
from tests.rigs.store import (
    ALICE,
    accept_operation,
    add_workspace,
    first_sight,
    link_account,
    listed_workspace,
    name_workspace,
    put_link,
    unlink,
)

pytestmark = pytest.mark.both_engines

ODD = [
    "",
    "🙂 Grüße, 你好, مرحبا",
    "<!channel> & <@U1> “quotes” 'x' \"y\" -- ; DROP TABLE operations",
    "e\u0301\u200d\ufeff\u202e\x1b[0m\r\n\t",
    "a" * 5_000,
    "🙂" * 5_000,
    "nul\x00inside",
    "lone \ud800 surrogate \udfff",
    ":name %(name)s %s ? $1 \\",
]
#: Any characters at all, including lone surrogates and NUL.
ANYTHING = st.text(st.characters(exclude_categories=()), max_size=60)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | ANYTHING,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANYTHING, inner, max_size=3),
    max_leaves=8,
)
PERSISTENT = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in text


def agrees(stored: str | None, given_text: str) -> bool:
    """Return whether valid text was stored unchanged, and other text as valid text that isn't empty."""
    if stored is None:
        return False
    return stored == given_text if is_text(given_text) else is_text(stored) and bool(stored)


def examples(test):
    for text in ODD:
        test = example(text)(test)
    return test


@PERSISTENT
@examples
@given(ANYTHING)
async def test_names_of_people_and_workspaces(store, text):
    person = Principal(None, "T1", "U1")
    await store.save_people([Person(person, text, time_zone=text, seen_at=await store.now())])
    known = await store.person(person)
    assert agrees(known.name, text)
    assert agrees(known.time_zone, text)
    account = await link_account(store, account_id="a1")
    await store.perform(
        discovered.merge_discovered,
        account.id,
        [listed_workspace("r1", "g1", text, State.STOPPED, text, text)],
    )
    (workspace,) = await store.perform(workspaces.read_workspaces, ALICE)
    assert all(agrees(stored, text) for stored in (workspace.url, workspace.detail))
    assert agrees(workspace.name, text or "r1")
    await name_workspace(store, workspace.id, text)
    assert agrees((await store.read(workspaces.find_workspace, workspace.id)).alias, text)
    await unlink(store, ALICE)


@pytest.mark.parametrize("text", [text for text in ODD if not is_text(text)], ids=["nul", "surrogate"])
async def test_keys_of_many_rows_are_cleaned_like_those_of_one(store, text):
    def settle(tx):
        GATES.add_new(tx, gate_key=text, connection="saturn", remote_id="r")
        given = {"gate_key": text, "opens_at": 5.0, "granted_at": 0.0, "due_at": 5.0}
        tx.run_each("settle_gate", [given])
        return tx.one("gate", gate_key=text)["next_check_at"]

    assert await store.engine.write(settle) == 5.0


@PERSISTENT
@examples
@given(ANYTHING)
async def test_words_of_providers(store, clock, text):
    await link_account(store, account_id="a1", secret=text)
    assert agrees((await store.read(accounts.find_account_by_id, "a1")).secret, text)
    workspace = await add_workspace(store, by_reference(ALICE))
    accepted = await accept_operation(store, workspace, reference=text)
    operation = await store.read(operations.find_operation, accepted.operation.id)
    assert agrees(operation.reference, text)
    clock.advance(10.5)
    claim = await claim_one(store)
    seen = Observed(State.STARTING, text, text, 5, "name")
    await store.perform(gates.record_reads, [ReadResult(SHARED, claim.workspace_ids, seen, None, text)])
    row = await store.read(workspaces.find_workspace, workspace.id)
    assert agrees(row.url, text)
    assert agrees(row.detail, text)
    hold = (await store.read(operations.find_operation, operation.id)).block_reason
    assert agrees(hold, text) if text else hold is None
    await unlink(store, ALICE)


@PERSISTENT
@examples
@given(ANYTHING)
async def test_keys_of_interactions(store, text):
    key = f"key:{text}"
    await first_sight(store, key)
    assert await first_sight(store, key) is False


@PERSISTENT
@given(JSON)
async def test_bodies_payloads_and_what_waits(store, value):
    await store.write(
        notices.add_notices,
        [NewNotice("s", NoticeKind.MESSAGE, str(await count(store)), ALICE, {"v": value})],
    )
    (notice,) = await store.perform(notices.claim_notices, 10, 60.0)
    assert notice.body == {"v": value}
    await store.write(notices.give_up_notice, notice.id, "read")
    await store.write(tasks.add_tasks, [NewTask(TaskKind.REPLAY, "s", {"v": value})])
    (task,) = await store.claim(tasks.claim_tasks, 10, 60.0)
    assert task.payload == {"v": value}
    await store.write(tasks.finish_task, task)
    now = await store.now()
    link = Link(f"n{await count(store)}", ALICE, "saturn", {"v": value}, now, now + 600)
    await put_link(store, link)
    assert await store.read(links.find_link, link.nonce_hash) == link


async def count(store) -> int:
    """Return the next number. The count carries on across the examples of a test."""
    await store.write(audit.append_audit, [AuditEntry("a", "count", "", "")])
    return (await store.read(audit.read_audit_head))[0]


@PERSISTENT
@examples
@given(ANYTHING)
async def test_the_audit_holds_whatever_it_is_given(store, text):
    await store.write(audit.append_audit, [AuditEntry(text, text, text, text, {text: text})])
    assert await store.perform(audit.verify_audit) is None


@pytest.mark.parametrize("reply", ["", "x"])
async def test_empty_subjects_stand_for_nothing_by_themselves(store, reply):
    await store.write(notices.add_notices, [NewNotice("", NoticeKind.MESSAGE, reply, ALICE)])
    (notice,) = await store.perform(notices.claim_notices, 10, 60.0)
    assert (notice.subject, notice.occasion) == ("", reply)
