"""How much is measured: the full sizes of the goals, and toy sizes that only show that everything runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Sizes:
    """Numbers of requests, people and seconds; figures from toy sizes say nothing about the goals."""

    is_full: bool
    #: The folder with the code of another revision, which is measured alternately with this one.
    against: Path | None = None
    connections: int = 100
    runs: int = 3
    #: Number of rounds in which variants alternate, not counting a first one that is only a warm-up.
    rounds: int = 4
    ack_rounds: int = 20
    acks: int = 500
    people: int = 200
    #: Number of forged requests in a run, and how many strangers send them.
    unsigned: int = 4_000
    strangers: int = 20
    #: Starts per round; Slack allows changes to about this many messages per minute.
    starts: int = 40
    #: The rates of steady starts per second, for how long starts come at each rate, and how often this is
    #: repeated.
    rates: tuple[int, ...] = (10, 50, 100)
    steady_seconds: float = 10.0
    steady_rounds: int = 2
    pending: int = 10_000
    #: Number of parts into which the measurement of reads and claims is divided.
    pieces: int = 2
    #: Seconds until the first round of polls has settled, and seconds for which polls are then watched.
    settle_seconds: float = 25.0
    watch_seconds: float = 60.0
    #: Seconds of CPU that the local provider wastes on each read, to test whether a run notices a slow
    #: provider.
    waste: float = 0.0
    #: Seconds between two reads of the same workspace if several processes make claims.
    claim_interval: float = 10.0
    #: Number of worker processes on one database, and number of workspaces that are pending for them.
    workers: int = 4
    workers_pending: int = 10_000
    ready: int = 200
    ready_spread: float = 60.0
    limited: int = 500
    #: Number of rules for hours, none of which is due.
    rules: int = 10_000
    #: The longest wait, in seconds, for messages after the last workspace is ready.
    patience: float = 180.0
    start_ups: int = 5
    open_operations: int = 10_000
    linked: int = 100
    idle_settle: float = 15.0
    idle_seconds: float = 60.0
    #: A class: how many people press, within how many seconds, and how many starts per second the provider
    #: accepts.
    class_people: int = 500
    class_seconds: float = 60.0
    class_starts: int = 20
    #: Paired rounds with another revision.
    pairs: int = 10
    #: Number of starts per round for ``start_pairs``.
    pair_starts: int = 400
    #: Number of starts in a burst if the database is behind a slow connection.
    network_starts: int = 200
    #: Number of starts requested of each web process before that.
    network_warm_up: int = 40
    #: The people who work while one of them is hostile, their workspaces, and how many type at the same time,
    #: which is about as much as if each typed every other second.
    hostile_people: int = 40
    hostile_workspaces: int = 200
    hostile_connections: int = 2
    hostile_acks: int = 600
    #: How many similarly named workspaces a hostile person has when each of the messages is tried.
    hostile_many: tuple[int, ...] = (2_000, 5_000)
    #: The number of lives (periods of running) in a month and of the people they belong to, and how often one
    #: person's year is read.
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
    pair_starts=6,
    network_starts=8,
    network_warm_up=2,
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
