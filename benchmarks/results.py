"""Stored results: each kept run is a file, and docs/performance.md shows the newest result of each figure."""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.figures import GOALS, Figure
from benchmarks.machine import BenchmarkError, cores

FOLDER: Final = Path(__file__).parent / "results"


def find_commit() -> str:
    """Return the current commit; raise BenchmarkError if tracked files contain uncommitted changes."""
    if _run_git("status", "--porcelain", "--untracked-files=no"):
        raise BenchmarkError("a figure is kept of a commit: commit what has changed, then measure")
    return _run_git("rev-parse", "HEAD")


def keep(commit: str, rounds: Sequence[Sequence[Figure]], folder: Path = FOLDER) -> Path:
    """Write the file for a run with these rounds, and return its path."""
    now = datetime.now(UTC)
    by_name: dict[str, list[Figure]] = {}
    for figure in [figure for figures in rounds for figure in figures]:
        by_name.setdefault(figure.name, []).append(figure)
    run = {
        "commit": commit,
        "date": f"{now:%Y-%m-%d}",
        "processor": _read_processor(),
        "cores": len(set.union(*cores())),
        "python": platform.python_version(),
        "figures": [_describe(figures) for figures in by_name.values()],
    }
    folder.mkdir(exist_ok=True)
    path = folder / f"{now:%Y-%m-%dT%H%M}-{commit[:9]}.json"
    path.write_text(json.dumps(run, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def read_newest(folder: Path = FOLDER) -> list[dict[str, Any]]:
    """Return the kept runs, newest first, each with only those figures that no newer run has."""
    runs, seen = [], set[str]()
    for path in sorted(folder.glob("*.json"), reverse=True):
        run = json.loads(path.read_text(encoding="utf-8"))
        run["figures"] = [one for one in run["figures"] if one["name"] in GOALS.keys() - seen]
        seen |= {one["name"] for one in run["figures"]}
        if run["figures"]:
            runs.append(run)
    return runs


def _describe(figures: Sequence[Figure]) -> dict[str, Any]:
    """Summarise a figure over all rounds: its goal is met if the median meets it and all rounds are sound."""
    baselines = [figure.baseline for figure in figures if figure.baseline is not None]
    values = [figure.value for figure in figures]
    all_rounds = replace(
        figures[0],
        value=median(values),
        baseline=median(baselines) if baselines else None,
        sound=all(figure.sound for figure in figures),
    )
    goal = GOALS[all_rounds.name]
    return {
        "name": all_rounds.name,
        "unit": goal.unit,
        "goal": goal.words,
        "met": all_rounds.met,
        "median": _round(all_rounds.value),
        "least": _round(min(values)),
        "most": _round(max(values)),
        "rounds": len(figures),
        "baseline": None if all_rounds.baseline is None else _round(all_rounds.baseline),
        "notes": sorted({figure.note for figure in figures if figure.note}),
    }


def _round(number: float) -> float:
    return float(f"{number:.4g}")


def _read_processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _run_git(*words: str) -> str:
    done = subprocess.run(  # noqa: S603 - words of ours
        ["git", *words],  # noqa: S607 - the caller's git
        cwd=FOLDER.parent,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()
