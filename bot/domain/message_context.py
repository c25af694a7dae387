"""The facts from which cards, notices and people's Homes are rendered."""

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

#: Seconds within which an operation ends after a read that ends it.
END_SECONDS: Final = 2.0


class ObjectName(NamedTuple):
    """The name of a button's object, and its connection's title ("" for none)."""

    name: str
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The context of any message about a person's account; ``now`` is in epoch seconds.

    ``username`` is empty if the provider gave none. ``capabilities`` are the provider's, ``linking`` the ways
    to link an account there. ``body`` has the notice's own facts, which are all that a message has whose row
    is gone.
    """

    now: float
    connection: str
    connection_title: str
    #: The time zone of its only reader; None if there are several readers, or if it isn't known.
    zone: ZoneInfo | None = None
    username: str = ""
    has_public_url: bool = True
    capabilities: frozenset[str] = frozenset()
    linking: frozenset[str] = frozenset()
    #: Whether the person has an account there; None if that wasn't looked up.
    is_linked: bool | None = None
    #: Whether the provider refuses the person's account, or did when it was last used.
    is_refused: bool = False
    #: Whether the link rests, because its username is now another account.
    is_resting: bool = False
    #: Why nothing can be sent to the provider for the person, or why the workspace's planned stop can't be
    #: carried out; "" if nothing is wrong (``bot.domain.feasibility``).
    obstacle: str = ""
    #: When the account's credential expires, as its provider said.
    link_expires_at: float | None = None
    body: Mapping[str, Any] = field(default_factory=dict)
    #: When the message was written, and whether the person has made a newer request since.
    written_at: float = 0.0
    is_superseded: bool = False

    def word(self, name: str) -> str:
        """Return one of the notice's own facts by name, or ""."""
        return str(self.body.get(name) or "")

    def time(self, name: str) -> float:
        """Return one of the notice's own times by name, or ``now``."""
        return float(self.body.get(name) or self.now)

    def common(self) -> dict[str, Any]:
        """Return the values of the fields of ``Facts`` by name, without those of a subclass."""
        return {one.name: getattr(self, one.name) for one in fields(Facts)}

    @property
    def objects(self) -> dict[str, ObjectName]:
        """Return the names of the message's objects, by the keys of their rows."""
        return {self.connection: ObjectName(self.connection_title)}

    @property
    def link_has_ended(self) -> bool:
        """Return whether the account's credential has expired."""
        return self.link_expires_at is not None and self.link_expires_at <= self.now

    @property
    def link_is_ending(self) -> bool:
        """Return whether the account's credential hasn't expired and still expires when the notice said."""
        return self.link_expires_at == self.body.get("expires_at") and not self.link_has_ended


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceFacts(Facts):
    """The context of a message about a workspace and an operation on it.

    ``ide_url`` and ``page_url`` (the provider's page for it) are set only if they passed the connection's
    host check. ``effects`` are those of stopping it, as the provider declares them.
    """

    operation: Operation | None = None
    workspace: Workspace | None = None
    ide_url: str | None = None
    opens_in_page: bool = False
    page_url: str | None = None
    effects: StopEffects = field(default_factory=dict)
    #: Its hours, and the courses with lessons for which it is started.
    rules: tuple[HoursRule, ...] = ()
    lessons: tuple[ClassCard, ...] = ()
    #: The class whose end stops it.
    stopping_class: "ClassFacts | None" = None
    #: Its wait for capacity, if it is down and waits.
    waitlist_entry: WaitlistEntry | None = None
    #: Other workspaces that the message is about.
    others: tuple["WorkspaceFacts", ...] = ()
    #: The workspace's name, if its row is deleted.
    former_name: str | None = None
    #: The state of the message about the operation's end.
    end_state: EndState = ""
    #: Whether another message that it is ready shows ``ide_url``.
    is_url_shown: bool = False

    @property
    def objects(self) -> dict[str, ObjectName]:
        """Return the names of the workspaces, by their and their operations' keys, and of the connection."""
        names = {self.connection: ObjectName(self.connection_title)}
        for one in (self, *self.others):
            if one.workspace is not None:
                name = ObjectName(one.workspace.title, one.connection_title)
                names[one.workspace.id] = name
                names |= {one.operation.id: name} if one.operation is not None else {}
        return names

    @property
    def next_stop(self) -> float | None:
        """Return the time of the workspace's next stop, None if nothing stops it."""
        if self.workspace is None:
            return None
        return find_next_stop(self.workspace, find_hours_stop(self.rules, self.now), self.now)

    def plans(self, plan: tuple[str, ...], moments: Collection[int]) -> bool:
        """Return whether a plan that was announced for one of these times still holds.

        A plan of another workspace counts as holding, as nothing is known about it here.
        """
        workspace, (side, key) = self.workspace, plan
        if workspace is None or workspace.id != key:
            return workspace is not None
        if side == "nothing":
            return self.next_stop is None
        is_own = {int(workspace.stop_at or 0.0), int(workspace.expires_at or 0.0)}.intersection(moments)
        by_hours = (at for at in moments if is_planned(self.rules, side, at))
        if side == "stop":
            # A stop at a time at which hours start the workspace doesn't come.
            return bool(is_own) or any(not is_planned(self.rules, "start", at) for at in by_hours)
        return any(by_hours)

    @property
    def state(self) -> State:
        """Return the workspace's state as last read; GONE if the workspace isn't known."""
        return self.workspace.state if self.workspace is not None else State.GONE

    @property
    def is_unusable(self) -> bool:
        """Return whether the workspace runs but nobody can open it."""
        return self.workspace is not None and self.workspace.is_unusable

    @property
    def is_ending(self) -> bool:
        """Return whether the last read ended the operation, and its message is about to follow."""
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
        """Return whether the workspace runs, or is about to."""
        return self.state in {State.RUNNING, State.STARTING}

    def may(self, action: Action) -> bool:
        """Return whether the action may be possible on the workspace, as far as is known."""
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
        """Return whether it may still run, so that *Stop* is offered next to *Start*."""
        workspace = self.workspace
        if workspace is None or workspace.current_state not in {State.FAILED, State.UNKNOWN}:
            return False
        return not workspace.is_down and self.may("stop")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts(Facts):
    """A run, with its output if this process follows it, and its provider's page if that is allowed."""

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
    """The context of a message about an approval: the request, if it still exists, and its people's names."""

    approval: Approval | None = None
    people: People = field(default_factory=dict)
    #: The links that rest, because their usernames are now other accounts.
    resting: tuple[Account, ...] = ()

    @property
    def objects(self) -> dict[str, ObjectName]:
        """Return the username of the request, and the name of the connection."""
        names = {self.connection: ObjectName(self.connection_title)}
        if self.approval is not None:
            names[self.approval.id] = ObjectName(self.approval.username, self.connection_title)
        return names


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldFacts(Facts):
    """The kinds and contexts of all news in one message after an outage of Slack, oldest first."""

    held: tuple[tuple[NoticeKind, Facts], ...]

    @property
    def objects(self) -> dict[str, ObjectName]:
        """Return the names of the objects of all messages in this one."""
        return {key: name for _, one in self.held for key, name in one.objects.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassFacts(Facts):
    """A class card with its counts.

    ``effects`` says what stopping does to the card's workspaces, as far as that is known for all of them.
    ``people`` has the names of its poster and of the person who ended it, for this reader.
    """

    card: ClassCard
    counts: ClassCounts = field(default_factory=ClassCounts)
    effects: StopEffects = field(default_factory=dict)
    people: People = field(default_factory=dict)
    #: The members who aren't ready for a lesson, if the message tells that.
    problems: Sequence[ClassProblem] = ()
    #: For a course: whether the reader teaches it, and the workspace with which they joined it.
    #: ``pending`` is the state of their enrollment while an account or a workspace is missing.
    is_teacher: bool = False
    workspace: WorkspaceFacts | None = None
    pending: ClassProblem | None = None

    @property
    def objects(self) -> dict[str, ObjectName]:
        """Return the titles of the class and the connection."""
        return {self.connection: ObjectName(self.connection_title), self.card.id: ObjectName(self.card.title)}


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingFacts(WorkspaceFacts):
    """A wait and its workspace, for the message that shows them; without ``wait``, nobody waits any more."""

    wait: WaitlistFacts | None = None
