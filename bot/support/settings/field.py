"""The definition of a setting: its variable, and how the documentation and ``doctor`` describe it."""

import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from pydantic import Field, SecretStr
from pydantic.fields import FieldInfo

#: A function that takes the names of variables, and returns True if every one of them is valid on its own.
AreRight: TypeAlias = Callable[..., bool]
_ADVICE: Final = "advice"


def setting(variable: str, default: Any, meaning: str, shown: str = "", advice: str = "", **more: Any) -> Any:
    """Declare a setting that is read from an environment variable. With the default ``...``, it is required.

    In the documentation, ``shown`` replaces the default. ``advice`` says how to correct an invalid value.
    """
    return Field(
        default,
        validation_alias=variable,
        description=meaning,
        examples=[shown] if shown else None,
        json_schema_extra={_ADVICE: advice},
        **more,
    )


def find_advice(field: FieldInfo) -> str:
    """Return the advice on how to correct an invalid value of a setting, or "" if there is none."""
    extra = field.json_schema_extra
    return str(extra[_ADVICE]) if isinstance(extra, dict) else ""


def split_names(value: str) -> frozenset[str]:
    """Split a comma-separated list of ids."""
    return frozenset(filter(None, (part.strip() for part in value.split(","))))


def split_keys(value: SecretStr) -> list[str]:
    """Split a list of keys separated by commas or white space."""
    return [key for key in re.split(r"[,\s]+", value.get_secret_value()) if key]
