"""Waiting for capacity: in order, one attempt at a time; everyone is told, and unused grants move on."""

from __future__ import annotations

import random
import re
from itertools import pairwise

import pytest

from bot.domain.operations import OperationVerb
from bot.domain.stops import PlannedStop
from bot.domain.waitlist import ANSWERED_WITHIN_SECONDS, PAUSE_SECONDS, UNUSED_SECONDS
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.messages.texts.refusals import explain_refusal
from bot.services import waitlist as use_cases
from bot.services.operation_requests import AlreadyWaiting, begin_operation
from bot.services.timers import cancel_timer
from bot.services.workspaces import request_status_read
from bot.store import operations, schema, timers
from bot.store import waitlist as stored_waits
from bot.store import workspaces as workspace_rows
from bot.store.tables import OPERATIONS, WAITLIST_ENTRIES
from bot.store.waitlist import STOP_PAUSE_SECONDS
from bot.support.errors import (
    Conflict,
    CredentialRefused,
    Forbidden,
    InvalidRequest,
    LimitReached,
    NoCapacity,
    NotFound,
    RateLimited,
    Refused,
    ServerFailed,
    UnknownOutcome,
)
from tests.reconciler.classroom import ask, people, told
from tests.reconciler.two_machines import TwoMachines
from tests.reconciler.world import new_world
from tests.rigs.providers import NO_GPU, fake_settings
from tests.rigs.store import unlink, want_read, within

HOURS = 3600.0
STARTS = OperationVerb.START


@pytest.fixture
async def farm():
    async with new_world(TwoMachines) as made:
        yield made


async def line_up(farm, count, until=12 * HOURS):
    """Let people ask for a machine one after the other. Return the people and their workspaces."""
    every = people(count)
    own = [await farm.own(one, f"r-{one.user_id}") for one in every]
    for one, workspace in zip(every, own, strict=True):
        await ask(farm, one).run(begin_operation, workspace.id, STARTS)
        await farm.pass_time(20, step=5)
        latest = await farm.store.read(operations.find_latest_operation, workspace.id)
        if latest.cause:
            await ask(farm, one).run(use_cases.join, workspace.id, farm.clock.now() + until)
    return every, own


def attempts(farm, since=0):
    """Return when each start was sent, and for which machine."""
    return [(one.at, one.remote_id) for one in farm.provider.calls[since:] if one.method == "start"]


async def states(farm):
    rows = await within(farm.store, lambda tx: tx.all("SELECT * FROM waitlist_entries ORDER BY seq"))
    return {row["workspace_id"]: row["state"] for row in rows}


def give_back(farm, person):
    farm.provider.machines[f"r-{person.user_id}"].state = State.STOPPED


async def test_second_start_is_refused_with_the_place_in_line(farm):
    await line_up(farm, 2)
    person, *_ = people(3)[2:]
    workspace, place = await wait_for(farm, person, "small")
    with pytest.raises(AlreadyWaiting) as refusal:
        await ask(farm, person).run(begin_operation, workspace.id, STARTS)
    assert (refusal.value.rule, refusal.value.place.ahead) == ("wait.already", place.ahead)
    assert "already waiting" in explain_refusal(refusal.value)


@pytest.mark.parametrize("kills", [False, True], ids=["undisturbed", "killed"])
async def test_ten_people_get_two_machines_in_order_none_twice_and_all_are_told(farm, kills):
    chance = random.Random(7)
    every, _ = await line_up(farm, 10)
    begun, began = len(farm.provider.calls), farm.clock.now()
    waiting = every[2:]
    served = every[:2]
    for number, one in enumerate(waiting):
        give_back(farm, served[number])
        for _ in range(60):
            if kills and chance.random() < 0.3:
                farm.reborn()
            await farm.pass_time(20, step=5)
            if "is ready" in str(told(farm, one)):
                break
        served.append(one)
        assert "is ready" in str(told(farm, one)), (number, told(farm, one))
    sent = attempts(farm, begun)
    assert all(later - earlier >= 60.0 for (earlier, _), (later, _) in pairwise(sent))
    order = list(dict.fromkeys(who for _, who in sent))
    assert order == [f"r-{one.user_id}" for one in waiting]
    assert farm.provider.accepted_starts == [f"r-{one.user_id}" for one in every]
    for one in every[2:]:
        said = told(farm, one)
        assert len([text for text in said if "is ready" in text or "became ready" in text]) == 1
        assert len([text for text in said if "no free GPU" in text]) == 1
    # The next in line is tried within the longest pause after a machine is freed, and a start is short.
    assert farm.clock.now() - began <= len(waiting) * (PAUSE_SECONDS[-1] + 120.0)


