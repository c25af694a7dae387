"""The bot's roles as processes of their own, which share no modules with the tests."""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.project.repository import ROOT


async def start(role: str, environment: Mapping[str, str], log: Path) -> asyncio.subprocess.Process:
    """Start a role; the log takes what it writes."""
    passed = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    with log.open("ab") as sink:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            # What was compiled for one start serves the next.
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
