"""Owners for tests in which no process does the work."""

from bot.services.owners import Owners


class Idle(Owners):
    """Report that no process does the work."""

    is_worked = False
