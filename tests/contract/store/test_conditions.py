"""Query conditions that back up an earlier guard, tested with rows that the guard would never let through."""

from dataclasses import replace
from functools import partial

import pytest

from bot.domain.accounts import Link
from bot.domain.browsers import BrowserSession
from bot.domain.hours import HoursRule
from bot.domain.notices import NewNotice, NoticeKind, NoticeState
from bot.domain.observations import Observed
from bot.domain.people import Person, Principal
from bot.domain.snapshots import Snapshot
from bot.domain.steps import Update
from bot.domain.tasks import TaskKind
from bot.domain.time_parsing import WEEKEND
from bot.domain.work_items import Call, Outcome
from bot.domain.workspaces import State
from bot.services import courses as courses_use_cases
from bot.services.timers import cancel_timer
from bot.store import accounts as account_rows
from bot.store import (
    browsers,
    creations,
    installations,
    links,
    notices,
    operations,
    runs,
    slack_rate_limits,
    snapshots,
    sweeping,
)
from bot.store import cards as card_rows
from bot.store import courses as class_rows
from bot.store import gates as gate_rows
from bot.store import hours as hour_rows
from bot.store import workspaces as workspace_rows
from bot.store.slack_rate_limits import CallQuota
from bot.store.statements import fill_changes
from bot.store.tables import (
    ACCOUNTS,
    CARDS,
    GATES,
    INSTALLATIONS,
    NOTICES,
    OPERATIONS,
    PARTICIPANTS,
    RUNS,
    TASKS,
    WORKSPACES,
)
from bot.store.tasks import NewTask, add_tasks
from tests.contract.store.classes import CARD, TRAINER, by, look, press, up
from tests.contract.store.classes import posted as posted_class
from tests.contract.store.creations import asked, provisional
from tests.rigs.installed import ACME
from tests.rigs.store import (
    ALICE,
    BOB,
    INTERVAL,
    MARGIN,
    accept_operation,
    begin_session,
    browser_session,
    keep_waiting,
    launched,
    link_account,
    linked,
    make_another,
    observe,
    put_link,
    unlink,
    want_read,
    want_stop,
    within,
)


@pytest.fixture
async def operation(store, workspace):
    return (await accept_operation(store, workspace)).operation


async def change(store, table, key, **columns):
    """Change a row in a way that no earlier guard would allow."""
    if columns:
        await store.carry_out(lambda tx: table.change(tx, {"id": key}, **columns))


# -- operations and runs -------------------------------------------------------------------------------------


async def test_a_stop_whose_caller_died_has_an_unknown_outcome(store, clock, operation):
    (step,) = await store.claim(operations.claim_operations, 10, 60.0)
    await store.write(
        operations.save_step,
        Update(operation.id, 30.0, stop_call=Call.CALLING, called=True, claim=step.claim),
    )
    clock.advance(30)
    (step,) = await store.claim(operations.claim_operations, 10, 60.0)
    assert (step.subject.stop_call, step.subject.unknown_since) == (Call.UNKNOWN, clock.now())


@pytest.mark.both_engines
@pytest.mark.parametrize(
    ("left", "is_made"),
    [
        ({}, True),
        ({"question_since": None}, False),
        ({"start_call": Call.ACCEPTED}, False),
        ({"outcome": Outcome.FULFILLED}, False),
    ],
    ids=["asked", "never asked", "found meanwhile", "over meanwhile"],
)
async def test_another_one_is_made_only_by_whoever_is_asked(store, account, left, is_made):
    made = (await asked(store)).operation
    await store.write(
        operations.save_step, Update(made.id, 60.0, start_call=Call.UNKNOWN, called=True, asked=True)
    )
    await change(store, OPERATIONS, made.id, **left)
    before = await store.read(operations.find_operation, made.id)
    assert await make_another(store, made.id) is is_made
    after = await store.read(operations.find_operation, made.id)
    assert after.start_call == (Call.NONE if is_made else before.start_call)


