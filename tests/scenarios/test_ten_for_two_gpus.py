"""Ten people and two GPUs, with the whole bot. Saturn Cloud gives odd answers, and the bot is killed."""

from itertools import pairwise

import pytest

from tests.rigs.scenario.cloud import cloud_world
from tests.rigs.scenario.people import GENERAL

NAMES = tuple(f"person{number}" for number in range(10))
USERS = {name: f"U0P{number:02}" for number, name in enumerate(NAMES)}
#: Faulty responses of the full provider, by the number of the round.
ODD = {1: {"status": 503}, 3: {"garbage": True}, 5: {"drop": True}, 6: {"status": 500}}


def seeds():
    people = [{"id": key, "name": name, "real_name": name, "tz": "UTC"} for name, key in USERS.items()]
    own = {"name": "gpu", "instance_type": "g4dnxlarge", "start_seconds": 40}
    return {
        "slack_seed": {
            "people": people,
            "channels": [{"id": GENERAL, "name": "general", "members": [*USERS.values(), "@bot"]}],
        },
        "saturn_seed": {
            "dialect": "2026",
            "users": [{"name": name} for name in NAMES]
            + [{"name": "admin", "admin": True, "token": "ad01" * 10}],
            "workspaces": [{"owner": name, **own} for name in NAMES],
        },
    }


@pytest.mark.timeout(240)
async def test_in_rounds_none_twice_all_told_and_no_attempt_beside_another(tmp_path):
    async with cloud_world(tmp_path, **seeds()) as world:
        world.saturn.state.limits.gpus = 2
        everybody = {name: world.person(user) for name, user in USERS.items()}
        for name, person in everybody.items():
            await person.has_linked(name)
        machine = {one.owner: one for one in world.saturn.state.resources.values() if one.name == "gpu"}
        for person in everybody.values():
            await person.types("start gpu")
            await world.pass_time(100, step=5)
            if offered := person.told("failed"):
                *_, answer = await person.presses(offered[-1], "Keep trying")
                assert "*gpu* is waiting for a free GPU" in answer.text
        assert "8 people waiting" in (await everybody[NAMES[9]].types("list waiting")).text
        before = {name: len(machine[name].runs) for name in NAMES}
        began = world.clock.now()
        served = list(NAMES[:2])
        for number in range(len(NAMES) - 2):
            machine[served[number]].stop(world.clock.now())
            if number in ODD:
                world.saturn_fails(r"/start$", times=1, **ODD[number])
            if number % 3 == 2:
                await world.stop_bot()
                world.clock.advance(5)
                await world.start_bot()
            for _ in range(60):
                await world.pass_time(30, step=10)
                if ready := [name for name in NAMES if name not in served and everybody[name].told("ready")]:
                    break
            assert len(ready) == 1, [one.text for one in everybody[NAMES[9]].sees()]
            served += ready
        tried = sorted(run.created_at for name in NAMES for run in machine[name].runs[before[name] :])
        assert all(later - earlier >= 60.0 for earlier, later in pairwise(tried))
        for name in NAMES[2:]:
            # Once it was up, it wasn't started again.
            assert [run.started_at is not None for run in machine[name].runs].count(True) == 1
            assert len(everybody[name].told("ready")) == 1
            assert len(everybody[name].told("failed")) == 1
        assert world.clock.now() - began <= 8 * 900.0
        assert (await everybody[NAMES[0]].types("list waiting")).text.count("waiting for a free GPU") == 0
