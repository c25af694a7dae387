"""Test of a storm of half a minute in which a cluster's primary fails and its last seconds are lost."""

import pytest

from tests.chaos.play import played

FAILOVER = ["--cluster", "--workers", "1", "--seconds", "30", "--operations", "70", "--people", "14"]
FAILOVER += ["--rules", "14", "--seed", "8", "--settle", "400", "--only", "failover"]


@pytest.mark.thorough
@pytest.mark.timeout(700)
async def test_after_a_failover_nobody_is_told_twice_and_whoever_was_answered_hears_what_is_so():
    told = await played(*FAILOVER)
    assert told["holds"]
    assert (told["lost"], told["told_twice"], told["untrue"]) == (0, 0, 0)
    assert told["told_of_loss"] >= 1