async def test_what_others_write_leaves_the_lease_also_to_whoever_presses_next(store, operation):
    await store.claim(operations.claim_operations, 10, 60.0)
    assert await store.write(operations.save_step, Update(operation.id, 0.0, read_needed=True))
    await keep_waiting(store, operation.id)
    assert await store.claim(operations.claim_operations, 10, 60.0) == []


@pytest.mark.both_engines
async def test_what_a_step_holds_is_nobody_elses_even_if_it_is_due(store, clock, account, operation):
    run = await launched(store, remote_id="r1")
    assert (
        len(await store.claim(operations.claim_operations, 10, 60.0))
        == len(await store.claim(runs.claim_runs, 10, 60.0))
        == 1
    )
    for table, key in ((OPERATIONS, operation.id), (RUNS, run.id)):
        await change(store, table, key, next_step_at=clock.now())
    assert (
        await store.claim(operations.claim_operations, 10, 60.0)
        == await store.claim(runs.claim_runs, 10, 60.0)
        == []
    )
    assert await store.claim(runs.claim_runs_of, account, 10, 60.0) == []


@pytest.mark.both_engines
async def test_no_output_is_followed_for_a_link_that_has_ended(store, account):
    run = await launched(store, remote_id="r1", is_watched=True)
    assert [one.id for one in await store.read(runs.list_watched_runs, "me")] == [run.id]
    await change(store, RUNS, run.id, is_orphan=True)
    assert await store.read(runs.list_watched_runs, "me") == []


async def test_nobody_asks_for_the_stop_of_a_run_that_is_over(store, account):
    run = await launched(store)
    await store.write(runs.save_run_step, Update(run.id, 0.0, outcome=Outcome.ENDED))
    assert (await want_stop(store, run.id)).requested_stop == run.requested_stop


@pytest.mark.both_engines
@pytest.mark.parametrize(
    ("whose", "fields", "is_known"),
    [
        (ALICE, {"start_call": Call.UNKNOWN}, False),
        (BOB, {"start_call": Call.UNKNOWN}, True),
        # No call has been sent for that one yet, so it can't have created anything.
        (ALICE, {"start_call": Call.NONE}, True),
        (ALICE, {"start_call": Call.UNKNOWN, "name": "other"}, True),
        (ALICE, {"start_call": Call.UNKNOWN, "connection": "hub"}, True),
    ],
    ids=["namesake", "somebody else's", "never called", "another name", "elsewhere"],
)
async def test_a_run_is_found_again_unless_a_namesake_may_have_made_it(store, whose, fields, is_known):
    mine = await launched(store, start_call=Call.UNKNOWN)
    await launched(store, whose, **fields)
    assert await store.read(runs.find_unexplained_ids, mine, ["r1"]) == (["r1"] if is_known else [])


# -- people and their accounts -------------------------------------------------------------------------------


async def test_what_slack_says_now_counts_more_than_what_it_will_have_said(store, clock):
    # Written under a clock that has been corrected since.
    await store.save_people([Person(ALICE, "Alice", seen_at=clock.now() + 3600)])
    await store.save_people([Person(ALICE, "Alice", is_guest=True, seen_at=clock.now())])
    assert (await store.person(ALICE)).is_guest


async def is_taken(store, account):
    return await store.engine.read(lambda tx: account_rows.find_username_holder(tx, account) is not None)


async def test_a_username_is_taken_by_whoever_else_has_it_there(store):
    mine = await link_account(store, ALICE, username="al")
    assert not await is_taken(store, mine)
    assert await is_taken(store, replace(mine, principal=BOB))
    assert not await is_taken(store, replace(mine, principal=BOB, username="bob"))
    assert not await is_taken(store, replace(mine, principal=BOB, connection="hub"))
    await unlink(store, revocable=["saturn"])
    assert not await is_taken(store, replace(mine, principal=BOB))


async def test_nobody_has_the_username_that_is_empty(store):
    mine = await link_account(store, ALICE, username="")
    assert not await is_taken(store, replace(mine, principal=BOB))


