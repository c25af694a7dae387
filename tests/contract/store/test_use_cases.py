"""A use case is one transaction: it runs once, and changes nothing if it is refused or fails."""

import re
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.accounts import Approval, Link
from bot.domain.courses import ClassCard
from bot.domain.forms import Spec
from bot.domain.hours import HoursRule
from bot.domain.observations import Created, Observed
from bot.domain.operations import Operation, OperationVerb
from bot.domain.people import Person
from bot.domain.preferences import LEVELS, Preferences
from bot.domain.runs import Run
from bot.domain.steps import Update
from bot.domain.stops import PlannedStop
from bot.domain.time_parsing import WEEKDAYS, WEEKEND, Wanted
from bot.domain.work_items import Call, Outcome
from bot.domain.workspaces import State, Workspace
from bot.services import accounts, browsers, due_timers, linking, runs, timers
from bot.services import approvals as approvals_use_cases
from bot.services import courses as courses_use_cases
from bot.services import hours as hours_use_cases
from bot.services.caller import Caller, ConfirmationRequired
from bot.services.linking import compute_digest
from bot.services.operation_requests import (
    begin_operation,
    create_workspace,
    extend_deadline,
    repeat_creation,
    replace_workspace,
)
from bot.services.preferences import save as save_preferences
from bot.services.timers import cancel_timer, confirm_needed, postpone_timer
from bot.services.usage import set_weekly
from bot.services.workspaces import (
    add_workspace,
    forget_workspace,
    relist_workspace,
    require_workspace,
    set_alias,
    set_notifications,
)
from bot.store import audit, creations, notices, operations
from bot.store import hours as rows
from bot.store import runs as run_rows
from bot.store import workspaces as workspace_rows
from bot.store.preferences import save_preferences as save_level
from bot.store.queues import KINDS_BY_TABLE
from bot.store.tables import WORKSPACES
from bot.support.clock import SystemIds
from bot.support.errors import NotIdentified, Refused, StoreError, StoreUnavailable
from tests.contract.store.conftest import on_one_engine
from tests.contract.store.links import CODE, NONCE, VISIT, waiting_for_code
from tests.project.repository import ROOT, list_store
from tests.rigs import use_cases
from tests.rigs.approvals import ask_approval
from tests.rigs.clock import FakeClock
from tests.rigs.people import Colleagues
from tests.rigs.store import (
    ALICE,
    BOB,
    gate_key,
    hide_workspace,
    launched,
    linked,
    memory_store,
    observe,
    put_link,
    set_timer,
)
from tests.rigs.use_cases import REFUSAL, WatchedStore, changed, on, tables

HOUR = 3600.0
Do = Callable[["World", Caller], Awaitable[Any]]


class World:
    """Rows that use cases are about: Alice's running workspace with a timer, her runs and class cards."""

    workspace: Workspace
    #: No longer on her list.
    forgotten: Workspace
    run: Run
    #: The outcome of its launch is unknown, and she is asked about it.
    lost: Run
    over: Run
    #: An open start of hers, and one that has ended.
    start: Operation
    ended: Operation
    #: A creation with unknown outcome that she is asked about.
    creation: Operation
    #: A workspace that was created for her and is gone.
    gone: Workspace
    #: Class cards of hers: one being sent, one whose notice was given up, and one that she has pressed.
    card: ClassCard
    lost_card: ClassCard
    pressed: ClassCard

    @property
    def at(self) -> float:
        return self.workspace.stop_at


def rule(workspace, now):
    """Return working hours on weekends, set in another time zone."""
    keys = {"days": WEEKEND, "starts": 10 * 60, "stops": None, "processed_until": now}
    return HoursRule("rule", ALICE, "saturn", workspace.id, zone="Asia/Tokyo", **keys)