async def test_the_pace_is_one_two_five_and_ten_minutes(farm):
    await line_up(farm, 3)
    begun = len(farm.provider.calls)
    await farm.pass_time(HOURS, step=5)
    times = [at for at, _ in attempts(farm, begun)]
    failed = next(one.at for one in reversed(farm.provider.calls[:begun]) if one.method == "start")
    gaps = [later - earlier for earlier, later in pairwise([failed, *times])]
    for gap, pause in zip(gaps, (*PAUSE_SECONDS, PAUSE_SECONDS[-1]), strict=False):
        assert pause <= gap <= pause + 45.0, gaps


async def test_a_wait_that_was_cut_short_by_a_stop_or_a_start_elsewhere_is_over(farm):
    every, own = await line_up(farm, 3)
    await ask(farm, every[2]).run(begin_operation, own[2].id, OperationVerb.STOP)
    begun = len(farm.provider.calls)
    await farm.pass_time(HOURS, step=10)
    assert attempts(farm, begun) == []
    assert list((await states(farm)).values()) == ["over"]


async def test_wait_for_what_is_found_up_at_its_turn_is_over(farm):
    every, own = await line_up(farm, 3)
    begun, machine = len(farm.provider.calls), farm.provider.machines[own[2].remote_id]
    machine.state = State.RUNNING
    await farm.pass_time(120, step=5)
    assert (await states(farm))[own[2].id] == "granted"
    assert "is already running" in told(farm, every[2])[-1]
    # The wait stays ended, as the person is told what happened to the workspace.
    machine.state = State.STOPPED
    await want_read(farm.store, own[2].id)
    await farm.pass_time(HOURS, step=10)
    assert "was stopped on Fake Cloud, not by me" in told(farm, every[2])[-1]
    assert (await states(farm))[own[2].id] == "over"
    assert attempts(farm, begun) == []


class Sizes(TwoMachines):
    """A provider that always refuses huge machines, and all machines while it is full."""

    machines_there = 0
    full = NoCapacity("This hub is full", status=429)

    def has_room(self, workspace):
        return not workspace.remote_id.endswith("-huge") and super().has_room(workspace)


@pytest.fixture
async def sizes():
    async with new_world(Sizes) as made:
        yield made


async def wait_for(farm, person, size, hours=12):
    workspace = await farm.own(person, f"r-{person.user_id}-{size}")
    return workspace, await ask(farm, person).run(
        use_cases.join, workspace.id, farm.clock.now() + hours * HOURS
    )


@pytest.mark.parametrize("huge", [1, 3])
@pytest.mark.parametrize("hours", [0, 2], ids=["at once", "after hours"])
async def test_what_never_fits_stops_nobody_else(sizes, huge, hours):
    """A small workspace starts within minutes once there is capacity, however many huge ones are waiting."""
    *others, ann = people(huge + 1)
    for one in others:
        await wait_for(sizes, one, "huge")
    await sizes.pass_time(hours * HOURS, step=20)
    _, place = await wait_for(sizes, ann, "small")
    assert place.ahead + place.tried_before == huge
    sizes.provider.machines_there, began = 2, sizes.clock.now()
    begun = len(sizes.provider.calls)
    while "is ready" not in str(told(sizes, ann)):
        await sizes.pass_time(20, step=5)
        assert sizes.clock.now() - began < 200 + 75.0 * huge, told(sizes, ann)
    sent = attempts(sizes, begun)
    assert all(later - earlier >= 60.0 for (earlier, _), (later, _) in pairwise(sent))
    assert len(sent) == len({who for _, who in sent}), "each once a round"
    for one in others:
        (place,) = told(sizes, one)
        assert "I'll keep trying until" in place