async def test_a_new_link_acts_and_not_the_one_that_is_being_revoked(store, clock):
    old = await link_account(store, username="al")
    await unlink(store, revocable=["saturn"])
    await link_account(store, BOB)
    clock.advance(-60)  # The clock was set back in between.
    new = await link_account(store, username="al")
    assert [one.state for one in (await store.read(account_rows.find_account_by_id, old.id), new)] == [
        "revoking",
        "active",
    ]
    assert (await store.read(account_rows.find_account, ALICE, "saturn")).id == new.id
    assert (await store.read(account_rows.find_account, BOB, "saturn")).principal == BOB


@pytest.mark.both_engines
async def test_a_refused_account_is_neither_used_nor_reminded_of(store, clock, account):
    await change(store, ACCOUNTS, account.id, remind_at=clock.now())
    (due,) = await within(store, account_rows.REMINDER_QUEUE.take, 60.0, 10)
    assert due["id"] == account.id
    await change(store, ACCOUNTS, account.id, state="refused")
    assert await within(store, account_rows.REMINDER_QUEUE.take, 60.0, 10) == []
    assert [one.connection for one in await store.perform(account_rows.list_active_accounts)] == []
    assert await store.claim(runs.claim_runs_of, account, 10, 60.0) is None


# -- creations, plans, and rows that are kept ----------------------------------------------------------------


@pytest.mark.both_engines
@pytest.mark.parametrize(
    ("left", "is_open"),
    [({}, True), ({"principal": BOB}, False), ({"created_at": 0.0}, False)],
    ids=["listed since", "somebody else's", "listed before"],
)
async def test_what_was_made_is_not_explained_by_a_row_that_a_list_has_added_since(
    store, clock, account, left, is_open
):
    made = (await asked(store)).operation
    await link_account(store, BOB, "posit")
    clock.advance(5)
    (row,) = (await linked(store, ALICE, connection="posit")).workspaces
    await change(store, WORKSPACES, row.id, **left)
    gates = [row.gate_key]
    assert await store.read(creations.find_unexplained_gates, made.id, "posit", gates, made.created_at) == (
        gates if is_open else []
    )


@pytest.mark.both_engines
async def test_each_running_workspace_is_claimed_once_in_a_while(store, clock, workspace):
    """The claim doesn't decide whether the owner is asked about it."""
    await observe(store, clock, workspace, Observed(State.RUNNING))
    assert await within(store, workspace_rows.claim_running, 10, 60.0) == [], "it has only just come up"
    clock.advance(1800.0)
    (found,) = await within(store, workspace_rows.claim_running, 10, 60.0)
    assert found.id == workspace.id
    assert await within(store, workspace_rows.claim_running, 10, 60.0) == []


async def test_hours_are_kept_by_one_process_at_a_time(store, clock, workspace):
    keys = {"days": WEEKEND, "starts": 600, "stops": None, "processed_until": clock.now()}
    rule = HoursRule("rule", ALICE, "saturn", workspace.id, zone="UTC", **keys)
    await store.carry_out(lambda tx: hour_rows.save_rule(tx, rule))
    clock.advance(7 * 86_400)
    assert [one.id for one in await within(store, hour_rows.claim_hours, 10, 60.0)] == ["rule"]
    assert await within(store, hour_rows.claim_hours, 10, 60.0) == []
    clock.advance(60)
    assert [one.id for one in await within(store, hour_rows.claim_hours, 10, 60.0)] == ["rule"]


async def test_an_older_list_does_not_replace_a_newer_one(store, clock, account):
    for payload, age in (({"new": 1}, 0), ({"old": 1}, 60)):
        await store.write(
            snapshots.save_snapshot, Snapshot("posit", account.id, "templates", payload, clock.now() - age)
        )
    assert (await store.read(snapshots.find_snapshot, "posit", account.id, "templates")).payload == {"new": 1}


# -- reads ---------------------------------------------------------------------------------------------------


