"""This process's actions and calls of the last ten minutes.

A failover of the database might lose their rows.
"""

from typing import Final

from bot.domain.accepted_requests import AcceptedRequest
from bot.domain.operations import Operation
from bot.domain.runs import Run

#: How long commits are remembered, in seconds. At most ``MAX_RECENT_COMMITS`` are remembered.
RECENT_COMMIT_SECONDS: Final = 600.0
MAX_RECENT_COMMITS: Final = 10_000


#: Something that a failover might lose: an action that was confirmed to the person, or an operation or run
#: with a call that was sent.
RecentCommit = AcceptedRequest | Operation | Run


class RecentCommits:
    """Actions that were confirmed to people recently, and operations and runs whose calls were sent.

    They are lost on restart. Each process has its own list, but people are told only once.
    """

    def __init__(self) -> None:
        self._commits: dict[str, tuple[float, RecentCommit]] = {}

    def add(self, one: RecentCommit, at: float) -> None:
        """Add a commit, timed by the store's clock, and drop those that are too old."""
        commits = self._commits
        while commits and (
            len(commits) >= MAX_RECENT_COMMITS or next(iter(commits.values()))[0] < at - RECENT_COMMIT_SECONDS
        ):
            del commits[next(iter(commits))]
        commits.setdefault(one.id, (at, one))

    def list_since(self, moment: float) -> list[RecentCommit]:
        """Return the commits made since a given time."""
        return [one for at, one in self._commits.values() if at >= moment]