async def test_attempt_at_a_busy_provider_stops_nobody_else(sizes):
    """The attempt is repeated within its turn, which ends after a minute; nobody else's start is refused."""
    mallory, ann = people(2)
    sizes.provider.full, sizes.provider.machines_there = ServerFailed("busy", status=503), 2
    await wait_for(sizes, mallory, "huge")
    await wait_for(sizes, ann, "small")
    await sizes.pass_time(400, step=5)
    assert "is ready" in str(told(sizes, ann))
    (wait,) = await sizes.store.read(stored_waits.list_entries, mallory)
    (place,) = told(sizes, mallory)
    assert wait.attempts >= 1
    assert "is waiting for room" in place


async def test_removed_connection_ends_its_waits(farm):
    every, _ = await line_up(farm, 3)
    farm.reborn(connections={})
    await farm.pass_time(900, step=10)
    (text,) = stopped(farm, every[2])
    assert "isn't set up any more" in text


async def test_start_that_is_not_offered_for_a_while_keeps_its_place(farm):
    every, own = await line_up(farm, 4)
    farm.provider.machines[own[2].remote_id].actions = frozenset({"open"})
    give_back(farm, every[0])
    # The allowed actions are known only for a short time after a read, so read again and again.
    for _ in range(100):
        await want_read(farm.store, own[2].id)
        await farm.pass_time(10, step=5)
    assert "is ready" in str(told(farm, every[3]))
    assert (await states(farm))[own[2].id] == "waiting"
    assert stopped(farm, every[2]) == []
    farm.provider.machines[own[2].remote_id].actions = None
    give_back(farm, every[1])
    await farm.pass_time(900, step=10)
    assert "is ready" in str(told(farm, every[2]))


async def test_refusal_that_ends_a_wait_is_explained(farm):
    every, own = await line_up(farm, 3)
    wait = await farm.store.read(stored_waits.find_entry_of_workspace, own[2].id)
    refusal = Refused("workspace.unknown", cause="not_owner")
    await ask(farm, every[2]).run(use_cases.WAITLIST_WORK.refuse, wait, refusal)
    await farm.pass_time(10)
    (said,) = stopped(farm, every[2])
    assert "I can't find that workspace on your list." in said


async def test_each_is_tried_once_a_round_and_told_how_often_in_the_end(sizes):
    every = people(3)
    for one in every:
        await wait_for(sizes, one, "huge", hours=1)
    await sizes.pass_time(HOURS + 300, step=10)
    sent = [who for _, who in attempts(sizes)]
    rounds = [sent[at : at + 3] for at in range(0, len(sent), 3)]
    assert all(one == rounds[0][: len(one)] for one in rounds)
    for number, one in enumerate(every):
        place, over = told(sizes, one)
        assert "stopped waiting for room" in place
        assert f"so I've stopped waiting. I tried {len(sent[number::3])} times." in over


async def test_refused_sign_in_stops_nobody_else(farm):
    await farm.link(people(3)[2], token="token-own")
    every, _ = await line_up(farm, 4)
    farm.provider.refused_tokens = {"token-own"}
    give_back(farm, every[0])
    await farm.pass_time(1200, step=10)
    assert "is ready" in str(told(farm, every[3]))
    farm.provider.refused_tokens.clear()
    give_back(farm, every[1])
    await farm.pass_time(2 * HOURS, step=20)
    assert "is ready" in str(told(farm, every[2]))


