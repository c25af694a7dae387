"""What this process answered and called in the last ten minutes: after a failover no row may tell."""

from typing import Final, Protocol

from bot.domain.people import Principal

#: For how many seconds, and how much at most.
KEPT_SECONDS: Final = 600.0
MOST: Final = 10_000


class Kept(Protocol):
    """What was answered or called: an act, an operation or a run."""

    @property
    def id(self) -> str:
        """Return the key of its row."""
        ...

    @property
    def principal(self) -> Principal:
        """Return whose it is."""
        ...

    @property
    def connection(self) -> str:
        """Return where it was asked for."""
        ...


class Memory:
    """Remember acts that were answered, and operations and runs that were called.

    Restart: forgotten. Several processes: each has its own, and people are told once.
    """

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, Kept]] = {}

    def keep(self, one: Kept, at: float) -> None:
        """Remember what was committed at a moment, by the store's time; forget what is too old."""
        kept = self._kept
        while kept and (len(kept) >= MOST or next(iter(kept.values()))[0] < at - KEPT_SECONDS):
            del kept[next(iter(kept))]
        kept.setdefault(one.id, (at, one))

    def since(self, moment: float) -> list[Kept]:
        """Return what was committed from a moment on."""
        return [one for at, one in self._kept.values() if at >= moment]
