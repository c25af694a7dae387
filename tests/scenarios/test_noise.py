"""The acts of a day, one by one: at most two messages each, and none that is empty or untrue."""

from tests.rigs.scenario.workbench import workbench_world
from tests.scenarios.noise import Count, played


async def test_an_act_makes_two_messages_at_most_and_no_line_is_needless_or_untrue(tmp_path):
    async with workbench_world(tmp_path) as stage:
        await stage.alice.has_linked("alice")
        await stage.alice.has_linked("alice", "wb", is_named=False)
        await stage.pass_time(20)
        await played(Count(stage))


async def test_a_start_of_what_runs_is_one_message_with_open(tmp_path):
    async with workbench_world(tmp_path) as stage:
        alice = stage.alice
        await alice.has_linked("alice")
        (said,) = await alice.writes("start report")
        assert "*report* is already running" in said.text
        await stage.pass_time(30)
        (now,) = alice.hears()
        assert (now.ts, now.labels[0]) == (said.ts, "Open")
        assert now.text.startswith("🟢 *report* is already running.\n")
        # Somebody has stopped it since Usher last read it, so it is started as usual.
        stage.resource("report").force("stopped", stage.clock.now())
        await alice.writes("start report")
        await stage.pass_time(60)
        assert stage.calls("POST .*/start") == 1
        assert "*report* is ready." in alice.told("ready")[-1].text
