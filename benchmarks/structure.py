"""How much a change has to read, and what one start crosses.

What a change reads are files of ``bot``, ``handlers`` and ``usher``, as the history has them: those that a
commit of forty lines or more changed, and those in which the parts of the last three message kinds, verbs and
methods of providers lie today, but for the files of the feature that has the most of them. A part is a line
that the commit added and that stands in one file alone: wherever it is moved, it is found.

What a start crosses are the files and functions of ``bot`` and ``handlers`` that run from a typed
``/workspace start notebook`` to its acknowledgement, and on to the direct message with the address.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median
from types import FrameType, MappingProxyType
from typing import Any, Final, Self

from benchmarks.figures import Figure
from benchmarks.sizes import Sizes
from benchmarks.stage import note
from tests.rigs.scenario import world

ROOT = Path(__file__).resolve().parents[1]
MEASURED = ("bot", "handlers")
PRODUCT: Final = (*MEASURED, "usher")
#: A commit of fewer lines corrects something.
_LARGE: Final = 40
#: A shorter line says nothing of its own (characters).
_TELLING: Final = 20
_LATEST: Final = 3


@dataclass(frozen=True, slots=True)
class Sort:
    """Say where something of a sort is added, and how its name is found there."""

    places: tuple[str, ...]
    name: str


SORTS: Final[Mapping[str, Sort]] = MappingProxyType(
    {
        "kind_files": Sort(("bot/domain", "bot/features"), r"^    ([A-Z_]+) = (?:_Kind|Traits)\("),
        "verb_files": Sort(("handlers", "bot/features"), r"@routes\.verb\(\s*\"(\w+)\",\s*\"(\w+)\""),
        "method_files": Sort(("bot/providers/base.py",), r"^    (?:async )?def ([a-z]\w*)\("),
    }
)


def is_cloned_whole() -> bool:
    """Return whether there is a history here, with its beginning."""
    try:
        return _git("rev-parse", "--is-shallow-repository").strip() == "false"
    except (OSError, subprocess.CalledProcessError):
        return False


def change_files() -> float:
    """Return how many product files a commit changes: the median of those that are large."""
    counts = []
    for commit in _git(
        "log", "--no-merges", "--no-renames", "--numstat", "--format=%x00", "--", *PRODUCT
    ).split("\0"):
        rows = [row.split("\t") for row in commit.split("\n") if row and not row.startswith("-")]
        if sum(int(added) + int(removed) for added, removed, _ in rows) >= _LARGE:
            counts.append(len(rows))
    return median(counts)


def addition_files(sort: Sort) -> dict[str, int]:
    """Return the number of files with parts of each last addition, outside of its feature, by commit."""
    lines = Counter[str]()
    places: dict[str, Path] = {}
    for path in _product_files():
        for line in {line.strip() for line in path.read_text(encoding="utf-8").splitlines()}:
            lines[line] += 1
            places[line] = path
    found = {}
    for commit in islice(_additions(sort), _LATEST):
        added, removed = _split_patch(
            _git("show", "--no-renames", "--unified=0", "--format=", commit, "--", *PRODUCT)
        )
        parts = {one.strip() for one in added} - {one.strip() for one in removed}
        found[commit[:8]] = _count_outside(
            {places[one] for one in parts if len(one) >= _TELLING and lines[one] == 1}
        )
    return found


def _count_outside(files: Iterable[Path]) -> int:
    """Return the number of files outside of the feature's folder that has the most of them."""
    folders = Counter(path.parent if path.parent.parent == ROOT / "bot/features" else None for path in files)
    own = max((count for folder, count in folders.items() if folder is not None), default=0)
    return folders.total() - own


def _product_files() -> Iterator[Path]:
    for name in _git("ls-files", "--", *PRODUCT).splitlines():
        path = ROOT / name
        if path.is_file() and b"\0" not in path.read_bytes():
            yield path


def _additions(sort: Sort) -> Iterator[str]:
    """Return the commits that added something of a sort, the last first; what is only moved isn't added."""
    name = re.compile(sort.name, re.MULTILINE)
    words = (
        "log",
        "--no-merges",
        "--no-renames",
        "--patch",
        "--unified=0",
        "--format=%x00%H",
        "--",
        *sort.places,
    )
    for commit in _git(*words).split("\0")[1:]:
        added, removed = (set(name.findall("\n".join(lines))) for lines in _split_patch(commit))
        if added - removed:
            yield commit.split("\n", 1)[0]


def _split_patch(patch: str) -> tuple[list[str], list[str]]:
    """Return the lines that a patch adds, and those that it removes."""
    lines = patch.split("\n")
    return (
        [line[1:] for line in lines if line.startswith("+") and not line.startswith("+++ ")],
        [line[1:] for line in lines if line.startswith("-") and not line.startswith("--- ")],
    )


def _git(*words: str) -> str:
    command = ["git", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S603 - ours


class Tracer:
    """Note which functions of ours run, in every thread, while it is on."""

    def __init__(self) -> None:
        self.seen: set[tuple[str, str]] = set()
        self._ours = tuple(f"{ROOT / name}/" for name in MEASURED)

    def __enter__(self) -> Self:
        sys.setprofile(self.note)
        return self

    def __exit__(self, *_error: object) -> None:
        sys.setprofile(None)
        threading.setprofile(None)

    def note(self, frame: FrameType, event: str, _argument: object) -> None:
        """Remember a function of ours that is called."""
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(self._ours):
            self.seen.add((code.co_filename, code.co_qualname))

    def counts(self) -> dict[str, int]:
        """Return how many files and functions were seen."""
        return {"files": len({name for name, _ in self.seen}), "functions": len(self.seen)}


async def play_start() -> dict[str, Any]:
    """Play one start and count what it crosses."""
    tracer = Tracer()
    # The store's thread begins within.
    threading.setprofile(tracer.note)
    with tempfile.TemporaryDirectory(prefix="usher-structure-") as folder:
        async with world(Path(folder)) as ready:
            await ready.alice.links("alice")
            tracer.seen.clear()
            with tracer:
                await ready.alice.types("start notebook", then_settle=False)
                to_ack = tracer.counts()
                await ready.pass_time(60)
            told = [shown.text for shown in ready.alice.sees() if "is ready" in shown.text]
            assert told, "nobody was told"
    return {"to_the_ack": to_ack, "to_the_direct_message": tracer.counts()}


def read_by_changes() -> list[Figure]:
    """Measure what changes read; without a history these figures say that it is missing."""
    if not is_cloned_whole():
        missing = "this needs the whole git history, and isn't a clone that has it"
        return [Figure(name, 0, sound=False, note=missing) for name in ("change_files", *SORTS)]
    figures = [Figure("change_files", change_files())]
    for name, sort in SORTS.items():
        found = addition_files(sort)
        told = ", ".join(f"{commit} {files}" for commit, files in found.items())
        figures.append(Figure(name, median(found.values()), note=told))
    return figures


async def measure_structure(_sizes: Sizes) -> list[Figure]:
    """Measure what changes read, and one start."""
    seen = await play_start()
    note(f"what a start crosses: {seen}")
    return [*read_by_changes(), Figure("start_functions", seen["to_the_direct_message"]["functions"])]
