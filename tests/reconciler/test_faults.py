"""Errors of providers, tokens and our own code, and people without access: each affects one operation."""

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from bot.domain.holds import hold_by_cause
from bot.domain.observations import Observed
from bot.domain.operations import OperationVerb
from bot.domain.work_items import Call, Outcome
from bot.domain.workspaces import State
from bot.messages.texts.holds import explain_hold
from bot.store import accounts, credentials, gates
from bot.store import operations as operation_rows
from bot.store import workspaces as workspace_rows
from bot.support.errors import (
    Conflict,
    Forbidden,
    InvalidRequest,
    LimitReached,
    NotFound,
    Unreachable,
    UntrustedCertificate,
)
from tests.rigs.store import ALICE, BOB, within


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (Forbidden("not yours"), "forbidden:: not yours"),
        (NotFound("no such thing"), "refused"),
        (NotFound("this image was retired", status=410), "refused: this image was retired"),
        (InvalidRequest("disk too small"), "invalid:: disk too small"),
        (LimitReached("2 of 2 running"), "limit:: 2 of 2 running"),
    ],
)
async def test_what_trying_again_does_not_change_ends_the_operation(world, error, cause):
    operation_id = await world.begin(await world.own())
    world.provider.fail("start", error)
    assert await world.until_ended(operation_id) is Outcome.FAILED
    assert (await world.store.read(operation_rows.find_operation, operation_id)).cause == cause
    assert world.slack.sent_kinds() == ["card", "failed"]
    assert world.provider.count("start") == 1


async def test_start_at_an_unreachable_provider_is_held_and_repeated(world):
    operation_id = await world.begin(await world.own())
    world.provider.fail("start", Unreachable("no connection"), times=3)
    await world.work()
    operation = await world.store.read(operation_rows.find_operation, operation_id)
    assert (operation.start_call, operation.attempts) == (Call.NONE, 1)
    assert "Fake Cloud hasn't been available since" in explain_hold(operation.block_reason, "Fake Cloud")
    assert await world.until_ended(operation_id) is Outcome.FULFILLED
    assert world.provider.accepted_starts == ["r1"]
    assert (await world.store.read(operation_rows.find_operation, operation_id)).block_reason is None


async def test_certificate_that_is_not_trusted_is_said_as_that(world):
    operation_id = await world.begin(await world.own())
    world.provider.fail("start", UntrustedCertificate("self-signed certificate"), times=9)
    await world.pass_time(60)
    operation = await world.store.read(operation_rows.find_operation, operation_id)
    assert operation.block_reason == hold_by_cause("untrusted_certificate")
    world.provider.heal()
    assert await world.until_ended(operation_id) is Outcome.FULFILLED


async def test_a_conflict_is_looked_at_and_tried_again_a_few_times(world):
    operation_id = await world.begin(await world.own())
    world.provider.fail("start", Conflict("pending stop"), times=2)
    assert await world.until_ended(operation_id) is Outcome.FULFILLED
    other = await world.begin(await world.own(remote_id="r2"))
    world.provider.fail("start", Conflict("pending stop"), times=99)
    assert await world.until_ended(other, 600) is Outcome.FAILED
    assert (await world.store.read(operation_rows.find_operation, other)).cause == "conflict:: pending stop"


async def test_a_connection_that_is_away_is_left_alone_and_named_once(world):
    workspaces = [await world.own(remote_id=f"r{number}") for number in range(12)]
    operations = [await world.begin(workspace) for workspace in workspaces]
    world.provider.fail("status", Unreachable("no connection"), times=999)
    with capture_logs() as logs:
        await world.pass_time(120)
    assert [entry["event"] for entry in logs].count("connection unavailable") == 1
    assert world.provider.count("status") < 40
    for operation_id in operations:
        assert "hasn't been available since" in explain_hold(
            (await world.store.read(operation_rows.find_operation, operation_id)).block_reason, "Fake Cloud"
        )
    world.provider.heal()
    for operation_id in operations:
        assert await world.until_ended(operation_id) is Outcome.FULFILLED
    assert world.slack.over_budget == 0


