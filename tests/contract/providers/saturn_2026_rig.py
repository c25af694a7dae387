"""The rig of a Saturn Cloud server that follows the vendor's published document of 2026."""

from functools import partial
from pathlib import Path

from tests.contract.providers.rigs import SATURN_SEED, saturn_rig

#: People of the local server of 2026, which makes their tokens itself, as JSON Web Tokens.
USERS = [{"name": "alice", "refresh_token": "refresh-alice"}, {"name": "bob"}, SATURN_SEED["users"][2]]
SEED = {**SATURN_SEED, "users": USERS}
RECIPE = Path(__file__).with_name("recipe_2026.json")

saturn_2026_rig = partial(saturn_rig, SEED, dialect="2026", recipe=RECIPE)
