"""The settings that every connection has in its file, and the ways in which people link to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from bot.domain.models import Principal
from bot.providers.hosts import normalise_base_url, normalise_pattern

_SLACK_WORKSPACE = re.compile(r"[TE][A-Z0-9]{1,30}")
#: How people link: with their own token, as a username that an administrator
#: approved, or without any link.
Linking = Literal["token", "admin", "none"]


class ConnectionSettings(BaseModel):
    """Hold the settings that every connection has; providers add their own by subclassing."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    #: The ways of linking that the provider supports, each with the key of the secret that it requires ("" if
    #: none). Any other is refused at start-up.
    ways: ClassVar[Mapping[Linking, str]] = {"token": ""}

    name: str
    provider: str
    title: str
    base_url: str
    linking: tuple[Linking, ...] = ("token",)
    #: Hosts that IDE URLs may have, besides the ones the provider derives from the base URL.
    ide_hosts: tuple[str, ...] = ()
    #: The Slack workspaces (``T…``) and organisations (``E…``) whose people may use it; all if omitted.
    workspaces: tuple[str, ...] | None = None
    #: The most starts per second that it is asked for, if it has such a limit.
    starts_per_second: float | None = Field(default=None, gt=0)

    @field_validator("linking", mode="before")
    @classmethod
    def _linking(cls, value: Any) -> Any:
        chosen = value if isinstance(value, (list, tuple)) else ()
        if not chosen or not all(isinstance(way, str) and way in cls.ways for way in chosen):
            known = " or ".join(f'"{way}"' for way in cls.ways)
            raise ValueError(f"needs a list of {known}: this provider has no other way of linking")
        return value

    @model_validator(mode="after")
    def _secrets_of_linking(self) -> Self:
        for way in self.linking:
            key = self.ways[way]
            if key and getattr(self, key) is None:
                raise ValueError(f'{key}: is required if linking has "{way}"')
        return self

    @field_validator("workspaces")
    @classmethod
    def _workspaces(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if value is not None and not (value and all(map(_SLACK_WORKSPACE.fullmatch, value))):
            raise ValueError("needs ids of Slack workspaces or organisations, such as T0123ABCD or E0123ABCD")
        return value

    def serves(self, principal: Principal) -> bool:
        """Return whether a person's Slack workspace or organisation may use it."""
        return self.workspaces is None or principal.team_id in self.workspaces

    @field_validator("base_url")
    @classmethod
    def _base_url(cls, value: str) -> str:
        return normalise_base_url(value.strip())

    @field_validator("ide_hosts")
    @classmethod
    def _ide_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(normalise_pattern(pattern) for pattern in value)

    def secrets(self) -> tuple[str, ...]:
        """Return every secret that the connection itself holds."""
        # Every typed word is compared with them, and the model's own way of listing fields takes 10 µs.
        return tuple(
            value.get_secret_value() for value in vars(self).values() if isinstance(value, SecretStr)
        )
