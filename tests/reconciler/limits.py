"""Further people, and the calls made for each of them."""

from bot.domain.people import Principal

CAROL, DAVE, ERIN = (Principal(None, "T1", f"U{name}") for name in ("CAROL", "DAVE", "ERIN"))


def calls_of(world, principal, method=""):
    token = f"token-{principal.user_id}"
    return [one for one in world.provider.calls if one.token == token and method in ("", one.method)]
