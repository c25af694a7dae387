"""Creations are done only once, no matter what gets lost, and are cancelled if the owner wants that."""

from contextlib import suppress
from functools import partial

import pytest

from bot.domain.forms import Spec
from bot.domain.operations import OperationVerb
from bot.domain.stops import PlannedStop
from bot.domain.tasks import TaskKind
from bot.domain.work_items import Call, Outcome
from bot.domain.workspaces import State
from bot.messages.texts.holds import explain_hold
from bot.providers.base import Credential
from bot.services.operation_requests import begin_operation, create_workspace, replace_workspace
from bot.store import accounts, operations, tasks
from bot.store import runs as run_rows
from bot.store import workspaces as workspace_rows
from bot.store.tasks import NewTask
from bot.support.errors import (
    Conflict,
    CredentialRefused,
    Forbidden,
    InvalidRequest,
    LimitReached,
    Refused,
    ServerFailed,
    UnknownOutcome,
    Unreachable,
)
from bot.support.vault import row_key
from tests.reconciler.fuse import Meanwhile
from tests.reconciler.runs import new_run_world
from tests.rigs.store import ALICE, BOB, hide_workspace, link_account, name_workspace, unlink, want_read


async def rows(world, *, hidden=False):
    return await world.store.perform(workspace_rows.read_workspaces, ALICE, hidden=hidden)


@pytest.mark.parametrize("landed", [False, True], ids=["lost", "made"])
@pytest.mark.parametrize("error", [UnknownOutcome("no answer"), ServerFailed("502", status=502)])
async def test_an_unknown_outcome_is_looked_for_before_it_is_made_again(world, landed, error):
    world.provider.fail("create", error, after=landed)
    operation_id = await world.make()
    await world.work()
    assert (await world.store.read(operations.find_operation, operation_id)).start_call is Call.UNKNOWN
    await world.pass_time(119, step=1, longest=1)
    # A workspace that shows up is taken at once. Otherwise there are two minutes of searches at the usual
    # pace.
    assert world.provider.count("create") == 1
    assert world.provider.count("find_created") == (1 if landed else 12)
    assert await world.until_ended(operation_id) is Outcome.FULFILLED
    assert [len(made) for made in world.provider.made.values()] == [1]
    assert world.provider.count("create") == (1 if landed else 2)
    assert world.slack.kinds().count("ready") == 1


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (Forbidden("not yours"), "forbidden:: not yours"),
        (InvalidRequest("no such size"), "invalid:: no such size"),
        (LimitReached("2 of 2"), "limit:: 2 of 2"),
        (Conflict("name taken"), "conflict:: name taken"),
    ],
)
async def test_what_is_refused_ends_with_the_cause_and_leaves_no_row(world, error, cause):
    world.provider.fail("create", error)
    operation_id = await world.make()
    assert await world.until_ended(operation_id) is Outcome.FAILED
    assert (await world.store.read(operations.find_operation, operation_id)).start_call is Call.NONE
    assert (await world.store.read(operations.find_operation, operation_id)).cause == cause
    assert world.slack.sent_kinds() == ["failed"]
    assert "I couldn't create lab" in world.slack.messages[-1]["text"]
    assert await rows(world) == []
    assert world.provider.count("create") == 1


async def test_what_breaks_after_it_was_made_stays_on_the_list(world):
    world.provider.start_ends = State.FAILED
    assert await world.until_ended(await world.make()) is Outcome.FAILED
    (row,) = await rows(world)
    assert (row.remote_id, row.state) == ("m1", State.FAILED)


@pytest.mark.parametrize("method", ["create", "status"])
async def test_a_secret_of_the_operators_that_is_refused_is_nobodys_to_link_anew(world, method):
    sealed = world.vault.seal(row_key(ALICE.key, "cloud"), Credential.for_connection("admin").as_mapping())
    await link_account(world.store, ALICE, "cloud", secret=sealed)
    refusal = CredentialRefused("no such token", status=401)
    world.provider.fail(method, refusal, times=3)
    operation_id = await world.make()
    await world.pass_time(20)
    assert (await world.store.read(accounts.find_account, ALICE, "cloud")).state == "active"
    assert "no longer accepts my own key" in explain_hold(
        (await world.store.read(operations.find_operation, operation_id)).block_reason, "Fake Cloud"
    )
    assert await world.until_ended(operation_id) is Outcome.FULFILLED
    assert "relink_prompt" not in world.slack.kinds()


# -- called off --------------------------------------------------------------------------------------------

