"""The state of a local Saturn Cloud, and who may see which part of it."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any

from playground.faults import Refusal
from playground.harness import Clock
from playground.saturn.accounts import Accounts, Person
from playground.saturn.limits import Limits
from playground.saturn.resources import Resource, from_seed
from playground.saturn.seed import Seed

TYPES = ("workspace", "job", "deployment")

SIZES: dict[str, dict[str, Any]] = {
    name: {"name": name, "display_name": title, "cores": cores, "memory": memory, "gpu": gpu}
    for name, title, cores, memory, gpu in (
        ("medium", "Medium - 2 cores - 4 GB RAM", 2, "4Gi", 0),
        ("large", "Large - 2 cores - 16 GB RAM", 2, "16Gi", 0),
        ("xlarge", "XLarge - 4 cores - 32 GB RAM", 4, "32Gi", 0),
        ("g4dnxlarge", "T4-XLarge - 4 cores - 16 GB RAM - 1 GPU", 4, "16Gi", 1),
    )
}
DISK_SPACE = ("10Gi", "20Gi", "40Gi", "100Gi", "500Gi")
AUTO_SHUTOFF = ("1 hour", "3 hours", "6 hours", "12 hours", "Never")


class State:
    """People and resources. ``seeds_only`` makes it an older server, ``admin_only`` a stricter one."""

    def __init__(self, clock: Clock, seed: Seed) -> None:
        self.clock = clock
        self.organisation = seed.organisation
        self.dialect = seed.dialect
        self.page_size = seed.page_size
        self.accounts = Accounts(clock, seed.people, seed.dialect)
        self.groups = seed.groups
        self.resources: dict[str, Resource] = {}
        self.seeds_only = False
        self.admin_only = False
        self.limits = Limits()
        for entry in seed.resources:
            self.add(from_seed(entry, seed.organisation, clock.now()))

    def add(self, resource: Resource) -> None:
        """Take in a resource."""
        self.resources[resource.id] = resource
        resource.unscheduled = self._unscheduled

    def rename_person(self, name: str, new_name: str) -> None:
        """Rename a person, who keeps all resources."""
        self.accounts.rename_person(name, new_name)
        for resource in self.resources.values():
            if resource.owner == name:
                resource.owner = new_name
                resource.spec["owner"] = f"{self.organisation}/{new_name}"

    def remove_person(self, name: str) -> None:
        """Delete a person with all tokens and resources."""
        self.accounts.remove_person(name)
        self.resources = {key: one for key, one in self.resources.items() if one.owner != name}

    def _left(self, resources: Iterable[Resource]) -> list[Resource]:
        """Return those of the resources that still exist, removing any that have deleted themselves.

        Only the given resources are checked: a class has thousands, and each is read every ten seconds.
        """
        now, left = self.clock.now(), []
        for resource in resources:
            if resource.is_destroyed(now):
                del self.resources[resource.id]
            else:
                left.append(resource)
        return left

    def _unscheduled(self, resource: Resource) -> str | None:
        """Return the scheduler's message if there is no free GPU for a pod, otherwise None."""
        gpus, size = self.limits.gpus, str(resource.spec.get("instance_type"))
        if gpus is None or not SIZES.get(size, {}).get("gpu"):
            return None
        others = (one for one in self.resources.values() if one is not resource)
        with_gpu = (one for one in others if SIZES.get(str(one.spec.get("instance_type")), {}).get("gpu"))
        taken = sum(run.status in {"running", "stopping"} for one in with_gpu for run in one.live())
        return None if taken < gpus else f"0/{gpus} nodes are available: {gpus} Insufficient nvidia.com/gpu."

    def _of(self, owner: str) -> list[Resource]:
        return self._left([one for one in self.resources.values() if one.owner == owner])

    def find(self, person: Person, kind: str, resource_id: str) -> Resource:
        """Return a resource that the person may see, otherwise raise Refusal 404. Administrators see all."""
        named = self.resources.get(resource_id)
        for resource in self._left([] if named is None else [named]):
            if resource.type == kind and (person.admin or self.is_owner(person, resource.owner)):
                return resource
        raise Refusal(404, f"{kind.capitalize()} not found")

    def owned(self, person: Person, owner_name: str | None) -> list[Resource]:
        """Return the resources of an owner (``user`` or ``org/user``), by default the caller's own."""
        group = (owner_name or "").rpartition("/")[2]
        if self.is_owner(person, group) and group in self.groups:
            return self._of(group)
        return self._of(self.owner(person, owner_name).name)

    def is_owner(self, person: Person, owner: str) -> bool:
        """Return whether the owner is this person or one of the person's groups."""
        return person.name in {owner, *self.groups.get(owner, ())}

    def owner(self, person: Person, owner_name: str | None) -> Person:
        """Return the person with this owner's name; raise Refusal if the caller may not act for them."""
        if owner_name is None:
            return person
        organisation, slash, name = owner_name.rpartition("/")
        found = self.accounts.people.get(name)
        if found is None or (slash and organisation != self.organisation):
            raise Refusal(404, f"Owner {owner_name} not found")
        if found.name != person.name and not person.admin:
            raise Refusal(403, f"Not permitted to act for {owner_name}")
        return found

    def cloned(self, person: Person, recipe: Any) -> Resource:
        """Return a new resource made from a recipe, without adding it. Each call returns a new one."""
        if not isinstance(recipe, dict):
            raise Refusal(400, "A recipe is a JSON object")
        kind, spec, state = recipe.get("type"), recipe.get("spec"), recipe.get("state")
        if kind not in TYPES:
            raise Refusal(400, f"type: must be one of {', '.join(TYPES)}")
        if not isinstance(spec, dict):
            raise Refusal(400, "spec: must be an object")
        if state is not None and not isinstance(state, dict):
            raise Refusal(400, "state: must be an object")
        _check(spec)
        owner = self.owner(person, spec.get("owner"))
        others = [one.name for one in self._of(owner.name) if one.type == kind]
        self.limits.making(spec["name"], others)
        whole = {"instance_type": "medium", **spec, "owner": f"{self.organisation}/{owner.name}"}
        return Resource(secrets.token_hex(16), kind, owner.name, whole)

    def clone(self, person: Person, recipe: Any) -> Resource:
        """Create a resource from a recipe and add it."""
        resource = self.cloned(person, recipe)
        self.add(resource)
        return resource

    def starting(self, resource: Resource) -> None:
        """Refuse a start that exceeds a limit. A workspace that is up or starting isn't limited."""
        now = self.clock.now()
        resource.settle(now)
        if resource.type == "workspace" and resource.live():
            resource.check_start(now)
            return
        running = [one for one in self._of(resource.owner) if one.type == "workspace" and one.live()]
        self.limits.starting(now, len(running) if resource.type == "workspace" else 0)

    def recipe(self, resource: Resource, *, as_template: bool = False) -> dict[str, Any]:
        """Return a resource as a recipe. A template contains neither an owner nor a state."""
        if as_template:
            spec = {key: value for key, value in resource.spec.items() if key != "owner"}
            return {"type": resource.type, "spec": spec}
        state = {"id": resource.id, "status": resource.status(self.clock.now())}
        spec = dict(resource.spec)
        if resource.type == "job":
            # The documents say how the schedule is set but not how it is read, so it has the same name here.
            cron = resource.cron if resource.next_fire_at is not None else None
            spec["cron_schedule_options"] = {"schedule": cron or ""}
        return {"type": resource.type, "spec": spec, "state": state}


def _check(spec: dict[str, Any]) -> None:
    name = spec.get("name")
    if not isinstance(name, str) or not name.strip():
        raise Refusal(400, "spec.name: is required")
    texts = (
        "owner",
        "instance_type",
        "command",
        "disk_space",
        "auto_shutoff",
        "working_directory",
        "start_script",
    )
    for key in texts:
        if spec.get(key) is not None and not isinstance(spec[key], str):
            raise Refusal(400, f"spec.{key}: must be a string")
    repositories = spec.get("git_repositories")
    if repositories is not None and not isinstance(repositories, list):
        raise Refusal(400, "spec.git_repositories: must be a list")
    choices = {"instance_type": tuple(SIZES), "disk_space": DISK_SPACE, "auto_shutoff": AUTO_SHUTOFF}
    for key, allowed in choices.items():
        if spec.get(key) is not None and spec[key] not in allowed:
            raise Refusal(400, f"spec.{key}: must be one of {', '.join(allowed)}")
