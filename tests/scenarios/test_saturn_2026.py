"""The whole bot with a Saturn Cloud that follows its published document: reasons, and stops that delete."""

import pytest

from tests.rigs.scenario.cloud import SEED, cloud_world

NO_ROOM = "0/3 nodes are available: 3 Insufficient nvidia.com/gpu."


@pytest.fixture(params=["person", "admin"])
async def cloud_2026(tmp_path, request):
    """A world in which Usher acts for Alice with her own token, or with an administrator's."""
    async with cloud_world(
        tmp_path, saturn_seed={**SEED, "dialect": "2026"}, saturn={"act_as": request.param}
    ) as ready:
        if request.param == "admin":
            await ready.approved(ready.alice, "alice")
        else:
            await ready.alice.has_linked("alice")
        yield ready


def notebook(cloud_2026):
    found = cloud_2026.saturn.state.resources.values()
    return next(one for one in found if (one.owner, one.name) == ("alice", "notebook"))


async def test_what_a_start_waits_for_is_told_and_why_it_failed_at_the_pace_of_the_guide(cloud_2026):
    one = notebook(cloud_2026)
    one.condition, one.start_seconds, one.fail, one.reason = NO_ROOM, 150.0, True, "OOMKilled"
    await cloud_2026.alice.types("start notebook")
    await cloud_2026.pass_time(145, step=5)
    assert "no free GPU" in cloud_2026.alice.sees()[-1].text
    await cloud_2026.pass_time(60, step=5)
    ends = [shown for shown in cloud_2026.alice.sees() if shown.kind == "failed"]
    assert len(ends) == 1
    assert "memory" in ends[0].text
    harness = cloud_2026.saturn.harness
    assert harness.violations == []
    assert harness.smallest_gap >= 10.0
    assert harness.requests["GET /api/active/pods"] >= 2


async def test_a_stop_that_deletes_asks_first(cloud_2026):
    one = notebook(cloud_2026)
    one.spec["self_destruct"] = True
    await cloud_2026.alice.types("start notebook")
    await cloud_2026.pass_time(60, step=5)
    answer = await cloud_2026.alice.types("stop notebook")
    await cloud_2026.pass_time(30, step=5)
    assert one.status(cloud_2026.saturn.harness.clock.now()) == "running"
    assert "can't be started again" in answer.text


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"status": 500}, id="500"),
        pytest.param({"status": 401}, id="401"),
        pytest.param({"status": 429, "headers": {"Retry-After": "600"}}, id="429"),
        pytest.param({"drop": True}, id="dropped"),
    ],
)
async def test_failure_is_told_without_its_reason(cloud_2026, fault):
    """The reason for a failure is only displayed.

    If Usher can't get it, people still read that the start failed.
    """
    one = notebook(cloud_2026)
    one.start_seconds, one.fail = 15.0, True
    cloud_2026.saturn_fails("/api/active/pods$", times=99, **fault)
    await cloud_2026.alice.types("start notebook")
    await cloud_2026.pass_time(60, step=5)
    failed = cloud_2026.alice.only("failed")
    assert "Saturn Cloud didn't give a reason." in failed.text
    assert "hasn't been available" not in "".join(shown.text for shown in cloud_2026.alice.sees())
