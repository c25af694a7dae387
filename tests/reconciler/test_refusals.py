"""Refusals end no link: the second in a row is reported once, and work waits for the next accepted call."""

from dataclasses import replace
from itertools import pairwise

import pytest
from structlog.testing import capture_logs

from bot.domain.accounts import RAREST_SECONDS, REPEATED_SECONDS, Account
from bot.domain.forms import Spec
from bot.domain.operations import OperationVerb
from bot.domain.tasks import TaskKind
from bot.domain.work_items import Call, Outcome
from bot.domain.workspaces import State
from bot.messages.texts.holds import explain_hold
from bot.reconciler.keys import OUTAGE_WINDOW_SECONDS
from bot.services.operation_requests import begin_operation
from bot.services.runs import launch_run
from bot.store import accounts, tasks
from bot.store import operations as operation_rows
from bot.store import workspaces as workspace_rows
from bot.store.tasks import NewTask
from bot.support.errors import AccountRenamed, CredentialExpired, CredentialRefused
from tests.reconciler.classroom import seat
from tests.reconciler.limits import CAROL, DAVE, calls_of
from tests.reconciler.outages import AMIR, told
from tests.reconciler.refusals import refuse, token_of
from tests.reconciler.runs import new_run_world
from tests.reconciler.world import DEADLINE
from tests.rigs.store import ALICE, BOB, keep_waiting, want_read

REFUSED = CredentialRefused("no such token", status=401)
HOUR = 3600.0


async def account_of(world, principal=ALICE) -> Account:
    return await world.store.read(accounts.find_account, principal, "cloud")


def tries_of(world, principal, since):
    """Return when calls with a person's token were sent."""
    return [one.at for one in calls_of(world, principal) if one.at >= since]


@pytest.mark.parametrize("method", ["status", "start"])
async def test_a_single_refusal_costs_half_a_minute_and_no_message(world, method):
    workspace = await seat(world, ALICE)
    world.provider.fail(method, REFUSED)
    assert await world.until_ended(await world.begin(workspace), 90) is Outcome.FULFILLED
    assert (await account_of(world)).refused_since is None
    assert sorted(world.slack.sent_kinds()) == ["card", "ready"]


async def test_who_is_refused_again_is_told_once_and_everything_goes_on_once_it_is_accepted(world):
    workspace = await seat(world, ALICE)
    refuse(world, ALICE)
    operation = await world.begin(workspace)
    await world.pass_time(60)
    assert sorted(world.slack.kinds()) == ["card", "sign_in_refused"]
    assert "has refused your sign-in" in explain_hold(
        (await world.store.read(operation_rows.find_operation, operation)).block_reason, "Fake Cloud"
    )
    shown = next(
        one for one, kind in zip(world.slack.messages, world.slack.kinds(), strict=True) if kind == "card"
    )
    assert "Link again" in str(shown["blocks"])
    world.reborn()
    await world.pass_time(600, step=5)
    world.provider.refused_tokens.clear()
    assert await world.until_ended(operation, 600) is Outcome.FULFILLED
    assert sorted(world.slack.sent_kinds()) == ["card", "ready", "sign_in_refused"]
    await world.pass_time(20)
    assert world.slack.kinds() == ["ready"]
    assert "'text': 'Link again'" not in str(world.slack.messages)


async def test_no_link_is_ever_given_up_and_tries_fade_to_one_an_hour(world):
    workspace = await seat(world, ALICE, State.RUNNING)
    before = await account_of(world)
    refuse(world, ALICE)
    began = world.clock.monotonic()
    # A call that never comes too late is retried for hours.
    operation = await world.begin(workspace, OperationVerb.STOP)
    for _ in range(3):
        await world.pass_time(4 * HOUR, step=60)
        world.reborn()
    account = await account_of(world)
    assert (account.state, account.secret) == ("active", before.secret)
    assert world.slack.kinds().count("sign_in_refused") == 1
    assert "relink_prompt" not in world.slack.kinds()
    pauses = [later - earlier for earlier, later in pairwise(tries_of(world, ALICE, began))]
    # Each pause is about twice the one before: thirty seconds, a minute, and finally an hour.
    assert min(pauses) >= REPEATED_SECONDS
    assert all(later >= 0.9 * earlier for earlier, later in pairwise(pauses))
    assert min(pauses[8:]) >= RAREST_SECONDS
    assert 15 <= len(pauses) <= 20
    world.provider.refused_tokens.clear()
    assert await world.until_ended(operation, HOUR + 60) is Outcome.FULFILLED
    assert (await account_of(world)).refused_since is None


