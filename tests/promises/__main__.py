"""Break each promise, and see that a test notices: ``python -m tests.promises``."""

import argparse
import hashlib
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import pytest

from tests.project.repository import ROOT
from tests.promises.applying import changes, touched
from tests.promises.changed import changed_files, last_commit, work_began
from tests.promises.kills import ENOUGH, PATIENCE, TRIED, Kills, sample
from tests.promises.mutants import mutants
from tests.promises.near import Near
from tests.promises.patches import Outdated, Patch, learn, patches
from tests.promises.reach import Reach
from tests.promises.rounds import Job, Result, Verdict, measure, play

T = TypeVar("T")
#: A file that is there, to change nothing of.
_ANY = "bot/support/guards.py"
#: So many tests are written down that notice a patch.
_KEPT = 2
#: So many seconds of them, the fastest first, are tried to find them.
_TRIED = 6.0
#: Fewer than this share of the mutants noticed means that nobody looks at what has changed. Others are shown.
_ENOUGH = 0.5


def main(words: Sequence[str] | None = None) -> int:
    """Play what is asked for; return 1 if a broken promise, or too many mutants, are not noticed."""
    asked = _parser().parse_args(words)
    if asked.near:
        return _play_near(asked)
    if asked.kills:
        return _play_kills(asked)
    return _play_mutants(asked) if asked.mutants is not None else _play_patches(asked)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.promises", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="patches, or files of patches, by name")
    parser.add_argument("--since", metavar="REV", help="only what concerns files changed since this revision")
    parser.add_argument("--changed", action="store_true", help="only what concerns files changed lately")
    parser.add_argument("--learn", action="store_true", help="look for tests that notice, and name them")
    parser.add_argument("--in", dest="within", nargs="+", metavar="TESTS", help="look only among these")
    parser.add_argument("--measure", action="store_true", help="measure anew which tests reach what")
    parser.add_argument(
        "--mutants", nargs="*", metavar="FILE", help="small changes of these files, or of changed ones"
    )
    parser.add_argument("--near", action="store_true", help="run the tests nearest to what changed, unbroken")
    parser.add_argument(
        "--kills", action="store_true", help="write down which tests notice the mutants that the table lacks"
    )
    parser.add_argument("--most", type=int, metavar="N", help="at most so many")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many processes at a time")
    return parser


# -- patches ------------------------------------------------------------------------------------------------


def _play_patches(asked: argparse.Namespace) -> int:
    began = time.perf_counter()
    chosen = _chosen(asked)
    jobs, outdated = _jobs(chosen)
    found: dict[str, Result] = {}
    play([job for job in jobs if job.tests], asked.jobs, lambda result: _note(found, result))
    if asked.learn and (unnoticed := _unnoticed(jobs, found)):
        searches = [replace(job, tests=tuple(tests)) for job, tests in _places(unnoticed, asked)]
        play(searches, asked.jobs, lambda result: _note(found, result), _KEPT)
        _learn(chosen, _sound(found, asked.jobs), {job.name for job in unnoticed})
    missed = {job.name for job in _unnoticed(jobs, found)}
    for patch in chosen:
        if patch.name in missed:
            _explain(patch, found.get(patch.name))
    for sentence in outdated:
        _say(sentence)
    noticed = len(jobs) - len(missed)
    _say(f"\n{noticed} of {len(chosen)} broken promises are noticed, in {time.perf_counter() - began:.0f} s.")
    return 1 if missed or outdated else 0


def _chosen(asked: argparse.Namespace) -> list[Patch]:
    chosen = patches()
    if asked.names:
        names = set(asked.names)
        chosen = [one for one in chosen if {one.name, one.table.stem} & names]
        if unknown := names - {name for one in chosen for name in (one.name, one.table.stem)}:
            raise SystemExit(f"There is no patch and no file of patches named {', '.join(sorted(unknown))}.")
    files = _files(asked)
    if files is not None:
        chosen = [one for one in chosen if files & {one.file, *(name.split("::")[0] for name in one.red)}]
    return _some(chosen, asked.most, lambda one: one.name)


def _some(all_: list[T], most: int | None, name: Callable[[T], str]) -> list[T]:
    """Return at most so many: the same for the same commit, others for the next."""
    if most is None or len(all_) <= most:
        return all_
    _say(f"{most} of {len(all_)} are played, as the last commit has it; all are without --most.")
    commit = last_commit()
    drawn = sorted(all_, key=lambda one: hashlib.sha256(f"{commit} {name(one)}".encode()).digest())[:most]
    return [one for one in all_ if one in drawn]


def _files(asked: argparse.Namespace) -> frozenset[str] | None:
    return changed_files(asked.since) if asked.since or asked.changed else None


def _jobs(chosen: Sequence[Patch]) -> tuple[list[Job], list[str]]:
    jobs, outdated = [], []
    for patch in chosen:
        try:
            patched = patch.patched()
        except Outdated as error:
            outdated.append(str(error))
            continue
        is_fresh = changes(patch.file, patched) is None
        jobs.append(Job(patch.name, patch.file, patched, patch.red, is_fresh))
    return jobs, outdated


def _places(unnoticed: Sequence[Job], asked: argparse.Namespace) -> Iterator[tuple[Job, Sequence[str]]]:
    """Return the tests that may notice each change, those that are most about it first."""
    reach = Reach() if asked.within else _reach(asked)
    for job in unnoticed:
        yield job, asked.within or reach.reaching(touched(job.file, job.patched), _TRIED)


