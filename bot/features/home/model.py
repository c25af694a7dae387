"""Homes: a person's tab in Slack, and how they use it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from bot.domain.message_context import ConnectionCounts, RunFacts, WorkspaceFacts
from bot.domain.people import People, Principal
from bot.domain.row_times import Past

#: For how long after a person's last use of it a Home is redrawn without being asked for, in seconds.
OPEN_SECONDS: Final = 600.0
#: The least seconds between a view and the next that nobody asked for.
REDRAW_SECONDS: Final = 10.0
#: For how long an answer to a press with something to press stays above the rest, in seconds.
ANSWER_SECONDS: Final = 120.0


@dataclass(frozen=True, slots=True)
class Home:
    """One person's Home.

    ``uses`` counts how often they opened it or pressed something in it, so that a view drawn for an earlier
    use isn't taken for the newest. ``requested_at`` is since when they have been waiting for a view, None if
    they aren't. ``answer`` is an Answer's body. ``rendered_digest`` is the digest of the last view,
    ``view_hash`` Slack's own name for it; empty if unknown.
    """

    principal: Principal
    used_at: Past
    uses: int = 1
    page: int = 1
    is_totals: bool = False
    answer: dict[str, Any] | None = None
    answered_at: Past | None = None
    requested_at: Past | None = None
    rendered_digest: str = ""
    view_hash: str = ""

    def is_over(self, now: float) -> bool:
        """Return whether it is no longer redrawn without being asked for."""
        return now >= self.used_at + OPEN_SECONDS

    def shown_answer(self, now: float) -> dict[str, Any] | None:
        """Return the answer to the last press while it is still shown."""
        is_recent = self.answered_at is not None and now < self.answered_at + ANSWER_SECONDS
        return self.answer if is_recent or self.is_statement else None

    @property
    def is_statement(self) -> bool:
        """Return whether the last answer was a statement alone: that goes once anything else changes."""
        blocks = (self.answer or {}).get("blocks") or ()
        return not any(block.get("type") == "actions" or "accessory" in block for block in blocks)


@dataclass(frozen=True, slots=True)
class HomeUse:
    """A person's use of their Home; None leaves its view unchanged.

    ``seen`` is the version that Slack shows whoever opened it, None for a press.
    """

    page: int | None = None
    is_totals: bool | None = None
    answer: dict[str, Any] | None = None
    seen: str | None = None


#: The state of a person's link to a connection; ``asked``: an administrator has yet to decide.
LinkState = Literal["linked", "held", "refused", "resting", "requested", "none", "needless"]


@dataclass(frozen=True, slots=True)
class LinkFacts:
    """A connection with the state of a person's account on it.

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
    """A connection on which a person can create workspaces, and its templates; None if unreadable."""

    connection: str
    title: str
    templates: Sequence[str] | None = ()


@dataclass(frozen=True, slots=True)
class Question:
    """A question that waits for the person: its kind, and the facts to render it.

    ``operation`` and ``run`` ask whether to make another; features add others.
    """

    kind: str
    facts: Any


@dataclass(frozen=True, slots=True)
class HomeFacts:
    """The content of a person's own Home.

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
    #: What features have gathered, each under its name; what draws it reads it from there.
    parts: Mapping[str, Any] = field(default_factory=dict)
    is_administrator: bool = False
    answer: Mapping[str, Any] | None = None
    answered_at: float = 0.0


@dataclass(frozen=True, slots=True)
class ConnectionFacts:
    """A connection's health for administrators; ``outage`` is since when it hasn't answered.

    Without links, its accounts are only ours: nobody linked them.
    """

    title: str
    outage: float | None
    counts: ConnectionCounts
    has_links: bool = True


@dataclass(frozen=True, slots=True)
class TotalsFacts:
    """The totals for administrators: no names of workspaces, which are their owners' business.

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
    #: What waits for the administrator, as on their own Home.
    questions: Sequence[Question] = ()
    answer: Mapping[str, Any] | None = None
    answered_at: float = 0.0