async def made_in(store, clock):
    """Write the world's rows to a store."""
    made = World()
    row, one, two = (await linked(store, names=("notebook", "one", "two"))).workspaces
    await linked(store, BOB)
    await observe(store, clock, row, Observed(State.RUNNING))
    await set_timer(store, row, PlannedStop(clock.now() + HOUR, "stop"))
    made.workspace = await store.read(workspace_rows.find_workspace, row.id)
    await store.carry_out(lambda tx: rows.save_rule(tx, rule(row, clock.now())))
    made.forgotten = (await linked(store, names=("forgotten",))).workspaces[0]
    await hide_workspace(store, made.forgotten.id)
    await ask_approval(store, Approval("bobs", BOB, "saturn", "bob", "requested", clock.now()))
    until, checked = clock.now() + 600.0, {"stage": "checked", "username": "al", "secret": "sealed"}
    link = Link(compute_digest(NONCE), ALICE, "saturn", None, clock.now(), until, **checked)
    await put_link(store, link)
    await put_link(store, waiting_for_code(ask(store), replace(link, nonce_hash="code", secret="other")))
    made.run = await launched(store, connection="saturn", deadline_seconds=60.0, is_watched=False)
    made.lost = await launched(store, connection="saturn", name="lost")
    await store.write(run_rows.save_run_step, Update(made.lost.id, 0.0, start_call=Call.UNKNOWN, asked=True))
    made.over = await launched(store, connection="saturn", name="over", outcome="ended")
    await have_operations(store, clock, made, one, two)
    caller, draft = ask(store), ClassCard(ALICE, "C1", "saturn", "Statistics", pattern="notebook")
    made.lost_card = await caller.run(courses_use_cases.post, draft)
    for notice in await store.perform(notices.claim_notices, 10, 60.0):
        await store.write(notices.give_up_notice, notice.id, "outcome_unknown")
    made.card = await caller.run(courses_use_cases.post, draft)
    made.pressed = await caller.run(courses_use_cases.post, draft)
    await caller.run(courses_use_cases.enroll, made.pressed.id)
    return made


_kept = []


async def kept():
    """Return the world, made only once in memory, its database, and the time it took by its clock."""
    if not _kept:
        clock = FakeClock()
        began = clock.now()
        async with memory_store(clock) as store:
            made = await made_in(store, clock)
            _kept.append((made, store.engine.serialized(), clock.now() - began))
    return _kept[0]


@pytest.fixture
async def contents(engine_name, clock):
    if engine_name != "sqlite":
        return b""
    _, serialized, seconds = await kept()
    clock.advance(seconds)
    return serialized


@pytest.fixture
async def store(database):
    """The store of the test. Its ids differ from those of the world that was made before."""
    return await database.open()


@pytest.fixture
async def world(store, clock, engine_name):
    return (await kept())[0] if engine_name == "sqlite" else await made_in(store, clock)


async def have_operations(store, clock, made, one, two):
    """Give her operations in all states."""
    caller = ask(store)
    made.start = (await caller.run(begin_operation, one.id, OperationVerb.START)).operation
    ended = (await caller.run(begin_operation, two.id, OperationVerb.START)).operation
    await store.write(operations.save_step, Update(ended.id, 0.0, outcome=Outcome.FAILED, cause="gave_up"))
    made.ended = await store.read(operations.find_operation, ended.id)
    made.creation = (await caller.run(create_workspace, "saturn", Spec("doubtful"))).operation
    await store.write(
        operations.save_step, Update(made.creation.id, 0.0, start_call=Call.UNKNOWN, asked=True)
    )
    operation = (await caller.run(create_workspace, "saturn", Spec("lab"))).operation
    row = await store.write(
        creations.name_created, operation.id, Created("r1", "lab"), gate_key("saturn", "r1")
    )
    await store.write(operations.save_step, Update(operation.id, 0.0, outcome=Outcome.FULFILLED))
    await observe(store, clock, row, Observed(State.GONE))
    made.gone = await store.read(workspace_rows.find_workspace, row.id)


def ask(store, *given, **more):
    """Return a caller whose new ids differ from the store's."""
    return use_cases.ask(store, *given, ids=SystemIds(), **more)


def begins(verb):
    """Return the use case that begins an operation on her running workspace."""
    return lambda w, caller: caller.run(begin_operation, w.workspace.id, OperationVerb(verb), agreed=True)


