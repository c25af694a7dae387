"""The data needed to render cards, notices and Home tabs."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from bot.domain.accounts import Account, Approval
from bot.domain.courses import ClassCard, ClassCounts, ClassProblem
from bot.domain.hours import HoursRule, find_hours_stop, is_planned
from bot.domain.notices import EndState, NoticeKind
from bot.domain.operations import Operation
from bot.domain.people import People
from bot.domain.runs import OutputTail, Run
from bot.domain.stops import StopEffects
from bot.domain.timers import find_next_stop
from bot.domain.waitlist import WaitlistEntry, WaitlistFacts
from bot.domain.workspaces import Action, State, Workspace

#: How long, in seconds, to leave a card alone after a read has shown the result of its operation. In that
#: time, the operation should be closed, and the message about its end should be on its way.
END_SECONDS: Final = 2.0


class ObjectName(NamedTuple):
    """The name of the object that a button acts on. ``title`` is its connection's title or ""."""

    name: str
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The facts needed for any message about a user's account. ``now`` is in epoch seconds.

    ``username`` is empty if the provider gave none. ``capabilities`` are the provider's, and ``linking``
    lists the ways to link an account on the connection. ``body`` contains the facts stored with the notice.
    They are all that remains if the message's row has been deleted.
    """

    now: float
    connection: str
    connection_title: str
    #: The reader's time zone. None if it isn't known or the message has several readers.
    zone: ZoneInfo | None = None
    username: str = ""
    has_public_url: bool = True
    capabilities: frozenset[str] = frozenset()
    linking: frozenset[str] = frozenset()
    #: Maps the connection to the permanent URL of the page on which people link an account. Empty if there is
    #: no such page.
    link_pages: Mapping[str, str] = field(default_factory=dict)
    #: Whether the user has an account on the connection, or None if that wasn't checked.
    is_linked: bool | None = None
    #: Whether the provider refuses the user's account, or refused it when it was last used.
    is_refused: bool = False
    #: Whether the link is suspended (*resting*) because its username now belongs to another account.
    is_resting: bool = False
    #: Why Usher can't send any requests for the user, or "" if it can. In facts about a workspace, it may
    #: instead say why the planned stop can't be carried out (``bot.domain.feasibility``).
    obstacle: str = ""
    #: When the account's credential will expire, according to its provider.
    link_expires_at: float | None = None
    body: Mapping[str, Any] = field(default_factory=dict)
    #: When the message was written. ``is_superseded`` says whether the user has made a newer request since.
    written_at: float = 0.0
    is_superseded: bool = False

    def word(self, name: str) -> str:
        """Return the fact with this name from the notice's body. If there is none, return ""."""
        return str(self.body.get(name) or "")

    def time(self, name: str) -> float:
        """Return the time with this name from the notice's body. If there is none, return ``now``."""
        return float(self.body.get(name) or self.now)

    def common(self) -> dict[str, Any]:
        """Return the fields of ``Facts`` with their values, without the fields of subclasses."""
        return {one.name: getattr(self, one.name) for one in fields(Facts)}

    @property
    def objects(self) -> dict[str, ObjectName]:
        """Return the names of the objects in the message, by the keys of their rows."""
        return {self.connection: ObjectName(self.connection_title)}

    @property
    def link_has_ended(self) -> bool:
        """Return whether the account's credential has expired."""
        return self.link_expires_at is not None and self.link_expires_at <= self.now

    @property
    def link_is_ending(self) -> bool:
        """Return whether the credential hasn't expired and its expiry date is still the one in the notice."""
        return self.link_expires_at == self.body.get("expires_at") and not self.link_has_ended


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceFacts(Facts):
    """The facts needed for a message about a workspace and an operation on it.

    ``ide_url`` and ``page_url`` (the workspace's page at the provider) are set only if they passed the
    connection's host check. ``effects`` says what stopping the workspace does, as declared by the provider.
    """

    operation: Operation | None = None
    workspace: Workspace | None = None
    ide_url: str | None = None
    opens_in_page: bool = False
    page_url: str | None = None
    effects: StopEffects = field(default_factory=dict)
    #: Rules for the workspace's working hours. ``lessons`` are the courses that start the workspace for each
    #: lesson.
    rules: tuple[HoursRule, ...] = ()
    lessons: tuple[ClassCard, ...] = ()
    #: The class, posted as a card in a channel, whose end stops or stopped the workspace.
    stopping_class: "ClassFacts | None" = None
    #: The workspace's place on the waitlist, if it is down and waiting for capacity.
    waitlist_entry: WaitlistEntry | None = None
    #: Details of the wait for capacity. None if the message isn't about a wait, or if the waitlist entry has
    #: been deleted.
    wait: WaitlistFacts | None = None
    #: The other workspaces, if the message is about several.
    others: tuple["WorkspaceFacts", ...] = ()
    #: The workspace's name if its row has been deleted, otherwise None.
    former_name: str | None = None
    #: Whether the message about the operation's end is pending or sent, or "" if there is none.
    end_state: EndState = ""
    #: Whether the *ready* message already shows ``ide_url``.
    is_url_shown: bool = False

    @property
    def objects(self) -> dict[str, ObjectName]:
        """Return the names of the workspaces and of the connection."""
        names = {self.connection: ObjectName(self.connection_title)}
        for one in (self, *self.others):
            if one.workspace is not None:
                name = ObjectName(one.workspace.title, one.connection_title)
                names[one.workspace.id] = name
                names |= {one.operation.id: name} if one.operation is not None else {}
        return names

    @property
    def next_stop(self) -> float | None:
        """Return when the workspace will next be stopped, or None if nothing stops it."""
        if self.workspace is None:
            return None
        return find_next_stop(self.workspace, find_hours_stop(self.rules, self.now), self.now)

    def plans(self, plan: tuple[str, ...], moments: Collection[int]) -> bool:
        """Return whether the plan that was announced for these times still holds.

        A plan for another workspace is assumed to hold, because nothing is known about it here.
        """
        workspace, (side, key) = self.workspace, plan
        if workspace is None or workspace.id != key:
            return workspace is not None
        if side == "nothing":
            return self.next_stop is None
        is_own = {int(workspace.stop_at or 0.0), int(workspace.expires_at or 0.0)}.intersection(moments)
        by_hours = (at for at in moments if is_planned(self.rules, side, at))
        if side == "stop":
            # A planned stop isn't carried out if hours start the workspace at the same time.
            return bool(is_own) or any(not is_planned(self.rules, "start", at) for at in by_hours)
        return any(by_hours)

    @property
    def state(self) -> State:
        """Return the last known state of the workspace. If the workspace isn't known, return GONE."""
        return self.workspace.state if self.workspace is not None else State.GONE

    @property
    def is_unusable(self) -> bool:
        """Return whether the workspace is running but can't be opened by anybody."""
        return self.workspace is not None and self.workspace.is_unusable

    @property
    def is_ending(self) -> bool:
        """Return whether the last read ended the operation. If so, a message about the end will follow."""
        operation, workspace = self.operation, self.workspace
        if operation is None or workspace is None or not operation.is_open:
            return False
        read_at = workspace.observed_at or 0.0
        is_new = max(operation.called_at or operation.created_at, self.now - END_SECONDS) < read_at
        is_up = workspace.current_state is State.RUNNING and not workspace.lacks
        is_there = workspace.is_down if operation.verb.brings_down else is_up
        return is_new and (is_there or workspace.current_state is State.FAILED)

    @property
    def is_up(self) -> bool:
        """Return whether the workspace is running or starting."""
        return self.state in {State.RUNNING, State.STARTING}

    def may(self, action: Action) -> bool:
        """Return whether an action on the workspace is possible, as far as Usher knows."""
        workspace = self.workspace
        if workspace is None or workspace.is_provisional:
            return False
        if action in {"stop", "suspend", "force"} and action not in self.effects:
            return False
        if action == "remove" and "removal" not in self.capabilities:
            return False
        return workspace.allows(action) or (action == "stop" and workspace.is_own and not workspace.is_down)

    @property
    def can_still_run(self) -> bool:
        """Return whether the workspace may still be running, so that *Stop* is offered next to *Start*."""
        workspace = self.workspace
        if workspace is None or workspace.current_state not in {State.FAILED, State.UNKNOWN}:
            return False
        return not workspace.is_down and self.may("stop")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts(Facts):
    """The facts needed for a message about a run.

    They include its output if this process is following it, and the URL of its page if that may be shown.
    """

    run: Run
    output: OutputTail | None = None
    page_url: str | None = None

    @property
    def objects(self) -> dict[str, ObjectName]:
        """Return the names of the run and the connection."""
        title = self.connection_title
        return {self.connection: ObjectName(title), self.run.id: ObjectName(self.run.name, title)}


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFacts(Facts):
    """The facts needed for a message about a link request that an administrator decides on."""

    approval: Approval | None = None
    people: People = field(default_factory=dict)
    #: The links that are suspended (*resting*) because their usernames now belong to other accounts.
    resting: tuple[Account, ...] = ()

    @property
    def objects(self) -> dict[str, ObjectName]:
        """Return the username in the request, and the connection's name."""
        names = {self.connection: ObjectName(self.connection_title)}
        if self.approval is not None:
            names[self.approval.id] = ObjectName(self.approval.username, self.connection_title)
        return names


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldFacts(Facts):
    """The facts for a message that combines updates held back during an outage of Slack, oldest first."""

    held: tuple[tuple[NoticeKind, Facts], ...]

    @property
    def objects(self) -> dict[str, ObjectName]:
        """Return the names of the objects in all of the updates."""
        return {key: name for _, one in self.held for key, name in one.objects.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassFacts(Facts):
    """The facts needed for a message about a class.

    ``effects`` says what a stop does to the card's workspaces, as far as it is the same for all of them.
    ``people`` contains the names of the card's poster and of the person who ended the class, as shown to this
    reader.
    """

    card: ClassCard
    counts: ClassCounts = field(default_factory=ClassCounts)
    effects: StopEffects = field(default_factory=dict)
    people: People = field(default_factory=dict)
    #: Whether the reader counts as the person who ended the class. If nobody ended it early, the
    #: person who posted its card counts.
    is_stopper: bool = False
    #: The members who aren't ready for a lesson: all of them in the report to teachers, only the reader in a
    #: message to a member. Empty in other messages.
    problems: Sequence[ClassProblem] = ()
    #: Whether the reader teaches the card's course.
    is_teacher: bool = False
    #: The workspace that the reader uses in the course, or None if they don't take part or don't have one
    #: yet.
    workspace: WorkspaceFacts | None = None
    #: The reader's enrollment in the course, if they still need a linked account or a workspace. Otherwise
    #: None.
    pending: ClassProblem | None = None

    @property
    def objects(self) -> dict[str, ObjectName]:
        """Return the titles of the connection and of the class's card, by the keys of their rows."""
        return {self.connection: ObjectName(self.connection_title), self.card.id: ObjectName(self.card.title)}
