"""One refusal of a credential is not the truth: links are given up after fifteen minutes of refusals."""

from dataclasses import replace
from itertools import pairwise

import pytest
from structlog.testing import capture_logs

from bot.domain.errands import Outcome
from bot.domain.people import Principal
from bot.domain.tasks import TaskKind
from bot.domain.workspaces import State
from bot.reconciler.suspicions import (
    CONFIRMED,
    ENDS_AFTER,
    GIVEN_UP_AFTER,
    NOTED_EVERY,
    PROBE_SECONDS,
    is_outage,
)
from bot.store.tables import ACCOUNTS
from bot.store.tasks import NewTask
from bot.support.errors import CredentialRefused, Forbidden, Renamed, Unreachable
from tests.reconciler.classroom import seat
from tests.reconciler.runs import new_run_world
from tests.reconciler.test_limits import CAROL, DAVE, ERIN, calls_of
from tests.reconciler.test_outages import AMIR, told
from tests.reconciler.world import DEADLINE
from tests.rigs.store import ALICE, BOB, keep_waiting, want_read

REFUSED = CredentialRefused("no such token", status=401)


def token_of(principal: Principal) -> str:
    return f"token-{principal.user_id}"


def refuse(world, *people):
    world.provider.refused_tokens |= {token_of(who) for who in people}


async def state_of(world, principal=ALICE):
    return (await world.store.account(principal, "cloud")).state


@pytest.mark.parametrize("method", ["status", "start"])
async def test_a_single_refusal_costs_nothing_but_a_look(world, method):
    workspace = await seat(world, ALICE)
    world.provider.fail(method, REFUSED)
    assert await world.until_ended(await world.begin(workspace), 60) is Outcome.FULFILLED
    assert world.provider.count("who_am_i") == 1
    assert (await world.store.account(ALICE, "cloud")).refused_since is None
    assert sorted(world.slack.kinds()) == ["card", "ready"]


async def test_who_waits_is_told_within_a_minute_and_everything_goes_on_once_it_is_accepted(world):
    workspace = await seat(world, ALICE)
    refuse(world, ALICE)
    operation = await world.begin(workspace)
    began = world.clock.monotonic()
    await world.pass_time(60)
    assert sorted(world.slack.kinds()) == ["card", "sign_in_refused"]
    held = await world.store.operation(operation)
    assert "has refused your sign-in" in held.hold
    shown = next(
        one for one, kind in zip(world.slack.messages, world.slack.kinds(), strict=True) if kind == "card"
    )
    assert "Link again" in str(shown["blocks"])
    # But for the first call, nothing leaves with it but one look in thirty seconds.
    await world.pass_time(600, step=5)
    made = [one for one in calls_of(world, ALICE) if one.at >= began]
    assert [one.method for one in made if one.method != "who_am_i"] == ["status"]
    looks = [one.at for one in made if one.method == "who_am_i"]
    assert 20 <= len(looks) <= 23
    assert min(later - earlier for earlier, later in pairwise(looks)) >= PROBE_SECONDS
    assert await state_of(world) == "active"
    world.provider.refused_tokens.clear()
    assert await world.until_ended(operation, 90) is Outcome.FULFILLED
    assert sorted(world.slack.kinds()) == ["card", "ready", "sign_in_refused"]
    await world.pass_time(20)
    assert "Link again" not in str(shown["blocks"])
    (message,) = [
        one for one in world.slack.messages if "was refusing your sign-in" in str(one.get("blocks"))
    ]
    assert "Link again" not in str(message["blocks"])


async def test_a_link_is_given_up_after_fifteen_minutes_of_refusals_also_across_restarts(world):
    workspace = await seat(world, ALICE)
    refuse(world, ALICE)
    operation = await world.begin(workspace)
    for _ in range(3):
        await world.pass_time(15 * 60 / 3 - 10, step=5)
        world.reborn()
    assert await state_of(world) == "active"
    await world.pass_time(90, step=5)
    assert await state_of(world) == "refused"
    assert world.slack.kinds().count("link_again") == 1
    assert "no longer accepts your link" in (await world.store.operation(operation)).hold
    await world.link(ALICE, token="token-2")
    assert await world.until_ended(operation, 60) is Outcome.FULFILLED


async def test_neither_a_time_without_us_nor_one_without_answers_counts(world):
    await world.begin(await seat(world, ALICE))
    refuse(world, ALICE)
    await world.pass_time(120, step=5)
    world.clock.advance(7200.0)
    world.reborn()
    await world.pass_time(120, step=5)
    assert await state_of(world) == "active"
    world.provider.fail("who_am_i", Unreachable("no connection"), times=30)
    await world.pass_time(600, step=5)
    assert await state_of(world) == "active"