OFFICE = Wanted(WEEKDAYS, 9 * 60, 18 * 60)
#: Each use case, with a call that does something for ALICE.
USE_CASES: dict[str, Do] = {
    "timers.set": lambda w, caller: caller.run(
        timers.set_timer, w.workspace.id, PlannedStop(w.at + HOUR, "stop")
    ),
    "timers.keep": lambda w, caller: caller.run(cancel_timer, w.workspace.id),
    "timers.add_an_hour": lambda w, caller: caller.run(postpone_timer, w.workspace.id, w.at),
    **{f"begin {verb}": begins(verb) for verb in ("start", "stop", "restart", "suspend", "force", "remove")},
    "begin start with a timer": lambda w, caller: caller.run(
        begin_operation, w.workspace.id, OperationVerb.START, timer=PlannedStop(w.at + HOUR, "stop")
    ),
    "begin start of what is being made, with a timer": lambda w, caller: caller.run(
        begin_operation, w.creation.workspace_id, OperationVerb.START, timer=PlannedStop(w.at + HOUR, "stop")
    ),
    "begin start of what is gone": lambda w, caller: caller.run(
        begin_operation, w.gone.id, OperationVerb.START
    ),
    "timer stops": lambda w, caller: caller.run(due_timers.stop_workspace, w.workspace),
    "keep_waiting": lambda w, caller: caller.run(extend_deadline, w.start.id),
    "start_another": lambda w, caller: caller.run(repeat_creation, w.creation.id),
    "workspaces.create": lambda w, caller: caller.run(create_workspace, "saturn", Spec("fresh")),
    "workspaces.again": lambda w, caller: caller.run(replace_workspace, w.gone.id),
    "list.add": lambda w, caller: caller.run(add_workspace, "saturn", "notebook2", "mine"),
    "list.bring_back": lambda w, caller: caller.run(relist_workspace, w.forgotten.id),
    "list.alias": lambda w, caller: caller.run(set_alias, w.workspace.id, "mine"),
    "list.forget": lambda w, caller: caller.run(forget_workspace, w.workspace.id),
    "list.notify": lambda w, caller: caller.run(set_notifications, w.workspace.id, ready=None, stopped=True),
    "preferences": lambda w, caller: caller.run(save_preferences, Preferences(ready=False)),
    "usage.weekly": lambda w, caller: caller.run(set_weekly, is_on=True),
    "hours.add": lambda w, caller: caller.run(hours_use_cases.add, w.workspace.id, OFFICE),
    "hours.end": lambda w, caller: caller.run(hours_use_cases.end, w.workspace.id),
    "hours.rest": lambda w, caller: caller.run(
        hours_use_cases.leave_out_days, w.workspace.id, ["2100-01-01"]
    ),
    "confirm_needed": lambda w, caller: caller.run(confirm_needed, w.workspace.id, w.at),
    "approvals.ask": lambda w, caller: caller.run(approvals_use_cases.ask, "saturn", "alice"),
    "approvals.decide": lambda w, caller: caller.run(approvals_use_cases.decide, "bobs", "bob", approve=True),
    "accounts.unlink": lambda w, caller: caller.run(accounts.unlink, ["saturn"]),
    "accounts.unlink_other": lambda w, caller: caller.run(accounts.unlink_other, BOB, None),
    "linking.invite": lambda w, caller: caller.run(linking.create_links, {"saturn": None}),
    "linking.confirm_code": lambda w, caller: caller.run(linking.confirm_code, CODE),
    "linking.prove": lambda w, caller: caller.run(linking.accept_proof, VISIT, ALICE),
    "linking.attempt": lambda w, caller: caller.run(linking.count_attempt, VISIT, "good"),
    "linking.again": lambda w, caller: caller.run(linking.discard_token, VISIT),
    "linking.confirm": lambda w, caller: caller.run(
        linking.confirm_link, VISIT, compute_digest("sealed")[:16]
    ),
    "browsers.sign_in": lambda w, caller: caller.run(browsers.sign_in),
    "runs.launch": lambda w, caller: caller.run(runs.launch_run, "saturn", Spec("train")),
    "runs.stop": lambda w, caller: caller.run(runs.stop_run, w.run.id, force=False),
    "runs.keep_waiting": lambda w, caller: caller.run(runs.extend_deadline, w.run.id),
    "runs.let_go": lambda w, caller: caller.run(runs.unfollow_run, w.run.id),
    "runs.start_another": lambda w, caller: caller.run(runs.repeat_launch, w.lost.id),
    "runs.watch": lambda w, caller: caller.run(runs.follow_output, w.run.id),
    "classes.post": lambda w, caller: caller.run(
        courses_use_cases.post, ClassCard(ALICE, "C1", "saturn", "Maths", pattern="lab")
    ),
    "classes.post_again": lambda w, caller: caller.run(courses_use_cases.post_again, w.lost_card.id),
    "classes.stop_all": lambda w, caller: caller.run(courses_use_cases.stop_all, w.card.id),
    "classes.press": lambda w, caller: caller.run(courses_use_cases.enroll, w.card.id),
}
#: The steps of linking use no key, because a page or a form may be sent again: the link itself knows the next
#: step.
WITHOUT_KEY = {
    "linking.confirm_code",
    "linking.prove",
    "linking.attempt",
    "linking.again",
    "linking.confirm",
    "browsers.sign_in",
}
#: Use cases that report a repeated request.
SAID = {"linking.invite"}
#: Use cases that other people may call just as well.
FOR_EVERYBODY = {
    "hours.move",
    "workspaces.create",
    "list.add",
    "preferences",
    "usage.weekly",
    "approvals.ask",
    "accounts.unlink",
    "linking.invite",
    "browsers.sign_in",
    "runs.launch",
    "runs.schedule",
    "classes.post",
    "classes.press",
}
#: Use cases that only show something. They may rely on what Slack said about a person more than a day ago.
SHOWING = {"runs.watch", "preferences", "usage.weekly"}
#: Work that was planned before and loses nothing. It doesn't wait for Slack to confirm the person.
PLANNED = {"timer stops"}
#: The level that an assistant needs for each use case, by its effect. People must do all others themselves.
LEVEL_OF = {
    **dict.fromkeys(("timers.set", "timers.keep", "timers.add_an_hour", "timer stops"), "stop"),
    **dict.fromkeys(("begin stop", "begin restart", "begin suspend", "runs.stop"), "stop"),
    "begin start": "start",
    # A start with a timer would stop a running workspace, or one being created, at a time that its owner
    # didn't choose.
    "begin start with a timer": "stop",
    "begin start of what is being made, with a timer": "stop",
    "runs.watch": "show",
}
#: Calls of use cases when there is nothing to do.
NEEDLESS: dict[str, Do] = {
    "timer stops": lambda w, caller: caller.run(
        due_timers.process_due_timer, replace(w.workspace, stop_at=w.at + HOUR)
    ),
    "keep_waiting": lambda w, caller: caller.run(extend_deadline, w.ended.id),
    "start_another": lambda w, caller: caller.run(repeat_creation, w.start.id),
    "accounts.unlink": lambda w, caller: caller.run(accounts.unlink, ["hub"]),
    "accounts.unlink_other": lambda w, caller: caller.run(accounts.unlink_other, BOB, "hub"),
    "timers.keep": lambda w, caller: caller.run(cancel_timer, w.workspace.id, instead_of=w.at - HOUR),
    "timers.add_an_hour": lambda w, caller: caller.run(postpone_timer, w.workspace.id, w.at - HOUR),
    "hours.rest": lambda w, caller: caller.run(hours_use_cases.leave_out_days, w.workspace.id),
    "approvals.decide": lambda w, caller: caller.run(
        approvals_use_cases.decide, "bobs", "another", approve=True
    ),
    "runs.stop": lambda w, caller: caller.run(runs.stop_run, w.over.id, force=False),
    "runs.keep_waiting": lambda w, caller: caller.run(runs.extend_deadline, w.over.id),
    "runs.let_go": lambda w, caller: caller.run(runs.unfollow_run, w.over.id),
    "runs.start_another": lambda w, caller: caller.run(runs.repeat_launch, w.run.id),
    "classes.post_again": lambda w, caller: caller.run(courses_use_cases.post_again, w.card.id),
}
each = pytest.mark.parametrize("name", USE_CASES)
each_on_one_engine = on_one_engine("name", USE_CASES, "timers.set")