@pytest.mark.parametrize("tell", [True, False])
async def test_unlinking_ends_a_wait_and_says_so(farm, tell):
    every, own = await line_up(farm, 4)
    await unlink(farm.store, every[2], "cloud", notify=tell, says=True)
    assert list(await states(farm)) == [own[3].id]
    give_back(farm, every[0])
    await farm.pass_time(900, step=10)
    assert "is ready" in str(told(farm, every[3]))
    said = f"I've stopped waiting for room for name-r-{every[2].user_id}."
    assert sum(said in text for text in told(farm, every[2])) == tell
    assert [one for one in stopped(farm, every[2]) if said not in one] == []


def stopped(farm, person):
    """Return the messages that tell a person that their place on the waitlist has ended."""
    return [text for text in told(farm, person) if re.search("(stopped|longer) waiting", text)]


@pytest.mark.parametrize("mark", ["is_guest", "is_stranger"])
async def test_whoever_may_not_start_any_more_is_told(farm, mark):
    every, _ = await line_up(farm, 4)
    await farm.know(every[2], **{mark: True})
    flag = {"is_guest": "is_restricted", "is_stranger": "is_stranger"}[mark]
    farm.slack.add_user(every[2].user_id, every[2].team_id, **{flag: True})
    give_back(farm, every[0])
    await farm.pass_time(900, step=10)
    assert len(stopped(farm, every[2])) == 1, told(farm, every[2])
    assert "is ready" in str(told(farm, every[3]))


@pytest.mark.parametrize("how", ["undone", "deleted"])
async def test_attempt_that_was_cut_short_ends_its_wait(farm, how):
    """If its operation is undone or gone, the person is told, and the next one gets a turn."""
    every, own = await line_up(farm, 4)
    farm.clock.advance(601.0)
    await farm.reconciler.scheduled_work.step()
    assert (await states(farm))[own[2].id] == "trying"
    latest = await farm.store.read(operations.find_latest_operation, own[2].id)
    if how == "undone":
        await within(farm.store, operations.end, latest.id, Outcome.CANCELLED, "cancelled")
    else:
        await within(farm.store, lambda tx: OPERATIONS.delete(tx, id=latest.id))
    give_back(farm, every[0])
    await farm.pass_time(900, step=10)
    assert len(stopped(farm, every[2])) == 1, told(farm, every[2])
    assert "is ready" in str(told(farm, every[3]))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (InvalidRequest("No such size", status=400), "Fake Cloud refused the request"),
        (Forbidden("Not in this project", status=403), ""),
        (NotFound("no such workspace", status=404), ""),
        (LimitReached("at most 2 of yours", status=403), "A limit on Fake Cloud"),
    ],
    ids=["invalid", "forbidden", "gone", "own limit"],
)
async def test_attempt_that_fails_for_something_else_says_that_nobody_waits(farm, error, said):
    every, _ = await line_up(farm, 4)
    before = len(told(farm, every[2]))
    give_back(farm, every[0])
    farm.provider.fail("start", error, times=1)
    await farm.pass_time(900, step=5)
    (text,) = told(farm, every[2])[before:]
    assert f"name-r-{every[2].user_id} is no longer waiting for a free GPU on Fake Cloud." in text
    assert said in text
    assert "is ready" in str(told(farm, every[3]))


@pytest.mark.parametrize("status", [400, 403, 409, 422, 429, 500, 503])
@pytest.mark.parametrize("is_started", [False, True], ids=["refused", "failed"])
async def test_words_of_no_room_mean_the_same_in_a_refusal(farm, status, is_started):
    """Whatever the status, the wait goes on because of what the message says."""
    person, *_ = people(1)
    workspace = await farm.own(person, "r1")
    kinds = {400: InvalidRequest, 403: Forbidden, 409: Conflict, 422: InvalidRequest}
    kinds |= {429: RateLimited, 500: ServerFailed, 503: ServerFailed}
    if is_started:
        farm.provider.start_ends, farm.provider.start_takes = State.FAILED, 10.0
    else:
        farm.provider.fail("start", kinds[status](f"No free GPUs available: {NO_GPU}", status=status))
    await ask(farm, person).run(use_cases.join, workspace.id, farm.clock.now() + HOURS)
    for _ in range(12):
        farm.provider.machines["r1"].reason = NO_GPU
        await farm.pass_time(10, step=5)
    (wait,) = await farm.store.read(stored_waits.list_entries, person)
    assert (wait.kind, wait.attempts >= 1) == ("gpu", True)
    (place,) = told(farm, person)
    assert "there's no free GPU on" in place
    assert "I'll keep trying until" in place


