"""What acts changed: found by comparing rows, and whether they still say it, on both engines."""

from bot.domain.hours import HoursRule
from tests.rigs.store import ALICE


def a_rule(workspace, **keys):
    hours = {"days": frozenset({"mon", "fri"}), "starts": 540, "off": frozenset({"2027-01-18"})}
    zone = {"zone": "Asia/Tokyo", "processed_until": 1.5}
    given = {"id": "rule", "principal": ALICE, "connection": "saturn", "workspace_id": workspace.id}
    return HoursRule(**given, **hours, **zone, **keys)
