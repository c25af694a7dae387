"""The share of each package's mutants that tests must notice: ``shares.toml``."""

import random
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import comb
from pathlib import Path

from tests.mutants.generate import Mutant, make_all, make_mutants, read_equivalents
from tests.project.repository import ROOT

TABLE = Path(__file__).parent / "shares.toml"
#: A night fails if so few mutants are noticed as one night in a thousand would have by chance.
MAX_CHANCE = 0.001


@dataclass(frozen=True, slots=True)
class Package:
    """A package, and the share of its mutants that tests must notice."""

    name: str
    share: float

    def is_too_low(self, noticed: int, played: int) -> bool:
        """Return whether tests that notice this share would hardly ever notice so few."""
        weights = (self.share**count * (1 - self.share) ** (played - count) for count in range(noticed + 1))
        return sum(comb(played, count) * weight for count, weight in enumerate(weights)) < MAX_CHANCE


@cache
def read_packages() -> tuple[Package, ...]:
    """Return the rows of the table, the longest name first."""
    shares = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return tuple(Package(name, shares[name]) for name in sorted(shares, key=len, reverse=True))


def find_package(file: str) -> Package | None:
    """Return the package of a file."""
    owners = (one for one in read_packages() if file == one.name or file.startswith(f"{one.name}/"))
    return next(owners, None)


def list_files() -> dict[Package, list[str]]:
    """Return the files of each package."""
    folders = {name.partition("/")[0] for name in (package.name for package in read_packages())}
    files: dict[Package, list[str]] = {package: [] for package in reversed(read_packages())}
    for folder in sorted(folders):
        for path in sorted((ROOT / folder).rglob("*")):
            file = path.relative_to(ROOT).as_posix()
            package = find_package(file)
            if package is not None and path.suffix in {".py", ".sql"}:
                files[package].append(file)
    return files


def draw(seed: int, count: int) -> list[Mutant]:
    """Return so many mutants of all packages, as many of each, and the mutants of all marked guards."""
    drawing, drawn = random.Random(seed), []
    files = list_files()
    for package_files in files.values():
        mutants = [mutant for file in package_files for mutant in make_mutants(file)]
        drawn += drawing.sample(mutants, min(-(-count // len(files)), len(mutants)))
        drawn += [mutant for mutant in mutants if mutant.is_guard and mutant not in drawn]
    return drawn


def find_outdated_equivalents() -> Sequence[str]:
    """Return the rows of ``equivalent.toml`` whose mutant can't be made any more."""
    made = {mutant.key for files in list_files().values() for file in files for mutant in make_all(file)}
    return [
        f"{function}: {change}" for function, change in read_equivalents() if (function, change) not in made
    ]