DOWN = {
    OperationVerb.STOP: ("stopped", State.STOPPED),
    OperationVerb.FORCE: ("stopped", State.STOPPED),
    OperationVerb.REMOVE: ("removed", None),
}
down = pytest.mark.parametrize("verb", DOWN)


@down
async def test_before_it_was_asked_for_it_is_called_off_without_any_call(world, verb):
    creation = await world.make()
    stop = await world.begin(await world.workspace_of(creation), verb)
    assert await world.until_ended(stop) is Outcome.FULFILLED
    assert (await world.store.read(operations.find_operation, stop)).cause == "not_made"
    assert (await world.store.read(operations.find_operation, creation)).outcome is Outcome.REPLACED
    assert world.provider.calls == []
    assert await rows(world) == []
    await world.pass_time(5)
    told = ["I cancelled the creation" in message["text"] for message in world.slack.messages]
    assert told.count(True) == 1


@down
@pytest.mark.parametrize("answer", [None, UnknownOutcome("no answer")], ids=["made", "lost answer"])
async def test_while_its_call_is_under_way_the_later_operation_wins(world, verb, answer):
    stops = []

    async def meanwhile(method):
        if method == "create" and not stops:
            row = (await rows(world))[0]
            stops.append(await world.begin(row, verb))
            await world.reconciler.operations.step()

    world.provider.during = meanwhile
    if answer is not None:
        world.provider.fail("create", answer, after=True)
    creation = await world.make()
    await world.pass_time(1)
    world.provider.during = None
    assert await world.until_ended(stops[0]) is Outcome.FULFILLED
    assert (await world.store.read(operations.find_operation, creation)).outcome is Outcome.REPLACED
    kind, state = DOWN[verb]
    if state is None:
        assert world.provider.removed == ["m1"]
    else:
        assert world.provider.machines["m1"].state is state
    assert "ready" not in world.slack.kinds()
    assert len(world.slack.told(kind)) == 1


async def test_a_jump_gives_what_was_called_off_no_more_time_to_show(world):
    world.provider.fail("create", UnknownOutcome("no answer"), after=True)
    world.provider.overlooks = 3
    creation = await world.make()
    await world.work()
    stop = await world.begin(await world.workspace_of(creation), OperationVerb.STOP)
    world.clock.jump(3600)
    assert await world.until_ended(stop) is Outcome.FULFILLED
    assert world.provider.machines["m1"].state is State.STOPPED


@down
async def test_a_call_that_lands_after_the_person_was_told_is_made_true(world, verb):
    """The search overlooks the workspace, so the stop ends as done; then the slow answer arrives."""
    stops = []

    async def meanwhile(method):
        if method == "create" and not stops:
            stops.append(await world.begin((await rows(world))[0], verb))
            world.provider.overlooks = 100
            for _ in range(60):
                world.clock.advance(3.0)
                await world.reconciler.operations.step()

    world.provider.during = meanwhile
    await world.make()
    await world.pass_time(5)
    world.provider.during = None
    assert (await world.store.read(operations.find_operation, stops[0])).outcome is Outcome.FULFILLED
    await world.pass_time(60)
    if verb is OperationVerb.REMOVE:
        assert world.provider.removed == ["m1"]
    else:
        assert world.provider.machines["m1"].state is State.STOPPED
    assert "ready" not in world.slack.kinds()


async def test_an_unlink_while_it_is_made_leaves_what_exists_to_its_owner(world):
    async def meanwhile(method):
        if method == "create":
            await unlink(world.store, ALICE, "cloud")

    world.provider.during = meanwhile
    operation_id = await world.make()
    await world.pass_time(60)
    assert (await world.store.read(operations.find_operation, operation_id)).outcome is Outcome.CANCELLED
    assert [call.method for call in world.provider.calls] == ["create"]
    assert await rows(world, hidden=True) == []


@pytest.mark.parametrize("verb", ["find_created", "find_run"])
async def test_an_unlink_just_before_a_search_keeps_the_old_credential_here(verb):
    async with new_run_world() as runs:
        world = runs.world
        made = "create" if verb == "find_created" else "launch_run"
        world.provider.fail(made, UnknownOutcome("no answer"), after=True)
        world.provider.fail(verb, Unreachable("no connection"))
        operation_id = await world.make() if verb == "find_created" else await runs.runs()
        await world.work()
        while not world.provider.count(verb):
            await world.pass_time(1)

        async def unlinks():
            await unlink(runs.store, ALICE, "cloud")

        claims = operations.claim_operations if verb == "find_created" else run_rows.claim_runs
        world.store = Meanwhile(world.store, claims, unlinks)
        world.reborn()
        await world.pass_time(60)
        assert await runs.store.read(accounts.find_account, ALICE, "cloud") is None
        assert world.provider.count(verb) == 1
        ended = await (
            runs.store.read(operations.find_operation, operation_id)
            if verb == "find_created"
            else runs.store.read(run_rows.find_run, operation_id)
        )
        assert ended.outcome in {Outcome.CANCELLED, Outcome.UNKNOWN, "failed"}


