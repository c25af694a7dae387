"""A count of the functions and files of ``bot`` and ``handlers`` that run when somebody types a start.

It counts those up to the answer to ``/workspace start notebook``, and those up to the direct message with the
address.
"""

from __future__ import annotations

import sys
import tempfile
import threading
from pathlib import Path
from types import FrameType
from typing import Final, Self

from benchmarks.figures import Figure
from benchmarks.sizes import Sizes
from benchmarks.stage import note
from tests.rigs.scenario import world

ROOT: Final = Path(__file__).resolve().parents[1]
MEASURED: Final = ("bot", "handlers")


class Tracer:
    """A record of our own functions that are called in any thread while the tracer is active."""

    def __init__(self) -> None:
        #: The file and name of each function, in the order of their first calls.
        self.seen: dict[tuple[str, str], None] = {}
        self._ours = tuple(f"{ROOT / name}/" for name in MEASURED)

    def __enter__(self) -> Self:
        sys.setprofile(self.note)
        return self

    def __exit__(self, *_error: object) -> None:
        sys.setprofile(None)
        threading.setprofile(None)

    def note(self, frame: FrameType, event: str, _argument: object) -> None:
        """Remember a call of one of our own functions."""
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(self._ours):
            self.seen[code.co_filename, code.co_qualname] = None

    def counts(self) -> dict[str, int]:
        """Count the files and functions seen, and how many of the functions have a name of their own."""
        # Lambdas, comprehensions and modules have names such as <lambda>.
        named = [name for _, name in self.seen if not name.rpartition(".")[2].startswith("<")]
        return {
            "functions": len(self.seen),
            "defs": len(named),
            "files": len({file for file, _ in self.seen}),
        }

    def list_by_file(self, *, since: int = 0) -> str:
        """List the functions' names by file, leaving out the first ``since``."""
        by_file: dict[str, list[str]] = {}
        for file, name in list(self.seen)[since:]:
            by_file.setdefault(str(Path(file).relative_to(ROOT)), []).append(name)
        return "".join(f"\n{file}: {', '.join(names)}" for file, names in by_file.items())


async def play_start() -> dict[str, dict[str, int]]:
    """Play one start; return the counts up to its answer, and up to the direct message."""
    tracer = Tracer()
    # The store's thread begins within.
    threading.setprofile(tracer.note)
    with tempfile.TemporaryDirectory(prefix="usher-structure-") as folder:
        async with world(Path(folder)) as ready:
            await ready.alice.links("alice")
            tracer.seen.clear()
            with tracer:
                await ready.alice.types("start notebook", then_settle=False)
                answer = tracer.counts()
                note(f"until the answer:{tracer.list_by_file()}")
                await ready.pass_time(60)
            note(f"after it:{tracer.list_by_file(since=answer['functions'])}")
            told = [shown.text for shown in ready.alice.sees() if "is ready" in shown.text]
            assert told, "nobody was told"
    return {"answer": answer, "start": tracer.counts()}


async def measure_structure(_sizes: Sizes) -> list[Figure]:
    """Measure one start: the number of its functions (all, and those with a ``def``) and of their files."""
    crossed = await play_start()
    note(f"what a start crosses: {crossed}")
    return [
        Figure(f"{end}_{what}", count) for end, counts in crossed.items() for what, count in counts.items()
    ]
