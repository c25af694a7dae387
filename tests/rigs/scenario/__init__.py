"""The whole bot on a stage with local servers. Time stands still until a test moves it."""

from tests.rigs.scenario.people import Person
from tests.rigs.scenario.shown import Shown
from tests.rigs.scenario.stage import ALICE, BOB, CAROL, ID, SEED, World, world

__all__ = ["ALICE", "BOB", "CAROL", "ID", "SEED", "Person", "Shown", "World", "world"]
