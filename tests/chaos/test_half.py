"""Test of a storm of a few seconds in which one worker sometimes can't write, and another is healthy."""

import pytest

from tests.chaos.play import played

HALF = ["--cluster", "--workers", "2", "--seconds", "20", "--operations", "30", "--people", "12"]
HALF += ["--seed", "45", "--rules", "0", "--only", "half"]


@pytest.mark.thorough
@pytest.mark.timeout(400)
async def test_a_worker_that_is_cut_from_writing_now_and_then_breaks_no_promise():
    told = await played(*HALF)
    assert told["holds"]
    assert told["halved"] >= 1
    assert (told["lost"], told["told_twice"], told["untrue"]) == (0, 0, 0)
    assert told["acknowledged"] == 30
