"""Class cards: a button in a channel, and the result of each person's enrollment by it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from bot.domain.audit import AuditSubject
from bot.domain.forms import Spec
from bot.domain.hours import Timetable
from bot.domain.message_context import AddedFacts, Facts, ObjectName
from bot.domain.message_kinds import UNPOSTED, AnyKind, Mark, Traits
from bot.domain.operations import Operation
from bot.domain.people import People, Principal
from bot.domain.row_times import Past, Stays
from bot.domain.stops import StopEffects
from bot.domain.workspaces import Workspace

#: A card is counted again no sooner than after this many seconds: Slack takes fifty edits a minute.
MIN_COUNT_SECONDS: Final = 10.0
#: What a press is waiting for before an operation can be created; "" for nothing.
MissingPart = Literal["", "unlinked", "no_workspace", "many_workspaces"]

#: What is so of a member for whom a lesson is, and of others. ``coming``: all is there, nothing has begun.
#: ``no_room``: the provider had none, and it is tried again. ``down``: it was up for the lesson and isn't any
#: more, or its person has stopped it before. A class is one lesson.
MemberState = Literal[
    "unlinked", "no_workspace", "coming", "starting", "ready", "down", "failed", "no_room", "left"
]


@dataclass(frozen=True, slots=True)
class ClassCard(Timetable):
    """A card: its owner, the workspaces it starts, and the time at which it stops them.

    With ``spec``, each person gets a new workspace made from it (``template`` is its display name); otherwise
    the person's own workspace matching ``pattern`` is started. ``stops_at`` (shown in ``time_zone``) is when
    the consented workspaces are stopped; ``closed_at`` is when ``stopped_by`` (a principal's key) asked for
    that. ``posts`` counts how often the card was sent to its channel. Before it is posted, it has no ``id``.

    With ``days`` it is a course: whoever joined has a workspace started ``lead_seconds`` before each lesson
    and stopped after it, until the last one, which ends at ``stops_at``. ``co_teachers`` are the keys of
    others who may do what its poster may.
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

    @property
    def subject(self) -> AuditSubject:
        """Return the card as a subject of requests."""
        return AuditSubject(
            self.id, self.connection, self.title, {"card": self.id, "teacher": self.principal.key}
        )

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
        """Return the key of the person who ends it: who asked for that, else its poster."""
        return self.stopped_by or self.principal.key

    def is_over(self, now: float) -> bool:
        """Return whether it's too late to press."""
        ended = self.closed_at is not None or self.done_at is not None
        return ended or (self.stops_at is not None and now >= self.stops_at)


@dataclass(frozen=True, slots=True)
class Participant:
    """One person's enrollment by one card.

    ``consented_at`` is when they agreed that ``workspace_id`` is stopped at the end of the class,
    ``withdrawn_at`` when they withdrew that. ``ended_at`` is when nothing more was to be done for that: it
    was stopped, put off, or there was nothing to stop. Who has left a course has agreed to nothing any more.
    ``lesson`` is the local begin of the lesson that was last begun for them.
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
    """What a member of a course had agreed to in a release that kept that, up to 0.4.1.

    That is to lessons on ``days``, for so many ``minutes`` each, up to ``last_day``, when they joined
    (``consented_at``). What is ``off`` they left out, but for ``course_off``. ``paused`` is why nothing was
    started for them at last, "" if it was.
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
        """Return the days that this person alone has left out."""
        return self.off - self.course_off


@dataclass(frozen=True, slots=True)
class ClassCounts:
    """Numbers of a card's members by their state in the lesson that is on or comes next.

    ``joined`` are all who haven't left, ``linked`` those of them who have a link, ``pending`` those whose
    enrollment waits for one. ``expected`` are those for whom a lesson that is on is.

    ``stopping``, ``stopped`` and ``not_stopped`` count stops at the end of a class, ``kept`` the owners who
    withdrew their consent; ``unended`` are consented presses for which the end is still to be processed.
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
    """The starts ahead on a connection, and the class's starts sent within ``seconds``."""

    ahead: int = 0
    called: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ClassProblem:
    """The problem that keeps one person from being ready: rows only, no URL."""

    participant: Participant
    operation: Operation | None
    workspace: Workspace | None
    state: MemberState = "coming"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassFacts(Facts):
    """A class card with its counts.

    ``effects`` says what stopping does to the card's workspaces, as far as that is known for all of them.
    ``people`` has its poster and whoever ended it, as the reader is told who they are.
    """

    card: ClassCard
    counts: ClassCounts = field(default_factory=ClassCounts)
    effects: StopEffects = field(default_factory=dict)
    people: People = field(default_factory=dict)
    #: Who isn't ready for a lesson, where that is told.
    problems: Sequence[ClassProblem] = ()
    #: Of a course: whether its reader teaches it, and the title of the workspace with which they have joined
    #: it; or the state of their enrollment, while an account or a workspace is missing.
    is_teacher: bool = False
    workspace_title: str = ""
    pending: ClassProblem | None = None

    @property
    def objects(self) -> dict[str, ObjectName]:
        """Return the titles of the class and the connection."""
        return {self.connection: ObjectName(self.connection_title), self.card.id: ObjectName(self.card.title)}


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseContext(AddedFacts):
    """The lessons for which a workspace is started, and the class whose end stops it."""

    lessons: tuple[ClassCard, ...] = ()
    stopping_class: ClassFacts | None = None

    @property
    def is_separate(self) -> bool:
        """Return whether a class stops the workspace: the message names the person who ended that."""
        return self.stopping_class is not None


class ClassKind(AnyKind):
    """The kinds of messages about class cards and courses."""

    CLASS_CARD = Traits("class_card", "class", urgency=2, marks=Mark.CARD | Mark.IN_CHANNEL | Mark.HARMLESS)
    CLASS_POSTED = Traits("class_posted", "class", offers="subject", marks=Mark.NEWEST)
    CLASS_STOP_WARNING = Traits("class_stop_warning", "class", offers="workspace")
    CLASS_OVER = Traits("class_over", "class", marks=Mark.NEWS)
    #: To the teachers of a course before a lesson: how many are ready.
    LESSON_REPORT = Traits("lesson_report", "class", marks=Mark.NEWS)
    #: Why nothing will be ready for a lesson, or isn't yet, and what its person can do.
    LESSON_NOT_READY = Traits("lesson_not_ready", "class", offers="link", marks=Mark.PASSES)
    #: An upgrade has taken somebody out of a course, as it isn't what they had agreed to.
    COURSE_LEFT = Traits("course_left", "class", offers="reader", marks=Mark.PASSES)
    #: A lesson begins: whether the workspace is ready for it.
    LESSON = Traits("lesson", "operation", offers="workspace", marks=Mark.PASSES)


UNPOSTED[ClassKind.CLASS_CARD] = ClassKind.CLASS_POSTED