@pytest.mark.parametrize(
    ("seconds", "accepted", "outcome"),
    [(0, ["r2"], Outcome.FAILED), (2, ["r1", "r2"], Outcome.UNKNOWN)],
    ids=["before", "after"],
)
async def test_refused_read_ends_that_persons_operation_alone(world, seconds, accepted, outcome):
    """The operation fails if the provider had accepted no call. Otherwise, its outcome is unknown."""
    await world.link(BOB, "token-2")
    mine, theirs = await world.own(ALICE), await world.own(BOB, remote_id="r2")
    world.provider.start_takes = 60.0
    refused, other = await world.begin(mine), await world.begin(theirs)
    if seconds:
        await world.pass_time(seconds)
    world.provider.answers_to["token-1"] = Forbidden("no right")
    assert await world.until_ended(refused) is outcome
    ended = await world.store.read(operation_rows.find_operation, refused)
    assert ended.cause == "forbidden:: no right"
    assert sorted(world.provider.accepted_starts) == accepted
    assert await world.until_ended(other) is Outcome.FULFILLED


async def test_what_is_gone_ends_a_start_as_failed_and_a_stop_as_done(world):
    workspace = await world.own()
    del world.provider.machines["r1"]
    operation_id = await world.begin(workspace)
    assert await world.until_ended(operation_id) is Outcome.FAILED
    assert (await world.store.read(operation_rows.find_operation, operation_id)).cause == "gone"
    assert await world.until_ended(await world.begin(workspace, OperationVerb.STOP)) is Outcome.FULFILLED


async def test_a_word_that_nobody_knows_keeps_the_last_state_and_is_logged_once(world):
    operation_id = await world.begin(await world.own())
    await world.pass_time(2)
    real = world.provider._look
    world.provider._look = lambda key: Observed(State.UNKNOWN, detail="unknown state 'warming'")
    with capture_logs() as logs:
        await world.pass_time(40)
    assert [entry["event"] for entry in logs].count("state not known") == 1
    operation = await world.store.read(operation_rows.find_operation, operation_id)
    assert operation.is_open
    assert "warming" in explain_hold(operation.block_reason, "Fake Cloud")
    world.provider._look = real
    assert await world.until_ended(operation_id) is Outcome.FULFILLED
    assert world.provider.accepted_starts == ["r1"]


async def test_unknown_state_after_stopped_is_read_as_often_as_running(world):
    """A workspace that may be running again is read even if nobody asks."""
    workspace = await world.own()
    world.provider._look = lambda key: Observed(State.UNKNOWN, detail="unknown state 'warming'")
    await within(world.store, gates.want, workspace.id)
    await world.pass_time(2)
    read_at = (await world.store.read(workspace_rows.find_workspace, workspace.id)).read_at
    await world.pass_time(world.provider.pace.running_interval + 30)
    assert (await world.store.read(workspace_rows.find_workspace, workspace.id)).read_at > read_at


async def test_an_answer_that_leaves_a_resource_out_decides_nothing(world):
    operation_id = await world.begin(await world.own())
    real = world.provider.status

    async def forgetful(access, remote_ids, window=None):
        await real(access, remote_ids, window)
        return {}

    world.provider.status = forgetful
    await world.pass_time(12)
    assert (await world.store.read(operation_rows.find_operation, operation_id)).is_open
    world.provider.status = real
    assert await world.until_ended(operation_id) is Outcome.FULFILLED


async def test_an_error_of_our_own_is_logged_with_a_reference_and_harms_nobody_else(world):
    broken = await world.begin(await world.own())
    sound = await world.begin(await world.own(remote_id="r2"))
    real = world.provider.start

    async def start(access, workspace):
        if workspace.remote_id == "r1":
            raise RuntimeError("a mistake")
        await real(access, workspace)

    world.provider.start = start
    with capture_logs() as logs:
        await world.pass_time(2)
    failed = [entry for entry in logs if entry["event"] == "step failed"]
    assert failed[0]["reference"].startswith("TEST-")
    world.provider.start = real
    assert await world.until_ended(sound) is Outcome.FULFILLED
    assert await world.until_ended(broken) is Outcome.FULFILLED
    assert world.provider.accepted_starts.count("r1") == 1


async def test_held_operation_is_due_by_its_deadline(world):
    operation = await world.store.read(operation_rows.find_operation, await world.begin(await world.own()))
    (claimed,) = await world.store.claim(operation_rows.claim_operations, 10, 60.0)
    held = await world.reconciler.operations.after_deadline(claimed, claimed.update(86_400.0))
    assert held.next_in == pytest.approx(operation.deadline_at - world.clock.now())


async def test_removed_connection_holds_its_operations(world):
    operation_id = await world.begin(await world.own())
    world.reborn(connections={})
    await world.work()
    assert "cloud isn't set up any more" in explain_hold(
        (await world.store.read(operation_rows.find_operation, operation_id)).block_reason, "cloud"
    )


# -- credentials ---------------------------------------------------------------------------------------------


