"""The facts behind cards, notices and people's Homes, gathered before anything is rendered."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from bot.domain.accounts import Account, Approval
from bot.domain.message_kinds import AnyKind
from bot.domain.notices import EndState
from bot.domain.operations import Operation
from bot.domain.people import People
from bot.domain.runs import OutputTail, Run
from bot.domain.stops import StopEffects
from bot.domain.timers import find_next_stop
from bot.domain.workspaces import Action, State, Workspace

#: How soon an operation ends after what ends it was read.
END_SECONDS: Final = 2.0
Addition = TypeVar("Addition", bound="AddedFacts")


class ObjectName(NamedTuple):
    """The name of a button's object, and its connection's title, "" for none."""

    name: str
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The context of any message about a person's account; ``now`` is in epoch seconds.

    ``username`` is empty if the provider gave none. ``capabilities`` are the provider's, ``linking`` is how
    people link their account there. ``body`` holds the notice's own facts. A message whose row is gone has
    nothing else.
    """

    now: float
    connection: str
    connection_title: str
    #: The time zone of its only reader; None where several read it, or if it isn't known.
    zone: ZoneInfo | None = None
    username: str = ""
    has_public_url: bool = True
    capabilities: frozenset[str] = frozenset()
    linking: frozenset[str] = frozenset()
    #: The person has an account there; None where nobody asked.
    is_linked: bool | None = None
    #: The provider refuses the person's account, or did when it was last used.
    is_refused: bool = False
    #: Whether it rests, as its name is another account by now.
    is_resting: bool = False
    #: Why nothing can be sent to the provider for the person as things are, or the workspace's planned stop
    #: can't be carried out, "" for nothing (``bot.domain.feasibility``).
    obstacle: str = ""
    #: When the account's credential ends, as its provider said.
    link_expires_at: float | None = None
    body: Mapping[str, Any] = field(default_factory=dict)
    #: When it was written, and whether something newer was asked for since.
    written_at: float = 0.0
    is_superseded: bool = False

    def word(self, name: str) -> str:
        """Return one of the notice's own facts by name, or ""."""
        return str(self.body.get(name) or "")

    def time(self, name: str) -> float:
        """Return one of the notice's own times by name, or ``now``."""
        return float(self.body.get(name) or self.now)

    def common(self) -> dict[str, Any]:
        """Return the values of the fields that all contexts have, by name."""
        return {one.name: getattr(self, one.name) for one in fields(Facts)}

    @property
    def objects(self) -> dict[str, ObjectName]:
        """Return the names of the message's objects, by the keys of their rows."""
        return {self.connection: ObjectName(self.connection_title)}

    @property
    def link_has_ended(self) -> bool:
        """Return whether the account's credential has ended."""
        return self.link_expires_at is not None and self.link_expires_at <= self.now

    @property
    def link_is_ending(self) -> bool:
        """Return whether the account's credential still ends as the notice said."""
        return self.link_expires_at == self.body.get("expires_at") and not self.link_has_ended


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedFacts:
    """An addition to the facts of a workspace. Each field has a default: nothing was added."""

    @property
    def is_separate(self) -> bool:
        """Return whether the end of the workspace is told in a message of its own."""
        return False

    def find_next_stop(self, _now: float) -> float | None:
        """Return the next stop that it plans, besides the workspace's timer."""
        return None

    def plans(self, _side: str, _at: float) -> bool:
        """Return whether it plans a start or a stop for a moment."""
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceFacts(Facts):
    """The context of a message about a workspace and an operation on it.

    ``ide_url`` and ``page_url`` (the provider's page for it) are set only if they passed the connection's
    host check. ``effects`` is what the provider declares stopping does to it.
    """

    operation: Operation | None = None
    workspace: Workspace | None = None
    ide_url: str | None = None
    opens_in_page: bool = False
    page_url: str | None = None
    effects: StopEffects = field(default_factory=dict)
    #: Its hours, its lessons, and what else is added.
    added: tuple[AddedFacts, ...] = ()
    #: What the message is about besides.
    others: tuple["WorkspaceFacts", ...] = ()
    #: What it was called, if it is deleted by now.
    former_name: str | None = None
    #: The state of the message about the operation's end.
    end_state: EndState = ""
    #: Whether another message that it is ready shows ``ide_url``.
    is_url_shown: bool = False

    @property
    def objects(self) -> dict[str, ObjectName]:
        """Return the names of the workspace, by its key and its operation's, and of the connection."""
        names = {self.connection: ObjectName(self.connection_title)}
        for one in (self, *self.others):
            if one.workspace is not None:
                name = ObjectName(one.workspace.title, one.connection_title)
                names[one.workspace.id] = name
                names |= {one.operation.id: name} if one.operation is not None else {}
        return names

    def of(self, kind: type[Addition]) -> Addition:
        """Return the facts that were added, by their type."""
        return next((context for context in self.added if isinstance(context, kind)), kind())

    @property
    def next_stop(self) -> float | None:
        """Return the next stop ahead of the workspace, None if nothing stops it."""
        if self.workspace is None:
            return None
        planned = (context.find_next_stop(self.now) for context in self.added)
        first = min((at for at in planned if at is not None), default=None)
        return find_next_stop(self.workspace, first, self.now)

    def add(self, new: AddedFacts) -> "WorkspaceFacts":
        """Return the facts with others, in place of earlier ones of their type."""
        others = (context for context in self.added if type(context) is not type(new))
        return replace(self, added=(*others, new))

    def plans(self, plan: tuple[str, ...], moments: Collection[int]) -> bool:
        """Return whether what was planned for one of these moments still is; of others, nothing is known."""
        workspace, (side, key) = self.workspace, plan
        if workspace is None or workspace.id != key:
            return workspace is not None
        if side == "nothing":
            return self.next_stop is None
        is_own = {int(workspace.stop_at or 0.0), int(workspace.expires_at or 0.0)}.intersection(moments)
        added = (context.plans(side, at) for context in self.added for at in moments)
        return (side == "stop" and bool(is_own)) or any(added)

    @property
    def state(self) -> State:
        """Return the workspace's state as last read; GONE if the workspace isn't known."""
        return self.workspace.state if self.workspace is not None else State.GONE

    @property
    def is_unusable(self) -> bool:
        """Return whether the workspace runs, and nobody can open it."""
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
        """Return whether the action is possible on the workspace, as far as is known."""
        workspace = self.workspace
        if workspace is None or workspace.is_provisional:
            return False
        if action in {"stop", "suspend", "force"} and action not in self.effects:
            return False
        if action == "remove" and "removal" not in self.capabilities:
            return False
        return workspace.allows(action) or (action == "stop" and not workspace.is_down)

    @property
    def can_still_run(self) -> bool:
        """Return whether nobody knows whether it runs, so that it can be stopped beside being started."""
        workspace = self.workspace
        if workspace is None or workspace.current_state not in {State.FAILED, State.UNKNOWN}:
            return False
        return not workspace.is_down and self.may("stop")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts(Facts):
    """Hold a run, with its output if this process follows it, and its provider's page if that is allowed."""

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
    """The context of a message about a request: the request, if it still exists, and the people in it.

    They are named as its reader is told who they are.
    """

    approval: Approval | None = None
    people: People = field(default_factory=dict)
    #: The links that rest, as their names are other accounts by now.
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
    """The kinds and contexts of the events in one message after a silence, oldest first."""

    held: tuple[tuple[AnyKind, Facts], ...]

    @property
    def objects(self) -> dict[str, ObjectName]:
        """Return the names of the objects of all messages in this one."""
        return {key: name for _, one in self.held for key, name in one.objects.items()}