@pytest.mark.both_engines
@pytest.mark.parametrize("left", ["hidden", "refused"])
async def test_nobody_reads_what_is_hidden_or_with_an_account_that_is_refused(store, clock, workspace, left):
    await want_read(store, workspace.id)
    if left == "hidden":
        await change(store, WORKSPACES, workspace.id, hidden=True)
    else:
        account = await store.read(account_rows.find_account, ALICE, "saturn")
        await change(store, ACCOUNTS, account.id, state="refused")
    clock.advance(INTERVAL + MARGIN)
    assert await store.claim(gate_rows.claim_reads, "saturn", 10, INTERVAL, MARGIN) == []


async def row_of(store, table, **key):
    return await store.engine.read(lambda tx: table.row(tx, **key))


@pytest.mark.both_engines
@pytest.mark.parametrize("query", ["observed", "observed_same"])
async def test_what_was_read_later_is_not_overwritten(store, clock, workspace, query):
    await observe(store, clock, workspace, Observed(State.RUNNING))
    seen = await row_of(store, WORKSPACES, id=workspace.id)
    older = {"id": workspace.id, "observed_at": seen["observed_at"] - 5, "confirms": True}
    if query == "observed":
        write = partial(_observe_older, given=older | {"state": "stopped"})
    else:
        given = older | {"verified_at": None, "last_used_at": None}
        write = partial(_each, query=query, given=given)
    await store.carry_out(write)
    assert await row_of(store, WORKSPACES, id=workspace.id) == seen


def _observe_older(tx, given):
    return tx.count(fill_changes("observed", "observed_at", "state"), **given)


def _each(tx, query, given):
    tx.run_each(query, [given])


async def run(store, query, **given):
    return await store.carry_out(lambda tx: tx.count(query, **given))


@pytest.mark.both_engines
async def test_a_read_that_was_asked_for_during_another_one_is_still_made(store, clock, workspace):
    key, now = workspace.gate_key, clock.now()
    gate = {"next_check_at": now + 10, "claimed_at": now, "requested_at": now + 1, "due_at": now + 10}
    await store.carry_out(lambda tx: GATES.change(tx, {"gate_key": key}, **gate))
    settled = {"gate_key": key, "opens_at": now + 12, "granted_at": now, "due_at": now + 300}
    await store.carry_out(partial(_each, query="settle_gate", given=settled))
    row = await row_of(store, GATES, gate_key=key)
    assert (row["next_check_at"], row["due_at"]) == (now + 12, now + 12)
    await store.carry_out(partial(_each, query="settle_gate", given=settled | {"granted_at": now + 2}))
    assert (await row_of(store, GATES, gate_key=key))["due_at"] == now + 300


async def test_a_gate_that_nobody_may_read_is_not_claimed_until_somebody_may(store, clock, workspace):
    await want_read(store, workspace.id)
    account = await store.read(account_rows.find_account, ALICE, "saturn")
    await change(store, ACCOUNTS, account.id, state="refused")
    assert await run(store, "rest_gate_without_reader", gate_key=workspace.gate_key) == 1
    assert (await row_of(store, GATES, gate_key=workspace.gate_key))["due_at"] is None


async def test_news_wake_nothing_that_is_over(store, clock, operation):
    await store.write(operations.save_step, Update(operation.id, 0.0, outcome=Outcome.FAILED, cause="gone"))
    news = {"id": operation.id, "now": clock.now(), "strength": 3, "block_reason": "Slow."}
    assert await run(store, "wake_operation", **news) == 0


@pytest.mark.both_engines
async def test_a_jump_of_the_clock_moves_what_a_lease_waits_for(store, clock, operation):
    now = clock.now()
    held = {"leased_until": now + 30, "next_step_at": now + 30}
    await change(store, OPERATIONS, operation.id, **held)
    await run(store, fill_changes("move_leases", work_items="operations"), jump=600.0, before=now)
    row = await row_of(store, OPERATIONS, id=operation.id)
    assert {name: row[name] - value for name, value in held.items()} == dict.fromkeys(held, 600.0)


