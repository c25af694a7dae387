"""Tests that each provider's pace keeps to the rate limits documented in docs/internals/providers/."""

from bot.providers.saturn.provider import Saturn


def test_saturn_clouds_status_is_read_once_in_ten_seconds_and_no_more():
    assert Saturn.pace.min_poll_interval == 10.0
    assert (
        min(Saturn.pace.pending_interval, Saturn.pace.running_interval, Saturn.pace.unused_interval) >= 10.0
    )
