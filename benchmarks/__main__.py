"""``python -m benchmarks [NAME …] [--keep ROUNDS] [--against REVISION] [--toy]``: print an object per figure.

A name is that of a figure or of a measurement. ``soak``, which takes an hour, and ``pairs`` and
``start_pairs``, which need another revision, are only measured if they are named. ``--against`` takes a
commit, or a folder that contains another revision's code. The measurements help, start, start_pairs, startup,
polls, claims, network, pairs and written then alternate between the two revisions. ``--keep`` repeats the
measurements that many times, and stores the results for docs/performance.md. Exit status: 0 if everything was
measured (even if goals were missed), 1 if a measurement failed, 2 for wrong arguments.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from benchmarks import results
from benchmarks.claims import measure_claims
from benchmarks.classroom import measure_class
from benchmarks.figures import GOALS, Figure
from benchmarks.hostile import measure_hostile
from benchmarks.machine import BenchmarkError
from benchmarks.messages import measure_ready
from benchmarks.network import COMPARED, TABLE, measure_network, measure_network_table, name_cell
from benchmarks.pairs import measure_pairs
from benchmarks.polls import measure_polls
from benchmarks.requests import measure_help, measure_unsigned
from benchmarks.resting import measure_idle, measure_startup
from benchmarks.sizes import FULL, TOY, Sizes
from benchmarks.soak import FIGURES as SOAK
from benchmarks.soak import measure_soak
from benchmarks.stage import note
from benchmarks.starts import measure_minimum, measure_start, measure_start_pairs
from benchmarks.structure import measure_structure
from benchmarks.usage import measure_usage
from benchmarks.written import measure_written
from handlers.loading import load
from playground.processes import HOME, StageError

Measure = Callable[[Sizes], Awaitable[list[Figure]]]

MEASUREMENTS: Final[Mapping[str, tuple[Measure, tuple[str, ...]]]] = MappingProxyType(
    {
        "structure": (
            measure_structure,
            (
                "answer_functions",
                "answer_defs",
                "answer_files",
                "start_functions",
                "start_defs",
                "start_files",
            ),
        ),
        "written": (measure_written, ("written_bytes", "written_commits")),
        "minimum": (measure_minimum, ("minimum_cpu",)),
        "help": (measure_help, ("ack_help_cpu",)),
        "unsigned": (measure_unsigned, ("unsigned_cpu",)),
        "start": (
            measure_start,
            ("start_cpu", "start_rate", "start_p99_10", "start_p99_50", "start_p99_100"),
        ),
        "polls": (
            measure_polls,
            ("poll_cpu", "gap_min", "gap_median", "gap_p99", "poll_rate", "poll_memory"),
        ),
        "claims": (
            measure_claims,
            ("claim_p99", "claim_rate", "claim_gap_min", "claim_gap_p99", "claim_database_cpu"),
        ),
        "ready": (measure_ready, ("ready_median", "ready_p99")),
        "class": (measure_class, ("class_ack_p99", "class_exactly_one", "class_limited_last")),
        "network": (
            measure_network,
            ("network_turned_away", "network_class_p99", *map(name_cell, COMPARED)),
        ),
        "network_table": (measure_network_table, tuple(map(name_cell, TABLE))),
        "start_pairs": (measure_start_pairs, ("start_pairs", "start_pairs_minimum")),
        "pairs": (measure_pairs, ("pairs_sqlite", "pairs_postgres")),
        "hostile": (measure_hostile, ("hostile_ack_p99", "hostile_text_cpu", "loop_stop_longest")),
        "usage": (measure_usage, ("usage_year_cpu", "usage_export_memory", "usage_export_time")),
        "startup": (measure_startup, ("startup",)),
        "soak": (measure_soak, SOAK),
        "idle": (measure_idle, ("idle_cpu", "idle_memory")),
    }
)
#: Seconds after which a measurement is given up. Measurements that only run when they are named have no
#: limit.
_MOST_SECONDS = 900.0
_NAMED_ONLY: Final = frozenset({"pairs", "soak", "start_pairs"})


def main(words: Sequence[str] | None = None) -> int:
    """Measure what the arguments name, or everything; return the exit status."""
    load()
    # Without bytecode files, each measured process would compile all modules.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure what Usher costs.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="a figure or a measurement; all without")
    parser.add_argument(
        "--against", metavar="REVISION", help="a commit or a folder, measured in turn with this"
    )
    parser.add_argument(
        "--keep", type=int, metavar="ROUNDS", help="measure so many times, and keep the run in a file"
    )
    parser.add_argument("--toy", action="store_true", help="tiny sizes: shows only that everything runs")
    arguments = parser.parse_args(words)
    unknown = sorted(set(arguments.names) - set(GOALS) - set(MEASUREMENTS))
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}; there are {', '.join([*MEASUREMENTS, *GOALS])}")
    sizes = TOY if arguments.toy else FULL
    try:
        commit = results.find_commit() if arguments.keep else ""
    except BenchmarkError as error:
        parser.error(str(error))
    with checkout(arguments.against) as folder:
        sizes = replace(sizes, against=folder)
        runs = [asyncio.run(_run(set(arguments.names), sizes)) for _ in range(arguments.keep or 1)]
    if arguments.keep:
        note(f"kept in {results.keep(commit, [figures for _, figures in runs])}")
    return max(status for status, _ in runs)


@contextmanager
def checkout(revision: str | None) -> Iterator[Path | None]:
    """Yield a folder with the code of ``revision`` for the ``with`` block.

    If ``revision`` is a folder, yield that; if it is None, yield None.
    """
    if revision is None or Path(revision).is_dir():
        yield Path(revision).resolve() if revision else None
        return
    with tempfile.TemporaryDirectory(prefix="usher-revision-") as folder:
        words = ["git", "archive", "--format=tar", revision]
        packed = subprocess.run(words, cwd=HOME, check=True, capture_output=True)  # noqa: S603 - the caller's words
        with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as tar:
            tar.extractall(folder, filter="data")
        yield Path(folder)


async def _run(names: set[str], sizes: Sizes) -> tuple[int, list[Figure]]:
    """Measure what the names select, or everything; return the exit status and the figures."""
    status, measured = 0, list[Figure]()
    for name, (measure, figures) in MEASUREMENTS.items():
        if name in _NAMED_ONLY if not names else not names & {name, *figures}:
            continue
        note(f"measuring {name}")
        try:
            async with asyncio.timeout(None if name in _NAMED_ONLY else _MOST_SECONDS):
                found = await measure(sizes)
        except (StageError, TimeoutError) as error:
            note(f"{name} broke off: {str(error) or 'it took too long'}")
            status = 1
            continue
        for figure in found:
            if not names or names & {name, figure.name}:
                print(figure.line(), flush=True)
                measured.append(figure)
    return status, measured


if __name__ == "__main__":
    sys.exit(main())
