"""What a server offers for launches: clusters, IDEs and what each of them takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.errors import BadAnswer
from bot.providers.posit.fields import an_object, entries_in, flag_in, required_word_in, word_in, words_in
from bot.providers.posit.types.parameters import PlacementConstraint, ResourceLimit
from bot.providers.reading import object_in, text_in

#: A longer name of an IDE is not repeated in an error's words.
MAX_SHOWN = 40


@dataclass(frozen=True, slots=True)
class JobConfig:
    """Hold one setting of a cluster."""

    name: str
    value: str = ""
    value_type: str = ""

    @classmethod
    def from_json(cls, answer: Mapping[str, Any], where: str = "") -> JobConfig:
        """Read it; raise BadAnswer without a name."""
        value = answer.get("value")
        return cls(
            text_in(answer, "name", where),
            str(value).lower() if isinstance(value, bool) else word_in(answer, "value", where),
            word_in(answer, "valueType", where),
        )


@dataclass(frozen=True, slots=True)
class WorkbenchSupport:
    """Say what a cluster does for one IDE; None where it does not say."""

    supports_interactive_sessions: bool | None = None
    supports_adhoc_jobs: bool | None = None

    @classmethod
    def from_json(cls, answer: Mapping[str, Any], where: str = "") -> WorkbenchSupport:  # noqa: ARG003 - one shape for all
        """Read it; nothing of it is required."""
        return cls(flag_in(answer, "supports_interactive_sessions"), flag_in(answer, "supports_adhoc_jobs"))


@dataclass(frozen=True, slots=True)
class WorkbenchLanguage:
    """Say whether what an IDE needs is installed."""

    name: str
    available: bool

    @classmethod
    def from_json(cls, answer: Mapping[str, Any], where: str = "") -> WorkbenchLanguage:
        """Read it; raise BadAnswer naming what is missing."""
        available = flag_in(answer, "available")
        if available is None:
            raise BadAnswer(f"the answer's field {where}available is not true or false")
        return cls(required_word_in(answer, "name", where), available)


@dataclass(frozen=True, slots=True)
class WorkbenchIDEInfo:
    """Hold the defaults of one IDE; ``default_cluster`` may name a cluster that is not listed."""

    default_cluster: str
    default_image: str
    lang: WorkbenchLanguage

    @classmethod
    def from_json(cls, answer: Mapping[str, Any], where: str = "") -> WorkbenchIDEInfo:
        """Read it; raise BadAnswer naming what is missing."""
        return cls(
            required_word_in(answer, "default_cluster", where),
            required_word_in(answer, "default_image", where),
            WorkbenchLanguage.from_json(object_in(answer, "lang", where), f"{where}lang."),
        )


@dataclass(frozen=True, slots=True)
class ComputeEnv:
    """Describe a cluster: what can be chosen there, and what it does for each IDE."""

    name: str
    type: str = ""
    supports_containers: bool = False
    images: tuple[str, ...] = ()
    default_image: str = ""
    queues: tuple[str, ...] = ()
    config: tuple[JobConfig, ...] = ()
    resource_limits: tuple[ResourceLimit, ...] = ()
    resource_profiles: tuple[str, ...] = ()
    placement_constraints: tuple[PlacementConstraint, ...] = ()
    workbenches: Mapping[str, WorkbenchSupport] = field(default_factory=dict)

    @classmethod
    def from_json(cls, answer: Mapping[str, Any], where: str = "") -> ComputeEnv:
        """Read it; raise BadAnswer without a name."""
        return cls(
            name=text_in(answer, "name", where),
            type=word_in(answer, "type", where),
            supports_containers=flag_in(answer, "supportsContainers") is True,
            images=words_in(answer, "images", where),
            default_image=word_in(answer, "defaultImage", where),
            queues=words_in(answer, "queues", where),
            config=entries_in(answer, "config", JobConfig.from_json, where),
            resource_limits=entries_in(answer, "resourceLimits", ResourceLimit.from_json, where),
            resource_profiles=words_in(answer, "resourceProfiles", where),
            placement_constraints=entries_in(
                answer, "placementConstraints", PlacementConstraint.from_json, where
            ),
            workbenches=_by_name(answer, WorkbenchSupport.from_json, where),
        )


@dataclass(frozen=True, slots=True)
class ComputeEnvs:
    """Hold the answer of get_compute_envs; IDEs keep the server's order."""

    clusters: tuple[ComputeEnv, ...]
    workbenches: Mapping[str, WorkbenchIDEInfo]

    @classmethod
    def from_json(cls, answer: Mapping[str, Any]) -> ComputeEnvs:
        """Read it; both parts must be there."""
        if not isinstance(answer.get("clusters"), list):
            raise BadAnswer("the answer's field clusters is not a list")
        object_in(answer, "workbenches")
        return cls(
            entries_in(answer, "clusters", ComputeEnv.from_json),
            _by_name(answer, WorkbenchIDEInfo.from_json, ""),
        )


def _by_name(answer: Mapping[str, Any], reader: Any, where: str) -> dict[str, Any]:
    found = answer.get("workbenches")
    if found is None:
        return {}
    read = {}
    for number, (name, info) in enumerate(an_object(found, f"{where}workbenches").items()):
        shown = f".{name}" if name.isprintable() and len(name) <= MAX_SHOWN else f"[{number}]"
        place = f"{where}workbenches{shown}"
        read[name] = reader(an_object(info, place), f"{place}.")
    return read
