"""How large the code is, and what one start crosses.

Lines of code are those that hold a token of the program: no blank ones, comments or
docstrings. What a start crosses are the files and functions of ``bot`` and ``handlers`` that run from a typed
``/workspace start notebook`` to its acknowledgement, and on to the direct message with the address.
"""

from __future__ import annotations

import ast
import io
import sys
import tempfile
import threading
import tokenize
from pathlib import Path
from types import FrameType
from typing import Any, Self

from benchmarks.figures import Figure
from benchmarks.sizes import Sizes
from benchmarks.stage import note
from tests.rigs.scenario import world

ROOT = Path(__file__).resolve().parents[1]
MEASURED = ("bot", "handlers")
_NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
    tokenize.ENCODING,
}
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def lines_of_code(source: str) -> int:
    """Count the lines of a module that hold code."""
    held: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _NO_CODE:
            held.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node) is not None:
            docstring = node.body[0]
            held.difference_update(range(docstring.lineno, (docstring.end_lineno or docstring.lineno) + 1))
    return len(held)


def code_lines(root: Path) -> int:
    """Count the lines that hold code."""
    modules = [path for name in MEASURED for path in (root / name).rglob("*.py")]
    return sum(lines_of_code(path.read_text(encoding="utf-8")) for path in modules)


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


async def crossed() -> dict[str, Any]:
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


async def measure_structure(sizes: Sizes) -> list[Figure]:
    """Measure the code as it stands, and one start."""
    seen = await crossed()
    note(f"what a start crosses: {seen}")
    before = None if sizes.against is None else code_lines(sizes.against)
    return [
        Figure("code_lines", code_lines(ROOT), before=before),
        Figure("start_functions", seen["to_the_direct_message"]["functions"]),
    ]