@pytest.mark.both_engines
async def test_a_gate_claimed_in_the_future_is_closed_for_its_interval_and_not_until_then(
    store, clock, workspace
):
    key, now = {"gate_key": workspace.gate_key}, clock.now()
    far = {"claimed_at": now + 9_000, "next_check_at": now + 9_010}
    await store.carry_out(lambda tx: GATES.change(tx, key, **far))
    await run(store, "heal_gates", now=now, is_unknown=0, longest=600.0)
    assert (await row_of(store, GATES, **key))["next_check_at"] == now + 10


# -- links and notices ---------------------------------------------------------------------------------------


async def test_a_link_that_was_replaced_holds_neither_token_nor_code(store, clock):
    now = clock.now()
    link = Link("n", ALICE, "saturn", None, now, now + 600.0, "code", secret="sealed", code_hash="hash")
    await put_link(store, link)
    other = replace(link, nonce_hash="other", principal=BOB)
    await put_link(store, other)
    await store.carry_out(lambda tx: links.expire(tx, ALICE.key, "saturn"))
    left = await store.read(links.find_link, "n")
    assert (left.secret, left.code_hash, left.expires_at) == (None, None, now)
    assert await store.read(links.find_link, "other") == other


async def waiting(store, kind=NoticeKind.MESSAGE, principal=ALICE, subject="s", **body):
    """Add a message and claim it."""
    await store.write(notices.add_notices, [NewNotice(subject, kind, "1", principal, body)])
    return next(one for one in await store.perform(notices.claim_notices, 10, 60.0) if one.subject == subject)


async def notice_of(store, notice):
    return NOTICES.parse(await row_of(store, NOTICES, id=notice.id))


async def test_what_was_sent_stays_sent_and_where_it_is(store):
    sent = await waiting(store)
    await store.write(notices.mark_notice_sent, sent, "D1", "1.1")
    await store.write(notices.mark_notice_sent, sent, "D2", "2.2")
    await store.write(notices.give_up_notice, sent.id, "expired")
    await store.write(notices.retry_notice, sent, 0.0, error="late")
    left = await notice_of(store, sent)
    assert (left.state, left.channel_id, left.message_ts) == (NoticeState.SENT, "D1", "1.1")


@pytest.mark.parametrize("ending", ["sent", "dead"])
async def test_an_address_to_answer_at_is_kept_no_longer_than_it_is_of_use(store, ending):
    reply = await waiting(store, NoticeKind.REPLY, response_url="https://hooks.example.org/secret")
    if ending == "sent":
        await store.write(notices.mark_notice_sent, reply, "", "")
    else:
        await store.write(notices.give_up_notice, reply.id, "expired")
    assert (await row_of(store, NOTICES, id=reply.id))["body"] == "{}"


async def test_a_newer_message_owes_a_look_at_those_before_of_its_own_person_alone(store, workspace):
    async def posted(principal, notice, ts):
        row = {"id": notice, "kind": NoticeKind.READY, "subject": notice, "principal": principal.key}
        await store.carry_out(lambda tx: card_rows.add_notice(tx, row, {"workspace": workspace.id}))
        await store.carry_out(lambda tx: card_rows.save_location(tx, notice, "D1", ts))

    await posted(BOB, "bobs", "1.0")
    await posted(ALICE, "first", "2.0")
    await posted(ALICE, "second", "3.0")
    pending = {
        name: (await store.read(card_rows.find_card, name)).is_dirty for name in ("bobs", "first", "second")
    }
    assert pending == {"bobs": False, "first": True, "second": False}


# -- classes -------------------------------------------------------------------------------------------------


async def pressed(store, clock):
    """Let Alice press the card of a class that then ends, and return her workspace."""
    await posted_class(store)
    row = await up(store, clock)
    await press(store, row)
    await by(store, TRAINER, "stop").run(courses_use_cases.stop_all, CARD)
    return row


