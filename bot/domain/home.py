"""The facts behind a person's Home, gathered before anything is rendered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from bot.domain.facts import PreferenceFacts, RunFacts, WorkspaceFacts
from bot.domain.models import Approval, Named, People

#: The state of a person's link to a connection; ``asked``: an administrator has yet to decide.
LinkState = Literal["linked", "suspected", "refused", "asked", "none", "needless"]


@dataclass(frozen=True, slots=True)
class LinkFacts:
    """Hold one connection with the state of a person's account on it.

    ``by`` is how they link themselves: with a token, by asking an administrator, either, or not at all ("").
    """

    connection: str
    title: str
    state: LinkState
    by: Literal["token", "admin", "both", ""] = ""
    username: str = ""
    since: float | None = None


@dataclass(frozen=True, slots=True)
class MakerFacts:
    """Hold where a person can make workspaces, and from which templates; None if they can't be read."""

    connection: str
    title: str
    templates: Sequence[str] | None = ()


@dataclass(frozen=True, slots=True)
class Question:
    """Hold one thing that waits for the person: exactly one of the three is set.

    ``operation`` and ``run`` ask whether to make another; ``approval`` is another person's request to decide.
    """

    operation: WorkspaceFacts | None = None
    run: RunFacts | None = None
    approval: tuple[Approval, str, Named] | None = None  #: with the connection's title and its person


@dataclass(frozen=True, slots=True)
class HomeFacts:
    """Hold what a person's own Home says.

    ``runs_jobs`` means that a connection runs jobs. ``rows`` is one page of ``count`` workspaces.
    ``has_code`` means that a link waits for its code to be typed. ``answer`` is the body of the Answer to the
    last press, shown above the rest.
    """

    now: float
    command: str
    job_command: str
    runs_jobs: bool = False
    rows: Sequence[WorkspaceFacts] = ()
    page: int = 1
    pages: int = 1
    count: int = 0
    running: int = 0
    runs: Sequence[RunFacts] = ()
    more_runs: int = 0
    questions: Sequence[Question] = ()
    has_code: bool = False
    links: Sequence[LinkFacts] = ()
    makers: Sequence[MakerFacts] = ()
    preferences: PreferenceFacts | None = None
    is_administrator: bool = False
    answer: Mapping[str, Any] | None = None
    answered_at: float = 0.0


@dataclass(frozen=True, slots=True)
class ConnectionCounts:
    """Count what there is on one connection; ``failed`` counts operations since a given time."""

    linked: int = 0
    refused: int = 0
    workspaces: int = 0
    running: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class ConnectionFacts:
    """Hold one connection's health for administrators; ``outage`` is since when it hasn't answered.

    Without links, its accounts are only ours: nobody linked them.
    """

    title: str
    outage: float | None
    counts: ConnectionCounts
    has_links: bool = True


@dataclass(frozen=True, slots=True)
class TotalsFacts:
    """Hold what administrators see of everybody: no names of workspaces, which are their owners' business.

    ``place`` is the Slack workspace that is shown, where it isn't all; ``people`` are those whose rows are.
    """

    now: float
    place: str = ""
    people: People = field(default_factory=dict)
    connections: Sequence[ConnectionFacts] = ()
    starting: int = 0
    open_runs: int = 0
    dead_notices: int = 0
    failed_runs: int = 0
    slow: Sequence[WorkspaceFacts] = ()
    failed: Sequence[WorkspaceFacts] = ()
    lost_runs: Sequence[RunFacts] = ()
    answer: Mapping[str, Any] | None = None
    answered_at: float = 0.0
