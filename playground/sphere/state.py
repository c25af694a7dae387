"""The state of a local Sphere Engine."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from playground.faults import Refusal
from playground.harness import Clock
from playground.sphere.seed import Seed
from playground.sphere.workspaces import Options, Project, Workspace


@dataclass(slots=True)
class Switches:
    """Hold how the server speaks where its documents leave it open.

    ``single``: a single workspace comes ``bare`` or under ``workspace``.
    ``code``: ``documents`` (a number in a workspace, a string in lists), ``number`` or ``string``.
    ``stopping_code``: the state shown while a workspace is being stopped, 3 or 2.
    ``quota``: so many may be starting or running; more are refused with ``quota_status``.
    """

    single: str = "bare"
    code: str = "documents"
    stopping_code: int = 3
    quota: int | None = None
    quota_status: int = 402


class State:
    """Hold the account: its token, projects, workspaces and webhook."""

    def __init__(self, clock: Clock, seed: Seed) -> None:
        self.clock = clock
        self.access_token = seed.access_token or secrets.token_hex(16)
        self.page_size = seed.page_size
        self.switches = Switches(quota=seed.quota)
        self.webhook_url = seed.webhook_url
        self.webhook_secret = seed.webhook_secret or secrets.token_hex(16)
        #: Until when every call is answered 429.
        self.busy_until = 0.0
        self.busy_answered_at: float | None = None
        #: What scenarios wrote, by the id of their event.
        self.streams: dict[str, str] = {}
        self.projects: dict[str, Project] = {}
        self.workspaces: dict[str, Workspace] = {}
        now = clock.now()
        for entry in seed.projects:
            project = Project(entry.id or secrets.token_hex(16), entry.name, entry)
            self.projects[project.id] = project
        by_name = {project.name: project for project in self.projects.values()}
        for one in seed.workspaces:
            options = Options(
                one.auto_resume,
                one.workspace_token_required,
                one.inactivity_timeout,
                one.retention_time_stopped,
                one.retention_time_total,
            )
            workspace = self._made(by_name[one.project], options, one.id)
            self.take(workspace, now)
            workspace.token = one.workspace_token or workspace.token
            # It has been in its state for long: nothing is under way any more.
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
        """Take in a workspace, which begins to start."""
        workspace.created_at = workspace.phase_since = at
        self.workspaces[workspace.id] = workspace

    def created(self, project_id: str, options: Options) -> Workspace:
        """Return a new workspace, not yet taken in; asking twice makes two. Raises Refusal."""
        project = self.projects.get(project_id)
        if project is None:
            raise Refusal(404, "Project not found")
        self.check_quota()
        return self._made(project, options)

    def check_quota(self) -> None:
        """Refuse when all slots are taken."""
        quota, now = self.switches.quota, self.clock.now()
        if quota is not None and sum(one.is_live(now) for one in self.workspaces.values()) >= quota:
            raise Refusal(self.switches.quota_status, "The limit of running workspaces has been reached")

    def enter(self, workspace: Workspace, token: str | None) -> str | None:
        """Let a visitor in and return a ticket, or nothing when it may not be entered; raises Refusal 403.

        A stopped workspace that resumes by itself needs a slot for that.
        """
        if not workspace.admits(token):
            raise Refusal(403, "Access denied")
        now = self.clock.now()
        if not workspace.is_live(now) and workspace.permissions(now)["enter"]:
            self.check_quota()
        return workspace.enter(now)

    def find(self, workspace_id: str) -> Workspace:
        """Return a workspace in its present state; raises Refusal 404."""
        workspace = self.workspaces.get(workspace_id)
        if workspace is None:
            raise Refusal(404, "Workspace not found")
        workspace.settle(self.clock.now())
        return workspace