async def test_forgotten_while_it_is_made_it_is_shown_when_it_exists(world):
    async def meanwhile(method):
        if method == "create":
            await hide_workspace(world.store, (await rows(world))[0].id)

    world.provider.during = meanwhile
    await world.make()
    await world.pass_time(60)
    (row,) = await rows(world)
    assert row.remote_id == "m1"


async def test_a_list_that_knows_it_sooner_makes_no_second_row(world):
    async def meanwhile(method):
        if method == "create":
            account = await world.store.read(accounts.find_account, ALICE, "cloud")
            await world.store.write(tasks.add_tasks, [NewTask(TaskKind.DISCOVER, account.id)])
            world.provider.during = None
            await world.reconciler.tasks.step()

    world.provider.during = meanwhile
    assert await world.until_ended(await world.make()) is Outcome.FULFILLED
    assert [row.remote_id for row in await rows(world)] == ["m1"]


# -- another like it ---------------------------------------------------------------------------------------


async def test_of_what_is_gone_another_is_made_in_its_place_once(world):
    first = await world.workspace_of(await world.make())
    await world.pass_time(60)
    await name_workspace(world.store, first.id, "mine")
    del world.provider.machines["m1"]
    await want_read(world.store, first.id)
    await world.pass_time(30)
    again = await world.ask().run(replace_workspace, first.id)
    twice = await world.ask().run(replace_workspace, first.id)
    assert (again.repeated, twice.repeated, twice.operation.id) == (False, True, again.operation.id)
    assert await world.until_ended(again.operation.id) is Outcome.FULFILLED
    (row,) = await rows(world)
    assert (row.remote_id, row.alias, row.spec) == ("m2", "mine", Spec("lab"))
    assert row.id != first.id


BEGIN_START = partial(begin_operation, verb=OperationVerb.START)


def begin_for_an_hour(tx, caller, workspace_id):
    timer = PlannedStop(tx.now() + 3_600.0, "stop")
    return begin_operation(tx, caller, workspace_id, OperationVerb.START, timer=timer)


@pytest.mark.parametrize("then", ["runs", "fails"])
@pytest.mark.parametrize(
    "use_case", [BEGIN_START, begin_for_an_hour, replace_workspace], ids=["start", "hour", "again"]
)
async def test_start_that_joined_a_creation_does_nothing_when_delivered_again(world, use_case, then):
    """The request was carried out, whatever has happened to the workspace since."""
    if then == "fails":
        world.provider.fail("create", Forbidden("no right"))
    creation = await world.make()
    workspace = await world.workspace_of(creation)
    joined = await world.ask("again").run(use_case, workspace_id=workspace.id)
    assert (joined.joined, joined.operation.id) == (True, creation)
    assert await world.until_ended(creation) is (Outcome.FULFILLED if then == "runs" else Outcome.FAILED)
    if then == "runs":
        world.provider.machines["m1"].state = State.STOPPED
        await want_read(world.store, workspace.id)
        await world.pass_time(30)
    with suppress(Refused):
        delivered = await world.ask("again").run(use_case, workspace_id=workspace.id)
        assert (delivered.repeated, delivered.operation.id) == (True, creation)
    latest = await world.store.read(operations.find_latest_operation, workspace.id)
    assert latest.id == creation
    assert world.provider.count("create") == 1


async def test_another_is_not_made_of_what_is_there_or_somebody_elses_or_found(world):
    made = await world.workspace_of(await world.make())
    joined = await world.ask().run(replace_workspace, made.id)
    assert joined.joined
    await world.pass_time(60)
    found = await world.own(remote_id="r1")
    await world.know(BOB)
    for principal, workspace, rule in (
        (ALICE, made, "workspace.still_there"),
        (ALICE, found, "workspace.no_spec"),
        (BOB, made, "policy.not_owner"),
    ):
        with pytest.raises(Refused) as refused:
            await world.ask(principal=principal).run(replace_workspace, workspace.id)
        assert refused.value.rule == rule
    assert world.provider.count("create") == 1


async def test_without_an_account_nothing_is_made(world):
    await world.know()
    with pytest.raises(Refused) as refused:
        await world.ask().run(create_workspace, "cloud", Spec("lab"))
    assert refused.value.rule == "account.none"
    assert await rows(world) == []
