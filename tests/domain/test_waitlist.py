"""Tests of waiting for capacity: how its lack is recognised, pauses between tries, and the end of a wait."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain import causes
from bot.domain.failure_causes import lacks_capacity
from bot.domain.waitlist import (
    END_HOURS,
    MIN_WAIT_SECONDS,
    PAUSE_SECONDS,
    OthersInLine,
    find_missing_capacity,
    get_default_end,
    get_pause,
)
from bot.messages.texts import waitlist as words
from bot.support import errors

BERLIN = ZoneInfo("Europe/Berlin")
#: What a provider says, and the kind of capacity that is lacking. "" if waiting for others wouldn't help.
SAID = [
    # Kubernetes' scheduler.
    ("0/3 nodes are available: 3 Insufficient nvidia.com/gpu.", "gpu"),
    ("0/3 nodes are available: 3 Insufficient amd.com/gpu.", "gpu"),
    ("0/3 nodes are available: 1 node(s) had taint {x: y}, 2 Insufficient memory.", "memory"),
    ("0/3 nodes are available: 3 Insufficient cpu.", "cpu"),
    ("0/3 nodes are available: 3 Too many pods.", "room"),
    ("pod didn't trigger scale-up: 1 max node group size reached", "room"),
    # A floating licence.
    ("No floating license is available", "license"),
    ("The license limit of 5 sessions has been reached", "license"),
    # A cloud's machines, and a quota that all users share.
    ("InsufficientInstanceCapacity: We currently do not have sufficient p4d.24xlarge capacity", "room"),
    ("The zone does not have enough resources available (ZONE_RESOURCE_POOL_EXHAUSTED)", "room"),
    ("SkuNotAvailable", "room"),
    ("Quota 'CPUS_ALL_REGIONS' exceeded. Limit: 32.0 globally.", "room"),
    # None that others have.
    ("Insufficient permissions", ""),
    ("capacity must be a positive number", ""),
    # A pod that waits for an autoscaler wasn't refused, and a timeout says nothing about capacity.
    ("pod triggered scale-up: [{pool 1->2 (max: 5)}]", ""),
    ("Server at /user/alice/ didn't respond in 30 seconds: Timeout", ""),
    ("Timed out", ""),
    # A person's own quota, an invalid request, and an outage.
    ("pods is forbidden: exceeded quota: gpus, requested: 1, used: 2, limited: 2", ""),
    ("pods is forbidden: failed quota: small: must specify limits.cpu", ""),
    ("insufficient quota", ""),
    ("QOSMaxGRESPerUser", ""),
    ("You've reached your GPU limit: no GPUs available", ""),
    ("Not enough GPUs: at most 2 per user", ""),
    ("0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector.", ""),
    ("Back-off pulling image x: ErrImagePull", ""),
    ("OOMKilled", ""),
    ("503 Service Unavailable", ""),
]


@pytest.mark.parametrize(("said", "kind"), SAID)
def test_what_providers_say_of_room(said, kind):
    assert lacks_capacity(said) is bool(kind)
    assert (
        find_missing_capacity(f"{'no_room' if lacks_capacity(said) else 'provider_failed'}: {said}") == kind
    )


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (errors.NoCapacity("This hub is full", status=429), "room"),
        (errors.NoCapacity("no licenses are available", status=200), "license"),
        (errors.NoCapacity(), "room"),
        (errors.LimitReached("at most 3 named servers", status=400), ""),
        (errors.RateLimited("slow down", status=429, retry_after=5.0), ""),
        (errors.InvalidRequest("no such size", status=400), ""),
        (errors.ServerFailed("503", status=503), ""),
        (errors.Unreachable("refused"), ""),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, Exception) else one or "none",
)
def test_errors_that_say_that_there_is_no_room(error, kind):
    assert find_missing_capacity(causes.to_cause(error)) == kind


@given(st.text(max_size=600), st.sampled_from(["no_room", "provider_failed", "limit", "invalid", ""]))
def test_whatever_a_provider_says_is_some_kind_of_room_or_none(said, word):
    kind = find_missing_capacity(f"{word}: {said}")
    assert kind in {*words.WAITED_FOR, ""}
    assert (kind != "") is (word == "no_room")


def test_the_pace():
    assert [get_pause(number) for number in range(6)] == [60.0, 120.0, 300.0, 600.0, 600.0, 600.0]
    assert PAUSE_SECONDS[0] == 60.0


@pytest.mark.parametrize(
    ("rounds", "entry"),
    [([], 0), ([0, 0], 0), ([1, 0], 0), ([1, 1], 1), ([5, 4, 4], 4), ([5], 5)],
    ids=["nobody", "untried", "begun", "over", "fifth", "alone"],
)
def test_newcomer_comes_after_those_of_the_present_round(rounds, entry):
    assert line_of(rounds).entry_round == entry


def line_of(rounds, attempts=()):
    lowest, highest = min(rounds, default=None), max(rounds, default=0)
    return OthersInLine(lowest, highest, min(attempts, default=None))


def test_pause_is_that_of_whoever_was_tried_least():
    assert OthersInLine(1, 1, 0).pause_after(9) == PAUSE_SECONDS[0]
    assert OthersInLine(1, 1, 7).pause_after(1) == PAUSE_SECONDS[1]
    assert OthersInLine().pause_after(2) == PAUSE_SECONDS[2]


@given(st.lists(st.tuples(st.sampled_from(["join", "leave", "turn", "back"]), st.integers(0, 9))))
@example([("join", 0), ("join", 0), ("turn", 0), ("leave", 0), ("back", 0), ("turn", 0)])
def test_nobody_is_tried_twice_before_the_others_once(steps):
    """People join, leave and come back: nobody gets a second turn before everybody else has had one."""
    waiting: dict[int, int] = {}
    since: dict[int, set[int]] = {}
    left: list[tuple[int, int]] = []
    for seq, (step, number) in enumerate(steps):
        if step == "join":
            waiting[seq], since[seq] = line_of(list(waiting.values())).entry_round, set()
        elif step == "leave" and waiting:
            gone = sorted(waiting)[number % len(waiting)]
            left.append((gone, waiting.pop(gone)))
        elif step == "back" and left:
            one, was = left.pop()
            present = line_of(list(waiting.values())).find_round(was)
            one = seq if present < was else one
            waiting[one], since[one] = present, set()
        elif step == "turn" and waiting:
            one = min(waiting, key=lambda key: (waiting[key], key))
            assert not [other for other in waiting if other != one and one in since[other]], steps
            since[one] = set()
            for other in waiting.keys() - {one}:
                since[other].add(one)
            waiting[one] = line_of([waiting[key] for key in waiting if key != one]).end_turn(waiting[one])
        assert max(waiting.values(), default=0) - min(waiting.values(), default=0) <= 1


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("2026-11-25 10:00", "2026-11-25 18:00"),
        ("2026-11-25 17:00", "2026-11-25 18:00"),
        ("2026-11-25 17:01", "2026-11-26 09:00"),
        ("2026-11-25 18:00", "2026-11-26 09:00"),
        ("2026-11-25 03:00", "2026-11-25 09:00"),
        ("2026-11-25 08:30", "2026-11-25 18:00"),
        # The nights when the clocks go back and forward.
        ("2026-10-24 20:00", "2026-10-25 09:00"),
        ("2027-03-27 20:00", "2027-03-28 09:00"),
    ],
)
def test_until_when_somebody_waits_who_names_no_time(now, end):
    at = datetime.fromisoformat(now).replace(tzinfo=BERLIN).timestamp()
    assert f"{datetime.fromtimestamp(get_default_end(at, BERLIN), BERLIN):%Y-%m-%d %H:%M}" == end


@given(
    st.floats(0, 4_000_000_000),
    st.sampled_from(["Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "Pacific/Apia"]),
)
def test_it_is_always_an_hour_ahead_and_never_a_whole_day(now, zone):
    end = get_default_end(now, ZoneInfo(zone))
    assert MIN_WAIT_SECONDS <= end - now <= 50 * 3600.0
    assert datetime.fromtimestamp(end, ZoneInfo(zone)).hour in {*END_HOURS, *(hour + 1 for hour in END_HOURS)}
