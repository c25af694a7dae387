"""A helper with which tests start a short chaos run."""

import asyncio
import json
import sys
from pathlib import Path

from tests.rigs import postgres

ROOT = Path(__file__).parents[2]


async def played(*words):
    """Run chaos, expecting it to pass, and return its figures."""
    # Chaos starts its own PostgreSQL, which crashes. It can do so wherever the tests' PostgreSQL can run.
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
