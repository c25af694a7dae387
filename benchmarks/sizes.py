"""How much is measured: the full sizes of the goals, and toy ones that only show that everything runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Sizes:
    """Hold numbers of requests, people and seconds; figures of toy sizes say nothing about the goals."""

    is_full: bool
    #: The packages of another revision that is measured in turn with this one.
    against: Path | None = None
    connections: int = 100
    runs: int = 3
    #: What is measured in turn is measured so often, after a first time that only warms up.
    rounds: int = 4
    ack_rounds: int = 20
    acks: int = 500
    people: int = 200
    #: Requests of a run that nobody signed, and how many strangers send them.
    unsigned: int = 4_000
    strangers: int = 20
    #: Slack takes the changes of about as many messages in a minute.
    starts: int = 40
    #: Starts that come at so many a second, for so long, so often.
    rates: tuple[int, ...] = (10, 50, 100)
    steady_seconds: float = 10.0
    steady_rounds: int = 2
    pending: int = 10_000
    #: Reads and claims are watched in so many pieces.
    pieces: int = 2
    #: Polls are watched for so long, after a while in which the first round settles.
    settle_seconds: float = 25.0
    watch_seconds: float = 60.0
    #: Seconds of CPU that the local provider takes for a read, for nothing: does a run notice such a peer?
    waste: float = 0.0
    #: Processes that claim beside each other, and seconds between two reads of one workspace.
    claimers: int = 4
    claim_interval: float = 10.0
    #: Worker processes on one database, and how many workspaces are pending for them.
    workers: int = 4
    workers_pending: int = 10_000
    #: How many are watched, and for how long: in the second all are pending, in the third as many.
    watched: tuple[int, int, int] = (1_000, 10_000, 50_000)
    watched_seconds: float = 30.0
    ready: int = 200
    ready_spread: float = 60.0
    limited: int = 500
    limited_spread: float = 60.0
    #: Rules of hours of which none is due.
    rules: int = 10_000
    #: After the last readiness, messages are waited for so long at most.
    patience: float = 180.0
    start_ups: int = 5
    open_operations: int = 10_000
    linked: int = 100
    idle_settle: float = 15.0
    idle_seconds: float = 60.0
    #: A class: so many press within so many seconds, at a provider that takes so many starts a second.
    class_people: int = 500
    class_seconds: float = 60.0
    class_starts: int = 20
    class_kills: int = 3
    #: Starts of a burst at a database behind a slow line.
    network_starts: int = 200
    #: A course: so many join within so many seconds, at a provider that takes so many starts a second. The
    #: bot is killed so many seconds before the lesson.
    course_people: int = 300
    course_joining: float = 60.0
    course_starts: int = 2
    course_killed: float = 180.0
    #: Members of a course about which its teacher decides: as many as a card takes.
    members: int = 5_000
    #: Browsers that look at their own workspaces all at once, and how often together in a run.
    browsers: int = 50
    looks: int = 3_000
    #: Pending sessions of so many people at a Workbench; runs that write so many lines at once.
    posit_people: int = 100
    posit_sessions: int = 1_000
    streams: int = 20
    stream_lines: int = 10_000
    #: Workspaces in one list.
    listed: int = 100_000
    shown: int = 5_000
    #: People who work while one of them is hostile, their workspaces, and how many type at the same time:
    #: about as much as each typing every other second.
    hostile_people: int = 40
    hostile_workspaces: int = 200
    hostile_connections: int = 2
    hostile_acks: int = 600
    #: Of so many workspaces, whose names are alike, one person has each text looked for.
    hostile_many: tuple[int, ...] = (2_000, 5_000)
    #: One of them searches on so many connections at once, among so many workspaces.
    searching: int = 20
    searched: int = 300
    #: Who hears nothing while Slack is away, and how many of them have a run.
    silence_people: int = 50
    silence_runs: int = 20
    #: Starts whose instructions are counted: in bursts of so many at once, and alone; how many seconds
    #: it is watched at rest; requests of ``help``; and workspaces that are read in two runs as long.
    counted_starts: int = 40
    counted_burst: int = 10
    counted_alone: int = 12
    counted_rest: int = 20
    counted_helps: int = 400
    counted_pending: tuple[int, int] = (50, 300)
    counted_watch: float = 42.0
    #: People among whom what runs by itself is measured.
    growing: tuple[int, ...] = (100, 10_000, 100_000)
    #: Rows that make the database large which is copied.
    backup_rows: int = 1_000_000


FULL = Sizes(is_full=True)
TOY = Sizes(
    is_full=False,
    connections=4,
    runs=1,
    backup_rows=1_000,
    growing=(10, 100),
    rounds=1,
    ack_rounds=1,
    acks=60,
    people=5,
    unsigned=40,
    strangers=2,
    starts=6,
    steady_seconds=0.5,
    steady_rounds=1,
    pending=30,
    pieces=1,
    settle_seconds=1.0,
    watch_seconds=12.0,
    claimers=2,
    claim_interval=0.2,
    workers=2,
    workers_pending=30,
    watched=(10, 30, 50),
    watched_seconds=1.0,
    ready=4,
    ready_spread=2.0,
    limited=4,
    limited_spread=2.0,
    patience=45.0,
    start_ups=1,
    open_operations=20,
    linked=3,
    idle_settle=0.5,
    idle_seconds=1.0,
    class_people=6,
    class_seconds=4.0,
    class_kills=1,
    network_starts=8,
    course_people=4,
    course_joining=25.0,
    course_killed=20.0,
    members=130,
    browsers=3,
    looks=30,
    posit_people=3,
    posit_sessions=9,
    streams=2,
    stream_lines=50,
    listed=250,
    shown=250,
    hostile_people=4,
    hostile_workspaces=3,
    hostile_connections=2,
    hostile_acks=40,
    hostile_many=(10,),
    searching=2,
    searched=5,
    silence_people=2,
    silence_runs=1,
    counted_starts=4,
    counted_burst=2,
    counted_alone=2,
    counted_rest=4,
    counted_helps=20,
    counted_pending=(4, 20),
    counted_watch=21.0,
)
