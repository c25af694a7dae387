"""The state of a local Workbench: people, sessions, jobs, planned faults, and listeners."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playground.harness import Clock
from playground.posit import scripts
from playground.posit.accounts import Accounts, Person
from playground.posit.environments import Environments
from playground.posit.jobs import Job
from playground.posit.plans import Plans
from playground.posit.seed import JobSeed, Seed, SessionSeed
from playground.posit.sessions import Session, new_id
from playground.posit.settings import Settings

Values = dict[str, Any]


@dataclass(slots=True)
class Streams:
    """Count output streams."""

    open: int = 0
    most_open: int = 0
    opened: int = 0
    sent_bytes: int = 0


class State:
    """The people, environments, sessions and jobs of one server."""

    def __init__(self, clock: Clock, seed: Seed) -> None:
        self.clock = clock
        self.settings = Settings()
        self.settings.change(seed.settings)
        self.accounts = Accounts(clock, seed.people, seed.tokens)
        self.environments = Environments(seed.clusters, seed.workbenches, self.settings)
        self.version = {"version": dict(seed.version), "features": list(seed.features)}
        self.rules = seed.rules
        self.sessions: dict[str, Session] = {}
        self.jobs: dict[str, Job] = {}
        self.plans = Plans()
        self.streams = Streams()
        self.closing = False
        self._listeners: set[asyncio.Event] = set()
        self._pid = 729383
        clock.watchers.append(self.wake)
        for session in seed.sessions:
            self._seed_session(session)
        for job in seed.jobs:
            self._seed_job(job)

    def settle(self) -> None:
        """Update everything to the present, and drop what ended long ago."""
        now = self.clock.now()
        for session in self.sessions.values():
            session.settle(now)
        old = now - self.settings.session_linger_seconds
        self.sessions = {key: one for key, one in self.sessions.items() if not one.ended or one.since > old}
        old = now - self.settings.job_linger_seconds
        self.jobs = {key: one for key, one in self.jobs.items() if one.end().at > old}

    def sessions_of(self, person: Person) -> list[Session]:
        """Return a person's sessions, newest last."""
        self.settle()
        return [session for session in self.sessions.values() if session.owner == person.name]

    def jobs_of(self, person: Person) -> list[Job]:
        """Return a person's jobs that have not been removed, newest last."""
        self.settle()
        return [job for job in self.jobs.values() if job.owner == person.name]

    def new_job(self, owner: str, values: Values, submitted: float, launched_by: str) -> Job:
        """Return a new job without adding it. Its command line determines what it prints."""
        self._pid += 1
        return Job(
            id=secrets.token_hex(16),
            owner=owner,
            values=values,
            script=scripts.script_for(values.pop("command_line"), self.rules),
            submitted=submitted,
            starts_at=submitted,
            pid=self._pid,
            failed_status=self.settings.failed_status,
            launched_by=launched_by,
        )

    def add_job(self, owner: str, values: Values, submitted: float, launched_by: str) -> Job:
        """Create a job and add it."""
        job = self.new_job(owner, values, submitted, launched_by)
        self.take_job(job, submitted)
        return job

    def take_job(self, job: Job, at: float) -> None:
        """Add a job, which is pending from then on."""
        job.submitted, job.starts_at = at, at + self.settings.job_pending_seconds
        self.jobs[job.id] = job

    def new_session_id(self) -> str:
        """Return an unused id for a session."""
        return new_id(self.sessions)

    @contextmanager
    def listening(self) -> Iterator[asyncio.Event]:
        """Yield an event that is set whenever the clock is moved or a test changes something."""
        event = asyncio.Event()
        self._listeners.add(event)
        self.streams.open += 1
        self.streams.opened += 1
        self.streams.most_open = max(self.streams.most_open, self.streams.open)
        try:
            yield event
        finally:
            self._listeners.discard(event)
            self.streams.open -= 1

    def wake(self) -> None:
        """Make every open stream check for changes."""
        for event in self._listeners:
            event.set()

    def _seed_session(self, seed: SessionSeed) -> None:
        now = self.clock.now()
        parameters = {
            "name": seed.name,
            "cluster": seed.cluster,
            "placement_constraints": [],
            "resource_limits": [],
            "queues": [],
            "container_image": "",
            "default_image": "",
            "container_images": [""],
        }
        identifier = self.new_session_id()
        session = Session(identifier, seed.owner, seed.name, seed.workbench, parameters, now, since=now)
        if seed.state == "launching":
            session.begin("launching", self.settings.launching_seconds, self.settings, now)
        else:
            session.force(seed.state, now)
        self.sessions[identifier] = session

    def _seed_job(self, seed: JobSeed) -> None:
        values: Values = {
            "name": seed.name,
            "cluster": seed.cluster,
            "command": seed.command,
            "exe": seed.exe,
            "args": list(seed.args),
            "command_line": " ".join([seed.exe or seed.command, *seed.args]),
        }
        lists = (
            "queues",
            "tags",
            "environment",
            "placementConstraints",
            "resourceLimits",
            "mounts",
            "config",
        )
        values |= {name: [] for name in (*lists, "exposedPorts")}
        self.add_job(seed.owner, values, self.clock.now() - seed.age, seed.owner)
