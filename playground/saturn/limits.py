"""Refusals that can be switched on: for quotas, names, recipes, and starts in quick succession.

The documents don't describe them, so all are off by default.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, fields
from typing import Any

from playground.faults import Refusal
from playground.values import typed


@dataclass(slots=True)
class Limits:
    """The switches. ``workspaces`` and ``running`` limit how many workspaces a person may have and run.

    ``gpus`` is the number of machines with a GPU, which everyone shares: if all are in use, another pod isn't
    scheduled, for the reason that Kubernetes would give, and its workspace ends in an error.
    ``starts_per_second`` limits everyone's starts together. ``refuse_recipes`` is the message with which
    every recipe is refused. With ``nameless``, tokens don't belong to any user, like those of groups. A login
    link leads to ``login_link_host`` and begins a session of ``login_link_as``.
    """

    workspaces: int | None = None
    running: int | None = None
    starts_per_second: int | None = None
    gpus: int | None = None
    unique_names: bool = False
    nameless: bool = False
    refuse_recipes: str | None = None
    login_link_host: str | None = None
    login_link_as: str | None = None
    started: deque[float] = field(default_factory=deque)

    def change(self, values: Any) -> dict[str, Any]:
        """Set some switches and return all; raise SeedError for an unknown one."""
        for name, value in typed(Limits, values).items():
            setattr(self, name, value)
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name != "started"}

    def making(self, name: str, others: list[str]) -> None:
        """Refuse a recipe if all are refused, the name is in use, or the person has too many workspaces."""
        if self.refuse_recipes is not None:
            raise Refusal(400, self.refuse_recipes)
        if self.unique_names and name in others:
            raise Refusal(409, f"A workspace named {name} already exists")
        if self.workspaces is not None and len(others) >= self.workspaces:
            raise Refusal(403, f"Quota exceeded: {self.workspaces} workspaces at most")

    def starting(self, now: float, running: int) -> None:
        """Refuse a start if the person has too many running, or if too many starts come within a second."""
        if self.running is not None and running >= self.running:
            raise Refusal(403, f"Quota exceeded: {self.running} running workspaces at most")
        if self.starts_per_second is None:
            return
        while self.started and self.started[0] <= now - 1.0:
            self.started.popleft()
        if len(self.started) >= self.starts_per_second:
            raise Refusal(429, "Too many starts", retry_after=1)
        self.started.append(now)
