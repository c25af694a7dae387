"""Two weeks with several people on a moved clock, and a reader who checks each evening all that they see."""

from tests.rigs.fortnight.play import Fortnight, play_fortnight

__all__ = ["Fortnight", "play_fortnight"]
