"""The figures by name, with their goals, and the line of JSON in which a figure is printed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure's unit and goal; ``of`` says whether the bound applies to the value or to the ratio.

    A figure without a bound is for information only, as it depends on the machine and its other work.
    ``what`` describes a figure that docs/performance.md shows.
    """

    unit: str
    bound: float | None = None
    side: Literal["at most", "at least"] = "at most"
    of: Literal["value", "ratio"] = "value"
    what: str = ""

    @property
    def words(self) -> str:
        """Return the bound in words, or "" if there is none."""
        if self.bound is None:
            return ""
        unit = "times the baseline" if self.of == "ratio" else self.unit
        return f"{'≤' if self.side == 'at most' else '≥'} {self.bound:,.4g} {unit}"


#: Polls per second if 10,000 workspaces are each polled every 10.5 s (ten seconds and the margin), less 10%.
POLL_RATE: Final = 0.9 * 10_000 / 10.5

GOALS: Final[Mapping[str, Goal]] = MappingProxyType(
    {
        "answer_functions": Goal("functions", what="functions that a typed start enters until its answer"),
        "answer_defs": Goal("functions", what="those with a `def`"),
        "answer_files": Goal("files", what="files of them"),
        "start_functions": Goal(
            "functions", 780.0, what="functions that a typed start enters until its message"
        ),
        "start_defs": Goal("functions", 670.0, what="those with a `def`"),
        "start_files": Goal("files", 130.0, what="files of them"),
        "written_bytes": Goal(
            "bytes per request", 140_000.0, what="SQLite's log, for all that follows from a request"
        ),
        "written_commits": Goal("commits per request"),
        "ack_help_cpu": Goal(
            "µs of CPU per request", what="CPU for `/workspace help`; the baseline is a bare Bolt app"
        ),
        "unsigned_cpu": Goal("µs of CPU per request", 1.6, of="ratio", what="CPU to refuse a forged request"),
        "minimum_cpu": Goal("µs of CPU per start", 8.0, of="ratio"),
        "start_cpu": Goal(
            "µs of CPU per start",
            2.8,
            of="ratio",
            what="CPU of a start up to its message; the baseline is a minimum written by hand",
        ),
        "start_pairs": Goal(
            "times the CPU before",
            0.75,
            what="CPU of a start up to its message, in the median of rounds of 400 beside `a032c31d`",
        ),
        "start_pairs_minimum": Goal(
            "times the minimum", 2.8, what="the same beside the minimum written by hand, in the same rounds"
        ),
        "start_rate": Goal(
            "requests per second", 300.0, "at least", what="starts accepted by one process, in bursts of 40"
        ),
        "start_p99_10": Goal("s", 0.05),
        "start_p99_50": Goal("s", 0.05, what="until a start is acknowledged, at 50 starts a second"),
        "start_p99_100": Goal("s", 0.25),
        "poll_cpu": Goal(
            "µs of CPU per poll",
            what="CPU for one status read, with 10,000 workspaces starting; the baseline is the provider's",
        ),
        "gap_min": Goal("s", 10.0, "at least", what="between two reads of one workspace; the rule is 10 s"),
        "gap_median": Goal("s", 10.7, what="the same in the median, with 10,000 workspaces starting"),
        "gap_p99": Goal("s", 12.0),
        "poll_rate": Goal("polls per second", POLL_RATE, "at least", what="status reads by one process"),
        "poll_memory": Goal("MB", 250.0, what="of the process meanwhile"),
        "claim_p99": Goal("ms", 20.0, what="a claim of up to 100 reads on PostgreSQL, with four workers"),
        "claim_rate": Goal("reads per second", POLL_RATE, "at least"),
        "claim_gap_min": Goal("s", 10.0, "at least"),
        "claim_gap_p99": Goal("s", 12.0),
        "claim_database_cpu": Goal("% of a core", 100.0),
        "ready_median": Goal(
            "s", 6.5, what="from a workspace's readiness to its message, three times 200 starts"
        ),
        "ready_p99": Goal("s", 12.0),
        "class_ack_p99": Goal("s", 0.3, what="until a press of the class card is acknowledged"),
        "class_exactly_one": Goal(
            "% of the class",
            100.0,
            "at least",
            what="of a class of 500, with one workspace and one message each",
        ),
        "class_limited_last": Goal("s", 120.0),
        "network_turned_away": Goal(
            "starts", 0.0, what="of a class of 500 turned away, with a PostgreSQL 1 ms away, each way"
        ),
        "network_class_p99": Goal("s", 0.4, what="until such a start is acknowledged"),
        **{
            f"network_{count}_{delay}": Goal(
                "starts per second",
                what=f"accepted by {count} webs and {count} workers, {delay / 1000:g} ms from PostgreSQL",
            )
            for count in (1, 2, 4)
            for delay in (0, 500, 1_000, 2_000)
        },
        **{
            f"pairs_{name}": Goal(
                "times the time before",
                1.05,
                what=f"until starts are accepted, in the median of paired rounds with `a032c31d`, on {title}",
            )
            for name, title in (("sqlite", "SQLite"), ("postgres", "a PostgreSQL of the same machine"))
        },
        "usage_year_cpu": Goal("ms of CPU", 20.0, what="the answer about a person's year of 1,464 lives"),
        "usage_export_memory": Goal("MB", 100.0, what="more while a million lives are exported"),
        "usage_export_time": Goal("s", what="an export of a million lives"),
        **{
            f"soak_{name}_{what}_{minute}": Goal(
                unit, what=f"{words} after {minute} minutes of steady requests"
            )
            for name, title in (("sqlite", "SQLite"), ("postgres", "PostgreSQL"))
            for what, unit, words in (
                ("memory", "MB", f"memory on {title}"),
                ("files", "files", f"open files on {title}"),
                ("disk", "MB", "the database's files")
                if name == "sqlite"
                else ("connections", "connections", "connections to PostgreSQL"),
            )
            for minute in (10, 30, 60)
        },
        "soak_sqlite_wrong": Goal("answers", 0.0, what="wrong answers in that hour, on SQLite"),
        "soak_postgres_wrong": Goal("answers", 0.0, what="the same on PostgreSQL"),
        "startup": Goal("s", 1.5, what="from the start of the process to *ready*"),
        "idle_cpu": Goal("% of a core", 1.0, what="with nothing to do"),
        "idle_memory": Goal("MB", 100.0, what="with nothing to do"),
        "hostile_ack_p99": Goal(
            "s",
            0.3,
            what="until others are answered, while one person sends sentences that are expensive to parse",
        ),
        "hostile_text_cpu": Goal(
            "ms of CPU per text", 20.0, what="to parse the most expensive of these sentences"
        ),
        "loop_stop_longest": Goal(
            "ms of CPU",
            50.0,
            what="the longest work that keeps everybody else waiting, for somebody with 5,000 workspaces",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure; ``sound`` is False if the run failed, or measured the wrong thing.

    ``baseline`` has the same unit; ``before`` is the same figure for the revision that it is compared with.
    ``note`` contains anything else of interest (lost messages, a broken rule, reduced sizes). If the figure
    isn't sound, the note is printed as the reason.
    """

    name: str
    value: float
    baseline: float | None = None
    sound: bool = True
    note: str = ""
    before: float | None = None

    @property
    def difference(self) -> float | None:
        """Return how much higher the value is than the baseline."""
        return None if self.baseline is None else self.value - self.baseline

    @property
    def ratio(self) -> float | None:
        """Return the value as a multiple of the baseline."""
        return self.value / self.baseline if self.baseline else None

    @property
    def met(self) -> bool | None:
        """Return whether the goal was met, or None if there is no goal."""
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
        """Return the figure as a JSON object on one line."""
        goal = GOALS[self.name]
        told = {
            "name": self.name,
            "value": _round(self.value),
            "unit": goal.unit,
            "baseline": _round(self.baseline),
            "ratio": _round(self.ratio),
            "difference": _round(self.difference),
            "goal": goal.words or None,
            "met": self.met,
        }
        detail = {"note": self.note} if self.sound else {"unsound": self.note or "the run failed"}
        more = {"before": _round(self.before), **detail}
        return json.dumps(told | {name: one for name, one in more.items() if one}, ensure_ascii=False)


def _round(number: float | None) -> float | None:
    return None if number is None else float(f"{number:.4g}")


def quantile(values: list[float], share: float) -> float:
    """Return the value that this share of the values doesn't exceed. Raises ValueError if there are none."""
    if not values:
        raise ValueError("nothing was measured")
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]
