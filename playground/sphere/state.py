"""The state of a local Sphere Engine."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from playground.faults import Refusal
from playground.harness import Clock
from playground.sphere.seed import Seed
from playground.sphere.workspaces import Options, Project, Workspace
from playground.values import field_names


@dataclass(slots=True)
class Switches:
    """Settings for behaviour that the documents leave open.

    ``single``: whether a single workspace is returned ``bare`` or under the key ``workspace``.
    ``code``: the type of a state's code: ``number``, ``string``, or ``documents`` (a string only in lists).
    ``stopping_code``: the code shown while a workspace is being stopped: 3 or 2.
    ``quota``: how many workspaces may be starting or running. Others are refused with ``quota_status``.
    """

    single: str = "bare"
    code: str = "documents"
    stopping_code: int = 3
    quota: int | None = None
    quota_status: int = 402


class State:
    """The account: its token, projects, workspaces and webhook."""

    def __init__(self, clock: Clock, seed: Seed) -> None:
        self.clock = clock
        self.access_token = seed.access_token or secrets.token_hex(16)
        self.page_size = seed.page_size
        self.switches = Switches(quota=seed.quota)
        self.webhook_url = seed.webhook_url
        self.webhook_secret = seed.webhook_secret or secrets.token_hex(16)
        #: Time until which every call is answered with 429.
        self.busy_until = 0.0
        self.busy_answered_at: float | None = None
        #: Output of scenarios, by the id of the event.
        self.streams: dict[str, str] = {}
        self.projects: dict[str, Project] = {}
        self.workspaces: dict[str, Workspace] = {}
        now = clock.now()
        for entry in seed.projects:
            project = Project(entry.id or secrets.token_hex(16), entry.name, entry)
            self.projects[project.id] = project
        by_name = {project.name: project for project in self.projects.values()}
        for one in seed.workspaces:
            options = Options(**{name: getattr(one, name) for name in field_names(Options)})
            workspace = self._made(by_name[one.project], options, one.id)
            self.take(workspace, now)
            workspace.token = one.workspace_token or workspace.token
            # The workspace has been in its state for a while, so it isn't still being stopped.
            workspace.force(one.state, now)
            workspace.phase_since = now - workspace.stop_seconds

    def _made(self, project: Project, options: Options, workspace_id: str | None = None) -> Workspace:
        now, behaviour = self.clock.now(), project.behaviour
        return Workspace(
            id=workspace_id or secrets.token_hex(16),
            project=project,
            created_at=now,
            options=options,
            start_seconds=behaviour.start_seconds,
            stop_seconds=behaviour.stop_seconds,
            phase_since=now,
            fail=behaviour.fail,
        )

    def take(self, workspace: Workspace, at: float) -> None:
        """Add a workspace, which then begins to start."""
        workspace.created_at = workspace.phase_since = at
        self.workspaces[workspace.id] = workspace

    def created(self, project_id: str, options: Options) -> Workspace:
        """Return a new workspace without adding it. Each call returns a new one. Raises Refusal."""
        project = self.projects.get(project_id)
        if project is None:
            raise Refusal(404, "Project not found")
        self.check_quota()
        return self._made(project, options)

    def check_quota(self) -> None:
        """Raise Refusal if the quota is used up."""
        quota, now = self.switches.quota, self.clock.now()
        if quota is not None and sum(one.is_live(now) for one in self.workspaces.values()) >= quota:
            raise Refusal(self.switches.quota_status, "The limit of running workspaces has been reached")

    def enter(self, workspace: Workspace, token: str | None) -> str | None:
        """Let a visitor in; return a ticket, or None if the workspace can't be entered. Raises Refusal 403.

        If entering resumes a stopped workspace, the quota must allow another one.
        """
        if not workspace.admits(token):
            raise Refusal(403, "Access denied")
        now = self.clock.now()
        if not workspace.is_live(now) and workspace.permissions(now)["enter"]:
            self.check_quota()
        return workspace.enter(now)

    def find(self, workspace_id: str) -> Workspace:
        """Return a workspace in its current state; raise Refusal 404 if there is none."""
        workspace = self.workspaces.get(workspace_id)
        if workspace is None:
            raise Refusal(404, "Workspace not found")
        workspace.settle(self.clock.now())
        return workspace
