"""A cloud with two GPUs."""

from tests.rigs.scenario.cloud import SEED

GPUS = ("alice", "bob", "carol")


def seed(*owners):
    """Return seed data in which each of these people has a workspace with a GPU."""
    machines = [
        {"owner": one, "name": "gpu", "instance_type": "g4dnxlarge", "start_seconds": 40} for one in owners
    ]
    return {**SEED, "dialect": "2026", "workspaces": [*SEED["workspaces"], *machines]}


def gpu(world, owner="alice"):
    """Return a person's workspace with a GPU."""
    found = world.saturn.state.resources.values()
    return next(one for one in found if (one.owner, one.name) == (owner, "gpu"))
