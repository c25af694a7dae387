"""A world in which a person has linked two accounts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.rigs.scenario.workbench import WorkbenchWorld, workbench_world


@asynccontextmanager
async def at_work(folder: Path, **options: Any) -> AsyncIterator[WorkbenchWorld]:
    """Create a world in which a person has linked two accounts."""
    async with workbench_world(
        folder, settings={"USHER_DATABASE_URL": "sqlite:///:memory:"}, **options
    ) as stage:
        await stage.alice.has_linked("alice")
        await stage.alice.has_linked("alice", "wb", is_named=False)
        await stage.pass_time(20)
        yield stage