@pytest.mark.parametrize("is_got", [False, True], ids=["over", "granted"])
async def test_nothing_is_left_by_who_waits_no_more(farm, is_got):
    """*Stop waiting* on an old answer ends nothing: neither a granted workspace, nor anything else."""
    every, own = await line_up(farm, 4, until=1800.0)
    if is_got:
        give_back(farm, every[0])
    await farm.pass_time(900 if is_got else 2400, step=10)
    before = len(farm.provider.calls)
    _, has_waited = await ask(farm, every[2]).run(use_cases.leave, own[2].id)
    await farm.pass_time(60, step=10)
    assert not has_waited
    assert not [one for one in farm.provider.calls[before:] if one.method != "status"]
    assert (await states(farm))[own[2].id] == ("granted" if is_got else "over")


@pytest.mark.parametrize(
    ("error", "goes_on"),
    [(ServerFailed("503", status=503), True), (UnknownOutcome("cut"), True)],
    ids=["an outage", "an unknown outcome"],
)
async def test_what_a_full_provider_answers_oddly_is_an_ordinary_start(farm, error, goes_on):
    every, _ = await line_up(farm, 3)
    give_back(farm, every[0])
    farm.provider.fail("start", error, times=1)
    begun = len(farm.provider.calls)
    await farm.pass_time(900, step=5)
    assert ("is ready" in str(told(farm, every[2]))) is goes_on
    assert len(attempts(farm, begun)) <= 2
    assert farm.provider.accepted_starts.count(f"r-{every[2].user_id}") == 1


async def test_a_refused_sign_in_keeps_the_place(farm):
    every, _ = await line_up(farm, 3)
    give_back(farm, every[0])
    farm.provider.refused_tokens.add("token-1")
    await farm.pass_time(600, step=10)
    assert "waiting" in str(await states(farm)) or "trying" in str(await states(farm))
    farm.provider.refused_tokens.clear()
    await farm.pass_time(2 * HOURS, step=20)
    assert "is ready" in str(told(farm, every[2]))
    assert issubclass(CredentialRefused, Exception)


async def test_until_its_time_and_no_longer(farm):
    every, _ = await line_up(farm, 3, until=1800.0)
    await farm.pass_time(2400, step=10)
    (over,) = [text for text in told(farm, every[2]) if "so I've stopped waiting" in text]
    assert f"I didn't get a free GPU on Fake Cloud for name-r-{every[2].user_id} by" in over
    begun = len(farm.provider.calls)
    give_back(farm, every[0])
    await farm.pass_time(HOURS, step=20)
    assert attempts(farm, begun) == []


async def test_half_of_what_a_provider_allows_may_fail_in_a_row(farm):
    """Starts that the provider began and that then failed count.

    After that many, nothing is tried, and it says why.
    """
    person, *_ = people(1)
    workspace = await farm.own(person, "r1")
    farm.provider.settings = TwoMayFail(**fake_settings().model_dump(by_alias=True))
    farm.reborn()
    farm.provider.start_ends, farm.provider.start_takes = State.FAILED, 30.0
    await ask(farm, person).run(begin_operation, workspace.id, STARTS)
    for _ in range(12):
        farm.provider.machines["r1"].reason = NO_GPU
        await farm.pass_time(10, step=5)
    await ask(farm, person).run(use_cases.join, workspace.id, farm.clock.now() + HOURS)
    for _ in range(120):
        farm.provider.machines["r1"].reason = NO_GPU
        await farm.pass_time(20, step=10)
    assert farm.provider.count("start") == 2
    place = await ask(farm, person).run(use_cases.join, workspace.id, farm.clock.now() + HOURS)
    assert place.is_held


