"""The settings of a Saturn connection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import SecretStr, model_validator

from bot.providers.base import ConnectionSettings, Linking
from bot.providers.prepared import AllOf
from bot.providers.saturn.recipes import Recipe


class SaturnSettings(ConnectionSettings):
    """Hold a Saturn connection; ``act_as``: whose token drives workspaces."""

    ways: ClassVar[Mapping[Linking, str]] = {"token": "", "admin": "admin_token"}

    admin_token: SecretStr | None = None
    #: ``admin`` applies to people whom an administrator approved; those who linked their own token use that.
    act_as: Literal["person", "admin"] = "person"
    recipes: AllOf[Recipe] = ()

    @model_validator(mode="after")
    def _together(self) -> SaturnSettings:
        if self.act_as == "admin" and "admin" not in self.linking:
            raise ValueError('act_as: "admin" is for people whom administrators link: linking needs "admin"')
        return self
