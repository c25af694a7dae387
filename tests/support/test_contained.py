"""Tests of errors in background work: it is handed back, left alone, or failed with a reference."""

import asyncio

import pytest
from structlog.testing import capture_logs

from bot.support.errors import StoreBusy, StoreError, StoreUnavailable
from bot.support.pool import HAND_BACK_ATTEMPTS, contain_errors
from tests.rigs.clock import CountingIds


async def ends_with(error, *, follow_up=None):
    """Return the calls and log lines that result when a piece of work ends with an error."""
    called = []

    def calls(name):
        async def call():
            called.append(name)
            if follow_up is not None:
                raise follow_up

        return call

    with capture_logs() as logs:
        async with contain_errors(
            "step", CountingIds(), back=calls("back"), failed=calls("failed"), subject="o1"
        ):
            if error is not None:
                raise error
    return called, [(one["event"], one["log_level"], one["subject"], one.get("reference")) for one in logs]


async def test_what_ends_well_calls_and_logs_nothing():
    assert await ends_with(None) == ([], [])


@pytest.mark.parametrize(
    "error", [StoreUnavailable("full"), StoreBusy("nothing was done")], ids=["away", "busy"]
)
async def test_work_not_written_is_handed_back_at_once(error):
    """The process is alive and its database works again, so nobody has to wait for the lease."""
    assert await ends_with(error) == (["back"], [("step not written", "warning", "o1", None)])


async def test_work_never_written_waits_for_its_lease():
    called, _ = await ends_with(StoreUnavailable("full"), follow_up=StoreUnavailable("full"))
    assert called == ["back"] * HAND_BACK_ATTEMPTS


async def test_work_against_the_rules_of_the_data_is_not_repeated():
    """If work breaks the rules of the data, retrying it would fail every time."""
    assert await ends_with(StoreError("forbidden")) == ([], [("step not written", "warning", "o1", None)])


@pytest.mark.parametrize("follow_up", [None, StoreUnavailable("full")])
async def test_any_other_error_has_a_reference_and_is_followed_up(follow_up):
    called, logs = await ends_with(ValueError("odd"), follow_up=follow_up)
    assert called == ["failed"]
    assert logs[0] == ("step failed", "error", "o1", CountingIds().reference())
    # If the failure can't be saved either, the reference is the same.
    assert logs[1:] == ([("step not written", "warning", "o1", logs[0][3])] if follow_up else [])


@pytest.mark.parametrize("follow_up", [None, StoreUnavailable("full")])
async def test_a_process_that_ends_hands_it_back(follow_up):
    called = []

    async def back():
        called.append("back")
        if follow_up is not None:
            raise follow_up

    with pytest.raises(asyncio.CancelledError):
        async with contain_errors("step", CountingIds(), back=back):
            raise asyncio.CancelledError
    assert called == ["back"]