def press_key(principal=ALICE):
    return {"card_id": CARD, "principal": principal}


@pytest.mark.both_engines
async def test_a_class_stops_nobody_who_never_agreed(store, clock):
    row = await pressed(store, clock)
    await store.carry_out(lambda tx: PARTICIPANTS.change(tx, press_key(), consented_at=None))
    await look(store)
    assert (await store.read(workspace_rows.find_workspace, row.id)).stop_at is None


@pytest.mark.both_engines
async def test_what_a_class_has_ended_is_not_kept_any_more(store, clock):
    await pressed(store, clock)
    await store.carry_out(lambda tx: PARTICIPANTS.change(tx, press_key(), ended_at=clock.now()))
    await run(store, "withdraw_consent", **press_key(ALICE.key), now=clock.now())
    assert (await store.read(class_rows.find_participant, CARD, ALICE)).withdrawn_at is None


@pytest.mark.both_engines
async def test_who_consents_again_is_warned_again_before_the_end(store, clock):
    await posted_class(store, stops_at=clock.now() + 200)
    row = await up(store, clock)
    await press(store, row)
    await store.carry_out(lambda tx: WORKSPACES.change(tx, {"id": row.id}, stop_warned=True))
    await by(store, ALICE, "keep").run(cancel_timer, row.id)
    await press(store, row, "again")
    again = await store.read(workspace_rows.find_workspace, row.id)
    assert (again.stop_card, again.stop_warned) == (CARD, False)


async def test_a_class_is_ended_once(store, clock):
    await pressed(store, clock)
    end = {"id": CARD, "now": clock.now(), "stopped_by": BOB.key, "stops_at": clock.now() + 300}
    await run(store, "close_class", **end)
    assert (await store.read(class_rows.find_card, CARD)).stopped_by == TRAINER.key


# -- tasks, limits, sweeping ---------------------------------------------------------------------------------


@pytest.mark.both_engines
async def test_a_list_that_is_being_read_is_not_hurried(store, clock, account):
    tasks = [NewTask(kind, account.id, due_in=600.0) for kind in (TaskKind.DISCOVER, TaskKind.LIST_RUNS)]
    await store.carry_out(lambda tx: add_tasks(tx, tasks))
    held = await row_of(store, TASKS, kind=TaskKind.DISCOVER, subject=account.id)
    await change(store, TASKS, held["id"], is_leased=True)
    hurried = await run(store, "hurry_tasks_of_account", account_id=account.id, now=clock.now())
    assert (hurried, await row_of(store, TASKS, id=held["id"])) == (1, held | {"is_leased": 1})


async def test_a_shorter_pause_does_not_end_a_longer_one(store, clock):
    await store.write(slack_rate_limits.pause_slack_method, "T1", "chat.update", 60.0)
    await store.write(slack_rate_limits.pause_slack_method, "T1", "chat.update", 5.0)
    clock.advance(30)
    assert await store.read(slack_rate_limits.count_remaining_calls, CallQuota("T1", "chat.update", 50)) == 0


@pytest.mark.both_engines
async def test_a_token_is_not_renewed_where_usher_was_removed(store):
    await store.write(installations.install, ACME)
    await change(store, INSTALLATIONS, ACME.id, removed_at=1.0)
    assert not await store.write(installations.claim_renewal, ACME.id, ACME.secret)


@pytest.mark.both_engines
async def test_an_open_operation_is_kept_however_many_came_after_it(store, clock, operation):
    row = await row_of(store, OPERATIONS, id=operation.id)
    over = {"outcome": Outcome.FULFILLED, "ended_at": clock.now()}
    for number in range(60):
        newer = {"id": f"newer_{number}", "created_at": row["created_at"] + number + 1}
        await store.carry_out(lambda tx, newer=newer: OPERATIONS.add_new(tx, **row | over | newer))
    await store.perform(sweeping.sweep)
    kept = await store.engine.read(lambda tx: OPERATIONS.rows(tx, workspace_id=operation.workspace_id))
    assert len(kept) == 51
    assert operation.id in {one["id"] for one in kept}


