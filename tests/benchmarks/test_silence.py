"""Ten minutes without Slack, as the benchmark plays them: each figure is a promise."""

from benchmarks.silence import play


async def test_after_a_silence_everybody_is_told_soon_truly_and_once():
    found = await play(people=50, runs=20)
    assert (found.untrue, found.lost, found.doubled) == (0, 0, 0)
    assert found.last <= 60.0
    assert found.searches <= 50
    # One message for all news, and no card of what is over.
    assert (found.posts, found.most) == (50, 1)
