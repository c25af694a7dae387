"""What one start crosses: the files and functions of ours that run, to its answer and to its message."""

import sys
import tempfile
import threading
from pathlib import Path
from types import FrameType
from typing import Self

from tests.project.repository import ROOT
from tests.rigs.scenario import world


class Tracer:
    """Note which functions of ours run, in every thread, while it is on."""

    def __init__(self) -> None:
        self.seen: set[tuple[str, str]] = set()
        self._ours = tuple(f"{ROOT / name}/" for name in ("bot", "handlers"))

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

    def count(self) -> dict[str, int]:
        """Return how many files and functions were seen."""
        return {"files": len({name for name, _ in self.seen}), "functions": len(self.seen)}


async def play_start() -> dict[str, dict[str, int]]:
    """Play one typed start and count what it crosses."""
    tracer = Tracer()
    # The store's thread begins within.
    threading.setprofile(tracer.note)
    with tempfile.TemporaryDirectory(prefix="usher-start-") as folder:
        async with world(Path(folder)) as ready:
            await ready.alice.links("alice")
            tracer.seen.clear()
            with tracer:
                await ready.alice.types("start notebook", then_settle=False)
                to_answer = tracer.count()
                await ready.pass_time(60)
            assert any("is ready" in shown.text for shown in ready.alice.sees()), "nobody was told"
    return {"to_the_answer": to_answer, "to_the_message": tracer.count()}
