"""Class cards: messages with a button, posted in a channel, and the enrollments of people who press it."""

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from bot.domain.forms import Spec
from bot.domain.hours import Timetable
from bot.domain.operations import Operation
from bot.domain.people import Principal
from bot.domain.row_times import Past, Stays
from bot.domain.workspaces import Workspace

#: Minimum time between two updates of a card's counts, in seconds, because Slack accepts only fifty edits a
#: minute.
MIN_COUNT_SECONDS: Final = 10.0
#: What prevents a class card from starting a member's workspace: no linked account, no workspace, or several
#: to choose from. It is "" if nothing does.
MissingPart = Literal["", "unlinked", "no_workspace", "many_workspaces"]

#: The state of a member in the current or next lesson. A class is treated as a single lesson.
#: - ``coming``: nothing is missing, but the workspace isn't being started yet.
#: - ``no_room``: the provider had no capacity, and the start is retried.
#: - ``down``: the workspace was up for the lesson but has gone down, or its owner stopped it beforehand.
MemberState = Literal[
    "unlinked", "no_workspace", "coming", "starting", "ready", "down", "failed", "no_room", "left"
]


@dataclass(frozen=True, slots=True)
class ClassCard(Timetable):
    """A class card: its owner, the workspaces it starts, and when it stops them.

    If ``spec`` is set, each person gets a new workspace made from it (``template`` is its display name). If
    not, the person's own workspace that matches ``pattern`` is started. Workspaces whose owners
    consented are stopped at ``stops_at`` (shown in ``time_zone``), or at ``closed_at`` if ``stopped_by`` (a
    principal's key) ended the class. ``posts`` counts how often the card was sent to its channel. A card that
    hasn't been posted has no ``id``.

    A card with ``days`` is a course: each member's workspace is started ``lead_seconds`` before each lesson
    and stopped after it. The last lesson ends at ``stops_at``. ``co_teachers`` are the keys of others who may
    do everything that the card's poster may do.
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
    #: Whether the card warns people that its teachers will see how long their workspaces run.
    shows_hours: bool = False

    @property
    def is_course(self) -> bool:
        """Return whether the card has a timetable."""
        return bool(self.days)

    @property
    def teachers(self) -> frozenset[str]:
        """Return the keys of the people who may change the timetable."""
        return self.co_teachers | {self.principal.key}

    @property
    def stopper(self) -> str:
        """Return the key of the person who ended the class, or of the card's poster if nobody did."""
        return self.stopped_by or self.principal.key

    def is_over(self, now: float) -> bool:
        """Return whether it is too late to press the card's button."""
        ended = self.closed_at is not None or self.done_at is not None
        return ended or (self.stops_at is not None and now >= self.stops_at)


@dataclass(frozen=True, slots=True)
class Participant:
    """A person's enrollment through a card.

    ``consented_at`` is when they agreed that ``workspace_id`` is stopped at the end of the class, and
    ``withdrawn_at`` is when they withdrew that consent. ``ended_at`` is when Usher handled the end of the
    class for them: it stopped the workspace, postponed the stop, or found nothing to stop. Leaving a course
    withdraws the consent. ``lesson`` is the local time of the last lesson that was begun for them.
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
    """What releases up to 0.4.1 stored about a member of a course.

    When the member joined (``consented_at``), they agreed to ``minutes``-long lessons on ``days`` until
    ``last_day``. ``off`` contains the days on which they have no lessons. On those that are also in
    ``course_off``, nobody has lessons. ``paused`` says why Usher had stopped starting their workspace for
    lessons. It is "" if Usher hadn't stopped.
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
        """Return the days that only this person is skipping."""
        return self.off - self.course_off


@dataclass(frozen=True, slots=True)
class ClassCounts:
    """How many of a card's members are in each state of the current or next lesson.

    ``joined`` counts all current members, ``linked`` those with a link, and ``pending`` those whose
    enrollment is waiting for a link. ``expected`` counts the members who should attend the current lesson.

    ``stopping``, ``stopped`` and ``not_stopped`` count workspaces stopped at the end of a class, and ``kept``
    counts owners who withdrew their consent. ``unended`` counts the consents of members for whom Usher hasn't
    handled the end of the class yet.
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
        """Return the number of members who aren't ready yet."""
        return self.starting + self.no_room + self.unlinked + self.no_workspace


class ClassProblem(NamedTuple):
    """The rows from which to tell why a member isn't ready. They contain no URL."""

    participant: Participant
    operation: Operation | None
    workspace: Workspace | None
    state: MemberState = "coming"
