"""What a launch is given along: constraints, limits, variables, hooks, launch parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.providers.posit.fields import entries_in, number_in, required_word_in, word_in, words_in
from bot.providers.reading import text_in


@dataclass(frozen=True, slots=True)
class PlacementConstraint:
    """Choose one of the options that the server's configuration names."""

    name: str
    value: str

    @classmethod
    def from_json(cls, answer: Mapping[str, Any], where: str = "") -> PlacementConstraint:
        """Read it; raise BadAnswer naming what is missing."""
        return cls(text_in(answer, "name", where), required_word_in(answer, "value", where))

    def as_json(self) -> dict[str, str]:
        """Return it for a request."""
        return {"name": self.name, "value": self.value}


@dataclass(frozen=True, slots=True)
class ResourceLimit:
    """Hold one limit: ``cpuCount`` in processors, ``memory`` in MB; values are texts.

    The reference calls the kind ``name``, servers call it ``type`` (``posit.md``, "Types and states").
    """

    name: str
    value: str = ""
    value_type: str = ""
    maximum: float | None = None
    default: str = ""

    @classmethod
    def from_json(cls, answer: Mapping[str, Any], where: str = "") -> ResourceLimit:
        """Read it in either spelling; raise BadAnswer when it does not say what it limits."""
        name = word_in(answer, "type", where) or word_in(answer, "name", where)
        return cls(
            name=name or text_in(answer, "type", where),
            value=word_in(answer, "value", where),
            value_type=word_in(answer, "valueType", where),
            maximum=_first(answer, ("maxValue", "max_value"), where),
            default=word_in(answer, "defaultValue", where) or word_in(answer, "default_value", where),
        )

    def as_json(self) -> dict[str, str]:
        """Return it for a request, in both spellings."""
        typed = {"valueType": self.value_type} if self.value_type else {}
        return {"name": self.name, "type": self.name, "value": self.value, **typed}


@dataclass(frozen=True, slots=True)
class EnvironmentVariable:
    """Hold one variable of a session's or a job's environment."""

    name: str
    value: str

    @classmethod
    def from_json(cls, answer: Mapping[str, Any], where: str = "") -> EnvironmentVariable:
        """Read it; raise BadAnswer naming what is missing."""
        return cls(text_in(answer, "name", where), required_word_in(answer, "value", where))

    def as_json(self) -> dict[str, str]:
        """Return it for a request."""
        return {"name": self.name, "value": self.value}


@dataclass(frozen=True, slots=True)
class SessionHook:
    """Name what runs on the server when a session starts or stops."""

    exe: str

    @classmethod
    def from_json(cls, answer: Mapping[str, Any], where: str = "") -> SessionHook:
        """Read it; raise BadAnswer naming what is missing."""
        return cls(text_in(answer, "exe", where))

    def as_json(self) -> dict[str, str]:
        """Return it for a request."""
        return {"exe": self.exe}


@dataclass(frozen=True, slots=True)
class LaunchParameters:
    """Say where and with what a session runs; in requests the three lists are there even when empty."""

    name: str
    cluster: str
    placement_constraints: tuple[PlacementConstraint, ...] = ()
    resource_limits: tuple[ResourceLimit, ...] = ()
    queues: tuple[str, ...] = ()
    container_image: str = ""
    default_image: str = ""
    resource_profile: str = ""
    aws_role_arn: str = ""
    databricks_instance: str = ""
    snowflake_account: str = ""
    snowflake_role: str = ""

    @classmethod
    def from_json(cls, answer: Mapping[str, Any], where: str = "") -> LaunchParameters:
        """Read them as a session shows them; name and cluster must be there."""
        return cls(
            name=required_word_in(answer, "name", where),
            cluster=required_word_in(answer, "cluster", where),
            placement_constraints=entries_in(
                answer, "placement_constraints", PlacementConstraint.from_json, where
            ),
            resource_limits=entries_in(answer, "resource_limits", ResourceLimit.from_json, where),
            queues=words_in(answer, "queues", where),
            **{key: word_in(answer, key, where) for key in OPTIONAL_PARAMETERS},
        )

    def as_json(self) -> dict[str, Any]:
        """Return them for a request."""
        given = {key: getattr(self, key) for key in OPTIONAL_PARAMETERS}
        return {
            "name": self.name,
            "cluster": self.cluster,
            "placement_constraints": [each.as_json() for each in self.placement_constraints],
            "resource_limits": [each.as_json() for each in self.resource_limits],
            "queues": list(self.queues),
            **{key: value for key, value in given.items() if value},
        }


#: What may be left out of launch parameters, all of it texts.
OPTIONAL_PARAMETERS = (
    "container_image",
    "default_image",
    "resource_profile",
    "aws_role_arn",
    "databricks_instance",
    "snowflake_account",
    "snowflake_role",
)


def _first(answer: Mapping[str, Any], keys: tuple[str, ...], where: str) -> float | None:
    found = (number_in(answer, key, where) for key in keys)
    return next((number for number in found if number is not None), None)
