"""The people and workspaces of a class of forty."""

from tests.rigs.scenario.people import GENERAL

TRAINER, GUEST, UNLINKED = "U0TARA", "U0GUEST", "U0039"


PUPILS = [f"U0{number:03}" for number in range(40)]


def _slack_seed():
    people = [{"id": user, "name": user.lower(), "real_name": f"Pupil {user[2:]}"} for user in PUPILS]
    people.append({"id": TRAINER, "name": "tara", "real_name": "Tara", "tz": "Europe/Berlin"})
    people.append({"id": GUEST, "name": "guest", "real_name": "Greta", "is_restricted": True})
    members = [one["id"] for one in people]
    return {"people": people, "channels": [{"id": GENERAL, "name": "general", "members": [*members, "@bot"]}]}


def _saturn_seed():
    owners = [user.lower() for user in PUPILS]
    return {
        "page_size": 50,
        "users": [{"name": owner} for owner in owners],
        "workspaces": [
            {"owner": owner, "name": "notebook", "start_seconds": 6.0, "stop_seconds": 1.0}
            for owner in owners
        ],
    }
