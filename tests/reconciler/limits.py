"""Three more people for tests of limits, and a helper that lists the provider calls made for a person."""

from bot.domain.people import Principal

CAROL, DAVE, ERIN = (Principal(None, "T1", f"U{name}") for name in ("CAROL", "DAVE", "ERIN"))


def calls_of(world, principal, method=""):
    token = f"token-{principal.user_id}"
    return [one for one in world.provider.calls if one.token == token and method in ("", one.method)]
