"""Two workers on one database: only one does work that needs memory; if it dies, the other continues it."""

import pytest

from bot.services.owners import SharedOwners
from bot.store import owners
from bot.store.owners import LEASE_SECONDS
from tests.reconciler.runs import content, output, said

PARTS = ("owners", "reconciler", "notifier", "streams", "looks", "board")


class Workers:
    """Several processes that take turns working on one world."""

    def __init__(self, runs):
        self.runs, self.world = runs, runs.world
        self.living = {name: self._born(name) for name in "ab"}

    def _born(self, name):
        self.world.owners = SharedOwners(self.world.store, self.world.clock.monotonic, name, f"worker:{name}")
        self.world.reborn()
        return {part: getattr(self.world, part) for part in PARTS}

    async def pass_time(self, seconds):
        for _ in range(seconds):
            self.world.clock.advance(1.0)
            for parts in list(self.living.values()):
                vars(self.world).update(parts)
                await self.world.owners.renew()
                await self.world.work()

    async def owner(self, thing):
        return next(
            one.owner for one in await self.world.store.read(owners.list_ownerships) if one.name == thing
        )


@pytest.fixture
async def workers(runs):
    runs.cloud.job_takes = None
    runs.cloud.opens("run1")
    return Workers(runs)


@pytest.mark.parametrize("dies", [False, True])
async def test_an_output_is_followed_by_one_and_then_by_who_takes_over(workers, dies):
    runs = workers.runs
    run_id = await runs.runs()
    await workers.pass_time(5)
    # Too long to be shown together with the end.
    first = f"one{'.' * 3000}\n"
    runs.cloud.writes("run1", first)
    await workers.pass_time(15)
    shown = output(runs, run_id)
    assert "..." in said(shown)
    assert runs.cloud.outputs["run1"].open == 1
    owner = await workers.owner(f"output:{run_id}")
    if dies:
        # The process silently stops renewing its leases.
        gone = workers.living.pop(owner)
        await gone["streams"].drain(0.0)
        runs.cloud.writes("run1", "two\n")
        await workers.pass_time(round(LEASE_SECONDS) + 60)
        assert await workers.owner(f"output:{run_id}") != owner
        assert "two" in said(shown)
    else:
        await workers.pass_time(round(2 * LEASE_SECONDS))
        assert await workers.owner(f"output:{run_id}") == owner
    runs.cloud.writes("run1", "last\n")
    runs.cloud.ends("run1")
    runs.cloud.closes("run1")
    await workers.pass_time(60)
    keys = runs.slack.keys()
    key = next(key for key in keys if "/job_ended/" in key)
    assert "last" in said(runs.message(key))
    whole = f"{first}two\nlast\n" if dies else f"{first}last\n"
    assert [content(message) for message in runs.slack.shared()] == [whole]
    assert sorted(runs.slack.sent_kinds()) == ["job_card", "job_ended"]
