"""Play mutants: of the named files, or a sample of all packages: ``python -m tests.mutants``."""

import argparse
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from tests.mutants.apply import compare, find_affected
from tests.mutants.generate import Mutant, make_mutants
from tests.mutants.play import Job, Result, Verdict, measure, play
from tests.mutants.reach import Reach
from tests.mutants.shares import Package, draw, find_outdated_equivalents, find_package, read_packages
from tests.project.repository import ROOT

#: Seconds of tests that are tried for a mutant: the nearest first.
TRIED_SECONDS = 12.0
#: The share of marked guards' mutants that tests must notice.
GUARDS_SHARE = 0.8
#: A file in which nothing is changed, to see which tests fail without a mutant.
_UNCHANGED = "bot/domain/plan.py"


def main(words: Sequence[str] | None = None) -> int:
    """Play mutants; return 1 if a package's tests notice fewer than its row demands."""
    options = _parser().parse_args(words)
    seed = random.randrange(10**9) if options.seed is None else options.seed
    files = [os.path.relpath(file, ROOT) for file in options.files]
    if files:
        mutants = [mutant for file in files for mutant in make_mutants(file)]
        if options.most is not None and options.most < len(mutants):
            mutants = random.Random(seed).sample(mutants, options.most)
    else:
        mutants = draw(seed, options.most or 200)
    if not mutants:
        print("There are no mutants of these files.")
        return 0
    print(f"{len(mutants)} mutants, SEED={seed}", flush=True)
    found = _play(mutants, _reach(options), options)
    is_low = _report(mutants, found, is_sample=not files)
    return 1 if is_low and not files else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="play these files' mutants; else a sample of all"
    )
    parser.add_argument("--most", type=int, metavar="N", help="at most so many mutants")
    parser.add_argument("--seed", type=int, metavar="N", help="draw the same ones again")
    parser.add_argument("--minutes", type=float, default=90.0, metavar="N", help="begin no further one then")
    parser.add_argument("--measure", action="store_true", help="measure anew which tests reach what")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes at a time"
    )
    return parser


def _reach(options: argparse.Namespace) -> Reach:
    if not options.measure and (kept := Reach.read()):
        return kept
    print("Measuring which tests reach what, once: about ten minutes.", flush=True)
    return measure(options.jobs)


def _play(mutants: Sequence[Mutant], reach: Reach, options: argparse.Namespace) -> dict[str, Result]:
    """Return the results by the mutants' names; without those for which no time was left."""
    jobs = []
    for mutant in mutants:
        text = mutant.text
        tests = reach.find_tests(find_affected(mutant.file, text), TRIED_SECONDS)
        is_fresh = compare(mutant.file, text) is None
        jobs.append(Job(_id(mutant), mutant.file, text, tuple(tests), is_fresh))
    found = {job.name: Result(job.name, Verdict.UNNOTICED) for job in jobs if not job.tests}
    ends_at = time.monotonic() + 60 * options.minutes

    def add(result: Result) -> None:
        found[result.name] = result
        sys.stdout.write("." if result.verdict is Verdict.NOTICED else f"\n{result.verdict}: {result.name}\n")
        sys.stdout.flush()

    play([job for job in jobs if job.tests], options.jobs, add, 60 * options.minutes)
    return _without_false_failures(jobs, found, options.jobs, ends_at)


def _without_false_failures(
    jobs: Sequence[Job], found: dict[str, Result], workers: int, ends_at: float
) -> dict[str, Result]:
    """Play again, alone, each mutant whose failed test fails without it as well."""
    tests = tuple(dict.fromkeys(test for result in found.values() for test in result.failed if "::" in test))
    text, failing = (ROOT / _UNCHANGED).read_text(encoding="utf-8"), set[str]()
    unchanged = Job("unchanged", _UNCHANGED, text, tests, max_failures=len(tests) or 1)
    play([unchanged] if tests else [], 1, lambda result: failing.update(result.failed))
    if not failing:
        return found
    for test in sorted(failing):
        print(f"\n{test} fails without any mutant.")
    again = [
        replace(job, tests=tuple(test for test in job.tests if test not in failing))
        for job in jobs
        if job.name in found and failing.intersection(found[job.name].failed)
    ]
    play(again, workers, lambda result: found.update({result.name: result}), ends_at - time.monotonic())
    return found


def _id(mutant: Mutant) -> str:
    """Return a name that tells equal changes in different lines apart."""
    return f"{mutant.name} (byte {mutant.begin})"


def _report(mutants: Sequence[Mutant], found: dict[str, Result], *, is_sample: bool) -> bool:
    """Print the mutants that nobody noticed, and the shares; return whether one is too low."""
    noticed, played, is_low = Counter[str](), Counter[str](), False
    for mutant in mutants:
        result = found.get(_id(mutant))
        package = find_package(mutant.file)
        if result is None or result.verdict is Verdict.FAILED:
            print(f"\n{mutant.name}\n  not played{': ' + result.text if result else ', for want of time'}")
            continue
        names = [package.name if package else mutant.file, *["guards"] * mutant.is_guard]
        played.update(names)
        if result.verdict is Verdict.NOTICED:
            noticed.update(names)
        else:
            print(f"\n{mutant.name}\n  Nothing failed: {result.tried} tests ran.")
    print()
    for package in read_packages():
        count = played[package.name]
        if count:
            too_low = package.is_too_low(noticed[package.name], count)
            is_low = is_low or too_low
            verdict = f"  fewer than its {package.share:.0%} allow" if too_low else ""
            print(f"{noticed[package.name]:5} of {count:4}  {package.name}{verdict}")
    if played["guards"]:
        print(f"{noticed['guards']:5} of {played['guards']:4}  marked guards")
        is_low = is_low or Package("guards", GUARDS_SHARE).is_too_low(noticed["guards"], played["guards"])
    total = played.total() - played["guards"], noticed.total() - noticed["guards"]
    print(f"{total[1]} of {total[0]} mutants are noticed.")
    if is_sample and (outdated := find_outdated_equivalents()):
        print("\n".join(["These rows of equivalent.toml fit no mutant any more:", *outdated]))
        return True
    return is_low


if __name__ == "__main__":
    raise SystemExit(main())