class TwoMayFail(type(fake_settings())):
    @property
    def failures_allowed(self):
        return 2


class NoneMayFail(type(fake_settings())):
    @property
    def failures_allowed(self):
        return 0.0


async def test_where_nobody_knows_how_many_may_fail_nobody_waits(farm):
    every, own = await line_up(farm, 2)
    farm.provider.settings = NoneMayFail(**fake_settings().model_dump(by_alias=True))
    farm.reborn()
    with pytest.raises(Refused) as refused:
        await ask(farm, every[0]).run(use_cases.join, own[0].id)
    assert refused.value.rule == "wait.limit"


async def grant(farm, every, tells_use):
    """Grant a machine to the first in line, and return it once the person has been told."""
    give_back(farm, every[0])
    machine = farm.provider.machines[f"r-{every[2].user_id}"]
    # Some providers report the last use, which was before the start.
    machine.last_used_at = farm.clock.now() if tells_use else None
    for _ in range(120):
        await farm.pass_time(10, step=5)
        if "is ready" in str(told(farm, every[2])):
            return machine
    raise AssertionError(told(farm, every[2]))


def warned(farm, person):
    return [text for text in told(farm, person) if "so that the next person in line" in text]


@pytest.mark.parametrize("is_used", [True, False], ids=["used", "unused"])
@pytest.mark.parametrize("tells_use", [True, False], ids=["use known", "use unknown"])
async def test_unused_grant_is_warned_of_and_goes_to_the_next(farm, is_used, tells_use):
    """The message about the free machine announces this. A workspace that is used in any way is kept."""
    every, own = await line_up(farm, 4)
    machine = await grant(farm, every, tells_use)
    (ready,) = [text for text in told(farm, every[2]) if "is ready" in text]
    assert "If you don't open it within 30 min, and somebody is waiting for a free GPU, I'll warn" in ready
    assert "and stop it 10 min later so that they get it" in ready
    await farm.pass_time(UNUSED_SECONDS - 300, step=20)
    assert warned(farm, every[2]) == []
    if is_used and tells_use:
        machine.last_used_at = farm.clock.now()
    elif is_used:
        await ask(farm, every[2]).run(request_status_read, own[2].id)
    await farm.pass_time(600, step=20)
    assert len(warned(farm, every[2])) == (not is_used)
    await farm.pass_time(ANSWERED_WITHIN_SECONDS + 300, step=10)
    assert ("is ready" in str(told(farm, every[3]))) is not is_used
    assert machine.state is (State.RUNNING if is_used else State.STOPPED)
    row = await farm.store.read(workspace_rows.find_workspace, own[2].id)
    assert row.stop_at is None


@pytest.mark.parametrize("how", ["opened", "kept", "alone"])
async def test_warning_of_unused_grant_ends_with_its_reason(farm, how):
    """If the workspace is used or kept, or nobody waits any more, it isn't stopped, nor warned of again."""
    every, own = await line_up(farm, 4)
    machine = await grant(farm, every, tells_use=False)
    await farm.pass_time(UNUSED_SECONDS + 120, step=20)
    assert len(warned(farm, every[2])) == 1
    if how == "opened":
        await ask(farm, every[2]).run(request_status_read, own[2].id)
    elif how == "kept":
        await ask(farm, every[2]).run(cancel_timer, own[2].id)
    else:
        await ask(farm, every[3]).run(use_cases.leave, own[3].id)
    await farm.pass_time(2 * HOURS, step=30)
    # The warning was deleted when its reason went away.
    assert (machine.state, warned(farm, every[2])) == (State.RUNNING, [])
    assert farm.slack.sent_kinds().count("stop_warning") == 1
    assert (await farm.store.read(workspace_rows.find_workspace, own[2].id)).stop_at is None


