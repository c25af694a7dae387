"""One setting: its variable, and its texts in the documentation and in ``doctor``."""

import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from pydantic import Field, SecretStr
from pydantic.fields import FieldInfo

#: A function that returns whether the values of the named variables are valid by themselves.
AreRight: TypeAlias = Callable[..., bool]
_ADVICE: Final = "advice"


def setting(variable: str, default: Any, meaning: str, shown: str = "", advice: str = "", **more: Any) -> Any:
    """Return a field for a variable of the environment. With ``...`` as its default it is required.

    The documentation shows ``shown`` instead of the default. ``advice`` says what to do about a wrong value.
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
    """Return the advice about a wrong value of a setting; "" if it has none."""
    extra = field.json_schema_extra
    return str(extra[_ADVICE]) if isinstance(extra, dict) else ""


def split_names(value: str) -> frozenset[str]:
    """Split ids joined by commas."""
    return frozenset(filter(None, (part.strip() for part in value.split(","))))


def split_keys(value: SecretStr) -> list[str]:
    """Split keys joined by commas or white space."""
    return [key for key in re.split(r"[,\s]+", value.get_secret_value()) if key]
