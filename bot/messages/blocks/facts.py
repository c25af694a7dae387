"""What cards and notices are made from: rows and a few answers, gathered before anything is drawn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.domain.models import Effects, Job, Operation, Workspace
    from bot.messages.blocks.class_facts import ClassFacts
    from bot.output import Shown


@dataclass(frozen=True, slots=True)
class Facts:
    """Gather what a card or a notice may say.

    ``ide_url`` is set only when it passed the connection's host check; ``page_url`` is the workspace's page
    at the provider; ``usual_seconds`` the median of earlier starts; ``capabilities`` are the provider's, and
    ``effects`` what it declares that stopping the workspace means; ``body`` the notice's own keys. What is
    about a run has ``job``, and ``output`` as far as that is followed in this process.
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
    job: Job | None = None
    output: Shown | None = None
    #: What is about a class: the card itself, or the end that stopped the workspace.
    of_class: ClassFacts | None = None