async def a_guest(store, principal=ALICE):
    seen_at = await store.now()
    await store.save_people([Person(principal, "Alice", is_guest=True, seen_at=seen_at)])


def is_done(name, before, after):
    """Return whether a use case was carried out. If it takes a key, the key must have been used."""
    return (changed(before, after) != set()) if name in WITHOUT_KEY else "inbox" in changed(before, after)


@pytest.mark.both_engines
@pytest.mark.parametrize("name", sorted(USE_CASES.keys() - WITHOUT_KEY))
async def test_it_is_done_once_however_often_it_comes(store, world, name):
    caller = ask(store, "i1")
    before = await tables(store)
    await USE_CASES[name](world, caller)
    after = await tables(store)
    assert is_done(name, before, after)
    with pytest.raises(Refused) if name in SAID else nullcontext():
        await USE_CASES[name](world, caller)
    assert await tables(store) == after


@each_on_one_engine
async def test_a_refusal_leaves_its_audit_row_once_and_nothing_else(store, world, name):
    await a_guest(store)
    caller = ask(store, "i1")
    before = await tables(store)
    for _ in range(2):
        with pytest.raises(Refused) as refusal:
            await USE_CASES[name](world, caller)
        assert refusal.value.rule == "policy.guest"
    assert changed(before, await tables(store)) == REFUSAL
    last = (await store.read(audit.read_audit))[-1]
    assert (last["actor"], last["result"]) == (ALICE.key, "refused")
    # One more, without the head.
    assert len(await store.read(audit.read_audit)) == len(before["audit"])
    assert await store.perform(audit.verify_audit) is None