async def test_grant_is_warned_of_once_somebody_waits(farm):
    """After half an hour nobody is waiting, so nothing is said until somebody joins the waitlist."""
    every, own = await line_up(farm, 4)
    await ask(farm, every[3]).run(use_cases.leave, own[3].id)
    machine = await grant(farm, every, tells_use=False)
    await farm.pass_time(UNUSED_SECONDS + 1200, step=30)
    assert warned(farm, every[2]) == []
    await ask(farm, every[3]).run(use_cases.join, own[3].id, farm.clock.now() + HOURS)
    await farm.pass_time(240, step=10)
    assert len(warned(farm, every[2])) == 1
    assert machine.state is State.RUNNING


async def test_unused_grant_that_a_stop_would_end_is_asked_about(farm):
    """The workspace isn't taken away, and the question says that somebody is waiting."""
    every, _ = await line_up(farm, 4)
    machine = await grant(farm, every, tells_use=False)
    await within(
        farm.store, lambda tx: tx.run("UPDATE waitlist_entries SET mode = '' WHERE state = 'granted'")
    )
    await farm.pass_time(UNUSED_SECONDS + ANSWERED_WITHIN_SECONDS + 600, step=20)
    (asked,) = [text for text in told(farm, every[2]) if "Somebody is waiting for a free GPU" in text]
    assert f"name-r-{every[2].user_id}" in asked
    assert machine.state is State.RUNNING


@pytest.mark.parametrize("who", ["owner", "plan", "stranger"])
async def test_freed_room_is_offered_within_a_minute(farm, who):
    """Freed capacity is offered soon even after hours, whoever frees it, in any Slack workspace."""
    every, own = await line_up(farm, 4)
    await farm.pass_time(2 * HOURS + 100, step=20)
    freed = own[0]
    if who == "plan":
        end = PlannedStop(farm.clock.now() + 20.0, "stop")
        await within(farm.store, timers.plan_stop, freed.id, end)
    elif who == "stranger":
        await within(farm.store, stored_waits.offer_capacity, freed.connection, STOP_PAUSE_SECONDS)
        give_back(farm, every[0])
    else:
        await ask(farm, every[0]).run(begin_operation, freed.id, OperationVerb.STOP)
    begun, stopped_at = len(farm.provider.calls), None
    for _ in range(60):
        await farm.pass_time(5, step=5)
        latest = await farm.store.read(operations.find_latest_operation, freed.id)
        if stopped_at is None and (who == "stranger" or (latest.verb.brings_down and latest.ended_at)):
            stopped_at = farm.clock.now()
        if attempts(farm, begun) and stopped_at is not None:
            break
    (at, _), *_ = attempts(farm, begun)
    assert stopped_at is not None
    assert at - stopped_at <= 60.0


async def test_freed_room_is_offered_to_each_in_turn(sizes):
    """The first wants a machine that never fits. The next is tried a minute later, not at their own pace."""
    huge, ann = people(2)
    await wait_for(sizes, huge, "huge")
    await wait_for(sizes, ann, "small")
    await sizes.pass_time(3 * HOURS, step=30)
    sizes.provider.machines_there, began = 2, sizes.clock.now()
    await within(sizes.store, stored_waits.offer_capacity, "cloud", STOP_PAUSE_SECONDS)
    while "is ready" not in str(told(sizes, ann)):
        await sizes.pass_time(10, step=5)
        assert sizes.clock.now() - began < 240.0


async def test_what_a_moved_clock_says_puts_nobody_out_of_line(farm):
    every, _ = await line_up(farm, 5)
    before = list((await states(farm)).keys())
    farm.clock.jump(-86_400.0)
    await farm.store.perform(schema.write_heartbeat)
    await farm.pass_time(60, step=10)
    assert list((await states(farm)).keys()) == before
    give_back(farm, every[0])
    await farm.pass_time(900, step=10)
    assert "is ready" in str(told(farm, every[2]))
    assert WAITLIST_ENTRIES.times["next_at"].farthest == PAUSE_SECONDS[-1]
