"""What cards and notices of runs are made from, beside the run itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JobFacts:
    """Gather what a run's card or notice may say; ``now`` in epoch seconds.

    ``username`` is empty where the provider told none. ``page_url`` is the run's page at the provider, set
    only when its host passed the connection's check. ``capabilities`` are the provider's, for the buttons.
    """

    now: float
    connection_title: str
    username: str = ""
    page_url: str | None = None
    capabilities: frozenset[str] = frozenset()