async def test_of_all_that_waits_one_call_tries_and_all_goes_on_once_it_is_accepted(world):
    spaces = [await seat(world, ALICE)]
    spaces += [await world.own(ALICE, f"r-{number}") for number in range(3)]
    refuse(world, ALICE)
    operations = [await world.begin(one) for one in spaces]
    await world.pass_time(20)
    began = world.clock.monotonic()
    await world.pass_time(15 * 60, step=5)
    assert len(tries_of(world, ALICE, began)) <= 6
    world.provider.refused_tokens.clear()
    began = world.clock.monotonic()
    for operation in operations:
        assert await world.until_ended(operation, 1000) is Outcome.FULFILLED
    first, *others = tries_of(world, ALICE, began)
    assert others[2] - first < 15


@pytest.mark.parametrize("is_new", [False, True])
async def test_whoever_asks_for_something_has_it_tried_at_once(world, is_new):
    workspace = await seat(world, ALICE)
    refuse(world, ALICE)
    await world.begin(workspace)
    await world.pass_time(20 * 60, step=10)
    world.provider.refused_tokens.clear()
    if is_new:
        operation = await world.make()
    else:
        other = await world.own(ALICE, "r-other")
        accepted = await world.ask().run(begin_operation, other.id, OperationVerb.START)
        operation = accepted.operation.id
    assert await world.until_ended(operation, 60) is Outcome.FULFILLED


async def test_a_run_that_is_asked_for_is_tried_at_once():
    async with new_run_world() as runs:
        await runs.begun()
        runs.cloud.refused_tokens.add("token-1")
        await runs.world.pass_time(20 * 60, step=10)
        runs.cloud.refused_tokens.clear()
        run = await runs.world.ask().run(launch_run, "cloud", Spec("train"))
        await runs.world.pass_time(10)
        assert (await runs.run(run.id)).start_call is Call.ACCEPTED


async def test_a_credential_that_is_good_for_all_but_one_call_keeps_its_link(world):
    operation = await world.begin(await seat(world, ALICE))
    world.provider.fail("start", REFUSED, times=999)
    await world.pass_time(2000, step=5)
    assert (await account_of(world)).state == "active"
    assert world.provider.count("start") <= 2 + 20
    assert "relink_prompt" not in world.slack.kinds()
    assert (await world.store.read(operation_rows.find_operation, operation)).outcome is not Outcome.FULFILLED


async def test_renewal_is_used_once_for_a_call_that_stays_refused(world):
    """Reads are accepted all the time, so a renewal helps no more than linking again would."""
    await world.link(ALICE, refresh="refresh-1")
    operation = await world.begin(await world.own())
    world.provider.fail("start", CredentialExpired("Your trial has expired", status=401), times=999)
    assert await world.until_ended(operation, 120) is Outcome.FAILED
    assert (
        await world.store.read(operation_rows.find_operation, operation)
    ).cause == "refused: Your trial has expired"
    assert (world.provider.count("start"), world.provider.count("refresh")) == (2, 1)
    assert "sign_in_refused" not in world.slack.kinds()


async def test_several_people_refused_at_once_are_the_connections_outage_and_nobody_is_asked_to_link(world):
    world.administered_by(AMIR)
    people = (ALICE, BOB, CAROL)
    spaces = [await seat(world, who) for who in (*people, DAVE)]
    refuse(world, *people, DAVE)
    operations = [await world.begin(workspace) for workspace in spaces]
    with capture_logs() as logs:
        await world.pass_time(DEADLINE + 600, step=5)
        world.reborn()
        await world.pass_time(60, step=5)
    (away,) = told(world, AMIR)
    assert "refused the sign-ins of several people" in away
    assert [entry["event"] for entry in logs].count("connection refuses several people") == 1
    assert "sign_in_refused" not in world.slack.kinds()
    assert "Link again" not in str(world.slack.messages)
    for operation in operations:
        assert "refusing several people's sign-ins" in explain_hold(
            (await world.store.read(operation_rows.find_operation, operation)).block_reason, "Fake Cloud"
        )
        assert await keep_waiting(world.store, operation, 3 * HOUR)
    # A credential that is really invalid can be told apart once any other is accepted.
    world.provider.refused_tokens = {token_of(DAVE)}
    for operation in operations[:-1]:
        assert await world.until_ended(operation, HOUR) is Outcome.FULFILLED
    await world.pass_time(60, step=5)
    assert "accepts people's sign-ins again" in told(world, AMIR)[-1]
    assert len(told(world, AMIR)) == 2
    asked = [one for one in world.slack.messages if "Link again" in str(one.get("blocks"))]
    assert {one["channel"] for one in asked} == {f"D{DAVE.user_id}"}
    assert world.slack.kinds().count("sign_in_refused") == 1


async def test_all_go_on_with_the_first_who_is_accepted_again(world):
    spaces = [await seat(world, who) for who in (ALICE, BOB)]
    refuse(world, ALICE, BOB)
    operations = [await world.begin(one, OperationVerb.START) for one in spaces]
    await world.pass_time(25 * 60, step=5)
    world.provider.refused_tokens.clear()
    # Another person's call is enough, for example the one of a new link.
    assert await world.until_ended(await world.begin(await seat(world, CAROL)), 60) is Outcome.FULFILLED
    for operation in operations:
        assert await world.until_ended(operation, 60) is Outcome.FULFILLED


