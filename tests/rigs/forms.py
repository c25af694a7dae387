"""A provider that runs jobs.

As with real providers, its form depends on the cluster, profile and template.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.domain.forms import Choice, Field, Form, FormProblems, Purpose, Spec, Values
from bot.domain.people import Principal
from bot.providers.base import Access
from tests.rigs.providers import FakeProvider
from tests.rigs.run_provider import FakeRuns

CLUSTERS: dict[str, dict[str, Any]] = {
    "Kubernetes": {
        "limits": True,
        "images": ["r-base", "python & co"],
        "profiles": ["small", "custom"],
        "constraints": ["zone=west", "zone=east", "disk=a,b"],
    },
    "Local": {},
    "Slurm": {"limits": True, "queues": ["short", "long"]},
}
JOB_OFFER: dict[str, Any] = {"clusters": CLUSTERS, "templates": ["nightly"], "maximum": 8}


def choices(names: Sequence[str]) -> tuple[Choice, ...]:
    return tuple(Choice(name, name) for name in names)


class Workbench(FakeProvider, FakeRuns):
    """A provider that runs jobs on three clusters. Its template *nightly* comes with a command."""

    def form(self, snapshot: Any, purpose: Purpose, values: Values, principal: Principal) -> Form:
        if purpose != "job":
            return Form(())
        fields = []
        template = values.get("template")
        if snapshot["templates"]:
            templates = tuple(Choice(name, f"The {name} one") for name in snapshot["templates"])
            fields.append(
                Field("template", "Template", "choice", templates, optional=True, has_dependents=True)
            )
        if template not in snapshot["templates"]:
            fields.append(Field("command", "Command", "long_text", max_length=2000))
        fields.append(Field("name", "Name", "text", optional=True, is_remembered=False))
        chosen = str(values.get("cluster", ""))
        chosen = chosen if chosen in snapshot["clusters"] else next(iter(snapshot["clusters"]))
        fields.append(
            Field(
                "cluster",
                "Cluster",
                "search",
                choices(list(snapshot["clusters"])),
                chosen,
                has_dependents=True,
            )
        )
        fields += self._where(snapshot["clusters"][chosen], values, snapshot["maximum"])
        fields.append(Field("directory", "Working directory", "text", optional=True))
        fields.append(Field("environment", "Environment variables", "long_text", optional=True))
        return Form(tuple(fields))

    def _where(self, cluster: Mapping[str, Any], values: Values, maximum: int) -> list[Field]:
        fields = []
        if images := cluster.get("images"):
            fields.append(Field("image", "Image", "search", choices(images), images[0]))
        if queues := cluster.get("queues"):
            fields.append(Field("queue", "Queue", "search", choices(queues), optional=True))
        profiles = cluster.get("profiles", ())
        profile = values.get("profile", "small") if profiles else "custom"
        if profiles:
            fields.append(
                Field("profile", "Resources", "search", choices(profiles), str(profile), has_dependents=True)
            )
        if cluster.get("limits") and profile == "custom":
            for name, label in (("cpus", "Processors"), ("memory", "Memory"), ("limit_gpu-a", "gpu-a")):
                fields.append(Field(name, label, "number", optional=True, minimum=0, maximum=maximum))
        if constraints := cluster.get("constraints"):
            fields.append(Field("constraints", "Placement", "searches", choices(constraints), optional=True))
        return fields

    def spec(self, snapshot: Any, purpose: Purpose, values: Values, principal: Principal) -> Spec:
        problems = {}
        names = {one.name for one in self.form(snapshot, purpose, values, principal).fields}
        if "command" in names and not values.get("command"):
            problems["command"] = "Needs a command."
        if not str(values.get("cpus") or "1").isdecimal():
            problems["cpus"] = "Needs a number above <zero>."
        elif int(str(values.get("cpus") or "1")) > snapshot["maximum"]:
            problems["cpus"] = f"At most {snapshot['maximum']} are allowed here."
        for row in str(values.get("environment", "")).split("\n"):
            if row and "=" not in row:
                problems["environment"] = "Needs NAME=value."
        if problems:
            raise FormProblems(problems)
        kept = {key: value for key, value in values.items() if value and key in names}
        name = str(values.get("name") or values.get("command") or values["template"])
        return Spec(name, {key: value for key, value in kept.items() if key != "name"})

    async def read_offer(self, access: Access) -> Any:
        return JOB_OFFER
