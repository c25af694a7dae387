"""Owners of work that nobody does."""

from bot.services.owners import Owners


class Idle(Owners):
    """Know of nobody who does the work."""

    is_worked = False