async def test_two_who_are_refused_while_others_are_accepted_are_asked_to_link_again(world):
    world.administered_by(AMIR)
    world.provider.pace = replace(world.provider.pace, running_interval=20.0)
    world.reborn()
    spaces = [await seat(world, who, State.RUNNING) for who in (ALICE, BOB, CAROL)]
    for workspace in spaces:
        await want_read(world.store, workspace.id)
    await world.pass_time(20)
    refuse(world, ALICE, BOB)
    await world.pass_time(300, step=5)
    assert told(world, AMIR) == []
    assert world.slack.kinds().count("sign_in_refused") == 2


async def test_two_who_are_refused_at_different_times_are_asked_to_link_again(world):
    world.administered_by(AMIR)
    spaces = [await seat(world, who) for who in (ALICE, BOB)]
    for who, workspace in zip((ALICE, BOB), spaces, strict=True):
        refuse(world, who)
        await world.begin(workspace)
        await world.pass_time(OUTAGE_WINDOW_SECONDS + 60, step=5)
    assert told(world, AMIR) == []
    assert world.slack.kinds().count("sign_in_refused") == 2


@pytest.mark.parametrize("kind", [TaskKind.DISCOVER, TaskKind.SNAPSHOT])
async def test_a_command_that_waits_for_a_list_or_a_form_waits_on_and_its_person_is_told(world, kind):
    await seat(world, ALICE)
    account = await account_of(world)
    refuse(world, ALICE)
    command = {"principal": ALICE.key, "text": "new", "interaction": "click-1"}
    subject = account.id if kind is TaskKind.DISCOVER else f"{account.id}/templates"
    await world.store.write(tasks.add_tasks, [NewTask(kind, subject, {"then": [command]})])
    await world.pass_time(65)
    assert world.slack.kinds() == ["sign_in_refused"]
    assert not world.replayed
    world.provider.refused_tokens.clear()
    await world.pass_time(2 * 60 + 5)
    assert len(world.replayed) == 1


async def test_runs_and_their_output_wait_for_a_refused_credential_and_go_on():
    async with new_run_world() as runs:
        run_id = await runs.begun()
        remote_id = (await runs.run(run_id)).remote_id
        runs.cloud.refused_tokens.add("token-1")
        await runs.world.pass_time(70)
        assert "has refused your sign-in" in explain_hold((await runs.run(run_id)).block_reason, "Fake Cloud")
        assert runs.slack.kinds().count("sign_in_refused") == 1
        runs.cloud.refused_tokens.clear()
        runs.cloud.opens(remote_id)
        runs.cloud.writes(remote_id, "hello\n")
        await runs.world.pass_time(2 * 60 + 10)
        assert not (await runs.run(run_id)).block_reason
        runs.cloud.ends(remote_id)
        runs.cloud.closes(remote_id)
        assert (await runs.until_over(run_id)).outcome == "ended"


async def test_another_persons_credential_reads_on_what_both_may_see(world):
    await seat(world, ALICE)
    await world.link(BOB, token=token_of(BOB))
    await world.own(BOB, "r-UALICE")
    refuse(world, ALICE)
    operation = await world.begin((await world.store.perform(workspace_rows.read_workspaces, BOB))[0])
    assert await world.until_ended(operation, 90) is Outcome.FULFILLED


async def test_somebody_who_was_renamed_is_told_their_name_within_a_minute_and_keeps_the_link(world):
    workspace = await seat(world, ALICE)
    for method in ("status", "start"):
        world.provider.fail(method, AccountRenamed("alicia"), times=9)
    operation = await world.begin(workspace)
    await world.pass_time(REPEATED_SECONDS - 5, step=5)
    # A single answer proves nothing, as it may have been for somebody else.
    assert world.slack.kinds() == ["card"]
    await world.pass_time(REPEATED_SECONDS + 10, step=5)
    assert sorted(world.slack.kinds()) == ["card", "sign_in_refused"]
    (said,) = [one for one in world.slack.messages if "You're called *alicia* on" in str(one.get("blocks"))]
    assert "Link again" in str(said["blocks"])
    held = await world.store.read(operation_rows.find_operation, operation)
    assert (held.is_open, "has been renamed" in explain_hold(held.block_reason, "Fake Cloud")) == (True, True)
    assert (await world.store.read(workspace_rows.find_workspace, workspace.id)).state is not State.GONE
    account = await account_of(world)
    assert (account.state, account.renamed_to) == ("active", "alicia")
    world.provider.heal()
    assert await world.until_ended(operation, 120) is Outcome.FULFILLED
    assert (await account_of(world)).renamed_to is None
