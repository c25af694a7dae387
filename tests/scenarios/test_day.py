"""A random day of two people, with faults: old answers stay, and only one message per workspace is live."""

import pytest

from tests.rigs.scenario import world
from tests.scenarios.day import ACTS, ANSWERS, NAMES, Day


@pytest.mark.parametrize("seed", [1, 2])
async def test_in_a_day_no_answer_is_edited_and_what_offers_to_open_something_leads_there(tmp_path, seed):
    async with world(tmp_path) as stage:
        await stage.alice.links("alice")
        await stage.bob.links("bob")
        day = Day(stage, seed)
        for _ in range(ACTS):
            await day.act()
        stage.heal()
        await stage.pass_time(900, step=10)
        day.look()
        assert len(day.answers) >= 10
        assert day.said["fault"] >= 2
        assert day.said["live"] >= 50
        for who, person in day.people.items():
            for name in NAMES[who]:
                about = [
                    shown
                    for shown in person.sees()
                    if shown.kind not in ("", "linked", *ANSWERS) and f"*{name}*" in shown.text
                ]
                if stage.resource(name, owner=who).status(stage.clock.now()) != "running":
                    assert not [one.text for one in about if "Open" in one.labels], (who, name)