async def test_an_expired_token_is_refreshed_once(world):
    await world.link(refresh="again")
    workspace = await world.own()
    world.provider.refused_tokens = {"token-1"}
    assert await world.until_ended(await world.begin(workspace)) is Outcome.FULFILLED
    assert world.provider.refreshed == 1
    assert "relink_prompt" not in world.slack.kinds()
    assert {call.token for call in world.provider.calls if call.method == "start"} == {"fresh-1"}


async def test_a_refreshed_token_that_is_refused_as_well_is_told_once(world):
    await world.link(refresh="again")
    workspace = await world.own()
    world.provider.refused_tokens = {"token-1", "fresh-1"}
    await world.begin(workspace)
    await world.pass_time(960, step=5)
    assert world.provider.refreshed == 1
    assert world.slack.kinds().count("sign_in_refused") == 1


async def test_a_refresh_without_an_answer_is_tried_again(world):
    await world.link(refresh="again")
    workspace = await world.own()
    world.provider.refused_tokens = {"token-1"}
    world.provider.fail("refresh", Unreachable("no connection"))
    assert await world.until_ended(await world.begin(workspace)) is Outcome.FULFILLED
    assert "relink_prompt" not in world.slack.kinds()


async def test_a_secret_that_does_not_open_holds_and_loses_nothing(world):
    workspace = await world.own()
    await world.store.write(
        credentials.save_secret,
        (await world.store.read(accounts.find_account, ALICE, "cloud")).id,
        world.seal(ALICE),
        "x",
    )
    account = await world.store.read(accounts.find_account, ALICE, "cloud")
    await world.store.write(
        credentials.save_secret, account.id, account.secret, world.vault.seal("another row", {"token": "t"})
    )
    operation_id = await world.begin(workspace)
    await world.pass_time(5)
    assert "no longer read your stored link" in explain_hold(
        (await world.store.read(operation_rows.find_operation, operation_id)).block_reason, "Fake Cloud"
    )
    assert (await world.store.read(accounts.find_account, ALICE, "cloud")).state == "active"
    assert world.provider.count("status") == 0


# -- who is it -----------------------------------------------------------------------------------------------


async def test_an_unknown_person_is_looked_up_before_the_first_call(world):
    workspace = await world.own(BOB, is_known=False)
    world.slack.add_user("UBOB", enterprise_user={"enterprise_id": "E1", "teams": ["T1"]})
    operation_id = await world.begin(workspace)
    await world.reconciler.operations.step()
    assert (world.slack.count("users.info"), world.provider.calls) == (1, [])
    assert await world.until_ended(operation_id) is Outcome.FULFILLED
    assert world.slack.count("users.info") == 1


async def test_who_was_asked_about_long_ago_is_asked_about_again_before_the_first_call(world):
    workspace = await world.own()
    world.slack.add_user(ALICE.user_id, is_restricted=True)
    world.clock.advance(86_401)
    assert await world.until_ended(await world.begin(workspace)) is Outcome.REFUSED
    assert (world.slack.count("users.info"), world.provider.count("start")) == (1, 0)


async def test_a_failed_look_up_delays_and_neither_lets_in_nor_refuses(world):
    operation_id = await world.begin(await world.own(is_known=False))
    await world.pass_time(40)
    assert (await world.store.read(operation_rows.find_operation, operation_id)).is_open
    assert "checking with Slack who asked for this" in explain_hold(
        (await world.store.read(operation_rows.find_operation, operation_id)).block_reason, "Fake Cloud"
    )
    assert world.provider.count("start") == 0
    world.slack.add_user(ALICE.user_id)
    assert await world.until_ended(operation_id) is Outcome.FULFILLED


@pytest.mark.parametrize("mark", ["is_restricted", "is_ultra_restricted", "is_bot", "deleted", "is_stranger"])
async def test_who_may_not_is_refused_with_words_and_no_call(world, mark):
    operation_id = await world.begin(await world.own(is_known=False))
    world.slack.add_user(ALICE.user_id, **{mark: True})
    await world.pass_time(5)
    operation = await world.store.read(operation_rows.find_operation, operation_id)
    assert operation.outcome is Outcome.REFUSED
    assert operation.cause.startswith("policy.")
    assert "failed" in world.slack.kinds()
    assert world.provider.count("start") == 0


async def test_someone_of_another_team_is_refused(world):
    stranger = replace(ALICE, team_id="T9")
    operation_id = await world.begin(await world.own(stranger))
    await world.pass_time(5)
    assert (
        await world.store.read(operation_rows.find_operation, operation_id)
    ).cause == "policy.foreign_team"
    assert world.provider.count("start") == 0
