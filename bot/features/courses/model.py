"""Class cards: a button in a channel, and the result of each person's enrollment by it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Annotated, Any, Final, Literal

from bot.domain.audit import AuditSubject
from bot.domain.forms import Spec
from bot.domain.message_context import Facts, FeatureContext, ObjectName
from bot.domain.message_kinds import UNPOSTED, AnyKind, Mark, Traits
from bot.domain.operations import Operation
from bot.domain.people import People, Principal
from bot.domain.row_times import Past, Stays, make_due
from bot.domain.stops import StopEffects
from bot.domain.time_parsing import write_hours
from bot.domain.workspaces import Workspace
from bot.features.hours.model import HoursRule, Timetable

#: A card is counted again no sooner than after this many seconds: Slack takes fifty edits a minute.
MIN_COUNT_SECONDS: Final = 10.0
#: What a press is waiting for before an operation can be created; "" for nothing.
MissingPart = Literal["", "unlinked", "no_workspace", "many_workspaces"]

#: What is so of a member for whom a lesson is, and of others. ``coming``: all is there, nothing has begun.
#: ``no_room``: the provider had none, and it is tried again. ``down``: it was up for the lesson and isn't any
#: more, or its person has stopped it before. A class is one lesson.
Expected = Literal["unlinked", "no_workspace", "coming", "starting", "ready", "down", "failed", "no_room"]
MemberState = Expected | Literal["left", "not_agreed", "skipped"]


@dataclass(frozen=True, slots=True)
class ClassCard(Timetable):
    """A card: its owner, the workspaces it starts, and the time at which it stops them.

    With ``spec``, each person gets a new workspace made from it (``template`` is its display name); otherwise
    the person's own workspace matching ``pattern`` is started. ``stops_at`` (shown in ``time_zone``) is when
    the consented workspaces are stopped; ``closed_at`` is when ``stopped_by`` (a principal's key) asked for
    that. ``posts`` counts how often the card was sent to its channel. Before it is posted, it has no ``id``.

    With ``days`` it is a course: whoever joined has a workspace started ``lead_seconds`` before each lesson
    and stopped after it, until the last one, which ends at ``stops_at``. ``co_teachers`` are the keys of
    others who may do what its poster may. Once all of them have gone it ends after the day
    ``without_teacher_until``, unless an administrator takes it over.

    What is decided about its timetable is on its row at once, and in ``timetable_changes``
    (``bot.features.courses.timetable``); the rules of its members are changed in batches, the next one at
    ``fan_out_at``. None: all have been.
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
    without_teacher_until: str = ""
    timetable_changes: list[dict[str, Any]] = field(default_factory=list)
    fan_out_at: Annotated[float, make_due(60.0)] | None = None

    @property
    def subject(self) -> AuditSubject:
        """Return the card as a subject of requests."""
        return AuditSubject(
            self.id, self.connection, self.title, {"card": self.id, "teacher": self.principal.key}
        )

    @property
    def state(self) -> str:
        """Return the digest of the timetable: equal timetables have equal ones."""
        moved = sorted((day, *times) for day, times in self.moved.items())
        said = repr((write_hours(self.wanted), self.first_day, self.last_day, sorted(self.off), moved))
        return sha256(said.encode()).hexdigest()[:16]

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


@dataclass(frozen=True, slots=True)
class CourseRule(HoursRule):
    """The rule of a course's member: its lessons, as far as they have agreed to them.

    That is to days, for so many minutes each, and until a day. What is ``off`` they left out, but for
    ``course_off``. ``applied_state`` is the state of the card that it follows, ``notified_state`` the one
    that its person was notified of last.
    """

    card: str = ""
    course: str = ""
    agreed_days: frozenset[str] = frozenset()
    agreed_minutes: int = 0
    agreed_until: str = ""
    course_off: frozenset[str] = frozenset()
    applied_state: str = ""
    notified_state: str = ""

    @property
    def is_own(self) -> bool:
        """Return False: its teachers change it for all members."""
        return False

    @property
    def skipped(self) -> frozenset[str]:
        """Return the days that its person has left out, which take place for the others."""
        return self.off - self.course_off

    @property
    def title(self) -> str:
        """Return the title of the course."""
        return self.course

    @property
    def subject(self) -> Mapping[str, Any]:
        """Return the card and the title of the course, as notices have them."""
        return {"card": self.card, "course": self.course}

    def plan_check(self, at: float | None) -> dict[str, Any]:
        """Return the columns of the rule's next check, by the state of its course."""
        return {"lesson_check_at": at, "applied_state": self.applied_state}


@dataclass(frozen=True, slots=True)
class ClassCounts:
    """Numbers of a card's members by their state in the lesson that is on or comes next.

    ``joined`` are all who haven't left, ``agreed`` those who agreed to this day and don't skip it, ``linked``
    those of them who have a link, ``pending`` those whose enrollment waits for one. ``expected`` are those
    for whom a lesson that is on is: all in a state from ``ready`` to ``coming``. ``behind`` are those whose
    rule doesn't follow the timetable yet.

    ``stopping``, ``stopped`` and ``not_stopped`` count stops at the end of a class, ``kept`` the owners who
    withdrew their consent; ``unended`` are consented presses for which the end is still to be processed.
    """

    joined: int = 0
    agreed: int = 0
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
    not_agreed: int = 0
    skipped: int = 0
    left: int = 0
    pending: int = 0
    behind: int = 0
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
    """The problem that keeps one person from being ready: rows only, no URL.

    ``paused`` is why the rule of a member is paused, "" if it isn't.
    """

    participant: Participant
    operation: Operation | None
    workspace: Workspace | None
    state: MemberState = "coming"
    paused: str = ""


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
    #: Of a course: whether its reader teaches it, the rule by which they have joined it, and their
    #: workspace's title; or the state of their enrollment, while an account or a workspace is missing.
    is_teacher: bool = False
    rule: CourseRule | None = None
    workspace_title: str = ""
    pending: ClassProblem | None = None

    @property
    def objects(self) -> dict[str, ObjectName]:
        """Return the titles of the class and the connection."""
        return {self.connection: ObjectName(self.connection_title), self.card.id: ObjectName(self.card.title)}


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseContext(FeatureContext):
    """The lessons for which a workspace is started, and the class whose end stops it."""

    lessons: tuple[CourseRule, ...] = ()
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
    #: A lesson begins: whether the workspace is ready for it.
    LESSON = Traits("lesson", "operation", offers="workspace", marks=Mark.PASSES)
    #: A course's timetable has changed: to whoever has joined.
    COURSE_CHANGED = Traits("course_changed", "class")
    #: To whom a course's poster lets change it, or doesn't any more; to administrators if nobody is left.
    COURSE_TEACHER = Traits("course_teacher", "class")
    COURSE_WITHOUT_TEACHER = Traits("course_without_teacher", "class", offers="subject", marks=Mark.PASSES)


UNPOSTED[ClassKind.CLASS_CARD] = ClassKind.CLASS_POSTED