@on_one_engine("name", sorted(USE_CASES.keys() - SHOWING - PLANNED), "timers.set")
async def test_what_was_refused_is_done_once_it_is_allowed(store, world, name):
    people = Colleagues(store)
    people.silent = True
    caller = ask(store, "i1", people=people)
    await store.engine.write(long_ago)
    with pytest.raises(NotIdentified):
        await USE_CASES[name](world, caller)
    before = await tables(store)
    people.silent = False
    await USE_CASES[name](world, caller)
    assert is_done(name, before, await tables(store))
    assert people.asked == [ALICE.user_id] * 2


def long_ago(tx):
    """Make Slack's information about people older than a day."""
    tx.run("UPDATE people SET seen_at = seen_at - 90000")


@each_on_one_engine
async def test_the_policy_decides_before_the_first_write(store, world, name):
    await a_guest(store)
    watched = WatchedStore(store)
    with pytest.raises(Refused):
        await USE_CASES[name](world, on(ask(store, "i1"), watched))
    assert watched.transactions == 1, "something written before was rolled back"


@each_on_one_engine
async def test_an_error_of_the_database_leaves_nothing_half_done(store, world, name):
    before = await tables(store)
    for number in range(1_000):
        watched = WatchedStore(store, fails_at=number)
        try:
            await USE_CASES[name](world, on(ask(store, "i1"), watched))
        except StoreUnavailable:
            assert await tables(store) == before
        else:
            break
    assert number > 1
    assert is_done(name, before, await tables(store))


@on_one_engine("name", sorted(USE_CASES.keys() - FOR_EVERYBODY), "timers.set")
async def test_nobody_elses_is_touched(store, world, name):
    before = await tables(store)
    with pytest.raises(Refused) as refusal:
        await USE_CASES[name](world, ask(store, "i1", BOB))
    assert refusal.value.rule in {
        "policy.not_owner",
        "policy.not_administrator",
        "policy.not_teacher",
        "job.unknown",
        "link.unknown",
        "code.none",
    }
    assert changed(before, await tables(store)) == (REFUSAL if refusal.value.denied else set())


@on_one_engine("name", NEEDLESS, "timers.keep")
async def test_where_nothing_is_to_do_the_interaction_is_not_used_up(store, world, name):
    before = await tables(store)
    caller = ask(store, "i1")
    await NEEDLESS[name](world, caller)
    assert await tables(store) == before
    await USE_CASES[name](world, caller)
    assert "inbox" in changed(before, await tables(store))