def _reach(asked: argparse.Namespace) -> Reach:
    if not asked.measure and (kept := Reach.kept()):
        return kept
    _say("Which tests reach what is measured, and kept: that takes some minutes.")
    return measure(asked.jobs)


def _unnoticed(jobs: Sequence[Job], found: Mapping[str, Result]) -> list[Job]:
    return [job for job in jobs if job.name not in found or found[job.name].verdict is not Verdict.RED]


def _note(found: dict[str, Result], result: Result) -> None:
    found[result.name] = result
    sys.stdout.write("." if result.verdict is Verdict.RED else f" {result.name}: {result.verdict}\n")
    sys.stdout.flush()


def _sound(found: Mapping[str, Result], workers: int) -> dict[str, Result]:
    """Return what was found without the tests that fail as well while nothing is broken."""
    tests = tuple(dict.fromkeys(test for result in found.values() for test in result.red))
    text = (ROOT / _ANY).read_text(encoding="utf-8")
    failing: set[str] = set()
    play([Job("nothing", _ANY, text, tests)], workers, lambda one: failing.update(one.red), len(tests) or 1)
    for test in sorted(failing):
        _say(f"\n{test} fails though nothing is broken.")
    kept = {name: tuple(test for test in one.red if test not in failing) for name, one in found.items()}
    return {name: replace(found[name], red=red) for name, red in kept.items() if red}


def _learn(chosen: Sequence[Patch], found: dict[str, Result], searched: set[str]) -> None:
    _say("")
    for patch in chosen:
        result = found.get(patch.name)
        if patch.name in searched and result is not None and result.verdict is Verdict.RED:
            learn(patch, list(dict.fromkeys(name.partition("[")[0] for name in result.red)))
            lines = [line for line in result.said.splitlines() if line.startswith("E ")][:3]
            _say("\n".join([f"{patch.name}: {result.red[0]}", *lines]))


def _explain(patch: Patch, result: Result | None) -> None:
    _say(f"\n{patch.name} ({patch.rule}; {patch.file}): {patch.breaks}")
    if result is None:
        _say("  No test is known to notice it: look for one with --learn, and write one if there is none.")
    elif result.verdict is Verdict.GREEN:
        _say(f"  Nothing failed: {result.tried} tests were run. Look for another with --learn, or write one.")
    elif result.verdict is Verdict.ABSENT:
        _say(f"  These tests aren't there (any more):\n{result.said}")
    else:
        _say(f"  The patch itself doesn't work:\n{result.said}")


# -- mutants ------------------------------------------------------------------------------------------------


def _play_mutants(asked: argparse.Namespace) -> int:
    began = time.perf_counter()
    files = asked.mutants or sorted(_files(asked) or ())
    made = [one for file in files if file.startswith(("bot/", "handlers/")) for one in mutants(file)]
    made = _some(made, asked.most, lambda one: one.name)
    if not made:
        _say("No file has changed of which there are mutants.")
        return 0
    reach, found = _reach(asked), dict[str, Result]()
    jobs = [
        Job(
            f"{number}. {one.name}",
            one.file,
            one.patched,
            tuple(reach.reaching(touched(one.file, one.patched), _TRIED)),
            changes(one.file, one.patched) is None,
        )
        for number, one in enumerate(made, 1)
    ]
    play([job for job in jobs if job.tests], asked.jobs, lambda result: _note(found, result))
    # A mutant that can't be loaded is as good as one that was noticed: it can't be overlooked.
    missed = [job for job in jobs if job.name not in found or found[job.name].verdict is Verdict.GREEN]
    for job in missed:
        tried = found[job.name].tried if job.name in found else 0
        _say(f"\n{job.name}\n  Nothing failed: {tried} tests were run.")
    noticed, seconds = len(jobs) - len(missed), time.perf_counter() - began
    _say(f"\n{noticed} of {len(jobs)} mutants are noticed, in {seconds:.0f} s.")
    return 0 if noticed >= _ENOUGH * len(jobs) else 1


# -- kills --------------------------------------------------------------------------------------------------


def _play_kills(asked: argparse.Namespace) -> int:
    began, reach, found = time.perf_counter(), _reach(asked), dict[str, Result]()
    kills = Kills.kept()
    missing = [one for one in sample(reach) if one.name not in kills.by]
    made = _some(missing, asked.most, lambda one: one.name)
    jobs = [
        Job(
            one.name,
            one.file,
            one.patched,
            tuple(reach.quickest(touched(one.file, one.patched), TRIED)),
            changes(one.file, one.patched) is None,
            PATIENCE,
        )
        for one in made
    ]
    play([job for job in jobs if job.tests], asked.jobs, lambda result: _note(found, result), ENOUGH)
    sound = _sound(found, asked.jobs)
    for name, result in found.items():
        if result.verdict in (Verdict.RED, Verdict.GREEN):
            kills.add(name, sound[name].red if name in sound else (), result.tried)
    kills.keep()
    noticed = sum(bool(kills.by.get(job.name)) for job in jobs)
    _say(f"\n{noticed} of {len(jobs)} mutants are noticed, in {time.perf_counter() - began:.0f} s.")
    return 0


# -- what is near -------------------------------------------------------------------------------------------


def _play_near(asked: argparse.Namespace) -> int:
    since = asked.since or work_began()
    changed = changed_files(since) if since else None
    if since is None or changed is None:
        _say("Without git nobody knows what changed: run all tests with `make test`.")
        return 2
    near = Near(changed, since, _reach(asked) if asked.measure else Reach.kept())
    if not near.files:
        _say("No test is known to be about what changed.")
        return 0
    return pytest.main(["--workers", str(asked.jobs), *near.files], plugins=[near])


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