async def test_one_acceptance_in_between_begins_anew(world):
    await world.begin(await seat(world, ALICE))
    refuse(world, ALICE)
    await world.pass_time(800, step=5)
    world.provider.refused_tokens.clear()
    await world.pass_time(35)
    world.provider.fail("status", REFUSED, times=5)
    refuse(world, ALICE)
    await want_read(world.store, (await world.store.workspaces(ALICE))[0].id)
    await world.pass_time(800, step=5)
    assert await state_of(world) == "active"


async def test_a_credential_that_is_good_for_all_but_one_call_keeps_its_link(world):
    operation = await world.begin(await seat(world, ALICE))
    world.provider.fail("start", REFUSED, times=999)
    await world.pass_time(1000, step=5)
    assert (await world.store.operation(operation)).cause == "gave_up"
    assert await state_of(world) == "active"
    assert world.provider.count("start") <= 20


async def test_three_people_refused_at_once_are_the_connections_outage(world):
    world.administered_by(AMIR)
    people = (ALICE, BOB, CAROL)
    spaces = [await seat(world, who) for who in (*people, DAVE)]
    refuse(world, *people)
    operations = [await world.begin(workspace) for workspace in spaces]
    with capture_logs() as logs:
        await world.pass_time(2 * GIVEN_UP_AFTER, step=5)
        world.reborn()
        await world.pass_time(60, step=5)
    assert [await state_of(world, who) for who in people] == ["active"] * 3
    (away,) = told(world, AMIR)
    assert "refusing the sign-ins of several people" in away
    assert [entry["event"] for entry in logs].count("connection refuses several people") == 1
    assert world.slack.kinds().count("sign_in_refused") == 3
    world.provider.refused_tokens.clear()
    for operation in operations[: len(people)]:
        assert await keep_waiting(world.store, operation, DEADLINE)
    for operation in operations:
        assert await world.until_ended(operation, 120) is Outcome.FULFILLED
    await world.pass_time(NOTED_EVERY)
    assert "no longer refusing" in told(world, AMIR)[-1]
    assert len(told(world, AMIR)) == 2


async def test_what_is_refused_during_an_outage_counts_for_nothing(world):
    await seat(world, ALICE)
    account = await world.store.account(ALICE, "cloud")
    await world.store.suspect_account(account.id, account.secret)
    suspicions = world.reconciler._suspicions
    (runtime,) = suspicions._runtimes.values()
    (suspect,) = await world.store.suspects()
    for is_out, lasted in ((True, CONFIRMED), (False, CONFIRMED + PROBE_SECONDS)):
        suspicions.outages["cloud"] = world.clock.now() if is_out else None
        await suspicions._refused(suspect, runtime, PROBE_SECONDS, world.clock.now())
        row = await world.store.engine.read(lambda tx: ACCOUNTS.row(tx, id=suspect.id))
        assert row["refused_for"] == lasted


async def test_three_dead_credentials_among_good_ones_are_given_up_in_the_end(world):
    world.provider.pace = replace(world.provider.pace, running=60.0, unused=300.0)
    world.reborn()
    dead, good = (ALICE, BOB, CAROL), (DAVE, ERIN, *(Principal(None, "T1", f"U{name}") for name in "FG"))
    for who in (*dead, *good):
        await want_read(world.store, (await seat(world, who, State.RUNNING)).id)
    await world.pass_time(20)
    refuse(world, *dead)
    await world.pass_time(GIVEN_UP_AFTER + 120, step=15)
    assert [await state_of(world, who) for who in dead] == ["active"] * 3
    await world.pass_time(GIVEN_UP_AFTER + ENDS_AFTER, step=15)
    assert [await state_of(world, who) for who in dead] == ["refused"] * 3
    assert [await state_of(world, who) for who in good] == ["active"] * 4


async def test_two_dead_credentials_of_five_are_no_outage_however_slowly_the_others_are_read(world):
    world.provider.pace = replace(world.provider.pace, running=400.0)
    world.administered_by(AMIR)
    spaces = [await seat(world, who, State.RUNNING) for who in (ALICE, BOB, CAROL, DAVE, ERIN)]
    for workspace in spaces:
        await want_read(world.store, workspace.id)
    await world.pass_time(20)
    refuse(world, ALICE, BOB)
    for workspace in spaces[:2]:
        await want_read(world.store, workspace.id)
    await world.pass_time(700, step=10)
    assert told(world, AMIR) == []


async def test_an_outage_of_people_is_over_when_a_refused_one_is_let_in_or_after_minutes(world):
    world.administered_by(AMIR)
    spaces = [await seat(world, who) for who in (ALICE, BOB)]
    refuse(world, ALICE, BOB)
    for workspace in spaces:
        await world.begin(workspace)
    await world.pass_time(90, step=5)
    assert len(told(world, AMIR)) == 1
    # A fresh credential says nothing of the refused ones; nor does a start of ours.
    await world.link(BOB, token="token-2")
    await world.pass_time(ENDS_AFTER / 2, step=5)
    world.reborn()
    await world.pass_time(ENDS_AFTER - 20, step=5)
    assert len(told(world, AMIR)) == 1
    await world.pass_time(40, step=5)
    (_, over) = told(world, AMIR)
    assert "no longer refusing" in over