@on_one_engine("name", sorted(USE_CASES.keys() - WITHOUT_KEY), "timers.set")
async def test_what_asks_for_somebody_goes_as_far_as_they_let_it_by_the_effect(store, world, name):
    caller = replace(ask(store, "i1"), via="assistant")
    needed = LEVELS.index(LEVEL_OF[name]) if name in LEVEL_OF else len(LEVELS)
    for level in LEVELS[:needed]:
        await store.carry_out(lambda tx, to=level: save_level(tx, ALICE, Preferences(assistant=to)))
        before = await tables(store)
        with pytest.raises(ConfirmationRequired):
            await USE_CASES[name](world, caller)
        assert await tables(store) == before
    if needed < len(LEVELS):
        to = Preferences(assistant=LEVELS[needed])
        await store.carry_out(lambda tx: save_level(tx, ALICE, to))
        await USE_CASES[name](world, caller)
        assert (await store.read(audit.read_audit))[-1]["detail"].count('"via":"assistant"') == 1
    else:
        # Once she confirms, it is done.
        await USE_CASES[name](world, ask(store, "i1"))


def test_no_other_use_case_is_open_to_what_asks_for_somebody():
    found = [
        (path.stem, given)
        for path in [*sorted((ROOT / "bot/services").glob("*.py")), *list_store("use_cases.py")]
        for given in re.findall(
            r"caller\.is_first_delivery\(tx, (?!result=)(.+?)\)+(?::| )", path.read_text(encoding="utf-8")
        )
    ]
    # Reading a list again changes nothing.
    assert found == [
        ("operation_requests", "level, fresh"),
        ("operation_requests", '"start", creation.id'),
        ("runs", '"stop"'),
        ("runs", '"show"'),
        ("snapshots", '"show"'),
        ("timers", '"stop"'),
    ]


async def test_what_is_refused_in_front_leaves_the_same_and_what_only_shows_leaves_nothing(store, world):
    await a_guest(store)
    caller = ask(store, "i1")
    before = await tables(store)
    assert (await caller.decide("start")).rule == "policy.guest"
    assert await tables(store) == before
    for _ in range(2):
        with pytest.raises(Refused):
            await caller.authorise("start")
    assert changed(before, await tables(store)) == REFUSAL
    # One more, without the head.
    assert len(await store.read(audit.read_audit)) == len(before["audit"])


async def test_an_interaction_that_was_something_else_makes_nothing(store, world):
    caller = ask(store, "i1")
    await caller.run(set_alias, world.workspace.id, "mine")
    before = await tables(store)
    with pytest.raises(StoreError, match="something else before"):
        await caller.run(create_workspace, "saturn", Spec("fresh"))
    assert await tables(store) == before


async def test_a_refusal_after_a_write_takes_that_back(store, world):
    def careless(tx, caller):
        WORKSPACES.change(tx, {"id": world.workspace.id}, alias="lab")
        require_workspace(tx, caller, "stop", world.workspace.id)

    await a_guest(store)
    before = await tables(store)
    with pytest.raises(Refused):
        await ask(store, "i1").run(careless)
    assert changed(before, await tables(store)) == REFUSAL


async def test_what_is_refused_for_another_reason_leaves_nothing(store, world):
    before = await tables(store)
    with pytest.raises(Refused) as refusal:
        await ask(store, "i1").run(approvals_use_cases.ask, "saturn", "two words")
    assert refusal.value.rule == "approval.username"
    assert await tables(store) == before


async def test_a_stranger_is_refused_without_a_word_of_slack(store, world):
    people = Colleagues(store)
    stranger = replace(ALICE, team_id="T9")
    with pytest.raises(Refused) as refusal:
        await ask(store, "i1", stranger, people=people).run(cancel_timer, world.workspace.id)
    assert refusal.value.rule == "policy.foreign_team"
    assert people.asked == []


async def test_the_background_work_is_woken_by_what_was_done_alone(store, world):
    wakes = []
    store.engine.report_to(lambda tables: wakes.extend(one for one in tables if one in KINDS_BY_TABLE))
    caller = ask(store, "i1")
    await caller.run(cancel_timer, world.workspace.id)
    woken = list(wakes)
    assert woken
    await a_guest(store)
    with pytest.raises(Refused):
        await caller.run(cancel_timer, world.workspace.id)
    assert wakes == woken
