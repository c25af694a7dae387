"""Two weeks of several people on a simulated clock. Each evening, a reader checks everything they see."""

from tests.rigs.fortnight.play import Fortnight, play_fortnight

__all__ = ["Fortnight", "play_fortnight"]
