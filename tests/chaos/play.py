"""A short run of chaos, as its tests start it."""

import asyncio
import json
import sys
from pathlib import Path

from tests.rigs import postgres

ROOT = Path(__file__).parents[2]


async def played(*words):
    """Play a run that holds; return its figures."""
    # It has a server of its own, which crashes; where one runs here, that does, too.
    postgres.needed()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.chaos",
        "--settle",
        "240",
        *words,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complained = await process.communicate()
    assert process.returncode == 0, f"{said.decode()}\n{complained.decode()}"
    return json.loads(said)
