"""Class cards: a message with a button in a channel, and what becomes of each person who presses it."""

from dataclasses import dataclass
from typing import Final, Literal

from bot.domain.forms import Spec
from bot.domain.hours import Timetable
from bot.domain.operations import Operation
from bot.domain.people import Principal
from bot.domain.row_times import Past, Stays
from bot.domain.workspaces import Workspace

#: Least seconds between two counts on a card, as Slack accepts fifty edits a minute.
MIN_COUNT_SECONDS: Final = 10.0
#: What is missing before a member's press can create an operation; "" for nothing.
MissingPart = Literal["", "unlinked", "no_workspace", "many_workspaces"]

#: States of a member in the lesson that is on or comes next. A class counts as one lesson.
#: - ``coming``: nothing is missing, and nothing has begun.
#: - ``no_room``: the provider had no capacity, and the start is tried again.
#: - ``down``: the workspace was up for the lesson and isn't any more, or its person stopped it before.
MemberState = Literal[
    "unlinked", "no_workspace", "coming", "starting", "ready", "down", "failed", "no_room", "left"
]


@dataclass(frozen=True, slots=True)
class ClassCard(Timetable):
    """A card: its owner, the workspaces it starts, and the time at which it stops them.

    With ``spec``, each person gets a new workspace made from it (``template`` is its display name). Otherwise
    the person's own workspace that matches ``pattern`` is started. Workspaces whose owners consented are
    stopped at ``stops_at`` (shown in ``time_zone``), or at ``closed_at``, when ``stopped_by`` (a principal's
    key) asked for that. ``posts`` counts how often the card was sent to its channel. Before it is posted, it
    has no ``id``.

    With ``days`` it is a course: each member's workspace is started ``lead_seconds`` before each lesson and
    stopped after it. The last lesson ends at ``stops_at``. ``co_teachers`` are the keys of others who may do
    what its poster may.
    """

    principal: Principal
    channel_id: str
    connection: str
    title: str
    id: str = ""
    reference: str = ""
    created_at: Past = 0.0
    pattern: str = ""
    template: str = ""
    spec: Spec | None = None
    maximum: int | None = None
    time_zone: str = "UTC"
    stops_at: Stays | None = None
    closed_at: Past | None = None
    stopped_by: str | None = None
    done_at: Past | None = None
    posts: int = 1
    co_teachers: frozenset[str] = frozenset()
    #: Whether the card says that its teachers see the hours of those who press it.
    shows_hours: bool = False

    @property
    def is_course(self) -> bool:
        """Return whether it has a timetable."""
        return bool(self.days)

    @property
    def teachers(self) -> frozenset[str]:
        """Return the keys of the people who may change its timetable."""
        return self.co_teachers | {self.principal.key}

    @property
    def stopper(self) -> str:
        """Return the key of the person who ends it: the one who asked for that, else its poster."""
        return self.stopped_by or self.principal.key

    def is_over(self, now: float) -> bool:
        """Return whether it's too late to press."""
        ended = self.closed_at is not None or self.done_at is not None
        return ended or (self.stops_at is not None and now >= self.stops_at)


@dataclass(frozen=True, slots=True)
class Participant:
    """One person's enrollment by one card.

    ``consented_at`` is when they agreed that ``workspace_id`` is stopped at the end of the class,
    ``withdrawn_at`` when they withdrew that. ``ended_at`` is when the end of the class was dealt with for
    them: the workspace was stopped, the stop was put off, or there was nothing to stop. Leaving a course
    withdraws the consent. ``lesson`` is the local time of the lesson that was last begun for them.
    """

    card_id: str
    principal: Principal
    joined_at: Past
    waits_for: MissingPart = ""
    workspace_id: str | None = None
    operation_id: str | None = None
    consented_at: Past | None = None
    withdrawn_at: Past | None = None
    ended_at: Past | None = None
    lesson: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class FormerMember:
    """What a member of a course had agreed to, as releases up to 0.4.1 stored it.

    When they joined (``consented_at``), they agreed to lessons on ``days``, of ``minutes`` each, up to
    ``last_day``. ``off`` are days without lessons for them, of which ``course_off`` are off for everybody.
    ``paused`` is why nothing was started for them in the end, "" if it was.
    """

    id: str
    card_id: str
    principal: Principal
    consented_at: Past | None
    days: frozenset[str]
    minutes: int
    last_day: str
    off: frozenset[str]
    course_off: frozenset[str]
    paused: str = ""

    @property
    def skipped(self) -> frozenset[str]:
        """Return the days that only this person has left out."""
        return self.off - self.course_off


@dataclass(frozen=True, slots=True)
class ClassCounts:
    """Numbers of a card's members by their state in the lesson that is on or comes next.

    ``joined`` counts all who haven't left, ``linked`` those of them with a link, and ``pending`` those whose
    enrollment waits for one. ``expected`` counts those for whom the current lesson is.

    ``stopping``, ``stopped`` and ``not_stopped`` count stops at the end of a class, and ``kept`` the owners
    who withdrew their consent. ``unended`` counts consents whose stop is still to be processed.
    """

    joined: int = 0
    linked: int = 0
    expected: int = 0
    ready: int = 0
    starting: int = 0
    failed: int = 0
    no_room: int = 0
    unlinked: int = 0
    no_workspace: int = 0
    down: int = 0
    coming: int = 0
    left: int = 0
    pending: int = 0
    kept: int = 0
    stopping: int = 0
    stopped: int = 0
    not_stopped: int = 0
    consented: int = 0
    unended: int = 0

    @property
    def waiting(self) -> int:
        """Return the number of members not ready yet."""
        return self.starting + self.no_room + self.unlinked + self.no_workspace


@dataclass(frozen=True, slots=True)
class QueuePosition:
    """The starts ahead on a connection, and how many of the class's starts were sent in ``seconds``."""

    ahead: int = 0
    called: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ClassProblem:
    """The rows that show why one member isn't ready, without any URL."""

    participant: Participant
    operation: Operation | None
    workspace: Workspace | None
    state: MemberState = "coming"
