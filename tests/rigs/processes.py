"""The bot's roles as separate processes, which share no modules with the tests."""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.project.repository import ROOT


async def start(role: str, environment: Mapping[str, str], log: Path) -> asyncio.subprocess.Process:
    """Start a process for a role. Its output is appended to the log."""
    passed = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    with log.open("ab") as sink:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            # Later starts reuse the bytecode that was compiled for the first.
            "-X",
            f"pycache_prefix={log.parent / 'compiled'}",
            "-m",
            "bot",
            role,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            cwd=ROOT,
            env={**passed, **environment},
        )
