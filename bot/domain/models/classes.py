"""Class cards: one button in a channel, and what each person's press of it brought about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.domain.models.forms import Spec
from bot.domain.models.operations import Operation
from bot.domain.models.people import Principal
from bot.domain.models.workspaces import Workspace

#: Owners are told so long before their workspaces are stopped, in seconds.
WARNING_SECONDS = 300.0

#: What a press waits for before there is an operation; "" for nothing.
Waiting = Literal["", "unlinked", "no_workspace", "many_workspaces"]


@dataclass(frozen=True, slots=True)
class ClassCard:
    """Hold a card: whose it is, what each press does, and when it stops what it started.

    With ``spec`` each person gets a workspace made from that (``recipe`` is how people call it); otherwise
    their own one that ``pattern`` names is started. ``stops_at`` is when the consented workspaces are
    stopped; ``closed_at`` when somebody (``stopped_by``, a principal's key) asked for that. ``time_zone`` is
    the one in which ``stops_at`` is said. ``posts`` counts how often the card was sent to its channel.
    """

    id: str
    principal: Principal
    channel_id: str
    connection: str
    title: str
    reference: str
    created_at: float
    pattern: str = ""
    recipe: str = ""
    spec: Spec | None = None
    maximum: int | None = None
    time_zone: str = "UTC"
    stops_at: float | None = None
    closed_at: float | None = None
    stopped_by: str | None = None
    done_at: float | None = None
    posts: int = 1

    def is_over(self, now: float) -> bool:
        """Say whether a press comes too late."""
        ended = self.closed_at is not None or self.done_at is not None
        return ended or (self.stops_at is not None and now >= self.stops_at)


@dataclass(frozen=True, slots=True)
class Participant:
    """Hold one person's press of one card.

    ``consented_at``: they agreed that ``workspace_id`` is stopped with the class; ``withdrawn_at``: and took
    it back. ``ended_at``: the end of the class has reached it, with ``stop_operation_id`` where there was
    something to stop.
    """

    card_id: str
    principal: Principal
    joined_at: float
    waits_for: Waiting = ""
    workspace_id: str | None = None
    operation_id: str | None = None
    consented_at: float | None = None
    withdrawn_at: float | None = None
    warned_at: float | None = None
    ended_at: float | None = None
    stop_operation_id: str | None = None


@dataclass(frozen=True, slots=True)
class ClassCounts:
    """Count the presses of a card. ``going`` are the ones of ``waiting`` whose operation is open.

    ``stopping``, ``stopped`` and ``not_stopped`` are about the end of the class, ``kept`` about its owners;
    ``left`` are the consented ones that the end has not reached.
    """

    pressed: int = 0
    ready: int = 0
    waiting: int = 0
    going: int = 0
    failed: int = 0
    kept: int = 0
    stopping: int = 0
    stopped: int = 0
    not_stopped: int = 0
    consented: int = 0
    left: int = 0


@dataclass(frozen=True, slots=True)
class Queue:
    """Say how many starts at a connection go first, and how many of the class's were called in which time."""

    ahead: int = 0
    called: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Joined:
    """Say what became of a press. ``joined``: it was on its way already; ``running``: nothing was to be done.

    ``queue`` is set while the start of ``operation`` was not called yet.
    """

    result: Literal["started", "joined", "running", "noted", "over", "full", "unknown"]
    operation: Operation | None = None
    queue: Queue | None = None


@dataclass(frozen=True, slots=True)
class ClassProblem:
    """Say of one person what keeps them from being ready: rows only, no address."""

    press: Participant
    operation: Operation | None
    workspace: Workspace | None
