"""``python -m benchmarks.structure``: how large the code is, what its rooms are, and what one start crosses.

Prints one JSON object. Lines of code are those that hold a token of the program: no blank ones, comments or
docstrings. What a start crosses are the files and functions of ``bot`` and ``handlers`` that run from a typed
``/workspace start notebook`` to its acknowledgement, and on to the direct message with the address.
"""

from __future__ import annotations

import ast
import asyncio
import io
import json
import sys
import tempfile
import threading
import tokenize
from pathlib import Path
from types import FrameType
from typing import Any, Self

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


def sizes() -> dict[str, Any]:
    """Measure the modules as they stand."""
    modules = {path: path.read_text() for name in MEASURED for path in (ROOT / name).rglob("*.py")}
    longest = sorted(modules, key=lambda path: -modules[path].count("\n"))[:10]
    loose = sorted(path.name for path in (ROOT / "bot").glob("*.py") if path.name != "__init__.py")
    return {
        "modules": len(modules),
        "lines": sum(source.count("\n") for source in modules.values()),
        "lines_of_code": sum(map(lines_of_code, modules.values())),
        "rooms": sorted(path.parent.name for path in (ROOT / "bot").glob("*/__init__.py")),
        "loose_modules": loose,
        "longest": {str(path.relative_to(ROOT)): modules[path].count("\n") for path in longest},
    }


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


def main() -> int:
    """Measure, and print it."""
    sys.stdout.write(json.dumps({**sizes(), **asyncio.run(crossed())}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
