"""Two weeks of several people in moved time, and a reader of everything that stands in the evening."""

from tests.rigs.fortnight.play import Fortnight, play_fortnight

__all__ = ["Fortnight", "play_fortnight"]
