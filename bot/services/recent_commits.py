"""Recent commits that a failover might lose: confirmed requests, and work items whose calls were sent."""

from typing import Final

from bot.domain.accepted_requests import AcceptedRequest
from bot.domain.operations import Operation
from bot.domain.runs import Run

#: How long commits are remembered, in seconds. At most ``MAX_RECENT_COMMITS`` are remembered at a time.
RECENT_COMMIT_SECONDS: Final = 600.0
MAX_RECENT_COMMITS: Final = 10_000


#: A commit that a failover might lose: a request confirmed to a person, or a work item whose call was sent.
RecentCommit = AcceptedRequest | Operation | Run


class RecentCommits:
    """Recent actions that were confirmed to people, and work items whose calls were sent. Lost on restart."""

    def __init__(self) -> None:
        self._commits: dict[str, tuple[float, RecentCommit]] = {}

    def add(self, one: RecentCommit, at: float) -> None:
        """Add a commit made at ``at``, by the store's clock.

        Drop commits that are too old and, if there are too many, the oldest.
        """
        commits = self._commits
        while commits and (
            len(commits) >= MAX_RECENT_COMMITS or next(iter(commits.values()))[0] < at - RECENT_COMMIT_SECONDS
        ):
            del commits[next(iter(commits))]
        commits.setdefault(one.id, (at, one))

    def list_since(self, moment: float) -> list[RecentCommit]:
        """Return the commits made since a given time."""
        return [one for at, one in self._commits.values() if at >= moment]
