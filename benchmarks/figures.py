"""The figures by name, with the goal of each, and the line of JSON that one is printed as."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Goal:
    """Say what a figure is measured in and how it has to be; ``of`` names what is held against the bound.

    Without a bound it is for information: it depends on the machine, and on what else that does.
    """

    unit: str
    bound: float | None = None
    side: Literal["at most", "at least"] = "at most"
    of: Literal["value", "ratio"] = "value"


#: Below one round of 10,000 polls in ten seconds and the margin of half a second, a tenth is allowed for.
POLL_RATE: Final = 0.9 * 10_000 / 10.5

#: What runs by itself: claims, lists, the nightly reading of people, what the metrics and an administrator's
#: Home count, links that end, and the nightly sweep.
PERIODIC: Final = ("claims", "lists", "people", "metrics", "totals", "links", "sweep")

GOALS: Final[Mapping[str, Goal]] = MappingProxyType(
    {
        "change_files": Goal("files per commit"),
        "kind_files": Goal("files per message kind outside of its feature", 3.0),
        "verb_files": Goal("files per verb outside of its feature", 3.0),
        "method_files": Goal("files per method of providers"),
        "start_functions": Goal("functions", 745),
        "ack_help_cpu": Goal("µs of CPU per request"),
        "unsigned_cpu": Goal("µs of CPU per request", 1.6, of="ratio"),
        "minimum_cpu": Goal("µs of CPU per start", 8.0, of="ratio"),
        "start_cpu": Goal("µs of CPU per start"),
        "start_instructions": Goal("million instructions per start", 27.0),
        "lone_start_instructions": Goal("million instructions per start", 1.3, of="ratio"),
        "help_instructions": Goal("million instructions per request", 2.3),
        "read_instructions": Goal("million instructions per read", 1.0),
        "start_rate": Goal("requests per second", 300.0, "at least"),
        "start_p99_10": Goal("s", 0.05),
        "start_p99_50": Goal("s", 0.05),
        "start_p99_100": Goal("s", 0.25),
        "poll_cpu": Goal("µs of CPU per poll"),
        "gap_min": Goal("s", 10.0, "at least"),
        "gap_median": Goal("s", 10.7),
        "gap_p99": Goal("s", 12.0),
        "poll_rate": Goal("polls per second", POLL_RATE, "at least"),
        "poll_memory": Goal("MB", 250.0),
        "claim_p99": Goal("ms", 20.0),
        "claim_rate": Goal("reads per second", POLL_RATE, "at least"),
        "claim_gap_min": Goal("s", 10.0, "at least"),
        "claim_gap_p99": Goal("s", 12.0),
        "claim_database_cpu": Goal("% of a core", 100.0),
        "claim_median": Goal("ms"),
        "watched_database_cpu": Goal("µs of CPU per read", 1.3, of="ratio"),
        "watched_process_cpu": Goal("µs of CPU per read", 1.3, of="ratio"),
        "ready_median": Goal("s", 6.5),
        "ready_p99": Goal("s", 12.0),
        "ready_limited_last": Goal("s", 120.0),
        "class_ack_p99": Goal("s", 0.3),
        "class_exactly_one": Goal("% of the class", 100.0, "at least"),
        "class_limited_last": Goal("s", 120.0),
        "class_killed_exactly_one": Goal("% of the class", 100.0, "at least"),
        "class_killed_last": Goal("s", 120.0),
        "class_shared_ack_p99": Goal("s", 0.3),
        "class_shared_exactly_one": Goal("% of the class", 100.0, "at least"),
        "class_shared_last": Goal("s", 120.0),
        "course_ready": Goal("% of the course", 99.0, "at least"),
        "course_last": Goal("s", 60.0),
        "members_taken": Goal("s", 2.0),
        "members_followed": Goal("s", 120.0),
        "members_help": Goal("s", 0.5),
        "members_message": Goal("ms of CPU per message", 5.0),
        "members_shared_taken": Goal("s", 2.0),
        "members_shared_followed": Goal("s", 120.0),
        "members_shared_help": Goal("s", 0.5),
        "startup": Goal("s", 1.5),
        "idle_cpu": Goal("% of a core", 1.0),
        "idle_memory": Goal("MB", 120.0),
        "posit_requests": Goal("requests per credential, username and round", 2.0),
        "job_streams_lost": Goal("lines", 0.0),
        "job_streams_memory": Goal("MB above idle", 150.0),
        "list_piece_longest": Goal("ms", 20.0),
        "list_longest": Goal("ms of CPU", 50.0),
        "home_longest": Goal("ms of CPU", 50.0),
        "hostile_ack_p99": Goal("s", 0.3),
        "hostile_text_cpu": Goal("ms of CPU per text", 20.0),
        "loop_stop_longest": Goal("ms of CPU", 50.0),
        "searches_ack_p99": Goal("s", 0.5),
        "hours_cpu": Goal("% of a core", 1.0),
        "hours_ready_last": Goal("s", 120.0),
        "home_cpu": Goal("ms of CPU per Home", 20.0),
        "homes_ready_last": Goal("s", 120.0),
        "homes_beyond_limits": Goal("calls that Slack refused", 0.0),
        "day_messages": Goal("messages at rest", 31.0),
        "day_edits": Goal("edits and deletions", 46.0),
        "day_grey_edits": Goal("edits that leave a grey line", 0.0),
        "day_grey": Goal("messages that are only a grey line", 0.0),
        "day_untrue": Goal("buttons that say what isn't so", 0.0),
        "day_twice": Goal("acts of which two messages speak", 0.0),
        "week_messages": Goal("messages at rest", 50.0),
        "week_edits": Goal("edits and deletions", 110.0),
        "week_grey_edits": Goal("edits that leave a grey line", 0.0),
        "week_grey": Goal("messages that are only a grey line", 0.0),
        "week_untrue": Goal("buttons that say what isn't so", 0.0),
        "week_twice": Goal("acts of which two messages speak", 0.0),
        "fortnight_messages": Goal("messages per person and week", 6.5),
        "fortnight_notifications": Goal("messages that answer nothing, per person and week", 4.5),
        "fortnight_edits": Goal("edits and deletions per person and week", 10.0),
        "fortnight_untrue": Goal("sentences and buttons that say what isn't so", 0.0),
        "silence_last": Goal("s", 60.0),
        "silence_untrue": Goal("workspaces called ready that are down", 0.0),
        "silence_wrong": Goal("messages lost or doubled", 0.0),
        "silence_searches": Goal("searches", 50.0),
        "backup_help": Goal("s", 0.5),
        **{f"growth_{work}": Goal("ms of CPU of the longest piece", 20.0) for work in PERIODIC},
        # With what it waits for.
        **{f"growth_{work}_shared": Goal("ms of the longest piece") for work in PERIODIC if work != "sweep"},
        "ide_first_byte": Goal("s", 0.05),
        "ide_size": Goal("bytes", 50.0 * 1024),
    }
)


@dataclass(frozen=True, slots=True)
class Figure:
    """Hold one measured figure. ``sound`` is False when the run itself failed, or measured something else.

    ``baseline`` is in the same unit, ``before`` the same figure of the revision that it is compared with.
    ``note`` says what else belongs to it (messages lost, a rule broken, sizes that were not the full ones);
    where the figure isn't sound, it is printed as the reason.
    """

    name: str
    value: float
    baseline: float | None = None
    sound: bool = True
    note: str = ""
    before: float | None = None

    @property
    def difference(self) -> float | None:
        """Return by how much the value is above the baseline."""
        return None if self.baseline is None else self.value - self.baseline

    @property
    def ratio(self) -> float | None:
        """Return the value in multiples of the baseline."""
        return self.value / self.baseline if self.baseline else None

    @property
    def met(self) -> bool | None:
        """Say whether the goal is met; None where there is none."""
        goal = GOALS[self.name]
        if not self.sound:
            return False
        if goal.bound is None:
            return None
        held = self.ratio if goal.of == "ratio" else self.value
        if held is None:
            return False
        return held <= goal.bound if goal.side == "at most" else held >= goal.bound

    def line(self) -> str:
        """Return the JSON object, on one line."""
        goal = GOALS[self.name]
        told = {
            "name": self.name,
            "value": _round(self.value),
            "unit": goal.unit,
            "baseline": _round(self.baseline),
            "ratio": _round(self.ratio),
            "difference": _round(self.difference),
            "goal": None if goal.bound is None else f"{goal.of} {goal.side} {_round(goal.bound)}",
            "met": self.met,
        }
        detail = {"note": self.note} if self.sound else {"unsound": self.note or "the run failed"}
        more = {"before": _round(self.before), **detail}
        return json.dumps(told | {name: one for name, one in more.items() if one}, ensure_ascii=False)


def _round(number: float | None) -> float | None:
    return None if number is None else float(f"{number:.4g}")


def quantile(values: list[float], share: float) -> float:
    """Return the value that this share of all does not exceed (nearest rank); raises ValueError for none."""
    if not values:
        raise ValueError("nothing was measured")
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]
