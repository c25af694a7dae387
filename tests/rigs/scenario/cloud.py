"""A world whose Saturn Cloud has administrators, recipes and jobs. The connection is called ``saturn``."""

import json
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from bot.providers import list_provider_classes
from tests.rigs.scenario.people import Person
from tests.rigs.scenario.shown import Shown
from tests.rigs.scenario.stage import SEED as WORKSPACES
from tests.rigs.scenario.workbench import WorkbenchWorld

AMIR = "U0AMIR"
ADMIN_TOKEN = "ad01" * 10
SEED: dict[str, Any] = {
    **WORKSPACES,
    "users": [*WORKSPACES["users"], {"name": "admin", "admin": True, "token": ADMIN_TOKEN}],
    "jobs": [
        {"owner": "alice", "name": "nightly", "command": "papermill report.ipynb", "schedule": "0 3 * * *"},
        {"owner": "alice", "name": "failing", "command": "python import.py", "exit_code": 3},
        {"owner": "bob", "name": "retrain"},
    ],
}
RECIPE = {"type": "workspace", "spec": {"name": "x", "owner": "acme/teacher", "instance_type": "large"}}


class CloudWorld(WorkbenchWorld):
    """A world with all features of Saturn Cloud.

    People use forms, threads and outputs as with a Workbench.
    """

    def __init__(self, folder: Path, options: Mapping[str, Any]) -> None:
        super().__init__(folder, {"saturn_seed": SEED, **options})
        (folder / "course.json").write_text(json.dumps(RECIPE))

    def connections(self) -> dict[str, Any]:
        """Return only the connection to Saturn Cloud."""
        super().connections()
        table = {
            "name": "saturn",
            "provider": "saturn",
            "title": "Saturn Cloud",
            "linking": ["token", "admin"],
            "admin_token": ADMIN_TOKEN,
            "base_url": self.saturn_url,
            "templates": [
                {"name": "course", "title": "The course", "file": str(self.folder / "course.json")}
            ],
            **self._options.get("saturn", {}),
        }
        return {"saturn": list_provider_classes()["saturn"].settings_model.model_validate(table)}

    def job(self, name: str, owner: str = "alice") -> Any:
        """Return a job at Saturn Cloud."""
        found = self.saturn.state.resources.values()
        return next(one for one in found if (one.name, one.owner, one.type) == (name, owner, "job"))

    def made(self, name: str) -> list[Any]:
        """Return Alice's workspaces of this name."""
        found = self.saturn.state.resources.values()
        return [one for one in found if (one.name, one.owner, one.type) == (name, "alice", "workspace")]

    async def approved(self, person: Person, username: str) -> Shown:
        """Ask to act as a username, and have an administrator approve it.

        Return the message that the person gets.
        """
        await person.types(f"link saturn {username}")
        amir = self.person(AMIR)
        request = [shown for shown in amir.sees() if "Approve" in shown.labels][-1]
        self.watch.may_read(person.id, username)
        await amir.presses(request, "Approve")
        await self.pass_time(5)
        return person.sees()[-1]


def cloud_world(folder: Path, **options: Any) -> AbstractAsyncContextManager[CloudWorld]:
    """Create and run such a world. ``saturn`` adds settings to the connection."""
    return CloudWorld(folder, options).running()


__all__ = ["ADMIN_TOKEN", "AMIR", "SEED", "CloudWorld", "cloud_world"]
