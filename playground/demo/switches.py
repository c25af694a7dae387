"""The faults that the panel can switch on at each server, one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: The name of the fault that the panel sets at a server. A new fault with this name replaces the earlier one.
NAME = "panel"
SLOW_ANSWER_SECONDS = 8.0
SLOW_START_SECONDS = 30.0
RETRY_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Switch:
    """A switch on the panel: its label, a sentence that explains it, and the fault that it sets."""

    name: str
    label: str
    explains: str
    fault: Mapping[str, Any]

    def is_set(self, fault: Mapping[str, Any]) -> bool:
        """Return whether a fault, as listed by a server, is the one that this switch sets."""
        return fault["name"] == NAME and all(
            fault.get(field, value) == value for field, value in self.fault.items()
        )


@dataclass(frozen=True, slots=True)
class Room:
    """A switch that limits a resource to one by setting these limits at the server."""

    name: str
    label: str
    explains: str
    limits: Mapping[str, int]


ONE_GPU = Room(
    "one-gpu",
    "One GPU",
    "There's one machine with a GPU, and Chen's survey-import has it while it runs. Start survey-model as "
    "Olivia with --wait, then stop survey-import as Chen.",
    {"gpus": 1},
)


@dataclass(frozen=True, slots=True)
class Server:
    """A server whose faults can be switched on.

    ``calls`` matches the requests to its API (``METHOD /path``), and ``starts`` those that start something.
    """

    name: str
    title: str
    calls: str
    starts: str = ""

    @property
    def switches(self) -> tuple[Switch, ...]:
        """Return the switches that this server has."""
        found = [
            Switch(
                "slow-answer",
                "Slow to answer",
                f"Every answer takes {SLOW_ANSWER_SECONDS:.0f} seconds.",
                self._fault(delay_s=SLOW_ANSWER_SECONDS),
            ),
            Switch(
                "slow-act",
                "Slow to act",
                f"It accepts a start, but doesn't begin for {SLOW_START_SECONDS:.0f} seconds.",
                {**self._fault(acts_after_s=SLOW_START_SECONDS), "path": self.starts},
            ),
            Switch("away", "Away", "It drops every connection without an answer.", self._fault(drop=True)),
            Switch("500", "500 (fails)", "Every call fails with status 500.", self._fault(status=500)),
            Switch(
                "429",
                "429 (too many)",
                f"Every call fails with status 429 and Retry-After: {RETRY_SECONDS}.",
                {**self._fault(status=429), "headers": {"Retry-After": str(RETRY_SECONDS)}},
            ),
            Switch(
                "401", "401 (refused)", "Every token is refused with status 401.", self._fault(status=401)
            ),
        ]
        # Slack doesn't start anything. If Slack is away or refuses the token, the app can't report anything,
        # so there is nothing to see.
        left_out = () if self.starts else ("slow-act", "away", "401")
        return tuple(one for one in found if one.name not in left_out)

    @property
    def room(self) -> Room | None:
        """Return the switch that limits a resource to one, or None if this server doesn't have one."""
        return ONE_GPU if self.name == "saturn" else None

    def switch(self, name: str) -> Switch | None:
        """Return the switch with this name, or None."""
        return next((one for one in self.switches if one.name == name), None)

    def _fault(self, **what: Any) -> dict[str, Any]:
        return {"name": NAME, "path": self.calls, "times": None, **what}


SLACK = Server("slack", "Slack", r"^(GET|POST) /api/")
PROVIDERS = (
    Server("saturn", "Saturn Cloud", r"^[A-Z]+ /api/", r"^POST /api/(workspaces|jobs)/[^/]+/start"),
    Server("hub", "Team hub", r"^[A-Z]+ /hub/api/", r"^POST /hub/api/users/[^/]+/server"),
    Server("posit", "Workbench", r"^[A-Z]+ /api/", r"^POST /api/(launch_session|resume_session|launch_job)$"),
    Server(
        "sphere",
        "Courses (Sphere Engine)",
        r"^[A-Z]+ /api/v1/",
        r"^(POST /api/v1/workspaces/?$|PUT /api/v1/workspaces/[^/]+/resume)",
    ),
)
