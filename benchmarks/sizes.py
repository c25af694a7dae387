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
    #: Seconds between two reads of one workspace that several processes claim.
    claim_interval: float = 10.0
    #: Worker processes on one database, and how many workspaces are pending for them.
    workers: int = 4
    workers_pending: int = 10_000
    ready: int = 200
    ready_spread: float = 60.0
    limited: int = 500
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
    #: Paired rounds with another revision.
    pairs: int = 10
    #: Starts of a burst at a database behind a slow line.
    network_starts: int = 200
    #: People who work while one of them is hostile, their workspaces, and how many type at the same time:
    #: about as much as each typing every other second.
    hostile_people: int = 40
    hostile_workspaces: int = 200
    hostile_connections: int = 2
    hostile_acks: int = 600
    #: Of so many workspaces, whose names are alike, one person has each text looked for.
    hostile_many: tuple[int, ...] = (2_000, 5_000)
    #: Lives of a month, of so many people, and how often the year of one of them is read.
    usage_lives: int = 1_000_000
    usage_people: int = 100_000
    usage_rounds: int = 20
    #: Seconds of steady requests.
    soak_seconds: float = 3_600.0


FULL = Sizes(is_full=True)
TOY = Sizes(
    is_full=False,
    connections=4,
    runs=1,
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
    claim_interval=0.2,
    workers=2,
    workers_pending=30,
    ready=4,
    ready_spread=2.0,
    limited=4,
    patience=45.0,
    start_ups=1,
    open_operations=20,
    linked=3,
    idle_settle=0.5,
    idle_seconds=1.0,
    class_people=6,
    class_seconds=4.0,
    pairs=1,
    network_starts=8,
    hostile_people=4,
    hostile_workspaces=3,
    hostile_connections=2,
    hostile_acks=40,
    hostile_many=(10,),
    usage_lives=2_000,
    usage_people=200,
    usage_rounds=2,
    soak_seconds=6.0,
)
