"""The bot with a watch on its event loop: ``python -m benchmarks.stops FILE serve``.

On SIGUSR2, it writes to the file which pieces of work have blocked the loop longest since the last SIGUSR1,
and where in the code, as ``[[seconds, place], …]``.
"""

from __future__ import annotations

import asyncio
import gc
import json
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any, Final

from benchmarks.unlimited import without_limit
from bot.__main__ import main

#: In seconds: the shortest work that is recorded, and the interval at which the current place in the code is
#: sampled.
_SHORTEST: Final = 0.003
_EVERY: Final = 0.001
_KEPT: Final = 10
_ROOT: Final = Path(__file__).parent.parent


class Watch:
    """A watch that times each callback of the event loop, and samples its place if it takes long."""

    def __init__(self) -> None:
        self._began = 0.0
        self._place = ""
        #: The longest stop at each place, in seconds.
        self._longest: dict[str, float] = {}
        self._main = threading.main_thread().ident

    def begin(self) -> None:
        """Measure every callback from now on. Only this private method of asyncio sees them all."""
        run = asyncio.Handle._run

        def timed(handle: asyncio.Handle) -> Any:
            self._place, self._began, used = "", time.perf_counter(), time.thread_time()
            try:
                return run(handle)
            finally:
                # CPU time of this thread, because the machine may be doing other work, too.
                took, self._began = time.thread_time() - used, 0.0
                if took >= _SHORTEST:
                    place = self._place or "unseen"
                    self._longest[place] = max(took, self._longest.get(place, 0.0))

        asyncio.Handle._run = timed  # type: ignore[assignment,method-assign]
        gc.callbacks.append(self._collects)
        threading.Thread(target=self._look, daemon=True).start()

    def forget(self) -> None:
        """Forget what was measured so far, such as the start-up."""
        self._longest.clear()

    def write(self, file: Path) -> None:
        """Write the longest stops, one for each place."""
        found = ((round(seconds, 4), place) for place, seconds in self._longest.items())
        text = json.dumps(sorted(found, reverse=True)[:_KEPT])
        file.with_suffix(".new").write_text(text, encoding="utf-8")
        file.with_suffix(".new").replace(file)

    def _collects(self, phase: str, _facts: object) -> None:
        if phase == "stop":
            self._place = "the garbage collector"

    def _look(self) -> None:
        while True:
            time.sleep(_EVERY)
            began = self._began
            if began and time.perf_counter() - began >= _SHORTEST:
                self._place = _own(sys._current_frames().get(self._main or 0))


def _own(frame: FrameType | None) -> str:
    """Return the innermost place in our own code or, if there is none, in any code."""
    innermost = frame
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(_ROOT / "bot") or path.is_relative_to(_ROOT / "handlers"):
            return f"{path.relative_to(_ROOT)}:{frame.f_code.co_name}"
        frame = frame.f_back
    return innermost.f_code.co_qualname if innermost is not None else ""


if __name__ == "__main__":
    watch = Watch()
    watch.begin()
    signal.signal(signal.SIGUSR1, lambda *_: watch.forget())
    signal.signal(signal.SIGUSR2, lambda *_: watch.write(Path(sys.argv[1])))
    with without_limit():
        sys.exit(main(sys.argv[2:]))
