"""A stand-in for ``Owners``, for tests of what people are told while no worker is running."""

from bot.services.owners import Owners


class Idle(Owners):
    """Owners that report that no process is doing the work."""

    is_worked = False
