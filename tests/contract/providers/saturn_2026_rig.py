"""Saturn Cloud as its vendor's published document of 2026 describes it."""

from functools import partial

from tests.contract.providers.rigs import SATURN_SEED, saturn_rig

#: Tokens are made by the server there: JSON Web Tokens.
SEED = {**SATURN_SEED, "users": [{"name": "alice", "refresh_token": "refresh-alice"}, {"name": "bob"}]}

saturn_2026_rig = partial(saturn_rig, SEED, dialect="2026")
