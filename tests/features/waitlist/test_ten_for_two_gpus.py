"""Ten people and two GPUs, through the whole bot; Saturn Cloud answers oddly, and the bot dies."""

from tests.rigs.scenario.people import GENERAL

NAMES = tuple(f"person{number}" for number in range(10))
USERS = {name: f"U0P{number:02}" for number, name in enumerate(NAMES)}
#: What a full provider answers in between, by the number of the round.
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
