"""What cards and notices are made from: rows and a few answers, gathered before anything is drawn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot.domain.models.classes import ClassCounts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.domain.models import Action, ClassCard, Effects, Operation, Run, Shown, Workspace


@dataclass(frozen=True, slots=True)
class ClassFacts:
    """Gather a class card with its counts; ``title`` is the connection's name for people.

    ``effects`` is what stopping means for the workspaces of the card, as far as that is known of all of them.
    """

    card: ClassCard
    title: str
    now: float
    counts: ClassCounts = field(default_factory=ClassCounts)
    effects: Effects = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """Gather what a card or a notice may say; ``now`` in epoch seconds.

    ``username`` is empty where the provider told none. ``ide_url`` is set only when it passed the
    connection's host check, and so is ``page_url``, the page of the workspace or run at the provider;
    ``usual_seconds`` is the median of earlier starts; ``capabilities`` are the provider's, and ``effects``
    what it declares that stopping the workspace means; ``body`` the notice's own facts. What is about a run
    has ``run``, and ``output`` as far as that is followed in this process.
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
    usual_seconds: float | None = None
    capabilities: frozenset[str] = frozenset()
    effects: Effects = field(default_factory=dict)
    #: The person's account there is refused, or was when it was used last.
    is_refused: bool = False
    body: Mapping[str, Any] = field(default_factory=dict)
    run: Run | None = None
    output: Shown | None = None
    #: What is about a class: the card itself, or the end that stopped the workspace.
    of_class: ClassFacts | None = None

    def word(self, name: str) -> str:
        """Return one of the notice's own facts, "" where it has none of that name."""
        return str(self.body.get(name) or "")

    def time(self, name: str) -> float:
        """Return a time among the notice's own facts, now where it has none of that name."""
        return float(self.body.get(name) or self.now)

    def may(self, action: Action) -> bool:
        """Say whether something can be done with the workspace, as far as is known."""
        workspace = self.workspace
        if workspace is None or workspace.is_provisional:
            return False
        if action in {"stop", "suspend", "force"} and action not in self.effects:
            return False
        if action == "remove" and "removal" not in self.capabilities:
            return False
        return workspace.allows(action)
