"""What this process answered and called in the last ten minutes: after a failover no row may tell."""

from bot.domain.acts import Act
from bot.domain.errands import Errand

#: For how many seconds, and how much at most.
KEPT_SECONDS, MOST = 600.0, 10_000
Kept = Act | Errand


class Memory:
    """Remember acts that were answered, and operations and runs that were called."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, Kept]] = {}

    def keep(self, one: Kept, at: float) -> None:
        """Remember what was committed at a moment, by the store's time; forget what is too old."""
        self._kept.setdefault(one.id, (at, one))
        while len(self._kept) > MOST or next(iter(self._kept.values()))[0] < at - KEPT_SECONDS:
            del self._kept[next(iter(self._kept))]

    def since(self, moment: float) -> list[Kept]:
        """Return what was committed from a moment on."""
        return [one for at, one in self._kept.values() if at >= moment]
