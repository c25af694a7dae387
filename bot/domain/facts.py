"""The facts behind cards and notices, gathered before anything is rendered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.domain.models import (
    Action,
    Approval,
    ClassCard,
    Effects,
    NoticeKind,
    Operation,
    People,
    Preferences,
    Run,
    Shown,
    Workspace,
)
from bot.domain.models.classes import ClassCounts


@dataclass(frozen=True, slots=True)
class ClassFacts:
    """Hold a class card with its counts; ``title`` is the connection's display name.

    ``effects`` says what stopping does to the card's workspaces, as far as that is known for all of them.
    ``people`` has its poster and whoever ended it, as the reader is told who they are.
    """

    card: ClassCard
    title: str
    now: float
    counts: ClassCounts = field(default_factory=ClassCounts)
    effects: Effects = field(default_factory=dict)
    people: People = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PreferenceFacts:
    """Hold what is shown of a person's preferences.

    ``workspace`` is what a bare `start` means, ``connection_title`` where new workspaces are made, "" for
    nowhere in particular; ``own`` are the workspaces with settings of their own.
    """

    wanted: Preferences
    now: float
    time_zone: str
    workspace: Workspace | None = None
    connection_title: str = ""
    own: tuple[Workspace, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """Hold everything a card or notice may say; ``now`` is in epoch seconds.

    ``username`` is empty if the provider gave none. ``ide_url`` and ``page_url`` (the provider's page for the
    workspace or run) are set only if they passed the connection's host check. ``capabilities`` are the
    provider's; ``effects`` is what it declares stopping does to this workspace. ``body`` holds the notice's
    own facts. Cards and notices about a run have ``run``,
    and ``output`` if this process is following it.
    """

    now: float
    connection: str
    connection_title: str
    username: str = ""
    operation: Operation | None = None
    workspace: Workspace | None = None
    ide_url: str | None = None
    opens_in_page: bool = False
    has_public_url: bool = True
    page_url: str | None = None
    capabilities: frozenset[str] = frozenset()
    effects: Effects = field(default_factory=dict)
    #: How people link their account on the connection.
    linking: frozenset[str] = frozenset()
    #: The provider refuses the person's account, or did when it was last used.
    is_refused: bool = False
    #: When the account's credential ends, as its provider said.
    link_ends_at: float | None = None
    body: Mapping[str, Any] = field(default_factory=dict)
    run: Run | None = None
    output: Shown | None = None
    #: The kinds and facts of the held notices that a message reports, oldest first.
    held: tuple[tuple[NoticeKind, Facts], ...] = ()
    #: The request that a message is about, if it still exists.
    approval: Approval | None = None
    #: Other people whom the message names, as its reader is told who they are.
    people: People = field(default_factory=dict)
    #: For class cards and their notices: the card, or the class whose end stopped the workspace.
    of_class: ClassFacts | None = None
    #: For messages that are redrawn: when they were written, whether something newer was asked for since, and
    #: what the workspace was called that is deleted by now.
    written_at: float = 0.0
    is_superseded: bool = False
    former_name: str | None = None
    #: Whether the person kept the workspace that their class would stop; None while they still may.
    kept: bool | None = None

    def word(self, name: str) -> str:
        """Return one of the notice's own facts by name, or ""."""
        return str(self.body.get(name) or "")

    def time(self, name: str) -> float:
        """Return one of the notice's own times by name, or ``now``."""
        return float(self.body.get(name) or self.now)

    @property
    def link_has_ended(self) -> bool:
        """Return whether the account's credential has ended."""
        return self.link_ends_at is not None and self.link_ends_at <= self.now

    @property
    def link_is_ending(self) -> bool:
        """Return whether the account's credential still ends as the notice said."""
        return self.link_ends_at == self.body.get("ends_at") and not self.link_has_ended

    def may(self, action: Action) -> bool:
        """Return whether the action is possible on the workspace, as far as is known."""
        workspace = self.workspace
        if workspace is None or workspace.is_provisional:
            return False
        if action in {"stop", "suspend", "force"} and action not in self.effects:
            return False
        if action == "remove" and "removal" not in self.capabilities:
            return False
        return workspace.allows(action)
