"""Tests of a few seconds of kills, clock changes and failures: nothing is lost, duplicated or untrue."""

import pytest

from tests.chaos.play import played

#: Two web processes and two workers for two Slack workspaces. The clock of one process is an hour off.
#: PostgreSQL crashes, and all connections are cut. `make chaos` also has late effects, long pauses and
#: refused credentials, which take minutes to settle, and a single process on a file, which does less than
#: these.
CLUSTER = ["--cluster", "--workers", "2", "--kill-every", "3.5", "--seconds", "8", "--operations", "24"]
CLUSTER += ["--people", "8", "--seed", "607", "--only", "clock", "--rules", "0"]


@pytest.mark.thorough
@pytest.mark.timeout(400)
async def test_a_few_seconds_of_chaos_break_no_promise():
    modes = [
        word
        for mode in ("kills", "posts", "cuts", "slack", "provider", "repeats")
        for word in ("--only", mode)
    ]
    told = await played(*CLUSTER, *modes)
    assert told["holds"]
    assert (told["lost"], told["told_twice"], told["repeated"], told["astray"]) == (0, 0, 0, 0)
    assert told["repeats"] >= 1
    assert (told["leaks"], told["dead"], told["unlinked"]) == (0, 0, 0)
    assert (told["unseen"], told["untrue"]) == (0, 0)
    assert told["beyond_limits"] == told["beyond_limits_while_slack_stood_still"]
    assert told["acknowledged"] == 24
    assert told["kills"] >= 2
    assert min(told["kills_in_posts"], told["cuts"]) >= 1
    assert told["smallest_gap_s"] is None or told["smallest_gap_s"] >= 10.0
    assert told["most_starts_per_operation"] == 1
    assert told["most_runs_per_request"] <= 1
    assert sum(told["outcomes"].values()) == told["operations"]
    assert (told["slack_workspaces"], told["processes"]) == (2, 4)
