"""The workspaces and builds of the local Coder, and its checks on parameter values."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from playground.faults import Refusal

#: Maps each transition to a workspace's status during such a build and after it.
DOING = {
    "start": ("starting", "running"),
    "stop": ("stopping", "stopped"),
    "delete": ("deleting", "deleted"),
}
#: How long, in seconds, a build is queued, the whole build takes, and the agent then takes to get ready.
QUEUED, BUILDS, READY = 3.0, 15.0, 10.0
AUTOSTOP = 8 * 3600.0
#: The id of the account that owns prebuilt workspaces until somebody claims them (codersdk).
PREBUILDS_ID = "c42fdf75-3097-471c-8c33-fb52454d81c0"


@dataclass(eq=False)
class Build:
    """A build, and the contents of its job and log if it fails."""

    id: str
    number: int
    transition: str
    at: float
    seconds: float
    fails: list[str] | None
    is_canceled: bool = False
    #: The id of the account that requested it.
    initiator: str = ""
    #: A deadline that someone has set, in epoch seconds.
    extended: float | None = None

    @property
    def deadline(self) -> float:
        """Return when the workspace will be stopped, in epoch seconds."""
        return self.extended or self.at + self.seconds + AUTOSTOP

    def job(self, now: float) -> str:
        """Return the state of the build's job."""
        if now < self.at + min(QUEUED, self.seconds):
            return "pending"
        if now < self.at + self.seconds:
            return "running"
        return "canceled" if self.is_canceled else "failed" if self.fails else "succeeded"

    def status(self, now: float) -> str:
        """Return the workspace status that results from this build."""
        doing, done = DOING[self.transition]
        return {"running": doing, "succeeded": done}.get(self.job(now), self.job(now))

    def is_ready(self, now: float) -> bool:
        """Return whether the workspace's app responds to requests."""
        is_up = self.transition == "start" and self.status(now) == "running"
        return is_up and now >= self.at + self.seconds + (READY if self.seconds else 0.0)


@dataclass(eq=False)
class Made:
    """A workspace with its builds."""

    id: str
    owner: str
    name: str
    template: str
    at: float
    #: The number of its template's version.
    version: int = 1
    fails: list[str] | None = None
    #: If set, every stop of this workspace fails with this error. Builds of the kinds in ``cancels`` are
    #: cancelled.
    stop_fails: list[str] | None = None
    cancels: Collection[str] = ()
    is_dormant: bool = False
    is_outdated: bool = False
    #: The people and groups that the workspace is shared with.
    users: Collection[str] = ()
    groups: Collection[str] = ()
    #: The role that they have in it: *use* or *admin*.
    role: str = "use"
    builds: list[Build] = field(default_factory=list)


def check_values(template: Mapping[str, Any], given: list[dict[str, Any]]) -> None:
    """Refuse parameter values that don't fit a template."""
    known = {one["name"]: one for one in template.get("parameters", [])}
    for one in given:
        name, value = str(one.get("name")), one.get("value")
        rule = known.get(name)
        wrong = f'can\'t validate build parameter "{name}"'
        if rule is None or set(one) != {"name", "value"} or not isinstance(value, str) or not value:
            raise Refusal(400, wrong)
        if rule.get("options") and value not in {option["value"] for option in rule["options"]}:
            raise Refusal(400, f"{wrong}: must match one of the options")
        if rule.get("validation_regex") and not re.search(rule["validation_regex"], value):
            raise Refusal(400, f"{wrong}: {rule['validation_error']}")
    for name, rule in known.items():
        if rule.get("required") and name not in {one.get("name") for one in given}:
            raise Refusal(400, f'parameter "{name}" is required')
