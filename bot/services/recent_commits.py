"""The actions and calls of this process in the last ten minutes: a failover may have lost their rows."""

from typing import Final, Protocol

from bot.domain.people import Principal

#: For how many seconds, and how much at most.
RECENT_COMMIT_SECONDS: Final = 600.0
MAX_RECENT_COMMITS: Final = 10_000


class RecentCommit(Protocol):
    """An action that was answered, or an operation or a run that was called."""

    @property
    def id(self) -> str:
        """Return the key of its row."""
        ...

    @property
    def principal(self) -> Principal:
        """Return its owner."""
        ...

    @property
    def connection(self) -> str:
        """Return its connection's name."""
        ...


class RecentCommits:
    """Actions that were answered, and operations and runs that were called.

    Restart: forgotten. Several processes: each has its own, and people are told once.
    """

    def __init__(self) -> None:
        self._commits: dict[str, tuple[float, RecentCommit]] = {}

    def add(self, one: RecentCommit, at: float) -> None:
        """Add a commit with its time by the store's clock; remove those that are too old."""
        commits = self._commits
        while commits and (
            len(commits) >= MAX_RECENT_COMMITS or next(iter(commits.values()))[0] < at - RECENT_COMMIT_SECONDS
        ):
            del commits[next(iter(commits))]
        commits.setdefault(one.id, (at, one))

    def list_since(self, moment: float) -> list[RecentCommit]:
        """Return the commits since a time."""
        return [one for at, one in self._commits.values() if at >= moment]