@pytest.mark.parametrize(
    ("refused", "lately", "fresh", "expected"),
    [
        (1, 1, 1, False),
        (1, 2, 1, False),
        (2, 2, 2, True),
        (2, 4, 0, True),
        (2, 5, 2, False),
        (3, 3, 0, True),
        (3, 500, 3, True),
        (3, 7, 2, False),
    ],
)
def test_what_is_the_connections_outage(refused, lately, fresh, expected):
    assert is_outage(refused, lately, fresh) is expected


@pytest.mark.parametrize("kind", [TaskKind.DISCOVER, TaskKind.SNAPSHOT])
async def test_a_command_that_waits_for_a_list_or_a_form_waits_on_and_its_person_is_told(world, kind):
    await seat(world, ALICE)
    account = await world.store.account(ALICE, "cloud")
    refuse(world, ALICE)
    command = {"principal": ALICE.key, "text": "new", "interaction": "click-1"}
    subject = account.id if kind is TaskKind.DISCOVER else f"{account.id}/templates"
    await world.store.add_tasks([NewTask(kind, subject, {"then": [command]})])
    await world.pass_time(60)
    assert world.slack.kinds() == ["sign_in_refused"]
    assert not world.replayed
    world.provider.refused_tokens.clear()
    await world.pass_time(PROBE_SECONDS + 2)
    assert len(world.replayed) == 1


async def test_nobody_who_waits_for_nothing_is_told(world):
    await seat(world, ALICE)
    account = await world.store.account(ALICE, "cloud")
    refuse(world, ALICE)
    await world.store.add_tasks([NewTask(TaskKind.DISCOVER, account.id)])
    await world.pass_time(120, step=5)
    assert world.slack.kinds() == []
    await world.begin((await world.store.workspaces(ALICE))[0])
    await world.pass_time(60, step=5)
    assert sorted(world.slack.kinds()) == ["card", "sign_in_refused"]


async def test_runs_and_their_output_wait_for_a_suspected_credential_and_go_on():
    async with new_run_world() as runs:
        run_id = await runs.begun()
        remote_id = (await runs.run(run_id)).remote_id
        runs.cloud.refused_tokens.add("token-1")
        await runs.world.pass_time(70)
        assert "has refused your sign-in" in (await runs.run(run_id)).hold
        assert runs.slack.kinds().count("sign_in_refused") == 1
        runs.cloud.refused_tokens.clear()
        runs.cloud.opens(remote_id)
        runs.cloud.writes(remote_id, "hello\n")
        await runs.world.pass_time(PROBE_SECONDS + 10)
        assert not (await runs.run(run_id)).hold
        runs.cloud.ends(remote_id)
        runs.cloud.closes(remote_id)
        assert (await runs.until_over(run_id)).outcome == "ended"


async def test_another_persons_credential_reads_on_what_both_may_see(world):
    await seat(world, ALICE)
    await world.link(BOB, token=token_of(BOB))
    await world.own(BOB, "r-UALICE")
    refuse(world, ALICE)
    operation = await world.begin((await world.store.workspaces(BOB))[0])
    assert await world.until_ended(operation, 90) is Outcome.FULFILLED


async def test_a_look_that_is_forbidden_something_has_been_let_in(world):
    workspace = await seat(world, ALICE)
    world.provider.fail("status", REFUSED)
    world.provider.fail("who_am_i", Forbidden("not your scope"))
    assert await world.until_ended(await world.begin(workspace), 60) is Outcome.FULFILLED


async def test_somebody_who_was_renamed_is_told_their_name_within_a_minute_and_asked_to_link_again(world):
    workspace = await seat(world, ALICE)
    for method in ("status", "start", "who_am_i"):
        world.provider.fail(method, Renamed("alicia"), times=9)
    operation = await world.begin(workspace)
    await world.pass_time(PROBE_SECONDS - 5, step=5)
    # One answer is not the truth: it may have been somebody else's.
    assert await state_of(world) == "active"
    await world.pass_time(PROBE_SECONDS + 10, step=5)
    assert await state_of(world) == "refused"
    assert sorted(world.slack.kinds()) == ["card", "link_again"]
    (said,) = [one for one in world.slack.messages if "You're called *alicia* on" in str(one.get("blocks"))]
    assert "Link again" in str(said["blocks"])
    held = await world.store.operation(operation)
    assert (held.is_open, "has another name by now" in held.hold) == (True, True)
    assert (await world.store.workspace(workspace.id)).state is not State.GONE