# -- several people and Slack workspaces ---------------------------------------------------------------------


async def test_only_those_are_signed_out_who_left_or_whose_workspace_removed_usher(store, clock):
    elsewhere = Principal(None, "T2", ALICE.user_id)
    whose = {"alice": ALICE, "bob": BOB, "elsewhere": elsewhere}
    for name, principal in whose.items():
        now = clock.now()
        await begin_session(store, BrowserSession(name, principal, now, now, now + 3600))

    async def left():
        return {name for name in whose if await browser_session(store, name, 3600.0) is not None}

    await store.carry_out(lambda tx: browsers.end_sessions_of(tx, ALICE))
    assert await left() == {"bob", "elsewhere"}
    assert await store.perform(browsers.end_browser_sessions_at, "T2") == 1
    assert await left() == {"bob"}


@pytest.mark.both_engines
async def test_the_limits_and_pauses_of_one_slack_workspace_are_not_anothers(store):
    async def take(team):
        return await store.write(slack_rate_limits.take_slack_call, team, "chat.update", most=1)

    assert await take("T1") == 0
    assert await take("T1") > 0
    rooms = [CallQuota(team, "chat.update", 50) for team in ("T1", "T2")]
    assert (await store.read(slack_rate_limits.count_remaining_calls, rooms[1]), await take("T2")) == (45, 0)
    await store.write(slack_rate_limits.pause_slack_method, "T1", "chat.update", 60.0)
    assert [await store.read(slack_rate_limits.count_remaining_calls, room) for room in rooms] == [0, 44]


@pytest.mark.both_engines
@pytest.mark.parametrize(
    ("other", "is_told"),
    [({}, False), ({"connection": "hub"}, True), ({"called_at": 1.0}, True), (None, True)],
    ids=["beside it", "elsewhere", "long before", "none"],
)
async def test_what_was_made_is_told_unless_another_creation_may_have_made_it(
    store, clock, account, other, is_told
):
    made = (await asked(store)).operation
    since = clock.now()
    await change(store, OPERATIONS, made.id, start_call=Call.UNKNOWN, called_at=since)
    if other is not None:
        second = (await asked(store, provisional(2), "i2")).operation
        await change(store, OPERATIONS, second.id, **{"start_call": Call.UNKNOWN, "called_at": since} | other)
    assert await store.read(creations.find_unexplained_gates, made.id, "posit", ["gate"], since) == (
        ["gate"] if is_told else []
    )


async def test_a_reply_waits_for_what_its_person_waits_for(store, clock):
    await store.write(notices.add_notices, [NewNotice("s", NoticeKind.READY, "1", ALICE)])
    replies = {"theirs": BOB, "mine": ALICE}
    await store.write(
        notices.add_notices, [NewNotice(name, NoticeKind.REPLY, "1", one) for name, one in replies.items()]
    )
    assert [one.subject for one in await store.perform(notices.claim_notices, 10, 60.0, {0: 1.0})] == [
        "theirs"
    ]
    (ready,) = await store.perform(notices.claim_notices, 10, 60.0, {1: 1.0})
    await store.write(notices.mark_notice_sent, ready, "D1", "1.1")
    assert [one.subject for one in await store.perform(notices.claim_notices, 10, 60.0, {0: 1.0})] == ["mine"]


@pytest.mark.both_engines
async def test_what_is_over_is_not_owed_again(store, workspace):
    def write(tx):
        card_rows.add(tx, NoticeKind.CARD, "card", ALICE.key, about=workspace.id)
        CARDS.change(tx, {"id": "card"}, stage="closed", is_dirty=False)
        card_rows.queue_updates(tx, "card", changed=True)
        card_rows.queue_messages(tx, workspace.id, changed=True)

    await store.carry_out(write)
    card = await store.read(card_rows.find_card, "card")
    assert (card.stage, card.is_dirty) == ("closed", False)
